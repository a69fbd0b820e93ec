//! `flagpost replay`

use std::time::Duration;

use serde_json::Map;

use super::{
    Desk,
    drained::{Wanted, drained},
    sweep::{Sweep, Swept, within},
};
use crate::{
    arguments::Period,
    fault::{Fault, verdict},
    place::Place,
};

/// How long `--wait` waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// At most; as long as it takes without it.
    pub(super) timeout: Option<Duration>,
}

/// All that are dead, or those of a period.
pub(super) async fn all(
    desk: &Desk<'_>,
    integration: &str,
    period: Period,
    dry_run: bool,
    wait: Option<Patience>,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let body = within(period, desk.now);
    let path = ["deliveries", "replay"];
    let sweep = Sweep { place: &place, path: &path, body, repeatable: true, bounded: true };
    // Also the end of the progress bar.
    let count =
        if dry_run || desk.screen.can_draw() { sweep.count(desk).await? } else { Swept::default() };
    if dry_run {
        return count.tell(desk, "it would replay", true);
    }
    let replayed = sweep.carry_out(desk, count, "parking again").await?;
    let from = period.from.map(|from| from.at(desk.now));
    let to = replayed.to.or(period.to.map(|to| to.at(desk.now))).unwrap_or(desk.now);
    finish(desk, &place, replayed, &Wanted::within(from, to), wait).await
}

/// One.
pub(super) async fn one(
    desk: &Desk<'_>,
    integration: &str,
    delivery: &str,
    wait: Option<Patience>,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let path = ["deliveries", "dead", delivery, "replay"];
    // Once it was replayed and drained too, it is not to be found.
    let body = Map::new();
    let sweep = Sweep { place: &place, path: &path, body, repeatable: false, bounded: false };
    let one = Swept { deliveries: 1, ..Swept::default() };
    let replayed = sweep.carry_out(desk, one, "parking again").await?;
    finish(desk, &place, replayed, &Wanted::one(delivery, desk.now), wait).await
}

/// Tells the result before anything is waited for: that it is done is known, and the waiting may be given up.
async fn finish(
    desk: &Desk<'_>,
    place: &Place,
    replayed: Swept,
    wanted: &Wanted,
    wait: Option<Patience>,
) -> Result<(), Fault> {
    let told = replayed.tell(desk, "replayed", false);
    match wait {
        Some(patience) => verdict(drained(desk, place, wanted, patience.timeout).await, told),
        None => told,
    }
}
