//! Operators who see to what is laid aside: they look at it, replay it, purge it, and resume without it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::{
    trace::About,
    workload::{Operator, path},
    world::World,
};

/// So often a request is made until it says that it is done, and no more.
const TRIES: u32 = 30;
/// How long an operator waits where another request has its turn, in milliseconds.
const AGAIN_MS: i64 = 5_000;
/// How long between a dry run and what follows, at most.
const THINKS_MS: i64 = 120_000;

/// What became of a request that was made until it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// It is done.
    Done,
    /// It is refused, as things stand.
    Refused,
    /// Nobody knows.
    Given,
}

impl Operator {
    /// Something that operators do about what is laid aside.
    pub async fn tend(&self, world: &Arc<World>, project: &str) {
        let integrations = self.integrations(project).await;
        // Who looks at them sees where there is something to do.
        let mut busy = integrations.clone();
        busy.retain(|one| has_something(world, one));
        let seen = !busy.is_empty() && world.between(0, 9) > 0;
        let Some(one) = chosen(world, if seen { &busy } else { &integrations }) else { return };
        match world.between(0, 9) {
            0 => self.look(world, one).await,
            1 | 2 => self.replay_one(world, one).await,
            3 | 4 => {
                let span = self.span(world, one, "dead").await;
                self.sweep(world, one, "/deliveries/replay", span).await;
            }
            5 => self.replay_all(world, one).await,
            6 => {
                let mut span = self.span(world, one, "dead").await;
                span["state"] = json!("dead");
                self.sweep(world, one, "/deliveries/purge", span).await;
            }
            7 => {
                // Without a pause it is refused.
                if world.between(0, 3) > 0 {
                    self.tell(one, "POST", "/pause").await;
                    world.sleep_ms(world.between(0, 20_000)).await;
                }
                let mut span = self.span(world, one, "parked").await;
                span["state"] = json!("parked");
                self.sweep(world, one, "/deliveries/purge", span).await;
                self.tell(one, "POST", "/resume").await;
            }
            8 => {
                self.tell(one, "POST", "/pause").await;
                world.sleep_ms(world.between(0, THINKS_MS)).await;
                let ended = self.sweep(world, one, "/resume", json!({"from": "now"})).await;
                if ended != Ended::Done && world.between(0, 1) == 0 {
                    self.tell(one, "POST", "/resume").await;
                }
            }
            // By an operator who believes that it is paused.
            _ => drop(self.sweep(world, one, "/resume", json!({"from": "now"})).await),
        }
    }

    /// Replays all that is dead.
    pub async fn replay_all(&self, world: &Arc<World>, one: &Value) {
        self.sweep(world, one, "/deliveries/replay", json!({})).await;
    }

    /// What is laid aside, in one state, as far as it is answered.
    async fn list(&self, one: &Value, state: &str, limit: i64) -> Option<Vec<Value>> {
        let query = format!("/deliveries?state={state}&limit={limit}");
        let first = path(one, &query);
        let mut listed = Vec::new();
        let mut next = first.clone();
        loop {
            let (status, mut body) = self.call("GET", next, Value::Null, None).await?;
            let Value::Array(mut part) = body["deliveries"].take() else { return None };
            listed.append(&mut part);
            match body["next"].as_str() {
                Some(cursor) if status == 200 => next = format!("{first}&cursor={cursor}"),
                _ => return Some(listed),
            }
        }
    }

    /// Looks at what is there, and reads one of it: what is there throughout is listed, and nothing
    /// else is.
    pub async fn look(&self, world: &Arc<World>, one: &Value) {
        for state in ["dead", "parked"] {
            let prefix = format!("{state}/{}/", one["id"].as_str().unwrap_or_default());
            let began = world.now();
            let keys = || {
                world.with(|state| {
                    let all = state.objects.range(prefix.clone()..);
                    let all = all.take_while(|(key, _)| key.starts_with(&prefix));
                    all.map(|(key, (at, _))| (key.clone(), *at)).collect::<Vec<_>>()
                })
            };
            let limit = [1, 3, 100][usize::try_from(world.between(0, 2)).unwrap_or(0)];
            let Some(listed) = self.list(one, state, limit).await else { return };
            let after = keys();
            let listed: Vec<_> = listed.iter().filter_map(|one| one["id"].as_str()).collect();
            let name = |key: &str| key[prefix.len()..].trim_end_matches(".json.gz").to_owned();
            let missing =
                after.iter().find(|(key, at)| *at < began && !listed.contains(&name(key).as_str()));
            if let Some((key, _)) = missing {
                let what = format!("{key} was there, and is not listed");
                world.with(|state| state.witness.violate(world.now(), About::default(), what));
            }
            if let Some(first) = listed.first() {
                self.call(
                    "GET",
                    path(one, &format!("/deliveries/{state}/{first}")),
                    Value::Null,
                    None,
                )
                .await;
            }
        }
    }

