//! What operators ask of deliveries that are laid aside, and what each request may do by that.

use std::collections::{BTreeMap, BTreeSet};

use flagpost_domain::{
    id::IntegrationId,
    parked::{ParkedKey, Place},
};
use serde_json::Value;

use crate::{fault::Weather, port::Port, trace::About};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// To replay what is dead: all, or one.
    Replay(Option<ParkedKey>),
    /// To purge what is in one place.
    Purge(Place),
    /// To purge what is parked, and to go on with what is new.
    FromNow,
}

/// A request that concerns what is laid aside.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What for.
    pub act: Act,
    /// Whose.
    pub integration: IntegrationId,
    /// Whether it only asks how much that would be.
    pub dry_run: bool,
    /// Laid aside then, or later.
    pub from: i64,
    /// Laid aside before then.
    pub to: Option<i64>,
    /// Whether it goes on where another stopped.
    pub goes_on: bool,
    /// When it began, by true time.
    pub began: i64,
}

impl Asked {
    /// Reads a request. `None`: it does not concern what is laid aside.
    pub fn read(method: &str, path: &str, body: &Value, now: i64) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let ["", "v1", "projects", _, "integrations", id, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let integration = IntegrationId::from(*id);
        let act = match (method, rest) {
            ("POST", ["deliveries", "replay"]) => Act::Replay(None),
            ("POST", ["deliveries", state, name, "replay"]) => {
                let place = Place::from_name(state)?;
                Act::Replay(Some(ParkedKey::named(place, &integration, name)?))
            }
            ("POST", ["deliveries", "purge"]) => {
                Act::Purge(Place::from_name(body["state"].as_str()?)?)
            }
            ("POST", ["resume"]) if body["from"] == "now" => Act::FromNow,
            _ => return None,
        };
        let dry_run = body["dry_run"] == true;
        let (from, to) = (body["from"].as_i64().unwrap_or_default(), body["to"].as_i64());
        let goes_on = !body["cursor"].is_null();
        Some(Self { act, integration, dry_run, from, to, goes_on, began: now })
    }

    /// From where it takes.
    pub fn place(&self) -> Place {
        match &self.act {
            Act::Replay(_) | Act::Purge(Place::Dead) => Place::Dead,
            Act::Purge(Place::Parked) | Act::FromNow => Place::Parked,
        }
    }

    /// Whether it is among what it asks for.
    pub fn wants(&self, key: &ParkedKey) -> bool {
        let one = match &self.act {
            Act::Replay(Some(one)) => one == key,
            _ => true,
        };
        one && key.place == self.place()
            && key.integration == self.integration
            && key.at.0 >= self.from
            && self.to.is_none_or(|to| key.at.0 < to)
    }

    /// Whether it may put this object there: the copy of what it replays.
    pub fn may_put(&self, key: &ParkedKey) -> bool {
        let replays = matches!(self.act, Act::Replay(_)) && !self.dry_run;
        replays && key.place == Place::Parked && self.wants(&key.moved(Place::Dead))
    }

    /// Whether it may delete this object: what it takes, or a copy that it takes back.
    pub fn may_delete(&self, key: &ParkedKey) -> bool {
        !self.dry_run && (self.wants(key) || self.may_put(key))
    }

    /// Whether what it takes is gone for good.
    pub fn purges(&self) -> bool {
        !matches!(self.act, Act::Replay(_))
    }
}

/// A request, and what it did.
#[derive(Debug)]
struct Doing {
    asked: Asked,
    /// Deliveries that it took, with their events' numbers.
    taken: BTreeMap<String, usize>,
    answered: bool,
}

/// What a dry run showed.
#[derive(Debug)]
struct Shown {
    integration: IntegrationId,
    place: Place,
    to: i64,
    /// When it was answered.
    at: i64,
    /// The events that were there.
    events: BTreeSet<u32>,
}

/// How much operators did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Deliveries that were replayed.
    pub replayed: u64,
    /// Deliveries that were purged.
    pub purged: u64,
    /// Deliveries that dry runs counted.
    pub shown: u64,
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.replayed += other.replayed;
        self.purged += other.purged;
        self.shown += other.shown;
    }
}

/// An object as far as it matters here: its key, when it was written, and its events.
pub type Object = (ParkedKey, i64, Vec<u32>);

/// All that operators asked for, by the invocation that does it.
#[derive(Debug, Default)]
pub struct Operated {
    doing: BTreeMap<u64, Doing>,
    shown: Vec<Shown>,
    /// The times of what was replayed: it keeps its own, and its parts have the same.
    replayed: BTreeSet<(IntegrationId, i64)>,
    /// How much they did.
    pub done: Done,
}

impl Operated {
    /// An invocation begins to do what is asked for.
    pub fn begins(&mut self, invocation: u64, asked: Asked) {
        self.doing.insert(invocation, Doing { asked, taken: BTreeMap::new(), answered: false });
    }

    /// What an invocation was asked for.
    pub fn asked(&self, invocation: u64) -> Option<&Asked> {
        self.doing.get(&invocation).map(|doing| &doing.asked)
    }

    /// Whether an operator was told that what this invocation did is done.
    pub fn is_answered(&self, invocation: u64) -> bool {
        self.doing.get(&invocation).is_some_and(|doing| doing.answered)
    }

