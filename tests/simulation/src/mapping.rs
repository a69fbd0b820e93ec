//! Event source mappings: from a queue to a function's invocations, and from their answers to
//! deletions.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use flagpost_domain::ports;
use rand::RngExt;

use crate::{
    fault::Fault,
    function::End,
    port::Who,
    queue::Received,
    trace::About,
    world::{World, place},
};

/// One payload of Lambda.
const PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// Received oftener than this, a message goes to the dead-letter queue.
const RECEIVES_MAX: u32 = 100;
/// "Lambda starts with five concurrent batches …
pub(crate) const CONCURRENT_FIRST: usize = 5;
/// … adds up to 300 a minute …
pub(crate) const MORE_EVERY_MS: i64 = 200;
/// … up to 1,250."
pub(crate) const CONCURRENT_MAX: usize = 1_250;

/// A mapping.
pub struct Mapping {
    /// From which queue.
    pub queue: ports::Queue,
    /// Records of one invocation at most.
    pub batch: usize,
    /// How long it waits for more records.
    pub window_ms: i64,
}

impl Mapping {
    /// Runs for ever. `invoke` invokes the function: the indexes of the records that are not done.
    pub async fn run<I, F>(self, world: Arc<World>, invoke: I)
    where
        I: Fn(Vec<Received>) -> F + Send + Sync + 'static,
        F: Future<Output = (End<BTreeSet<usize>>, Arc<Who>)> + Send,
    {
        let invoke = Arc::new(invoke);
        let running = Arc::new(AtomicUsize::new(0));
        let (mut capacity, mut grown_at) = (CONCURRENT_FIRST, world.now());
        loop {
            self.arrival(&world).await;
            while running.load(Ordering::Relaxed) >= capacity {
                world.sleep_ms(MORE_EVERY_MS).await;
                capacity = (capacity + 1).min(CONCURRENT_MAX);
                grown_at = world.now();
            }
            if world.now() - grown_at > 600_000 {
                capacity = CONCURRENT_FIRST;
            }
            let records = self.gather(&world).await;
            if records.is_empty() {
                // Full of messages in flight: it says nothing.
                world.sleep_ms(1_000).await;
                continue;
            }
            running.fetch_add(1, Ordering::Relaxed);
            let (queue, running) = (self.queue, Arc::clone(&running));
            let (to, invoke) = (Arc::clone(&world), Arc::clone(&invoke));
            world.spawn(async move {
                serve(&to, queue, records, &*invoke).await;
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }

    /// Waits until there is something to receive.
    pub(crate) async fn arrival(&self, world: &Arc<World>) {
        loop {
            let next = world.with(|state| state.queues[place(self.queue)].next_visible());
            let now = world.now();
            if next.is_some_and(|at| at <= now) {
                return;
            }
            let until = next.unwrap_or(i64::MAX);
            let mut sleep = std::pin::pin!(world.time.sleep_until(until));
            let queue = place(self.queue);
            let seen = world.with(|state| state.queues[queue].changes);
            std::future::poll_fn(|cx| {
                if sleep.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                world.with(|state| {
                    let queue = &mut state.queues[queue];
                    if queue.changes != seen {
                        return Poll::Ready(());
                    }
                    queue.watchers.push(cx.waker().clone());
                    Poll::Pending
                })
            })
            .await;
        }
    }

    /// Gathers a batch.
    async fn gather(&self, world: &Arc<World>) -> Vec<Received> {
        let window = if self.window_ms > 0 { world.between(0, self.window_ms) } else { 0 };
        self.gather_for(world, window).await
    }

    /// Gathers a batch for so many milliseconds at most.
    pub(crate) async fn gather_for(&self, world: &Arc<World>, window: i64) -> Vec<Received> {
        let end = world.now() + window;
        let (mut records, mut bytes) = (Vec::new(), 0);
        loop {
            let most = (self.batch - records.len()).min(10);
            let received = self.receive(world, most);
            let none = received.is_empty();
            bytes += received.iter().map(|record| record.body.len()).sum::<usize>();
            records.extend(received);
            if records.len() >= self.batch || bytes > PAYLOAD_BYTES - 1024 * 1024 {
                return records;
            }
            if none || records.is_empty() {
                if world.now() >= end || records.is_empty() {
                    return records;
                }
                world.sleep_ms((end - world.now()).min(500)).await;
            }
        }
    }

    fn receive(&self, world: &World, most: usize) -> Vec<Received> {
        let now = world.now();
        world.with(|state| {
            let queue = place(self.queue);
            if state.queues[queue].is_full(now) {
                state.tally.add(Fault::InFlightFull);
                return Vec::new();
            }
            let mut chance = state.chance.clone();
            let received = {
                let mut doubled = Vec::new();
                let received = state.queues[queue].receive(now, most, &mut state.chance, || {
                    let again = chance.random_bool(state.plan.likely(Fault::DuplicateReceive));
                    doubled.push(again);
                    again
                });
                for (record, again) in received.iter().zip(doubled) {
                    if again {
                        state.tally.add(Fault::DuplicateReceive);
                        state.witness.excuse(record.id);
                    }
                }
                received
            };
            for record in &received {
                if state.happens(Fault::ReceiveCountJump) {
                    state.queues[queue].count_receive(record.id);
                }
                if record.receives > RECEIVES_MAX {
                    state.dead_letters += 1;
                    let what = format!("{:?} message {} dead-lettered", self.queue, record.id);
                    state.witness.violate(now, About::default(), what);
                }
                state.note(now, About::default(), || {
                    format!(
                        "{:?} message {} received, {}",
                        self.queue, record.receipt, record.receives
                    )
                });
            }
            received
        })
    }
}

/// Invokes the function for a batch, and deletes what it is done with.
pub(crate) async fn serve<I, F>(
    world: &Arc<World>,
    queue: ports::Queue,
    records: Vec<Received>,
    invoke: &I,
) where
    I: Fn(Vec<Received>) -> F,
    F: Future<Output = (End<BTreeSet<usize>>, Arc<Who>)>,
{
    let mut throttled = 0;
    while world.happens(Fault::InvokeThrottled) {
        throttled += 1;
        if throttled > 3 {
            // Their visibility ends, and they come again.
            return;
        }
        world.sleep_ms(world.between(500, 20_000)).await;
    }
    let ids: Vec<_> = records.iter().map(|record| (record.id, record.receipt.clone())).collect();
    let (End::Done(failed), who) = invoke(records).await else { return };
    if world.happens(Fault::ResponseLost) || world.happens(Fault::ResponseMalformed) {
        for (id, _) in &ids {
            world.with(|state| state.witness.excuse(*id));
        }
        return;
    }
    // What it knew when it began may have served on, where it could not be read anew.
    let known = who.known_at_first();
    world.sleep_ms(world.between(0, 30)).await;
    let now = world.now();
    for (index, (id, receipt)) in ids.into_iter().enumerate() {
        if failed.contains(&index) {
            continue;
        }
        world.with(|state| {
            if state.happens(Fault::DeletionForgotten) {
                state.witness.excuse(id);
                return;
            }
            let deleted = state.queues[place(queue)].delete(&receipt);
            // A stale receipt handle may delete, or not.
            let deleted = match deleted {
                None if state.chance.random_bool(0.5) => state.queues[place(queue)].remove(id),
                deleted => deleted,
            };
            if deleted.is_some() {
                let since = |project: &_| known.get(project).copied();
                let about = state.witness.removed(queue, id, &state.table, since, now);
                state.trace.note(now, about, || format!("{queue:?} message {id} deleted"));
            }
        });
    }
}
