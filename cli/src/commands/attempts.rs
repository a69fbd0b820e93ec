//! `flagpost attempts` and `flagpost tail`

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{Desk, items, number, text};
use crate::{
    api::Ask,
    arguments::{Outcome, Period},
    fault::Fault,
    moment::{self, Moment},
    place::Place,
    screen::grouped,
    surroundings,
};

/// How late a record can come after its attempt, in milliseconds: they are written at the end of an invocation, and the
/// longest lasts two minutes.
const LATE: i64 = 150_000;

const HEADINGS: [&str; 11] = [
    "AT", "DELIVERY", "FROM", "OUTCOME", "STATUS", "MS", "EVENTS", "SENT", "BYTES", "THEN",
    "ANSWER",
];
/// As wide as [`HEADINGS`] come out when lines are written one by one; the last has no end.
const WIDTHS: [usize; 10] = [20, 32, 5, 10, 6, 6, 6, 6, 8, 30];
/// How many characters of an answer fit beside an attempt.
const ANSWER: usize = 60;

pub(super) struct Asked {
    pub(super) period: Period,
    pub(super) outcome: Option<Outcome>,
    pub(super) answers: bool,
}

pub(super) struct Tail {
    pub(super) from: Option<Moment>,
    pub(super) outcome: Option<Outcome>,
    /// Seconds.
    pub(super) every: u64,
    pub(super) answers: bool,
}

pub(super) async fn list(
    desk: &Desk<'_>,
    integration: &str,
    asked: Asked,
    limit: u32,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let at = |moment: Option<Moment>| moment.map(|moment| moment.at(desk.now));
    let ask = ask(&place, at(asked.period.from), at(asked.period.to), asked.outcome);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let list = desk.api.list(ask, "attempts", limit).await?;
    if desk.screen.json() {
        return desk.screen.document(&list);
    }
    let attempts = items(&list, "attempts");
    if asked.answers {
        for attempt in attempts {
            tell(desk, attempt, true)?;
        }
    } else {
        desk.screen.table(
            &HEADINGS,
            &attempts.iter().map(|attempt| row(attempt).to_vec()).collect::<Vec<_>>(),
        )?;
    }
    if list.get("next").is_some_and(Value::is_string) {
        desk.screen.note("there are more: see --limit, --from and --to");
    }
    Ok(())
}

pub(super) async fn follow(desk: &Desk<'_>, integration: &str, tail: Tail) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let mut seen = Seen::from(tail.from.map_or(desk.now, |from| from.at(desk.now)));
    if !desk.screen.json() {
        desk.screen.note(&line(&HEADINGS.map(str::to_owned)));
    }
    loop {
        let ask = ask(&place, Some(seen.look_from()), None, tail.outcome);
        match desk.api.list(ask, "attempts", usize::MAX).await {
            Ok(list) => {
                for attempt in seen.fresh(items(&list, "attempts")) {
                    if desk.screen.json() {
                        desk.screen.record(attempt)?;
                    } else {
                        tell(desk, attempt, tail.answers)?;
                    }
                }
            }
            // What may be over by the next look does not end it.
            Err(
                fault @ (Fault::Unreachable { .. } | Fault::Refused { status: 429 | 500.., .. }),
            ) => {
                desk.screen.note(&format!("flagpost: {fault}; trying again"));
            }
            Err(fault) => return Err(fault),
        }
        surroundings::wait(Duration::from_secs(tail.every)).await;
    }
}

/// Which attempts were shown already.
struct Seen {
    start: i64,
    newest: i64,
    /// When each of the recent ones was, by its id.
    ids: BTreeMap<String, i64>,
}

impl Seen {
    fn from(start: i64) -> Self {
        Self { start, newest: start, ids: BTreeMap::new() }
    }

    /// From when on there may be some that were not shown.
    fn look_from(&self) -> i64 {
        self.start.max(self.newest.saturating_sub(LATE))
    }

    /// Those that were not shown yet, oldest first.
    fn fresh<'a>(&mut self, attempts: &'a [Value]) -> Vec<&'a Value> {
        let asked_from = self.look_from();
        let mut fresh: Vec<_> = attempts
            .iter()
            .filter(|attempt| {
                let at = number(attempt, "/at").unwrap_or_default();
                // Those before were forgotten, and would seem new.
                if at < asked_from {
                    return false;
                }
                self.newest = self.newest.max(at);
                self.ids.insert(text(attempt, "/id").to_owned(), at).is_none()
            })
            .collect();
        let from = self.look_from();
        self.ids.retain(|_, at| *at >= from);
        fresh.sort_by_key(|attempt| number(attempt, "/at"));
        fresh
    }
}

