//! What is done with messages, whatever they hold: sending any number within the limits of
//! `SendMessageBatch`, hiding, and what becomes of those that cannot be read.

use std::time::Duration;

use crate::{
    message::{MAX_TEXT, Unreadable},
    ports::{BATCH_ENTRIES, Outgoing, PortResult, Queue, Queues, VISIBILITY_MAX},
};

/// A record of a newer format version is hidden for this long: a deploy is under way.
const NEWER: Duration = Duration::from_mins(5);

/// Sends all messages. One result for each, in their order: a batch may succeed in part.
pub async fn send_all<Q: Queues>(
    queues: &Q,
    queue: Queue,
    messages: &[Outgoing],
) -> Vec<PortResult<()>> {
    let mut results = Vec::with_capacity(messages.len());
    let mut rest = messages;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(batch_len(rest));
        results.extend(queues.send_batch(queue, batch).await);
        rest = after;
    }
    results
}

/// How many of the first messages go into one batch: at least one.
fn batch_len(messages: &[Outgoing]) -> usize {
    let mut bytes = 0;
    let fitting = messages.iter().take(BATCH_ENTRIES).take_while(|message| {
        bytes += message.body.len();
        bytes <= MAX_TEXT
    });
    fitting.count().max(1)
}

/// Hides a received message for a time; whether that worked. If not, it comes back when its
/// visibility timeout ends.
pub async fn hide<Q: Queues>(queues: &Q, queue: Queue, receipt: &str, wait: Duration) -> bool {
    let hidden = queues.hide(queue, receipt, wait.min(VISIBILITY_MAX)).await;
    if let Err(error) = &hidden {
        tracing::warn!(%error, ?queue, "visibility not changed");
    }
    hidden.is_ok()
}

/// Deals with a message that cannot be read: whether it is done with.
pub async fn set_aside<Q: Queues>(
    queues: &Q,
    queue: Queue,
    body: &str,
    receipt: &str,
    unreadable: &Unreadable,
) -> bool {
    match unreadable {
        Unreadable::Newer(version) => {
            tracing::warn!(?queue, version, "record of a newer format hidden for a while");
            hide(queues, queue, receipt, NEWER).await;
            false
        }
        Unreadable::Foreign(reason) => {
            tracing::error!(?queue, reason, "record sent to the dead-letter queue");
            let buried = queues.bury(queue, body, reason).await;
            if let Err(error) = &buried {
                tracing::error!(%error, ?queue, "record not sent to the dead-letter queue");
            }
            buried.is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(bytes: usize) -> Outgoing {
        Outgoing { body: "x".repeat(bytes), delay: Duration::ZERO, group: None }
    }

    proptest! {
        #[test]
        fn every_batch_keeps_both_limits(
            sizes in proptest::collection::vec(0usize..=1_000_000, 1..24),
        ) {
            let messages: Vec<_> = sizes.iter().map(|size| message(*size)).collect();
            let mut rest = messages.as_slice();
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(batch_len(rest));
                prop_assert!(batch.len() <= BATCH_ENTRIES);
                prop_assert!(batch.iter().map(|m| m.body.len()).sum::<usize>() <= MAX_TEXT);
                rest = after;
            }
        }
    }
}
