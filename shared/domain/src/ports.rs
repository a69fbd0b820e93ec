//! The outside world as the use cases see it, in the domain's own types.
//!
//! Each trait promises what the service behind it documents, and no more: a simulation may do
//! everything that these promises allow.

use std::{fmt, future::Future, time::Duration};

use bytes::Bytes;

use crate::{
    attempt_log::Record,
    breaker::Breaker,
    destination::Destination,
    health::{Health, Pause},
    id::{AdminKeyId, IntegrationId, KeyId, ProjectId},
    integration::{Environment, Integration},
    ledger::Counts,
    notice::Notice,
    page::{Page, Part},
    secret::Secret,
    time::Timestamp,
};

/// Why a call to an outside system gave no answer. The text never holds a secret or a body.
///
/// A call that failed may have taken effect all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The service asked for fewer calls.
    #[error("{call}: throttled: {reason}")]
    Throttled {
        /// What was called, `sqs:SendMessageBatch`.
        call: &'static str,
        /// The service's code and message.
        reason: String,
    },
    /// Anything else.
    #[error("{call}: {reason}")]
    Failed {
        /// What was called.
        call: &'static str,
        /// The service's code and message.
        reason: String,
    },
}

/// The result of a call to an outside system.
pub type PortResult<T> = Result<T, PortError>;

/// Wall clock and waiting.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send;
}

/// Chance: ids, and the jitter of pauses.
pub trait Random: Send + Sync {
    /// Unpredictable bytes.
    fn bytes(&self) -> [u8; 32];
}

/// The three queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Fresh events.
    Events,
    /// Failed deliveries.
    Retry,
    /// Timers of integrations that are paced.
    Wake,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The text; the message's size is that of its UTF-8 bytes.
    pub body: String,
    /// Hidden for this long at first, at most [`DELAY_MAX`].
    pub delay: Duration,
    /// `MessageGroupId`, for fair queues.
    pub group: Option<String>,
}

/// SQS: the longest delay of a message.
pub const DELAY_MAX: Duration = Duration::from_mins(15);
/// SQS: messages in one `SendMessageBatch`.
pub const BATCH_ENTRIES: usize = 10;
/// SQS: bytes of one message, and of one `SendMessageBatch`.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// SQS: the longest visibility timeout.
pub const VISIBILITY_MAX: Duration = Duration::from_hours(12);

/// SQS standard queues: at least once, in no order.
pub trait Queues: Send + Sync {
    /// One `SendMessageBatch`: at most [`BATCH_ENTRIES`] and [`BATCH_BYTES`]. One result for each
    /// message, in their order; an error of the whole call is one for each.
    fn send_batch(
        &self,
        queue: Queue,
        batch: &[Outgoing],
    ) -> impl Future<Output = Vec<PortResult<()>>> + Send;

    /// `ChangeMessageVisibility`: hides a received message for `wait` from now, at most
    /// [`VISIBILITY_MAX`]; whole seconds, rounded up.
    fn hide(
        &self,
        queue: Queue,
        receipt: &str,
        wait: Duration,
    ) -> impl Future<Output = PortResult<()>> + Send;

    /// Sends a message that no code can read to `queue`'s dead-letter queue, with the reason.
    fn bury(
        &self,
        queue: Queue,
        body: &str,
        reason: &str,
    ) -> impl Future<Output = PortResult<()>> + Send;
}

/// What an ingest key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// The key's public name.
    pub id: KeyId,
    /// Whose events they are.
    pub project: ProjectId,
    /// The environment that is written into each.
    pub environment: Environment,
    /// What must have signed the payloads of a Flagsmith server; any are taken when absent.
    pub secret: Option<Secret>,
}

/// SHA-256 of a key, in lower-case hex. Keys themselves are not stored.
pub type KeyHash = String;

/// What a consistent read of an integration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Present(Box<Integration>),
    /// Its tombstone is there.
    Deleted,
    /// Neither is.
    Unknown,
}

