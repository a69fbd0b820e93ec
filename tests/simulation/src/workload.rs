//! Who uses the system: tenants of very different size, clients that send again what was not
//! accepted, endpoints with bad hours, and operators who change things in mid-flight.

use std::sync::Arc;

use flagpost_domain::{
    admin::{self, Admin},
    ingest::Ingest,
    native::Post,
    time::Timestamp,
};
use rand::{Rng, RngExt};
use serde_json::{Value, json};

use crate::{
    endpoint::{Endpoint, Mode},
    events,
    fault::{Fault, Weather},
    function::{Container, End, Function},
    port::Port,
    trace::About,
    world::World,
};

/// Ingest over simulated ports.
pub type SimIngest = Ingest<Port, Port, Port>;

/// Steady requests come about so often.
const STEADY_MS: i64 = 7_000;
/// The admin key of every simulated deployment.
pub const ADMIN_KEY: &str = "simulated-admin-key";
/// Environments of a tenant, the first at least.
const ENVIRONMENTS: [&str; 2] = ["production", "staging"];
/// What a request may carry.
const PAYLOADS: [&str; 3] = ["array", "object", "ndjson"];
/// What may be tried at once.
const RETRIES: [&str; 3] = ["none", "once", "backoff"];
/// Events in a row that an endpoint cannot take.
const POISONS: [u32; 5] = [1, 1, 1, 3, 6];

/// What a tenant sends: so many requests of so many events.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its project.
    pub project: String,
    /// Its environments, and its key for each.
    pub keys: Vec<(String, String)>,
    /// When it sends what: time, key, event numbers.
    pub requests: Vec<(i64, usize, Vec<u32>)>,
}

/// How busy a run is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Tenants.
    pub tenants: usize,
    /// Integrations of each, at most.
    pub integrations: usize,
    /// Traffic begins now, and lasts so long.
    pub traffic_ms: i64,
    /// Events of one seed, at most.
    pub events: u32,
    /// Whether requests come one every few seconds, so that backlogs end and begin all the time.
    pub steady: bool,
}

/// The operator's API, called as an operator calls it.
pub struct Operator {
    admin: Arc<Function<Admin<Port>>>,
}

impl Operator {
    /// An operator of this API.
    pub fn new(admin: Arc<Function<Admin<Port>>>) -> Self {
        Self { admin }
    }

    /// One call: status and body; `None` if there was no answer.
    pub async fn call(
        &self,
        method: &'static str,
        path: String,
        body: Value,
        if_match: Option<String>,
    ) -> Option<(u16, Value)> {
        let (path, query) = path.split_once('?').map_or((path.as_str(), ""), |parts| parts);
        let (path, query) = (path.to_owned(), admin::pairs(query));
        let work = |container: Arc<Container<Admin<Port>>>, _| async move {
            let port = container.work.ports();
            port.is_asked(method, &path, &body);
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let authorization = format!("Bearer {ADMIN_KEY}");
            let request = admin::Request {
                method,
                path: &path,
                query: &query,
                authorization: Some(&authorization),
                if_match: if_match.as_deref(),
                body: body.as_bytes(),
                ..admin::Request::default()
            };
            match container.work.serve(&request).await.outcome {
                Ok(reply) => {
                    let body = reply.body.as_deref().unwrap_or("null");
                    let body = serde_json::from_str(body).unwrap_or_default();
                    port.has_answered(&body);
                    Some((reply.status, body))
                }
                Err(admin::Failure::Refused(problem)) => Some((problem.status(), Value::Null)),
                Err(admin::Failure::Port(_)) => None,
            }
        };
        match self.admin.invoke(work).await.0 {
            End::Done(answer) => answer,
            End::Killed | End::OutOfTime => None,
        }
    }

    /// The integrations of a project, as listed.
    pub async fn integrations(&self, project: &str) -> Vec<Value> {
        let mut listed = Vec::new();
        let mut path = format!("/v1/projects/{project}/integrations?limit=100");
        loop {
            let answer = self.call("GET", path, Value::Null, None).await;
            let Some((200, mut body)) = answer else { return Vec::new() };
            if let Value::Array(mut part) = body["integrations"].take() {
                listed.append(&mut part);
            }
            let Some(next) = body["next"].as_str() else { return listed };
            path = format!("/v1/projects/{project}/integrations?limit=100&cursor={next}");
        }
    }

