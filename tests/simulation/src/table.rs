//! The DynamoDB table: conditional writes on the latest state, and eventually consistent reads of
//! an earlier one.

use std::collections::BTreeMap;

use flagpost_domain::{
    attempt_log::Record,
    breaker::Breaker,
    health::{Health, Lease, Pause},
    id::{IntegrationId, ProjectId},
    integration::Integration,
    ledger::Counts,
    notice::Notice,
    ports::{
        AdminKey, Claim, EventHash, Found, KeyGrant, KeyHash, KeyListing, Once, Project,
        Remembered, Timer, Written,
    },
    time::Timestamp,
};

use crate::versioned::Versioned;

/// What is configured under an integration's id.
#[derive(Clone, Debug, PartialEq)]
pub enum Configured {
    /// The integration.
    Present(Box<Integration>),
    /// Its tombstone.
    Deleted,
}

/// A health item, and whether it is in the sparse index.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The item.
    pub health: Health,
    /// In the index of the unwell.
    pub unwell: bool,
    /// When the pause that is in force was written, by true time.
    pub paused_at: Option<i64>,
    /// When the breaker that is open was opened, by true time.
    pub opened_at: Option<i64>,
    /// When something was last parked, by true time.
    pub marked_at: i64,
}

/// The table.
#[derive(Debug, Default)]
pub struct Table {
    /// Projects.
    pub projects: BTreeMap<ProjectId, Project>,
    /// Keys by hash.
    pub keys: BTreeMap<KeyHash, KeyListing>,
    /// Admin keys by hash.
    pub admin_keys: BTreeMap<KeyHash, AdminKey>,
    /// Creations under idempotency keys, and until when they are remembered.
    pub creations: BTreeMap<String, (Remembered, Timestamp)>,
    /// Integrations and tombstones.
    pub integrations: BTreeMap<ProjectId, BTreeMap<IntegrationId, Versioned<Configured>>>,
    /// Health.
    pub health: BTreeMap<IntegrationId, Versioned<Item>>,
    /// The ledger.
    pub ledger: BTreeMap<IntegrationId, BTreeMap<String, Counts>>,
    /// Operational events that were published, and how often each call took effect.
    pub notices: Vec<Notice>,
    /// The delivery log.
    pub attempts: BTreeMap<IntegrationId, BTreeMap<String, Record>>,
    /// Events that were accepted or are claimed: until when, and when they expire.
    pub seen: BTreeMap<EventHash, (Option<Timestamp>, Timestamp)>,
    /// Health items written, for what a healthy integration costs.
    pub health_writes: u64,
}

impl Table {
    /// The grant of a key.
    pub fn key(&self, hash: &KeyHash) -> Option<KeyGrant> {
        self.keys.get(hash).map(|listing| listing.grant.clone())
    }

    /// Whether a creation was made, or is another one than it was.
    pub fn is_complete(&self, once: Option<&Once>) -> bool {
        let Some(once) = once else { return false };
        let open = |one: &Remembered| !one.done && one.salt == once.salt;
        !self.creations.get(&once.name).is_some_and(|(one, _)| open(one))
    }

    /// Marks a creation as made: whether it still was to be.
    pub fn complete(&mut self, once: Option<&Once>) -> bool {
        let open = !self.is_complete(once);
        if let Some((one, _)) = once.and_then(|once| self.creations.get_mut(&once.name)) {
            one.done |= open;
        }
        open
    }

    /// Claims an event, if its condition holds.
    pub fn claim(
        &mut self,
        event: &EventHash,
        now: Timestamp,
        until: Timestamp,
        expires: Timestamp,
    ) -> Claim {
        let claim = match self.seen.get(event) {
            Some((held, gone)) if *gone > now && held.is_none() => Claim::Seen,
            Some((Some(held), gone)) if *gone > now && *held > now => Claim::Held,
            _ => Claim::Taken,
        };
        if claim == Claim::Taken {
            self.seen.insert(event.clone(), (Some(until), expires));
        }
        claim
    }

    /// Ends a claim that was made until `until`.
    pub fn release(&mut self, event: &EventHash, until: Timestamp) {
        if self.seen.get(event).is_some_and(|(held, _)| *held == Some(until)) {
            self.seen.remove(event);
        }
    }