/// Reads of configuration.
pub trait Registry: Send + Sync {
    /// What a key stands for; `None` if it is unknown or revoked.
    fn key(&self, hash: &KeyHash) -> impl Future<Output = PortResult<Option<KeyGrant>>> + Send;
    /// All integrations of a project, tombstones left out. Eventually consistent.
    fn integrations(
        &self,
        project: &ProjectId,
    ) -> impl Future<Output = PortResult<Vec<Integration>>> + Send;
    /// One integration, read consistently.
    fn integration(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
    ) -> impl Future<Output = PortResult<Found>> + Send;
}

/// What makes an event itself, in lower-case hex.
pub type EventHash = String;

/// The end of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody else has it: it is the caller's until the time that was named.
    Taken,
    /// Another request has it under way.
    Held,
    /// It was accepted before.
    Seen,
}

/// Events that were accepted, so that a repeated upload of one is delivered once.
///
/// A claim comes before an event is queued and the confirmation after: a crash between them leaves
/// a claim that ends by itself, and the event can be accepted again.
pub trait Seen: Send + Sync {
    /// Claims an event until `until`, in one conditional write: it succeeds when nothing is known of
    /// the event, what is known has expired by `now`, or another's claim has ended by `now`.
    /// `expires` is when all of it may be forgotten.
    fn claim(
        &self,
        event: &EventHash,
        now: Timestamp,
        until: Timestamp,
        expires: Timestamp,
    ) -> impl Future<Output = PortResult<Claim>> + Send;
    /// Marks an event as accepted, whoever has it.
    fn confirm(
        &self,
        event: &EventHash,
        expires: Timestamp,
    ) -> impl Future<Output = PortResult<()>> + Send;
    /// Ends a claim that was made until `until`, if it is still there.
    fn release(
        &self,
        event: &EventHash,
        until: Timestamp,
    ) -> impl Future<Output = PortResult<()>> + Send;
}

/// A timer as the sparse index of timers has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Whole health item, eventually consistent.
    pub health: Health,
    /// When it was due.
    pub due: Timestamp,
}

