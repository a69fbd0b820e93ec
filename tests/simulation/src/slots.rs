//! Event source mappings that gather batches side by side, as Lambda's pollers do: who has an
//! invocation under way gathers nothing meanwhile.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use crate::{
    function::End,
    mapping::{CONCURRENT_FIRST, CONCURRENT_MAX, MORE_EVERY_MS, Mapping, serve},
    port::Who,
    queue::Received,
    world::{World, place},
};

/// So long after the last was added there are only the first ones again.
const FEWER_AFTER_MS: i64 = 600_000;

/// A mapping's slots.
struct Slots {
    mapping: Mapping,
    most: usize,
    all: AtomicUsize,
    busy: AtomicUsize,
    added_at: AtomicI64,
}

impl Mapping {
    /// Starts it: with `most`, batches are gathered side by side, and at most so many are under way.
    pub(crate) fn start<I, F>(self, world: &Arc<World>, most: Option<usize>, invoke: I)
    where
        I: Fn(Vec<Received>) -> F + Send + Sync + 'static,
        F: Future<Output = (End<BTreeSet<usize>>, Arc<Who>)> + Send + 'static,
    {
        let Some(most) = most else { return world.spawn(self.run(Arc::clone(world), invoke)) };
        let most = most.min(CONCURRENT_MAX);
        let slots = Arc::new(Slots {
            mapping: self,
            most,
            all: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            added_at: AtomicI64::new(world.now()),
        });
        let invoke = Arc::new(invoke);
        for _ in 0..CONCURRENT_FIRST.min(most) {
            slots.add(world, &invoke);
        }
        world.spawn(grow(Arc::clone(world), slots, invoke));
    }
}

impl Slots {
    fn add<I, F>(self: &Arc<Self>, world: &Arc<World>, invoke: &Arc<I>)
    where
        I: Fn(Vec<Received>) -> F + Send + Sync + 'static,
        F: Future<Output = (End<BTreeSet<usize>>, Arc<Who>)> + Send + 'static,
    {
        self.all.fetch_add(1, Ordering::Relaxed);
        self.added_at.store(world.now(), Ordering::Relaxed);
        world.spawn(slot(Arc::clone(world), Arc::clone(self), Arc::clone(invoke)));
    }

    fn are_too_many(&self, now: i64) -> bool {
        self.all.load(Ordering::Relaxed) > CONCURRENT_FIRST
            && now - self.added_at.load(Ordering::Relaxed) > FEWER_AFTER_MS
    }
}

/// Gathers a batch and serves it, over and over.
async fn slot<I, F>(world: Arc<World>, slots: Arc<Slots>, invoke: Arc<I>)
where
    I: Fn(Vec<Received>) -> F,
    F: Future<Output = (End<BTreeSet<usize>>, Arc<Who>)>,
{
    let mapping = &slots.mapping;
    loop {
        mapping.arrival(&world).await;
        let records = mapping.gather_for(&world, mapping.window_ms).await;
        if records.is_empty() {
            // Another took it; or the queue is full of messages in flight, and says nothing.
            let full = world.with(|state| state.queues[place(mapping.queue)].is_full(world.now()));
            world.sleep_ms(if full { 1_000 } else { 1 }).await;
        } else {
            slots.busy.fetch_add(1, Ordering::Relaxed);
            serve(&world, mapping.queue, records, &*invoke).await;
            slots.busy.fetch_sub(1, Ordering::Relaxed);
        }
        if slots.are_too_many(world.now()) {
            slots.all.fetch_sub(1, Ordering::Relaxed);
            return;
        }
    }
}

/// Adds slots while all are busy and messages wait.
async fn grow<I, F>(world: Arc<World>, slots: Arc<Slots>, invoke: Arc<I>)
where
    I: Fn(Vec<Received>) -> F + Send + Sync + 'static,
    F: Future<Output = (End<BTreeSet<usize>>, Arc<Who>)> + Send + 'static,
{
    if slots.most <= CONCURRENT_FIRST {
        return;
    }
    loop {
        slots.mapping.arrival(&world).await;
        world.sleep_ms(MORE_EVERY_MS).await;
        let next = world.with(|state| state.queues[place(slots.mapping.queue)].next_visible());
        let waits = next.is_some_and(|at| at <= world.now());
        let all = slots.all.load(Ordering::Relaxed);
        if waits && slots.busy.load(Ordering::Relaxed) >= all && all < slots.most {
            slots.add(&world, &invoke);
        }
    }
}
