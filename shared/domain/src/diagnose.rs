//! Writing what attempts said about an endpoint's health.
//!
//! A healthy integration costs no writes: its successes are remembered by the container, and go
//! along with the next failure that it sees.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use lru::LruCache;

use crate::{
    breaker::{Before, Breaker, Observation, Policy, is_slow, keep_recent},
    health::{Health, Pause},
    id::{IntegrationId, ProjectId},
    metrics::Meter,
    notice::{By, Change, tell},
    ports::{Clock, HealthStore, PortError, PortResult, Ports, Random},
    time::Timestamp,
};

/// Tries at a write that others keep getting ahead of.
const TRIES: usize = 5;
/// Integrations whose successes a container remembers.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// What a container saw of well endpoints, and did not write.
#[derive(Debug)]
pub struct Unwritten(Mutex<LruCache<IntegrationId, Before>>);

impl Default for Unwritten {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Unwritten {
    /// Takes what is remembered of an integration.
    pub fn take(&self, id: &IntegrationId) -> Before {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.pop(id).unwrap_or_default()
    }

    /// Remembers.
    pub fn keep(&self, id: &IntegrationId, before: Before) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.put(id.clone(), before);
    }
}

/// Whether these observations are worth a write: a failure, or slowness.
pub fn is_telling(before: &Before, seen: &[Observation]) -> bool {
    let mut recent_ms = before.recent_ms.clone();
    recent_ms.extend(seen.iter().map(Observation::latency_ms));
    keep_recent(&mut recent_ms);
    seen.iter().any(|one| one.ill) || is_slow(&recent_ms)
}

/// Counts observations into the stored breaker. A write that fails is dropped: the next failure
/// comes soon if the endpoint is ill.
pub async fn observe<P: Ports>(
    ports: &P,
    policy: &Policy,
    project: &ProjectId,
    id: &IntegrationId,
    meter: Meter<'_>,
    seen: &[Observation],
    before: &Before,
) -> Option<Health> {
    let jitter = jitter(ports);
    let change = |breaker: &Breaker, now| breaker.observe(policy, seen, before, now, jitter);
    match change_breaker(ports, policy, project, id, meter, change).await {
        Ok(health) => Some(health),
        Err(error) => {
            tracing::warn!(%error, integration = %id, "health not written");
            None
        }
    }
}

/// Changes a stored breaker by compare and swap: what is there now.
pub async fn change_breaker<P: Ports>(
    ports: &P,
    policy: &Policy,
    project: &ProjectId,
    id: &IntegrationId,
    meter: Meter<'_>,
    change: impl Fn(&Breaker, Timestamp) -> Breaker,
) -> PortResult<Health> {
    let mut health = ports.store().health(project, id).await?;
    for _ in 0..TRIES {
        let now = ports.clock().now();
        let breaker = change(&health.breaker, now);
        if breaker == health.breaker {
            return Ok(health);
        }
        let calm = breaker.is_calm(policy, now) && health.pause.is_none();
        if ports.store().swap_breaker(&health, &breaker, calm).await? {
            log(&health, &breaker);
            if health.breaker.open.is_none() && breaker.open.is_some() {
                meter.opened();
            }
            let change = Change::of_breaker(&health.breaker, &breaker);
            tell(ports, project, id, change.into_iter().collect()).await;
            health.breaker_version += 1;
            health.breaker = breaker;
            return Ok(health);
        }
        health = ports.store().health(project, id).await?;
    }
    Err(PortError::Throttled {
        call: "swap_breaker",
        reason: format!("others were ahead {TRIES} times"),
    })
}

/// Pauses an integration because its endpoint answered 410 Gone: its health then.
pub async fn pause_gone<P: Ports>(
    ports: &P,
    project: &ProjectId,
    id: &IntegrationId,
) -> PortResult<Health> {
    let mut health = ports.store().health(project, id).await?;
    // An operator's pause keeps its reason.
    if health.pause.is_none() {
        let at = ports.clock().now();
        let pause = Pause { at, reason: "the endpoint answered 410 Gone".to_owned() };
        let changed = ports.store().set_pause(project, id, Some(&pause)).await?;
        tracing::warn!(integration = %id, "paused: the endpoint answered 410 Gone");
        if changed {
            let (by, reason) = (By::Endpoint, pause.reason.clone());
            let change = Change::Paused { by, reason, until: None };
            tell(ports, project, id, vec![change]).await;
        }
        health.pause = Some(pause);
    }
    Ok(health)
}

/// A number in −1..=1.
pub fn jitter<P: Ports>(ports: &P) -> f64 {
    let bytes = ports.random().bytes();
    let number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(number) / f64::from(u32::MAX) * 2.0 - 1.0
}

fn log(health: &Health, after: &Breaker) {
    let integration = &health.integration;
    match (health.breaker.open, after.open) {
        (None, Some(open)) => {
            tracing::warn!(%integration, cause = ?open.cause, until_ms = open.until.0, "breaker opened");
        }
        (Some(_), None) => tracing::info!(%integration, "breaker closed"),
        (Some(before), Some(open)) if before.until != open.until => {
            tracing::info!(%integration, until_ms = open.until.0, "pause extended");
        }
        _ => {}
    }
    if health.breaker.slow != after.slow {
        tracing::info!(%integration, slow = after.slow, "slowness changed");
    }
}
