//! Delivering: fresh events, and failed deliveries whose next slot has come.
//!
//! A message is done when every delivery that came out of it is delivered or safely stored; only
//! then may it be acknowledged. The functions here return the records that are *not* done.

mod lane;
mod retry_queue;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};

use crate::{
    attempt::ATTEMPT,
    attempt_log::AttemptLog,
    breaker,
    compiled::{Compiled, Compiler},
    count::Uncounted,
    destination::Allowed,
    diagnose::Unwritten,
    event::Event,
    id::{IntegrationId, ProjectId},
    integration::Integration,
    known::Known,
    message::{Fresh, Packed, Unreadable},
    metrics::Metrics,
    ports::{Clock, Ports, Queue},
    queueing::{hide, set_aside},
    retry::Schedule,
    time::Timestamp,
    within::within,
};

use lane::{Lane, Report};
use work::Job;

/// Integrations served side by side. Each has at most two requests under way, so that this bounds
/// the requests, and a hanging endpoint holds one of these places and no more.
const LANES: usize = 64;
/// Events are decoded up to this size at a time: JSON that repeats itself was measured at 158:1.
const DECODED: usize = 64 * 1024 * 1024;
/// What an event costs in memory beside its text.
const EVENT_OVERHEAD: usize = 64;
/// From this many receives on, a record may be what killed the function: it is decoded with few
/// others, and alone if it is large.
const SUSPECT: u32 = 3;
/// The bound for those.
const DECODED_SUSPECTS: usize = 4 * 1024 * 1024;
/// Time that is kept for the answer to Lambda.
const RESERVE: Duration = Duration::from_secs(1);
/// What there was no time for, and was received often, is hidden for this long times its receives.
const HAND_BACK: Duration = Duration::from_secs(30);
const HAND_BACK_MAX: Duration = Duration::from_mins(15);

/// What a deployment sets for delivering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When failed deliveries are tried again.
    pub schedule: Schedule,
    /// The breaker's time constants.
    pub breaker: breaker::Policy,
    /// Endpoints that the guard exempts.
    pub allowed: Allowed,
    /// How long the delivery log keeps an attempt.
    pub keep_attempts: Duration,
    /// From this age of its oldest delivery on, a backlog is told of.
    pub old_backlog: Duration,
}

/// One record of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The message's text.
    pub body: &'a str,
    /// Its receipt handle.
    pub receipt: &'a str,
    /// How often it was received, this time included, as far as SQS knows.
    pub receives: u32,
}

/// The use case, with what a container remembers between invocations.
#[derive(Debug)]
pub struct Batch<P> {
    ports: P,
    policy: Policy,
    known: Known,
    compiler: Compiler,
    unwritten: Unwritten,
    uncounted: Uncounted,
    metrics: Metrics,
}

/// What the lanes of one invocation share.
#[derive(Debug)]
struct Invocation {
    deadline: Timestamp,
    /// Integrations whose endpoint hung: they get no more attempts.
    hanging: Mutex<HashSet<IntegrationId>>,
    log: AttemptLog,
}

impl Invocation {
    fn new(deadline: Timestamp) -> Self {
        Self { deadline, hanging: Mutex::default(), log: AttemptLog::default() }
    }

    fn hanging(&self) -> MutexGuard<'_, HashSet<IntegrationId>> {
        self.hanging.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message of fresh events that is decoded.
struct Decoded {
    record: usize,
    fresh: Fresh,
    events: Vec<Event>,
}

impl<P: Ports> Batch<P> {
    /// The use case over these ports.
    pub fn new(ports: P, policy: Policy) -> Self {
        Self {
            ports,
            policy,
            known: Known::default(),
            compiler: Compiler::default(),
            unwritten: Unwritten::default(),
            uncounted: Uncounted::default(),
            metrics: Metrics::default(),
        }
    }

