//! Writing the ledger. What could not be written goes along with the next write.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    id::IntegrationId,
    ledger::Counts,
    ports::{Clock, LedgerStore, PortError, Services},
};

/// Counts that a throttled write left over. They are lost with the container: the ledger is then
/// off, and no event is.
#[derive(Debug, Default)]
pub struct Uncounted(Mutex<HashMap<IntegrationId, Counts>>);

impl Uncounted {
    /// Adds to the ledger of this hour.
    pub async fn add<P: Services>(&self, services: &P, id: &IntegrationId, counts: Counts) {
        let mut counts = counts;
        let left_over = self.with(|left| left.get(id).copied());
        counts += left_over.unwrap_or_default();
        if counts == Counts::default() {
            return;
        }
        let hour = services.clock().now().hour();
        let written = services.store().add_counts(id, &hour, &counts).await;
        // Whoever else took them along meanwhile is not the rule: lanes of one integration do not
        // run side by side.
        self.with(|left| left.remove(id));
        match written {
            Ok(()) => {}
            // It had no effect, so it may be made again.
            Err(error @ PortError::Throttled { .. }) => {
                tracing::warn!(%error, integration = %id, "ledger written later");
                self.with(|left| left.insert(id.clone(), counts));
            }
            Err(error) => {
                tracing::error!(%error, integration = %id, ?counts, "ledger not written");
            }
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<IntegrationId, Counts>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::World;

    #[tokio::test]
    async fn what_was_throttled_goes_along_with_the_next_write() {
        let world = World::new();
        let uncounted = Uncounted::default();
        let one = Counts { matched: 1, delivered: 1, ..Counts::default() };
        world.fail("add_counts", 1);
        uncounted.add(&&world, &"a".into(), one).await;
        assert_eq!(world.counts("a"), Counts::default());
        uncounted.add(&&world, &"a".into(), one).await;
        assert_eq!(world.counts("a"), Counts { matched: 2, delivered: 2, ..Counts::default() });
        uncounted.add(&&world, &"a".into(), Counts::default()).await;
        assert_eq!(world.state().calls["add_counts"], 2);
    }
}
