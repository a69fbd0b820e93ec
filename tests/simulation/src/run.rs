//! One seed, from an empty deployment to the last delivery.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flagpost_domain::drain::Retention;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    asked::Done,
    attempts::Made,
    deployment::{Deployment, policy},
    executor::Executor,
    fault::{Tally, Weather},
    settled::{check_end, check_replayed, is_at_rest},
    table::Item,
    tend,
    versioned::Versioned,
    witness::Violation,
    workload::{self, Shape, Tenant},
    world::{Setting, World},
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
