//! What bad endpoints cost good ones: the time from the acceptance of an event to its delivery at
//! endpoints that are well, while others are dead, hang, or are slow but well.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    endpoint::Mode,
    fault::Fault,
    population::{City, Population, Took},
    run::START,
    workload::Tenant,
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// Traffic begins at this time, whatever setting up took.
const TRAFFIC: i64 = START + 60 * MINUTE;
/// All is well for this long.
const ONSET: i64 = TRAFFIC + 2 * MINUTE;
/// Then some are not; the first minute of that is reported apart.
const END: i64 = ONSET + 5 * MINUTE;
/// What was accepted last has this long to arrive.
const REST: i64 = MINUTE;

/// What bad endpoints are from the onset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They refuse connections, or answer 500.
    Dead,
    /// They take requests and never answer.
    Hanging,
    /// They answer 200, after 3 s.
    Slow,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dead, Self::Hanging, Self::Slow];

    fn mode(self) -> Mode {
        match self {
            Self::Dead => Mode::Down,
            Self::Hanging => Mode::Hangs,
            Self::Slow => Mode::Takes(3_000),
        }
    }

    fn fault(self) -> Fault {
        match self {
            Self::Dead => Fault::EndpointDown,
            Self::Hanging => Fault::EndpointHangs,
            Self::Slow => Fault::EndpointSlow,
        }
    }
}

/// Who wants an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each integration is its own tenant: one wants it.
    Tenants,
    /// All are of one project: all want it.
    FanOut,
}

/// Integrations in all.
const INTEGRATIONS: usize = 100;

impl Shape {
    fn population(self) -> Population {
        match self {
            Self::Tenants => Population { projects: INTEGRATIONS, each: 1 },
            Self::FanOut => Population { projects: 1, each: INTEGRATIONS },
        }
    }

    /// Requests every ten seconds, of one to five events each.
    fn requests(self) -> i64 {
        match self {
            Self::Tenants => 200,
            Self::FanOut => 10,
        }
    }
}

/// Deliveries in a stretch of time, and how long they took.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<i64>);

impl Sample {
    /// Those of integrations and times that are wanted.
    pub fn of(took: &[Took], wanted: impl Fn(&Took) -> bool) -> Self {
        let mut sample: Vec<i64> =
            took.iter().filter(|one| wanted(one)).map(|one| one.ms).collect();
        sample.sort_unstable();
        Self(sample)
    }

    /// The value that so many per cent are not above, in milliseconds.
    pub fn percentile(&self, percent: usize) -> i64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    /// How many deliveries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One stretch of time with some bad, beside the same with all well.
#[derive(Clone, Debug)]
pub struct Pair {
    /// All well.
    pub well: Sample,
    /// Some bad.
    pub bad: Sample,
}

impl Pair {
    /// The 99th percentile with some bad, by that with all well.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few hours")]
    pub fn ratio(&self) -> f64 {
        self.bad.percentile(99) as f64 / self.well.percentile(99).max(1) as f64
    }
}

/// What one case came to.
#[derive(Clone, Debug)]
pub struct Case {
    /// Who wanted an event.
    pub shape: Shape,
    /// How many of 100 were bad.
    pub bad: usize,
    /// What they were.
    pub kind: Kind,
    /// The first minute.
    pub onset: Pair,
    /// All the time after the onset.
    pub whole: Pair,
    /// Requests that bad endpoints dealt with badly.
    pub injected: u64,
    /// The first broken promise.
    pub violation: Option<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape, bad, kind, onset, whole, injected, .. } = self;
        write!(f, "{shape:?} {bad:>2} {kind:<8?}", kind = format!("{kind:?}"))?;
        for (name, pair) in [("first minute", onset), ("all", whole)] {
            let Pair { well, bad } = pair;
            write!(
                f,
                " | {name}: {} -> {} ms, p99 {} -> {} ms, {:.3}",
                well.percentile(50),
                bad.percentile(50),
                well.percentile(99),
                bad.percentile(99),
                pair.ratio()
            )?;
        }
        write!(f, " | {injected} bad requests")
    }
}