    /// A project's integrations as they were at `at`.
    pub fn integrations_as_of(&self, project: &ProjectId, at: i64) -> Vec<Integration> {
        let all = self.integrations.get(project).into_iter().flat_map(BTreeMap::values);
        all.filter_map(|one| match one.as_of(at) {
            Some(Configured::Present(integration)) => Some((**integration).clone()),
            _ => None,
        })
        .collect()
    }

    /// What is configured now.
    pub fn configured(&self, project: &ProjectId, id: &IntegrationId) -> Option<&Configured> {
        Some(self.integrations.get(project)?.get(id)?.latest())
    }

    /// One integration, read consistently.
    pub fn integration(&self, project: &ProjectId, id: &IntegrationId) -> Found {
        match self.configured(project, id) {
            Some(Configured::Present(integration)) => Found::Present(integration.clone()),
            Some(Configured::Deleted) => Found::Deleted,
            None => Found::Unknown,
        }
    }

    /// The index of the unwell, each item as it was at the time that `at` says.
    pub fn unwell(&self, mut at: impl FnMut() -> i64) -> Vec<Health> {
        let items = self.health.values().filter_map(|item| item.as_of(at()));
        items.filter(|item| item.unwell).map(|item| item.health.clone()).collect()
    }

    /// One health item, read consistently.
    pub fn health(&self, project: &ProjectId, id: &IntegrationId) -> Health {
        self.health.get(id).map_or_else(
            || Health::new(project.clone(), id.clone()),
            |item| item.latest().health.clone(),
        )
    }

    /// A conditional write of a health item; one that was never written is as good as new.
    pub fn change<T>(
        &mut self,
        project: &ProjectId,
        id: &IntegrationId,
        now: i64,
        change: impl FnOnce(&mut Item) -> T,
    ) -> T {
        let mut item = self.health.get(id).map_or_else(
            || Item {
                health: Health::new(project.clone(), id.clone()),
                unwell: false,
                paused_at: None,
                opened_at: None,
                marked_at: i64::MIN,
            },
            |item| item.latest().clone(),
        );
        let before = item.clone();
        let result = change(&mut item);
        if item != before {
            self.health_writes += 1;
            match self.health.get_mut(id) {
                Some(versioned) => versioned.set(item, now),
                None => {
                    self.health.insert(id.clone(), Versioned::new(item, now));
                }
            }
        }
        result
    }

    /// A conditional write of an item that must be there.
    pub fn change_known<T: Default>(
        &mut self,
        id: &IntegrationId,
        now: i64,
        change: impl FnOnce(&mut Item) -> T,
    ) -> T {
        let Some(item) = self.health.get(id) else { return T::default() };
        let project = item.latest().health.project.clone();
        self.change(&project, id, now, change)
    }

    /// The index of timers, each item as it was at the time that `at` says.
    pub fn overdue(&self, before: Timestamp, mut at: impl FnMut() -> i64) -> Vec<Timer> {
        let items = self.health.values().filter_map(|item| item.as_of(at()));
        items
            .filter_map(|item| {
                let due = item.health.next_wake_at.filter(|due| *due < before)?;
                Some(Timer { health: item.health.clone(), due })
            })
            .collect()
    }

    fn name_taken(&self, project: &ProjectId, id: &IntegrationId, name: &str) -> bool {
        self.integrations.get(project).into_iter().flatten().any(|(other, one)| {
            other != id && matches!(one.latest(), Configured::Present(one) if one.name == name)
        })
    }

    /// Adds an integration.
    pub fn create_integration(&mut self, new: &Integration, now: i64) -> Written {
        if !self.projects.contains_key(&new.project) {
            return Written::Stale;
        }
        if self.name_taken(&new.project, &new.id, &new.name) {
            return Written::Taken;
        }
        let of_project = self.integrations.entry(new.project.clone()).or_default();
        if of_project.contains_key(&new.id) {
            return Written::Taken;
        }
        let value = Configured::Present(Box::new(new.clone()));
        of_project.insert(new.id.clone(), Versioned::new(value, now));
        Written::Done
    }

