//! The queues, within the limits of their documents.

use std::time::Duration;

use flagpost_domain::{
    ports::{
        BATCH_BYTES, BATCH_ENTRIES, DELAY_MAX, Outgoing, PortError, PortResult, Queue, Queues,
    },
    time::millis,
};
use rand::RngExt;

use crate::{
    fault::Fault,
    queue::{Hidden, parse_receipt},
    trace::About,
    world::place,
};

use super::Port;

impl Queues for Port {
    async fn send_batch(&self, queue: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        const CALL: &str = "sqs:SendMessageBatch";
        let bytes: usize = batch.iter().map(|message| message.body.len()).sum();
        let lawful = (1..=BATCH_ENTRIES).contains(&batch.len())
            && bytes <= BATCH_BYTES
            && batch.iter().all(|message| message.delay <= DELAY_MAX);
        if !lawful {
            let now = self.world.now();
            let what = format!("a batch of {} messages and {bytes} bytes was sent", batch.len());
            self.world.with(|state| state.witness.violate(now, About::default(), what));
        }
        let messages: Vec<_> =
            batch.iter().map(|message| (message.body.clone(), millis(message.delay))).collect();
        let sent = self
            .call(CALL, move |state, now| {
                let entries = messages.iter().map(|(body, delay)| {
                    if state.happens(Fault::EntryRefused) {
                        return false;
                    }
                    let id = state.queues[place(queue)].send(body.clone(), now, *delay);
                    let about = state.witness.sent(queue, id, body, now);
                    state.note(now, about, || {
                        format!("{queue:?} message {id} sent, visible in {delay} ms")
                    });
                    true
                });
                entries.collect::<Vec<_>>()
            })
            .await;
        match sent {
            Ok(entries) => entries
                .into_iter()
                .map(|taken| {
                    let reason = "simulated: InternalError of one entry".to_owned();
                    if taken { Ok(()) } else { Err(PortError::Failed { call: CALL, reason }) }
                })
                .collect(),
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn hide(&self, queue: Queue, receipt: &str, wait: Duration) -> PortResult<()> {
        const CALL: &str = "sqs:ChangeMessageVisibility";
        // Whole seconds, rounded up.
        let wait = millis(wait).div_euclid(1_000) + i64::from(wait.subsec_millis() > 0);
        let receipt = receipt.to_owned();
        let hidden = self
            .call(CALL, move |state, now| {
                let hidden = state.queues[place(queue)].hide(&receipt, now, wait * 1_000);
                state.note(now, About::default(), || {
                    format!("{queue:?} message {receipt} hidden for {wait} s: {hidden:?}")
                });
                if hidden != Hidden::Done
                    && let Some((id, _)) = parse_receipt(&receipt)
                {
                    state.witness.excuse(id);
                }
                // "If you use an old receipt handle, the request may succeed": it has no effect.
                hidden == Hidden::Done || (hidden == Hidden::Stale && state.chance.random_bool(0.5))
            })
            .await?;
        let reason = "simulated: not in flight, or the receipt handle is stale".to_owned();
        if hidden { Ok(()) } else { Err(PortError::Failed { call: CALL, reason }) }
    }

    async fn bury(&self, queue: Queue, _: &str, reason: &str) -> PortResult<()> {
        let what = format!("a message of {queue:?} cannot be read: {reason}");
        self.call("sqs:SendMessage", move |state, now| {
            state.dead_letters += 1;
            state.witness.violate(now, About::default(), what.clone());
        })
        .await
    }
}
