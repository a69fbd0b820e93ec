//! What is known of one integration's health, and how it is therefore served.

use serde::{Deserialize, Serialize};

use crate::{
    breaker::Breaker,
    id::{IntegrationId, ProjectId},
    time::Timestamp,
};

/// Why an operator's pause is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// `operator`, what the operator gave as the reason, or that the endpoint answered 410 Gone.
    pub reason: String,
}

/// The right to probe and drain one integration; one function at a time has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who: one invocation.
    pub owner: String,
    /// Until when, if it is not released before.
    pub until: Timestamp,
}

/// One integration's health item. The default is what an integration has that was never unwell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whose health.
    pub integration: IntegrationId,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// Failures, breaker, slowness: written as one, by compare and swap on `breaker_version`.
    pub breaker: Breaker,
    /// 0 when it was never written.
    pub breaker_version: u64,
    /// The operator's pause; independent of the breaker.
    pub pause: Option<Pause>,
    /// Who drains.
    pub lease: Option<Lease>,
    /// When the timer is due; set while deliveries may be parked.
    pub next_wake_at: Option<Timestamp>,
    /// Which wake-up is valid: older ones are dropped.
    pub wake_gen: u64,
    /// Grows whenever something was parked.
    pub backlog_gen: u64,
    /// When it was told that the backlog is old, since it was last empty.
    pub told_old_at: Option<Timestamp>,
}

/// How an integration's deliveries go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// From `batch`, at once.
    Direct,
    /// By parking and draining.
    Paced(Why),
}

/// Why an integration is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The operator, or 410 Gone, paused it.
    Paused,
    /// Its breaker is open; the first probe may go out at this time.
    Open(Timestamp),
    /// It answers too slowly to hold an invocation of `batch`.
    Slow,
}

impl Health {
    /// The health of an integration that was never unwell.
    pub fn new(project: ProjectId, integration: IntegrationId) -> Self {
        Self {
            integration,
            project,
            breaker: Breaker::default(),
            breaker_version: 0,
            pause: None,
            lease: None,
            next_wake_at: None,
            wake_gen: 0,
            backlog_gen: 0,
            told_old_at: None,
        }
    }

    /// Direct, or why not.
    pub fn route(&self) -> Route {
        if self.pause.is_some() {
            Route::Paced(Why::Paused)
        } else if let Some(open) = self.breaker.open {
            Route::Paced(Why::Open(open.until))
        } else if self.breaker.slow {
            Route::Paced(Why::Slow)
        } else {
            Route::Direct
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::Policy;

    #[test]
    fn a_pause_hides_the_breaker_and_neither_ends_the_other() {
        let now = Timestamp(1_000);
        let mut health = Health::new("p".into(), "i".into());
        assert_eq!(health.route(), Route::Direct);
        health.breaker = health.breaker.hold(&Policy::default(), Timestamp(9_000), now);
        assert_eq!(health.route(), Route::Paced(Why::Open(Timestamp(9_000))));
        health.pause = Some(Pause { at: now, reason: "operator".into() });
        assert_eq!(health.route(), Route::Paced(Why::Paused));
        health.breaker = health.breaker.close(now);
        assert_eq!(health.route(), Route::Paced(Why::Paused));
    }
}
