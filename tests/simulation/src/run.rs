//! One seed, from an empty deployment to the last delivery.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flagpost_domain::{
    admin::Admin,
    batch::{Batch, Policy, Record},
    breaker,
    destination::Allowed,
    drain::{Drain, Retention},
    id::IntegrationId,
    ingest::{Ingest, Limits},
    key,
    ledger::Counts,
    parked::Place,
    ports,
    retry::Schedule,
    time::Timestamp,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    asked::Done,
    attempts::Made,
    events,
    executor::Executor,
    fault::{Fault, Tally, Weather},
    function::{Container, End, Function},
    mapping::{Mapping, serve},
    owner::Owner,
    port::{Port, Who},
    queue::Received,
    table::{Configured, Item},
    tend,
    trace::About,
    versioned::Versioned,
    witness::{SetAside, Violation},
    workload::{self, ADMIN_KEY, Operator, Shape, SimIngest, Tenant},
    world::{Setting, State, World, place},
};

/// Sat, 21 Nov 2026 05:00:00 GMT.
pub(crate) const START: i64 = 1_795_237_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// After so long with everything well, whatever is not dead must be delivered.
const PATIENCE: i64 = 36 * HOUR;

/// Numbers of the events that follow when all is well.
const FOLLOWING: u32 = 1_000_000_000;
/// The same while operators tend to what is dead.
const MEANWHILE: u32 = 1_300_000_000;
/// The same after operators have tended to what is dead.
const FOLLOWING_AGAIN: u32 = 1_100_000_000;
/// The same after they have replayed all that is left.
const FOLLOWING_LAST: u32 = 1_200_000_000;
/// For so long they do.
const FOLLOWING_HOURS: i64 = 30;
/// What was set up so long before the first event came is known to everybody.
const FOUNDED: Duration = Duration::from_secs(1);

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Its weather.
    pub weather: Weather,
    /// The first broken promise.
    pub violation: Option<Violation>,
    /// What went wrong, on purpose.
    pub tally: Tally,
    /// Events accepted.
    pub accepted: usize,
    /// Pairs of integration and event that were delivered, dead, and delivered again.
    pub delivered: usize,
    /// Pairs that are dead.
    pub dead: usize,
    /// Deliveries of pairs that were delivered before.
    pub repeated: u64,
    /// Attempts and requests.
    pub made: Made,
    /// Pairs that a filter did not want, as the ledger has it.
    pub filtered: u64,
    /// What operators did about what is laid aside.
    pub done: Done,
    /// Virtual time that it took.
    pub lasted: Duration,
    /// What happened, if a trace was wanted.
    pub trace: String,
    /// Of that, what concerns the violation.
    pub matters: String,
}

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
                    let _ = container.work.sweep().await;
                }
            };
            drain.invoke(work).await;
        }
    });
}

