//! `flagpost status INTEGRATION`

use std::fmt::Write;

use serde_json::Value;

use super::{Desk, flag, items, number, text};
use crate::{
    api::{Answer, Ask},
    fault::Fault,
    moment,
    place::Place,
    screen::{counted, grouped},
};

/// How many hours of the ledger are shown.
const HOURS: usize = 8;

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
    if let Some(age) = age(status, now) {
        let _ = write!(told, ", the oldest for {age}");
    }
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

/// For how long the oldest of its backlog has been parked.
pub(super) fn age(status: &Value, now: i64) -> Option<String> {
    number(status, "/backlog/oldest_at").map(|oldest| moment::stretch(now - oldest))
}

/// Why it is not well, and since when.
pub(super) fn why(status: &Value, now: i64) -> String {
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
            "backlog": {"deliveries": 12, "events": 5400, "at_least": true, "oldest_at": NOW - 7_500_000},
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
             backlog     at least 12 deliveries, 5,400 events, the oldest for 2 h 5 min\n\
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
