//! Every port of the operator's API in memory, with faults to order.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    attempt_log::Record,
    breaker::Breaker,
    health::{Health, Pause},
    id::{AdminKeyId, IntegrationId, KeyId, ProjectId},
    integration::{Integration, Own, Stream},
    ledger::Counts,
    notice::Notice,
    page::{Page, Part},
    ports::{
        AdminKey, AdminStore, Answer, AttemptRange, AttemptStore, Clock, Found, HealthStore,
        KeyGrant, KeyHash, KeyListing, LedgerStore, Listed, Notices, Objects, Once, Outgoing,
        PortError, PortResult, Ports, Project, Queue, Queues, Random, Registry, Remembered,
        Request, SendError, Sender, Sent, Services, Timer, Written,
    },
    time::Timestamp,
};

/// What the API must not call.
fn unused() -> ! {
    panic!("the operator's API has no use for this")
}

/// The calls that write nothing.
const READS: [&str; 9] = [
    "list",
    "counts",
    "attempts",
    "integration",
    "health",
    "project",
    "projects",
    "keys",
    "list_integrations",
];

/// What is stored, open to tests.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) now: i64,
    pub(super) chance: u8,
    pub(super) projects: BTreeMap<ProjectId, Project>,
    pub(super) keys: BTreeMap<KeyHash, KeyListing>,
    pub(super) admin_keys: BTreeMap<KeyHash, AdminKey>,
    /// What is remembered under idempotency keys, and until when.
    pub(super) remembered: BTreeMap<String, (Remembered, Timestamp)>,
    /// The creation that the next write completes is completed by somebody else just before.
    pub(super) twin: bool,
    /// Every call of a port, by its method's name.
    pub(super) calls: Vec<&'static str>,
    /// `None` is a tombstone.
    pub(super) integrations: BTreeMap<(ProjectId, IntegrationId), Option<Integration>>,
    pub(super) health: BTreeMap<IntegrationId, Health>,
    pub(super) counts: Vec<(String, Counts)>,
    pub(super) objects: Vec<String>,
    /// When objects were written, by their key; zero for those that are not in it.
    pub(super) written: BTreeMap<String, Timestamp>,
    pub(super) attempts: Vec<Record>,
    pub(super) notices: Vec<Notice>,
    /// Messages of operational events.
    pub(super) told: Vec<Outgoing>,
    pub(super) sent: Vec<Outgoing>,
    /// What endpoints answer, one request after the other; 200 when there is no more.
    pub(super) answers: VecDeque<Result<Answer, SendError>>,
    /// What endpoints were sent.
    pub(super) requests: Vec<Request>,
    /// Whether a write is one too many.
    pub(super) reads_only: bool,
    /// Calls that fail, by their method's name.
    pub(super) failing: HashSet<&'static str>,
    /// So many conditional writes are overtaken by somebody else's.
    pub(super) overtaken: usize,
    /// How many pages were listed.
    pub(super) pages: usize,
}

#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Inner>>);

/// An integration with every setting at its default.
pub(super) fn integration() -> Integration {
    Integration {
        id: "i1".into(),
        project: "shop".into(),
        name: "Warehouse".into(),
        url: "https://example.com/hook".into(),
        stream: Stream::Impressions,
        preset: crate::preset::Preset::Split,
        environments: Vec::new(),
        enabled: true,
        own: Own::default(),
        max_events: 500,
        max_bytes: 1_048_576,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
        version: 1,
    }
}

impl Memory {
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn call(&self, name: &'static str) -> PortResult<MutexGuard<'_, Inner>> {
        let mut inner = self.inner();
        if inner.reads_only && !READS.contains(&name) {
            unused()
        }
        inner.calls.push(name);
        if inner.failing.contains(name) {
            return Err(PortError::Throttled { call: name, reason: "on purpose".into() });
        }
        Ok(inner)
    }
}

impl Inner {
    fn overtake(&mut self) -> bool {
        let overtaken = self.overtaken > 0;
        self.overtaken = self.overtaken.saturating_sub(1);
        overtaken
    }

    /// Marks a creation as made: whether it still was to be.
    fn complete(&mut self, once: Option<&Once>) -> bool {
        let Some(once) = once else { return true };
        let twin = std::mem::take(&mut self.twin);
        let (remembered, _) = self.remembered.get_mut(&once.name).unwrap();
        let open = !remembered.done && !twin && remembered.salt == once.salt;
        remembered.done |= open || twin;
        open
    }