/// Runs one seed. With `days` traffic goes on for that long.
pub fn run(seed: u64, days: Option<u32>, traced: bool) -> Report {
    let mut executor = Executor::new(seed, START);
    let mut chance = Pcg64Mcg::seed_from_u64(seed ^ 0x5e77_1465);
    let retention = if days.is_some() && chance.random_bool(0.5) {
        Retention { parked: Duration::from_hours(6), dead: Duration::from_hours(24) }
    } else {
        Retention { parked: Duration::from_hours(24 * 14), dead: Duration::from_hours(24 * 30) }
    };
    let setting = Setting {
        seed,
        traced,
        policy: policy(),
        in_flight: if chance.random_bool(0.1) { 30 } else { crate::queue::IN_FLIGHT_MAX },
        call_ms: [5, 20, 80, 700][chance.random_range(0..4)],
        lag_ms: [10, 100, 500][chance.random_range(0..3)],
        retention,
    };
    let shape = Shape {
        tenants: chance.random_range(1..=3),
        integrations: chance.random_range(1..=3),
        traffic_ms: days.map_or_else(
            || [5 * MINUTE, 30 * MINUTE, 3 * HOUR, 8 * HOUR][chance.random_range(0..4)],
            |days| i64::from(days) * 24 * HOUR,
        ),
        events: days.map_or_else(|| [30, 100, 250][chance.random_range(0..3)], |days| 600 * days),
        steady: seed % 8 == 4,
    };
    let world = Arc::new(World::new(executor.time(), setting));
    let deployment = Deployment::new(&world);

    // Before anything goes wrong there is something to go wrong.
    world.with(|state| state.plan.end());
    let tenants = found(&mut executor, &deployment, shape);
    world.with(|state| state.plan.begin());
    workload::plan_endpoints(&world, &tenants, shape.traffic_ms);
    for tenant in &tenants {
        let ingest = Arc::clone(&deployment.ingest);
        world.spawn(workload::send(Arc::clone(&world), ingest, tenant.clone()));
    }
    if world.with(|state| state.plan.weather > Weather::Calm && state.chance.random_bool(0.5)) {
        meddle(&deployment, &tenants, shape.traffic_ms);
    }
    let busy = Arc::new(AtomicUsize::new(0));
    if chance.random_bool(0.4) {
        for tenant in &tenants {
            tend::begin(&world, &deployment.operator, &tenant.project, shape.traffic_ms / 3, &busy);
        }
    }
    let broken = || world.is_broken();
    executor.run(world.now() + shape.traffic_ms, broken);
    executor.run(world.now() + world.between(0, HOUR), broken);

    end(&mut executor, &deployment, &tenants, &busy, FOLLOWING);
    if chance.random_bool(0.6) && !broken() {
        tend_all(&mut executor, &deployment, &tenants, &mut chance, &busy);
    }
    report(&world)
}

/// From here on all is well: then all is delivered, or dead.
fn end(
    executor: &mut Executor,
    deployment: &Deployment,
    tenants: &[Tenant],
    busy: &AtomicUsize,
    following: u32,
) {
    let world = &deployment.world;
    let broken = || world.is_broken();
    world.with(|state| {
        state.plan.end();
        for endpoint in state.endpoints.values_mut() {
            endpoint.modes.clear();
        }
    });
    // Who is still about to pause something had better not do so after it was resumed.
    let healed_at = world.now();
    while !broken() && busy.load(Ordering::Relaxed) > 0 && world.now() < healed_at + PATIENCE {
        executor.run(world.now() + MINUTE, broken);
    }
    heal(deployment, tenants);
    follow(deployment, tenants, following);
    let healed_at = world.now();
    while !broken() && world.now() < healed_at + PATIENCE {
        executor.run(world.now() + 10 * MINUTE, broken);
        if world.with(|state| is_at_rest(state, world.now())) {
            break;
        }
        // A 410 that was on its way pauses once more.
        let paused = |item: &Versioned<Item>| item.latest().health.pause.is_some();
        if world.with(|state| state.table.health.values().any(paused)) {
            heal(deployment, tenants);
        }
    }
    check_end(world);
}

