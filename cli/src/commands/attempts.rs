//! `flagpost attempts`, and how an attempt is shown

use serde_json::Value;

use super::{Desk, number, text};
use crate::{
    api::Ask,
    arguments::{Outcome, Part, Period},
    fault::Fault,
    moment,
    place::Place,
    screen::grouped,
};

pub(super) const HEADINGS: [&str; 11] = [
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

pub(super) async fn list(
    desk: &Desk<'_>,
    integration: &str,
    asked: Asked,
    part: &Part,
) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let at = |moment: Option<moment::Moment>| moment.map(|moment| moment.at(desk.now));
    let ask = ask(&place, at(asked.period.from), at(asked.period.to), asked.outcome);
    let list = desk.api.list(ask, "attempts", part.limit(), part.cursor.as_deref()).await?;
    if desk.screen.json() {
        return desk.screen.document(&list);
    }
    if asked.answers {
        for attempt in list.values() {
            tell(desk, attempt, true)?;
        }
    } else {
        let rows: Vec<_> = list.values().map(|attempt| row(attempt).to_vec()).collect();
        desk.screen.table(&HEADINGS, &rows)?;
    }
    desk.tell_more(&list);
    Ok(())
}

pub(super) fn ask(
    place: &Place,
    from: Option<i64>,
    to: Option<i64>,
    outcome: Option<Outcome>,
) -> Ask {
    Ask::get(place.path(&["attempts"]))
        .with("from", from)
        .with("to", to)
        .with("outcome", outcome.map(Outcome::name))
}

/// One attempt in a line, and the answer below it if that is wanted.
pub(super) fn tell(desk: &Desk<'_>, attempt: &Value, answers: bool) -> Result<(), Fault> {
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
pub(super) fn line(row: &[String; 11]) -> String {
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