    /// Replaces an integration, or puts its tombstone, if its version is still the same.
    pub fn replace_integration(
        &mut self,
        old: &Integration,
        new: Option<&Integration>,
        now: i64,
    ) -> Written {
        if let Some(new) = new
            && self.name_taken(&new.project, &new.id, &new.name)
        {
            return Written::Taken;
        }
        let one =
            self.integrations.get_mut(&old.project).and_then(|project| project.get_mut(&old.id));
        let Some(one) = one else { return Written::Stale };
        match one.latest() {
            Configured::Present(present) if present.version == old.version => {
                let value =
                    new.map_or(Configured::Deleted, |new| Configured::Present(new.clone().into()));
                one.set(value, now);
                Written::Done
            }
            _ => Written::Stale,
        }
    }
}

impl Item {
    /// Replaces the breaker by compare and swap.
    pub fn swap_breaker(&mut self, read: &Health, new: &Breaker, calm: bool, now: i64) -> bool {
        let health = &mut self.health;
        let behind = health.breaker_version != read.breaker_version;
        if behind || (calm && health.pause.is_some()) {
            return false;
        }
        match (health.breaker.open, new.open) {
            (None, Some(_)) => self.opened_at = Some(now),
            (_, None) => self.opened_at = None,
            (Some(_), Some(_)) => {}
        }
        health.breaker = new.clone();
        health.breaker_version += 1;
        self.unwell = !calm;
        true
    }

    /// Sets or lifts the pause: whether it was otherwise.
    pub fn set_pause(&mut self, pause: Option<&Pause>, now: i64) -> bool {
        let changed = self.health.pause.is_some() != pause.is_some();
        if pause.is_none() {
            self.paused_at = None;
        } else if self.health.pause.is_none() {
            self.paused_at = Some(now);
        }
        self.health.pause = pause.cloned();
        self.unwell = true;
        changed
    }

    /// Notes that something was parked.
    pub fn mark_backlog(&mut self, wake_at: Timestamp, now: i64) -> Option<u64> {
        self.marked_at = now;
        let health = &mut self.health;
        health.backlog_gen += 1;
        let later = |due: Timestamp| due > wake_at && health.lease.is_none();
        if health.next_wake_at.is_some_and(|due| !later(due)) {
            return None;
        }
        health.next_wake_at = Some(wake_at);
        health.wake_gen += 1;
        Some(health.wake_gen)
    }

    fn holds(&self, owner: &str) -> bool {
        self.health.lease.as_ref().is_some_and(|lease| lease.owner == owner)
    }

    /// Sets the timer anew.
    pub fn set_timer(
        &mut self,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> Option<u64> {
        if self.health.wake_gen != expected || owner.is_some_and(|owner| !self.holds(owner)) {
            return None;
        }
        if owner.is_some() {
            self.health.lease = None;
        }
        self.health.next_wake_at = Some(wake_at);
        self.health.wake_gen += 1;
        Some(self.health.wake_gen)
    }

    /// Takes the lease.
    pub fn take_lease(&mut self, owner: &str, now: Timestamp, until: Timestamp) -> bool {
        let free = self.health.lease.as_ref().is_none_or(|l| l.until <= now || l.owner == owner);
        if free {
            self.health.lease = Some(Lease { owner: owner.to_owned(), until });
        }
        free
    }

    /// Releases the lease.
    pub fn release_lease(&mut self, owner: &str) -> bool {
        let held = self.holds(owner);
        if held {
            self.health.lease = None;
        }
        held
    }

    /// Clears timer and lease.
    pub fn finish(&mut self, owner: &str, backlog_gen: u64) -> bool {
        if !self.holds(owner) || self.health.backlog_gen != backlog_gen {
            return false;
        }
        self.health.lease = None;
        self.health.next_wake_at = None;
        self.health.told_old_at = None;
        true
    }

    /// Notes that it was told of an old backlog: whether there is one, and it was not before.
    pub fn mark_told(&mut self, at: Timestamp) -> bool {
        let new = self.health.told_old_at.is_none() && self.health.next_wake_at.is_some();
        if new {
            self.health.told_old_at = Some(at);
        }
        new
    }
}
