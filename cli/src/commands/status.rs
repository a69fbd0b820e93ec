//! `flagpost status`

use std::fmt::Write;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{Desk, flag, items, number, text};
use crate::{
    api::{Answer, Ask},
    fault::Fault,
    moment,
    place::{self, Place},
    screen::{counted, grouped},
};

/// How many are asked about at a time.
const AT_A_TIME: usize = 8;
/// How many hours of the ledger are shown.
const HOURS: usize = 8;

/// In a line each of all integrations of the project.
pub(super) async fn all(desk: &Desk<'_>) -> Result<(), Fault> {
    let project = desk.project().await?;
    let list = place::integrations(desk.api, &project).await?;
    let found: Vec<(Place, Answer)> = stream::iter(list.values())
        .map(|one| Place {
            project: project.clone(),
            id: text(one, "/id").to_owned(),
            name: text(one, "/name").to_owned(),
        })
        .map(|place| async {
            match desk.api.answer(&Ask::get(place.path(&["status"]))).await {
                Ok(status) => Ok(Some((place, status))),
                Err(Fault::Refused { status: 404, .. }) => {
                    desk.screen.note(&format!("{} was deleted meanwhile", place.name));
                    Ok(None)
                }
                Err(fault) => Err(fault),
            }
        })
        .buffered(AT_A_TIME)
        .try_filter_map(async |found| Ok::<_, Fault>(found))
        .try_collect()
        .await?;
    if desk.screen.json() {
        let all: Vec<_> = found
            .iter()
            .map(|(place, status)| {
                let status = serde_json::from_str(&status.text)
                    .map_err(|error| Fault::Failed(format!("the answer is not JSON: {error}")))?;
                Ok(Summary { id: &place.id, name: &place.name, status })
            })
            .collect::<Result<_, Fault>>()?;
        return desk.screen.document(&Summaries { integrations: all });
    }
    let found = found
        .into_iter()
        .map(|(place, status)| Ok((place, status.value()?)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let rows: Vec<_> = found
        .iter()
        .map(|(place, status)| {
            let count = |pointer| grouped(number(status, pointer).unwrap_or_default());
            vec![
                place.name.clone(),
                text(status, "/state").to_owned(),
                count("/backlog/deliveries"),
                count("/backlog/events"),
                grouped(left(status, "dead")),
                count("/ledger/total/delivered"),
                why(status, desk.now),
            ]
        })
        .collect();
    let headings = ["NAME", "STATE", "PARKED", "EVENTS", "DEAD", "DELIVERED", "WHY"];
    desk.screen.table(&headings, &rows)
}

#[derive(Serialize)]
struct Summaries<'a> {
    integrations: Vec<Summary<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    id: &'a str,
    name: &'a str,
    /// As it came.
    status: &'a RawValue,
}

/// Everything about one.
pub(super) async fn one(desk: &Desk<'_>, integration: &str) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let status = desk.api.answer(&Ask::get(place.path(&["status"]))).await?;
    tell(desk, &place, &status)
}

/// A status as it came, or in words.
pub(super) fn tell(desk: &Desk<'_>, place: &Place, status: &Answer) -> Result<(), Fault> {
    if desk.screen.json() {
        return desk.screen.payload(status.text.trim_end());
    }
    let status = status.value()?;
    desk.screen.text(&words(place, &status, desk.now))?;
    let hours: Vec<_> = items(status.get("ledger").unwrap_or(&Value::Null), "hours")
        .iter()
        .rev()
        .take(HOURS)
        .collect();
    if hours.is_empty() {
        return Ok(());
    }
    let counters =
        ["matched", "delivered", "scheduled", "parked", "dead", "filtered", "expired", "discarded"];
    let rows: Vec<_> = hours
        .iter()
        .rev()
        .map(|hour| {
            let counts = counters
                .iter()
                .map(|name| grouped(number(hour, &format!("/{name}")).unwrap_or_default()));
            [text(hour, "/hour").to_owned()].into_iter().chain(counts).collect()
        })
        .collect();
    let headings: Vec<_> =
        ["HOUR".to_owned()].into_iter().chain(counters.map(str::to_uppercase)).collect();
    desk.screen.text("")?;
    desk.screen.table(&headings.iter().map(String::as_str).collect::<Vec<_>>(), &rows)
}

fn words(place: &Place, status: &Value, now: i64) -> String {
    let mut told = format!("{}: {}", place.name, text(status, "/state"));
    let why = why(status, now);
    if !why.is_empty() {
        let _ = write!(told, ", {why}");
    }
    let soon = |at: i64| {
        if at > now { format!("in {}", moment::stretch(at - now)) } else { "now".to_owned() }
    };
    if let Some(at) = number(status, "/next_probe_at") {
        let _ = write!(told, "\nnext probe  {} ({})", moment::shown(at), soon(at));
    }
    if let Some(at) = number(status, "/next_wake_at") {
        let _ = write!(told, "\nnext look   {} ({})", moment::shown(at), soon(at));
    }
    let count = |name: &str| number(status, &format!("/ledger/total/{name}")).unwrap_or_default();
    let _ = write!(
        told,
        "\nbacklog     {}{}, {}",
        if flag(status, "/backlog/at_least") { "at least " } else { "" },
        counted(
            number(status, "/backlog/deliveries").unwrap_or_default(),
            "delivery",
            "deliveries"
        ),
        counted(number(status, "/backlog/events").unwrap_or_default(), "event", "events"),
    );
    let _ = write!(
        told,
        "\nledger      matched {} = delivered {} + scheduled {} + parked {} + dead {} + expired {} + discarded {}",
        grouped(count("matched")),
        grouped(count("delivered")),
        grouped(left(status, "scheduled")),
        grouped(left(status, "parked")),
        grouped(left(status, "dead")),
        grouped(count("expired")),
        grouped(count("discarded")),
    );
    let balance = if flag(status, "/ledger/balances") {
        "balances"
    } else {
        "does not balance at this moment"
    };
    let _ = write!(told, "\n            {balance}; filtered {}", grouped(count("filtered")));
    told
}

/// What is in a place of the ledger now: what came in, less what left it.
pub(super) fn left(status: &Value, place: &str) -> i64 {
    let count = |name: &str| number(status, &format!("/ledger/total/{name}")).unwrap_or_default();
    count(place) - count(&format!("un{place}"))
}

/// Why it is not well, and since when.
fn why(status: &Value, now: i64) -> String {
    let since = |at: Option<i64>| {
        at.map_or_else(String::new, |at| format!(" for {}", moment::stretch(now - at)))
    };
    match text(status, "/state") {
        "paused" => {
            format!("{}{}", text(status, "/pause/reason"), since(number(status, "/pause/at")))
        }
        "open" => {
            let cause = text(status, "/breaker/cause").replace('_', " ");
            format!("{cause}{}", since(number(status, "/breaker/since")))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_237_260_000;

    fn open() -> Value {
        json!({
            "state": "open",
            "breaker": {"open": true, "since": NOW - 60_000, "until": NOW + 30_000, "cause": "failure_rate"},
            "pause": null, "next_probe_at": NOW + 30_000, "next_wake_at": NOW - 1,
            "backlog": {"deliveries": 12, "events": 5400, "at_least": true},
            "ledger": {"hours": [], "balances": true, "total": {
                "matched": 9010, "delivered": 3600, "scheduled": 30, "unscheduled": 20, "parked": 5500, "unparked": 100,
                "dead": 7, "undead": 7, "filtered": 3, "expired": 0, "discarded": 0,
            }},
        })
    }

    #[test]
    fn a_status_is_told_in_words() {
        let place = Place { project: "shop".into(), id: "i".into(), name: "Warehouse".into() };
        assert_eq!(
            words(&place, &open(), NOW),
            "Warehouse: open, failure rate for 1 min\n\
             next probe  2026-11-21 05:01:30Z (in 30 s)\n\
             next look   2026-11-21 05:00:59Z (now)\n\
             backlog     at least 12 deliveries, 5,400 events\n\
             ledger      matched 9,010 = delivered 3,600 + scheduled 10 + parked 5,400 + dead 0 + expired 0 + discarded 0\n            \
             balances; filtered 3"
        );
    }

    #[test]
    fn a_pause_has_its_reason() {
        let mut status = open();
        status["state"] = "paused".into();
        status["pause"] = json!({"at": NOW - 7_200_000, "reason": "moving"});
        assert_eq!(why(&status, NOW), "moving for 2 h");
        status["state"] = "well".into();
        assert_eq!(why(&status, NOW), "");
    }
}
