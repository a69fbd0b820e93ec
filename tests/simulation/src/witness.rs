//! Who sees everything, and says at once when a promise is broken.
//!
//! It counts no ledger: it knows of each event where its copies are, and of each delivery when it
//! was tried.

mod laid_aside;

use std::collections::{BTreeMap, HashMap, HashSet};

use flagpost_domain::{
    id::{IntegrationId, ProjectId},
    integration::{Integration, Origin, Stream},
    message::{Fresh, Scheduled},
    parked::{ParkedKey, Place},
    ports::Queue,
};

use crate::{
    asked::{Asked, Operated},
    attempts::Attempts,
    events,
    limited::Limited,
    table::{Configured, Table},
    told::Told,
    trace::About,
};

pub use laid_aside::{SetAside, Why};

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, by true time.
    pub at: i64,
    /// Which promise, and how it was broken.
    pub what: String,
    /// Whom it concerns.
    pub about: About,
}

/// A message of fresh events.
#[derive(Clone, Debug)]
struct FreshCopy {
    project: ProjectId,
    environment: String,
    stream: Stream,
    events: Vec<u32>,
}

/// A delivery that is stored somewhere.
#[derive(Clone, Debug)]
struct Copy {
    integration: u32,
    delivery: String,
    events: Vec<u32>,
    /// The invocation that put it there, where it is an object.
    by: u64,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Witness {
    /// The first broken promise.
    pub violation: Option<Violation>,
    /// When events were accepted, by their numbers.
    pub accepted: BTreeMap<u32, i64>,
    /// When each integration first got an event.
    pub delivered: HashMap<(u32, u32), i64>,
    /// How often events were delivered that had been before.
    pub repeated: u64,
    /// Attempts by delivery.
    pub attempts: Attempts,
    /// What operators were told.
    pub told: Told,
    /// What operators asked for.
    pub operated: Operated,
    /// What endpoints with limits were sent.
    pub limited: Limited,
    numbers: HashMap<IntegrationId, u32>,
    deleted: HashSet<u32>,
    /// Integrations that had a template at some time.
    making: HashSet<u32>,
    /// Events that EventsQueue had at some time, with whose they are.
    queued: BTreeMap<u32, (ProjectId, String)>,
    fresh: HashMap<u64, FreshCopy>,
    fresh_holds: HashMap<u32, u32>,
    copies: HashMap<(u32, u32), u32>,
    scheduled: HashMap<u64, Copy>,
    objects: HashMap<String, Copy>,
    /// What expired.
    expired: HashSet<(u32, u32)>,
    /// What is dead, or was until it expired or was purged.
    dead: HashSet<(u32, u32)>,
    /// What an operator dropped, and by which invocation. Where it came from may be stored still, for the
    /// moment; nothing that was stored since is among it.
    dropped: HashMap<(u32, u32), u64>,
    /// Events that went into `dead/`, came out of it, expired and were dropped, by their integrations.
    pub aside: BTreeMap<u32, SetAside>,
}

fn numbers(events: &[flagpost_domain::event::Event]) -> Vec<u32> {
    events.iter().filter_map(|event| events::number(event.as_bytes())).collect()
}

impl Witness {
    /// A witness who has seen nothing yet.
    pub fn new(attempts: Attempts) -> Self {
        Self { attempts, ..Self::default() }
    }

    /// Says that a promise was broken; the first is kept.
    pub fn violate(&mut self, at: i64, about: About, what: impl Into<String>) {
        if self.violation.is_none() {
            self.violation = Some(Violation { at, what: what.into(), about });
        }
    }

    /// An integration's number.
    pub fn number(&mut self, id: &IntegrationId) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(id.clone()).or_insert(next)
    }

    /// An integration was deleted: what it has need not be delivered.
    pub fn deleted(&mut self, id: &IntegrationId) {
        let number = self.number(id);
        self.deleted.insert(number);
    }

    /// An integration makes what it sends by a template.
    pub fn makes(&mut self, integration: u32) {
        self.making.insert(integration);
    }

    /// Whether an integration makes what it sends by a template, or did.
    pub fn is_making(&self, integration: u32) -> bool {
        self.making.contains(&integration)
    }

    /// How many of the events that came in an integration wants, and how many its filter does not:
    /// if it was always as it is now.
    pub fn wanted(&self, integration: &Integration) -> [u64; 2] {
        let mut counts = [0; 2];
        for (event, (project, environment)) in &self.queued {
            let operational = events::is_operational(*event);
            let stream = if operational { Stream::Operations } else { Stream::Events };
            if *project == integration.project
                && integration.wants(stream, Origin::Api, environment)
            {
                let takes = events::takes(integration.own.filter.as_ref(), *event);
                counts[usize::from(!takes)] += 1;
            }
        }
        counts
    }

