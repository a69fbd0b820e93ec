//! Lambda functions: containers that remember, are thrown away, die at any await, stand still, and
//! run out of time.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use flagpost_domain::time::Timestamp;
use rand::RngExt;

use crate::{
    executor::Sleep,
    fault::{Fault, Weather},
    port::{Port, Who},
    table::Item,
    trace::About,
    versioned::Versioned,
    world::World,
};

/// How an invocation ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End<T> {
    /// With an answer.
    Done(T),
    /// Its process died.
    Killed,
    /// Its time ran out, and its process was killed.
    OutOfTime,
}

/// A container, with what its use case remembers.
pub struct Container<U> {
    /// Its ports' identity.
    pub who: Arc<Who>,
    /// The use case.
    pub work: U,
}

/// A function: its idle containers, and how to make one.
pub struct Function<U> {
    world: Arc<World>,
    name: &'static str,
    timeout_ms: i64,
    idle: Mutex<Vec<Arc<Container<U>>>>,
    make: Box<dyn Fn(Port) -> U + Send + Sync>,
    made: AtomicU64,
}

impl<U: Send + Sync + 'static> Function<U> {
    /// A function of this name and time-out.
    pub fn new(
        world: &Arc<World>,
        name: &'static str,
        timeout_ms: i64,
        make: impl Fn(Port) -> U + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            name,
            timeout_ms,
            idle: Mutex::default(),
            make: Box::new(make),
            made: AtomicU64::new(0),
        })
    }

    /// A container: an idle one, or a new one, which takes a while.
    async fn container(&self) -> Arc<Container<U>> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(idle) = idle else { break };
            if !self.world.happens(Fault::Retired) {
                return idle;
            }
        }
        self.world.sleep_ms(self.world.between(20, 400)).await;
        let off_ms =
            if self.world.happens(Fault::ClockOff) { self.world.between(-3_000, 3_000) } else { 0 };
        let who = Arc::new(Who {
            function: self.name,
            container: self.made.fetch_add(1, Ordering::Relaxed) + 1,
            off_ms,
            invocation: AtomicU64::new(0),
            known_since: Mutex::default(),
            known_before: Mutex::default(),
        });
        let port = Port { world: Arc::clone(&self.world), who: Arc::clone(&who) };
        Arc::new(Container { who, work: (self.make)(port) })
    }

    /// Invokes it with the time by which it must have answered.
    pub async fn invoke<T, F: Future<Output = T> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Container<U>>, Timestamp) -> F,
    ) -> (End<T>, Arc<Who>) {
        let container = self.container().await;
        let world = &self.world;
        let invocation = world.next_invocation();
        let who = Arc::clone(&container.who);
        who.begins(invocation);
        let deadline = world.now() + self.timeout_ms;
        world.with(|state| {
            let (now, name) = (world.now(), self.name);
            state.note(now, About::default(), || {
                format!("{name}/{}#{invocation} invoked", who.container)
            });
        });
        let fate = |fault, most: f64| {
            // Most invocations are short: early awaits are as likely as late ones.
            world.happens(fault).then(|| {
                let roll: f64 = world.with(|state| state.chance.random());
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "< 400"
                )]
                let poll = most.powf(roll) as u64;
                poll
            })
        };
        let dies_at = fate(Fault::Killed, 400.0);
        let stalls_at = fate(Fault::Stalled, 200.0);
        let running = Running {
            work: Box::pin(work(Arc::clone(&container), Timestamp(deadline))),
            deadline: world.time.sleep_until(deadline),
            polls: 0,
            dies_at,
            stalls_at,
            stall_ms: world.between(1_000, 30_000),
            stall: None,
            world: Arc::clone(world),
        };
        let end = running.await;
        world.with(|state| {
            for (owner, integration) in state.slices.ended(invocation) {
                let lease = |item: &Versioned<Item>| item.latest().health.lease.clone();
                let held = state.table.health.get(&integration).and_then(lease);
                // In a storm the call that releases it may fail: it ends by itself.
                let calm = state.plan.weather < Weather::Storm && matches!(end, End::Done(_));
                if calm && held.is_some_and(|lease| lease.owner == owner) {
                    let integration = Some(state.witness.number(&integration));
                    let about = About { integration, ..About::default() };
                    state.witness.violate(world.now(), about, "a lease was not released");
                }
            }
            if matches!(end, End::OutOfTime) {
                state.tally.add(Fault::OutOfTime);
            }
            if !matches!(end, End::Done(_)) {
                let (now, name) = (world.now(), self.name);
                state.note(now, About::default(), || {
                    let how = if matches!(end, End::Killed) { "killed" } else { "out of time" };
                    format!("{name}/{}#{invocation} {how}", container.who.container)
                });
            }
        });
        if matches!(end, End::Done(_)) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(container);
        }
        (end, who)
    }
}

/// An invocation at work.
struct Running<F> {
    work: Pin<Box<F>>,
    deadline: Sleep,
    polls: u64,
    dies_at: Option<u64>,
    stalls_at: Option<u64>,
    stall_ms: i64,
    stall: Option<Sleep>,
    world: Arc<World>,
}

impl<F: Future> Future for Running<F> {
    type Output = End<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if Pin::new(&mut this.deadline).poll(cx).is_ready() {
            return Poll::Ready(End::OutOfTime);
        }
        if let Some(stall) = &mut this.stall {
            if Pin::new(stall).poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.stall = None;
        }
        this.polls += 1;
        if this.dies_at.is_some_and(|poll| this.polls > poll) {
            return Poll::Ready(End::Killed);
        }
        if this.stalls_at.is_some_and(|poll| this.polls > poll) {
            this.stalls_at = None;
            let until = this.world.now() + this.stall_ms;
            let mut stall = this.world.time.sleep_until(until);
            if Pin::new(&mut stall).poll(cx).is_pending() {
                this.stall = Some(stall);
                return Poll::Pending;
            }
        }
        this.work.as_mut().poll(cx).map(End::Done)
    }
}
