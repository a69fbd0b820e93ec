//! Every attempt: at deliveries, which may take several requests, and at each of their events.
//!
//! An event has its ten attempts whatever becomes of those beside it, so events are counted one by one.
//! A delivery is what tells which requests belong together, and when they end.

use std::collections::HashMap;

use flagpost_domain::{
    delivery::Delivery,
    message::Aside,
    preset::{ImmediateRetry, Payload},
};

use crate::{
    carried::Carried,
    events::lacks,
    group::Group,
    immediate::{Failed, may_retry},
    life::{Life, Stored},
};

/// Who fails is tried again at once, or not for this long.
const APART_MS: i64 = 5_000;
/// An immediate retry may begin so much later than it should.
const SLACK_MS: i64 = 2;
/// The same where each request waits for its turn.
const SLACK_TURN_MS: i64 = 15_000;
/// The same where functions stand still.
const SLACK_STORM_MS: i64 = 60_000;

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// The invocation.
    pub invocation: u64,
    /// Whether it is one of `drain`.
    pub drains: bool,
    /// Whether the endpoint's breaker is open.
    pub probes: bool,
    /// Whether its requests wait for their turn, by the limits that the endpoint has.
    pub waits: bool,
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

/// Requests with the same `webhook-id`, the last of them one after the other.
#[derive(Clone, Debug)]
struct Series {
    events: Vec<u32>,
    invocation: u64,
    began: i64,
    /// Of the last attempt.
    requests: u32,
    ended: Option<(i64, Ended, Option<u16>)>,
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

/// All attempts.
#[derive(Debug, Default)]
pub struct Attempts {
    /// Events, by the whole delivery and their own numbers.
    lives: HashMap<(u32, u32), Life>,
    series: HashMap<String, Series>,
    /// The last attempt at each delivery.
    groups: HashMap<u32, Group>,
    /// Deliveries, by numbers of their own.
    deliveries: HashMap<String, u32>,
    /// The part of a whole delivery that an event is in, once it was taken apart.
    parts: HashMap<(u32, u32), u32>,
    /// The `webhook-id` of these events of a whole delivery, as single ones or together.
    ids: HashMap<(u32, bool, Vec<u32>), String>,
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

    fn number(&mut self, delivery: &str) -> u32 {
        if let Some(number) = self.deliveries.get(delivery) {
            return *number;
        }
        let next = u32::try_from(self.deliveries.len()).unwrap_or(u32::MAX);
        self.deliveries.insert(delivery.to_owned(), next);
        next
    }

    fn whole(&mut self, delivery: &str) -> u32 {
        self.number(delivery.split_once('.').map_or(delivery, |(whole, _)| whole))
    }

    fn life(&mut self, whole: u32, event: u32) -> &mut Life {
        self.lives.entry((whole, event)).or_default()
    }

