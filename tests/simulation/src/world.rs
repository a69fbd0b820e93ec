//! The world: services, endpoints, chance, and the witness, behind one lock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use flagpost_domain::{batch::Policy, id::ProjectId, ports};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    attempts::Attempts,
    endpoint::Endpoint,
    executor::Time,
    fault::{Fault, Plan, Tally},
    order::Slices,
    owner::Owner,
    queue::Queue,
    table::Table,
    trace::{About, Trace},
    witness::{Why, Witness},
};

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Everything follows from this.
    pub seed: u64,
    /// Whether a trace is kept.
    pub traced: bool,
    /// What the deployment sets.
    pub policy: Policy,
    /// Messages in flight from which on a queue says nothing.
    pub in_flight: usize,
    /// The longest that a call takes where it is not slow, in milliseconds.
    pub call_ms: i64,
    /// By how much an index is behind where it is not stale, in milliseconds.
    pub lag_ms: i64,
    /// How long parked and dead deliveries are kept.
    pub retention: flagpost_domain::drain::Retention,
}

/// The world.
pub struct World {
    /// Its clock.
    pub time: Time,
    /// What it is made of.
    pub setting: Setting,
    state: Mutex<State>,
    broken: AtomicBool,
    invocations: AtomicU64,
}

/// Whatever changes.
pub struct State {
    /// Chance.
    pub chance: Pcg64Mcg,
    /// What goes wrong.
    pub plan: Plan,
    /// How often it did.
    pub tally: Tally,
    /// The queues: events, retry, wake.
    pub queues: [Queue; 3],
    /// Messages in dead-letter queues.
    pub dead_letters: u64,
    /// Calls of services, by name.
    pub calls: BTreeMap<&'static str, u64>,
    /// The table.
    pub table: Table,
    /// The bucket: when each object was written, and its bytes.
    pub objects: BTreeMap<String, (i64, Bytes)>,
    /// Whose endpoint each host is.
    pub hosts: BTreeMap<String, Owner>,
    /// Endpoints by host.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The witness.
    pub witness: Witness,
    /// The order in which drains go.
    pub slices: Slices,
    /// What happened.
    pub trace: Trace,
}

/// The place of a queue in [`State::queues`].
pub fn place(queue: ports::Queue) -> usize {
    match queue {
        ports::Queue::Events => 0,
        ports::Queue::Retry => 1,
        ports::Queue::Wake => 2,
    }
}

/// Visibility timeouts, as the template sets them.
const VISIBILITY_MS: [i64; 3] = [370_000, 360_000, 720_000];

impl World {
    /// A world in which nothing happened yet.
    pub fn new(time: Time, setting: Setting) -> Self {
        let mut chance = Pcg64Mcg::seed_from_u64(setting.seed);
        let plan = Plan::new(&mut chance);
        let now = time.now();
        let storm = plan.weather == crate::fault::Weather::Storm;
        let last_slot = setting.policy.schedule.last();
        let last_slot = i64::try_from(last_slot.as_millis()).unwrap_or(i64::MAX);
        let witness = Witness::new(Attempts::new(last_slot, storm));
        let state = State {
            chance,
            plan,
            tally: Tally::default(),
            queues: VISIBILITY_MS.map(|visibility| Queue::new(visibility, setting.in_flight)),
            dead_letters: 0,
            calls: BTreeMap::new(),
            table: Table::default(),
            objects: BTreeMap::new(),
            hosts: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            witness,
            slices: Slices::default(),
            trace: Trace::new(setting.traced, now),
        };
        Self {
            time,
            setting,
            state: Mutex::new(state),
            broken: AtomicBool::new(false),
            invocations: AtomicU64::new(0),
        }
    }

    /// True time, in milliseconds of the Unix epoch.
    pub fn now(&self) -> i64 {
        self.time.now()
    }

    /// Looks, or changes.
    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = look(&mut state);
        if state.witness.violation.is_some() {
            self.broken.store(true, Ordering::Relaxed);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a promise was broken.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// A number for the next invocation.
    pub fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether this fault happens now.
    pub fn happens(&self, fault: Fault) -> bool {
        self.with(|state| state.happens(fault))
    }

    /// A duration by chance, in milliseconds.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        self.with(|state| state.chance.random_range(from..=to))
    }