/// One run of one seed.
struct Run {
    took: Vec<Took>,
    injected: u64,
    violation: Option<String>,
}

/// Runs all cases of a shape, each with `seeds` seeds, with at most `most` batches of each queue
/// under way.
pub fn cases(shape: Shape, most: usize, seeds: u64) -> Vec<Case> {
    let well = runs(shape, most, seeds, None);
    let mut cases = Vec::new();
    for count in [2, 20] {
        for kind in Kind::ALL {
            let bad = runs(shape, most, seeds, Some((count, kind)));
            cases.push(case(shape, count, kind, &well, &bad));
        }
    }
    cases
}

fn case(shape: Shape, count: usize, kind: Kind, well: &[Run], bad: &[Run]) -> Case {
    let sample = |runs: &[Run], until: i64| {
        let mut sample = Vec::new();
        for (seed, run) in (0..).zip(runs) {
            let bad = chosen(seed, count);
            let wanted = |one: &Took| {
                (ONSET..until).contains(&one.accepted_at) && !bad.contains(&one.integration)
            };
            sample.extend(Sample::of(&run.took, wanted).0);
        }
        sample.sort_unstable();
        Sample(sample)
    };
    let pair = |until| Pair { well: sample(well, until), bad: sample(bad, until) };
    Case {
        shape,
        bad: count,
        kind,
        onset: pair(ONSET + MINUTE),
        whole: pair(END),
        injected: bad.iter().map(|run| run.injected).sum(),
        violation: well.iter().chain(bad).find_map(|run| run.violation.clone()),
    }
}

/// Which integrations are bad: the same for all kinds.
fn chosen(seed: u64, count: usize) -> Vec<usize> {
    let mut chance = Pcg64Mcg::seed_from_u64(seed ^ 0xbad);
    let mut left: Vec<usize> = (0..INTEGRATIONS).collect();
    (0..count).map(|_| left.swap_remove(chance.random_range(0..left.len()))).collect()
}

/// The runs of all seeds, on all cores.
fn runs(shape: Shape, most: usize, seeds: u64, bad: Option<(usize, Kind)>) -> Vec<Run> {
    let next = AtomicU64::new(0);
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let done = (seed, run(shape, most, seed, bad));
                    runs.lock().unwrap_or_else(PoisonError::into_inner).push(done);
                }
            });
        }
    });
    let mut runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.sort_unstable_by_key(|(seed, _)| *seed);
    runs.into_iter().map(|(_, run)| run).collect()
}

fn run(shape: Shape, most: usize, seed: u64, bad: Option<(usize, Kind)>) -> Run {
    let mut city = City::new(seed, Some(most));
    city.found(shape.population());
    let (count, kind) = bad.unwrap_or((0, Kind::Dead));
    for integration in chosen(seed, count) {
        city.endpoint(integration, |endpoint| {
            endpoint.modes.insert(ONSET, kind.mode());
        });
    }
    let mut chance = Pcg64Mcg::seed_from_u64(seed ^ 0x7ea);
    let mut tenants = city.tenants.clone();
    let wanted = shape.requests() * (END - TRAFFIC) / (10 * SECOND);
    for _ in 0..wanted {
        let tenant = chance.random_range(0..tenants.len());
        let events = chance.random_range(1..=5);
        let at = chance.random_range(TRAFFIC..END);
        let numbers = city.number(tenant, events);
        tenants[tenant].requests.push((at, 0, numbers));
    }
    for tenant in tenants {
        let mut requests = tenant.requests;
        requests.sort_unstable();
        city.send(Tenant { requests, ..tenant });
    }
    city.run(END + REST);
    let healthy = |integration: usize| !chosen(seed, count).contains(&integration);
    city.check_arrived(healthy);
    let injected = city.world.with(|state| state.tally.of(kind.fault()));
    Run { took: city.took(), injected, violation: city.violation() }
}
