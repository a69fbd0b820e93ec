//! Ports that do nothing, and as little as they can.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use flagpost_domain::{
    attempt_log::Record,
    breaker::Breaker,
    health::{Health, Pause},
    id::{IntegrationId, ProjectId},
    integration::{Environment, Integration},
    ledger::Counts,
    notice::Notice,
    ports::{
        Answer, AttemptRange, AttemptStore, Claim, Clock, EventHash, Found, HealthStore, KeyGrant,
        KeyHash, LedgerStore, Listed, Notices, Objects, Outgoing, PortError, PortResult, Ports,
        Queue, Queues, Random, Registry, Request, Seen, Sender, Sent, Services, Timer,
    },
    time::{Timestamp, millis},
};

use crate::product::{ENVIRONMENT, PROJECT};

/// The only key that is valid; [`Store`] knows any.
pub(crate) const KEY: &str = "fpk_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What a use case asks for that should ask for nothing of the kind.
fn unexpected<T>(call: &'static str) -> PortResult<T> {
    Err(PortError::Failed { call, reason: "the benchmark did not expect this".to_owned() })
}

/// The wall clock, as in production.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "reading it is part of what is measured")]
    fn now(&self) -> Timestamp {
        Timestamp(millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
    }

    #[expect(clippy::disallowed_methods, reason = "a bound is set as in production")]
    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// Different each time, and no more is asked of it here.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Random for Counter {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0x5A; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        bytes
    }
}

/// A queue that takes everything, and what it took.
#[derive(Debug, Default)]
pub(crate) struct Texts(Mutex<Vec<String>>);

impl Texts {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Queues for &Texts {
    async fn send_batch(&self, _: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.extend(batch.iter().map(|message| message.body.clone()));
        batch.iter().map(|_| Ok(())).collect()
    }

    async fn hide(&self, _: Queue, _: &str, _: Duration) -> PortResult<()> {
        unexpected("hide")
    }

    async fn bury(&self, _: Queue, _: &str, _: &str) -> PortResult<()> {
        unexpected("bury")
    }
}

/// Queues that nothing should be sent to: all goes well here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoQueues;

impl Queues for NoQueues {
    async fn send_batch(&self, _: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        batch.iter().map(|_| unexpected("send_batch")).collect()
    }

    async fn hide(&self, _: Queue, _: &str, _: Duration) -> PortResult<()> {
        unexpected("hide")
    }

    async fn bury(&self, _: Queue, _: &str, _: &str) -> PortResult<()> {
        unexpected("bury")
    }
}

/// Some integrations, all well; every key is valid.
#[derive(Debug)]
pub(crate) struct Store {
    integrations: Vec<Integration>,
}

impl Store {
    pub(crate) fn with(integrations: Vec<Integration>) -> Self {
        Self { integrations }
    }
}

impl Seen for Store {
    async fn claim(
        &self,
        _: &EventHash,
        _: Timestamp,
        _: Timestamp,
        _: Timestamp,
    ) -> PortResult<Claim> {
        unexpected("claim")
    }

    async fn confirm(&self, _: &EventHash, _: Timestamp) -> PortResult<()> {
        unexpected("confirm")
    }

    async fn release(&self, _: &EventHash, _: Timestamp) -> PortResult<()> {
        unexpected("release")
    }
}

impl Registry for Store {
    async fn key(&self, _: &KeyHash) -> PortResult<Option<KeyGrant>> {
        Ok(Some(KeyGrant {
            id: "bench".into(),
            project: PROJECT.into(),
            environment: Environment { id: ENVIRONMENT.to_owned(), name: "Production".to_owned() },
            secret: None,
        }))
    }

    async fn integrations(&self, _: &ProjectId) -> PortResult<Vec<Integration>> {
        Ok(self.integrations.clone())
    }

    async fn integration(&self, _: &ProjectId, _: &IntegrationId) -> PortResult<Found> {
        unexpected("integration")
    }
}

impl HealthStore for Store {
    async fn unwell(&self) -> PortResult<Vec<Health>> {
        Ok(Vec::new())
    }

    async fn health(&self, _: &ProjectId, _: &IntegrationId) -> PortResult<Health> {
        unexpected("health")
    }

    async fn swap_breaker(&self, _: &Health, _: &Breaker, _: bool) -> PortResult<bool> {
        unexpected("swap_breaker")
    }

