//! The outside world in memory, for unit tests: every port, a clock that moves when somebody
//! sleeps, and endpoints that answer as a test says.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use crate::{
    attempt_log::Record,
    breaker::{self, Breaker},
    delivery::{Delivery, Provenance},
    destination::Allowed,
    event::Event,
    gzip::gunzip,
    health::{Health, Lease, Pause},
    id::{IntegrationId, ProjectId},
    integration::{Environment, Integration, Own, Stream},
    ledger::Counts,
    notice::Notice,
    ports::*,
    preset::Preset,
    retry::Schedule,
    time::Timestamp,
};

pub(crate) const START: Timestamp = Timestamp(1_795_237_200_000);

pub(crate) fn integration(id: &str) -> Integration {
    Integration {
        id: id.into(),
        project: "web".into(),
        name: id.to_owned(),
        url: format!("https://{id}.example.com/hook"),
        stream: Stream::Impressions,
        preset: Preset::Split,
        environments: vec![],
        enabled: true,
        max_events: 500,
        max_bytes: 1024 * 1024,
        own: Own::default(),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn environment() -> Environment {
    Environment { id: "prod".into(), name: "Production".into() }
}

pub(crate) fn delivery(id: &str, events: usize) -> Delivery {
    Delivery {
        id: id.into(),
        project: "web".into(),
        integration: "i".into(),
        began: START,
        events: (0..events).map(|n| Event::from_object(format!("{{\"n\":{n}}}"))).collect(),
        numbers: vec![],
        rest: false,
        provenance: Provenance::default(),
    }
}

pub(crate) fn policy() -> crate::batch::Policy {
    crate::batch::Policy {
        schedule: Schedule::default(),
        breaker: breaker::Policy::default(),
        allowed: Allowed::default(),
        keep_attempts: Duration::from_hours(7 * 24),
        old_backlog: Duration::from_hours(1),
    }
}

/// A request as an endpoint saw it.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) at: Timestamp,
    pub(crate) host: String,
    pub(crate) id: String,
    pub(crate) gzipped: bool,
    pub(crate) headers: Headers,
    pub(crate) events: Vec<String>,
}

/// How an endpoint answers.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Status(u16),
    RetryAfter(u16, u64),
    Hang,
    /// No answer, and nobody gives up waiting for it: for callers who have patience only.
    Never,
    /// A status after a time.
    Slow(u16, u64),
    /// 413 for more events than this, else 200.
    AtMost(usize),
    /// 500 for deliveries whose id begins so, else 200.
    Poison(String),
    /// This status for requests with an event that holds this, else 200.
    PoisonEvent(u16, String),
}

/// Something that happens meanwhile.
pub(crate) type Happening = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sent: BTreeMap<&'static str, Vec<Outgoing>>,
    pub(crate) hidden: Vec<(Queue, String, Duration)>,
    pub(crate) buried: Vec<(Queue, String, String)>,
    pub(crate) keys: BTreeMap<String, KeyGrant>,
    /// Until when an event is claimed, `None` when it is confirmed; and when it expires.
    pub(crate) seen: BTreeMap<EventHash, (Option<Timestamp>, Timestamp)>,
    pub(crate) integrations: Vec<Integration>,
    pub(crate) tombstones: Vec<IntegrationId>,
    pub(crate) health: BTreeMap<IntegrationId, (Health, bool)>,
    pub(crate) ledger: BTreeMap<(IntegrationId, String), Counts>,
    pub(crate) objects: BTreeMap<String, (Timestamp, Bytes)>,
    pub(crate) attempts: Vec<Record>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) got: Vec<Got>,
    pub(crate) replies: BTreeMap<String, Reply>,
    /// Replies of the next requests, before `replies`.
    pub(crate) script: VecDeque<Reply>,
    /// Calls that fail, by name, as often as said.
    pub(crate) broken: BTreeMap<&'static str, usize>,
    pub(crate) calls: BTreeMap<&'static str, usize>,
    /// How long after it came an answer is looked at.
    pub(crate) looked_at_late_by: Duration,
    /// How long a reading of the index takes.
    pub(crate) unwell_takes: Duration,
    /// Runs after the next listing that finds nothing.
    pub(crate) after_empty_listing: Option<Happening>,
    /// Runs before the next request is answered.
    pub(crate) before_answer: Option<Happening>,
    /// Runs before the next lease is taken.
    pub(crate) before_lease: Option<Happening>,
}

