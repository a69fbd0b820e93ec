//! What a function is made of, built once when it starts.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use flagpost_domain::ports::{Ports, Sender, Services};

use crate::{
    clock::{SystemClock, SystemRandom},
    dynamodb::DynamoDb,
    eventbridge::EventBridge,
    s3::S3,
    settings::environment,
    sqs::{QueueUrls, Sqs},
};

/// Tries of one call in all. The use cases know what to do when it fails; a function that is kept
/// waiting holds up others.
const MAX_ATTEMPTS: u32 = 3;
const CONNECT: Duration = Duration::from_secs(1);
const ATTEMPT: Duration = Duration::from_secs(3);
const OPERATION: Duration = Duration::from_secs(8);
/// The same for the event bus: nobody's work should wait long for a notice.
const TELLING_ATTEMPT: Duration = Duration::from_millis(1_500);
const TELLING: Duration = Duration::from_secs(3);

/// The SDKs' configuration, from which clients are made: one for each service that is used.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
    /// An endpoint in place of AWS does not know buckets by their host names.
    path_style: bool,
}

impl Clients {
    /// From the environment, as the SDKs read it (`AWS_REGION`, `AWS_ENDPOINT_URL`, …).
    pub async fn from_environment() -> Self {
        let mut clients = Self::new(aws_config::load_defaults(BehaviorVersion::latest()).await);
        clients.path_style |= environment("AWS_ENDPOINT_URL_S3").is_some();
        clients
    }

    /// From a configuration that is already there; its retries and time-outs are replaced.
    pub fn new(config: SdkConfig) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(OPERATION)
            .build();
        let config = config
            .into_builder()
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(timeouts)
            .build();
        let path_style = config.endpoint_url().is_some();
        Self { config, path_style }
    }

    /// The queues at `urls`.
    pub fn queues(&self, urls: QueueUrls) -> Sqs {
        Sqs::new(aws_sdk_sqs::Client::new(&self.config), urls)
    }

    /// The table of this name.
    pub fn table(&self, name: impl Into<String>) -> DynamoDb {
        DynamoDb::new(aws_sdk_dynamodb::Client::new(&self.config), name)
    }

    /// The account's default event bus.
    pub fn bus(&self) -> EventBridge {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(TELLING_ATTEMPT)
            .operation_timeout(TELLING)
            .build();
        let config = aws_sdk_eventbridge::config::Builder::from(&self.config)
            .timeout_config(timeouts)
            .build();
        EventBridge::new(aws_sdk_eventbridge::Client::from_conf(config))
    }

    /// The bucket of this name.
    pub fn bucket(&self, name: impl Into<String>) -> S3 {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(self.path_style)
            .build();
        S3::new(aws_sdk_s3::Client::from_conf(config), name)
    }
}

/// Everything that the use cases need, on AWS; what delivers nothing has `()` for a sender.
#[derive(Clone, Debug)]
pub struct Aws<S> {
    /// The wall clock.
    pub clock: SystemClock,
    /// The operating system's random source.
    pub random: SystemRandom,
    /// SQS.
    pub sqs: Sqs,
    /// DynamoDB.
    pub dynamodb: DynamoDb,
    /// S3.
    pub s3: S3,
    /// EventBridge.
    pub bus: EventBridge,
    /// The way to customers' endpoints.
    pub webhook: S,
}

impl<S> Aws<S> {
    /// The resources of these names, and a sender.
    pub fn new(
        clients: &Clients,
        queues: QueueUrls,
        table: &str,
        bucket: &str,
        webhook: S,
    ) -> Self {
        Self {
            clock: SystemClock,
            random: SystemRandom,
            sqs: clients.queues(queues),
            dynamodb: clients.table(table),
            s3: clients.bucket(bucket),
            bus: clients.bus(),
            webhook,
        }
    }
}

impl<S: Send + Sync> Services for Aws<S> {
    type Clock = SystemClock;
    type Random = SystemRandom;
    type Queues = Sqs;
    type Store = DynamoDb;
    type Objects = S3;
    type Notices = EventBridge;

    fn clock(&self) -> &SystemClock {
        &self.clock
    }

    fn random(&self) -> &SystemRandom {
        &self.random
    }

    fn queues(&self) -> &Sqs {
        &self.sqs
    }

    fn store(&self) -> &DynamoDb {
        &self.dynamodb
    }

    fn objects(&self) -> &S3 {
        &self.s3
    }

    fn notices(&self) -> &EventBridge {
        &self.bus
    }
}

impl<S: Sender> Ports for Aws<S> {
    type Sender = S;

    fn sender(&self) -> &S {
        &self.webhook
    }
}
