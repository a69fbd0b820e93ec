//! Failed deliveries that wait in the RetryQueue, by their visibility timeouts.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    id::IntegrationId,
    ledger::Counts,
    message::Scheduled,
    ports::{Clock, Found, Ports, Queue},
    time::Timestamp,
};

use super::{
    Batch, Invocation, Record, Returned,
    lane::{Lane, Report},
    work::{Job, Source},
};

/// What cannot be decided is looked at again after this. Receives are counted by the dead-letter
/// queue: a hundred of these are eight hours.
const UNDECIDED: Duration = Duration::from_mins(5);

impl<P: Ports> Batch<P> {
    /// Tries deliveries whose next slot has come. The indexes of the records that are not done,
    /// which are most of them: a delivery that waits for its next slot stays in the queue.
    pub async fn retries(&self, records: &[Record<'_>], deadline: Timestamp) -> BTreeSet<usize> {
        let mut failed = BTreeSet::new();
        let mut returned = Returned::new();
        for (index, record) in records.iter().enumerate() {
            let scheduled = match Scheduled::decode(record.body) {
                Ok(scheduled) => scheduled,
                Err(error) => {
                    if !self.set_aside(Queue::Retry, record, &error).await {
                        failed.insert(index);
                    }
                    continue;
                }
            };
            let now = self.ports.clock().now();
            if scheduled.not_before > now {
                let wait = scheduled.not_before.since(now);
                self.hide(Queue::Retry, record.receipt, wait).await;
                failed.insert(index);
                continue;
            }
            let Scheduled { delivery, .. } = scheduled;
            let whose = (delivery.project.clone(), delivery.integration.clone());
            returned.entry(whose).or_default().push(Job {
                delivery,
                records: [index].into(),
                source: Source::Message(record.receipt.to_owned()),
                ahead: 0,
                attempted: true,
            });
        }
        let invocation = Invocation::new(deadline);
        let invocation = &invocation;
        let lanes = returned
            .into_iter()
            .map(|((project, id), jobs)| async move {
                let now = self.ports.clock().now();
                let store = self.ports.store();
                match self.known.integration(store, &project, &id, now).await {
                    Ok(Found::Present(integration)) => {
                        let Some(compiled) = self.compiled(&integration) else {
                            return self.keep(&jobs).await;
                        };
                        let lane = Lane::new(self, &integration, &compiled, invocation);
                        lane.run(jobs.into_iter()).await
                    }
                    Ok(Found::Deleted) => self.discard(&id, &jobs).await,
                    Ok(Found::Unknown) => {
                        tracing::error!(integration = %id, "neither integration nor tombstone found");
                        self.keep(&jobs).await
                    }
                    Err(error) => {
                        tracing::error!(%error, integration = %id, "configuration not read");
                        self.keep(&jobs).await
                    }
                }
            })
            .collect();
        failed.extend(self.run(lanes).await);
        self.end(invocation).await;
        failed
    }

    /// The integration is gone: its deliveries are dropped, and counted.
    async fn discard(&self, id: &IntegrationId, jobs: &[Job]) -> Report {
        let events = jobs.iter().map(|job| job.delivery.count()).sum();
        tracing::info!(integration = %id, events, "discarded: the integration was deleted");
        let counts = Counts { unscheduled: events, discarded: events, ..Counts::default() };
        self.uncounted.add(&self.ports, id, counts).await;
        Report::default()
    }

    /// Nothing can be decided now: each comes back soon, without a slot used up.
    async fn keep(&self, jobs: &[Job]) -> Report {
        let mut report = Report::default();
        for Job { records, source, .. } in jobs {
            if let Source::Message(receipt) = source {
                self.hide(Queue::Retry, receipt, UNDECIDED).await;
            }
            report.failed.extend(records);
        }
        report
    }
}

#[cfg(test)]
mod tests;