#[derive(Default)]
pub(crate) struct World {
    now: Mutex<i64>,
    chance: AtomicU64,
    state: Mutex<State>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { now: Mutex::new(START.0), ..Self::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp(*self.now.lock().unwrap())
    }

    pub(crate) fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += crate::time::millis(time);
    }

    pub(crate) fn with(integrations: Vec<Integration>) -> Self {
        let world = Self::new();
        world.state().integrations = integrations;
        world
    }

    pub(crate) fn reply(&self, id: &str, reply: Reply) {
        self.state().replies.insert(format!("{id}.example.com"), reply);
    }

    pub(crate) fn fail(&self, call: &'static str, times: usize) {
        self.state().broken.insert(call, times);
    }

    pub(crate) fn counts(&self, id: &str) -> Counts {
        let mut total = Counts::default();
        for ((of, _), counts) in &self.state().ledger {
            if of.as_str() == id {
                total += *counts;
            }
        }
        total
    }

    pub(crate) fn health_of(&self, id: &str) -> Health {
        self.state().health[&id.into()].0.clone()
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.state().objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub(crate) fn sent(&self, queue: Queue) -> Vec<Outgoing> {
        self.state().sent.get(name(queue)).cloned().unwrap_or_default()
    }

    pub(crate) fn take(&self, queue: Queue) -> Vec<Outgoing> {
        self.state().sent.remove(name(queue)).unwrap_or_default()
    }

    fn call(&self, call: &'static str) -> PortResult<MutexGuard<'_, State>> {
        let mut state = self.state();
        *state.calls.entry(call).or_default() += 1;
        if let Some(times) = state.broken.get_mut(call)
            && *times > 0
        {
            *times -= 1;
            return Err(PortError::Throttled { call, reason: "as the test wants".into() });
        }
        Ok(state)
    }
}

fn name(queue: Queue) -> &'static str {
    match queue {
        Queue::Events => "events",
        Queue::Retry => "retry",
        Queue::Wake => "wake",
    }
}

impl Clock for &World {
    fn now(&self) -> Timestamp {
        self.time()
    }

    async fn sleep(&self, wait: Duration) {
        // What takes no time in this world comes before what takes some.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
        self.pass(wait);
    }
}

impl Random for &World {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0x80; 32];
        let n = self.chance.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes[2..10].copy_from_slice(&n);
        bytes
    }
}

impl Queues for &World {
    async fn send_batch(&self, queue: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        assert!(!batch.is_empty() && batch.len() <= BATCH_ENTRIES);
        assert!(batch.iter().map(|message| message.body.len()).sum::<usize>() <= BATCH_BYTES);
        assert!(batch.iter().all(|message| message.delay <= DELAY_MAX));
        batch
            .iter()
            .map(|message| {
                let mut state = self.call("send")?;
                state.sent.entry(name(queue)).or_default().push(message.clone());
                Ok(())
            })
            .collect()
    }

    async fn hide(&self, queue: Queue, receipt: &str, wait: Duration) -> PortResult<()> {
        assert!(wait <= VISIBILITY_MAX);
        self.call("hide")?.hidden.push((queue, receipt.to_owned(), wait));
        Ok(())
    }

    async fn bury(&self, queue: Queue, body: &str, reason: &str) -> PortResult<()> {
        self.call("bury")?.buried.push((queue, body.to_owned(), reason.to_owned()));
        Ok(())
    }
}