/// What is dead by now gives operators something to do: several at the same time, with faults as before
/// and with endpoints that fail once more, or are mended for good. At the end they may replay all that is
/// left.
fn tend_all(
    executor: &mut Executor,
    deployment: &Deployment,
    tenants: &[Tenant],
    chance: &mut Pcg64Mcg,
    busy: &Arc<AtomicUsize>,
) {
    let world = &deployment.world;
    let broken = || world.is_broken();
    let mended = chance.random_bool(0.6);
    world.with(|state| {
        state.plan.begin();
        for endpoint in state.endpoints.values_mut().filter(|_| mended) {
            endpoint.mended = true;
        }
    });
    let pause_ms = [10_000, 5 * MINUTE, HOUR][chance.random_range(0..3)];
    if chance.random_bool(0.4) {
        workload::plan_endpoints(world, &[], pause_ms.max(10 * MINUTE));
    }
    let (mut number, busily) = (MEANWHILE, chance.random_bool(0.5));
    for tenant in tenants {
        if busily {
            let mut requests = Vec::new();
            for n in 0..i64::from(chance.random_range(4..30_u32)) {
                let key = chance.random_range(0..tenant.keys.len().max(1));
                requests.push((world.now() + n * pause_ms / 6, key, vec![number]));
                number += 1;
            }
            let ingest = Arc::clone(&deployment.ingest);
            let sender = Tenant { requests, ..tenant.clone() };
            world.spawn(workload::send(Arc::clone(world), ingest, sender));
        }
        tend::begin(world, &deployment.operator, &tenant.project, pause_ms, busy);
    }
    let began = world.now();
    while !broken() && busy.load(Ordering::Relaxed) > 0 && world.now() < began + 12 * HOUR {
        executor.run(world.now() + MINUTE, broken);
    }
    end(executor, deployment, tenants, busy, FOLLOWING_AGAIN);
    if broken() || !chance.random_bool(0.7) {
        return;
    }
    busy.fetch_add(tenants.len(), Ordering::Relaxed);
    for tenant in tenants {
        let (to, operator) = (Arc::clone(world), Arc::clone(&deployment.operator));
        let (project, busy) = (tenant.project.clone(), Arc::clone(busy));
        world.spawn(async move {
            for one in operator.integrations(&project).await {
                operator.look(&to, &one).await;
                operator.replay_all(&to, &one).await;
            }
            busy.fetch_sub(1, Ordering::Relaxed);
        });
    }
    end(executor, deployment, tenants, busy, FOLLOWING_LAST);
    if mended {
        check_replayed(world);
    }
}

/// What was replayed, and what nothing is wrong with any more, is delivered.
fn check_replayed(world: &World) {
    let now = world.now();
    world.with(|state| {
        let dead: Vec<_> = state.witness.all_dead().collect();
        for (integration, event) in dead {
            let witness = &state.witness;
            if witness.is_deleted(integration)
                || witness.is_making(integration)
                || witness.has_expired(integration, event)
            {
                continue;
            }
            let about = About { integration: Some(integration), events: vec![event] };
            let what = format!("event {event} was replayed, and is dead");
            state.witness.violate(now, about, what);
        }
    });
}

/// Sets up the tenants.
fn found(executor: &mut Executor, deployment: &Deployment, shape: Shape) -> Vec<Tenant> {
    let founded = Arc::new(Mutex::new(None));
    let to = Arc::clone(&founded);
    let (world, operator) = (Arc::clone(&deployment.world), Arc::clone(&deployment.operator));
    deployment.world.spawn(async move {
        let tenants = workload::found(&world, &operator, shape).await;
        *to.lock().unwrap_or_else(PoisonError::into_inner) = Some(tenants);
    });
    let is_founded = || founded.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    executor.run(START + HOUR, is_founded);
    let tenants = founded.lock().unwrap_or_else(PoisonError::into_inner).take();
    tenants.unwrap_or_default()
}

/// Operators change things, now and then.
fn meddle(deployment: &Deployment, tenants: &[Tenant], traffic_ms: i64) {
    for tenant in tenants {
        let (world, operator) = (Arc::clone(&deployment.world), Arc::clone(&deployment.operator));
        let project = tenant.project.clone();
        let end = world.now() + traffic_ms;
        deployment.world.spawn(async move {
            let mut serial = 0;
            loop {
                world.sleep_ms(world.between(MINUTE, traffic_ms / 2)).await;
                if world.now() >= end {
                    return;
                }
                serial += 1;
                operator.meddle(&world, &project, serial).await;
            }
        });
    }
}

/// Operators enable and resume everything.
fn heal(deployment: &Deployment, tenants: &[Tenant]) {
    for tenant in tenants {
        let (world, operator) = (Arc::clone(&deployment.world), Arc::clone(&deployment.operator));
        let project = tenant.project.clone();
        deployment.world.spawn(async move {
            while !operator.heal(&project).await {
                world.sleep_ms(MINUTE).await;
            }
        });
    }
}

