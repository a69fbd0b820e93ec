//! `flagpost purge`

use serde_json::json;

use super::{
    Desk,
    pausing::confirm,
    sweep::{Sweep, within},
};
use crate::{
    arguments::{DeliveryState, Period},
    fault::Fault,
};

pub(super) async fn run(
    desk: &Desk<'_>,
    integration: &str,
    state: DeliveryState,
    period: Period,
    dry_run: bool,
    yes: bool,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let mut body = within(period, desk.now);
    body.insert("state".to_owned(), json!(state.name()));
    let path = ["deliveries", "purge"];
    let sweep = Sweep { place: &place, path: &path, body, repeatable: true, bounded: true };
    let count = sweep.count(desk).await?;
    if dry_run {
        return count.tell(desk, "it would purge", true);
    }
    if count.deliveries > 0 {
        let question =
            format!("Delete {} {} of {} for good?", state.name(), count.words(), place.name);
        confirm(desk, yes, &question)?;
    }
    let purged = sweep.carry_out(desk, count, "deleting").await?;
    purged.tell(desk, "purged", false)
}
