//! What is laid aside: written, deleted for one reason or another, and what the ledger should say of it.

use flagpost_domain::{
    id::IntegrationId,
    message::Aside,
    parked::{ParkedKey, Place},
};

use super::{Witness, numbers};
use crate::{
    asked::{Asked, Object},
    told::What,
    trace::About,
};

/// What became of what was laid aside, in events: what the ledger should say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAside {
    /// They went into `dead/`.
    pub dead: u64,
    /// They came out of it.
    pub undead: u64,
    /// Their time was over.
    pub expired: u64,
    /// An operator dropped them.
    pub discarded: u64,
}

/// Why an object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A function has seen to it.
    SeenTo,
    /// Its time is over.
    Expired,
    /// An operator asked for it, by this invocation.
    Asked(u64),
}

impl Witness {
    /// An object was written by this invocation, by one that an operator asked for if `asked`. What it is
    /// about.
    pub fn put(&mut self, key: &str, body: &[u8], by: u64, asked: bool, now: i64) -> About {
        let (Some(parsed), Ok(aside)) = (ParkedKey::parse(key), Aside::decode(body)) else {
            return About::default();
        };
        if asked && let Err(what) = self.replays(by, &parsed, &aside) {
            let about =
                About { integration: Some(self.number(&parsed.integration)), ..About::default() };
            self.violate(now, about, what);
        }
        let before = self.objects.remove(key);
        let again = before.is_some();
        // A delivery that is in two messages may die twice at the same moment.
        let same = before.as_ref().is_some_and(|before| before.by == by);
        if let Some(before) = before {
            // Written over with the same: the new copy is counted below.
            for event in &before.events {
                let pair = (before.integration, *event);
                if let Some(copies) = self.copies.get_mut(&pair) {
                    *copies -= 1;
                    if *copies == 0 {
                        self.copies.remove(&pair);
                    }
                }
            }
        }
        let mut copy = self.copy(&aside.integration, aside.id.to_string(), numbers(&aside.events));
        copy.by = by;
        let about = About { integration: Some(copy.integration), events: copy.events.clone() };
        let makes = self.is_making(copy.integration);
        let checked = match parsed.place {
            Place::Parked => self.attempts.parked(&aside, &copy.events, makes, again, now),
            Place::Dead => {
                if !same {
                    self.aside.entry(copy.integration).or_default().dead += parsed.count;
                    self.told
                        .changed(&parsed.integration, What::Dead(parsed.delivery, parsed.count));
                }
                self.dead.extend(copy.events.iter().map(|event| (copy.integration, *event)));
                self.attempts.dead(&copy.delivery, &copy.events, makes, now)
            }
        };
        self.objects.insert(key.to_owned(), copy);
        if let Err(what) = checked {
            self.violate(now, about.clone(), what);
        }
        about
    }

    /// An operator's invocation writes a copy of what is dead.
    fn replays(&mut self, by: u64, key: &ParkedKey, aside: &Aside) -> Result<(), String> {
        let text = key.text();
        let asked = self.operated.asked(by);
        if !asked.is_some_and(|asked| asked.may_put(key)) {
            return Err(format!("{text} was put, and asked for was {asked:?}"));
        }
        let events = numbers(&aside.events);
        let dead = self.objects.get(&key.moved(Place::Dead).text());
        if dead.is_some_and(|dead| dead.events != events || dead.delivery != aside.id.as_str()) {
            return Err(format!("{text} is no copy of {dead:?}"));
        }
        self.attempts.replayed(aside.id.as_str(), &events);
        self.operated.replays(key);
        Ok(())
    }

    /// An object was deleted, that was put there at `put_at`. A call may be on its way for `way_ms`.
    pub fn deleted_object(
        &mut self,
        key: &str,
        why: Why,
        put_at: i64,
        way_ms: i64,
        now: i64,
    ) -> About {
        let Some(copy) = self.objects.remove(key) else { return About::default() };
        let Some(parsed) = ParkedKey::parse(key) else { return About::default() };
        let about = About { integration: Some(copy.integration), events: copy.events.clone() };
        // Whoever drains deletes what it has seen to, however old.
        let why = if why == Why::Expired && self.is_seen_to(&copy) { Why::SeenTo } else { why };
        let mut dropped = false;
        if let Why::Asked(by) = why {
            let taken = self.operated.takes(by, &parsed, &copy.events, put_at, way_ms);
            if let Err(what) = taken {
                self.violate(now, about.clone(), what);
            }
            dropped = self.operated.asked(by).is_some_and(Asked::purges);
        }
        if dropped {
            self.attempts.dropped(&copy.delivery, &copy.events);
        }
        let aside = self.aside.entry(copy.integration).or_default();
        aside.undead += if parsed.place == Place::Dead { parsed.count } else { 0 };
        aside.expired += if why == Why::Expired { parsed.count } else { 0 };
        aside.discarded += if dropped { parsed.count } else { 0 };
        match parsed.place {
            Place::Parked => self.attempts.unparked(&copy.delivery, &copy.events, now),
            Place::Dead if matches!(why, Why::Asked(_)) => {
                for event in &copy.events {
                    self.dead.remove(&(copy.integration, *event));
                }
            }
            Place::Dead => {}
        }
        self.uncopy(&copy, why, now, "deleting its object");
        about
    }

    /// Whether every event of this copy was delivered, or has another.
    fn is_seen_to(&self, copy: &super::Copy) -> bool {
        copy.events.iter().all(|event| {
            let pair = (copy.integration, *event);
            // One copy may have an event more than once: it was posted so.
            let here = copy.events.iter().filter(|other| *other == event).count();
            self.delivered.contains_key(&pair)
                || self.copies.get(&pair).is_some_and(|&copies| copies as usize > here)
        })
    }

    /// What is in one place for an integration.
    pub fn there(
        &self,
        place: Place,
        id: &IntegrationId,
        put_at: impl Fn(&str) -> i64,
    ) -> Vec<Object> {
        let all = self.objects.iter().filter_map(|(text, copy)| {
            let key = ParkedKey::parse(text)?;
            let here = key.place == place && key.integration == *id;
            here.then(|| (key, put_at(text), copy.events.clone()))
        });
        let mut there: Vec<_> = all.collect();
        there.sort_by_key(|(key, ..)| key.name());
        there
    }
}