    /// Of which delivery a request is an attempt: unless it carries all of it, it names the whole.
    fn delivery(&mut self, carried: &Carried) -> u32 {
        let whole = self.whole(&carried.delivery);
        let part = match carried.events.first() {
            Some(event) if carried.is_some_of_its_delivery() => self.parts.get(&(whole, *event)),
            _ => None,
        };
        part.copied().unwrap_or_else(|| self.number(&carried.delivery))
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
        let (whole, delivery) = (self.whole(&carried.delivery), self.delivery(carried));
        if self.retries(carried, policies, maker, now)? {
            self.made.immediate += 1;
            for event in &carried.events {
                self.life(whole, *event).tries_again(maker);
            }
            if let Some(group) = self.groups.get_mut(&delivery) {
                group.tries_again();
            }
            return Ok(Begun::Immediate);
        }
        let storm = self.storm;
        for event in &carried.events {
            let copies = carried.events.iter().filter(|one| *one == event).count();
            let life = self.life(whole, *event);
            life.is_at(carried.place, copies);
            // After a duplicate, or a lost answer, an event may be in two deliveries.
            if life.answered() && !storm {
                return Err(format!("event {event} is sent again after a success was seen"));
            }
            life.begins(maker, carried, storm, now)
                .map_err(|what| format!("event {event} of {}: {what}", carried.delivery))?;
        }
        let group = match self.groups.get_mut(&delivery) {
            Some(group) => {
                if group.goes_on(maker, &carried.events, now, storm)? {
                    return Ok(Begun::Next);
                }
                group.next(maker, &carried.events, now)
            }
            None => Group::new(maker, &carried.events, now),
        };
        self.groups.insert(delivery, group);
        self.made.attempts += 1;
        Ok(Begun::Attempt)
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
        self.check_id(carried, &events)?;
        let series = self.series.entry(carried.id.clone()).or_insert_with(|| Series {
            events: events.clone(),
            invocation: 0,
            began: now,
            requests: 0,
            ended: None,
        });
        if series.events != events {
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
            let slack = match (self.storm, maker.waits) {
                (true, _) => SLACK_STORM_MS,
                (false, true) => SLACK_TURN_MS,
                (false, false) => SLACK_MS,
            };
            if policies.iter().any(|policy| may_retry(*policy, failed, slack)) {
                series.requests += 1;
                series.ended = None;
                return Ok(true);
            }
            if failed.since_end < APART_MS && !self.storm && !maker.waits {
                return Err(format!("no immediate retry by {policies:?}: {failed:?}"));
            }
        }
        series.invocation = maker.invocation;
        (series.began, series.requests, series.ended) = (now, 1, None);
        Ok(false)
    }

    /// The same events have the same id, unless a storm left them in two deliveries.
    fn check_id(&mut self, carried: &Carried, events: &[u32]) -> Result<(), String> {
        if self.storm {
            return Ok(());
        }
        let single = carried.payload == Payload::Object;
        let key = (self.whole(&carried.delivery), single, events.to_vec());
        let id = self.ids.entry(key).or_insert_with(|| carried.id.clone());
        if *id == carried.id {
            return Ok(());
        }
        Err(format!("events {events:?} are {} now, and were {id}", carried.id))
    }

    /// A request ended, with this status if there was one.
    pub fn ends(&mut self, carried: &Carried, ended: Ended, status: Option<u16>, now: i64) {
        if let Some(series) = self.series.get_mut(&carried.id) {
            series.ended = Some((now, ended, status));
        }
        let (whole, delivery) = (self.whole(&carried.delivery), self.delivery(carried));
        let splits = ended == Ended::OnTop && status == Some(413);
        for event in &carried.events {
            self.life(whole, *event).ends(ended, splits);
        }
        let single = carried.payload == Payload::Object;
        if let Some(group) = self.groups.get_mut(&delivery) {
            group.ends(ended, status, single);
        }
    }

    /// Something happened to the message of a delivery that may add an attempt.
    pub fn excuse(&mut self, delivery: &str, events: &[u32]) {
        let whole = self.whole(delivery);
        for event in events {
            self.life(whole, *event).excuse();
        }
    }

    /// A delivery is stored: its events are found in it from now on. Says of one of them how.
    fn store(&mut self, id: &str, event: u32, claimed: i64, rest: bool, makes: bool) -> Stored {
        let (whole, delivery) = (self.whole(id), self.number(id));
        let before = self.parts.insert((whole, event), delivery).unwrap_or(whole);
        Stored { claimed, rest, same: before == delivery, unseen: makes && lacks(event) }
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
        self.made.rests += u64::from(delivery.rest);
        let (id, storm) = (delivery.id.as_str(), self.storm);
        let whole = self.whole(id);
        let mut checked = Ok(());
        for event in events {
            let stored = self.store(id, *event, now - delivery.began.0, delivery.rest, makes);
            let life = self.life(whole, *event).scheduled(stored, storm, now);
            let what = life.map_err(|what| format!("event {event} of delivery {id}: {what}"));
            checked = checked.and(what);
        }
        checked
    }

    /// Its message was acknowledged.
    pub fn unscheduled(&mut self, id: &str, events: &[u32]) {
        let whole = self.whole(id);
        for event in events {
            self.life(whole, *event).unscheduled();
        }
    }

