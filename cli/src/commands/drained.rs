//! Waiting for what was replayed to be drained.

use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::Value;

use super::{Desk, number, status::left, sweep::bar, text};
use crate::{
    api::{Ask, PAGE},
    fault::Fault,
    moment,
    place::Place,
    screen::counted,
    surroundings,
};

/// Between two looks at a backlog that drains.
const LOOK: Duration = Duration::from_secs(2);
/// After so many milliseconds in which nothing moved, it is told how things stand.
const STILL: i64 = 60_000;

/// What is waited for: what was laid aside in this time, or one delivery of it. What comes in later is no part of it, so
/// that there is an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    from: Option<i64>,
    to: i64,
    /// How the ids begin.
    begin: String,
}

impl Wanted {
    pub(super) fn within(from: Option<i64>, to: i64) -> Self {
        Self { from, to, begin: String::new() }
    }

    /// One, by its id: `{when it was laid aside}-{delivery}-{events}`. It keeps that when it is parked again.
    pub(super) fn one(id: &str, now: i64) -> Self {
        let at = id.split('-').next().and_then(|at| at.parse::<i64>().ok());
        let begin = id.rsplit_once('-').map_or(id, |(begin, _)| begin).to_owned();
        match at {
            Some(at) => Self { from: Some(at), to: at.saturating_add(1), begin },
            None => Self { from: None, to: now, begin },
        }
    }
}

/// How things stand.
struct Look {
    /// How many of them are parked, as far as it is known.
    left: i64,
    /// The oldest of them.
    oldest: String,
    status: Value,
}

/// Waits until none of them is parked; nothing will move while it is paused or disabled, and that is told at once.
pub(super) async fn drained(
    desk: &Desk<'_>,
    place: &Place,
    wanted: &Wanted,
    timeout: Option<Duration>,
) -> Result<(), Fault> {
    let mut drawn: Option<(ProgressBar, i64)> = None;
    let outcome = until_drained(desk, place, wanted, timeout, &mut drawn).await;
    if let Some((bar, _)) = drawn {
        bar.finish_and_clear();
    }
    tell_rest(desk, &outcome?);
    Ok(())
}

async fn until_drained(
    desk: &Desk<'_>,
    place: &Place,
    wanted: &Wanted,
    timeout: Option<Duration>,
    drawn: &mut Option<(ProgressBar, i64)>,
) -> Result<Value, Fault> {
    let began = surroundings::now();
    let mut stands = None;
    let mut still = Still::default();
    loop {
        match look(desk, place, wanted).await {
            Ok(look) if look.left == 0 => return Ok(look.status),
            Ok(look) => {
                let state = text(&look.status, "/state");
                let told = format!("{} is {state}", place.name);
                let parked = parked(look.left);
                if matches!(state, "paused" | "disabled" | "deleted") {
                    return Err(Fault::Failed(format!("{told}: {parked}")));
                }
                draw(desk, drawn, look.left);
                let now = surroundings::now();
                if let Some(since) = still.since(now, (look.left, look.oldest)) {
                    let since = moment::stretch(since);
                    let next = next(&look.status, now);
                    let told = format!("nothing moved for {since}: {told}, {parked}{next}");
                    note(desk, drawn.as_ref(), &told);
                }
                stands = Some(format!("{told}, {parked}"));
            }
            // What may be over by the next look does not end it.
            Err(fault) if fault.may_pass() => {
                note(desk, drawn.as_ref(), &format!("flagpost: {fault}; trying again"));
            }
            Err(fault) => return Err(fault),
        }
        let waited = surroundings::now() - began;
        let left = timeout.map(|timeout| {
            timeout.saturating_sub(Duration::from_millis(u64::try_from(waited).unwrap_or_default()))
        });
        if left.is_some_and(|left| left.is_zero()) {
            let stands = stands.unwrap_or_else(|| "it could not be seen how it stands".to_owned());
            let waited = moment::stretch(waited);
            return Err(Fault::Failed(format!("not drained in {waited}: {stands}")));
        }
        surroundings::wait(left.map_or(LOOK, |left| LOOK.min(left))).await;
    }
}

async fn look(desk: &Desk<'_>, place: &Place, wanted: &Wanted) -> Result<Look, Fault> {
    let ask = Ask::get(place.path(&["deliveries"]))
        .with("state", Some("parked"))
        .with("from", wanted.from)
        .with("to", Some(wanted.to));
    let list = desk.api.page(&ask, "deliveries", PAGE, None).await?;
    let status = desk.api.call(&Ask::get(place.path(&["status"]))).await?;
    let mut ids =
        list.values().map(|one| text(one, "/id")).filter(|id| id.starts_with(&wanted.begin));
    let oldest = ids.next().unwrap_or_default().to_owned();
    let mut left = i64::try_from(ids.count()).unwrap_or(i64::MAX) + i64::from(!oldest.is_empty());
    if list.next.is_some() {
        // More than are worth listing every time: with those that came in since.
        left = left.max(number(&status, "/backlog/deliveries").unwrap_or_default());
    }
    Ok(Look { left, oldest, status })
}