/// Traffic goes on for a while: of a breaker whose every parked delivery is one that the endpoint
/// cannot take, nobody would know that the endpoint is well.
fn follow(deployment: &Deployment, tenants: &[Tenant], first: u32) {
    let world = &deployment.world;
    let mut number = first;
    for tenant in tenants {
        let mut follower = Tenant { requests: Vec::new(), ..tenant.clone() };
        for n in 1..FOLLOWING_HOURS * 3 {
            let at = world.now() + n * 20 * MINUTE;
            for key in 0..tenant.keys.len() {
                follower.requests.push((at, key, vec![number]));
                number += 1;
            }
        }
        let ingest = Arc::clone(&deployment.ingest);
        world.spawn(workload::send(Arc::clone(world), ingest, follower));
    }
}

/// Whether nothing is under way any more that an endpoint could still get. What it got already, and
/// cannot take once more, may be left: of that alone the drainer cannot tell that the endpoint is well.
pub(crate) fn is_at_rest(state: &mut State, now: i64) -> bool {
    let [events, retry, _] = &state.queues;
    let idle = |item: &Versioned<Item>| {
        let health = &item.latest().health;
        let prefix = Place::Parked.prefix(&health.integration);
        let parked = state.objects.range(prefix.clone()..).next();
        let left = parked.is_some_and(|(key, _)| key.starts_with(&prefix));
        // Who still drains may not have counted yet.
        let drains = health.lease.as_ref().is_some_and(|lease| lease.until.0 > now);
        (health.next_wake_at.is_none() || left) && !drains
    };
    events.is_empty()
        && retry.is_empty()
        && state.table.health.values().all(idle)
        && waiting(state).is_empty()
}

/// What waits, but for what an endpoint cannot take while its breaker is open and nothing else comes:
/// of that alone nobody can tell that the endpoint is well. It is tried at each pause's end.
fn waiting(state: &mut State) -> BTreeMap<u32, (usize, usize)> {
    let mut poisons = HashMap::new();
    for (host, Owner { id, .. }) in &state.hosts {
        let open = |item: &Versioned<Item>| item.latest().health.breaker.open.is_some();
        let endpoint = state.endpoints.get(host).filter(|endpoint| !endpoint.mended);
        let Some(endpoint) = endpoint else { continue };
        if state.table.health.get(id).is_some_and(open) {
            poisons.insert(state.witness.number(id), endpoint.poisons.clone());
        }
    }
    let hopeless = |integration: u32, events: &[u32]| {
        let poisons = poisons.get(&integration).map(Vec::as_slice).unwrap_or_default();
        poisons.iter().any(|poison| events.contains(poison))
    };
    state.witness.waiting(hopeless)
}

/// What must be true when all was well for long enough.
pub(crate) fn check_end(world: &World) {
    let now = world.now();
    world.with(|state| {
        if state.witness.violation.is_some() {
            return;
        }
        if !is_at_rest(state, now) {
            let left: Vec<usize> = state.queues.iter().map(crate::queue::Queue::len).collect();
            let waiting = waiting(state);
            let about = About {
                integration: waiting.keys().next().copied(),
                ..About::default()
            };
            let timers: Vec<_> = state
                .table
                .health
                .values()
                .filter_map(|item| item.latest().health.next_wake_at)
                .map(|at| at.0 - now)
                .collect();
            let what = format!(
                "not at rest: messages {left:?}, scheduled and parked {waiting:?}, timers {timers:?}"
            );
            state.witness.violate(now, about, what);
            return;
        }
        if state.plan.weather < Weather::Storm {
            check_ledger(state, now);
            if state.tally.of(Fault::OutOfTime) == 0 {
                check_told(state, now);
            }
        }
        if state.plan.weather == Weather::Calm {
            check_dead(state, now);
        }
        if state.plan.weather == Weather::Calm && state.witness.repeated > 0 {
            let what = format!("{} repeated deliveries in calm weather", state.witness.repeated);
            state.witness.violate(now, About::default(), what);
        }
    });
}

