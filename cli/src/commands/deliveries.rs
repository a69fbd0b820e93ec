//! `flagpost deliveries`

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Desk, number, text};
use crate::{
    api::{Ask, in_a_line},
    arguments::{DeliveryState, Part, Period},
    fault::Fault,
    moment,
    screen::{counted, grouped},
};

pub(super) async fn list(
    desk: &Desk<'_>,
    integration: &str,
    state: DeliveryState,
    period: Period,
    part: &Part,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let ask = Ask::get(place.path(&["deliveries"]))
        .with("state", Some(state.name()))
        .with("from", period.from.map(|from| from.at(desk.now)))
        .with("to", period.to.map(|to| to.at(desk.now)));
    let list = desk.api.list(ask, "deliveries", part.limit(), part.cursor.as_deref()).await?;
    if desk.screen.json() {
        return desk.screen.document(&list);
    }
    let rows: Vec<_> = list
        .values()
        .map(|one| {
            vec![
                number(one, "/at").map(moment::shown).unwrap_or_default(),
                text(one, "/state").to_owned(),
                number(one, "/events").map(grouped).unwrap_or_default(),
                text(one, "/id").to_owned(),
            ]
        })
        .collect();
    desk.screen.table(&["LAID ASIDE", "STATE", "EVENTS", "ID"], &rows)?;
    desk.tell_more(&list);
    Ok(())
}

pub(super) async fn show(
    desk: &Desk<'_>,
    integration: &str,
    state: DeliveryState,
    delivery: &str,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let answer =
        desk.api.answer(&Ask::get(place.path(&["deliveries", state.name(), delivery]))).await?;
    if desk.screen.json() {
        return desk.screen.payload(answer.text.trim_end());
    }
    let one: Whole<'_> = serde_json::from_str(&answer.text)
        .map_err(|error| Fault::Failed(format!("the answer is not a delivery: {error}")))?;
    desk.screen.note(&format!(
        "{} {}, laid aside {}, {}",
        one.state,
        one.delivery,
        moment::shown(one.at),
        counted(one.events, "event", "events")
    ));
    // Events are stored as they were sent, some over several lines.
    one.payload.iter().try_for_each(|event| desk.screen.payload(&in_a_line(event)))
}

/// A delivery with its events as they are stored: no number and no order of keys is touched.
#[derive(Deserialize)]
struct Whole<'a> {
    state: String,
    delivery: String,
    at: i64,
    events: i64,
    #[serde(borrow)]
    payload: Vec<&'a RawValue>,
}
