//! The ports of the use cases, in the simulated world.

mod asked;
mod health;
mod objects;
mod operators;
mod queues;
mod sender;
mod store;

use std::{
    sync::Arc, sync::Mutex, sync::MutexGuard, sync::PoisonError, sync::atomic::AtomicU64,
    sync::atomic::Ordering, time::Duration,
};

use flagpost_domain::{
    id::{IntegrationId, ProjectId},
    ports::{Clock, PortResult, Ports, Random, Services},
    time::Timestamp,
};
use rand::Rng;

use crate::{
    executor::Sleep,
    told::What,
    trace::About,
    world::{KnownSince, State, World},
};

/// Whose ports these are: a container of a function.
pub struct Who {
    /// The function's name.
    pub function: &'static str,
    /// Which container.
    pub container: u64,
    /// Its clock is so many milliseconds off.
    pub off_ms: i64,
    /// Which invocation it works on.
    pub invocation: AtomicU64,
    /// Since when it knows of each project's integrations.
    pub known_since: Mutex<KnownSince>,
    /// The same, when the invocation began.
    pub known_before: Mutex<KnownSince>,
}

impl Who {
    /// A new invocation begins.
    pub fn begins(&self, invocation: u64) {
        self.invocation.store(invocation, Ordering::Relaxed);
        *lock(&self.known_before) = lock(&self.known_since).clone();
    }

    /// Since when it knew of each project's integrations when it first needed them.
    pub fn known_at_first(&self) -> KnownSince {
        let mut known = lock(&self.known_since).clone();
        known.extend(lock(&self.known_before).clone());
        known
    }
}

fn lock(known: &Mutex<KnownSince>) -> MutexGuard<'_, KnownSince> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ports of one container.
#[derive(Clone)]
pub struct Port {
    /// The world.
    pub world: Arc<World>,
    /// The container.
    pub who: Arc<Who>,
}

impl Port {
    pub(crate) fn invocation(&self) -> u64 {
        self.who.invocation.load(Ordering::Relaxed)
    }

    /// The invocation, if it is one that does what an operator asks for.
    fn asked(&self) -> Option<u64> {
        (self.who.function == "admin").then(|| self.invocation())
    }

    fn drains(&self) -> bool {
        self.who.function == "drain"
    }

    pub(crate) async fn call<T: Send + 'static>(
        &self,
        call: &'static str,
        effect: impl FnMut(&mut State, i64) -> T + Send + 'static,
    ) -> PortResult<T> {
        let result = self.world.call(call, effect).await;
        if let Err(error) = &result {
            self.note(About::default(), || error.to_string());
        }
        result
    }

    fn note(&self, about: About, text: impl FnOnce() -> String) {
        let now = self.world.now();
        self.world.with(|state| {
            if state.trace.is_on() {
                let Who { function, container, .. } = &*self.who;
                let invocation = self.invocation();
                state.note(now, about, || {
                    format!("{function}/{container}#{invocation}: {}", text())
                });
            }
        });
    }

    /// A write of a health item.
    async fn change<T: Default + Send + 'static>(
        &self,
        call: &'static str,
        project: Option<&ProjectId>,
        id: &IntegrationId,
        change: impl Fn(&mut crate::table::Item, i64) -> T + Send + 'static,
    ) -> PortResult<T> {
        let (project, id) = (project.cloned(), id.clone());
        let operator = self.who.function == "admin";
        let name = format!("{}#{}: {call}", self.who.function, self.invocation());
        self.call(call, move |state, now| {
            let health = |state: &State| {
                state.table.health.get(&id).map(|item| item.latest().health.clone())
            };
            let before = health(state);
            let result = match &project {
                Some(project) => state.table.change(project, &id, now, |item| change(item, now)),
                None => state.table.change_known(&id, now, |item| change(item, now)),
            };
            if let Some(after) = health(state) {
                for what in What::between(before.as_ref(), &after, operator) {
                    state.witness.told.changed(&id, what);
                }
            }
            if state.trace.is_on() {
                let about =
                    About { integration: Some(state.witness.number(&id)), ..About::default() };
                let after = state.table.health.get(&id).map(|item| {
                    let health = &item.latest().health;
                    format!(
                        "breaker v{} open {:?} slow {}, paused {}, timer {:?}, wake {}, backlog {}, \
                         lease {:?}",
                        health.breaker_version,
                        health.breaker.open.map(|open| open.until.0 - now),
                        health.breaker.slow,
                        health.pause.is_some(),
                        health.next_wake_at.map(|at| at.0 - now),
                        health.wake_gen,
                        health.backlog_gen,
                        health.lease.as_ref().map(|lease| lease.until.0 - now),
                    )
                });
                state.note(now, about, || format!("{name}: {}", after.unwrap_or_default()));
            }
            result
        })
        .await
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        Timestamp(self.world.now() + self.who.off_ms)
    }

    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send {
        let sleep: Sleep = self.world.time.sleep(wait);
        sleep
    }
}

impl Random for Port {
    fn bytes(&self) -> [u8; 32] {
        self.world.with(|state| {
            let mut bytes = [0; 32];
            state.chance.fill_bytes(&mut bytes);
            bytes
        })
    }
}

impl Services for Port {
    type Clock = Self;
    type Random = Self;
    type Queues = Self;
    type Store = Self;
    type Objects = Self;
    type Notices = Self;

    fn clock(&self) -> &Self {
        self
    }
    fn random(&self) -> &Self {
        self
    }
    fn queues(&self) -> &Self {
        self
    }
    fn store(&self) -> &Self {
        self
    }
    fn objects(&self) -> &Self {
        self
    }
    fn notices(&self) -> &Self {
        self
    }
}

impl Ports for Port {
    type Sender = Self;

    fn sender(&self) -> &Self {
        self
    }
}