fn ask(place: &Place, from: Option<i64>, to: Option<i64>, outcome: Option<Outcome>) -> Ask {
    Ask::get(place.path(&["attempts"]))
        .with("from", from)
        .with("to", to)
        .with("outcome", outcome.map(Outcome::name))
}

/// One attempt in a line, and the answer below it if that is wanted.
fn tell(desk: &Desk<'_>, attempt: &Value, answers: bool) -> Result<(), Fault> {
    let mut row = row(attempt);
    if answers && let Some(short) = row.last_mut() {
        short.clear();
    }
    desk.screen.text(&line(&row))?;
    let full = full(attempt);
    if answers && !full.is_empty() {
        desk.screen.text(&format!("    {}", full.replace('\n', "\n    ")))?;
    }
    Ok(())
}

/// Cells in columns that are as wide in every line.
fn line(row: &[String; 11]) -> String {
    let mut line = String::new();
    for (place, cell) in row.iter().enumerate() {
        let cell = cell.replace(['\n', '\t'], " ");
        match WIDTHS.get(place) {
            Some(width) => line.extend([format!("{cell:<width$}  ")]),
            None => line.push_str(&cell),
        }
    }
    line.trim_end().to_owned()
}

fn row(attempt: &Value) -> [String; 11] {
    let count = |pointer| number(attempt, pointer).map(grouped).unwrap_or_default();
    let then = match (text(attempt, "/then"), number(attempt, "/next_at")) {
        (then, Some(at)) => format!("{then} {}", moment::shown(at)),
        (then, None) => then.to_owned(),
    };
    let delivered = text(attempt, "/outcome") == "delivered";
    [
        number(attempt, "/at").map(moment::shown).unwrap_or_default(),
        text(attempt, "/delivery").to_owned(),
        text(attempt, "/from").to_owned(),
        text(attempt, "/outcome").to_owned(),
        number(attempt, "/status").map(|status| status.to_string()).unwrap_or_default(),
        count("/duration_ms"),
        count("/events"),
        count("/delivered"),
        count("/bytes_sent"),
        then,
        if delivered { String::new() } else { full(attempt).chars().take(ANSWER).collect() },
    ]
}

/// What went wrong and what the endpoint said.
fn full(attempt: &Value) -> String {
    let (error, answer) = (text(attempt, "/error"), text(attempt, "/answer"));
    [error, answer].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempt(id: &str, at: i64) -> Value {
        json!({"id": id, "at": at})
    }

    fn ids(attempts: &[&Value]) -> Vec<String> {
        attempts.iter().map(|attempt| text(attempt, "/id").to_owned()).collect()
    }

    #[test]
    fn each_attempt_is_shown_once_and_late_ones_too() {
        let start = 1_000_000;
        let mut seen = Seen::from(start);
        assert_eq!(seen.look_from(), start);
        let newest_first = [attempt("c", start + 500_000), attempt("a", start + 10)];
        assert_eq!(ids(&seen.fresh(&newest_first)), ["a", "c"]);
        assert_eq!(seen.look_from(), start + 500_000 - LATE);
        // `b` was written late; `c` is listed again.
        let again = [attempt("c", start + 500_000), attempt("b", start + 400_000)];
        assert_eq!(ids(&seen.fresh(&again)), ["b"]);
        assert!(seen.fresh(&again).is_empty());
        assert!(seen.fresh(&newest_first).is_empty(), "nor is what was not asked for");
        assert!(!seen.ids.contains_key("a"), "what cannot be listed again is forgotten");
    }

    #[test]
    fn what_the_endpoint_said_stands_beside_what_failed() {
        let failed = json!({"outcome": "failed", "status": 500, "answer": "Out of\nmemory", "error": "", "then": "scheduled",
            "next_at": 1_795_237_200_000_i64, "duration_ms": 1200});
        let row = row(&failed);
        assert_eq!(row[4..6], ["500", "1,200"]);
        assert_eq!(row[9..], ["scheduled 2026-11-21 05:00:00Z", "Out of\nmemory"]);
        assert_eq!(super::row(&json!({"outcome": "delivered", "answer": "thanks"}))[10], "");
        assert_eq!(full(&json!({"error": "connect", "answer": "x"})), "connect: x");
    }
}
