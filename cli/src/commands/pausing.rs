//! `flagpost pause` and `flagpost resume`

use serde_json::{Map, json};

use super::{Desk, status, sweep::Sweep};
use crate::{api::Ask, arguments::Start, fault::Fault, surroundings};

pub(super) async fn pause(
    desk: &Desk<'_>,
    integration: &str,
    reason: Option<&str>,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let body = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let status = desk.api.answer(&Ask::post(place.path(&["pause"]), &body)).await?;
    status::tell(desk, &place, &status)
}

pub(super) async fn resume(
    desk: &Desk<'_>,
    integration: &str,
    from: Start,
    dry_run: bool,
    yes: bool,
) -> Result<(), Fault> {
    if from == Start::Backlog {
        if dry_run {
            return Err(Fault::Usage(
                "--dry-run goes with --from now: nothing is dropped otherwise".to_owned(),
            ));
        }
        let place = desk.find(integration).await?;
        let status = desk.api.answer(&Ask::post(place.path(&["resume"]), &json!({}))).await?;
        return status::tell(desk, &place, &status);
    }
    let place = desk.find(integration).await?;
    let body = Map::from_iter([("from".to_owned(), json!("now"))]);
    // Sent again after it was done, it would be refused as not paused, as if nothing had been dropped.
    let sweep = Sweep { place: &place, path: &["resume"], body, repeatable: false, bounded: false };
    let count = sweep.count(desk).await?;
    if dry_run {
        return count.tell(desk, "it would drop", true);
    }
    confirm(desk, yes, &format!("Drop {} of {} for good, and resume?", count.words(), place.name))?;
    let dropped = sweep.carry_out(desk, count, "dropping").await?;
    dropped.tell(desk, "resumed; dropped", false)
}

/// Goes on only with a yes.
pub(super) fn confirm(desk: &Desk<'_>, yes: bool, question: &str) -> Result<(), Fault> {
    if yes {
        return Ok(());
    }
    if !surroundings::can_ask() {
        return Err(Fault::Usage("there is nobody to ask: say --yes if this is meant".to_owned()));
    }
    if desk.screen.ask(question) {
        Ok(())
    } else {
        Err(Fault::Failed("nothing was done".to_owned()))
    }
}
