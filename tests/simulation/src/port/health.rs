//! Health items: their conditional writes, and whether what is written makes sense.

use flagpost_domain::{
    breaker::{Breaker, Cause},
    health::{Health, Pause},
    id::{IntegrationId, ProjectId},
    ports::{Clock, HealthStore, PortResult, Timer},
    time::{Timestamp, millis},
};

use crate::{
    fault::{Fault, Weather},
    table::Configured,
    trace::About,
};

use super::Port;

/// DynamoDB: bytes of one item. A breaker is to stay far below.
const ITEM_BYTES: usize = 400 * 1024;

impl HealthStore for Port {
    async fn unwell(&self) -> PortResult<Vec<Health>> {
        let lag = self.world.setting.lag_ms;
        self.call("dynamodb:Query unwell", move |state, now| {
            let lags: Vec<i64> =
                (0..state.table.health.len()).map(|_| state.seen_as_of(now, lag)).collect();
            let mut lags = lags.into_iter();
            state.table.unwell(|| lags.next().unwrap_or(now))
        })
        .await
    }

    async fn health(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Health> {
        let (project, id) = (project.clone(), id.clone());
        self.call("dynamodb:GetItem health", move |state, _| state.table.health(&project, &id))
            .await
    }

    async fn swap_breaker(
        &self,
        health: &Health,
        breaker: &Breaker,
        calm: bool,
    ) -> PortResult<bool> {
        let (read, new) = (health.clone(), breaker.clone());
        let bytes = serde_json::to_vec(&new).map_or(usize::MAX, |text| text.len());
        let small = if bytes < ITEM_BYTES / 4 { Ok(()) } else { Err(format!("{bytes} bytes")) };
        if let Err(what) = self.check_pause(&read, &new).and(small) {
            let now = self.world.now();
            self.world.with(|state| {
                let integration = Some(state.witness.number(&read.integration));
                let about = About { integration, ..About::default() };
                state.witness.violate(now, about, what);
            });
        }
        let Health { project, integration, .. } = health;
        if health.breaker.open.is_none() && breaker.open.is_some() {
            self.world.with(|state| state.witness.told.tries(integration));
        }
        self.change("swap_breaker", Some(project), integration, move |item, now| {
            item.swap_breaker(&read, &new, calm, now)
        })
        .await
    }

    async fn set_pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        pause: Option<&Pause>,
    ) -> PortResult<bool> {
        if pause.is_none() {
            self.check_lifted(id);
        }
        let pause = pause.cloned();
        self.change("set_pause", Some(project), id, move |item, now| {
            item.set_pause(pause.as_ref(), now)
        })
        .await
    }

    async fn mark_backlog(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        wake_at: Timestamp,
    ) -> PortResult<Option<u64>> {
        // Nothing is parked by `drain`: it found what nobody knew of.
        self.heals(id, "found something parked without a timer");
        self.change("mark_backlog", Some(project), id, move |item, now| {
            item.mark_backlog(wake_at, now)
        })
        .await
    }