    /// Adds an integration with an endpoint of its own.
    pub async fn add(&self, world: &Arc<World>, project: &str, host: &str) -> bool {
        let settings = world.with(|state| {
            let chance = &mut state.chance;
            let takes = chance.random_range(5..300);
            let max_events = [500, 500, 20, 3, 1][chance.random_range(0..5)];
            let environments =
                if chance.random_bool(0.3) { json!([ENVIRONMENTS[0]]) } else { json!([]) };
            state.endpoints.entry(host.to_owned()).or_insert_with(|| Endpoint::new(takes));
            let mut settings = json!({
                "name": host, "url": format!("https://{host}/hook"), "stream": "events",
                "preset": "standard", "environments": environments, "max_events": max_events,
            });
            vary(&mut settings, chance);
            settings
        });
        let path = format!("/v1/projects/{project}/integrations");
        matches!(self.call("POST", path, settings, None).await, Some((201, _)))
    }

    /// Adds an integration with an endpoint of its own that takes operational events.
    pub async fn add_operations(&self, world: &Arc<World>, project: &str, host: &str) -> bool {
        let settings = world.with(|state| {
            let takes = state.chance.random_range(5..300);
            state.endpoints.entry(host.to_owned()).or_insert_with(|| Endpoint::new(takes));
            json!({
                "name": host, "url": format!("https://{host}/hook"), "stream": "operations",
                "preset": "standard", "payload": PAYLOADS[state.chance.random_range(0..3)],
                "immediate_retry": RETRIES[state.chance.random_range(0..3)],
                "max_events": if state.chance.random_bool(0.5) { 500 } else { 1 },
            })
        });
        let path = format!("/v1/projects/{project}/integrations");
        matches!(self.call("POST", path, settings, None).await, Some((201, _)))
    }

    /// Changes an integration.
    pub async fn patch(&self, integration: &Value, patch: Value) -> bool {
        let version = integration["version"].as_u64().unwrap_or_default();
        let if_match = Some(format!("\"{version}\""));
        matches!(self.call("PATCH", path(integration, ""), patch, if_match).await, Some((200, _)))
    }

    /// Pauses, resumes or deletes it.
    pub async fn tell(&self, integration: &Value, method: &'static str, what: &str) -> bool {
        let body = if method == "POST" { json!({}) } else { Value::Null };
        self.call(method, path(integration, what), body, None).await.is_some()
    }

    /// Something that operators do, now and then.
    pub async fn meddle(&self, world: &Arc<World>, project: &str, serial: u32) {
        let integrations = self.integrations(project).await;
        let roll = world.between(0, 13);
        if roll == 0 || integrations.is_empty() {
            self.add(world, project, &format!("{project}-late-{serial}.example.com")).await;
            return;
        }
        let most = i64::try_from(integrations.len()).unwrap_or(1) - 1;
        let chosen = usize::try_from(world.between(0, most)).unwrap_or(0);
        let one = &integrations[chosen];
        match roll {
            1 => self.tell(one, "DELETE", "").await,
            2 | 3 => self.tell(one, "POST", "/pause").await,
            4 | 5 => self.tell(one, "POST", "/resume").await,
            6 => self.patch(one, json!({"enabled": false})).await,
            7 => self.patch(one, json!({"enabled": true})).await,
            8 => self.patch(one, json!({"max_events": 2})).await,
            // No template can be applied to operational events, and no filter takes any.
            9..=12 if one["stream"] == json!("operations") => {
                let payload = PAYLOADS[usize::try_from(world.between(0, 2)).unwrap_or(0)];
                self.patch(one, json!({"payload": payload})).await
            }
            9..=12 => {
                let patch = world.with(|state| change(&mut state.chance));
                self.patch(one, patch).await
            }
            _ => self.patch(one, json!({"environments": [ENVIRONMENTS[1]]})).await,
        };
        world.with(|state| state.tally.add(Fault::Operator));
    }

    /// Everything is enabled and resumed: whether that is so.
    pub async fn heal(&self, project: &str) -> bool {
        let mut well = true;
        for one in self.integrations(project).await {
            if one["enabled"] == json!(false) {
                well &= self.patch(&one, json!({"enabled": true})).await;
            }
            well &= self.tell(&one, "POST", "/resume").await;
        }
        well
    }
}