    /// The copy of a dead delivery is parked.
    pub fn replays(&mut self, key: &ParkedKey) {
        self.replayed.insert((key.integration.clone(), key.at.0));
    }

    /// An invocation took a delivery with these events. `put_at` is when that was laid aside, and `way_ms`
    /// for how long it may have been on its way. `Err` says how it may not.
    pub fn takes(
        &mut self,
        invocation: u64,
        key: &ParkedKey,
        events: &[u32],
        put_at: i64,
        way_ms: i64,
    ) -> Result<(), String> {
        let text = key.text();
        let Some(doing) = self.doing.get_mut(&invocation) else {
            return Err(format!("{text} was deleted, and nobody asked for it"));
        };
        if !doing.asked.may_delete(key) {
            return Err(format!("{text} was deleted, and asked for was {:?}", doing.asked));
        }
        if !doing.asked.wants(key) {
            return Ok(());
        }
        doing.taken.insert(text.clone(), events.len());
        if !doing.asked.purges() {
            self.done.replayed += 1;
            return Ok(());
        }
        self.done.purged += 1;
        let shown = self.shown.iter().rev().find(|shown| {
            shown.integration == key.integration
                && shown.place == key.place
                && Some(shown.to) == doing.asked.to
        });
        match shown {
            Some(Shown { at, events: shown, .. })
                if put_at > at + way_ms
                    && !self.replayed.contains(&(key.integration.clone(), key.at.0))
                    && !events.iter().all(|event| shown.contains(event)) =>
            {
                Err(format!("{text} was purged, and no dry run had shown it"))
            }
            _ => Ok(()),
        }
    }

    /// An invocation was answered so. `there` is what is in its place now; `exact` where no call was lost
    /// or made twice. `Err` says what is wrong with that.
    pub fn answered(
        &mut self,
        invocation: u64,
        answer: &Value,
        there: &[Object],
        exact: bool,
        now: i64,
    ) -> Result<(), String> {
        let Some(doing) = self.doing.get_mut(&invocation) else { return Ok(()) };
        doing.answered = true;
        let asked = &doing.asked;
        let count = |name: &str| {
            usize::try_from(answer[name].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
        };
        let said = (count("deliveries"), count("events"));
        let one = matches!(asked.act, Act::Replay(Some(_)));
        let to = answer["to"].as_i64();
        if to.is_none() != one || asked.to.is_some_and(|most| to.is_none_or(|to| to > most)) {
            return Err(format!("asked for {asked:?}, and answered {answer}"));
        }
        let to = to.unwrap_or(i64::MAX);
        let within = |key: &ParkedKey| asked.wants(key) && key.at.0 < to;
        // What was there throughout.
        let stayed: Vec<_> =
            there.iter().filter(|(key, at, _)| within(key) && *at < asked.began).collect();
        if asked.dry_run {
            if answer["done"] == true && !asked.goes_on && said.0 < stayed.len() {
                return Err(format!("a dry run counted {said:?}, and there are {}", stayed.len()));
            }
            self.done.shown += said.0 as u64;
            let (integration, place) = (asked.integration.clone(), asked.place());
            let events = there.iter().filter(|(key, ..)| within(key));
            let events = events.flat_map(|(.., events)| events.iter().copied()).collect();
            self.shown.push(Shown { integration, place, to, at: now, events });
            return Ok(());
        }
        if let Some((key, ..)) = stayed.first().filter(|_| answer["done"] == true) {
            return Err(format!("done, it says, and {} is still there", key.text()));
        }
        if let Some(key) =
            doing.taken.keys().find(|key| ParkedKey::parse(key).is_none_or(|key| key.at.0 >= to))
        {
            return Err(format!("took {key}, and says that it went up to {to}"));
        }
        let taken = (doing.taken.len(), doing.taken.values().sum::<usize>());
        if exact && said != taken {
            return Err(format!("took {taken:?} deliveries and events, and says {said:?}"));
        }
        Ok(())
    }
}

impl Port {
    /// An operator asks for something.
    pub(crate) fn is_asked(&self, method: &str, path: &str, body: &Value) {
        let now = self.world.now();
        if let Some(asked) = Asked::read(method, path, body, now) {
            let invocation = self.invocation();
            self.world.with(|state| {
                let integration = Some(state.witness.number(&asked.integration));
                let about = About { integration, ..About::default() };
                state.note(now, about, || format!("admin#{invocation} is asked for {asked:?}"));
                state.witness.operated.begins(invocation, asked);
            });
        }
    }

    /// And gets this answer.
    pub(crate) fn has_answered(&self, answer: &Value) {
        let (now, invocation) = (self.world.now(), self.invocation());
        self.world.with(|state| {
            let Some(asked) = state.witness.operated.asked(invocation) else { return };
            let (place, id) = (asked.place(), asked.integration.clone());
            let integration = Some(state.witness.number(&id));
            let about = About { integration, ..About::default() };
            state.note(now, about.clone(), || format!("admin#{invocation} answers {answer}"));
            let put_at = |key: &str| state.objects.get(key).map_or(now, |(at, _)| *at);
            let there = state.witness.there(place, &id, put_at);
            let exact = state.plan.weather < Weather::Storm;
            let operated = &mut state.witness.operated;
            if let Err(what) = operated.answered(invocation, answer, &there, exact, now) {
                state.witness.violate(now, about, what);
            }
        });
    }
}
