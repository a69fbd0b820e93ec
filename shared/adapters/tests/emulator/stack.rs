//! The stack under test.

use std::{collections::HashMap, fmt::Write};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use flagpost_adapters::{
    clock::{SystemClock, SystemRandom},
    dynamodb::DynamoDb,
    runtime::Clients,
    s3::S3,
    settings::environment,
};
use flagpost_domain::{
    id::{IntegrationId, ProjectId},
    ports::{Clock, Random},
    time::Timestamp,
};

pub(crate) struct Stack {
    pub(crate) config: SdkConfig,
    pub(crate) clients: Clients,
    outputs: HashMap<String, String>,
}

impl Stack {
    pub(crate) async fn open() -> Self {
        let endpoint = needed("FLAGPOST_TEST_ENDPOINT");
        let outputs = std::fs::read_to_string(needed("FLAGPOST_TEST_STACK")).unwrap();
        let credentials =
            aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "emulator");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .load()
            .await;
        Self {
            clients: Clients::new(config.clone()),
            config,
            outputs: serde_json::from_str(&outputs).unwrap(),
        }
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    pub(crate) fn table(&self) -> DynamoDb {
        self.clients.table(self.output("TableName"))
    }

    pub(crate) fn bucket(&self) -> S3 {
        self.clients.bucket(self.output("BucketName"))
    }

    /// An item as DynamoDB has it.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Option<HashMap<String, AttributeValue>> {
        let get = aws_sdk_dynamodb::Client::new(&self.config).get_item();
        let get = get.table_name(self.output("TableName")).consistent_read(true);
        get.key("pk", text(pk)).key("sk", text(sk)).send().await.unwrap().item
    }

    /// Overwrites one attribute of an item, and makes the item where it is absent.
    pub(crate) async fn spoil(&self, pk: &str, sk: &str, name: &str, value: AttributeValue) {
        aws_sdk_dynamodb::Client::new(&self.config)
            .update_item()
            .table_name(self.output("TableName"))
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn remove(&self, pk: &str, sk: &str) {
        let delete = aws_sdk_dynamodb::Client::new(&self.config).delete_item();
        let delete = delete.table_name(self.output("TableName"));
        delete.key("pk", text(pk)).key("sk", text(sk)).send().await.unwrap();
    }
}

fn needed(name: &str) -> String {
    environment(name)
        .unwrap_or_else(|| panic!("{name} is not set: needs the local stack: run scripts/test"))
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A name that no other test has.
pub(crate) fn unique() -> String {
    let bytes = SystemRandom.bytes();
    bytes[..10].iter().fold("test-".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn ids() -> (ProjectId, IntegrationId) {
    (ProjectId(unique()), IntegrationId(unique()))
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}