    /// It was parked; `again` if that is another version of the same object. Is its age what it should
    /// be?
    pub fn parked(
        &mut self,
        aside: &Aside,
        events: &[u32],
        makes: bool,
        again: bool,
        now: i64,
    ) -> Result<(), String> {
        self.made.rests += u64::from(aside.rest);
        let (id, storm) = (aside.id.as_str(), self.storm);
        let whole = self.whole(id);
        let mut checked = Ok(());
        for event in events {
            let stored = self.store(id, *event, aside.age_ms, aside.rest, makes);
            let life = self.life(whole, *event).parked(stored, again, storm, now);
            let what = life.map_err(|what| format!("event {event} of delivery {id}: {what}"));
            checked = checked.and(what);
        }
        checked
    }

    /// It is about to be parked by a replay.
    pub fn replayed(&mut self, id: &str, events: &[u32]) {
        let whole = self.whole(id);
        for event in events {
            self.life(whole, *event).replayed();
        }
    }

    /// An operator drops it.
    pub fn dropped(&mut self, id: &str, events: &[u32]) {
        let whole = self.whole(id);
        for event in events {
            self.life(whole, *event).dropped();
        }
    }

    /// Its parked object is gone.
    pub fn unparked(&mut self, id: &str, events: &[u32], now: i64) {
        let whole = self.whole(id);
        for event in events {
            self.life(whole, *event).unparked(now);
        }
    }