    /// The end of a creation whose name is taken: the condition on the creation itself comes first.
    fn refused(&mut self, once: Option<&Once>) -> Written {
        let twin = std::mem::take(&mut self.twin);
        let Some(once) = once else { return Written::Taken };
        let (remembered, _) = self.remembered.get_mut(&once.name).unwrap();
        remembered.done |= twin;
        if remembered.done { Written::Repeated } else { Written::Taken }
    }

    /// Whether something would be left behind if the project were deleted.
    fn holds(&self, project: &ProjectId) -> bool {
        !self.present(project).is_empty()
            || self.keys.values().any(|key| key.grant.project == *project)
            || self.admin_keys.values().any(|key| key.project == *project)
    }

    fn present(&self, project: &ProjectId) -> Vec<Integration> {
        let all = self.integrations.iter().filter(|((owner, _), _)| owner == project);
        let mut present: Vec<_> = all.filter_map(|(_, found)| found.clone()).collect();
        present.sort_by(|a, b| a.name.cmp(&b.name));
        present
    }

    fn write(&mut self, old: &Integration, new: Option<Integration>) -> Written {
        let key = (old.project.clone(), old.id.clone());
        let overtaken = self.overtake();
        let Some(Some(present)) = self.integrations.get_mut(&key) else { return Written::Stale };
        if overtaken {
            present.version += 1;
        }
        if present.version != old.version {
            return Written::Stale;
        }
        if let Some(new) = &new
            && self.present(&old.project).iter().any(|i| i.name == new.name && i.id != new.id)
        {
            return Written::Taken;
        }
        self.integrations.insert(key, new);
        Written::Done
    }
}

impl Services for Memory {
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

impl Ports for Memory {
    type Sender = Self;

