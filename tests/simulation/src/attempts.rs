//! Every delivery's attempts, and how much of its schedule it has used.

use std::collections::HashMap;

use flagpost_domain::delivery::Delivery;

/// Attempts of a schedule: the first, and one at each of nine slots.
const ATTEMPTS: u32 = 10;
/// The immediate retry comes this long after the first request.
const IMMEDIATE_MS: i64 = 300;
/// How far a delivery's age may be off for each time that it was parked: the attempt itself, and
/// storing, take their time.
const TOLERANCE_MS: i64 = 40_000;
/// The same where calls are slow, functions stand still and clocks differ.
const TOLERANCE_STORM_MS: i64 = 90_000;

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// The invocation.
    pub invocation: u64,
    /// Whether it is one of `drain`.
    pub drains: bool,
    /// Whether the endpoint's breaker is open.
    pub probes: bool,
}

/// How an attempt ended, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With success.
    Well,
    /// It failed, as far as the sender knows.
    Badly,
    /// With 410, 413, or 429 and `Retry-After`: it comes on top of the schedule.
    OnTop,
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The first of an attempt.
    Attempt,
    /// The immediate retry.
    Immediate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    maker: Maker,
    ended_at: Option<i64>,
    ended: Ended,
    immediate: bool,
}

#[derive(Clone, Debug, Default)]
struct Record {
    /// When its schedule began.
    first: Option<i64>,
    parked_since: Option<i64>,
    parked_ms: i64,
    parks: i64,
    parked_copies: u32,
    scheduled_copies: u32,
    attempts: u32,
    /// Attempts that come on top of the schedule.
    on_top: u32,
    /// Attempts that what happened to its messages may have added.
    excused: u32,
    /// It is in two places at once: its attempts and its age are those of two.
    tangled: bool,
    last: Option<Last>,
    /// Whether it was tried by `drain` since it was parked.
    drained: bool,
    /// Whether nothing became of the last attempt yet.
    fresh_attempt: bool,
}

/// All deliveries' attempts.
#[derive(Debug, Default)]
pub struct Attempts {
    records: HashMap<String, Record>,
    last_slot_ms: i64,
    storm: bool,
    /// Attempts in all.
    pub made: u64,
    /// Requests in all.
    pub requests: u64,
}

impl Attempts {
    /// None yet; the schedule's last slot is at `last_slot_ms`. In a storm more is excused.
    pub fn new(last_slot_ms: i64, storm: bool) -> Self {
        Self { last_slot_ms, storm, ..Self::default() }
    }

    fn record(&mut self, id: &str) -> &mut Record {
        if !self.records.contains_key(id) {
            // A part goes on where the whole stopped.
            let whole = id.rsplit_once('.').and_then(|(whole, _)| self.records.get(whole));
            let mut part = whole.cloned().unwrap_or_default();
            (part.parked_copies, part.scheduled_copies) = (0, 0);
            part.last = None;
            // A whole whose answers are lost is split more than once.
            part.tangled |= self.storm && id.contains('.');
            self.records.insert(id.to_owned(), part);
        }
        self.records.entry(id.to_owned()).or_default()
    }

    /// A request begins.
    pub fn begins(&mut self, id: &str, maker: Maker, now: i64) -> Result<Begun, String> {
        self.requests += 1;
        let slack = if self.storm { 60_000 } else { 1_500 };
        let storm = self.storm;
        let record = self.record(id);
        if let Some(last) = record.last
            && last.maker.invocation == maker.invocation
            && !last.immediate
            && last.ended == Ended::Badly
            && last
                .ended_at
                .is_some_and(|at| (IMMEDIATE_MS..=IMMEDIATE_MS + slack).contains(&(now - at)))
        {
            record.last =
                Some(Last { maker, ended_at: None, ended: Ended::Badly, immediate: true });
            record.fresh_attempt = !maker.probes;
            return Ok(Begun::Immediate);
        }
        record.first.get_or_insert(now);
        record.attempts += 1;
        record.tangled |= record.parked_copies + record.scheduled_copies > 1;
        if maker.probes {
            record.on_top += 1;
        } else if maker.drains && record.drained && storm {
            // What came of the last attempt could not be stored.
            record.excused += 1;
        }
        record.drained |= maker.drains;
        record.fresh_attempt = !maker.probes;
        record.last = Some(Last { maker, ended_at: None, ended: Ended::Badly, immediate: false });
        let (attempts, allowed) = (record.attempts, ATTEMPTS + record.on_top + record.excused);
        let tangled = record.tangled;
        self.made += 1;
        if attempts > allowed && !tangled {
            return Err(format!("too many attempts: {attempts} of delivery {id}"));
        }
        Ok(Begun::Attempt)
    }

    /// A request ended.
    pub fn ends(&mut self, id: &str, ended: Ended, now: i64) {
        let record = self.record(id);
        let Some(last) = &mut record.last else { return };
        last.ended_at = Some(now);
        last.ended = ended;
        // An attempt that ended is the schedule's; one that was given up comes on top if it is parked.
        if std::mem::take(&mut record.fresh_attempt) && ended == Ended::OnTop {
            record.on_top += 1;
        }
    }

