//! A table, a bucket and queues of a test's own, and what an operator sets up in them.

use std::{fmt::Write, path::Path};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use flagpost_adapters::{
    clock::SystemRandom,
    runtime::{Aws, Clients},
    s3::S3,
    sqs::QueueUrls,
    webhook::{Settings, WebhookSender},
};
use flagpost_domain::{
    admin::{Admin, Request},
    delivery::{Delivery, Provenance},
    destination::Allowed,
    event::Event,
    key,
    message::{Aside, Scheduled},
    parked::{ParkedKey, Place},
    ports::{Objects, Random},
};
use serde_json::{Value, json};

use crate::wait::{now, until};

/// What a test waits for at least: a message that is not done with comes back after this.
const VISIBILITY_SECONDS: u32 = 5;
/// A wake-up's lasts for the length of a slice.
const WAKE_VISIBILITY_SECONDS: u32 = 15;
/// The operator's key.
const ADMIN: &str = "admin";
const ALLOWED: &str = "127.0.0.0/8";

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) url: String,
    pub(crate) arn: String,
}

pub(crate) struct World {
    config: SdkConfig,
    pub(crate) clients: Clients,
    table: String,
    bucket: String,
    pub(crate) events: Queue,
    pub(crate) retry: Queue,
    pub(crate) wake: Queue,
    dead: [Queue; 3],
    admin: Admin<Aws<WebhookSender>>,
}