    /// What was measured.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Delivers fresh events. The indexes of the records that are not done.
    pub async fn fresh(&self, records: &[Record<'_>], deadline: Timestamp) -> BTreeSet<usize> {
        let mut failed = BTreeSet::new();
        let mut packed = Vec::new();
        for (index, record) in records.iter().enumerate() {
            match Fresh::decode(record.body) {
                Ok(one) => packed.push((index, record.receives, one)),
                Err(error) => {
                    if !self.set_aside(Queue::Events, record, &error).await {
                        failed.insert(index);
                    }
                }
            }
        }
        let invocation = Invocation::new(deadline);
        for group in groups(packed) {
            if self.ports.clock().now().plus(ATTEMPT) > deadline {
                failed.extend(group.iter().map(|(index, _)| *index));
                let late = group.iter().map(|(index, _)| {
                    let Record { receipt, receives, .. } = records[*index];
                    self.hide(Queue::Events, receipt, hand_back(receives))
                });
                // No time for it: others may have it.
                let handing = stream::iter(late.collect::<Vec<_>>()).buffer_unordered(LANES);
                let handing = handing.collect::<Vec<_>>();
                within(self.ports.clock(), deadline.minus(RESERVE), handing).await;
                continue;
            }
            failed.extend(self.deliver_group(records, group, &invocation).await);
        }
        self.end(&invocation).await;
        failed
    }

    /// Writes what is written once for all lanes, as far as there is time.
    async fn end(&self, invocation: &Invocation) {
        let end = invocation.deadline.minus(RESERVE);
        let writing = invocation.log.write(&self.ports, self.policy.keep_attempts);
        if within(self.ports.clock(), end, writing).await.is_none() {
            tracing::warn!("no time to write the delivery log");
        }
    }

    async fn deliver_group(
        &self,
        records: &[Record<'_>],
        group: Vec<(usize, Packed<'_>)>,
        invocation: &Invocation,
    ) -> BTreeSet<usize> {
        let mut failed = BTreeSet::new();
        let mut by_project: BTreeMap<ProjectId, Vec<Arc<Decoded>>> = BTreeMap::new();
        for (record, packed) in group {
            match packed.events() {
                Ok(events) => {
                    let decoded = Decoded { record, fresh: packed.fresh, events };
                    let project = decoded.fresh.project.clone();
                    by_project.entry(project).or_default().push(Arc::new(decoded));
                }
                Err(error) => {
                    if !self.set_aside(Queue::Events, &records[record], &error).await {
                        failed.insert(record);
                    }
                }
            }
        }
        let now = self.ports.clock().now();
        let configured = by_project.into_iter().map(|(project, messages)| async move {
            let read = self.known.integrations(self.ports.store(), &project, now).await;
            (project, messages, read)
        });
        let mut lanes = Vec::new();
        for (project, messages, read) in join_all(configured).await {
            let integrations = match read {
                Ok(integrations) => integrations,
                Err(error) => {
                    tracing::error!(%error, %project, "configuration not read");
                    failed.extend(messages.iter().map(|message| message.record));
                    continue;
                }
            };
            for integration in integrations.iter() {
                let wanted: Vec<_> = messages
                    .iter()
                    .filter(|m| {
                        integration.wants(m.fresh.stream, m.fresh.origin, &m.fresh.environment.id)
                    })
                    .map(Arc::clone)
                    .collect();
                if !wanted.is_empty() {
                    lanes.push(self.fresh_lane(integration.clone(), wanted, invocation));
                }
            }
        }
        failed.extend(self.run(lanes).await);
        failed
    }

    async fn fresh_lane(
        &self,
        integration: Integration,
        messages: Vec<Arc<Decoded>>,
        invocation: &Invocation,
    ) -> Report {
        let Some(compiled) = self.compiled(&integration) else {
            return Report { failed: messages.iter().map(|message| message.record).collect() };
        };
        let lane = Lane::new(self, &integration, &compiled, invocation);
        let filtered = Arc::clone(&lane.filtered);
        let jobs = work::fresh_jobs(&self.ports, &integration, &compiled, &messages, filtered);
        lane.run(jobs).await
    }

    /// The integration's filter and template. A filter that this version cannot read is as good as
    /// configuration that cannot be read: its events come back.
    fn compiled(&self, integration: &Integration) -> Option<Arc<Compiled>> {
        let compiled = self.compiler.compiled(integration);
        compiled
            .inspect_err(|error| {
                tracing::error!(%error, integration = %integration.id, "filter not compiled");
            })
            .ok()
    }

    /// Runs lanes side by side: the records that are not done.
    async fn run<F: Future<Output = Report>>(&self, lanes: Vec<F>) -> BTreeSet<usize> {
        let mut failed = BTreeSet::new();
        let mut reports = stream::iter(lanes).buffer_unordered(LANES);
        while let Some(report) = reports.next().await {
            failed.extend(report.failed);
        }
        failed
    }

    async fn set_aside(&self, queue: Queue, record: &Record<'_>, error: &Unreadable) -> bool {
        set_aside(self.ports.queues(), queue, record.body, record.receipt, error).await
    }

    async fn hide(&self, queue: Queue, receipt: &str, wait: Duration) -> bool {
        hide(self.ports.queues(), queue, receipt, wait).await
    }
}

/// How soon others should have what there was no time for. What was received often may be what
/// takes the time, and receives are not for nothing: the dead-letter queue counts them.
fn hand_back(receives: u32) -> Duration {
    if receives < SUSPECT { Duration::ZERO } else { (HAND_BACK * receives).min(HAND_BACK_MAX) }
}

/// Messages that are decoded together: up to [`DECODED`], and suspects up to [`DECODED_SUSPECTS`],
/// at the end.
fn groups(packed: Vec<(usize, u32, Packed<'_>)>) -> Vec<Vec<(usize, Packed<'_>)>> {
    let (suspects, others): (Vec<_>, Vec<_>) =
        packed.into_iter().partition(|(_, receives, _)| *receives >= SUSPECT);
    let mut groups = up_to(others, DECODED);
    groups.extend(up_to(suspects, DECODED_SUSPECTS));
    groups
}

fn up_to(packed: Vec<(usize, u32, Packed<'_>)>, bound: usize) -> Vec<Vec<(usize, Packed<'_>)>> {
    let mut groups: Vec<Vec<_>> = Vec::new();
    let mut size = 0;
    for (index, _, packed) in packed {
        let weight = packed.bytes + packed.count.saturating_mul(EVENT_OVERHEAD);
        match groups.last_mut() {
            Some(group) if size + weight <= bound => {
                size += weight;
                group.push((index, packed));
            }
            _ => {
                size = weight;
                groups.push(vec![(index, packed)]);
            }
        }
    }
    groups
}

/// Deliveries of one integration that came out of the RetryQueue.
type Returned = BTreeMap<(ProjectId, IntegrationId), Vec<Job>>;

#[cfg(test)]
pub(crate) mod tests;
