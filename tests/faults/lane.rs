//! The functions with all that they need, each with a proxy on its way to AWS.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use flagpost_domain::time::Timestamp;
use serde_json::json;

use crate::{
    client::post,
    endpoint::{Endpoint, Reply},
    fleet::Fleet,
    mapping::Mapping,
    ministack::MiniStack,
    proxy::{Fault, Faults, Proxy},
    scenario::Scenario,
    wait::{in_time, now, pass, until},
    world::{World, unique},
};

/// The SDK tries three times, and two uses of a call may go side by side.
const TIMES: usize = 6;
/// Events of a run.
const EVENTS: usize = 4;
/// The only slot of the retry schedule.
const SLOT: Duration = Duration::from_secs(10);
/// Records that are not Flagpost's: one in each queue.
const STRANGERS: usize = 3;
const PARKED: &str = "batch: s3:PutObject parked";
const CONFIGURATION: &str = "batch: dynamodb:Query PROJECT";
const LEASE: &str = "drain: dynamodb:UpdateItem take the lease";
/// The schedule that looks for overdue timers; in production it is five minutes.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// What a function hid is left alone for so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// One container of each function.
pub(crate) struct Lane {
    world: World,
    faults: Arc<Faults>,
    ingest: Arc<Fleet>,
    drain: Arc<Fleet>,
    mappings: [Mapping; 3],
    _proxies: [Proxy; 3],
}

/// A scenario, and which call gets which fault in it.
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) spoiled: Option<(String, Fault)>,
}

/// What came of a run.
pub(crate) struct Done {
    pub(crate) spoiled: Option<(String, Fault)>,
    /// What was missing in the end, if anything was.
    pub(crate) lost: Option<String>,
    pub(crate) injected: usize,
    pub(crate) resent: usize,
    pub(crate) repeated: usize,
    pub(crate) took: Duration,
}

/// An integration and its endpoint.
struct Webhook {
    id: String,
    endpoint: Endpoint,
}

/// What a run is about.
struct Project {
    id: String,
    webhooks: Vec<Webhook>,
    /// The `key` of each event that was accepted.
    keys: Vec<String>,
    /// Records besides that are not Flagpost's.
    strangers: usize,
    /// Requests that had to be sent again.
    resent: usize,
}

impl Lane {
    pub(crate) async fn make(ministack: &MiniStack) -> Self {
        let world = World::make(&ministack.endpoint()).await;
        let faults = Arc::<Faults>::default();
        let proxies = [
            Proxy::start("ingest", ministack.port, &faults).await,
            Proxy::start("batch", ministack.port, &faults).await,
            Proxy::start("drain", ministack.port, &faults).await,
        ];
        let fleet =
            |name, proxy: &Proxy| Fleet::new(name, world.environment(&proxy.endpoint()), 1, None);
        let ingest = fleet("ingest", &proxies[0]);
        let batch = fleet("batch", &proxies[1]);
        let drain = fleet("drain", &proxies[2]);
        let sqs = world.sqs();
        let mappings = [
            Mapping::start(&sqs, &world.events, &batch, 1, 10),
            Mapping::start(&sqs, &world.retry, &batch, 1, 10),
            Mapping::start(&sqs, &world.wake, &drain, 1, 1),
        ];
        Self { world, faults, ingest, drain, mappings, _proxies: proxies }
    }

    /// Every call that its functions made.
    pub(crate) fn calls(&self) -> impl Iterator<Item = String> + use<> {
        self.faults.seen().into_keys()
    }

    pub(crate) async fn run(&self, run: Run) -> Done {
        let began = now();
        let Run { scenario, spoiled } = run;
        let buried = until("the dead-letter queues", async || {
            self.world.buried().await.ok_or_else(String::new)
        })
        .await;
        match &spoiled {
            Some((call, fault)) => self.faults.arm(call, *fault, TIMES),
            None => self.faults.disarm(),
        }
        let project = self.begin(scenario).await;
        let mut swept_at = None;
        let lost = in_time(async || {
            let Err(seen) = self.settled(&project, began, buried).await else { return Ok(()) };
            if scenario != Scenario::Direct {
                // The operator's own pause, and that of an endpoint that is gone.
                self.world.operator(&project.id, &project.webhooks[0].id, "resume").await;
            }
            if swept_at.is_none_or(|at| now().since(at) > SWEEP_EVERY) {
                let first = swept_at.is_none();
                self.schedules(first && scenario == Scenario::Paced).await;
                swept_at = Some(now());
            }
            if now().since(began) > PATIENCE {
                for mapping in &self.mappings {
                    mapping.hasten().await;
                }
            }
            pass(Duration::from_secs(1)).await;
            Err(seen)
        })
        .await
        .err();
        let taken = project.webhooks.iter().flat_map(|webhook| webhook.endpoint.taken());
        let repeated = taken.map(|(_, times)| times - 1).sum();
        let (injected, resent) = (self.faults.injected(), project.resent);
        Done { spoiled, lost, injected, resent, repeated, took: now().since(began) }
    }

