//! How much is parked, and how old it is, at a bounded price.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::{
    id::IntegrationId,
    metrics::Backlog,
    park::WIDTH,
    parked::{ParkedKey, Place},
    ports::{Clock, Objects, PortResult, Ports, Timer},
    time::{Timestamp, millis},
};

use super::Drain;

/// Integrations that are looked at in one sweep.
const MEASURED: usize = 1_000;
/// So many of them, where there are more, are those that are known to be old; the others are looked at
/// in turn.
const KNOWN_OLD: usize = MEASURED / 2;
/// How often there is a sweep, by the template's schedule; and how exact an age has to be.
const SWEEP: Duration = Duration::from_mins(5);
/// Pages of one integration at most.
const PAGES: usize = 10;

/// What an integration has parked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parked {
    /// On the first page.
    deliveries: u64,
    /// In those.
    events: u64,
    /// Since when the oldest is parked.
    pub(super) oldest: Option<Timestamp>,
}

impl<P: Ports> Drain<P> {
    /// Measures what the integrations with a timer have parked, and tells of what is old. What cannot
    /// be listed is left out, and what there is no time to tell of is the next sweep's.
    pub(super) async fn measure_backlog(&self, timers: &[Timer], deadline: Timestamp) {
        let now = self.ports.clock().now();
        let looks: Vec<_> = chosen(timers, now)
            .into_iter()
            .map(|timer| async { (&timer.health, self.parked(&timer.health.integration).await) })
            .collect();
        let mut looks = stream::iter(looks).buffer_unordered(WIDTH);
        let (mut backlog, mut old) = (Backlog::default(), Vec::new());
        while let Some((health, parked)) = looks.next().await {
            let Parked { deliveries, events, oldest } = match parked {
                Ok(parked) => parked,
                Err(error) => {
                    tracing::warn!(%error, "backlog measured in part");
                    continue;
                }
            };
            if let Some(oldest) = oldest {
                backlog.integrations += 1;
                backlog.age = backlog.age.max(now.since(oldest));
                old.push((health, oldest));
            }
            backlog.deliveries += deliveries;
            backlog.events += events;
        }
        self.metrics.backlog(&backlog);
        let telling = old.into_iter().map(|(health, oldest)| async move {
            if self.has_time(deadline) {
                self.tell_if_older(health, oldest).await;
            }
        });
        stream::iter(telling.collect::<Vec<_>>()).buffer_unordered(WIDTH).collect::<()>().await;
    }

    /// Looks at what an integration has parked.
    ///
    /// Names say since when a delivery is laid aside, and what is replayed keeps its own: so the first by
    /// name is not always the one that is parked for longest. But none is parked before its name's
    /// time: it is looked on until what may follow is no older.
    pub(super) async fn parked(&self, id: &IntegrationId) -> PortResult<Parked> {
        let prefix = Place::Parked.prefix(id);
        let mut parked = Parked::default();
        let mut after: Option<String> = None;
        for number in 0..PAGES {
            let page = self.ports.objects().list(&prefix, after.as_deref()).await?;
            let mut last = None;
            for listed in &page {
                let Some(key) = ParkedKey::parse(&listed.key) else {
                    continue;
                };
                if number == 0 {
                    parked.deliveries += 1;
                    parked.events += key.count;
                }
                let oldest = parked.oldest.map_or(listed.modified, |at| at.min(listed.modified));
                parked.oldest = Some(oldest);
                last = Some(key.at);
            }
            after = page.into_iter().next_back().map(|listed| listed.key);
            let settled = |last| parked.oldest.is_some_and(|oldest| oldest.since(last) <= SWEEP);
            if after.is_none() || last.is_some_and(settled) {
                break;
            }
        }
        Ok(parked)
    }
}

/// Which are looked at in this sweep. Where there are too many: those that were told of as old, the
/// first told first, and a part of the others. So whatever gets old is found in its turn, and looked
/// at from then on.
fn chosen(timers: &[Timer], now: Timestamp) -> Vec<&Timer> {
    if timers.len() <= MEASURED {
        return timers.iter().collect();
    }
    let (mut old, mut others): (Vec<_>, Vec<_>) =
        timers.iter().partition(|timer| timer.health.told_old_at.is_some());
    old.sort_by_key(|timer| timer.health.told_old_at);
    old.truncate(MEASURED - others.len().min(MEASURED - KNOWN_OLD));
    others.sort_by(|a, b| a.health.integration.cmp(&b.health.integration));
    let room = (MEASURED - old.len()).min(others.len());
    let sweep = usize::try_from(now.0 / millis(SWEEP)).unwrap_or_default();
    let begin = sweep.wrapping_mul(KNOWN_OLD) % others.len().max(1);
    old.extend(others.iter().cycle().skip(begin).take(room));
    old
}

#[cfg(test)]
mod tests;
