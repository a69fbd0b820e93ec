//! What operators ask of deliveries that are laid aside, and what each request may do by that.

use std::collections::{BTreeMap, BTreeSet};

use flagpost_domain::{
    id::IntegrationId,
    parked::{ParkedKey, Place},
};
use serde_json::Value;

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PATH: &str = "/v1/projects/p/integrations/i";

    fn asked(what: &str, body: &Value) -> Asked {
        Asked::read("POST", &format!("{PATH}/{what}"), body, 1_000).unwrap()
    }

    fn key(place: Place, at: i64) -> ParkedKey {
        ParkedKey::named(place, &"i".into(), &format!("{at:013}-d-2")).unwrap()
    }

    #[test]
    fn a_request_may_do_what_it_asks_for() {
        let (dead, parked) = (Place::Dead, Place::Parked);
        let replay = asked("deliveries/replay", &json!({"from": 5, "to": 9}));
        assert!(replay.may_put(&key(parked, 5)) && replay.may_delete(&key(dead, 8)));
        assert!(replay.may_delete(&key(parked, 8)), "a copy is taken back");
        for key in [key(dead, 4), key(dead, 9), key(parked, 9)] {
            assert!(!replay.may_put(&key) && !replay.may_delete(&key), "{key:?}");
        }
        let one = asked("deliveries/dead/0000000000007-d-2/replay", &Value::Null);
        assert!(one.may_delete(&key(dead, 7)) && !one.may_delete(&key(dead, 6)));
        let purge = asked("deliveries/purge", &json!({"state": "parked"}));
        assert!(purge.may_delete(&key(parked, 7)) && !purge.may_put(&key(parked, 7)));
        assert!(!purge.may_delete(&key(dead, 7)));
        let dry = asked("resume", &json!({"from": "now", "dry_run": true}));
        assert!(dry.purges() && !dry.may_delete(&key(parked, 7)));
        assert!(Asked::read("POST", &format!("{PATH}/resume"), &json!({}), 0).is_none());
        assert!(Asked::read("GET", &format!("{PATH}/deliveries"), &Value::Null, 0).is_none());
    }

    #[test]
    fn what_no_dry_run_showed_is_not_purged() {
        let mut operated = Operated::default();
        let object = |at: i64, events: &[u32]| (key(Place::Dead, at), at, events.to_vec());
        let answer = |deliveries: u64, events: u64| json!({"deliveries": deliveries, "events": events, "done": true, "to": 50});
        let begin = |operated: &mut Operated, invocation, dry_run| {
            let body = json!({"state": "dead", "to": 50, "dry_run": dry_run});
            operated.begins(invocation, asked("deliveries/purge", &body));
        };
        begin(&mut operated, 1, true);
        let there = [object(7, &[1, 2])];
        assert!(operated.answered(1, &answer(0, 0), &there, true, 10).is_err(), "it was there");
        assert_eq!(operated.answered(1, &answer(1, 2), &there, true, 10), Ok(()));
        begin(&mut operated, 2, false);
        let takes = |operated: &mut Operated, events: &[u32], put_at| {
            operated.takes(2, &key(Place::Dead, 7), events, put_at, 5)
        };
        assert_eq!(takes(&mut operated, &[2], 30), Ok(()));
        assert_eq!(takes(&mut operated, &[3], 15), Ok(()), "it was on its way");
        assert!(takes(&mut operated, &[3], 30).is_err());
        assert!(operated.takes(3, &key(Place::Dead, 7), &[1], 7, 5).is_err(), "nobody asked");
        assert!(operated.answered(2, &answer(1, 1), &[], true, 40).is_ok());
        assert!(operated.answered(2, &answer(2, 3), &[], true, 40).is_err());
        assert!(operated.answered(2, &answer(1, 1), &there, true, 40).is_err(), "still there");
        assert!(operated.is_answered(2) && !operated.is_answered(3));
    }
}
