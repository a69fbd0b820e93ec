//! The stack under test: where it is, its outputs, and the times that it was deployed with.

use std::{collections::HashMap, fmt::Write, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use flagpost_adapters::{
    clock::{SystemClock, SystemRandom},
    dynamodb::DynamoDb,
    runtime::Clients,
    s3::S3,
    settings::environment,
};
use flagpost_domain::{
    ports::{Clock, Random},
    time::Timestamp,
};

/// `RetrySlotsSeconds` of `scripts/test`: a slot every ten seconds.
pub(crate) const SLOTS: [u64; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];
/// The first of them, as early as jitter allows.
pub(crate) const FIRST_SLOT: Duration = Duration::from_secs(9);
/// `PauseFirstSeconds`, as short as jitter allows.
pub(crate) const SHORTEST_PAUSE: Duration = Duration::from_millis(3600);
/// No attempt starts later than this after a pause; see `docs/api.md`.
pub(crate) const PAUSE_IS_KNOWN: Duration = Duration::from_secs(5);

pub(crate) struct Stack {
    pub(crate) endpoint: String,
    pub(crate) admin_key: String,
    config: SdkConfig,
    outputs: HashMap<String, String>,
}

impl Stack {
    pub(crate) async fn open() -> Self {
        let endpoint = needed("FLAGPOST_TEST_ENDPOINT");
        let admin_key = needed("FLAGPOST_TEST_ADMIN_KEY");
        let outputs = std::fs::read_to_string(needed("FLAGPOST_TEST_STACK")).unwrap();
        let credentials =
            aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "emulator");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(&endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .load()
            .await;
        Self { endpoint, admin_key, config, outputs: serde_json::from_str(&outputs).unwrap() }
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    pub(crate) fn bucket(&self) -> S3 {
        Clients::new(self.config.clone()).bucket(self.output("BucketName"))
    }

    pub(crate) fn table(&self) -> DynamoDb {
        Clients::new(self.config.clone()).table(self.output("TableName"))
    }

    pub(crate) fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }
}

fn needed(name: &str) -> String {
    environment(name)
        .unwrap_or_else(|| panic!("{name} is not set: needs the local stack: run scripts/test"))
}

/// A name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    let bytes = SystemRandom.bytes();
    bytes[..8].iter().fold(format!("{what}-"), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}
