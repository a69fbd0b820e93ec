//! The delivery log in the simulated table.

use flagpost_domain::{
    attempt_log::Record,
    id::IntegrationId,
    ports::{AttemptRange, AttemptStore, PortResult},
    time::Timestamp,
};

use crate::port::Port;

/// Puts in one `BatchWriteItem`.
const AT_ONCE: usize = 25;
/// Attempts of an integration that the simulated table keeps.
const KEPT: usize = 100;

impl AttemptStore for Port {
    async fn add_attempts(&self, records: &[Record], _: Timestamp) -> PortResult<()> {
        for chunk in records.chunks(AT_ONCE) {
            let all = chunk.to_vec();
            self.call("dynamodb:BatchWriteItem attempts", move |state, _| {
                for one in &all {
                    let attempts = state.table.attempts.entry(one.integration.clone()).or_default();
                    attempts.insert(one.id(), one.clone());
                    // Days of ten thousand integrations must fit into memory.
                    if attempts.len() > KEPT {
                        attempts.pop_first();
                    }
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn attempts(&self, id: &IntegrationId, range: &AttemptRange) -> PortResult<Vec<Record>> {
        let (id, range) = (id.clone(), range.clone());
        self.call("dynamodb:Query attempts", move |state, _| {
            range.of(state.table.attempts.get(&id).into_iter().flat_map(|all| all.values()))
        })
        .await
    }
}