    /// Sets the project up and sends its events, which are accepted.
    async fn begin(&self, scenario: Scenario) -> Project {
        let (id, key) = self.world.project().await;
        let mut webhooks = Vec::new();
        for (endpoint, max_events) in scenario.endpoints().await {
            webhooks.push(self.webhook(&id, endpoint, max_events).await);
        }
        let tag = unique("event");
        let keys: Vec<_> = (0..EVENTS).map(|n| format!("{tag}-{n}")).collect();
        let strangers = if scenario == Scenario::Direct { STRANGERS } else { 0 };
        let count = |call| self.faults.count(call);
        let mut resent = 0;
        match scenario {
            Scenario::Direct => {
                self.world.strangers().await;
                let configured = count(CONFIGURATION);
                resent += post(&self.ingest, &key, &keys).await - 1;
                // An integration that the container does not know: its configuration is older.
                comes(|| count(CONFIGURATION) > configured).await;
                let endpoint = Endpoint::start(|_| Reply::Status(200)).await;
                let webhook = self.webhook(&id, endpoint, 500).await;
                self.world.schedule(&id, &webhook.id, &keys).await;
                webhooks.push(webhook);
            }
            Scenario::Paced => {
                let Webhook { id: webhook, endpoint } = &webhooks[0];
                self.world.stranger_parked(webhook).await;
                resent += post(&self.ingest, &key, &keys[..1]).await - 1;
                comes(|| !endpoint.requests().is_empty()).await;
                // Beside what is parked already, in one piece, which the drainer cuts.
                let (parked, leases) = (count(PARKED), count(LEASE));
                resent += post(&self.ingest, &key, &keys[1..]).await - 1;
                comes(|| count(PARKED) > parked).await;
                self.world.operator(&id, webhook, "pause").await;
                comes(|| count(LEASE) > leases).await;
            }
            Scenario::Gone => resent += post(&self.ingest, &key, &keys).await - 1,
        }
        Project { id, webhooks, keys, strangers, resent }
    }

    async fn webhook(&self, project: &str, endpoint: Endpoint, max_events: u32) -> Webhook {
        let id = self.world.integration(project, &endpoint.url(), max_events).await;
        Webhook { id, endpoint }
    }

    /// Whether every event was taken, or is dead, and nothing is on its way any more; else what is
    /// there instead.
    async fn settled(
        &self,
        project: &Project,
        began: Timestamp,
        buried: usize,
    ) -> Result<(), String> {
        let mut missing = 0;
        for Webhook { id, endpoint } in &project.webhooks {
            let mut have: BTreeSet<String> = endpoint.taken().into_keys().collect();
            // Looked up only where it can be: the local AWS has enough to do.
            if have.len() < EVENTS && now().since(began) > SLOT {
                have.extend(self.world.laid_aside("dead", id).await);
            }
            missing += project.keys.iter().filter(|key| !have.contains(*key)).count();
        }
        if missing > 0 {
            return Err(format!("{missing} missing"));
        }
        let (left, found) = (self.world.in_queues().await, self.world.buried().await);
        let strangers = found.is_some_and(|found| found >= buried + project.strangers);
        if left == Some(0) && strangers {
            return Ok(());
        }
        Err(format!("{left:?} in queues, {found:?} buried"))
    }

    /// What EventBridge sends: the sweep and, once a day, expiry. They may fail.
    async fn schedules(&self, expiry: bool) {
        let _ = self.drain.invoke(json!({"task": "sweep"}).to_string().into()).await;
        if expiry {
            let _ = self.drain.invoke(json!({"task": "expire"}).to_string().into()).await;
        }
    }
}

/// Waits for a moment to go on in. A fault may keep it from coming: then it goes on without.
async fn comes(there: impl Fn() -> bool) {
    for _ in 0..100 {
        if there() {
            break;
        }
        pass(Duration::from_millis(50)).await;
    }
}
