//! The ports of the use cases, in the simulated world.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use flagpost_domain::{
    breaker::{Breaker, Cause},
    gzip::gunzip,
    health::{Health, Lease, Pause},
    id::{AdminKeyId, IntegrationId, KeyId, ProjectId},
    integration::Integration,
    ledger::Counts,
    page::{Page, Part},
    parked::{ParkedKey, Place},
    ports::{
        AdminKey, AdminStore, Answer, BATCH_BYTES, BATCH_ENTRIES, Claim, Clock, DELAY_MAX,
        EventHash, Found, HealthStore, KeyGrant, KeyHash, KeyListing, LedgerStore, Listed, Objects,
        Once, Outgoing, PortError, PortResult, Ports, Project, Queue, Queues, Random, Registry,
        Remembered, Request, Seen, SendError, Sender, Sent, Services, Timer, Written,
    },
    preset::Preset,
    time::{Timestamp, millis},
};
use rand::{Rng, RngExt};

use crate::{
    attempts::{Begun, Ended, Maker},
    executor::Sleep,
    fault::{Fault, Weather},
    queue::{Hidden, parse_receipt},
    table::Configured,
    trace::About,
    witness::event_number,
    world::{KnownSince, State, World, place},
};

/// A request may take this long.
const TIME_OUT_MS: i64 = 10_000;
/// DynamoDB: bytes of one item. A breaker is to stay far below.
const ITEM_BYTES: usize = 400 * 1024;
/// An attempt starts at most this long after a pause was written, where calls take no time.
const PAUSE_KNOWN_MS: i64 = 5_000;

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
    fn invocation(&self) -> u64 {
        self.who.invocation.load(Ordering::Relaxed)
    }

    fn drains(&self) -> bool {
        self.who.function == "drain"
    }

    async fn call<T: Send + 'static>(
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
        let name = format!("{}#{}: {call}", self.who.function, self.invocation());
        self.call(call, move |state, now| {
            let result = match &project {
                Some(project) => state.table.change(project, &id, now, |item| change(item, now)),
                None => state.table.change_known(&id, now, |item| change(item, now)),
            };
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

impl Queues for Port {
    async fn send_batch(&self, queue: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        const CALL: &str = "sqs:SendMessageBatch";
        let bytes: usize = batch.iter().map(|message| message.body.len()).sum();
        let lawful = (1..=BATCH_ENTRIES).contains(&batch.len())
            && bytes <= BATCH_BYTES
            && batch.iter().all(|message| message.delay <= DELAY_MAX);
        if !lawful {
            let now = self.world.now();
            let what = format!("a batch of {} messages and {bytes} bytes was sent", batch.len());
            self.world.with(|state| state.witness.violate(now, About::default(), what));
        }
        let messages: Vec<_> =
            batch.iter().map(|message| (message.body.clone(), millis(message.delay))).collect();
        let sent = self
            .call(CALL, move |state, now| {
                let entries = messages.iter().map(|(body, delay)| {
                    if state.happens(Fault::EntryRefused) {
                        return false;
                    }
                    let id = state.queues[place(queue)].send(body.clone(), now, *delay);
                    let about = state.witness.sent(queue, id, body, now);
                    state.note(now, about, || {
                        format!("{queue:?} message {id} sent, visible in {delay} ms")
                    });
                    true
                });
                entries.collect::<Vec<_>>()
            })
            .await;
        match sent {
            Ok(entries) => entries
                .into_iter()
                .map(|taken| {
                    let reason = "simulated: InternalError of one entry".to_owned();
                    if taken { Ok(()) } else { Err(PortError::Failed { call: CALL, reason }) }
                })
                .collect(),
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn hide(&self, queue: Queue, receipt: &str, wait: Duration) -> PortResult<()> {
        const CALL: &str = "sqs:ChangeMessageVisibility";
        // Whole seconds, rounded up.
        let wait = millis(wait).div_euclid(1_000) + i64::from(wait.subsec_millis() > 0);
        let receipt = receipt.to_owned();
        let hidden = self
            .call(CALL, move |state, now| {
                let hidden = state.queues[place(queue)].hide(&receipt, now, wait * 1_000);
                state.note(now, About::default(), || {
                    format!("{queue:?} message {receipt} hidden for {wait} s: {hidden:?}")
                });
                if hidden != Hidden::Done
                    && let Some((id, _)) = parse_receipt(&receipt)
                {
                    state.witness.excuse(id);
                }
                // "If you use an old receipt handle, the request may succeed": it has no effect.
                hidden == Hidden::Done || (hidden == Hidden::Stale && state.chance.random_bool(0.5))
            })
            .await?;
        let reason = "simulated: not in flight, or the receipt handle is stale".to_owned();
        if hidden { Ok(()) } else { Err(PortError::Failed { call: CALL, reason }) }
    }

    async fn bury(&self, queue: Queue, _: &str, reason: &str) -> PortResult<()> {
        let what = format!("a message of {queue:?} cannot be read: {reason}");
        self.call("sqs:SendMessage", move |state, now| {
            state.dead_letters += 1;
            state.witness.violate(now, About::default(), what.clone());
        })
        .await
    }
}

impl Seen for Port {
    async fn claim(
        &self,
        event: &EventHash,
        now: Timestamp,
        until: Timestamp,
        expires: Timestamp,
    ) -> PortResult<Claim> {
        let event = event.clone();
        self.call("dynamodb:PutItem claim", move |state, _| {
            state.table.claim(&event, now, until, expires)
        })
        .await
    }

    async fn confirm(&self, event: &EventHash, expires: Timestamp) -> PortResult<()> {
        let event = event.clone();
        self.call("dynamodb:PutItem confirm", move |state, _| {
            state.table.seen.insert(event.clone(), (None, expires));
        })
        .await
    }

    async fn release(&self, event: &EventHash, until: Timestamp) -> PortResult<()> {
        let event = event.clone();
        self.call("dynamodb:PutItem release", move |state, _| state.table.release(&event, until))
            .await
    }
}

impl Registry for Port {
    async fn key(&self, hash: &KeyHash) -> PortResult<Option<KeyGrant>> {
        let hash = hash.clone();
        self.call("dynamodb:GetItem key", move |state, _| state.table.key(&hash)).await
    }

    async fn integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        let wanted = project.clone();
        let lag = self.world.setting.lag_ms;
        let (read, as_of) = self
            .call("dynamodb:Query integrations", move |state, now| {
                let as_of = state.seen_as_of(now, lag);
                (state.table.integrations_as_of(&wanted, as_of), as_of)
            })
            .await?;
        lock(&self.who.known_since).insert(project.clone(), as_of);
        self.note(About::default(), || {
            let age = self.world.now() - as_of;
            format!("read {} integrations of {project} as of {age} ms ago", read.len())
        });
        Ok(read)
    }

    async fn integration(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Found> {
        let (project, id) = (project.clone(), id.clone());
        self.call("dynamodb:GetItem integration", move |state, _| {
            state.table.integration(&project, &id)
        })
        .await
    }
}

impl HealthStore for Port {
    async fn unwell(&self) -> PortResult<Vec<Health>> {
        let lag = self.world.setting.lag_ms;
        self.call("dynamodb:Query unwell", move |state, now| {
            let lags: Vec<i64> =
                (0..state.table.health.len()).map(|_| state.seen_as_of(now, lag)).collect();
            let mut lags = lags.into_iter();
            state.table.unwell(|| lags.next().unwrap_or(now))
        })
        .await
    }

    async fn health(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Health> {
        let (project, id) = (project.clone(), id.clone());
        self.call("dynamodb:GetItem health", move |state, _| state.table.health(&project, &id))
            .await
    }

    async fn swap_breaker(
        &self,
        health: &Health,
        breaker: &Breaker,
        calm: bool,
    ) -> PortResult<bool> {
        let (read, new) = (health.clone(), breaker.clone());
        let bytes = serde_json::to_vec(&new).map_or(usize::MAX, |text| text.len());
        let small = if bytes < ITEM_BYTES / 4 { Ok(()) } else { Err(format!("{bytes} bytes")) };
        if let Err(what) = self.check_pause(&read, &new).and(small) {
            let now = self.world.now();
            self.world.with(|state| {
                let integration = Some(state.witness.number(&read.integration));
                let about = About { integration, ..About::default() };
                state.witness.violate(now, about, what);
            });
        }
        let Health { project, integration, .. } = health;
        self.change("swap_breaker", Some(project), integration, move |item, now| {
            item.swap_breaker(&read, &new, calm, now)
        })
        .await
    }

    async fn set_pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        pause: Option<&Pause>,
    ) -> PortResult<()> {
        let pause = pause.cloned();
        self.change("set_pause", Some(project), id, move |item, now| {
            item.set_pause(pause.as_ref(), now);
        })
        .await
    }

    async fn mark_backlog(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        wake_at: Timestamp,
    ) -> PortResult<Option<u64>> {
        // Nothing is parked by `drain`: it found what nobody knew of.
        self.heals(id, "found something parked without a timer");
        self.change("mark_backlog", Some(project), id, move |item, now| {
            item.mark_backlog(wake_at, now)
        })
        .await
    }

    async fn set_timer(
        &self,
        id: &IntegrationId,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> PortResult<Option<u64>> {
        if owner.is_none() {
            self.heals(id, "swept a timer whose wake-up was lost");
        }
        let owner = owner.map(str::to_owned);
        self.change("set_timer", None, id, move |item, _| {
            item.set_timer(expected, wake_at, owner.as_deref())
        })
        .await
    }

    async fn take_lease(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        let invocation = self.invocation();
        self.world.with(|state| state.slices.owner(owner, invocation, id));
        let owner = owner.to_owned();
        self.change("take_lease", Some(project), id, move |item, _| {
            item.take_lease(&owner, now, until)
        })
        .await
    }

    async fn release_lease(&self, id: &IntegrationId, owner: &str) -> PortResult<bool> {
        let owner = owner.to_owned();
        self.change("release_lease", None, id, move |item, _| item.release_lease(&owner)).await
    }

    async fn finish(&self, id: &IntegrationId, owner: &str, backlog_gen: u64) -> PortResult<bool> {
        let owner = owner.to_owned();
        let (whose, invocation) = (id.clone(), self.invocation());
        let finished = self
            .change("finish", None, id, move |item, _| {
                (item.finish(&owner, backlog_gen), item.marked_at)
            })
            .await;
        let (finished, marked_at) = finished?;
        let now = self.world.now();
        self.world.with(|state| {
            // Nothing was parked since it began to list what there is.
            let since = state.slices.pass_since(invocation);
            if finished && since.is_some_and(|since| marked_at > since) {
                let integration = Some(state.witness.number(&whose));
                let about = About { integration, ..About::default() };
                state.witness.violate(
                    now,
                    about,
                    "finished, though something was parked meanwhile",
                );
            }
        });
        Ok(finished)
    }

    async fn overdue(&self, before: Timestamp) -> PortResult<Vec<Timer>> {
        let lag = self.world.setting.lag_ms;
        self.call("dynamodb:Query timers", move |state, now| {
            let lags: Vec<i64> =
                (0..state.table.health.len()).map(|_| state.seen_as_of(now, lag)).collect();
            let mut lags = lags.into_iter();
            state.table.overdue(before, || lags.next().unwrap_or(now))
        })
        .await
    }
}

impl Port {
    /// `drain` makes good for something that went wrong: then something must have.
    fn heals(&self, id: &IntegrationId, what: &str) {
        if !self.drains() {
            return;
        }
        let now = self.world.now();
        self.world.with(|state| {
            let configured = state.table.integrations.values().find_map(|project| project.get(id));
            // The timer of one that is disabled stands, and is looked at again and again.
            let enabled = configured
                .is_some_and(|one| matches!(one.latest(), Configured::Present(one) if one.enabled));
            // It may have been resumed, or enabled, a moment ago.
            let before = |since: i64| since < now - 60_000;
            let settled = configured.is_some_and(|one| before(one.since()))
                && state.table.health.get(id).is_none_or(|item| before(item.since()));
            if enabled && settled && state.plan.weather < Weather::Storm {
                let integration = Some(state.witness.number(id));
                state.witness.violate(now, About { integration, ..About::default() }, what);
            }
        });
    }

    /// Pauses are as long as they are said to be.
    fn check_pause(&self, read: &Health, new: &Breaker) -> Result<(), String> {
        let Some(open) = new.open else { return Ok(()) };
        let before = read.breaker.open;
        if before.is_some_and(|before| before.until == open.until) {
            return Ok(());
        }
        let policy = &self.world.setting.policy.breaker;
        let length = open.until.0 - self.now().0;
        // What the endpoint asked for stands, where it is longer.
        let asked = open.cause == Cause::RetryAfter || before.is_some();
        let most = millis(policy.pause_max) * 11 / 10 + 1;
        let most = if asked { most.max(3_600_000) } else { most };
        let doubled = |level: u32| {
            millis(policy.pause_first).saturating_mul(2i64.saturating_pow(level.min(16)))
        };
        let levels =
            [0, read.breaker.level].map(doubled).map(|ms| ms.min(millis(policy.pause_max)));
        let fits = levels.iter().any(|ms| (ms * 9 / 10 - 1..=ms * 11 / 10 + 1).contains(&length));
        if length > most || (!asked && !fits) || length < 0 {
            return Err(format!("a pause of {length} ms at level {}", read.breaker.level));
        }
        Ok(())
    }
}

impl LedgerStore for Port {
    async fn add_counts(&self, id: &IntegrationId, hour: &str, counts: &Counts) -> PortResult<()> {
        let (id, hour, counts) = (id.clone(), hour.to_owned(), *counts);
        self.call("dynamodb:UpdateItem ledger", move |state, _| {
            let hours = state.table.ledger.entry(id.clone()).or_default();
            *hours.entry(hour.clone()).or_default() += counts;
        })
        .await
    }

    async fn counts(&self, id: &IntegrationId) -> PortResult<Vec<(String, Counts)>> {
        let id = id.clone();
        self.call("dynamodb:Query ledger", move |state, _| {
            let hours = state.table.ledger.get(&id).into_iter().flatten();
            hours.map(|(hour, counts)| (hour.clone(), *counts)).collect()
        })
        .await
    }
}

impl Objects for Port {
    async fn put(&self, key: &str, body: Bytes) -> PortResult<()> {
        let key = key.to_owned();
        self.call("s3:PutObject", move |state, now| {
            let about = state.witness.put(&key, &body, now);
            state.note(now, about, || format!("object put: {key}"));
            state.objects.insert(key.clone(), (now, body.clone()));
        })
        .await
    }

    async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        self.check_order(key);
        let key = key.to_owned();
        self.call("s3:GetObject", move |state, _| {
            state.objects.get(&key).map(|(_, body)| body.clone())
        })
        .await
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        let key = key.to_owned();
        let retention = self.world.setting.retention;
        let keep = match ParkedKey::parse(&key).map(|parsed| parsed.place) {
            Some(Place::Dead) => retention.dead,
            _ => retention.parked,
        };
        self.call("s3:DeleteObject", move |state, now| {
            // A container's clock may be ahead.
            state.delete_object(&key, now - millis(keep) + 5_000, now);
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let (invocation, drains) = (self.invocation(), self.drains());
        self.call("s3:ListObjectsV2", move |state, now| {
            if drains {
                state.slices.listed(invocation, after.as_deref(), now);
            }
            let short = state.happens(Fault::ShortPage);
            let most = if short { state.chance.random_range(1..=5) } else { 1_000 };
            let from = after.as_ref().map_or(prefix.clone(), |after| after.max(&prefix).clone());
            let listed = state.objects.range(from..).take_while(|(key, _)| {
                key.starts_with(&prefix) || after.as_ref().is_some_and(|after| *key <= after)
            });
            listed
                .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
                .take(most)
                .map(|(key, (at, _))| Listed { key: key.clone(), modified: Timestamp(*at) })
                .collect()
        })
        .await
    }
}

impl Port {
    /// A drain takes what is oldest.
    fn check_order(&self, key: &str) {
        let Some(parsed) = ParkedKey::parse(key) else { return };
        if !self.drains() || parsed.place != Place::Parked {
            return;
        }
        let (now, invocation) = (self.world.now(), self.invocation());
        self.world.with(|state| {
            let Some(item) = state.table.health.get(&parsed.integration) else { return };
            let health = &item.latest().health;
            // Expiry reads too, and drains nothing.
            let holds = |lease: &Lease| state.slices.is_owner(&lease.owner, invocation);
            if !health.lease.as_ref().is_some_and(holds) {
                return;
            }
            let probes = health.breaker.open.is_some();
            let prefix = Place::Parked.prefix(&parsed.integration);
            let older = state.slices.takes(invocation, key, &prefix, probes, &state.objects);
            if let Some(older) = older {
                let integration = Some(state.witness.number(&parsed.integration));
                let about = About { integration, ..About::default() };
                let what = format!("not oldest first: {key} before {older}");
                state.witness.violate(now, about, what);
            }
        });
    }

    /// Checks what a request may do when it begins: whom it concerns, and whether it is the first of
    /// an attempt.
    fn begin(&self, request: &Request, events: &[u32]) -> Option<(IntegrationId, u32, Preset)> {
        let now = self.world.now();
        let host = request.to.host();
        let setting = &self.world.setting;
        self.world.with(|state| {
            let (id, _) = state.whose(host)?;
            let integration = state.witness.number(&id);
            let about = About { integration: Some(integration), events: events.to_vec() };
            let item = state.table.health.get(&id).map(|item| item.latest().clone());
            let open = item.as_ref().and_then(|item| item.health.breaker.open);
            let maker = Maker {
                invocation: self.invocation(),
                drains: self.drains(),
                probes: self.drains() && open.is_some(),
            };
            let begun = match state.witness.attempts.begins(&request.id, maker, now) {
                Ok(begun) => begun,
                Err(what) => {
                    state.witness.violate(now, about, what);
                    return None;
                }
            };
            let is_attempt = begun == Begun::Attempt;
            state.note(now, about.clone(), || {
                let what = if is_attempt { "attempt" } else { "immediate retry" };
                let Who { function, container, .. } = &*self.who;
                format!(
                    "{function}/{container}#{}: {what} at delivery {} of {} events",
                    maker.invocation,
                    request.id,
                    events.len()
                )
            });
            let item = item.filter(|_| is_attempt)?;
            // How old what is known may be: the cache's age, the index's lag, the reading of it.
            let mut known = PAUSE_KNOWN_MS + setting.lag_ms + 8 * setting.call_ms;
            if state.plan.weather == Weather::Storm {
                known += state.ignorance_ms();
            }
            let late = |since: Option<i64>| since.filter(|since| now - since > known);
            if let Some(since) = late(item.paused_at) {
                let what = format!("an attempt {} ms after a pause was written", now - since);
                state.witness.violate(now, about.clone(), what);
            }
            if maker.drains {
                let mine = item
                    .health
                    .lease
                    .as_ref()
                    .is_some_and(|lease| state.slices.is_owner(&lease.owner, maker.invocation));
                if !mine {
                    state.witness.violate(now, about.clone(), "a drain without the lease");
                }
                if let Some(open) = open {
                    let early = open.until.0 - (now + self.who.off_ms);
                    // What was on its way already when the breaker opened is no probe.
                    let probes =
                        if early > 0 { 0 } else { state.slices.probed(integration, open.until.0) };
                    // A write that is lost leaves the pause as it is, and the probe is made again.
                    let again = probes > 1 && state.plan.weather != Weather::Storm;
                    if again || (early > 0 && late(item.opened_at).is_some()) {
                        let what = format!("probe {probes} of a pause, {early} ms before its end");
                        state.witness.violate(now, about, what);
                    }
                }
            } else if let Some(since) = late(item.opened_at) {
                let what = format!("an attempt {} ms after the breaker opened", now - since);
                state.witness.violate(now, about, what);
            }
            Some(())
        });
        self.world.with(|state| {
            let (id, preset) = state.whose(host)?;
            let number = state.witness.number(&id);
            Some((id, number, preset))
        })
    }
}

impl State {
    /// Whose endpoint a host is.
    fn whose(&self, host: &str) -> Option<(IntegrationId, Preset)> {
        let owner = self.hosts.get(host)?;
        Some(owner.clone())
    }

    /// By how much what is known of health may be older still, by faults of this plan.
    fn ignorance_ms(&self) -> i64 {
        let plan = &self.plan;
        let calls = [Fault::Throttled, Fault::Refused, Fault::AnswerLost, Fault::EffectLate];
        if calls.iter().any(|fault| plan.has(*fault)) {
            // "If DynamoDB fails, cached configuration serves on."
            return i64::MAX / 4;
        }
        let mut more = 0;
        for (fault, ms) in [
            (Fault::Slow, 24_000),
            (Fault::MadeTwice, 24_000),
            (Fault::StaleRead, 8_000),
            (Fault::Stalled, 60_000),
        ] {
            more += if plan.has(fault) { ms } else { 0 };
        }
        more
    }
}

impl Sender for Port {
    async fn send(&self, request: Request) -> Sent {
        let plain = if request.gzipped {
            gunzip(&request.body, 64 << 20).unwrap_or_default().into()
        } else {
            request.body.clone()
        };
        let events: Vec<u32> = flagpost_domain::event::split(&plain)
            .unwrap_or_default()
            .iter()
            .filter_map(|event| event_number(event.as_bytes()))
            .collect();
        let began = self.world.now();
        let whose = self.begin(&request, &events);
        let Some((_, number, preset)) = whose else {
            let answer = Err(SendError::Connect("no such host".to_owned()));
            return Sent { answer, took: Duration::ZERO };
        };
        let reaction = self.world.with(|state| {
            let roll = state.chance.random::<f64>();
            let endpoint = state.endpoints.get_mut(request.to.host());
            let reaction = endpoint.map(|endpoint| endpoint.react(&events, began, roll));
            if let Some(fault) = reaction.as_ref().and_then(|reaction| reaction.fault) {
                state.tally.add(fault);
            }
            reaction
        });
        let Some(reaction) = reaction else {
            let answer = Err(SendError::Connect("no such host".to_owned()));
            return Sent { answer, took: Duration::ZERO };
        };
        let lost = reaction.takes < TIME_OUT_MS && self.world.happens(Fault::EndpointAnswerLost);
        let succeeds =
            reaction.status.is_some_and(|status| preset.defaults().success.includes(status));
        if reaction.takes == i64::MAX || reaction.status.is_none() || !succeeds {
            self.world.sleep_ms(reaction.takes.min(TIME_OUT_MS)).await;
        } else {
            // It has taken it before it answers, and all the same if nobody waits for the answer.
            let takes = reaction.takes.min(TIME_OUT_MS);
            self.world.sleep_ms(takes / 2).await;
            let now = self.world.now();
            self.world.with(|state| {
                state.witness.delivered(number, &events, now);
                let about = About { integration: Some(number), events: events.clone() };
                state.note(now, about, || format!("endpoint took delivery {}", request.id));
            });
            self.world.sleep_ms(takes - takes / 2).await;
        }
        let answer = if reaction.takes >= TIME_OUT_MS {
            Err(SendError::Timeout)
        } else if lost {
            Err(SendError::Lost("simulated".to_owned()))
        } else if let Some(status) = reaction.status {
            let retry_after = reaction.retry_after.map(|seconds| seconds.to_string());
            Ok(Answer { status, retry_after, body: Bytes::new() })
        } else {
            Err(SendError::Connect("refused".to_owned()))
        };
        let on_top = matches!(&answer, Ok(Answer { status: 410, .. }))
            || (events.len() > 1 && matches!(&answer, Ok(Answer { status: 413, .. })))
            || matches!(&answer, Ok(Answer { status: 429 | 503, retry_after: Some(_), .. }));
        let ended = match &answer {
            Ok(answer) if succeeds && answer.status < 300 => Ended::Well,
            _ if on_top => Ended::OnTop,
            _ => Ended::Badly,
        };
        let now = self.world.now();
        self.world.with(|state| {
            state.witness.attempts.ends(&request.id, ended, now);
            if matches!(&answer, Ok(Answer { status: 410 | 413, .. })) {
                state.slices.said_nothing(number);
            }
            let about = About { integration: Some(number), events: events.clone() };
            state.note(now, about, || {
                let took = now - began;
                format!("delivery {}: {answer:?} after {took} ms", request.id)
            });
        });
        Sent { answer, took: Duration::from_millis(u64::try_from(now - began).unwrap_or(0)) }
    }
}

impl AdminStore for Port {
    async fn remember(
        &self,
        name: &str,
        new: &Remembered,
        expires: Timestamp,
    ) -> PortResult<Option<Remembered>> {
        let (name, new) = (name.to_owned(), new.clone());
        self.call("dynamodb:PutItem creation", move |state, _| {
            match state.table.creations.get(&name) {
                Some((earlier, until)) if *until > new.at => Some(earlier.clone()),
                _ => {
                    state.table.creations.insert(name.clone(), (new.clone(), expires));
                    None
                }
            }
        })
        .await
    }

    async fn admin_key(&self, hash: &KeyHash) -> PortResult<Option<AdminKey>> {
        let hash = hash.clone();
        self.call("dynamodb:GetItem admin key", move |state, _| {
            state.table.admin_keys.get(&hash).cloned()
        })
        .await
    }

    async fn create_admin_key(
        &self,
        hash: &KeyHash,
        key: &AdminKey,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (hash, key, once) = (hash.clone(), key.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems admin key", move |state, _| {
            if !state.table.complete(once.as_ref()) {
                return Written::Repeated;
            }
            state.table.admin_keys.insert(hash.clone(), key.clone());
            Written::Done
        })
        .await
    }

    async fn admin_keys(&self, part: &Part) -> PortResult<Page<AdminKey>> {
        let part = part.clone();
        self.call("dynamodb:Query admin keys", move |state, _| {
            let mut keys: Vec<_> = state.table.admin_keys.values().cloned().collect();
            keys.sort_by(|a, b| a.id.cmp(&b.id));
            Page::cut(keys, &part, |key| key.id.as_str())
        })
        .await
    }

    async fn delete_admin_key(&self, id: &AdminKeyId) -> PortResult<Written> {
        let id = id.clone();
        self.call("dynamodb:TransactWriteItems admin key", move |state, _| {
            let before = state.table.admin_keys.len();
            state.table.admin_keys.retain(|_, key| key.id != id);
            if state.table.admin_keys.len() < before { Written::Done } else { Written::Stale }
        })
        .await
    }

    async fn create_project(&self, project: &Project, once: Option<&Once>) -> PortResult<Written> {
        let (project, once) = (project.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems project", move |state, _| {
            if state.table.is_complete(once.as_ref()) {
                return Written::Repeated;
            }
            if state.table.projects.contains_key(&project.id) {
                return Written::Taken;
            }
            state.table.complete(once.as_ref());
            state.table.projects.insert(project.id.clone(), project.clone());
            Written::Done
        })
        .await
    }

    async fn project(&self, id: &ProjectId) -> PortResult<Option<Project>> {
        let id = id.clone();
        self.call("dynamodb:GetItem project", move |state, _| {
            state.table.projects.get(&id).cloned()
        })
        .await
    }

    async fn projects(&self, part: &Part) -> PortResult<Page<Project>> {
        let part = part.clone();
        self.call("dynamodb:Query projects", move |state, _| {
            let all = state.table.projects.values().cloned();
            Page::cut(all, &part, |project| project.id.as_str())
        })
        .await
    }

    async fn delete_project(&self, id: &ProjectId) -> PortResult<Written> {
        let id = id.clone();
        self.call("dynamodb:DeleteItem project", move |state, _| {
            let keys = state.table.keys.values().any(|key| key.grant.project == id);
            let keys = keys || state.table.admin_keys.values().any(|key| key.project == id);
            if keys || state.table.integrations.contains_key(&id) {
                return Written::Taken;
            }
            state.table.projects.remove(&id).map_or(Written::Stale, |_| Written::Done)
        })
        .await
    }

    async fn create_key(
        &self,
        hash: &KeyHash,
        key: &KeyListing,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (hash, key, once) = (hash.clone(), key.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems key", move |state, _| {
            if !state.table.complete(once.as_ref()) {
                return Written::Repeated;
            }
            state.table.keys.insert(hash.clone(), key.clone());
            Written::Done
        })
        .await
    }

    async fn keys(&self, project: &ProjectId, part: &Part) -> PortResult<Page<KeyListing>> {
        let (project, part) = (project.clone(), part.clone());
        self.call("dynamodb:Query keys", move |state, _| {
            let keys = state.table.keys.values();
            let mut keys: Vec<_> =
                keys.filter(|key| key.grant.project == project).cloned().collect();
            keys.sort_by(|a, b| a.grant.id.cmp(&b.grant.id));
            Page::cut(keys, &part, |key| key.grant.id.as_str())
        })
        .await
    }

    async fn delete_key(&self, project: &ProjectId, key: &KeyId) -> PortResult<Written> {
        let (project, key) = (project.clone(), key.clone());
        self.call("dynamodb:TransactWriteItems key", move |state, _| {
            let before = state.table.keys.len();
            state.table.keys.retain(|_, one| one.grant.project != project || one.grant.id != key);
            if state.table.keys.len() < before { Written::Done } else { Written::Stale }
        })
        .await
    }

    async fn list_integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        let project = project.clone();
        self.call("dynamodb:Query integrations", move |state, now| {
            state.table.integrations_as_of(&project, now)
        })
        .await
    }

    async fn create_integration(
        &self,
        integration: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (new, once) = (integration.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems integration", move |state, now| {
            if state.table.is_complete(once.as_ref()) {
                return Written::Repeated;
            }
            let written = state.table.create_integration(&new, now);
            if written == Written::Done {
                state.table.complete(once.as_ref());
                state.know(&new, now);
            }
            written
        })
        .await
    }

    async fn replace_integration(
        &self,
        old: &Integration,
        new: &Integration,
    ) -> PortResult<Written> {
        let (old, new) = (old.clone(), new.clone());
        self.call("dynamodb:TransactWriteItems integration", move |state, now| {
            let written = state.table.replace_integration(&old, Some(&new), now);
            if written == Written::Done {
                state.know(&new, now);
            }
            written
        })
        .await
    }

    async fn delete_integration(
        &self,
        integration: &Integration,
        _: Timestamp,
    ) -> PortResult<Written> {
        let old = integration.clone();
        self.call("dynamodb:TransactWriteItems integration", move |state, now| {
            let written = state.table.replace_integration(&old, None, now);
            if written == Written::Done {
                state.witness.deleted(&old.id);
                let about =
                    About { integration: Some(state.witness.number(&old.id)), ..About::default() };
                state.note(now, about, || format!("integration {} deleted", old.id));
            }
            written
        })
        .await
    }
}

impl State {
    /// An integration was written: its endpoint is its own.
    fn know(&mut self, integration: &Integration, now: i64) {
        let number = self.witness.number(&integration.id);
        let url = &integration.url;
        if let Some(host) = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()) {
            self.hosts.insert(host.to_owned(), (integration.id.clone(), integration.preset));
        }
        let about = About { integration: Some(number), ..About::default() };
        self.note(now, about, || {
            let Integration { id, version, enabled, environments, max_events, .. } = integration;
            format!(
                "integration {number} is {id} version {version}: enabled {enabled}, environments \
                 {environments:?}, at most {max_events} events"
            )
        });
    }
}

impl Services for Port {
    type Clock = Self;
    type Random = Self;
    type Queues = Self;
    type Store = Self;
    type Objects = Self;

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
}

impl Ports for Port {
    type Sender = Self;

    fn sender(&self) -> &Self {
        self
    }
}