impl World {
    /// Makes them in the local AWS at this endpoint.
    pub(crate) async fn make(endpoint: &str) -> Self {
        let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "none");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .load()
            .await;
        let clients = Clients::new(config.clone());
        let name = unique("faults");
        let sqs = aws_sdk_sqs::Client::new(&config);
        make_table(&config, &name).await;
        make_bucket(&config, &name).await;
        let events = make_queue(&sqs, &format!("{name}-events"), VISIBILITY_SECONDS).await;
        let retry = make_queue(&sqs, &format!("{name}-retry"), VISIBILITY_SECONDS).await;
        let wake = make_queue(&sqs, &format!("{name}-wake"), WAKE_VISIBILITY_SECONDS).await;
        let dead = [
            make_queue(&sqs, &format!("{name}-events-dead"), VISIBILITY_SECONDS).await,
            make_queue(&sqs, &format!("{name}-retry-dead"), VISIBILITY_SECONDS).await,
            make_queue(&sqs, &format!("{name}-wake-dead"), VISIBILITY_SECONDS).await,
        ];
        let urls = QueueUrls { wake: Some(wake.url.clone()), ..QueueUrls::default() };
        let allowed: Allowed = ALLOWED.parse().unwrap();
        let sender = WebhookSender::new(&Settings::new(allowed.clone())).unwrap();
        let aws = Aws::new(&clients, urls, &name, &name, sender);
        let admin = Admin::new(aws, key::hash(ADMIN), allowed);
        let (table, bucket) = (name.clone(), name);
        Self { config, clients, table, bucket, events, retry, wake, dead, admin }
    }

    /// What any function finds in its environment, with AWS at this endpoint: seconds in place of
    /// minutes, and one slot in place of nine.
    pub(crate) fn environment(&self, endpoint: &str) -> Vec<(&'static str, String)> {
        [
            ("AWS_ENDPOINT_URL", endpoint),
            ("FLAGPOST_LOG", "warn"),
            ("FLAGPOST_TABLE", &self.table),
            ("FLAGPOST_BUCKET", &self.bucket),
            ("FLAGPOST_EVENTS_QUEUE_URL", &self.events.url),
            ("FLAGPOST_RETRY_QUEUE_URL", &self.retry.url),
            ("FLAGPOST_WAKE_QUEUE_URL", &self.wake.url),
            ("FLAGPOST_EVENTS_DLQ_URL", &self.dead[0].url),
            ("FLAGPOST_RETRY_DLQ_URL", &self.dead[1].url),
            ("FLAGPOST_WAKE_DLQ_URL", &self.dead[2].url),
            ("FLAGPOST_MAX_BODY_BYTES", "4400000"),
            ("FLAGPOST_MAX_EVENTS", "50000"),
            ("FLAGPOST_DEDUPLICATE", "on"),
            ("FLAGPOST_ALLOWED_ENDPOINTS", ALLOWED),
            ("FLAGPOST_ATTEMPTS_RETENTION_DAYS", "7"),
            ("FLAGPOST_OLD_BACKLOG_SECONDS", "3600"),
            ("FLAGPOST_METRICS_NAMESPACE", "Flagpost"),
            ("FLAGPOST_STACK", "faults"),
            ("FLAGPOST_RETRY_SLOTS_SECONDS", "10"),
            ("FLAGPOST_BREAKER_BUCKET_SECONDS", "10"),
            ("FLAGPOST_BREAKER_SPAN_SECONDS", "4"),
            ("FLAGPOST_PAUSE_FIRST_SECONDS", "1"),
            ("FLAGPOST_PAUSE_MAX_SECONDS", "4"),
            ("FLAGPOST_HEALTHY_RESET_SECONDS", "20"),
            ("FLAGPOST_PARKED_RETENTION_DAYS", "14"),
            ("FLAGPOST_DEAD_RETENTION_DAYS", "30"),
            ("FLAGPOST_LEASE_SECONDS", "60"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    /// A project, and the key of its client.
    pub(crate) async fn project(&self) -> (String, String) {
        let made = self.insist("", || json!({ "id": unique("project") })).await;
        let id = made["id"].as_str().unwrap().to_owned();
        let environment = json!({"id": "prod", "name": "Production"});
        let key = || json!({"name": unique("key"), "environment": environment});
        let made = self.insist(&format!("/{id}/keys"), key).await;
        (id, made["key"].as_str().unwrap().to_owned())
    }

    /// An integration that delivers to this URL: its id.
    pub(crate) async fn integration(&self, project: &str, url: &str, max_events: u32) -> String {
        let path = format!("/{project}/integrations");
        let body = || {
            let name = unique("webhook");
            json!({"name": name, "url": url, "preset": "split", "max_events": max_events})
        };
        self.insist(&path, body).await["id"].as_str().unwrap().to_owned()
    }

    /// The operator pauses or resumes an integration.
    pub(crate) async fn operator(&self, project: &str, integration: &str, does: &str) {
        self.insist(&format!("/{project}/integrations/{integration}/{does}"), || json!({})).await;
    }

    /// A request of the operator, a new one each time, until the local AWS, which may have much to
    /// do, has done it in time.
    async fn insist(&self, path: &str, body: impl Fn() -> Value) -> Value {
        until(path, async || {
            let body = body().to_string();
            let request = Request {
                method: "POST",
                path: &format!("/v1/projects{path}"),
                query: &[],
                authorization: Some("Bearer admin"),
                body: body.as_bytes(),
                ..Request::default()
            };
            match self.admin.serve(&request).await.outcome {
                Ok(reply) => Ok(serde_json::from_str(&reply.body.unwrap()).unwrap()),
                // Also where it is refused: the SDK's second try may find what the first one did.
                Err(failure) => Err(failure.to_string()),
            }
        })
        .await
    }

    /// Puts a record that is not Flagpost's into each of the queues.
    pub(crate) async fn strangers(&self) {
        for queue in [&self.events, &self.retry, &self.wake] {
            let send = self.sqs().send_message().queue_url(&queue.url);
            send.message_body("nothing of ours").send().await.unwrap();
        }
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    pub(crate) fn bucket(&self) -> S3 {
        self.clients.bucket(&self.bucket)
    }

    /// Schedules a delivery of these events, as another container does that knows an integration
    /// better.
    pub(crate) async fn schedule(&self, project: &str, integration: &str, keys: &[String]) {
        let event = |key: &String| Event::from_object(json!({ "key": key }).to_string());
        let delivery = Delivery {
            id: unique("delivery").as_str().into(),
            project: project.into(),
            integration: integration.into(),
            began: now(),
            events: keys.iter().map(event).collect(),
            numbers: vec![],
            rest: false,
            provenance: Provenance::default(),
        };
        let text = Scheduled { delivery, not_before: now() }.encode();
        let send = self.sqs().send_message().queue_url(&self.retry.url).message_body(text);
        send.send().await.unwrap();
    }

    /// Puts an object that is not Flagpost's among what is parked.
    pub(crate) async fn stranger_parked(&self, integration: &str) {
        let (place, integration) = (Place::Parked, integration.into());
        let key = ParkedKey { place, integration, at: now(), delivery: "strange".into(), count: 1 };
        self.bucket().put(&key.text(), "nothing of ours".into()).await.unwrap();
    }

    /// How many messages the three queues hold, in whatever state.
    pub(crate) async fn in_queues(&self) -> Option<usize> {
        let sqs = self.sqs();
        let mut all = 0;
        for queue in [&self.events, &self.retry, &self.wake] {
            let get = sqs.get_queue_attributes().queue_url(&queue.url);
            let got = get.attribute_names(QueueAttributeName::All).send().await.ok()?;
            let counts = got.attributes.unwrap_or_default();
            for name in [
                QueueAttributeName::ApproximateNumberOfMessages,
                QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
                QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            ] {
                all += counts.get(&name)?.parse::<usize>().ok()?;
            }
        }
        Some(all)
    }

    /// How many messages no function could read.
    pub(crate) async fn buried(&self) -> Option<usize> {
        let sqs = self.sqs();
        let mut all = 0;
        for queue in &self.dead {
            let name = QueueAttributeName::ApproximateNumberOfMessages;
            let get =
                sqs.get_queue_attributes().queue_url(&queue.url).attribute_names(name.clone());
            all += get.send().await.ok()?.attributes?.get(&name)?.parse::<usize>().ok()?;
        }
        Some(all)
    }

    /// The `key` of each event that lies in this place (`parked` or `dead`) of an integration, as
    /// far as they can be read now.
    pub(crate) async fn laid_aside(&self, place: &str, integration: &str) -> Vec<String> {
        let bucket = self.bucket();
        let mut keys = Vec::new();
        let listed = bucket.list(&format!("{place}/{integration}/"), None).await;
        for listed in listed.unwrap_or_default() {
            // It may be gone since it was listed; it may be a stranger.
            let Ok(Some(object)) = bucket.get(&listed.key).await else { continue };
            let aside = Aside::decode(&object);
            for event in aside.map(|aside| aside.events).unwrap_or_default() {
                let event: Value = serde_json::from_slice(event.as_bytes()).unwrap();
                keys.push(event["key"].as_str().unwrap().to_owned());
            }
        }
        keys
    }
}

/// A name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    let bytes = SystemRandom.bytes();
    bytes[..8].iter().fold(format!("{what}-"), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

async fn make_queue(sqs: &aws_sdk_sqs::Client, name: &str, visibility: u32) -> Queue {
    let timeout = QueueAttributeName::VisibilityTimeout;
    let make = sqs.create_queue().queue_name(name).attributes(timeout, visibility.to_string());
    let url = make.send().await.unwrap().queue_url.unwrap();
    let name = Path::new(&url).file_name().unwrap().to_str().unwrap();
    Queue { arn: format!("arn:aws:sqs:us-east-1:000000000000:{name}"), url }
}

/// The table of `template.yaml`.
async fn make_table(config: &SdkConfig, name: &str) {
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().unwrap()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let index = |name: &str, hash: &str, range: &str| {
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        let index = GlobalSecondaryIndex::builder().index_name(name).projection(all);
        let index = index.key_schema(key(hash, KeyType::Hash));
        index.key_schema(key(range, KeyType::Range)).build().unwrap()
    };
    aws_sdk_dynamodb::Client::new(config)
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("unwell", ScalarAttributeType::S))
        .attribute_definitions(attribute("integration", ScalarAttributeType::S))
        .attribute_definitions(attribute("timer", ScalarAttributeType::S))
        .attribute_definitions(attribute("next_wake_at", ScalarAttributeType::N))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index("unwell", "unwell", "integration"))
        .global_secondary_indexes(index("timers", "timer", "next_wake_at"))
        .send()
        .await
        .unwrap();
}

async fn make_bucket(config: &SdkConfig, name: &str) {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(name).send().await.unwrap();
}
