//! How much is parked, and how old it is: as far as one listing for each integration tells.

use futures_util::{StreamExt, stream};

use crate::{
    metrics::Backlog,
    park::WIDTH,
    parked::{ParkedKey, Place},
    ports::{Objects, Ports, Timer},
    time::Timestamp,
};

use super::{Drain, old::oldest};

/// Integrations that are looked at in one sweep, by their timers: those that are due first.
const MEASURED: usize = 1_000;

impl<P: Ports> Drain<P> {
    /// Measures what the integrations with a timer have parked, and tells of what is old. What cannot
    /// be listed is left out.
    pub(super) async fn measure_backlog(&self, timers: &[Timer], now: Timestamp) {
        let pages: Vec<_> = timers
            .iter()
            .take(MEASURED)
            .map(|timer| async {
                let prefix = Place::Parked.prefix(&timer.health.integration);
                (&timer.health, self.ports.objects().list(&prefix, None).await)
            })
            .collect();
        let mut pages = stream::iter(pages).buffer_unordered(WIDTH);
        let mut backlog = Backlog::default();
        while let Some((health, page)) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "backlog measured in part");
                    continue;
                }
            };
            let parked: Vec<_> =
                page.iter().filter_map(|listed| ParkedKey::parse(&listed.key)).collect();
            if let Some(oldest) = oldest(&page) {
                backlog.integrations += 1;
                backlog.age = backlog.age.max(now.since(oldest));
                self.tell_if_older(health, oldest).await;
            }
            backlog.deliveries += parked.len() as u64;
            backlog.events += parked.iter().map(|key| key.count).sum::<u64>();
        }
        self.metrics.backlog(&backlog);
    }
}
