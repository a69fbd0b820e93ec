//! Repeated uploads of one event, delivered once.
//!
//! Amplitude "ignores subsequent events with the same insert_id on the same device_id" for 7 days
//! (Amplitude, "HTTP V2 API", "Event deduplication"). An event is claimed before it is queued and
//! confirmed after. Whatever is in doubt is delivered: a crash between the two leaves a claim that
//! soon ends by itself, and while the table cannot be asked every event is new.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, stream};

use crate::{
    event::Event,
    hex::hex,
    native::Identity,
    ports::{Claim, Clock, EventHash, PortResult, Seen},
    problem::Problem,
    time::Timestamp,
};

/// How long a repeated event is known.
const KNOWN_FOR: Duration = Duration::from_hours(7 * 24);
/// How long a claim lasts: longer than queueing takes, and shorter than clients' patience. Amplitude's
/// give up an event after a dozen tries, 12 s in all.
const CLAIMED_FOR: Duration = Duration::from_secs(5);
/// Writes under way at a time.
const AT_A_TIME: usize = 32;

/// The claims of one request.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// All events that are to be confirmed, claimed or not.
    new: Vec<EventHash>,
    /// Those that were claimed.
    taken: Vec<EventHash>,
    until: Timestamp,
    expires: Timestamp,
}

impl Claims {
    /// The events that were not accepted before, and the claims on them. 503 when another request
    /// has one of them under way: the client is to come again when it is known what became of it.
    pub(super) async fn make<S: Seen, C: Clock>(
        store: &S,
        clock: &C,
        events: Vec<Event>,
        identities: &[Option<Identity>],
    ) -> Result<(Vec<Event>, Self), Problem> {
        let now = clock.now();
        let (until, expires) = (now.plus(CLAIMED_FOR), now.plus(KNOWN_FOR));
        let hashes: Vec<Option<EventHash>> =
            identities.iter().map(|one| one.as_ref().map(|one| hex(one))).collect();
        let different: BTreeSet<&EventHash> = hashes.iter().flatten().collect();
        let mut calls = Vec::with_capacity(different.len());
        for hash in different {
            calls.push(async move { (hash, store.claim(hash, now, until, expires).await) });
        }
        let claimed: Vec<_> = stream::iter(calls).buffer_unordered(AT_A_TIME).collect().await;

        let mut claims = Self { new: Vec::new(), taken: Vec::new(), until, expires };
        let (mut held, mut failed, mut seen) = (false, None, BTreeSet::new());
        for (hash, claim) in claimed {
            match claim {
                Ok(Claim::Seen) => {
                    seen.insert(hash);
                    continue;
                }
                Ok(Claim::Held) => held = true,
                Ok(Claim::Taken) => claims.taken.push(hash.clone()),
                Err(error) => failed = Some(error),
            }
            claims.new.push(hash.clone());
        }
        if let Some(error) = failed {
            tracing::error!(%error, "not known whether events are repeated: taken for new");
        }
        if held {
            claims.release(store).await;
            let detail = "another request with some of these events is under way; send it again";
            return Err(Problem::unavailable(detail, 1));
        }
        // The first of several in one request is new, the others are repeated.
        let new = events.into_iter().zip(&hashes).filter(|(_, hash)| match hash {
            Some(hash) => seen.insert(hash),
            None => true,
        });
        Ok((new.map(|(event, _)| event).collect(), claims))
    }

    /// The queue has the events.
    pub(super) async fn confirm<S: Seen>(self, store: &S) {
        let calls = self.new.iter().map(|hash| store.confirm(hash, self.expires)).collect();
        // The claims end by themselves: a repeated upload would be delivered again.
        if let Err(error) = all(calls).await {
            tracing::error!(%error, "events not marked as accepted");
        }
    }

    /// The queue may not have them.
    pub(super) async fn release<S: Seen>(self, store: &S) {
        let calls = self.taken.iter().map(|hash| store.release(hash, self.until)).collect();
        if let Err(error) = all(calls).await {
            tracing::warn!(%error, "claims on events not released: they end by themselves");
        }
    }
}

/// Makes all of these calls, also where some fail: the first error.
async fn all<F: Future<Output = PortResult<()>>>(calls: Vec<F>) -> PortResult<()> {
    let results: Vec<_> = stream::iter(calls).buffer_unordered(AT_A_TIME).collect().await;
    results.into_iter().collect()
}

#[cfg(test)]
mod tests;
