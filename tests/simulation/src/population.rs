//! Many integrations, without faults of services: who they are, what they are sent, and how long
//! each delivery took.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flagpost_domain::{
    drain::Retention,
    event::Event,
    id::IntegrationId,
    integration::{Environment, Origin, Stream},
    ledger::Counts,
    message::Fresh,
    notice::Notice,
    time::{Timestamp, millis},
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

use crate::{
    attempts::{Attempts, Made},
    deployment::{Deployment, fresh_at_once, policy},
    endpoint::{Arrival, Endpoint},
    events,
    executor::Executor,
    fault::Weather,
    queue::IN_FLIGHT_MAX,
    run::START,
    trace::About,
    witness::Witness,
    workload::{self, Operator, Tenant},
    world::{Setting, World},
};

/// Setting up takes less than this.
const FOUNDING_MS: i64 = 3_600_000;
/// The longest that a call of a service takes, in milliseconds.
const CALL_MS: i64 = 20;
/// By how much an index is behind, in milliseconds.
const LAG_MS: i64 = 100;

/// Projects, and the integrations of each.
#[derive(Clone, Copy, Debug)]
pub struct Population {
    /// Projects.
    pub projects: usize,
    /// Integrations of each.
    pub each: usize,
}

/// An integration.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its id.
    pub id: IntegrationId,
    /// Its number with the witness.
    pub number: u32,
    /// Its endpoint's host.
    pub host: String,
    /// The place of its project.
    pub tenant: usize,
}

/// A delivery: the first time that an integration got an event.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// The place of the integration.
    pub integration: usize,
    /// When the event was accepted.
    pub accepted_at: i64,
    /// How long after that it arrived, in milliseconds.
    pub ms: i64,
}

/// A deployment, and who uses it.
pub struct City {
    /// The world.
    pub world: Arc<World>,
    /// The integrations, project by project.
    pub members: Vec<Member>,
    /// The projects, which send nothing yet.
    pub tenants: Vec<Tenant>,
    deployment: Deployment,
    executor: Executor,
    each: usize,
    seed: u64,
    /// To which project each event belongs.
    events: Vec<usize>,
}

impl City {
    /// A deployment with every parameter at its default, but for `most`: so many batches of a queue
    /// at most are under way.
    pub fn new(seed: u64, most: Option<usize>) -> Self {
        Self::with_calls(seed, most, CALL_MS)
    }

    /// The same, with calls of services that take so many milliseconds at most.
    pub fn with_calls(seed: u64, most: Option<usize>, call_ms: i64) -> Self {
        let setting = Setting {
            seed,
            traced: false,
            policy: policy(),
            in_flight: IN_FLIGHT_MAX,
            call_ms,
            lag_ms: LAG_MS,
            retention: Retention {
                parked: Duration::from_hours(24 * 14),
                dead: Duration::from_hours(24 * 30),
            },
        };
        let executor = Executor::new(seed, START);
        let last_slot = millis(setting.policy.schedule.last());
        let world = Arc::new(World::new(executor.time(), setting));
        world.with(|state| {
            // Endpoints fail; services and functions do not, and nothing is excused by that.
            state.plan.end();
            state.plan.weather = Weather::Endpoints;
            state.witness = Witness::new(Attempts::new(last_slot, false));
        });
        let deployment = Deployment::with(&world, most);
        Self {
            world,
            members: Vec::new(),
            tenants: Vec::new(),
            deployment,
            executor,
            each: 0,
            seed,
            events: Vec::new(),
        }
    }

