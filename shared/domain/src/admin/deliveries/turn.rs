//! Whose turn it is to take from what is laid aside.
//!
//! The parked belong to whoever holds the integration's lease: the drainer, or a purge or the expiry in
//! its place. The dead have a lease of their own; see [`Place::turn`].

use std::time::Duration;

use crate::{
    admin::{Admin, Failure},
    id::{IntegrationId, ProjectId, unique},
    park::finish_if_empty,
    parked::Place,
    ports::{Clock, HealthStore, Random, Services},
    problem::{Kind, Problem},
};

/// Longer than the function may run: a lease that was not released ends by itself.
const LEASE: Duration = Duration::from_secs(40);
/// When it is worth another try, in seconds.
const AGAIN: u32 = 5;

/// A lease that is held.
pub(super) struct Turn {
    of: IntegrationId,
    owner: String,
}

/// 409, with what to do.
pub(super) fn conflict(detail: &str) -> Problem {
    Problem::new(Kind::Conflict, detail)
}

impl<P: Services> Admin<P> {
    /// Takes the lease on what an integration has in a place; 409 with `otherwise` while another has it.
    pub(super) async fn take_turn(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        place: Place,
        otherwise: &str,
    ) -> Result<Turn, Failure> {
        let now = self.ports.clock().now();
        let mut chance = [0; 16];
        chance.copy_from_slice(&self.ports.random().bytes()[..16]);
        let turn = Turn { of: place.turn(id), owner: unique(now, chance) };
        let until = now.plus(LEASE);
        match self.ports.store().take_lease(project, &turn.of, &turn.owner, now, until).await {
            Ok(true) => Ok(turn),
            Ok(false) => {
                Err(conflict(otherwise).with_header("retry-after", AGAIN.to_string()).into())
            }
            Err(error) => {
                // It may have been taken all the same.
                self.end_turn(turn).await;
                Err(error.into())
            }
        }
    }

    /// Gives the lease back.
    pub(super) async fn end_turn(&self, turn: Turn) {
        if let Err(error) = self.ports.store().release_lease(&turn.of, &turn.owner).await {
            tracing::warn!(%error, lease = %turn.of, "lease not released, it ends by itself");
        }
    }

    /// The same after a purge of what is parked: with the last of it the timer ends, too.
    pub(super) async fn end_purge(&self, project: &ProjectId, turn: Turn) {
        match finish_if_empty(&self.ports, project, &turn.of, &turn.owner).await {
            Ok(true) => return,
            Ok(false) => {}
            // Then it stands until a drain finds that there is nothing.
            Err(error) => tracing::warn!(%error, integration = %turn.of, "timer not cleared"),
        }
        self.end_turn(turn).await;
    }
}