impl Registry for &World {
    async fn key(&self, hash: &KeyHash) -> PortResult<Option<KeyGrant>> {
        Ok(self.call("key")?.keys.get(hash).cloned())
    }

    async fn integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        let state = self.call("integrations")?;
        Ok(state.integrations.iter().filter(|one| one.project == *project).cloned().collect())
    }

    async fn integration(&self, _: &ProjectId, id: &IntegrationId) -> PortResult<Found> {
        let state = self.call("integration")?;
        if state.tombstones.contains(id) {
            return Ok(Found::Deleted);
        }
        Ok(state
            .integrations
            .iter()
            .find(|one| one.id == *id)
            .map_or(Found::Unknown, |one| Found::Present(Box::new(one.clone()))))
    }
}

impl Seen for &World {
    async fn claim(
        &self,
        event: &EventHash,
        now: Timestamp,
        until: Timestamp,
        expires: Timestamp,
    ) -> PortResult<Claim> {
        let mut state = self.call("claim")?;
        let claim = match state.seen.get(event) {
            Some((_, gone)) if *gone <= now => Claim::Taken,
            Some((Some(held), _)) if *held <= now => Claim::Taken,
            Some((Some(_), _)) => Claim::Held,
            Some((None, _)) => Claim::Seen,
            None => Claim::Taken,
        };
        if claim == Claim::Taken {
            state.seen.insert(event.clone(), (Some(until), expires));
        }
        Ok(claim)
    }

    async fn confirm(&self, event: &EventHash, expires: Timestamp) -> PortResult<()> {
        self.call("confirm")?.seen.insert(event.clone(), (None, expires));
        Ok(())
    }

    async fn release(&self, event: &EventHash, until: Timestamp) -> PortResult<()> {
        let mut state = self.call("release")?;
        if state.seen.get(event).is_some_and(|(held, _)| *held == Some(until)) {
            state.seen.remove(event);
        }
        Ok(())
    }
}

impl World {
    fn change<T>(
        &self,
        call: &'static str,
        id: &IntegrationId,
        change: impl FnOnce(&mut (Health, bool)) -> T,
    ) -> PortResult<T> {
        let mut state = self.call(call)?;
        let item = state
            .health
            .entry(id.clone())
            .or_insert_with(|| (Health::new("web".into(), id.clone()), false));
        Ok(change(item))
    }
}

impl HealthStore for &World {
    async fn unwell(&self) -> PortResult<Vec<Health>> {
        // An answer takes its time, in which the other lanes go on.
        tokio::task::yield_now().await;
        let takes = self.state().unwell_takes;
        self.pass(takes);
        let state = self.call("unwell")?;
        Ok(state.health.values().filter(|(_, unwell)| *unwell).map(|(h, _)| h.clone()).collect())
    }