/// Makes another kind of integration of a plain one, more often than not.
fn vary(settings: &mut Value, chance: &mut impl Rng) {
    if chance.random_bool(0.5) {
        return;
    }
    settings["preset"] = json!(["standard", "amplitude"][chance.random_range(0..2)]);
    let fields = [
        ("payload", json!(PAYLOADS[chance.random_range(0..3)]), 0.6),
        ("immediate_retry", json!(RETRIES[chance.random_range(0..3)]), 0.5),
        ("success", json!(["200", "2xx"][chance.random_range(0..2)]), 0.3),
        ("filter", events::filter(chance.random_range(0..6)), 0.3),
        ("template", json!(events::TEMPLATE), 0.15),
        ("gzip", json!(true), 0.1),
        ("limits", limits(chance), 0.25),
    ];
    for (name, value, likely) in fields {
        if chance.random_bool(likely) {
            settings[name] = value;
        }
    }
}

/// Limits of an endpoint.
fn limits(chance: &mut impl Rng) -> Value {
    let per_second = [json!(null), json!(0.2), json!(1), json!(2), json!(7.5)];
    let in_flight = [json!(null), json!(1), json!(3)];
    json!({
        "per_second": per_second[chance.random_range(0..per_second.len())],
        "in_flight": in_flight[chance.random_range(0..in_flight.len())],
    })
}

/// A change of what is sent, and how.
fn change(chance: &mut impl Rng) -> Value {
    match chance.random_range(0..5) {
        4 if chance.random_bool(0.5) => json!({"limits": null}),
        4 => json!({"limits": limits(chance)}),
        0 => json!({"payload": PAYLOADS[chance.random_range(0..3)]}),
        1 => json!({"immediate_retry": RETRIES[chance.random_range(0..3)]}),
        2 if chance.random_bool(0.3) => json!({"filter": null}),
        2 => json!({"filter": events::filter(chance.random_range(0..6))}),
        _ if chance.random_bool(0.7) => json!({"template": null}),
        _ => json!({"template": events::TEMPLATE}),
    }
}

pub(crate) fn path(integration: &Value, what: &str) -> String {
    let text = |name: &str| integration[name].as_str().unwrap_or_default().to_owned();
    format!("/v1/projects/{}/integrations/{}{what}", text("project"), text("id"))
}

/// Sets tenants up, and says what each will send.
pub async fn found(world: &Arc<World>, operator: &Operator, shape: Shape) -> Vec<Tenant> {
    let mut tenants = Vec::new();
    let mut next_event = 0;
    for number in 0..shape.tenants {
        let project = format!("tenant-{number}");
        let body = json!({"id": project, "name": project});
        operator.call("POST", "/v1/projects".to_owned(), body, None).await;
        let mut keys = Vec::new();
        let environments = usize::try_from(world.between(1, 2)).unwrap_or(1);
        for environment in &ENVIRONMENTS[..environments] {
            let body = json!({
                "name": environment, "environment": {"id": environment, "name": environment},
            });
            let path = format!("/v1/projects/{project}/keys");
            if let Some((201, body)) = operator.call("POST", path, body, None).await {
                let key = body["key"].as_str().unwrap_or_default().to_owned();
                keys.push(((*environment).to_owned(), key));
            }
        }
        let most = i64::try_from(shape.integrations).unwrap_or(1);
        for n in 0..world.between(1, most) {
            operator.add(world, &project, &format!("{project}-{n}.example.com")).await;
        }
        // Some want to be told, and some of these by two endpoints.
        for n in 0..world.between(-2, 2) {
            let host = format!("{project}-operations-{n}.example.com");
            operator.add_operations(world, &project, &host).await;
        }
        let share = shape.events / u32::try_from(shape.tenants).unwrap_or(1);
        let requests = world.with(|state| {
            requests(&mut state.chance, world.time.now(), shape, share, keys.len(), &mut next_event)
        });
        tenants.push(Tenant { project, keys, requests });
    }
    tenants
}

