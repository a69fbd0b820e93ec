//! Putting deliveries on the retry schedule: messages of the RetryQueue.

use crate::{
    delivery::Delivery,
    message::{MAX_TEXT, Scheduled},
    ports::{DELAY_MAX, Outgoing, PortResult, Queue, Queues},
    queueing::send_all,
    time::Timestamp,
};

/// Sends deliveries to the RetryQueue, each due at its time. One result for each, in their order:
/// whether it is safe now.
pub async fn schedule<Q: Queues>(
    queues: &Q,
    deliveries: Vec<(Delivery, Timestamp)>,
    now: Timestamp,
) -> Vec<PortResult<()>> {
    let mut results = vec![Ok(()); deliveries.len()];
    let mut owners = Vec::new();
    let mut messages = Vec::new();
    for (index, (delivery, due)) in deliveries.into_iter().enumerate() {
        let mut bodies = Vec::new();
        push_texts(delivery, due, &mut bodies);
        for body in bodies {
            owners.push(index);
            // Delayed messages are not in flight. What is due later still is hidden on receipt.
            messages.push(Outgoing { body, delay: due.since(now).min(DELAY_MAX), group: None });
        }
    }
    for (owner, sent) in owners.into_iter().zip(send_all(queues, Queue::Retry, &messages).await) {
        if sent.is_err() {
            results[owner] = sent;
        }
    }
    results
}

/// What compresses badly may be too large for one message: then its halves go.
fn push_texts(delivery: Delivery, not_before: Timestamp, texts: &mut Vec<String>) {
    let scheduled = Scheduled { delivery, not_before };
    let text = scheduled.encode();
    if text.len() <= MAX_TEXT {
        texts.push(text);
        return;
    }
    match scheduled.delivery.halves() {
        Ok([a, b]) => {
            push_texts(a, not_before, texts);
            push_texts(b, not_before, texts);
        }
        // One event is far smaller than a message.
        Err(_) => texts.push(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Event, memory::delivery};

    #[test]
    fn what_is_too_large_for_one_message_goes_in_halves() {
        // Random base64 of a mebibyte: 1,067,480 bytes after gzip and base64.
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                    [usize::try_from(state >> 58).unwrap()],
            )
        };
        let mut whole = delivery("d", 0);
        whole.events = (0..8)
            .map(|_| {
                let text: String = (0..131_000).map(|_| random()).collect();
                Event::from_object(format!(r#"{{"blob":"{text}"}}"#))
            })
            .collect();
        let mut texts = Vec::new();
        push_texts(whole.clone(), Timestamp(9), &mut texts);
        assert_eq!(texts.len(), 2);
        let parts: Vec<_> =
            texts.iter().map(|text| Scheduled::decode(text).unwrap().delivery).collect();
        assert_eq!(parts[0].id.as_str(), "d.a");
        assert_eq!([parts[0].events.clone(), parts[1].events.clone()].concat(), whole.events);
    }
}
