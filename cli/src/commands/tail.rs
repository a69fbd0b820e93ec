//! `flagpost tail`

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    Desk,
    attempts::{HEADINGS, ask, line, tell},
    number, text,
};
use crate::{
    api::{Item, List, PAGE},
    arguments::Outcome,
    fault::Fault,
    moment::Moment,
    place::Place,
    surroundings,
};

/// How late a record can come after its attempt, in milliseconds: they are written at the end of an invocation, and the
/// longest lasts two minutes.
const LATE: i64 = 150_000;
/// How far back a look for one outcome goes between the full ones, in milliseconds. What stands between those of that
/// outcome is read by the server each time.
const NEAR: i64 = 10_000;
/// Seconds between full looks, for records that come late.
const FULL: u64 = 30;

pub(super) struct Tail {
    pub(super) from: Option<Moment>,
    pub(super) outcome: Option<Outcome>,
    /// Seconds.
    pub(super) every: u64,
    pub(super) answers: bool,
}

/// Shows attempts as they are made. The first look must succeed; what goes wrong later may pass.
pub(super) async fn follow(desk: &Desk<'_>, integration: &str, tail: Tail) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let mut seen = Seen::from(start(desk, &place, tail.from).await?);
    if !desk.screen.json() {
        desk.screen.note(&line(&HEADINGS.map(str::to_owned)));
    }
    let full = FULL.div_ceil(tail.every);
    for looked in 0_u64.. {
        match look(desk, &place, tail.outcome, &seen, looked % full == 0).await {
            Ok((attempts, date)) => {
                for attempt in seen.fresh(&attempts, date) {
                    if desk.screen.json() {
                        desk.screen.payload(&attempt.line())?;
                    } else {
                        tell(desk, &attempt.value, tail.answers)?;
                    }
                }
            }
            Err(fault) if looked > 0 && fault.may_pass() => {
                desk.screen.note(&format!("flagpost: {fault}; trying again"));
            }
            Err(fault) => return Err(fault),
        }
        surroundings::wait_while_read(Duration::from_secs(tail.every)).await?;
    }
    Ok(())
}

/// From when on, by the server's clock: the attempts have their times from there, and the clock here may be another.
async fn start(desk: &Desk<'_>, place: &Place, from: Option<Moment>) -> Result<i64, Fault> {
    if let Some(Moment::At(at)) = from {
        return Ok(at);
    }
    let ask = ask(place, None, None, None);
    let newest = desk.api.page(&ask, "attempts", 1, None).await?;
    Ok(match from {
        Some(from) => from.at(newest.date.unwrap_or(desk.now)),
        None => newest.date.unwrap_or_else(|| behind(&newest)),
    })
}

/// Behind everything that a list has.
fn behind(list: &List) -> i64 {
    let newest = list.values().filter_map(|attempt| number(attempt, "/at")).max();
    newest.map_or(0, |at| at.saturating_add(1))
}

/// What there is, newest first, and when that was by the server's clock. Between full looks it ends with a page that
/// leads to what is known.
async fn look(
    desk: &Desk<'_>,
    place: &Place,
    outcome: Option<Outcome>,
    seen: &Seen,
    full: bool,
) -> Result<(Vec<Item>, Option<i64>), Fault> {
    let near = !full && outcome.is_some();
    let from = if near { seen.near() } else { seen.look_from() };
    let ask = ask(place, Some(from), None, outcome);
    let mut page = desk.api.page(&ask, "attempts", PAGE, None).await?;
    let date = page.date;
    let mut found = Vec::new();
    loop {
        let known = page.items.last().is_some_and(|last| seen.knows(&last.value));
        found.append(&mut page.items);
        let Some(cursor) = page.next.filter(|_| full || !known) else {
            return Ok((found, date));
        };
        page = desk.api.page(&ask, "attempts", PAGE, Some(&cursor)).await?;
        page.next = page.next.filter(|next| *next != cursor);
    }
}

/// Which attempts were shown already.
struct Seen {
    start: i64,
    newest: i64,
    /// The server's clock at the last look.
    clock: i64,
    /// When each of the recent ones was, by its id.
    ids: BTreeMap<String, i64>,
}

impl Seen {
    fn from(start: i64) -> Self {
        Self { start, newest: start, clock: start, ids: BTreeMap::new() }
    }

    /// From when on there may be some that were not shown.
    fn look_from(&self) -> i64 {
        self.start.max(self.newest.saturating_sub(LATE))
    }

    /// From when on there are most of them.
    fn near(&self) -> i64 {
        self.look_from().max(self.clock.saturating_sub(NEAR))
    }

    fn knows(&self, attempt: &Value) -> bool {
        self.ids.contains_key(text(attempt, "/id"))
    }

    /// Those that were not shown yet, oldest first.
    fn fresh<'a>(&mut self, attempts: &'a [Item], date: Option<i64>) -> Vec<&'a Item> {
        let asked_from = self.look_from();
        let mut fresh: Vec<_> = attempts
            .iter()
            .filter(|attempt| {
                let at = number(&attempt.value, "/at").unwrap_or_default();
                // Those before were forgotten, and would seem new.
                if at < asked_from {
                    return false;
                }
                self.newest = self.newest.max(at);
                self.ids.insert(text(&attempt.value, "/id").to_owned(), at).is_none()
            })
            .collect();
        self.clock = date.unwrap_or(self.newest);
        let from = self.look_from();
        self.ids.retain(|_, at| *at >= from);
        fresh.sort_by_key(|attempt| number(&attempt.value, "/at"));
        fresh
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempt(id: &str, at: i64) -> Item {
        Item::new(json!({"id": id, "at": at}))
    }

    fn ids(attempts: &[&Item]) -> Vec<String> {
        attempts.iter().map(|attempt| text(&attempt.value, "/id").to_owned()).collect()
    }

    #[test]
    fn each_attempt_is_shown_once_and_late_ones_too() {
        let start = 1_000_000;
        let mut seen = Seen::from(start);
        assert_eq!(seen.look_from(), start);
        let newest_first = [attempt("c", start + 500_000), attempt("a", start + 10)];
        assert_eq!(ids(&seen.fresh(&newest_first, None)), ["a", "c"]);
        assert_eq!(seen.look_from(), start + 500_000 - LATE);
        // `b` was written late; `c` is listed again.
        let again = [attempt("c", start + 500_000), attempt("b", start + 400_000)];
        assert_eq!(ids(&seen.fresh(&again, None)), ["b"]);
        assert!(seen.fresh(&again, None).is_empty());
        assert!(seen.fresh(&newest_first, None).is_empty(), "nor is what was not asked for");
        assert!(!seen.ids.contains_key("a"), "what cannot be listed again is forgotten");
    }

    #[test]
    fn a_look_for_one_outcome_goes_back_by_the_servers_clock() {
        let start = 1_000_000;
        let mut seen = Seen::from(start);
        assert_eq!(seen.near(), start);
        seen.fresh(&[attempt("a", start + 20_000)], Some(start + 60_000));
        assert_eq!(seen.near(), start + 50_000);
        seen.fresh(&[attempt("b", start + 80_000)], None);
        assert_eq!(seen.near(), start + 70_000, "or by the newest, where it has none");
    }
}