/// Without crashes, duplicates and lost answers the ledger is right to the event.
fn check_ledger(state: &mut State, now: i64) {
    let ids: Vec<_> = state.table.ledger.keys().cloned().collect();
    for id in ids {
        let mut sum = Counts::default();
        for counts in state.table.ledger.get(&id).into_iter().flat_map(|hours| hours.values()) {
            sum += *counts;
        }
        let number = state.witness.number(&id);
        let stored = i128::try_from(state.witness.stored(number)).unwrap_or(i128::MAX);
        let [scheduled, parked, dead] = sum.waiting();
        if let Some([matched, filtered]) = expected(state, &id)
            && [matched, filtered] != [sum.matched, sum.filtered]
        {
            let about = About { integration: Some(number), ..About::default() };
            let what =
                format!("{matched} matched and {filtered} filtered, but the ledger: {sum:?}");
            state.witness.violate(now, about, what);
        }
        let aside = state.witness.aside.get(&number).copied().unwrap_or_default();
        let said = SetAside {
            dead: sum.dead,
            undead: sum.undead,
            expired: sum.expired,
            discarded: sum.discarded,
        };
        if said != aside && !state.witness.is_deleted(number) {
            let about = About { integration: Some(number), ..About::default() };
            let what = format!("{aside:?}, but the ledger: {sum:?}");
            state.witness.violate(now, about, what);
        }
        if !sum.balances() || scheduled != 0 || parked + dead != stored {
            let about = About { integration: Some(number), ..About::default() };
            let what = format!("the ledger is off: {sum:?}, and {stored} events are stored");
            state.witness.violate(now, about, what);
        }
    }
}

/// Without crashes and calls that fail, every change is told once.
fn check_told(state: &mut State, now: i64) {
    if let Some((id, what)) = state.witness.told.fault() {
        let integration = Some(state.witness.number(&id));
        state.witness.violate(now, About { integration, ..About::default() }, what);
    }
}

/// What an integration was sent and what its filter did not want, if it was never changed.
fn expected(state: &State, id: &IntegrationId) -> Option<[u64; 2]> {
    let owner = state.hosts.values().find(|owner| owner.id == *id)?;
    let mut configured = state.table.integrations.values().filter_map(|project| project.get(id));
    let Configured::Present(integration) = configured.next()?.latest() else { return None };
    let begins = Timestamp(*state.witness.accepted.values().min()?);
    owner.is_as_made(begins.minus(FOUNDED)).then(|| state.witness.wanted(integration))
}

/// Where each event is a request of its own, one that the endpoint cannot take hinders no other.
fn check_dead(state: &mut State, now: i64) {
    let dead: Vec<_> = state.witness.all_dead().collect();
    for (host, owner) in &state.hosts {
        let number = state.witness.number(&owner.id);
        let Some(endpoint) = state.endpoints.get(host).filter(|_| owner.is_always_single()) else {
            continue;
        };
        let innocent = |(of, event): &&(u32, u32)| {
            *of == number && !endpoint.poisons.contains(event) && !events::lacks(*event)
        };
        if let Some((_, event)) = dead.iter().find(innocent) {
            let about = About { integration: Some(number), events: vec![*event] };
            let what = format!("event {event} is dead, and nothing was wrong with it");
            state.witness.violate(now, about, what);
        }
    }
}

fn report(world: &World) -> Report {
    let lasted = Duration::from_millis(u64::try_from(world.now() - START).unwrap_or(0));
    world.with(|state| {
        let violation = state.witness.violation.clone();
        let matters = violation.as_ref().map(|violation| state.trace.about(&violation.about));
        Report {
            seed: world.setting.seed,
            weather: state.plan.weather,
            tally: state.tally.clone(),
            accepted: state.witness.accepted.len(),
            delivered: state.witness.delivered.len(),
            dead: state.witness.dead(),
            repeated: state.witness.repeated,
            made: state.witness.attempts.made,
            filtered: state
                .table
                .ledger
                .values()
                .flat_map(BTreeMap::values)
                .map(|c| c.filtered)
                .sum(),
            done: state.witness.operated.done,
            lasted,
            violation,
            trace: state.trace.whole(),
            matters: matters.unwrap_or_default(),
        }
    })
}