    async fn health(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Health> {
        let state = self.call("health")?;
        let known = state.health.get(id).map(|(health, _)| health.clone());
        Ok(known.unwrap_or_else(|| Health::new(project.clone(), id.clone())))
    }

    async fn swap_breaker(
        &self,
        health: &Health,
        breaker: &Breaker,
        calm: bool,
    ) -> PortResult<bool> {
        self.change("swap_breaker", &health.integration, |(stored, unwell)| {
            if stored.breaker_version != health.breaker_version || (calm && stored.pause.is_some())
            {
                return false;
            }
            stored.breaker = breaker.clone();
            stored.breaker_version += 1;
            *unwell = !calm;
            true
        })
    }

    async fn set_pause(
        &self,
        _: &ProjectId,
        id: &IntegrationId,
        pause: Option<&Pause>,
    ) -> PortResult<bool> {
        self.change("set_pause", id, |(health, unwell)| {
            let changed = health.pause.is_some() != pause.is_some();
            health.pause = pause.cloned();
            *unwell = true;
            changed
        })
    }

    async fn mark_backlog(
        &self,
        _: &ProjectId,
        id: &IntegrationId,
        wake_at: Timestamp,
    ) -> PortResult<Option<u64>> {
        self.change("mark_backlog", id, |(health, _)| {
            health.backlog_gen += 1;
            let later = |due: Timestamp| due > wake_at && health.lease.is_none();
            if health.next_wake_at.is_some_and(|due| !later(due)) {
                return None;
            }
            health.next_wake_at = Some(wake_at);
            health.wake_gen += 1;
            Some(health.wake_gen)
        })
    }

    async fn set_timer(
        &self,
        id: &IntegrationId,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> PortResult<Option<u64>> {
        self.change("set_timer", id, |(health, _)| {
            let held = |owner| health.lease.as_ref().is_some_and(|lease| lease.owner == owner);
            if health.wake_gen != expected || owner.is_some_and(|owner| !held(owner)) {
                return None;
            }
            if owner.is_some() {
                health.lease = None;
            }
            health.next_wake_at = Some(wake_at);
            health.wake_gen += 1;
            Some(health.wake_gen)
        })
    }

    async fn take_lease(
        &self,
        _: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        let happen = self.state().before_lease.take();
        if let Some(happen) = happen {
            happen(&mut self.state());
        }
        self.change("take_lease", id, |(health, _)| {
            let free = health.lease.as_ref().is_none_or(|l| l.until <= now || l.owner == owner);
            if free {
                health.lease = Some(Lease { owner: owner.to_owned(), until });
            }
            free
        })
    }

    async fn release_lease(&self, id: &IntegrationId, owner: &str) -> PortResult<bool> {
        self.change("release_lease", id, |(health, _)| {
            let held = health.lease.as_ref().is_some_and(|lease| lease.owner == owner);
            if held {
                health.lease = None;
            }
            held
        })
    }

    async fn finish(&self, id: &IntegrationId, owner: &str, backlog_gen: u64) -> PortResult<bool> {
        self.change("finish", id, |(health, _)| {
            let held = health.lease.as_ref().is_some_and(|lease| lease.owner == owner);
            if !held || health.backlog_gen != backlog_gen {
                return false;
            }
            health.lease = None;
            health.next_wake_at = None;
            health.told_old_at = None;
            true
        })
    }

    async fn mark_told(&self, id: &IntegrationId, at: Timestamp) -> PortResult<bool> {
        self.change("mark_told", id, |(health, _)| {
            let new = health.told_old_at.is_none() && health.next_wake_at.is_some();
            if new {
                health.told_old_at = Some(at);
            }
            new
        })
    }

    async fn overdue(&self, before: Timestamp) -> PortResult<Vec<Timer>> {
        let state = self.call("overdue")?;
        let timers = state.health.values().filter_map(|(health, _)| {
            let due = health.next_wake_at.filter(|due| *due < before)?;
            Some(Timer { health: health.clone(), due })
        });
        Ok(timers.collect())
    }
}

impl LedgerStore for &World {
    async fn add_counts(&self, id: &IntegrationId, hour: &str, counts: &Counts) -> PortResult<()> {
        let mut state = self.call("add_counts")?;
        *state.ledger.entry((id.clone(), hour.to_owned())).or_default() += *counts;
        Ok(())
    }

    async fn counts(&self, id: &IntegrationId) -> PortResult<Vec<(String, Counts)>> {
        let state = self.call("counts")?;
        let of_id = state.ledger.iter().filter(|((of, _), _)| of == id);
        Ok(of_id.map(|((_, hour), counts)| (hour.clone(), *counts)).collect())
    }
}

impl AttemptStore for &World {
    async fn add_attempts(&self, records: &[Record], _: Timestamp) -> PortResult<()> {
        self.call("add_attempts")?.attempts.extend(records.iter().cloned());
        Ok(())
    }

    async fn attempts(&self, id: &IntegrationId, range: &AttemptRange) -> PortResult<Vec<Record>> {
        let state = self.call("attempts")?;
        Ok(range.of(state.attempts.iter().filter(|record| record.integration == *id)))
    }
}

impl Objects for &World {
    async fn put(&self, key: &str, body: Bytes) -> PortResult<()> {
        let now = self.time();
        self.call("put")?.objects.insert(key.to_owned(), (now, body));
        Ok(())
    }

    async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        Ok(self.call("get")?.objects.get(key).map(|(_, body)| body.clone()))
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        self.call("delete")?.objects.remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        let mut state = self.call("list")?;
        let page: Vec<_> = state
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|a| key.as_str() > a))
            .take(1_000)
            .map(|(key, (modified, _))| Listed { key: key.clone(), modified: *modified })
            .collect();
        if page.is_empty()
            && let Some(happen) = state.after_empty_listing.take()
        {
            happen(&mut state);
        }
        Ok(page)
    }
}