    /// Which pairs of integration and event are dead, and were not delivered all the same.
    pub fn all_dead(&self) -> impl Iterator<Item = (u32, u32)> {
        self.dead.iter().filter(|pair| !self.delivered.contains_key(*pair)).copied()
    }

    /// Ingest answered 202.
    pub fn accepted(&mut self, events: &[u32], now: i64) {
        for event in events {
            if !self.queued.contains_key(event) {
                let about = About { integration: None, events: vec![*event] };
                self.violate(
                    now,
                    about,
                    format!("lost: event {event} was accepted, and not queued"),
                );
            }
            self.accepted.entry(*event).or_insert(now);
        }
    }

    /// An endpoint answered with success.
    pub fn delivered(&mut self, integration: u32, events: &[u32], now: i64) {
        for event in events {
            match self.delivered.entry((integration, *event)) {
                std::collections::hash_map::Entry::Occupied(_) => self.repeated += 1,
                std::collections::hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(now);
                }
            }
        }
    }

    /// A message is in a queue. What it is about.
    pub fn sent(&mut self, queue: Queue, id: u64, body: &str, now: i64) -> About {
        match queue {
            Queue::Events => {
                let Ok(packed) = Fresh::decode(body) else { return About::default() };
                let Ok(all) = packed.events() else { return About::default() };
                let events = numbers(&all);
                let fresh = packed.fresh;
                if fresh.stream == Stream::Operations
                    && let Err(what) = self.told.sent(&all)
                {
                    self.violate(now, About::default(), what);
                }
                for event in &events {
                    *self.fresh_holds.entry(*event).or_default() += 1;
                    let whose = || (fresh.project.clone(), fresh.environment.id.clone());
                    self.queued.entry(*event).or_insert_with(whose);
                }
                let copy = FreshCopy {
                    project: fresh.project,
                    environment: fresh.environment.id,
                    stream: fresh.stream,
                    events: events.clone(),
                };
                self.fresh.insert(id, copy);
                About { integration: None, events }
            }
            Queue::Retry => {
                let Ok(scheduled) = Scheduled::decode(body) else { return About::default() };
                let delivery = scheduled.delivery;
                let copy = self.copy(
                    &delivery.integration,
                    delivery.id.to_string(),
                    numbers(&delivery.events),
                );
                let about =
                    About { integration: Some(copy.integration), events: copy.events.clone() };
                self.scheduled.insert(id, copy);
                let makes = self.is_making(about.integration.unwrap_or(u32::MAX));
                if let Err(what) = self.attempts.scheduled(&delivery, &about.events, makes, now) {
                    self.violate(now, about.clone(), what);
                }
                about
            }
            Queue::Wake => About::default(),
        }
    }

    fn copy(&mut self, id: &IntegrationId, delivery: String, events: Vec<u32>) -> Copy {
        let integration = self.number(id);
        for event in &events {
            *self.copies.entry((integration, *event)).or_default() += 1;
            self.dropped.remove(&(integration, *event));
        }
        Copy { integration, delivery, events, by: 0 }
    }

    fn uncopy(&mut self, copy: &Copy, why: Why, now: i64, what: &str) {
        for event in &copy.events {
            let pair = (copy.integration, *event);
            if let Some(copies) = self.copies.get_mut(&pair) {
                *copies -= 1;
                if *copies == 0 {
                    self.copies.remove(&pair);
                }
            }
            match why {
                Why::SeenTo => {}
                Why::Expired => {
                    self.expired.insert(pair);
                }
                Why::Asked(invocation) => {
                    let purges = self.operated.asked(invocation).is_some_and(Asked::purges);
                    if purges {
                        self.dropped.insert(pair, invocation);
                    }
                }
            }
            let held = self.fresh_holds.contains_key(event);
            if !held && !self.is_safe(pair) {
                let about = About { integration: Some(pair.0), events: vec![pair.1] };
                let delivery = &copy.delivery;
                let what = format!("lost: event {event} of delivery {delivery}, by {what}");
                self.violate(now, about, what);
            }
        }
    }

    fn is_safe(&self, pair: (u32, u32)) -> bool {
        self.delivered.contains_key(&pair)
            || self.copies.contains_key(&pair)
            || self.expired.contains(&pair)
            || self.dropped.contains_key(&pair)
            || self.deleted.contains(&pair.0)
    }

    /// A message left a queue. `known_since` says since when, at the latest, the function that
    /// acknowledged it knew of a project's integrations.
    pub fn removed(
        &mut self,
        queue: Queue,
        id: u64,
        table: &Table,
        known_since: impl Fn(&ProjectId) -> Option<i64>,
        now: i64,
    ) -> About {
        match queue {
            Queue::Events => {
                let Some(fresh) = self.fresh.remove(&id) else { return About::default() };
                let last: Vec<u32> =
                    fresh.events.iter().copied().filter(|event| self.release(*event)).collect();
                // Who never read the configuration may not acknowledge anything.
                let since = known_since(&fresh.project).unwrap_or(now);
                self.check_fresh(&fresh, &last, table, since, now);
                About { integration: None, events: fresh.events }
            }
            Queue::Retry => {
                let Some(copy) = self.scheduled.remove(&id) else { return About::default() };
                self.attempts.unscheduled(&copy.delivery, &copy.events);
                self.uncopy(&copy, Why::SeenTo, now, "acknowledging its message");
                About { integration: Some(copy.integration), events: copy.events }
            }
            Queue::Wake => About::default(),
        }
    }

    /// One message less that holds the event. Whether it was the last.
    fn release(&mut self, event: u32) -> bool {
        let Some(holds) = self.fresh_holds.get_mut(&event) else { return true };
        *holds -= 1;
        let last = *holds == 0;
        if last {
            self.fresh_holds.remove(&event);
        }
        last
    }

    /// Whoever wanted the events without a doubt has them, or they are stored for it.
    fn check_fresh(
        &mut self,
        fresh: &FreshCopy,
        events: &[u32],
        table: &Table,
        since: i64,
        now: i64,
    ) {
        let FreshCopy { project, environment, stream, .. } = fresh;
        let wants = |state: &Configured| match state {
            Configured::Present(integration) => {
                integration.wants(*stream, Origin::Api, environment)
            }
            Configured::Deleted => false,
        };
        let takes = |state: &Configured, event: u32| match state {
            Configured::Present(integration) => {
                events::takes(integration.own.filter.as_ref(), event)
            }
            Configured::Deleted => false,
        };
        let Some(integrations) = table.integrations.get(project) else { return };
        for (id, configured) in integrations {
            if !configured.throughout(since, wants) {
                continue;
            }
            let integration = self.number(id);
            for event in events {
                if !self.is_safe((integration, *event))
                    && configured.throughout(since, |state| takes(state, *event))
                {
                    let about = About { integration: Some(integration), events: vec![*event] };
                    let what = format!("lost: event {event}, whose message was acknowledged");
                    self.violate(now, about, what);
                }
            }
        }
    }

    /// Events are sent: `Err` if an operator was told that they are gone.
    pub fn sends(&self, integration: u32, events: &[u32]) -> Result<(), String> {
        let gone = |event: &&u32| {
            let pair = (integration, **event);
            let by = self.dropped.get(&pair);
            !self.fresh_holds.contains_key(event)
                && !self.copies.contains_key(&pair)
                && by.is_some_and(|by| self.operated.is_answered(*by))
        };
        match events.iter().find(gone) {
            Some(event) => Err(format!("event {event} was purged, and is sent all the same")),
            None => Ok(()),
        }
    }

    /// Whether the time of some delivery with this event was over.
    pub fn has_expired(&self, integration: u32, event: u32) -> bool {
        self.expired.contains(&(integration, event))
    }

    /// Whether an integration was deleted.
    pub fn is_deleted(&self, integration: u32) -> bool {
        self.deleted.contains(&integration)
    }

    /// Something happened to a message of the RetryQueue that may add an attempt.
    pub fn excuse(&mut self, message: u64) {
        if let Some(copy) = self.scheduled.get(&message) {
            self.attempts.excuse(&copy.delivery, &copy.events);
        }
    }

    /// Whose deliveries, parked or scheduled, hold events that are neither delivered nor dead: how many of
    /// each. An object whose mark could not be written may be left, its message having done the rest;
    /// and so may what `hopeless` says no endpoint will take.
    pub fn waiting(&self, hopeless: impl Fn(u32, &[u32]) -> bool) -> BTreeMap<u32, (usize, usize)> {
        let mut waiting: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        let waits = |copy: &Copy| {
            let ended = |event: &u32| {
                let pair = (copy.integration, *event);
                self.delivered.contains_key(&pair) || self.dead.contains(&pair)
            };
            !self.deleted.contains(&copy.integration)
                && !copy.events.iter().all(ended)
                && !hopeless(copy.integration, &copy.events)
        };
        for copy in self.scheduled.values().filter(|copy| waits(copy)) {
            waiting.entry(copy.integration).or_default().0 += 1;
        }
        let parked = |key: &str| ParkedKey::parse(key).is_some_and(|k| k.place == Place::Parked);
        let objects = self.objects.iter().filter(|(key, copy)| parked(key) && waits(copy));
        for (_, copy) in objects {
            waiting.entry(copy.integration).or_default().1 += 1;
        }
        waiting
    }

    /// How many pairs of integration and event are dead, and were not delivered all the same.
    pub fn dead(&self) -> usize {
        self.all_dead().count()
    }

    /// Events that are stored for an integration.
    pub fn stored(&self, integration: u32) -> usize {
        self.copies.keys().filter(|(of, _)| *of == integration).count()
    }
}