    /// It is dead: was its schedule over? Where `makes`, there may be attempts without a request.
    pub fn dead(&mut self, id: &str, events: &[u32], makes: bool, now: i64) -> Result<(), String> {
        let (last_slot_ms, storm, whole) = (self.last_slot_ms, self.storm, self.whole(id));
        for event in events {
            let unseen = makes && lacks(*event);
            if let Some(what) = self.life(whole, *event).dead(unseen, storm, now, last_slot_ms) {
                return Err(format!("event {event} of delivery {id} is dead {what}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flagpost_domain::time::Timestamp;

    use super::*;

    const MAKER: Maker = Maker { invocation: 1, drains: false, probes: false, waits: false };
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

    fn delivery(id: &str, began: i64, rest: bool) -> Delivery {
        Delivery {
            id: id.into(),
            project: "p".into(),
            integration: "i".into(),
            began: Timestamp(began),
            events: Vec::new(),
            numbers: Vec::new(),
            rest,
            provenance: flagpost_domain::delivery::Provenance::default(),
        }
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
        let aside = Aside::new(delivery("d", 0, false), Timestamp(100_000));
        attempts.parked(&aside, &[7, 8], false, false, 100_000).unwrap();
        attempts.unparked("d", &[7, 8], 9_100_000);
        let dead = |attempts: &mut Attempts, at| attempts.dead("d", &[7, 8], false, at);
        assert!(dead(&mut attempts, 9_200_000).is_err(), "200 s old");
        assert!(dead(&mut attempts, 9_990_000).is_ok(), "990 s old");
    }

    #[test]
    fn a_request_for_each_event_is_one_attempt_for_five_seconds() {
        let mut attempts = Attempts::new(1_000_000, false);
        let mut one = |event, at, maker, ended| {
            let begun = attempts.begins(&object(event), &ONCE, maker, at);
            attempts.ends(&object(event), ended, Some(200), at + 10);
            begun
        };
        assert_eq!(one(1, 0, by(1), Ended::Badly), Ok(Begun::Attempt));
        assert_eq!(one(2, 5_000, by(1), Ended::Well), Ok(Begun::Next));
        assert_eq!(one(3, 5_030, by(1), Ended::Badly), Ok(Begun::Attempt), "the rest at once");
        assert_eq!(one(3, 5_200, by(1), Ended::Badly).ok(), None, "not after 160 ms");
        assert_eq!(one(3, 65_000, by(2), Ended::Badly), Ok(Begun::Attempt));
        assert_eq!(one(3, 65_310, by(2), Ended::Well), Ok(Begun::Immediate));
        let again = attempts.begins(&object(3), &ONCE, by(3), 99_000);
        assert!(again.unwrap_err().contains("sent again"));
    }

    #[test]
    fn five_failures_in_a_row_end_an_attempt() {
        let mut attempts = Attempts::new(1_000_000, false);
        let mut one = |event, at, ended| {
            let begun = attempts.begins(&object(event), &[ImmediateRetry::None], by(1), at);
            attempts.ends(&object(event), ended, Some(500), at + 10);
            begun
        };
        for (event, ended) in [(1, Ended::Badly), (2, Ended::Badly), (3, Ended::Well)] {
            one(event, 20 * i64::from(event), ended).unwrap();
        }
        for event in 4..9 {
            assert_eq!(one(event, 20 * i64::from(event), Ended::Badly), Ok(Begun::Next));
        }
        assert!(one(9, 180, Ended::Badly).unwrap_err().contains("5 failures in a row"));
        assert!(one(10, 9_000, Ended::Badly).is_err(), "nor later in the same invocation");
    }

    #[test]
    fn each_event_has_ten_attempts_of_its_own() {
        let mut attempts = Attempts::new(1_000_000, false);
        let mut one = |event, at| {
            let maker = by(u64::try_from(at).unwrap());
            let begun = attempts.begins(&object(event), &[ImmediateRetry::None], maker, at);
            attempts.ends(&object(event), Ended::Badly, Some(400), at + 10);
            begun
        };
        for n in 0..10 {
            one(1, n * 100_000).unwrap();
        }
        for n in 0..10 {
            one(2, 60_000 + n * 100_000).unwrap();
        }
        assert!(one(1, 2_000_000).unwrap_err().contains("11 of 10"));
        assert!(attempts.dead("d.p001_001", &[1], false, 2_000_000).is_err(), "after eleven");
        assert_eq!(attempts.dead("d.p002_002", &[2], false, 2_000_000), Ok(()));
    }

    #[test]
    fn a_replay_begins_the_schedule_anew() {
        let mut attempts = Attempts::new(900_000, false);
        let try_at = |attempts: &mut Attempts, at| {
            let maker = by(u64::try_from(at).unwrap());
            let begun = attempts.begins(&object(1), &[ImmediateRetry::None], maker, at);
            attempts.ends(&object(1), Ended::Badly, Some(400), at + 10);
            begun
        };
        for n in 0..10 {
            assert_eq!(try_at(&mut attempts, n * 100_000), Ok(Begun::Attempt));
        }
        attempts.replayed("d.p001_001", &[1]);
        for n in 20..30 {
            assert_eq!(try_at(&mut attempts, n * 100_000), Ok(Begun::Attempt));
        }
        assert!(try_at(&mut attempts, 3_000_000).unwrap_err().contains("11 of 10"));
    }

    #[test]
    fn what_was_not_tried_has_no_age() {
        let mut attempts = Attempts::new(14_400_000, false);
        let begun = attempts.begins(&object(1), &ONCE, by(1), 0);
        assert_eq!(begun, Ok(Begun::Attempt));
        let mut scheduled = |id, began, event| {
            attempts.scheduled(&delivery(id, began, true), &[event], false, 100_000)
        };
        assert!(scheduled("d.p001_001", 100_000, 1).unwrap_err().contains("is 100 s"));
        assert_eq!(scheduled("d.p001_001", 0, 1), Ok(()));
        assert!(scheduled("d.p002_002", 0, 2).unwrap_err().contains("never tried"));
        assert_eq!(scheduled("d.p002_002", 160_000, 2), Ok(()));
    }

    #[test]
    fn an_id_is_that_of_the_same_events() {
        let mut attempts = Attempts::new(1_000_000, false);
        attempts.begins(&array(), &ONCE, by(1), 0).unwrap();
        let other = Carried { events: vec![7], ..array() };
        assert!(attempts.begins(&other, &ONCE, by(2), 60_000).unwrap_err().contains("carries"));
        let turned = Carried { events: vec![8, 7], ..array() };
        assert!(attempts.begins(&turned, &ONCE, by(2), 60_000).is_ok());
        let renamed = Carried { id: "d.a".to_owned(), delivery: "d.a".to_owned(), ..array() };
        assert!(attempts.begins(&renamed, &ONCE, by(3), 120_000).unwrap_err().contains("were d"));
    }
}