impl Notices for &World {
    async fn publish(&self, notices: &[Notice]) -> PortResult<()> {
        self.call("publish")?.notices.extend(notices.iter().cloned());
        Ok(())
    }
}

impl Sender for &World {
    async fn send(&self, request: Request) -> Sent {
        let began = self.time();
        let host = request.to.host().to_owned();
        let never = {
            let state = self.state();
            state.script.is_empty() && matches!(state.replies.get(&host), Some(Reply::Never))
        };
        let answer = self.answer(&request);
        if never {
            return std::future::pending().await;
        }
        let took = self.time().since(began);
        let late = self.state().looked_at_late_by;
        self.pass(late);
        Sent { answer, took }
    }
}

impl World {
    fn answer(&self, request: &Request) -> Result<Answer, SendError> {
        let at = self.time();
        let plain = if request.gzipped {
            gunzip(&request.body, 64 * 1024 * 1024).unwrap().into()
        } else {
            request.body.clone()
        };
        let events = match plain.first() {
            Some(b'[') => crate::event::split(&plain).unwrap(),
            _ => plain
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| Event::from_object(line.to_vec()))
                .collect(),
        };
        let host = request.to.host().to_owned();
        let mut state = self.state();
        if let Some(happen) = state.before_answer.take() {
            happen(&mut state);
        }
        let reply = state.script.pop_front();
        let reply =
            reply.or_else(|| state.replies.get(&host).cloned()).unwrap_or(Reply::Status(200));
        state.got.push(Got {
            at,
            host,
            id: request.id.clone(),
            gzipped: request.gzipped,
            headers: request.headers.clone(),
            events: events
                .iter()
                .map(|e| String::from_utf8(e.as_bytes().to_vec()).unwrap())
                .collect(),
        });
        drop(state);
        let answer = |status, retry_after| Ok(Answer { status, retry_after, body: Bytes::new() });
        self.pass(Duration::from_millis(20));
        match reply {
            Reply::Status(status) => answer(status, None),
            Reply::Never => answer(200, None),
            Reply::RetryAfter(status, seconds) => answer(status, Some(seconds.to_string())),
            Reply::Slow(status, ms) => {
                self.pass(Duration::from_millis(ms));
                answer(status, None)
            }
            Reply::Hang => {
                self.pass(Duration::from_secs(10));
                Err(SendError::Timeout)
            }
            Reply::AtMost(most) => answer(if events.len() > most { 413 } else { 200 }, None),
            Reply::PoisonEvent(status, text) => {
                let poisoned = String::from_utf8_lossy(&plain).contains(&text);
                answer(if poisoned { status } else { 200 }, None)
            }
            Reply::Poison(id) => answer(if request.id.starts_with(&id) { 500 } else { 200 }, None),
        }
    }
}

impl Services for &World {
    type Clock = Self;
    type Random = Self;
    type Queues = Self;
    type Store = Self;
    type Objects = Self;
    type Notices = Self;

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
    fn notices(&self) -> &Self {
        self
    }
}

impl Ports for &World {
    type Sender = Self;

    fn sender(&self) -> &Self {
        self
    }
}