    fn sender(&self) -> &Self {
        self
    }
}

impl Sender for Memory {
    async fn send(&self, request: Request) -> Sent {
        let mut inner = self.inner();
        inner.requests.push(request);
        inner.now += 20;
        let fine = || Ok(Answer { status: 200, retry_after: None, body: Bytes::new() });
        let answer = inner.answers.pop_front().unwrap_or_else(fine);
        Sent { answer, took: Duration::from_millis(20) }
    }
}

impl Clock for Memory {
    fn now(&self) -> Timestamp {
        Timestamp(self.inner().now)
    }
    async fn sleep(&self, _: Duration) {
        unused()
    }
}

impl Random for Memory {
    fn bytes(&self) -> [u8; 32] {
        let mut inner = self.inner();
        inner.chance += 1;
        [inner.chance; 32]
    }
}

impl Queues for Memory {
    async fn send_batch(&self, queue: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        match (self.call("send_batch"), queue) {
            (Ok(mut inner), Queue::Wake) => inner.sent.extend(batch.iter().cloned()),
            (Ok(mut inner), Queue::Events) => inner.told.extend(batch.iter().cloned()),
            (Ok(_), Queue::Retry) => unused(),
            (Err(error), _) => return vec![Err(error)],
        }
        vec![Ok(())]
    }
    async fn hide(&self, _: Queue, _: &str, _: Duration) -> PortResult<()> {
        unused()
    }
    async fn bury(&self, _: Queue, _: &str, _: &str) -> PortResult<()> {
        unused()
    }
}

impl Notices for Memory {
    async fn publish(&self, notices: &[Notice]) -> PortResult<()> {
        self.call("publish")?.notices.extend(notices.iter().cloned());
        Ok(())
    }
}

impl Objects for Memory {
    async fn put(&self, _: &str, _: Bytes) -> PortResult<()> {
        unused()
    }
    async fn get(&self, _: &str) -> PortResult<Option<Bytes>> {
        unused()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unused()
    }
    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        let mut inner = self.call("list")?;
        inner.pages += 1;
        inner.objects.sort();
        let from = after.map_or(0, |after| inner.objects.partition_point(|k| k.as_str() <= after));
        let keys = inner.objects[from..].iter().filter(|key| key.starts_with(prefix));
        let listed = |key: &String| Listed {
            key: key.clone(),
            modified: inner.written.get(key).copied().unwrap_or(Timestamp(0)),
        };
        Ok(keys.take(1000).map(listed).collect())
    }
}

impl LedgerStore for Memory {
    async fn add_counts(&self, _: &IntegrationId, _: &str, _: &Counts) -> PortResult<()> {
        unused()
    }
    async fn counts(&self, _: &IntegrationId) -> PortResult<Vec<(String, Counts)>> {
        Ok(self.call("counts")?.counts.clone())
    }
}

impl AttemptStore for Memory {
    async fn add_attempts(&self, _: &[Record], _: Timestamp) -> PortResult<()> {
        unused()
    }
    async fn attempts(&self, id: &IntegrationId, range: &AttemptRange) -> PortResult<Vec<Record>> {
        let inner = self.call("attempts")?;
        Ok(range.of(inner.attempts.iter().filter(|record| record.integration == *id)))
    }
}

impl Registry for Memory {
    async fn key(&self, _: &KeyHash) -> PortResult<Option<KeyGrant>> {
        unused()
    }
    async fn integrations(&self, _: &ProjectId) -> PortResult<Vec<Integration>> {
        unused()
    }
    async fn integration(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Found> {
        let inner = self.call("integration")?;
        Ok(match inner.integrations.get(&(project.clone(), id.clone())) {
            Some(Some(present)) => Found::Present(Box::new(present.clone())),
            Some(None) => Found::Deleted,
            None => Found::Unknown,
        })
    }
}

impl HealthStore for Memory {
    async fn unwell(&self) -> PortResult<Vec<Health>> {
        unused()
    }
    async fn health(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Health> {
        let inner = self.call("health")?;
        let new = || Health::new(project.clone(), id.clone());
        Ok(inner.health.get(id).cloned().unwrap_or_else(new))
    }
    async fn swap_breaker(&self, _: &Health, _: &Breaker, _: bool) -> PortResult<bool> {
        unused()
    }
    async fn set_pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        pause: Option<&Pause>,
    ) -> PortResult<bool> {
        let mut inner = self.call("set_pause")?;
        let new = || Health::new(project.clone(), id.clone());
        let health = inner.health.entry(id.clone()).or_insert_with(new);
        let changed = health.pause.is_some() != pause.is_some();
        health.pause = pause.cloned();
        Ok(changed)
    }
    async fn mark_backlog(
        &self,
        _: &ProjectId,
        _: &IntegrationId,
        _: Timestamp,
    ) -> PortResult<Option<u64>> {
        unused()
    }
    async fn set_timer(
        &self,
        id: &IntegrationId,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> PortResult<Option<u64>> {
        assert_eq!(owner, None);
        let mut inner = self.call("set_timer")?;
        let overtaken = inner.overtake();
        let health = inner.health.get_mut(id).unwrap();
        if overtaken {
            health.wake_gen += 1;
        }
        if health.wake_gen != expected {
            return Ok(None);
        }
        health.wake_gen += 1;
        health.next_wake_at = Some(wake_at);
        Ok(Some(health.wake_gen))
    }
    async fn take_lease(
        &self,
        _: &ProjectId,
        _: &IntegrationId,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> PortResult<bool> {
        unused()
    }
    async fn release_lease(&self, _: &IntegrationId, _: &str) -> PortResult<bool> {
        unused()
    }
    async fn finish(&self, _: &IntegrationId, _: &str, _: u64) -> PortResult<bool> {
        unused()
    }
    async fn mark_told(&self, _: &IntegrationId, _: Timestamp) -> PortResult<bool> {
        unused()
    }
    async fn overdue(&self, _: Timestamp) -> PortResult<Vec<Timer>> {
        unused()
    }
}

impl AdminStore for Memory {
    async fn remember(
        &self,
        name: &str,
        new: &Remembered,
        expires: Timestamp,
    ) -> PortResult<Option<Remembered>> {
        let mut inner = self.call("remember")?;
        match inner.remembered.get(name) {
            Some((earlier, until)) if *until > new.at => Ok(Some(earlier.clone())),
            _ => {
                inner.remembered.insert(name.to_owned(), (new.clone(), expires));
                Ok(None)
            }
        }
    }
    async fn admin_key(&self, hash: &KeyHash) -> PortResult<Option<AdminKey>> {
        Ok(self.call("admin_key")?.admin_keys.get(hash).cloned())
    }
    async fn create_admin_key(
        &self,
        hash: &KeyHash,
        key: &AdminKey,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let mut inner = self.call("create_admin_key")?;
        if !inner.complete(once) {
            return Ok(Written::Repeated);
        }
        inner.admin_keys.insert(hash.clone(), key.clone());
        Ok(Written::Done)
    }
    async fn admin_keys(&self, part: &Part) -> PortResult<Page<AdminKey>> {
        let mut keys: Vec<_> = self.call("admin_keys")?.admin_keys.values().cloned().collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Page::cut(keys, part, |key| key.id.as_str()))
    }
    async fn delete_admin_key(&self, id: &AdminKeyId) -> PortResult<Written> {
        let mut inner = self.call("delete_admin_key")?;
        let before = inner.admin_keys.len();
        inner.admin_keys.retain(|_, key| key.id != *id);
        Ok(if inner.admin_keys.len() < before { Written::Done } else { Written::Stale })
    }
    async fn create_project(&self, project: &Project, once: Option<&Once>) -> PortResult<Written> {
        let mut inner = self.call("create_project")?;
        // A condition that failed leaves everything as it was.
        if inner.projects.contains_key(&project.id) {
            return Ok(inner.refused(once));
        }
        if !inner.complete(once) {
            return Ok(Written::Repeated);
        }
        inner.projects.insert(project.id.clone(), project.clone());
        Ok(Written::Done)
    }
    async fn project(&self, id: &ProjectId) -> PortResult<Option<Project>> {
        Ok(self.call("project")?.projects.get(id).cloned())
    }
    async fn projects(&self, part: &Part) -> PortResult<Page<Project>> {
        let inner = self.call("projects")?;
        Ok(Page::cut(inner.projects.values().cloned(), part, |project| project.id.as_str()))
    }
    async fn delete_project(&self, id: &ProjectId) -> PortResult<Written> {
        let mut inner = self.call("delete_project")?;
        if inner.holds(id) {
            return Ok(Written::Taken);
        }
        let gone = inner.projects.remove(id);
        Ok(if gone.is_some() { Written::Done } else { Written::Stale })
    }
    async fn create_key(
        &self,
        hash: &KeyHash,
        key: &KeyListing,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let mut inner = self.call("create_key")?;
        if !inner.complete(once) {
            return Ok(Written::Repeated);
        }
        inner.keys.insert(hash.clone(), key.clone());
        Ok(Written::Done)
    }
    async fn keys(&self, project: &ProjectId, part: &Part) -> PortResult<Page<KeyListing>> {
        let inner = self.call("keys")?;
        let mut keys: Vec<_> = inner.keys.values().cloned().collect();
        keys.retain(|key| key.grant.project == *project);
        keys.sort_by(|a, b| a.grant.id.cmp(&b.grant.id));
        Ok(Page::cut(keys, part, |key| key.grant.id.as_str()))
    }
    async fn delete_key(&self, project: &ProjectId, key: &KeyId) -> PortResult<Written> {
        let mut inner = self.call("delete_key")?;
        let before = inner.keys.len();
        inner.keys.retain(|_, k| k.grant.project != *project || k.grant.id != *key);
        Ok(if inner.keys.len() < before { Written::Done } else { Written::Stale })
    }
    async fn list_integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        Ok(self.call("list_integrations")?.present(project))
    }
    async fn create_integration(
        &self,
        new: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let mut inner = self.call("create_integration")?;
        if inner.present(&new.project).iter().any(|present| present.name == new.name) {
            return Ok(inner.refused(once));
        }
        if !inner.complete(once) {
            return Ok(Written::Repeated);
        }
        inner.integrations.insert((new.project.clone(), new.id.clone()), Some(new.clone()));
        Ok(Written::Done)
    }
    async fn replace_integration(
        &self,
        old: &Integration,
        new: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let mut inner = self.call("replace_integration")?;
        if inner.refused(once) == Written::Repeated {
            return Ok(Written::Repeated);
        }
        let written = inner.write(old, Some(new.clone()));
        if written == Written::Done {
            inner.complete(once);
        }
        Ok(written)
    }
    async fn delete_integration(&self, old: &Integration, _: Timestamp) -> PortResult<Written> {
        Ok(self.call("delete_integration")?.write(old, None))
    }
}