/// Health items. Every write is conditional; a `false` or `None` says that the condition failed
/// and nothing was written.
pub trait HealthStore: Send + Sync {
    /// All integrations that are not calm and direct: the sparse index, eventually consistent.
    fn unwell(&self) -> impl Future<Output = PortResult<Vec<Health>>> + Send;
    /// One item, read consistently; a new one if it is absent.
    fn health(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
    ) -> impl Future<Output = PortResult<Health>> + Send;
    /// Replaces the breaker if its version is still `health.breaker_version` and, where `calm`
    /// takes the item out of the sparse index, there is no pause.
    fn swap_breaker(
        &self,
        health: &Health,
        breaker: &Breaker,
        calm: bool,
    ) -> impl Future<Output = PortResult<bool>> + Send;
    /// Sets or lifts the operator's pause: whether that was a change, and not another reason for a
    /// pause that was there. Lifting leaves the item in the sparse index: the next write of its breaker
    /// takes it out.
    fn set_pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        pause: Option<&Pause>,
    ) -> impl Future<Output = PortResult<bool>> + Send;
    /// Something was parked: `backlog_gen + 1` and, where no timer is set, or a later one while
    /// nobody has the lease, the timer at `wake_at` with `wake_gen + 1`, in one write. The new
    /// `wake_gen` if this write set the timer.
    fn mark_backlog(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        wake_at: Timestamp,
    ) -> impl Future<Output = PortResult<Option<u64>>> + Send;
    /// Sets the timer anew with `wake_gen + 1`, if `wake_gen` is still `expected`; where `owner` is
    /// given, also only if it holds the lease, which the same write releases. The new `wake_gen`.
    fn set_timer(
        &self,
        id: &IntegrationId,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> impl Future<Output = PortResult<Option<u64>>> + Send;
    /// Takes the lease for `owner` if it is free at `now` or already `owner`'s; whether it did.
    fn take_lease(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = PortResult<bool>> + Send;
    /// Releases the lease if it is `owner`'s.
    fn release_lease(
        &self,
        id: &IntegrationId,
        owner: &str,
    ) -> impl Future<Output = PortResult<bool>> + Send;
    /// Clears the timer and releases the lease, if `owner` holds it and `backlog_gen` is still
    /// what it was before the listing that found nothing.
    fn finish(
        &self,
        id: &IntegrationId,
        owner: &str,
        backlog_gen: u64,
    ) -> impl Future<Output = PortResult<bool>> + Send;
    /// Notes that it was told of an old backlog, if there is a timer for one, and it was not since the
    /// backlog was last empty: whether this did. [`HealthStore::finish`] forgets it.
    fn mark_told(
        &self,
        id: &IntegrationId,
        at: Timestamp,
    ) -> impl Future<Output = PortResult<bool>> + Send;
    /// Timers due before `before`: the sparse index, eventually consistent.
    fn overdue(&self, before: Timestamp) -> impl Future<Output = PortResult<Vec<Timer>>> + Send;
}

/// The ledger.
pub trait LedgerStore: Send + Sync {
    /// Adds to the counters of one integration and hour (`2026-11-21T05`).
    fn add_counts(
        &self,
        id: &IntegrationId,
        hour: &str,
        counts: &Counts,
    ) -> impl Future<Output = PortResult<()>> + Send;
    /// All hours of one integration, oldest first.
    fn counts(
        &self,
        id: &IntegrationId,
    ) -> impl Future<Output = PortResult<Vec<(String, Counts)>>> + Send;
}

/// Which attempts of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRange {
    /// Not before this.
    pub from: Timestamp,
    /// Before this.
    pub to: Timestamp,
    /// Before the one with this id, where there is one: what a page ended with.
    pub before: Option<String>,
    /// So many at most.
    pub limit: usize,
}

impl AttemptRange {
    /// What of these is within the range: newest first.
    pub fn of<'a>(&self, records: impl Iterator<Item = &'a Record>) -> Vec<Record> {
        let within = |record: &&Record| {
            (self.from..self.to).contains(&record.at)
                && self.before.as_ref().is_none_or(|before| record.id() < *before)
        };
        let mut found: Vec<_> = records.filter(within).cloned().collect();
        found.sort_by_key(|record| std::cmp::Reverse(record.id()));
        found.truncate(self.limit);
        found
    }
}

/// The delivery log.
pub trait AttemptStore: Send + Sync {
    /// Adds records, in as few calls as the service takes, to be kept until `expires`. An error says
    /// that some of them, or all, were not written.
    fn add_attempts(
        &self,
        records: &[Record],
        expires: Timestamp,
    ) -> impl Future<Output = PortResult<()>> + Send;
    /// Attempts of one integration, newest first. Eventually consistent. Fewer than the limit: there
    /// are no more.
    fn attempts(
        &self,
        id: &IntegrationId,
        range: &AttemptRange,
    ) -> impl Future<Output = PortResult<Vec<Record>>> + Send;
}

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// When it was last written, by the store's clock.
    pub modified: Timestamp,
}

/// S3: strongly consistent, listed in key order.
pub trait Objects: Send + Sync {
    /// Writes an object.
    fn put(&self, key: &str, body: Bytes) -> impl Future<Output = PortResult<()>> + Send;
    /// Reads an object; `None` if there is none.
    fn get(&self, key: &str) -> impl Future<Output = PortResult<Option<Bytes>>> + Send;
    /// Deletes an object, if there is one.
    fn delete(&self, key: &str) -> impl Future<Output = PortResult<()>> + Send;
    /// At most 1,000 objects under `prefix`, after the key `after`, in the order of their keys.
    /// An empty page is the end.
    fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = PortResult<Vec<Listed>>> + Send;
}