    async fn set_timer(
        &self,
        id: &IntegrationId,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> PortResult<Option<u64>> {
        if owner.is_none() {
            self.heals(id, "swept a timer whose wake-up was lost");
        }
        let owner = owner.map(str::to_owned);
        self.change("set_timer", None, id, move |item, _| {
            item.set_timer(expected, wake_at, owner.as_deref())
        })
        .await
    }

    async fn take_lease(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        let invocation = self.invocation();
        self.world.with(|state| state.slices.owner(owner, invocation, id));
        let owner = owner.to_owned();
        self.change("take_lease", Some(project), id, move |item, _| {
            item.take_lease(&owner, now, until)
        })
        .await
    }

    async fn release_lease(&self, id: &IntegrationId, owner: &str) -> PortResult<bool> {
        let owner = owner.to_owned();
        self.change("release_lease", None, id, move |item, _| item.release_lease(&owner)).await
    }

    async fn mark_told(&self, id: &IntegrationId, at: Timestamp) -> PortResult<bool> {
        self.change("mark_told", None, id, move |item, _| item.mark_told(at)).await
    }

    async fn finish(&self, id: &IntegrationId, owner: &str, backlog_gen: u64) -> PortResult<bool> {
        let owner = owner.to_owned();
        let (whose, invocation) = (id.clone(), self.invocation());
        let finished = self
            .change("finish", None, id, move |item, _| {
                (item.finish(&owner, backlog_gen), item.marked_at)
            })
            .await;
        let (finished, marked_at) = finished?;
        let now = self.world.now();
        self.world.with(|state| {
            // Nothing was parked since it began to list what there is.
            let since = state.slices.pass_since(invocation);
            if finished && since.is_some_and(|since| marked_at > since) {
                let integration = Some(state.witness.number(&whose));
                let about = About { integration, ..About::default() };
                state.witness.violate(
                    now,
                    about,
                    "finished, though something was parked meanwhile",
                );
            }
        });
        Ok(finished)
    }

    async fn overdue(&self, before: Timestamp) -> PortResult<Vec<Timer>> {
        let lag = self.world.setting.lag_ms;
        self.call("dynamodb:Query timers", move |state, now| {
            let lags: Vec<i64> =
                (0..state.table.health.len()).map(|_| state.seen_as_of(now, lag)).collect();
            let mut lags = lags.into_iter();
            state.table.overdue(before, || lags.next().unwrap_or(now))
        })
        .await
    }
}

impl Port {
    /// `drain` makes good for something that went wrong: then something must have.
    fn heals(&self, id: &IntegrationId, what: &str) {
        if !self.drains() {
            return;
        }
        let now = self.world.now();
        self.world.with(|state| {
            let configured = state.table.integrations.values().find_map(|project| project.get(id));
            // The timer of one that is disabled stands, and is looked at again and again.
            let enabled = configured
                .is_some_and(|one| matches!(one.latest(), Configured::Present(one) if one.enabled));
            // It may have been resumed, or enabled, a moment ago.
            let before = |since: i64| since < now - 60_000;
            let settled = configured.is_some_and(|one| before(one.since()))
                && state.table.health.get(id).is_none_or(|item| before(item.since()));
            // A drain whose time ran out, by slow calls of everything, is as good as killed.
            let exhausted = state.tally.of(Fault::OutOfTime) > 0;
            if enabled && settled && !exhausted && state.plan.weather < Weather::Storm {
                let integration = Some(state.witness.number(id));
                state.witness.violate(now, About { integration, ..About::default() }, what);
            }
        });
    }

    /// Pauses are as long as they are said to be.
    fn check_pause(&self, read: &Health, new: &Breaker) -> Result<(), String> {
        let Some(open) = new.open else { return Ok(()) };
        let before = read.breaker.open;
        if before.is_some_and(|before| before.until == open.until) {
            return Ok(());
        }
        let policy = &self.world.setting.policy.breaker;
        let length = open.until.0 - self.now().0;
        // What the endpoint asked for stands, where it is longer.
        let asked = open.cause == Cause::RetryAfter || before.is_some();
        let most = millis(policy.pause_max) * 11 / 10 + 1;
        let most = if asked { most.max(3_600_000) } else { most };
        let doubled = |level: u32| {
            millis(policy.pause_first).saturating_mul(2i64.saturating_pow(level.min(16)))
        };
        let levels =
            [0, read.breaker.level].map(doubled).map(|ms| ms.min(millis(policy.pause_max)));
        let fits = levels.iter().any(|ms| (ms * 9 / 10 - 1..=ms * 11 / 10 + 1).contains(&length));
        if length > most || (!asked && !fits) || length < 0 {
            return Err(format!("a pause of {length} ms at level {}", read.breaker.level));
        }
        Ok(())
    }
}