    /// Something happened to its message that may add an attempt, at the same time as another: then
    /// the immediate retry of one is taken for an attempt as well.
    pub fn excuse(&mut self, id: &str) {
        self.record(id).excused += 2;
    }

    /// It was put on the schedule: is its age what it should be?
    pub fn scheduled(&mut self, delivery: &Delivery, now: i64) -> Result<(), String> {
        let each = if self.storm { TOLERANCE_STORM_MS } else { TOLERANCE_MS };
        let record = self.record(delivery.id.as_str());
        record.scheduled_copies += 1;
        record.tangled |= record.scheduled_copies > 1;
        record.fresh_attempt = false;
        let began = delivery.began.0;
        let tolerance = each * (record.parks + 1);
        let claimed = now - began;
        let age = record.age(now, began);
        if !record.tangled && (claimed - age).abs() > tolerance {
            return Err(format!(
                "delivery {} says it is {} s old, and is {} s",
                delivery.id,
                claimed / 1_000,
                age / 1_000
            ));
        }
        Ok(())
    }

    /// Its message was acknowledged.
    pub fn unscheduled(&mut self, id: &str) {
        let record = self.record(id);
        record.scheduled_copies = record.scheduled_copies.saturating_sub(1);
    }

    /// It was parked.
    pub fn parked(&mut self, id: &str, now: i64) {
        let record = self.record(id);
        record.parked_copies += 1;
        record.tangled |= record.parked_copies > 1;
        record.parks += 1;
        record.parked_since.get_or_insert(now);
        record.drained = false;
        if std::mem::take(&mut record.fresh_attempt) {
            record.on_top += 1;
        }
    }

    /// Its parked object is gone.
    pub fn unparked(&mut self, id: &str, now: i64) {
        let record = self.record(id);
        record.parked_copies = record.parked_copies.saturating_sub(1);
        if let Some(since) = record.parked_since.take() {
            // What was parked untried has no schedule yet.
            record.parked_ms += record.first.map_or(0, |first| now - since.max(first));
        }
    }

    /// It is dead: was its schedule over?
    pub fn dead(&mut self, id: &str, now: i64) -> Result<(), String> {
        let each = if self.storm { TOLERANCE_STORM_MS } else { TOLERANCE_MS };
        let (last_slot, storm) = (self.last_slot_ms, self.storm);
        let record = self.record(id);
        let age = record.age(now, now);
        if record.tangled {
            return Ok(());
        }
        if age + each * (record.parks + 1) < last_slot * 9 / 10 {
            return Err(format!("delivery {id} is dead at an age of {} s", age / 1_000));
        }
        let counted = record.attempts - record.on_top;
        let whole = !id.contains('.');
        if !storm && whole && record.parks == 0 && counted != ATTEMPTS {
            return Err(format!("delivery {id} is dead after {counted} attempts"));
        }
        Ok(())
    }
}

impl Record {
    /// How much of its schedule it has used: time parked does not count.
    fn age(&mut self, now: i64, began: i64) -> i64 {
        let first = *self.first.get_or_insert(began);
        let parking = self.parked_since.map_or(0, |since| now - since.max(first));
        let parked = self.parked_ms + parking;
        now - first - parked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKER: Maker = Maker { invocation: 1, drains: false, probes: false };

    fn fail(attempts: &mut Attempts, at: i64) -> Result<Begun, String> {
        let begun = attempts.begins("d", MAKER, at)?;
        attempts.ends("d", Ended::Badly, at);
        let again = attempts.begins("d", MAKER, at + IMMEDIATE_MS)?;
        assert_eq!(again, Begun::Immediate);
        attempts.ends("d", Ended::Badly, at + IMMEDIATE_MS);
        Ok(begun)
    }

    #[test]
    fn the_eleventh_attempt_is_one_too_many() {
        let mut attempts = Attempts::new(1_000, false);
        for n in 0..10 {
            assert_eq!(fail(&mut attempts, n * 60_000), Ok(Begun::Attempt));
        }
        assert!(fail(&mut attempts, 600_000).is_err());
        assert_eq!(attempts.requests, 21);
    }

    #[test]
    fn a_probe_comes_on_top() {
        let mut attempts = Attempts::new(1_000, false);
        let probe = Maker { probes: true, drains: true, ..MAKER };
        for n in 0..11 {
            attempts.begins("d", probe, n * 60_000).unwrap();
        }
    }

    #[test]
    fn time_parked_does_not_count() {
        let mut attempts = Attempts::new(1_000_000, false);
        fail(&mut attempts, 0).unwrap();
        attempts.parked("d", 100_000);
        attempts.unparked("d", 9_100_000);
        assert!(attempts.dead("d", 9_200_000).is_err(), "200 s old");
        assert!(attempts.dead("d", 9_990_000).is_ok(), "990 s old");
    }
}
