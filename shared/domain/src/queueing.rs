//! What is done with messages, whatever they hold: sending any number within the limits of
//! `SendMessageBatch`, hiding, and what becomes of those that cannot be read.

use std::time::Duration;

use crate::{
    message::{MAX_TEXT, Unreadable},
    ports::{BATCH_ENTRIES, Outgoing, PortError, PortResult, Queue, Queues, VISIBILITY_MAX},
};

/// A record of a newer format version is hidden for this long: a deploy is under way.
const NEWER: Duration = Duration::from_mins(5);

/// Sends all messages. One result for each, in their order: a batch may succeed in part. After a
/// batch of which nothing was taken the rest is not tried: that would only take time.
pub async fn send_all<Q: Queues>(
    queues: &Q,
    queue: Queue,
    messages: &[Outgoing],
) -> Vec<PortResult<()>> {
    let mut results = Vec::with_capacity(messages.len());
    let mut rest = messages;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(batch_len(rest));
        let sent = queues.send_batch(queue, batch).await;
        let refused = refusal(&sent);
        results.extend(sent);
        if let Some(refused) = refused {
            results.extend(after.iter().map(|_| Err(refused.clone())));
            break;
        }
        rest = after;
    }
    results
}

/// Why nothing of a batch was taken, if that speaks against sending more: a message alone may have
/// been refused for what it holds.
fn refusal(sent: &[PortResult<()>]) -> Option<PortError> {
    let errors: Vec<_> = sent.iter().filter_map(|result| result.as_ref().err()).collect();
    let throttled = errors.iter().any(|error| matches!(error, PortError::Throttled { .. }));
    let all = errors.len() == sent.len() && (throttled || sent.len() > 1);
    errors.last().filter(|_| all).map(|error| (*error).clone())
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

    #[test]
    fn a_batch_of_which_nothing_was_taken_ends_the_sending() {
        let failed = || Err(PortError::Failed { call: "x", reason: "y".into() });
        let throttled = || Err(PortError::Throttled { call: "x", reason: "y".into() });
        assert!(refusal(&[failed(), failed()]).is_some());
        assert!(refusal(&[throttled()]).is_some());
        assert!(refusal(&[failed()]).is_none(), "for what it holds, perhaps");
        assert!(refusal(&[failed(), Ok(())]).is_none());
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
