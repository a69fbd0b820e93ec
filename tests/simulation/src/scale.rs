//! Thousands of integrations for days of virtual time, a fifth of them ill for hours: nothing
//! stalls, and nobody who is well notices.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    endpoint::Mode,
    fault::{Fault, Tally},
    neighbours::{Pair, Sample},
    population::{City, Population, Took},
    run::START,
    settled::{check_end, is_at_rest},
    workload::Tenant,
    world::{State, World},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Traffic begins at this time, whatever setting up took.
const TRAFFIC: i64 = START + HOUR;
/// One in so many integrations falls ill, again and again.
const ONE_IN: usize = 5;
/// So long after all endpoints are well everything must have arrived.
const PATIENCE: i64 = 24 * HOUR;
/// How often things are looked at.
const LOOK_EVERY: i64 = MINUTE;
/// In flight on one queue, at most: half of what SQS allows.
pub const IN_FLIGHT: usize = 60_000;

/// A run's size.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Everything follows from this.
    pub seed: u64,
    /// Projects, of very different size.
    pub projects: usize,
    /// Integrations of each.
    pub each: usize,
    /// So long there is traffic.
    pub hours: i64,
    /// Requests an hour, of one to three events each.
    pub requests: i64,
}

/// What it came to.
#[derive(Clone, Debug, Default)]
pub struct Fared {
    /// How long deliveries to those who never fell ill took, by when they were accepted.
    took: Vec<Took>,
    /// The first broken promise.
    pub violation: Option<String>,
    /// What endpoints did.
    pub tally: Tally,
    /// Events.
    pub accepted: usize,
    /// Pairs of integration and event that were delivered.
    pub delivered: usize,
    /// Pairs that are dead.
    pub dead: usize,
    /// The most messages in flight, of each queue.
    pub in_flight: [usize; 3],
    /// The most integrations that were in the index of the unwell at once.
    pub unwell: usize,
    /// The most deliveries that were parked at once.
    pub parked: usize,
    /// The most timers that were overdue by more than a minute at once.
    pub overdue: usize,
    /// Health items of integrations that never fell ill.
    pub uneasy: usize,
    /// Writes of health items.
    pub health_writes: u64,
    /// Calls of services, by name.
    pub calls: BTreeMap<&'static str, u64>,
    /// From the end of all illness to rest, in milliseconds.
    pub healed_in: i64,
}

/// What was the most, so far.
#[derive(Default)]
struct Most {
    unwell: usize,
    parked: usize,
    overdue: usize,
}

/// The same traffic with all well and with a fifth ill.
#[derive(Clone, Debug)]
pub struct Both {
    /// All well.
    pub well: Fared,
    /// A fifth ill.
    pub ill: Fared,
    /// How long deliveries to those who never fell ill took.
    pub pair: Pair,
}

/// Runs both.
pub fn both(scale: Scale) -> Both {
    let (well, ill) = std::thread::scope(|scope| {
        let well = scope.spawn(|| run(scale, false));
        let ill = run(scale, true);
        (well.join().unwrap_or_default(), ill)
    });
    let sample = |fared: &Fared| Sample::of(&fared.took, |_| true);
    let pair = Pair { well: sample(&well), bad: sample(&ill) };
    Both { well, ill, pair }
}

impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, fared) in [("all well", &self.well), ("a fifth ill", &self.ill)] {
            writeln!(
                f,
                "{name}: {} events accepted, {} delivered, {} dead; in flight at most {:?}; at most {} \
                 unwell, {} parked, {} timers overdue; {} health writes, {} items of well ones; at \
                 rest {} min after all were well",
                fared.accepted,
                fared.delivered,
                fared.dead,
                fared.in_flight,
                fared.unwell,
                fared.parked,
                fared.overdue,
                fared.health_writes,
                fared.uneasy,
                fared.healed_in / MINUTE,
            )?;
            for fault in Fault::ALL.iter().filter(|fault| fared.tally.of(**fault) > 0) {
                writeln!(f, "{:>12}  {fault}", fared.tally.of(*fault))?;
            }
            for (call, times) in &fared.calls {
                writeln!(f, "{times:>12}  {call}")?;
            }
        }
        let Pair { well, bad } = &self.pair;
        write!(
            f,
            "well ones' deliveries: {}, median {} -> {} ms, p99 {} -> {} ms, {:.3}",
            bad.len(),
            well.percentile(50),
            bad.percentile(50),
            well.percentile(99),
            bad.percentile(99),
            self.pair.ratio()
        )
    }
}

fn is_ill(integration: usize) -> bool {
    integration % ONE_IN == 2
}