    /// Sets everybody up.
    pub fn found(&mut self, population: Population) {
        let Population { projects, each } = population;
        self.each = each;
        let mut chance = Pcg64Mcg::seed_from_u64(self.seed ^ 0xf0);
        self.world.with(|state| {
            for host in hosts(population) {
                state.endpoints.insert(host, Endpoint::new(chance.random_range(20..150)));
            }
        });
        let founded = Arc::new(Mutex::new(Vec::new()));
        let (to, operator) = (Arc::clone(&founded), Arc::clone(&self.deployment.operator));
        self.world.spawn(async move {
            for project in 0..projects {
                let tenant = found(&operator, project, each).await;
                to.lock().unwrap_or_else(PoisonError::into_inner).push(tenant);
            }
        });
        let number = || founded.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.executor.run(START + FOUNDING_MS, || number() == projects);
        self.tenants = std::mem::take(&mut *founded.lock().unwrap_or_else(PoisonError::into_inner));
        self.members = self.world.with(|state| {
            let members = hosts(population).enumerate().filter_map(|(place, host)| {
                let id = state.hosts.get(&host)?.id.clone();
                let number = state.witness.number(&id);
                Some(Member { id, number, host, tenant: place / each })
            });
            members.collect()
        });
        if self.members.len() != projects * each {
            let what = format!("only {} integrations were set up", self.members.len());
            self.violate(what);
        }
    }

    /// Changes an endpoint.
    pub fn endpoint(&self, integration: usize, change: impl FnOnce(&mut Endpoint)) {
        let host = &self.members[integration].host;
        self.world.with(|state| state.endpoints.get_mut(host).map(change));
    }

    /// Sets an integration otherwise; all of its requests are noted from here on.
    pub fn set(&mut self, integration: usize, patch: Value) {
        let Member { id, tenant, .. } = self.members[integration].clone();
        self.endpoint(integration, |endpoint| endpoint.log = Some(Vec::new()));
        let project = self.tenants[tenant].project.clone();
        let operator = Arc::clone(&self.deployment.operator);
        let done = Arc::new(Mutex::new(None));
        let to = Arc::clone(&done);
        self.world.spawn(async move {
            let listed = operator.integrations(&project).await;
            let one = listed.iter().find(|one| one["id"] == json!(id.as_str()));
            let set = match one {
                Some(one) => operator.patch(one, patch).await,
                None => false,
            };
            *to.lock().unwrap_or_else(PoisonError::into_inner) = Some(set);
        });
        let is_set = || *done.lock().unwrap_or_else(PoisonError::into_inner);
        self.executor.run(self.world.now() + FOUNDING_MS, || is_set().is_some());
        if is_set() != Some(true) {
            self.violate("an integration could not be changed".to_owned());
        }
    }

    /// What an endpoint saw since its integration was [set](Self::set).
    pub fn seen(&self, integration: usize) -> Vec<Arrival> {
        let host = &self.members[integration].host;
        self.world
            .with(|state| state.endpoints.get(host).and_then(|one| one.log.clone()))
            .unwrap_or_default()
    }

    /// The requests and attempts that were made.
    pub fn made(&self) -> Made {
        self.world.with(|state| state.witness.attempts.made)
    }

    /// The ledger of an integration, over all hours.
    pub fn ledger(&self, integration: usize) -> Counts {
        let id = &self.members[integration].id;
        self.world.with(|state| {
            let mut sum = Counts::default();
            for counts in state.table.ledger.get(id).into_iter().flat_map(BTreeMap::values) {
                sum += *counts;
            }
            sum
        })
    }

    /// Numbers for new events of a project.
    pub fn number(&mut self, tenant: usize, count: u32) -> Vec<u32> {
        let first = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        self.events.extend((0..count).map(|_| tenant));
        (first..first + count).collect()
    }

    /// A project sends what it has to send.
    pub fn send(&self, tenant: Tenant) {
        let ingest = Arc::clone(&self.deployment.ingest);
        self.world.spawn(workload::send(Arc::clone(&self.world), ingest, tenant));
    }

    /// So many functions at once send one new event each.
    pub fn strike(&mut self, tenant: usize, functions: u32) -> Vec<u32> {
        let numbers = self.number(tenant, functions);
        let fresh = Fresh {
            project: self.tenants[tenant].project.as_str().into(),
            environment: Environment { id: "production".into(), name: "production".into() },
            stream: Stream::Events,
            origin: Origin::Api,
            accepted_at: Timestamp(self.world.now()),
            trace: None,
        };
        let body = |number: &u32| fresh.encode(&[Event::from_object(events::text(*number))]);
        fresh_at_once(&self.deployment, numbers.iter().map(body).collect());
        numbers
    }

    /// What operators were told.
    pub fn told(&self) -> Vec<Notice> {
        self.world.with(|state| state.table.notices.clone())
    }

