//! What replay, purge and resuming from now have in common: a request that does as much as there is time for, and is
//! sent again until all is done.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use super::{Desk, flag, number, text};
use crate::{
    api::Ask, arguments::Period, fault::Fault, place::Place, screen::counted, surroundings,
};

/// After so many answers in a row that got nothing done, it is not going to.
const IN_VAIN: u32 = 10;

/// How much was done, or would be.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) deliveries: i64,
    pub(super) events: i64,
    /// Left alone: of a newer format, or not readable.
    pub(super) skipped: i64,
    /// Only what was laid aside before then, by the server's clock.
    pub(super) to: Option<i64>,
}

/// One such request.
pub(super) struct Sweep<'a> {
    pub(super) place: &'a Place,
    /// Behind the integration.
    pub(super) path: &'a [&'a str],
    pub(super) body: Map<String, Value>,
    /// Whether the request does the same however often it is sent.
    pub(super) repeatable: bool,
    /// Whether it takes a `to`. What was counted first, and confirmed, is then all that is taken, whatever is laid aside
    /// meanwhile.
    pub(super) bounded: bool,
}

impl Sweep<'_> {
    /// Counts, and changes nothing.
    pub(super) async fn count(&self, desk: &Desk<'_>) -> Result<Swept, Fault> {
        let mut body = self.body.clone();
        body.insert("dry_run".to_owned(), json!(true));
        let mut swept = Swept::default();
        loop {
            let answer = self.send(desk, &body).await?;
            swept.add(&answer);
            swept.skipped += number(&answer, "/skipped").unwrap_or_default();
            self.bound(&mut body, swept.to);
            match text(&answer, "/next") {
                next if !next.is_empty() && !flag(&answer, "/done") => {
                    body.insert("cursor".to_owned(), json!(next));
                }
                _ => return Ok(swept),
            }
        }
    }

    /// Does it, all of it that was `counted`, if that was.
    pub(super) async fn carry_out(
        &self,
        desk: &Desk<'_>,
        counted: Swept,
        doing: &'static str,
    ) -> Result<Swept, Fault> {
        let bar = bar(desk, counted.deliveries, doing);
        let mut swept = Swept { to: counted.to, ..Swept::default() };
        let outcome = self.until_done(desk, &bar, &mut swept).await;
        bar.finish_and_clear();
        if outcome.is_err() && swept.deliveries > 0 {
            swept.tell_so_far(desk);
        }
        outcome.map(|()| swept)
    }

    async fn until_done(
        &self,
        desk: &Desk<'_>,
        bar: &ProgressBar,
        swept: &mut Swept,
    ) -> Result<(), Fault> {
        let mut body = self.body.clone();
        let mut in_vain = 0;
        loop {
            self.bound(&mut body, swept.to);
            let answer = self.send(desk, &body).await?;
            let before = swept.deliveries;
            swept.add(&answer);
            // The same request comes to the same ones again, and leaves them alone again.
            swept.skipped = number(&answer, "/skipped").unwrap_or_default();
            bar.set_position(u64::try_from(swept.deliveries).unwrap_or_default());
            if flag(&answer, "/done") {
                return Ok(());
            }
            in_vain = if swept.deliveries == before { in_vain + 1 } else { 0 };
            if in_vain == IN_VAIN {
                return Err(Fault::Failed("it does not go on".to_owned()));
            }
            if in_vain > 0 {
                surroundings::wait(Duration::from_secs(1)).await;
            }
        }
    }

    fn bound(&self, body: &mut Map<String, Value>, to: Option<i64>) {
        if let Some(to) = to.filter(|_| self.bounded) {
            body.insert("to".to_owned(), json!(to));
        }
    }

    async fn send(&self, desk: &Desk<'_>, body: &Map<String, Value>) -> Result<Value, Fault> {
        let ask = Ask::post(self.place.path(self.path), &Value::Object(body.clone()));
        desk.api.call(&if self.repeatable { ask } else { ask.unless_done() }).await
    }
}

impl Swept {
    fn add(&mut self, answer: &Value) {
        self.deliveries += number(answer, "/deliveries").unwrap_or_default();
        self.events += number(answer, "/events").unwrap_or_default();
        self.to = self.to.or(number(answer, "/to"));
    }

    /// `3 deliveries with 620 events`
    pub(super) fn words(self) -> String {
        let deliveries = counted(self.deliveries, "delivery", "deliveries");
        format!("{deliveries} with {}", counted(self.events, "event", "events"))
    }

    fn document(self, done: bool, dry_run: bool) -> Value {
        json!({
            "deliveries": self.deliveries, "events": self.events, "skipped": self.skipped, "done": done,
            "dry_run": dry_run, "to": self.to,
        })
    }

    /// Tells what was done before something went wrong.
    fn tell_so_far(self, desk: &Desk<'_>) {
        if desk.screen.json() {
            // What went wrong is told after it, whether or not this is read.
            let _ = desk.screen.document(&self.document(false, false));
        } else {
            desk.screen.note(&format!("so far: {}", self.words()));
        }
    }

    /// Tells the result: as a document, or with what was done to them.
    pub(super) fn tell(self, desk: &Desk<'_>, did: &str, dry_run: bool) -> Result<(), Fault> {
        if desk.screen.json() {
            return desk.screen.document(&self.document(true, dry_run));
        }
        desk.screen.text(&format!("{did} {}", self.words()))?;
        if self.skipped > 0 {
            let skipped = counted(self.skipped, "delivery was", "deliveries were");
            desk.screen.note(&format!("{skipped} left alone: of a newer version, or not readable"));
        }
        Ok(())
    }
}

/// A period in a request's body.
pub(super) fn within(period: Period, now: i64) -> Map<String, Value> {
    let members = [("from", period.from), ("to", period.to)];
    members
        .into_iter()
        .filter_map(|(name, moment)| Some((name.to_owned(), json!(moment?.at(now)))))
        .collect()
}

/// A bar for a person at a terminal; without one, it draws nothing.
pub(super) fn bar(desk: &Desk<'_>, length: i64, doing: &'static str) -> ProgressBar {
    let length = u64::try_from(length).unwrap_or_default();
    let target = if desk.screen.can_draw() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target).with_message(doing);
    match ProgressStyle::with_template(
        "{msg} [{bar:30}] {human_pos} of {human_len} deliveries, {elapsed}, {eta} to go",
    ) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;

    #[test]
    fn periods_go_into_bodies_as_milliseconds() {
        let period = Period { from: Some(Moment::Ago(1_000)), to: Some(Moment::At(7)) };
        assert_eq!(Value::Object(within(period, 5_000)), json!({"from": 4_000, "to": 7}));
        assert!(within(Period::default(), 5_000).is_empty());
    }

    #[test]
    fn what_was_swept_is_counted_in_words() {
        let swept = Swept { deliveries: 1, events: 1_200, ..Swept::default() };
        assert_eq!(swept.words(), "1 delivery with 1,200 events");
    }
}
