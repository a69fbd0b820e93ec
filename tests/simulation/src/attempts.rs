//! Every delivery's attempts, and how much of its schedule it has used.
//!
//! An attempt may be many requests, one for each event: deliveries are counted by attempts, and
//! events by the requests that carry them.

use std::collections::{HashMap, HashSet};

use flagpost_domain::{
    delivery::Delivery,
    message::Aside,
    preset::{ImmediateRetry, Payload},
};

use crate::{
    carried::Carried,
    immediate::{Failed, may_retry},
};

/// Attempts of a schedule: the first, and one at each of nine slots.
const ATTEMPTS: u32 = 10;
/// Where each event is a request of its own, none of an attempt begins later than this after the
/// first.
const GO_ON_MS: i64 = 5_000;
/// Who fails so often in a row gets no more requests of the attempt.
const IN_A_ROW: u32 = 3;
/// Who fails is tried again at once, or not for this long.
const APART_MS: i64 = 5_000;
/// An immediate retry may begin so much later than it should.
const SLACK_MS: i64 = 2;
/// The same where functions stand still.
const SLACK_STORM_MS: i64 = 60_000;
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

/// How a request ended, as far as it matters here.
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
    /// Another event's, in the same attempt.
    Next,
    /// The immediate retry.
    Immediate,
}

/// Requests of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    maker: Maker,
    began: i64,
    /// Requests that are not answered yet.
    open: u32,
    /// Events that failed last, and are not tried again at once.
    failed: u32,
    /// Of these: the last, without a success between them.
    in_a_row: u32,
}

/// Requests with the same `webhook-id`, the last of them one after the other.
#[derive(Clone, Debug)]
struct Series {
    events: Vec<u32>,
    invocation: u64,
    began: i64,
    /// Of the last attempt.
    requests: u32,
    attempts: u32,
    ended: Option<(i64, Ended, Option<u16>)>,
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
    group: Option<Group>,
    /// Whether it was tried by `drain` since it was parked.
    drained: bool,
    /// Whether nothing became of the last attempt yet.
    fresh_attempt: bool,
}

/// How many requests there were of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Attempts in all.
    pub attempts: u64,
    /// Requests in all.
    pub requests: u64,
    /// Of these: immediate retries.
    pub immediate: u64,
    /// Of these: with one event, and no array around it.
    pub objects: u64,
    /// Of these: with an event on each line.
    pub ndjson: u64,
    /// What was left of a delivery, and stored without the rest.
    pub rests: u64,
}

impl std::ops::AddAssign for Made {
    fn add_assign(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.requests += other.requests;
        self.immediate += other.immediate;
        self.objects += other.objects;
        self.ndjson += other.ndjson;
        self.rests += other.rests;
    }
}