/// Since when nothing has moved.
#[derive(Default)]
struct Still {
    seen: Option<(i64, String)>,
    since: i64,
    told: i64,
}

impl Still {
    /// For how long, each time that it is worth telling.
    fn since(&mut self, now: i64, seen: (i64, String)) -> Option<i64> {
        if self.seen.as_ref() != Some(&seen) {
            *self = Self { seen: Some(seen), since: now, told: now };
            return None;
        }
        if now - self.told < STILL {
            return None;
        }
        self.told = now;
        Some(now - self.since)
    }
}

/// Tells something without the bar in its line.
fn note(desk: &Desk<'_>, drawn: Option<&(ProgressBar, i64)>, text: &str) {
    match drawn {
        Some((bar, _)) => bar.suspend(|| desk.screen.note(text)),
        None => desk.screen.note(text),
    }
}

fn draw(desk: &Desk<'_>, drawn: &mut Option<(ProgressBar, i64)>, left: i64) {
    let (bar, most) = drawn.get_or_insert_with(|| (bar(desk, left, "draining"), left));
    if left > *most {
        *most = left;
        bar.set_length(u64::try_from(left).unwrap_or_default());
    }
    bar.set_position(u64::try_from(*most - left).unwrap_or_default());
}

fn parked(left: i64) -> String {
    counted(left, "delivery stays parked", "deliveries stay parked")
}

/// When something is tried next.
fn next(status: &Value, now: i64) -> String {
    let times = [("/next_probe_at", "probe"), ("/next_wake_at", "look")];
    let time = times.into_iter().find_map(|(at, what)| Some((number(status, at)?, what)));
    time.map_or_else(String::new, |(at, what)| {
        let wait = moment::stretch(at - now);
        format!("; next {what} {} (in {wait})", moment::shown(at))
    })
}

/// None of them is parked; but not all that was taken up need have been delivered.
fn tell_rest(desk: &Desk<'_>, status: &Value) {
    let newer = number(status, "/backlog/deliveries").unwrap_or_default();
    let what = if newer == 0 {
        "nothing is parked any more".to_owned()
    } else {
        let newer = counted(newer, "other delivery is", "other deliveries are");
        format!("nothing of it is parked any more ({newer})")
    };
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
    desk.screen.note(&format!("{what}; {rest}"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_delivery_is_known_by_when_it_was_laid_aside_and_its_name() {
        let wanted = Wanted::one("1795237200000-01a1fd2a.a-12", 7);
        let begin = "1795237200000-01a1fd2a.a".to_owned();
        let from = Some(1_795_237_200_000);
        assert_eq!(wanted, Wanted { from, to: 1_795_237_200_001, begin });
        assert_eq!(Wanted::one("x", 7), Wanted { from: None, to: 7, begin: "x".to_owned() });
    }

    #[test]
    fn a_standstill_is_told_once_a_minute_until_something_moves() {
        let mut still = Still::default();
        let seen = |left: i64, oldest: &str| (left, oldest.to_owned());
        assert_eq!(still.since(1_000, seen(5, "a")), None);
        assert_eq!(still.since(60_999, seen(5, "a")), None);
        assert_eq!(still.since(61_000, seen(5, "a")), Some(60_000));
        assert_eq!(still.since(63_000, seen(5, "a")), None);
        assert_eq!(still.since(121_000, seen(5, "a")), Some(120_000));
        assert_eq!(still.since(123_000, seen(5, "b")), None, "another is the oldest");
        assert_eq!(still.since(182_999, seen(5, "b")), None);
        assert_eq!(still.since(183_000, seen(5, "b")), Some(60_000));
    }

    #[test]
    fn what_is_tried_next_is_told_with_its_time() {
        let now = 1_795_237_200_000_i64;
        let open = json!({"next_probe_at": now + 30_000, "next_wake_at": now + 1});
        assert_eq!(next(&open, now), "; next probe 2026-11-21 05:00:30Z (in 30 s)");
        let slow = json!({"next_probe_at": null, "next_wake_at": now + 5_000});
        assert_eq!(next(&slow, now), "; next look 2026-11-21 05:00:05Z (in 5 s)");
        assert_eq!(next(&json!({}), now), "");
    }
}
