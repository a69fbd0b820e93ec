//! The ports of the operator's API on AWS.

use flagpost_adapters::{
    clock::{SystemClock, SystemRandom},
    dynamodb::DynamoDb,
    runtime::Clients,
    s3::S3,
    settings::AdminSettings,
    sqs::Sqs,
};
use flagpost_domain::admin::AdminPorts;

/// Clock, chance, queue, table and bucket.
pub(crate) struct AwsPorts {
    clock: SystemClock,
    random: SystemRandom,
    sqs: Sqs,
    dynamodb: DynamoDb,
    s3: S3,
}

impl AwsPorts {
    /// The resources that the settings name.
    pub(crate) fn new(clients: &Clients, settings: &AdminSettings) -> Self {
        Self {
            clock: SystemClock,
            random: SystemRandom,
            sqs: clients.queues(settings.queues.clone()),
            dynamodb: clients.table(&settings.table),
            s3: clients.bucket(&settings.bucket),
        }
    }
}

impl AdminPorts for AwsPorts {
    type Clock = SystemClock;
    type Random = SystemRandom;
    type Queues = Sqs;
    type Store = DynamoDb;
    type Objects = S3;

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
}