/// All deliveries' attempts.
#[derive(Debug, Default)]
pub struct Attempts {
    records: HashMap<String, Record>,
    series: HashMap<String, Series>,
    /// Whole deliveries, by numbers of their own.
    wholes: HashMap<String, u32>,
    /// The part of a whole delivery that an event is in, once it was taken apart.
    parts: HashMap<(u32, u32), String>,
    /// Attempts at each event of a whole delivery.
    tried: HashMap<(u32, u32), u32>,
    /// Events of a whole delivery whose endpoint's success the sender has seen.
    answered: HashSet<(u32, u32)>,
    last_slot_ms: i64,
    storm: bool,
    /// What was made.
    pub made: Made,
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
            part.group = None;
            // A whole whose answers are lost is split more than once.
            part.tangled |= self.storm && id.contains('.');
            self.records.insert(id.to_owned(), part);
        }
        self.records.entry(id.to_owned()).or_default()
    }

    fn whole(&mut self, delivery: &str) -> u32 {
        let whole = delivery.split_once('.').map_or(delivery, |(whole, _)| whole);
        if let Some(number) = self.wholes.get(whole) {
            return *number;
        }
        let next = u32::try_from(self.wholes.len()).unwrap_or(u32::MAX);
        self.wholes.insert(whole.to_owned(), next);
        next
    }

    /// A delivery is stored: if it is a part, its events are found in it from now on.
    fn is_part(&mut self, id: &str, events: &[u32]) {
        if id.contains('.') {
            let whole = self.whole(id);
            let of = events.iter().map(|event| ((whole, *event), id.to_owned()));
            self.parts.extend(of);
        }
    }

    /// Of which delivery a request is an attempt: one with a single event names the whole.
    fn delivery(&mut self, carried: &Carried) -> String {
        let whole = self.whole(&carried.delivery);
        let part = match carried.events.as_slice() {
            [event] if carried.payload == Payload::Object => self.parts.get(&(whole, *event)),
            _ => None,
        };
        part.unwrap_or(&carried.delivery).clone()
    }

    /// A request begins, by one of these policies.
    pub fn begins(
        &mut self,
        carried: &Carried,
        policies: &[ImmediateRetry],
        maker: Maker,
        now: i64,
    ) -> Result<Begun, String> {
        self.made.requests += 1;
        self.made.objects += u64::from(carried.payload == Payload::Object);
        self.made.ndjson += u64::from(carried.payload == Payload::Ndjson);
        let delivery = self.delivery(carried);
        if self.retries(carried, policies, maker, now)? {
            self.made.immediate += 1;
            let record = self.record(&delivery);
            record.fresh_attempt = !maker.probes;
            if let Some(group) = &mut record.group {
                group.open += 1;
                group.failed = group.failed.saturating_sub(1);
                group.in_a_row = group.in_a_row.saturating_sub(1);
            }
            return Ok(Begun::Immediate);
        }
        let is_object = carried.payload == Payload::Object;
        let begun = self.goes_on(&delivery, is_object, maker, now)?;
        let record = self.record(&delivery);
        let (more, tangled) = (record.on_top + record.excused, record.tangled);
        let whole = self.whole(&carried.delivery);
        if self.storm {
            // After a duplicate, or a lost answer, an event may be in two deliveries, or parts.
            let made = self.series.get(&carried.id).map_or(0, |series| series.attempts);
            if is_object && made > ATTEMPTS + more && !tangled {
                return Err(format!("too many attempts: {made} of {}", carried.id));
            }
            return Ok(begun);
        }
        for event in &carried.events {
            let again = self.answered.contains(&(whole, *event));
            if again {
                return Err(format!("event {event} is sent again after a success was seen"));
            }
            let tried = self.tried.entry((whole, *event)).or_default();
            *tried += 1;
            if *tried > ATTEMPTS + more && !tangled {
                return Err(format!("too many attempts: {tried} of event {event}"));
            }
        }
        Ok(begun)
    }

    /// Whether it is an immediate retry; `Err` if it should be one, and is not as it should be.
    fn retries(
        &mut self,
        carried: &Carried,
        policies: &[ImmediateRetry],
        maker: Maker,
        now: i64,
    ) -> Result<bool, String> {
        let mut events = carried.events.clone();
        events.sort_unstable();
        let series = self.series.entry(carried.id.clone()).or_insert_with(|| Series {
            events: events.clone(),
            invocation: 0,
            began: now,
            requests: 0,
            attempts: 0,
            ended: None,
        });
        // What could not be deleted after it was cut may be cut once more, and by other bounds.
        let recut = self.storm && carried.delivery.contains(".p");
        if series.events != events && !recut {
            return Err(format!("{} carries {events:?}, and did {:?}", carried.id, series.events));
        }
        if let Some((at, Ended::Badly, status)) = series.ended
            && series.invocation == maker.invocation
        {
            let failed = Failed {
                requests: series.requests,
                since_first: now - series.began,
                since_end: now - at,
                status,
            };
            let slack = if self.storm { SLACK_STORM_MS } else { SLACK_MS };
            if policies.iter().any(|policy| may_retry(*policy, failed, slack)) {
                series.requests += 1;
                series.ended = None;
                return Ok(true);
            }
            if failed.since_end < APART_MS && !self.storm {
                return Err(format!("no immediate retry by {policies:?}: {failed:?}"));
            }
        }
        series.invocation = maker.invocation;
        series.attempts += 1;
        (series.began, series.requests, series.ended) = (now, 1, None);
        Ok(false)
    }

    /// A request that is no immediate retry: whether it begins an attempt.
    fn goes_on(
        &mut self,
        delivery: &str,
        is_object: bool,
        maker: Maker,
        now: i64,
    ) -> Result<Begun, String> {
        let storm = self.storm;
        let record = self.record(delivery);
        let present = record.group.filter(|_| is_object);
        let group = Group { maker, began: now, open: 1, failed: 0, in_a_row: 0 };
        let mut rest = false;
        if let Some(present) = present {
            let same = present.maker.invocation == maker.invocation;
            if same && now - present.began <= GO_ON_MS {
                if present.in_a_row >= IN_A_ROW && !storm {
                    let row = present.in_a_row;
                    return Err(format!("a request after {row} failures in a row"));
                }
                record.group = Some(Group { open: present.open + 1, ..present });
                record.fresh_attempt = !maker.probes;
                return Ok(Begun::Next);
            }
            // Nothing failed, and there was no time for the rest.
            rest = present.failed == 0 && present.open == 0;
            if same && !rest && !maker.drains && !storm {
                let after = now - present.began;
                return Err(format!("a request {after} ms after the first of its attempt"));
            }
        }
        record.first.get_or_insert(now);
        record.tangled |= record.parked_copies + record.scheduled_copies > 1;
        record.fresh_attempt = !maker.probes;
        record.group = Some(group);
        if !rest {
            record.attempts += 1;
            if maker.probes {
                record.on_top += 1;
            } else if maker.drains && record.drained && storm {
                // What came of the last attempt could not be stored.
                record.excused += 1;
            }
        }
        record.drained |= maker.drains;
        let (attempts, allowed) = (record.attempts, ATTEMPTS + record.on_top + record.excused);
        let tangled = record.tangled;
        self.made.attempts += 1;
        if attempts > allowed && !tangled {
            return Err(format!("too many attempts: {attempts} of delivery {delivery}"));
        }
        Ok(Begun::Attempt)
    }

    /// A request ended, with this status if there was one.
    pub fn ends(&mut self, carried: &Carried, ended: Ended, status: Option<u16>, now: i64) {
        if let Some(series) = self.series.get_mut(&carried.id) {
            series.ended = Some((now, ended, status));
        }
        if ended == Ended::Well {
            let whole = self.whole(&carried.delivery);
            self.answered.extend(carried.events.iter().map(|event| (whole, *event)));
        }
        let delivery = self.delivery(carried);
        let record = self.record(&delivery);
        let Some(group) = &mut record.group else { return };
        group.open = group.open.saturating_sub(1);
        group.failed += u32::from(ended != Ended::Well);
        group.in_a_row = match (ended, status) {
            // Success that is not what the preset calls success says nothing of the endpoint.
            (Ended::Well, _) | (Ended::Badly, Some(200..300)) => 0,
            // Too large is the event, not the endpoint.
            (Ended::Badly, Some(413)) => group.in_a_row,
            (Ended::Badly, _) => group.in_a_row + 1,
            (Ended::OnTop, _) => IN_A_ROW,
        };
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

    /// It was put on the schedule: is its age what it should be? Where `makes`, there may be attempts
    /// without a request.
    pub fn scheduled(
        &mut self,
        delivery: &Delivery,
        events: &[u32],
        makes: bool,
        now: i64,
    ) -> Result<(), String> {
        self.is_part(delivery.id.as_str(), events);
        let each = if self.storm { TOLERANCE_STORM_MS } else { TOLERANCE_MS };
        let unseen = makes && self.storm;
        self.made.rests += u64::from(delivery.rest);
        let record = self.record(delivery.id.as_str());
        record.scheduled_copies += 1;
        // What is left, or in another order, takes the place of a message that is acknowledged next.
        record.tangled |= record.scheduled_copies > 1 && delivery.numbers.is_empty();
        record.fresh_attempt = false;
        let began = delivery.began.0;
        let tolerance = each * (record.parks + 1);
        let claimed = now - began;
        let age = record.age(now, began);
        if !record.tangled && !unseen && (claimed - age).abs() > tolerance {
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

    /// It was parked; `again` if that is another version of the same object.
    pub fn parked(&mut self, aside: &Aside, events: &[u32], again: bool, now: i64) {
        self.made.rests += u64::from(aside.rest);
        self.is_part(aside.id.as_str(), events);
        let record = self.record(aside.id.as_str());
        // What is left, or in another order, takes the place of what is deleted next.
        let replaces = !aside.numbers.is_empty();
        record.parked_copies += u32::from(!again);
        record.tangled |= record.parked_copies > 1 && !replaces;
        record.parks += 1;
        record.parked_since.get_or_insert(now);
        record.drained &= replaces;
        if std::mem::take(&mut record.fresh_attempt) {
            record.on_top += 1;
        }
    }

    /// Its parked object is gone.
    pub fn unparked(&mut self, id: &str, now: i64) {
        let record = self.record(id);
        record.parked_copies = record.parked_copies.saturating_sub(1);
        if record.parked_copies > 0 && !record.tangled {
            // What is left of it has taken its place.
            return;
        }
        if let Some(since) = record.parked_since.take() {
            // What was parked untried has no schedule yet.
            record.parked_ms += record.first.map_or(0, |first| now - since.max(first));
        }
    }

    /// It is dead: was its schedule over? Where `makes`, there may be attempts without a request.
    pub fn dead(&mut self, id: &str, makes: bool, now: i64) -> Result<(), String> {
        let each = if self.storm { TOLERANCE_STORM_MS } else { TOLERANCE_MS };
        let (last_slot, storm) = (self.last_slot_ms, self.storm);
        let record = self.record(id);
        let age = record.age(now, now);
        if record.tangled || (makes && storm) {
            return Ok(());
        }
        if age + each * (record.parks + 1) < last_slot * 9 / 10 {
            return Err(format!("delivery {id} is dead at an age of {} s", age / 1_000));
        }
        let counted = record.attempts - record.on_top;
        let whole = !id.contains('.');
        if !storm && whole && !makes && record.parks == 0 && counted != ATTEMPTS {
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
    const ONCE: [ImmediateRetry; 1] = [ImmediateRetry::Once];

    fn array() -> Carried {
        let (id, delivery) = ("d".to_owned(), "d".to_owned());
        Carried { id, delivery, payload: Payload::Array, place: None, events: vec![7, 8] }
    }

    fn object(event: u32) -> Carried {
        let id = format!("d.{event}");
        Carried { id, payload: Payload::Object, place: Some(event), events: vec![event], ..array() }
    }

    fn by(invocation: u64) -> Maker {
        Maker { invocation, ..MAKER }
    }

    fn fail(attempts: &mut Attempts, at: i64) -> Result<Begun, String> {
        let begun = attempts.begins(&array(), &ONCE, MAKER, at)?;
        attempts.ends(&array(), Ended::Badly, Some(500), at);
        let again = attempts.begins(&array(), &ONCE, MAKER, at + 300)?;
        assert_eq!(again, Begun::Immediate);
        attempts.ends(&array(), Ended::Badly, Some(500), at + 300);
        Ok(begun)
    }

    #[test]
    fn the_eleventh_attempt_is_one_too_many() {
        let mut attempts = Attempts::new(1_000, false);
        for n in 0..10 {
            assert_eq!(fail(&mut attempts, n * 60_000), Ok(Begun::Attempt));
        }
        assert!(fail(&mut attempts, 600_000).is_err());
        assert_eq!(attempts.made.requests, 21);
    }

    #[test]
    fn a_probe_comes_on_top() {
        let mut attempts = Attempts::new(1_000, false);
        let probe = Maker { probes: true, drains: true, ..MAKER };
        for n in 0..11 {
            attempts.begins(&array(), &ONCE, probe, n * 60_000).unwrap();
        }
    }

    #[test]
    fn time_parked_does_not_count() {
        let mut attempts = Attempts::new(1_000_000, false);
        fail(&mut attempts, 0).unwrap();
        let aside = Aside {
            id: "d".into(),
            project: "p".into(),
            integration: "i".into(),
            age_ms: 100_000,
            events: Vec::new(),
            numbers: Vec::new(),
            rest: false,
            provenance: flagpost_domain::delivery::Provenance::default(),
        };
        attempts.parked(&aside, &[7, 8], false, 100_000);
        attempts.unparked("d", 9_100_000);
        assert!(attempts.dead("d", false, 9_200_000).is_err(), "200 s old");
        assert!(attempts.dead("d", false, 9_990_000).is_ok(), "990 s old");
    }

    #[test]
    fn a_request_for_each_event_is_one_attempt_for_five_seconds() {
        let mut attempts = Attempts::new(1_000_000, false);
        let mut one = |event, at, maker, ended| {
            let begun = attempts.begins(&object(event), &ONCE, maker, at);
            attempts.ends(&object(event), ended, Some(200), at + 10);
            begun
        };
        assert_eq!(one(1, 0, by(1), Ended::Well), Ok(Begun::Attempt));
        assert_eq!(one(2, 5_000, by(1), Ended::Well), Ok(Begun::Next));
        assert_eq!(one(3, 5_030, by(1), Ended::Badly), Ok(Begun::Attempt), "the rest at once");
        assert_eq!(one(3, 5_200, by(1), Ended::Badly).ok(), None, "not after 160 ms");
        assert_eq!(one(3, 65_000, by(2), Ended::Badly), Ok(Begun::Attempt));
        assert_eq!(one(3, 65_310, by(2), Ended::Well), Ok(Begun::Immediate));
        assert_eq!(one(4, 70_400, by(2), Ended::Badly), Ok(Begun::Attempt), "the rest at once");
        let late = one(5, 75_600, by(2), Ended::Well);
        assert!(late.unwrap_err().contains("5200 ms after the first"));
        assert_eq!(attempts.record("d").attempts, 2, "a rest at once is no attempt of its own");
        let again = attempts.begins(&object(3), &ONCE, by(3), 99_000);
        assert!(again.unwrap_err().contains("sent again"));
    }

    #[test]
    fn three_failures_in_a_row_end_an_attempt() {
        let mut attempts = Attempts::new(1_000_000, false);
        let mut one = |event, at, ended| {
            let begun = attempts.begins(&object(event), &[ImmediateRetry::None], by(1), at);
            attempts.ends(&object(event), ended, Some(500), at + 10);
            begun
        };
        for (event, ended) in [(1, Ended::Badly), (2, Ended::Badly), (3, Ended::Well)] {
            one(event, 20 * i64::from(event), ended).unwrap();
        }
        for event in 4..7 {
            assert_eq!(one(event, 20 * i64::from(event), Ended::Badly), Ok(Begun::Next));
        }
        assert!(one(7, 140, Ended::Badly).unwrap_err().contains("3 failures in a row"));
    }

    #[test]
    fn an_id_is_that_of_the_same_events() {
        let mut attempts = Attempts::new(1_000_000, false);
        attempts.begins(&array(), &ONCE, by(1), 0).unwrap();
        let other = Carried { events: vec![7], ..array() };
        assert!(attempts.begins(&other, &ONCE, by(2), 60_000).unwrap_err().contains("carries"));
        let turned = Carried { events: vec![8, 7], ..array() };
        assert!(attempts.begins(&turned, &ONCE, by(2), 60_000).is_ok());
    }
}