/// Headers of a request, each name once. The values may be secrets, so `Debug` shows only names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Sets a header, in the place of one with the same name in whatever letters.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value.into()));
    }

    /// Names and values, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a header, its name in whatever letters.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// One request to a customer's endpoint.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where to; checked when it was parsed, and its addresses once more when they are resolved.
    pub to: Destination,
    /// `webhook-id`, for the log.
    pub id: String,
    /// Its headers, but those that HTTP itself needs, and `Content-Encoding`.
    pub headers: Headers,
    /// The body as sent.
    pub body: Bytes,
    /// Whether `body` is compressed with gzip.
    pub gzipped: bool,
}

/// What an endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, as sent.
    pub retry_after: Option<String>,
    /// The first 16 KiB of the body.
    pub body: Bytes,
}

/// Why an endpoint gave no answer. No text holds a path, a query or a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not connected in 3 s, or not answered whole in 10 s.
    #[error("timed out")]
    Timeout,
    /// The name has no address, or the connection was refused.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No secure connection.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection was lost before the answer.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The destination is not allowed.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer was not HTTP.
    #[error("not HTTP: {0}")]
    Protocol(String),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The answer, or why there was none.
    pub answer: Result<Answer, SendError>,
    /// How long the endpoint took, whatever the caller saw to meanwhile.
    pub took: Duration,
}

/// Sends one request: no redirects, connect 3 s, everything 10 s.
pub trait Sender: Send + Sync {
    /// Sends it.
    fn send(&self, request: Request) -> impl Future<Output = Sent> + Send;
}

/// The event bus that operators listen to.
pub trait Notices: Send + Sync {
    /// Publishes operational events, in as few calls as the service takes. An error says that some of
    /// them, or all, were not published.
    fn publish(&self, notices: &[Notice]) -> impl Future<Output = PortResult<()>> + Send;
}

/// The services of AWS, a clock and chance: what every use case works with.
pub trait Services: Send + Sync {
    /// Wall clock and waiting.
    type Clock: Clock;
    /// Chance.
    type Random: Random;
    /// Queues.
    type Queues: Queues;
    /// Configuration, health, ledger and delivery log.
    type Store: Registry + HealthStore + LedgerStore + AttemptStore;
    /// Parked and dead deliveries.
    type Objects: Objects;
    /// The event bus.
    type Notices: Notices;

    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// The random source.
    fn random(&self) -> &Self::Random;
    /// The queues.
    fn queues(&self) -> &Self::Queues;
    /// The table.
    fn store(&self) -> &Self::Store;
    /// The bucket.
    fn objects(&self) -> &Self::Objects;
    /// The event bus.
    fn notices(&self) -> &Self::Notices;
}

/// Everything that delivering needs: the services, and a way to customers' endpoints.
pub trait Ports: Services {
    /// The way to customers' endpoints.
    type Sender: Sender;

    /// The sender.
    fn sender(&self) -> &Self::Sender;
}

/// A project, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An ingest key, as listed: everything but the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyListing {
    /// What it stands for.
    pub grant: KeyGrant,
    /// What the operator called it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An admin key that is limited to a project, as listed: everything but the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminKey {
    /// Its public name.
    pub id: AdminKeyId,
    /// The project that it reaches.
    pub project: ProjectId,
    /// What the operator called it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A creation under an idempotency key, as it is remembered. Nothing of it tells what was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What identifiers and keys are derived from, together with the caller's key.
    pub salt: String,
    /// A fingerprint of the body, under the caller's key and the salt.
    pub body: String,
    /// When it was begun.
    pub at: Timestamp,
    /// Whether it was made.
    pub done: bool,
}

/// Which remembered creation a write completes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The name that it is remembered by.
    pub name: String,
    /// Its salt.
    pub salt: String,
}

/// The end of a conditional write of configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Done.
    Done,
    /// What was to be changed is not there, or not in that version.
    Stale,
    /// The name (of an integration in its project), or the id (of a project), is taken; or the
    /// project itself is in use.
    Taken,
    /// The creation under this idempotency key was made in the meantime.
    Repeated,
}

