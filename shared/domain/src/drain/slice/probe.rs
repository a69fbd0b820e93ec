//! The probe: what is tried when a breaker's pause is over.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};

use super::{CHECK_EVERY, Slice, Step};
use crate::{
    beside::beside,
    breaker::Breaker,
    diagnose::{change_breaker, jitter},
    drain::{
        holds,
        tried::{Tried, Verdict},
    },
    health::{Route, Why},
    integration::Integration,
    ports::{Clock, PortResult, Ports},
};

/// So many parked deliveries are tried at the end of a pause while each is refused with an answer:
/// an endpoint that answers is not overloaded by them, and a few that it never takes do not keep it
/// shut.
const PROBES: usize = 5;
impl<P: Ports> Slice<'_, P> {
    /// The breaker's pause is over: one delivery says whether the endpoint is well again. It is the
    /// oldest, or the one after the last that failed, so that a poison delivery cannot keep a
    /// healthy endpoint shut.
    pub(super) async fn probe(&mut self) -> PortResult<Step> {
        let refused = self.refused.last().map(|part| &part.key);
        let last = refused.or(self.health.breaker.probed.as_ref()).cloned();
        let mut key = self.unprobed(last).await?;
        if key.is_none() {
            key = self.unprobed(None).await?;
        }
        if key.is_none()
            && let Some(last) = self.refused.pop()
        {
            // That is all there is.
            self.stay_open(last.key).await?;
            return Ok(Step::Look);
        }
        let Some(key) = key else {
            let now = self.drain.ports.clock().now();
            return self.end_of_pass(now).await;
        };
        // The drain itself begins at the oldest.
        self.listing.begin(None);
        let tried = self.try_watchfully(key.clone()).await;
        let verdict = tried.verdict();
        // First what became of the delivery: it may be with the endpoint already.
        let failed = if matches!(verdict, Verdict::Ill | Verdict::Refused) {
            self.part_probe(tried).await
        } else {
            self.settle(tried).await;
            Vec::new()
        };
        match verdict {
            Verdict::Well => self.is_well().await?,
            Verdict::Refused if self.refusals + 1 < PROBES && !failed.is_empty() => {
                self.refusals += 1;
                self.refused.extend(failed);
            }
            Verdict::Ill | Verdict::Refused | Verdict::Waits => {
                self.stay_open(failed.into_iter().next_back().map_or(key, |part| part.key)).await?;
            }
            Verdict::None => {}
        }
        Ok(Step::Look)
    }

    /// Makes an attempt, and looks meanwhile whether an operator has paused the integration: the attempt
    /// may wait long for its turn.
    async fn try_watchfully(&mut self, key: String) -> Tried {
        let drain = self.drain;
        let integration = Arc::clone(&self.integration);
        // Its own: the slice may go on after it.
        let stopped = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stopped);
        let turn = self.gate.turn(&stopped, self.latest());
        let mut under_way = FuturesUnordered::new();
        under_way.push(drain.try_key(integration, key.clone(), self.deadline, ended, turn));
        let mut done = VecDeque::new();
        loop {
            let sleep = pin!(drain.ports.clock().sleep(CHECK_EVERY));
            match select(under_way.next(), sleep).await {
                Either::Left((Some(tried), _)) => return tried,
                // There is one, until it is returned.
                Either::Left((None, _)) => return Tried::NotNow(key),
                Either::Right(_) => {}
            }
            let now = drain.ports.clock().now();
            let checked = beside(self.check(now), &mut under_way, &mut done).await;
            self.changed |= matches!(checked, Ok(false));
            let paused = matches!(self.health.route(), Route::Paced(Why::Paused));
            if self.changed || paused || !holds(&self.health, self.owner) {
                stopped.store(true, Ordering::Relaxed);
            }
            if let Some(tried) = done.pop_front() {
                return tried;
            }
        }
    }

    /// A probe succeeded.
    async fn is_well(&mut self) -> PortResult<()> {
        let (ports, policy) = (&self.drain.ports, &self.drain.policy.breaker);
        let Integration { project, id, .. } = &*self.integration;
        let close = |breaker: &Breaker, now| breaker.close(now);
        self.health = change_breaker(ports, policy, project, id, self.meter(), close).await?;
        self.gate.begin_again(ports.clock().now());
        // It needs no second look at the endpoint's health.
        self.seen.clear();
        self.refusals = 0;
        // What it refused before is at fault itself, and has had an attempt of its schedule.
        for part in std::mem::take(&mut self.refused) {
            self.settle_part(part).await;
        }
        Ok(())
    }

    /// The next delivery after this key that was not refused in this pause.
    async fn unprobed(&mut self, after: Option<String>) -> PortResult<Option<String>> {
        self.listing.begin(after);
        let latest = self.latest();
        while let Some(key) = self.listing.next(self.drain, &self.integration, latest).await? {
            if self.refused.iter().all(|part| part.key != key) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The pause is extended: the next probe is what comes after this key.
    pub(super) async fn stay_open(&mut self, probed: String) -> PortResult<()> {
        let (ports, policy) = (&self.drain.ports, &self.drain.policy.breaker);
        let Integration { project, id, .. } = &*self.integration;
        let jitter = jitter(ports);
        let extend = |breaker: &Breaker, now| breaker.extend(policy, &probed, now, jitter);
        self.health = change_breaker(ports, policy, project, id, self.meter(), extend).await?;
        self.refusals = 0;
        self.refused.clear();
        Ok(())
    }
}