    /// How often a function saw an integration's breaker closed, and was about to open it.
    pub fn openings_tried(&self, integration: usize) -> u64 {
        let id = &self.members[integration].id;
        self.world.with(|state| state.witness.told.openings_tried(id))
    }

    /// What is wrong with what operators were told, where no service failed.
    pub fn untold(&self) -> Option<String> {
        self.world.with(|state| state.witness.told.fault().map(|(_, what)| what))
    }

    /// Time passes, until a promise is broken.
    pub fn run(&mut self, until: i64) {
        let world = Arc::clone(&self.world);
        self.executor.run(until, || world.is_broken());
    }

    /// All first deliveries.
    pub fn took(&self) -> Vec<Took> {
        let places: HashMap<u32, usize> =
            self.members.iter().enumerate().map(|(place, one)| (one.number, place)).collect();
        self.world.with(|state| {
            let witness = &state.witness;
            let took = witness.delivered.iter().filter_map(|((number, event), at)| {
                let accepted_at = *witness.accepted.get(event)?;
                let integration = *places.get(number)?;
                // It may arrive before the client has its answer.
                Some(Took { integration, accepted_at, ms: (at - accepted_at).max(0) })
            });
            took.collect()
        })
    }

    /// Whatever was accepted arrived at the integrations that `wanted` says; how much did not.
    pub fn missing(&self, wanted: impl Fn(usize) -> bool) -> usize {
        self.world.with(|state| {
            let witness = &state.witness;
            let mut missing = 0;
            for event in witness.accepted.keys() {
                let Some(tenant) = usize::try_from(*event).ok().and_then(|n| self.events.get(n))
                else {
                    continue;
                };
                let places = tenant * self.each..(tenant + 1) * self.each;
                for place in places.filter(|place| wanted(*place)) {
                    let number = self.members[place].number;
                    missing += usize::from(!witness.delivered.contains_key(&(number, *event)));
                }
            }
            missing
        })
    }

    /// A promise is broken if something did not arrive at the integrations that `wanted` says.
    pub fn check_arrived(&self, wanted: impl Fn(usize) -> bool) {
        let missing = self.missing(wanted);
        let accepted = self.world.with(|state| state.witness.accepted.len());
        if missing > 0 || accepted != self.events.len() {
            let sent = self.events.len();
            self.violate(format!("{sent} sent, {accepted} accepted, {missing} did not arrive"));
        }
    }

    /// Says that a promise was broken.
    pub fn violate(&self, what: String) {
        let now = self.world.now();
        self.world.with(|state| state.witness.violate(now, About::default(), what));
    }

    /// The first broken promise.
    pub fn violation(&self) -> Option<String> {
        let broken = self.world.with(|state| state.witness.violation.clone());
        broken.map(|broken| {
            format!("seed {} at {} ms: {}", self.seed, broken.at - START, broken.what)
        })
    }
}

fn host(project: usize, n: usize) -> String {
    format!("i{n}.p{project}.example.com")
}

fn hosts(population: Population) -> impl Iterator<Item = String> {
    let Population { projects, each } = population;
    (0..projects).flat_map(move |project| (0..each).map(move |n| host(project, n)))
}

/// One project with a key and its integrations.
async fn found(operator: &Operator, number: usize, each: usize) -> Tenant {
    let project = format!("project-{number}");
    let post = |path: String, body: Value| operator.call("POST", path, body, None);
    post("/v1/projects".to_owned(), json!({"id": project, "name": project})).await;
    let environment = json!({"id": "production", "name": "production"});
    let body = json!({"name": "production", "environment": environment});
    let made = post(format!("/v1/projects/{project}/keys"), body).await;
    let key = made.and_then(|(_, body)| body["key"].as_str().map(str::to_owned));
    for n in 0..each {
        let host = host(number, n);
        let settings = json!({
            "name": host, "url": format!("https://{host}/hook"), "stream": "events",
            "preset": "standard", "environments": [], "max_events": 500,
        });
        post(format!("/v1/projects/{project}/integrations"), settings).await;
    }
    let keys = vec![("production".to_owned(), key.unwrap_or_default())];
    Tenant { project, keys, requests: Vec::new() }
}
