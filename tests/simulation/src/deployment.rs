//! Everything that a deployment runs: functions with their time-outs, mappings and schedules as the template has them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use flagpost_domain::{
    admin::Admin,
    batch::{Batch, Policy, Record},
    breaker,
    destination::Allowed,
    drain::Drain,
    ingest::{Ingest, Limits},
    key, ports,
    retry::Schedule,
    time::Timestamp,
};

use crate::{
    function::{Container, End, Function},
    mapping::{Mapping, serve},
    port::{Port, Who},
    queue::Received,
    workload::{ADMIN_KEY, Operator, SimIngest},
    world::{World, place},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Everything that a deployment runs.
pub struct Deployment {
    /// The world.
    pub world: Arc<World>,
    /// Takes events.
    pub ingest: Arc<Function<SimIngest>>,
    /// Sends.
    pub batch: Arc<Function<Batch<Port>>>,
    /// Drains.
    pub drain: Arc<Function<Drain<Port>>>,
    /// The operator's API.
    pub operator: Arc<Operator>,
}

/// The policy of a deployment with every parameter at its default.
pub fn policy() -> Policy {
    Policy {
        schedule: Schedule::default(),
        breaker: breaker::Policy::default(),
        allowed: Allowed::default(),
        keep_attempts: Duration::from_hours(7 * 24),
        old_backlog: Duration::from_hours(1),
    }
}

impl Deployment {
    /// Deploys: functions with their time-outs, mappings and schedules as the template has them.
    pub fn new(world: &Arc<World>) -> Self {
        Self::with(world, None)
    }

    /// The same; with `most`, batches are gathered side by side, and at most so many are under way
    /// for each queue.
    pub fn with(world: &Arc<World>, most: Option<usize>) -> Self {
        let policy = world.setting.policy.clone();
        let limits = Limits { body_bytes: 4_194_304, events: 10_000, deduplicate: true };
        let ingest = Function::new(world, "ingest", 29_000, move |port: Port| {
            Ingest::new(port.clone(), port.clone(), port, limits)
        });
        let to_batch = policy.clone();
        let batch =
            Function::new(world, "batch", 60_000, move |port| Batch::new(port, to_batch.clone()));
        let retention = world.setting.retention;
        let drain = Function::new(world, "drain", 120_000, move |port| {
            Drain::new(port, policy.clone(), Duration::from_mins(3), retention)
        });
        let admin = Function::new(world, "admin", 29_000, |port| {
            Admin::new(port, key::hash(ADMIN_KEY), Allowed::default())
        });
        let fresh = Mapping { queue: ports::Queue::Events, batch: 1_000, window_ms: 10_000 };
        let retries = Mapping { queue: ports::Queue::Retry, batch: 10, window_ms: 0 };
        let wakes = Mapping { queue: ports::Queue::Wake, batch: 1, window_ms: 0 };
        for (mapping, is_fresh) in [(fresh, true), (retries, false)] {
            let batch = Arc::clone(&batch);
            mapping.start(world, most, move |received: Vec<Received>| {
                invoke_batch(Arc::clone(&batch), received, is_fresh)
            });
        }
        let to_drain = Arc::clone(&drain);
        wakes.start(world, most, move |received: Vec<Received>| {
            let drain = Arc::clone(&to_drain);
            async move {
                let work = |container: Arc<Container<Drain<Port>>>, deadline| async move {
                    let mut failed = BTreeSet::new();
                    for (index, one) in received.iter().enumerate() {
                        let work = container.work.receive(&one.body, &one.receipt, deadline);
                        if !Box::pin(work).await {
                            failed.insert(index);
                        }
                    }
                    failed
                };
                drain.invoke(work).await
            }
        });
        schedule(world, &drain, 5 * MINUTE, false);
        schedule(world, &drain, 24 * HOUR, true);
        let operator = Arc::new(Operator::new(admin));
        Self { world: Arc::clone(world), ingest, batch, drain, operator }
    }
}

/// Invokes `batch` with fresh events, or with what is on the schedule.
async fn invoke_batch(
    batch: Arc<Function<Batch<Port>>>,
    received: Vec<Received>,
    is_fresh: bool,
) -> (End<BTreeSet<usize>>, Arc<Who>) {
    let work = |container: Arc<Container<Batch<Port>>>, deadline| async move {
        let records: Vec<_> = received.iter().map(record).collect();
        if is_fresh {
            container.work.fresh(&records, deadline).await
        } else {
            container.work.retries(&records, deadline).await
        }
    };
    batch.invoke(work).await
}

/// Has a function of its own send each of these messages, all at once, as though that many pollers had
/// received one each.
pub(crate) fn fresh_at_once(deployment: &Deployment, bodies: Vec<String>) {
    let Deployment { world, batch, .. } = deployment;
    for body in bodies {
        let now = world.now();
        let received = world.with(|state| {
            let queue = &mut state.queues[place(ports::Queue::Events)];
            let id = queue.send(body.clone(), now, 0);
            let received = queue.receive(now, 1, &mut state.chance, || false);
            state.witness.sent(ports::Queue::Events, id, &body, now);
            received
        });
        let (world, batch) = (Arc::clone(world), Arc::clone(batch));
        let to = Arc::clone(&world);
        world.spawn(async move {
            let invoke = |received| invoke_batch(Arc::clone(&batch), received, true);
            serve(&to, ports::Queue::Events, received, &invoke).await;
        });
    }
}

fn record(received: &Received) -> Record<'_> {
    Record { body: &received.body, receipt: &received.receipt, receives: received.receives }
}

/// Runs the sweep, or the expiry, every so often.
fn schedule(world: &Arc<World>, drain: &Arc<Function<Drain<Port>>>, every_ms: i64, expires: bool) {
    let (world, drain) = (Arc::clone(world), Arc::clone(drain));
    let to = Arc::clone(&world);
    world.spawn(async move {
        loop {
            to.sleep_ms(every_ms).await;
            let work = |container: Arc<Container<Drain<Port>>>, deadline: Timestamp| async move {
                // What fails comes again with the next.
                if expires {
                    let _ = container.work.expire(deadline).await;
                } else {
                    let _ = container.work.sweep(deadline).await;
                }
            };
            drain.invoke(work).await;
        }
    });
}