fn run(scale: Scale, ill: bool) -> Fared {
    let mut city = City::new(scale.seed, Some(1_250));
    city.found(Population { projects: scale.projects, each: scale.each });
    let end = TRAFFIC + scale.hours * HOUR;
    let mut chance = Pcg64Mcg::seed_from_u64(scale.seed ^ 0x5ca1e);
    send(&mut city, scale, end, &mut chance);
    if ill {
        for integration in (0..city.members.len()).filter(|n| is_ill(*n)) {
            city.endpoint(integration, |endpoint| {
                endpoint.modes = illness(TRAFFIC, end, &mut chance);
            });
        }
    }
    let most = look(&city.world);
    city.run(end);
    city.world.with(|state| {
        for endpoint in state.endpoints.values_mut() {
            endpoint.modes.clear();
        }
    });
    while city.violation().is_none() && city.world.now() < end + PATIENCE {
        city.run(city.world.now() + 10 * MINUTE);
        if city.world.with(|state| is_at_rest(state, city.world.now())) {
            break;
        }
    }
    let healed_in = city.world.now() - end;
    check_end(&city.world);
    city.check_arrived(|integration| !is_ill(integration));
    let missing = city.missing(is_ill);
    let mut took = city.took();
    took.retain(|one| !is_ill(one.integration));
    let uneasy = city.world.with(|state| {
        let well = city.members.iter().enumerate().filter(|(place, _)| !is_ill(*place));
        well.filter(|(_, member)| state.table.health.contains_key(&member.id)).count()
    });
    let most = most.lock().unwrap_or_else(PoisonError::into_inner);
    let fared = city.world.with(|state| Fared {
        took,
        violation: None,
        tally: state.tally.clone(),
        accepted: state.witness.accepted.len(),
        delivered: state.witness.delivered.len(),
        dead: state.witness.dead(),
        in_flight: [0, 1, 2].map(|queue| state.queues[queue].most_in_flight),
        unwell: most.unwell,
        parked: most.parked,
        overdue: most.overdue,
        uneasy,
        health_writes: state.table.health_writes,
        calls: state.calls.clone(),
        healed_in,
    });
    if missing != fared.dead {
        city.violate(format!("{missing} did not arrive, and {} are dead", fared.dead));
    }
    Fared { violation: city.violation(), ..fared }
}

/// Who sends what: the first project most, and each further one less.
fn send(city: &mut City, scale: Scale, end: i64, chance: &mut impl Rng) {
    let mut tenants = city.tenants.clone();
    for _ in 0..scale.requests * scale.hours {
        // As many of the first ten as of the next ninety, and of the next nine hundred.
        let (projects, roll) = (tenants.len(), chance.random::<f64>());
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few thousand"
        )]
        let tenant = ((projects as f64).powf(roll) as usize).min(projects) - 1;
        let events = chance.random_range(1..=3);
        let at = chance.random_range(TRAFFIC..end);
        let numbers = city.number(tenant, events);
        tenants[tenant].requests.push((at, 0, numbers));
    }
    for tenant in tenants {
        let mut requests = tenant.requests;
        requests.sort_unstable();
        city.send(Tenant { requests, ..tenant });
    }
}

/// Hours of illness, with short breaks.
fn illness(from: i64, end: i64, chance: &mut impl Rng) -> BTreeMap<i64, Mode> {
    let mut modes = BTreeMap::new();
    let mut at = from + chance.random_range(0..HOUR);
    while at < end {
        let mode = match chance.random_range(0..6) {
            0 => Mode::Down,
            1 => Mode::Hangs,
            2 => Mode::Flaps(chance.random_range(0.1..0.9)),
            3 => Mode::Limits(chance.random_range(0.01..0.5), chance.random_range(1..600)),
            4 => Mode::Takes(3_000),
            _ => Mode::Slow,
        };
        modes.insert(at, mode);
        at += chance.random_range(2 * HOUR..10 * HOUR);
        modes.insert(at, Mode::Well);
        at += chance.random_range(10 * MINUTE..HOUR);
    }
    modes
}

/// Looks at what grows, every so often.
fn look(world: &Arc<World>) -> Arc<Mutex<Most>> {
    let most = Arc::new(Mutex::new(Most::default()));
    let (to, world) = (Arc::clone(&most), Arc::clone(world));
    Arc::clone(&world).spawn(async move {
        loop {
            world.sleep_ms(LOOK_EVERY).await;
            let now = world.now();
            let mut most = to.lock().unwrap_or_else(PoisonError::into_inner);
            world.with(|state| most.look(state, now));
        }
    });
    most
}

impl Most {
    fn look(&mut self, state: &State, now: i64) {
        let items = || state.table.health.values().map(crate::versioned::Versioned::latest);
        self.unwell = self.unwell.max(items().filter(|item| item.unwell).count());
        let late = |item: &&crate::table::Item| {
            item.health.next_wake_at.is_some_and(|due| due.0 < now - MINUTE)
        };
        self.overdue = self.overdue.max(items().filter(late).count());
        self.parked = self.parked.max(state.objects.len());
    }
}