    /// Starts a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.time.spawn(task);
    }

    /// Waits.
    pub async fn sleep_ms(&self, ms: i64) {
        self.time.sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
    }

    /// Makes a call of a service: `effect` is what it does there. It takes time before and after,
    /// and whatever can go wrong with a call may. What was on its way when the caller died may take
    /// effect all the same.
    pub async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        call: &'static str,
        effect: impl FnMut(&mut State, i64) -> T + Send + 'static,
    ) -> ports::PortResult<T> {
        let mut effect = effect;
        let fate = self.with(|state| {
            *state.calls.entry(call).or_default() += 1;
            state.fate(self.setting.call_ms)
        });
        let throttled =
            || ports::PortError::Throttled { call, reason: "simulated: slow down".into() };
        let failed = || ports::PortError::Failed { call, reason: "simulated: no answer".into() };
        match fate.fault {
            Some(Fault::Throttled) => {
                self.sleep_ms(fate.before).await;
                Err(throttled())
            }
            Some(Fault::Refused) => {
                self.sleep_ms(fate.before).await;
                Err(failed())
            }
            Some(Fault::EffectLate) => {
                self.sleep_ms(fate.before).await;
                let world = Arc::clone(self);
                self.spawn(async move {
                    world.sleep_ms(fate.after).await;
                    world.with(|state| effect(state, world.time.now()));
                });
                Err(failed())
            }
            lost => {
                let mut way = OnItsWay {
                    world: Arc::clone(self),
                    at: self.now().saturating_add(fate.before),
                    effect: Some(effect),
                    goes_on: fate.goes_on,
                };
                self.sleep_ms(fate.before).await;
                let now = self.now();
                let Some(mut effect) = way.effect.take() else { return Err(failed()) };
                let mut result = self.with(|state| effect(state, now));
                if lost == Some(Fault::MadeTwice) {
                    self.sleep_ms(fate.after).await;
                    let now = self.now();
                    result = self.with(|state| effect(state, now));
                }
                self.sleep_ms(fate.after).await;
                if lost == Some(Fault::AnswerLost) { Err(failed()) } else { Ok(result) }
            }
        }
    }
}

/// A call that was sent: it arrives even if nobody waits for its answer any more.
struct OnItsWay<T, F: FnMut(&mut State, i64) -> T + Send + 'static> {
    world: Arc<World>,
    at: i64,
    effect: Option<F>,
    goes_on: bool,
}

impl<T, F: FnMut(&mut State, i64) -> T + Send + 'static> Drop for OnItsWay<T, F> {
    fn drop(&mut self) {
        if let Some(mut effect) = self.effect.take().filter(|_| self.goes_on) {
            let (world, at) = (Arc::clone(&self.world), self.at);
            self.world.spawn(async move {
                world.time.sleep_until(at).await;
                let now = world.now();
                world.with(|state| {
                    effect(state, now);
                });
            });
        }
    }
}

/// What becomes of a call.
struct Fate {
    fault: Option<Fault>,
    before: i64,
    after: i64,
    goes_on: bool,
}

impl State {
    /// Whether this fault happens now: counted if it does.
    pub fn happens(&mut self, fault: Fault) -> bool {
        let likely = self.plan.likely(fault);
        let happens = likely > 0.0 && self.chance.random_bool(likely);
        if happens {
            self.tally.add(fault);
        }
        happens
    }

    fn fate(&mut self, most: i64) -> Fate {
        let calls = [
            Fault::Throttled,
            Fault::Refused,
            Fault::AnswerLost,
            Fault::MadeTwice,
            Fault::EffectLate,
            Fault::Slow,
        ];
        let fault = calls.into_iter().find(|fault| self.happens(*fault));
        let most = if fault.is_some() { 4_000 } else { most };
        Fate {
            fault,
            before: self.chance.random_range(0..=most),
            after: self.chance.random_range(0..=most),
            goes_on: self.plan.weather == crate::fault::Weather::Storm
                && self.chance.random_bool(0.5),
        }
    }

    /// The time as of which an eventually consistent read sees an item.
    pub fn seen_as_of(&mut self, now: i64, lag_ms: i64) -> i64 {
        let stale = self.happens(Fault::StaleRead);
        now - self.chance.random_range(0..=if stale { 8_000 } else { lag_ms })
    }

    /// An object was deleted; by a function, it may be for its age if it is from before `expired_before`,
    /// or as an operator asked by this invocation. A call may be on its way for `way_ms`.
    pub fn delete_object(
        &mut self,
        key: &str,
        expired_before: i64,
        asked: Option<u64>,
        way_ms: i64,
        now: i64,
    ) {
        let Some((modified, _)) = self.objects.remove(key) else { return };
        let why = match asked {
            Some(invocation) => Why::Asked(invocation),
            None if modified < expired_before => Why::Expired,
            None => Why::SeenTo,
        };
        let about = self.witness.deleted_object(key, why, modified, way_ms, now);
        self.trace.note(now, about, || format!("object deleted: {key}"));
    }

    /// Notes a line of the trace.
    pub fn note(&mut self, now: i64, about: About, text: impl FnOnce() -> String) {
        self.trace.note(now, about, text);
    }
}

/// Since when a container knows of each project's integrations.
pub type KnownSince = BTreeMap<ProjectId, i64>;