/// When a tenant sends what: some send often, some seldom, some in bursts.
fn requests(
    chance: &mut impl Rng,
    now: i64,
    shape: Shape,
    events: u32,
    keys: usize,
    next_event: &mut u32,
) -> Vec<(i64, usize, Vec<u32>)> {
    let traffic_ms = shape.traffic_ms;
    let size = [events, events / 4, events / 20, 3][chance.random_range(0..4)].max(1);
    let each = [1, 5, 20, 60][chance.random_range(0..4)];
    let burst = chance.random_bool(0.2);
    let burst_at = chance.random_range(0..traffic_ms);
    let mut left = size;
    let mut requests = Vec::new();
    while left > 0 {
        let count = chance.random_range(1..=each).min(left);
        left -= count;
        let at = if burst {
            (burst_at + chance.random_range(0..5_000)).min(traffic_ms)
        } else {
            chance.random_range(0..traffic_ms)
        };
        let every = STEADY_MS * i64::try_from(requests.len()).unwrap_or(0);
        let at = if shape.steady { (every + at % STEADY_MS).min(traffic_ms) } else { at };
        let numbers: Vec<u32> = (*next_event..*next_event + count).collect();
        *next_event += count;
        requests.push((now + at, chance.random_range(0..keys.max(1)), numbers));
    }
    requests.sort_unstable();
    requests
}

/// Gives endpoints their bad hours, and some an event that they cannot take.
pub fn plan_endpoints(world: &World, tenants: &[Tenant], traffic_ms: i64) {
    let now = world.now();
    let numbers: Vec<u32> = tenants
        .iter()
        .flat_map(|tenant| &tenant.requests)
        .flat_map(|(_, _, numbers)| numbers.iter().copied())
        .collect();
    world.with(|state| {
        let weather = state.plan.weather;
        for endpoint in state.endpoints.values_mut() {
            let chance = &mut state.chance;
            if chance.random_bool(0.4) && !numbers.is_empty() {
                let first = numbers[chance.random_range(0..numbers.len())];
                let many = POISONS[chance.random_range(0..POISONS.len())];
                endpoint.poisons = (first..first + many).collect();
                endpoint.poisoned = [400, 500][chance.random_range(0..2)];
            }
            if weather == Weather::Calm {
                continue;
            }
            for _ in 0..chance.random_range(0..4) {
                let at = now + chance.random_range(0..traffic_ms);
                let lasts = [30_000, 600_000, 7_200_000][chance.random_range(0..3)];
                let mode = mode(chance);
                endpoint.modes.insert(at, mode);
                let after = if mode == Mode::Down && chance.random_bool(0.4) {
                    Mode::Recovers(at + lasts, 0.5)
                } else {
                    Mode::Well
                };
                endpoint.modes.insert(at + lasts, after);
            }
        }
    });
}

fn mode(chance: &mut impl Rng) -> Mode {
    match chance.random_range(0..12) {
        0 | 1 => Mode::Down,
        2 => Mode::Slow,
        3 => Mode::Hangs,
        4 => Mode::Flaps(chance.random_range(0.05..0.9)),
        5 => Mode::Limits(chance.random_range(0.05..3.0), chance.random_range(0..400)),
        6 => Mode::Late,
        7 => Mode::Gone,
        8 => Mode::TooLarge(chance.random_range(0..5)),
        9 => Mode::Accepts,
        10 => Mode::Struggles,
        _ => Mode::Recovers(0, 0.2),
    }
}

/// A client sends what it has to send, and sends again what was not accepted.
pub async fn send(world: Arc<World>, ingest: Arc<Function<SimIngest>>, tenant: Tenant) {
    for (at, key, numbers) in tenant.requests {
        world.time.sleep_until(at).await;
        let Some((_, key)) = tenant.keys.get(key) else { continue };
        let body = body(&numbers);
        loop {
            let post = Post::to("/v1/events", body.clone())
                .with("authorization", format!("Bearer {key}"))
                .with("content-type", "application/json");
            let work = move |container: Arc<Container<SimIngest>>, _: Timestamp| async move {
                container.work.accept(post).await
            };
            let (end, _) = ingest.invoke(work).await;
            match end {
                End::Done(Ok(_)) => {
                    let now = world.now();
                    world.with(|state| state.witness.accepted(&numbers, now));
                    break;
                }
                End::Done(Err(problem)) if problem.status() < 500 => {
                    let now = world.now();
                    let what = format!("a lawful request was refused: {problem:?}");
                    world.with(|state| state.witness.violate(now, About::default(), what));
                    return;
                }
                _ => world.sleep_ms(world.between(500, 20_000)).await,
            }
        }
    }
}

fn body(numbers: &[u32]) -> String {
    let events: Vec<String> = numbers.iter().map(|number| events::text(*number)).collect();
    format!("[{}]", events.join(","))
}