/// Writes of configuration, and the operator's lists. All reads are consistent.
///
/// What is created, or replaced, with `once` is so only if that creation is still to be made, and it is
/// marked as made in the same write: [`Written::Repeated`] if somebody was faster.
pub trait AdminStore: Send + Sync {
    /// Remembers a creation under its name until `expires`. `None` if it is new, or what was
    /// remembered has expired by `new.at`; otherwise what was remembered, and stays so.
    fn remember(
        &self,
        name: &str,
        new: &Remembered,
        expires: Timestamp,
    ) -> impl Future<Output = PortResult<Option<Remembered>>> + Send;
    /// The admin key with this hash; `None` if it is unknown or was deleted.
    fn admin_key(
        &self,
        hash: &KeyHash,
    ) -> impl Future<Output = PortResult<Option<AdminKey>>> + Send;
    /// Adds an admin key: the look-up by hash and the listing, both or neither.
    fn create_admin_key(
        &self,
        hash: &KeyHash,
        key: &AdminKey,
        once: Option<&Once>,
    ) -> impl Future<Output = PortResult<Written>> + Send;
    /// The admin keys of all projects, by id.
    fn admin_keys(&self, part: &Part) -> impl Future<Output = PortResult<Page<AdminKey>>> + Send;
    /// Deletes an admin key: look-up and listing, both or neither.
    fn delete_admin_key(&self, id: &AdminKeyId)
    -> impl Future<Output = PortResult<Written>> + Send;
    /// Adds a project.
    fn create_project(
        &self,
        project: &Project,
        once: Option<&Once>,
    ) -> impl Future<Output = PortResult<Written>> + Send;
    /// One project.
    fn project(&self, id: &ProjectId) -> impl Future<Output = PortResult<Option<Project>>> + Send;
    /// All projects, by id.
    fn projects(&self, part: &Part) -> impl Future<Output = PortResult<Page<Project>>> + Send;
    /// Deletes a project; [`Written::Taken`] while it has keys, admin keys or integrations.
    fn delete_project(&self, id: &ProjectId) -> impl Future<Output = PortResult<Written>> + Send;
    /// Adds a key: the look-up by hash and the listing, both or neither.
    fn create_key(
        &self,
        hash: &KeyHash,
        key: &KeyListing,
        once: Option<&Once>,
    ) -> impl Future<Output = PortResult<Written>> + Send;
    /// The keys of a project, by id.
    fn keys(
        &self,
        project: &ProjectId,
        part: &Part,
    ) -> impl Future<Output = PortResult<Page<KeyListing>>> + Send;
    /// Revokes a key: look-up and listing are deleted, both or neither.
    fn delete_key(
        &self,
        project: &ProjectId,
        key: &KeyId,
    ) -> impl Future<Output = PortResult<Written>> + Send;
    /// Integrations of a project by name, read consistently, tombstones left out.
    fn list_integrations(
        &self,
        project: &ProjectId,
    ) -> impl Future<Output = PortResult<Vec<Integration>>> + Send;
    /// Adds an integration and takes its name, both or neither.
    fn create_integration(
        &self,
        integration: &Integration,
        once: Option<&Once>,
    ) -> impl Future<Output = PortResult<Written>> + Send;
    /// Puts `new` in place of `old`, if its version is still `old.version`; a changed name is
    /// taken, and the old one given back, in the same write.
    fn replace_integration(
        &self,
        old: &Integration,
        new: &Integration,
        once: Option<&Once>,
    ) -> impl Future<Output = PortResult<Written>> + Send;
    /// Puts a tombstone in place of `integration`, if its version is still the same, and gives
    /// its name back.
    fn delete_integration(
        &self,
        integration: &Integration,
        at: Timestamp,
    ) -> impl Future<Output = PortResult<Written>> + Send;
}
