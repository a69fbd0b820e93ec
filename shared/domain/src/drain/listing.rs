//! Passes over what is parked, oldest first. What is long past its time is ended on the way.

use std::collections::{HashSet, VecDeque};

use crate::{
    integration::Integration,
    parked::{ParkedKey, Place},
    ports::{Clock, HealthStore, Objects, PortResult, Ports},
    time::Timestamp,
};

use super::{
    Drain,
    expire::{EVERY, expired},
};

/// A pass, and what is left out of it.
#[derive(Debug)]
pub(super) struct Listing {
    /// What was parked before then is ended. It stays the same from pass to pass, so that what was tried is
    /// not ended as well.
    past: Timestamp,
    page: VecDeque<String>,
    after: Option<String>,
    /// The backlog's generation before the pass began; `None` before that.
    backlog_gen: Option<u64>,
    ended: bool,
    found: bool,
    /// Keys that stay where they are, whatever this slice does.
    pub(super) left: HashSet<String>,
}

impl Listing {
    /// Whoever drains without a pause never leaves the lease to the expiry: so the drain itself ends what
    /// that would have ended a run ago. Until then it delivers it.
    pub(super) fn new<P: Ports>(drain: &Drain<P>) -> Self {
        Self::after(drain.ports.clock().now().minus(drain.retention.parked + EVERY), None)
    }

    fn after(past: Timestamp, after: Option<String>) -> Self {
        Self {
            past,
            page: VecDeque::new(),
            after,
            backlog_gen: None,
            ended: false,
            found: false,
            left: HashSet::new(),
        }
    }

    /// Begins a new pass, after this key. Whether the last one found anything.
    pub(super) fn begin(&mut self, after: Option<String>) -> bool {
        let left = std::mem::take(&mut self.left);
        let next = Self { left, ..Self::after(self.past, after) };
        let last = std::mem::replace(self, next);
        last.found
    }

    /// The backlog's generation before the pass began.
    pub(super) fn backlog_gen(&self) -> Option<u64> {
        self.backlog_gen
    }

    /// It was not tried after all: it comes next.
    pub(super) fn put_back(&mut self, key: String) {
        self.page.push_front(key);
    }

    /// The next key, but for those that are left. What is ended on the way may not be done with by `until`: then there
    /// is none yet, and the pass has found something.
    pub(super) async fn next<P: Ports>(
        &mut self,
        drain: &Drain<P>,
        integration: &Integration,
        until: Timestamp,
    ) -> PortResult<Option<String>> {
        let Integration { project, id, .. } = integration;
        loop {
            while let Some(key) = self.page.pop_front() {
                if !self.left.contains(&key) {
                    self.found = true;
                    return Ok(Some(key));
                }
            }
            if self.ended {
                return Ok(None);
            }
            if self.backlog_gen.is_none() {
                self.backlog_gen = Some(drain.ports.store().health(project, id).await?.backlog_gen);
            }
            let prefix = Place::Parked.prefix(id);
            let page = drain.ports.objects().list(&prefix, self.after.as_deref()).await?;
            self.ended = page.is_empty();
            self.after = page.last().map(|listed| listed.key.clone());
            let mut past = Vec::new();
            for listed in page {
                let old = listed.modified < self.past && !self.left.contains(&listed.key);
                match ParkedKey::parse(&listed.key).filter(|_| old) {
                    Some(parsed) => past.push((listed.key, parsed)),
                    None => self.page.push_back(listed.key),
                }
            }
            if past.is_empty() {
                continue;
            }
            self.left.extend(drain.remove(Place::Parked, past, expired).await);
            if self.page.is_empty() && drain.ports.clock().now() > until {
                self.found = true;
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        drain::tests::{EVER, backlog, drain},
        memory::{World, integration},
    };

    #[tokio::test]
    async fn what_is_put_back_comes_next() {
        let world = World::with(vec![integration("a")]);
        backlog(&world, 2).await;
        let (drain, integration) = (drain(&world), integration("a"));
        let mut listing = Listing::new(&drain);
        let first = listing.next(&drain, &integration, EVER).await.unwrap().unwrap();
        listing.put_back(first.clone());
        assert_eq!(listing.next(&drain, &integration, EVER).await.unwrap(), Some(first.clone()));
        let second = listing.next(&drain, &integration, EVER).await.unwrap();
        assert!(second.is_some_and(|second| second > first));
    }
    #[tokio::test]
    async fn where_ending_what_is_old_takes_all_the_time_the_pass_found_something() {
        let world = World::with(vec![integration("a")]);
        backlog(&world, 3).await;
        world.pass(Duration::from_hours(24 * 15 + 1));
        let (drain, integration) = (drain(&world), integration("a"));
        let mut listing = Listing::new(&drain);
        let late = world.time().minus(Duration::from_secs(1));
        assert_eq!(listing.next(&drain, &integration, late).await.unwrap(), None);
        assert!(world.keys("parked/").is_empty() && world.counts("a").expired == 3);
        assert!(listing.begin(None), "there may be more");
        assert_eq!(listing.next(&drain, &integration, EVER).await.unwrap(), None);
        assert!(!listing.begin(None));
    }
}