    async fn set_pause(
        &self,
        _: &ProjectId,
        _: &IntegrationId,
        _: Option<&Pause>,
    ) -> PortResult<bool> {
        unexpected("set_pause")
    }

    async fn mark_backlog(
        &self,
        _: &ProjectId,
        _: &IntegrationId,
        _: Timestamp,
    ) -> PortResult<Option<u64>> {
        unexpected("mark_backlog")
    }

    async fn set_timer(
        &self,
        _: &IntegrationId,
        _: u64,
        _: Timestamp,
        _: Option<&str>,
    ) -> PortResult<Option<u64>> {
        unexpected("set_timer")
    }

    async fn take_lease(
        &self,
        _: &ProjectId,
        _: &IntegrationId,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> PortResult<bool> {
        unexpected("take_lease")
    }

    async fn release_lease(&self, _: &IntegrationId, _: &str) -> PortResult<bool> {
        unexpected("release_lease")
    }

    async fn finish(&self, _: &IntegrationId, _: &str, _: u64) -> PortResult<bool> {
        unexpected("finish")
    }

    async fn mark_told(&self, _: &IntegrationId, _: Timestamp) -> PortResult<bool> {
        unexpected("mark_told")
    }

    async fn overdue(&self, _: Timestamp) -> PortResult<Vec<Timer>> {
        unexpected("overdue")
    }
}

impl Notices for Store {
    async fn publish(&self, _: &[Notice]) -> PortResult<()> {
        unexpected("publish")
    }
}

impl AttemptStore for Store {
    async fn add_attempts(&self, _: &[Record], _: Timestamp) -> PortResult<()> {
        Ok(())
    }

    async fn attempts(&self, _: &IntegrationId, _: &AttemptRange) -> PortResult<Vec<Record>> {
        Ok(Vec::new())
    }
}

impl LedgerStore for Store {
    async fn add_counts(&self, _: &IntegrationId, _: &str, _: &Counts) -> PortResult<()> {
        Ok(())
    }

    async fn counts(&self, _: &IntegrationId) -> PortResult<Vec<(String, Counts)>> {
        unexpected("counts")
    }
}

/// A bucket that nothing should be put into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoObjects;

impl Objects for NoObjects {
    async fn put(&self, _: &str, _: Bytes) -> PortResult<()> {
        unexpected("put")
    }

    async fn get(&self, _: &str) -> PortResult<Option<Bytes>> {
        unexpected("get")
    }

    async fn delete(&self, _: &str) -> PortResult<()> {
        unexpected("delete")
    }

    async fn list(&self, _: &str, _: Option<&str>) -> PortResult<Vec<Listed>> {
        unexpected("list")
    }
}

/// An endpoint that answers 200 at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    requests: Arc<AtomicUsize>,
    sent: Option<Arc<Mutex<Vec<Request>>>>,
}

impl Endpoint {
    /// One that keeps what it is sent.
    pub(crate) fn keeping() -> Self {
        Self { sent: Some(Arc::default()), ..Self::default() }
    }

    /// How many requests it had.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// What it was sent.
    pub(crate) fn sent(&self) -> Vec<Request> {
        let sent = self.sent.iter();
        sent.flat_map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }
}

impl Sender for Endpoint {
    async fn send(&self, request: Request) -> Sent {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = std::hint::black_box(request);
        if let Some(sent) = &self.sent {
            sent.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        }
        Sent {
            answer: Ok(Answer { status: 200, retry_after: None, body: Bytes::new() }),
            took: Duration::from_millis(20),
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Idle {
    random: Counter,
    store: Store,
    endpoint: Endpoint,
}

impl Idle {
    pub(crate) fn new(store: Store, endpoint: Endpoint) -> Self {
        Self { random: Counter::default(), store, endpoint }
    }
}

impl Services for Idle {
    type Clock = WallClock;
    type Random = Counter;
    type Queues = NoQueues;
    type Store = Store;
    type Objects = NoObjects;
    type Notices = Store;

    fn clock(&self) -> &WallClock {
        &WallClock
    }

    fn random(&self) -> &Counter {
        &self.random
    }

    fn queues(&self) -> &NoQueues {
        &NoQueues
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn objects(&self) -> &NoObjects {
        &NoObjects
    }

    fn notices(&self) -> &Store {
        &self.store
    }
}

impl Ports for Idle {
    type Sender = Endpoint;

    fn sender(&self) -> &Endpoint {
        &self.endpoint
    }
}