    /// Replays one delivery, or has one that is parked looked at.
    async fn replay_one(&self, world: &Arc<World>, one: &Value) {
        let state = if world.between(0, 4) == 0 { "parked" } else { "dead" };
        let Some(listed) = self.list(one, state, 100).await else { return };
        let Some(id) = chosen(world, &listed).and_then(|chosen| chosen["id"].as_str()) else {
            return;
        };
        let path = path(one, &format!("/deliveries/{state}/{id}/replay"));
        for _ in 0..TRIES {
            match self.call("POST", path.clone(), Value::Null, None).await {
                Some((200 | 404, _)) => return,
                Some((409, _)) => world.sleep_ms(AGAIN_MS).await,
                Some((status, _)) => return refused(world, &path, status),
                None => world.sleep_ms(world.between(500, 20_000)).await,
            }
        }
    }

    /// All of it, or a part by the time at which it was laid aside.
    async fn span(&self, world: &Arc<World>, one: &Value, state: &str) -> Value {
        if world.between(0, 1) == 0 {
            return json!({});
        }
        let Some(listed) = self.list(one, state, 100).await else { return json!({}) };
        let mut times = [0; 2];
        for time in &mut times {
            *time = chosen(world, &listed).and_then(|one| one["at"].as_i64()).unwrap_or_default();
        }
        times.sort_unstable();
        let [from, to] = times;
        match world.between(0, 2) {
            0 => json!({"from": from}),
            1 if to > 0 => json!({"to": to}),
            _ if from < to => json!({"from": from, "to": to}),
            _ => json!({}),
        }
    }

    /// Makes a request until it is done, as the documents say: sometimes with a dry run before it, and
    /// then with the `to` of that.
    async fn sweep(&self, world: &Arc<World>, one: &Value, what: &str, body: Value) -> Ended {
        let path = path(one, what);
        let mut body = body;
        // Who resumes says no `to`.
        let bounded = what != "/resume";
        if world.between(0, 2) > 0 {
            let mut dry = body.clone();
            dry["dry_run"] = json!(true);
            for _ in 0..TRIES {
                match self.call("POST", path.clone(), dry.clone(), None).await {
                    Some((200, answer)) => {
                        if bounded {
                            body["to"] = answer["to"].clone();
                            dry["to"] = answer["to"].clone();
                        }
                        if answer["done"] == true || !bounded {
                            break;
                        }
                        dry["cursor"] = answer["next"].clone();
                    }
                    Some((404 | 409, _)) => return Ended::Refused,
                    Some((status, _)) => {
                        refused(world, &path, status);
                        return Ended::Refused;
                    }
                    None => world.sleep_ms(world.between(500, 20_000)).await,
                }
            }
            world.sleep_ms(world.between(0, THINKS_MS)).await;
        }
        let mut conflicts = 0;
        for _ in 0..TRIES {
            match self.call("POST", path.clone(), body.clone(), None).await {
                Some((200, answer)) => {
                    if bounded {
                        body["to"] = answer["to"].clone();
                    }
                    if answer["done"] == true {
                        return Ended::Done;
                    }
                }
                Some((409, _)) if conflicts < 3 => {
                    conflicts += 1;
                    world.sleep_ms(AGAIN_MS).await;
                }
                Some((404 | 409, _)) => return Ended::Refused,
                Some((status, _)) => {
                    refused(world, &path, status);
                    return Ended::Refused;
                }
                None => world.sleep_ms(world.between(500, 20_000)).await,
            }
        }
        Ended::Given
    }
}

fn has_something(world: &World, integration: &Value) -> bool {
    let id = integration["id"].as_str().unwrap_or_default();
    world.with(|state| {
        ["dead", "parked"].iter().any(|place| {
            let prefix = format!("{place}/{id}/");
            let first = state.objects.range(prefix.clone()..).next();
            first.is_some_and(|(key, _)| key.starts_with(&prefix))
        })
    })
}

fn chosen<'a>(world: &World, all: &'a [Value]) -> Option<&'a Value> {
    let most = i64::try_from(all.len()).ok()?;
    let at = world.between(0, most.max(1) - 1);
    all.get(usize::try_from(at).ok()?)
}

fn refused(world: &World, path: &str, status: u16) {
    let what = format!("a lawful request was refused: {path}: {status}");
    world.with(|state| state.witness.violate(world.now(), About::default(), what));
}

/// Some operators tend to one project's integrations at the same time, a few times each, at most so long
/// after one another; `busy` counts those who still do.
pub fn begin(
    world: &Arc<World>,
    operator: &Arc<Operator>,
    project: &str,
    pause_ms: i64,
    busy: &Arc<AtomicUsize>,
) {
    for _ in 0..world.between(1, 3) {
        busy.fetch_add(1, Ordering::Relaxed);
        let (to, operator) = (Arc::clone(world), Arc::clone(operator));
        let (project, busy) = (project.to_owned(), Arc::clone(busy));
        world.spawn(async move {
            for _ in 0..to.between(1, 4) {
                to.sleep_ms(to.between(0, pause_ms)).await;
                operator.tend(&to, &project).await;
            }
            busy.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
