//! `flagpost replay`

use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Map, Value};

use super::{
    Desk, number,
    status::left,
    sweep::{Sweep, Swept, bar, within},
    text,
};
use crate::{
    api::Ask, arguments::Period, fault::Fault, place::Place, screen::counted, surroundings,
};

/// Between two looks at a backlog that drains.
const LOOK: Duration = Duration::from_secs(2);

/// All that are dead, or those of a period.
pub(super) async fn all(
    desk: &Desk<'_>,
    integration: &str,
    period: Period,
    dry_run: bool,
    wait: bool,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let sweep = Sweep {
        place: &place,
        path: &["deliveries", "replay"],
        body: within(period, desk.now),
        repeatable: true,
    };
    // Also the end of the progress bar.
    let count =
        if dry_run || desk.screen.can_draw() { sweep.count(desk).await? } else { Swept::default() };
    if dry_run {
        return count.tell(desk, "it would replay", true);
    }
    let replayed = sweep.carry_out(desk, count, "parking again").await?;
    if wait {
        drained(desk, &place).await?;
    }
    replayed.tell(desk, "replayed", false)
}

/// One.
pub(super) async fn one(
    desk: &Desk<'_>,
    integration: &str,
    delivery: &str,
    wait: bool,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let path = ["deliveries", "dead", delivery, "replay"];
    // Once it was replayed and drained too, it is not to be found.
    let sweep = Sweep { place: &place, path: &path, body: Map::new(), repeatable: false };
    let replayed =
        sweep.carry_out(desk, Swept { deliveries: 1, ..Swept::default() }, "parking again").await?;
    if wait {
        drained(desk, &place).await?;
    }
    replayed.tell(desk, "replayed", false)
}

/// Waits until nothing is parked; nothing will move while it is paused or disabled, and that is told at once.
async fn drained(desk: &Desk<'_>, place: &Place) -> Result<(), Fault> {
    let mut drawn: Option<(ProgressBar, i64)> = None;
    let outcome = loop {
        let status = match desk.api.call(&Ask::get(place.path(&["status"]))).await {
            Ok(status) => status,
            Err(fault) => break Err(fault),
        };
        let parked = number(&status, "/backlog/deliveries").unwrap_or_default();
        if parked == 0 {
            tell_rest(desk, &status);
            break Ok(());
        }
        let (bar, most) = drawn.get_or_insert_with(|| (bar(desk, parked, "draining"), parked));
        if parked > *most {
            *most = parked;
            bar.set_length(u64::try_from(parked).unwrap_or_default());
        }
        bar.set_position(u64::try_from(*most - parked).unwrap_or_default());
        let state = text(&status, "/state");
        if matches!(state, "paused" | "disabled" | "deleted") {
            let told = format!("{} is {state}: {parked} deliveries stay parked", place.name);
            break Err(Fault::Failed(told));
        }
        surroundings::wait(LOOK).await;
    };
    if let Some((bar, _)) = drawn {
        bar.finish_and_clear();
    }
    outcome
}

/// Nothing is parked; but not all that was taken up need have been delivered.
fn tell_rest(desk: &Desk<'_>, status: &Value) {
    let told = |count: i64, what: &str| {
        (count > 0).then(|| format!("{} {what}", counted(count, "event", "events")))
    };
    let rest: Vec<_> = [
        told(left(status, "scheduled"), "failed again and will be tried again"),
        told(left(status, "dead"), "dead"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rest = if rest.is_empty() { "nothing waits".to_owned() } else { rest.join(", ") };
    desk.screen.note(&format!("nothing is parked any more; {rest}"));
}
