//! Containers of `batch` of a test's own, beside those of the stack: so many, and all at once.

use std::{path::Path, time::Duration};

use flagpost_adapters::settings::environment;
use flagpost_domain::{
    event::Event,
    integration::{Environment, Origin, Stream},
    message::Fresh,
};
use flagpost_tests::runtime_api::Function;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    project::Project,
    sample::{ENVIRONMENT, ENVIRONMENT_NAME},
    stack::{Stack, now, unique},
};

/// As in `template.yaml`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Containers that work on the stack's table, bucket and queues.
pub(crate) struct Containers(Vec<Function>);

impl Containers {
    /// Starts so many, each a process.
    pub(crate) async fn start(stack: &Stack, count: usize) -> Self {
        let functions = environment("FLAGPOST_TEST_FUNCTIONS").unwrap_or_else(|| {
            panic!("FLAGPOST_TEST_FUNCTIONS is not set: needs the functions: run scripts/test")
        });
        let binary = Path::new(&functions).join("batch");
        let start = async |_| {
            let function = Function::spawn(&binary, variables(stack)).await.unwrap();
            function.first_next().await.unwrap();
            function
        };
        Self(join_all((0..count).map(start)).await)
    }

    /// Gives each of these events to a container of its own, as though the queue had, all at once. Each must be done
    /// with its own.
    pub(crate) async fn deliver(&self, project: &Project, events: &[Value]) {
        assert!(events.len() <= self.0.len());
        let fresh = Fresh {
            project: project.id.as_str().into(),
            environment: Environment { id: ENVIRONMENT.into(), name: ENVIRONMENT_NAME.into() },
            stream: Stream::Impressions,
            origin: Origin::Api,
            accepted_at: now(),
            trace: None,
        };
        let invoke = async |(function, event): (&Function, &Value)| {
            let body = fresh.encode(&[Event::from_object(event.to_string())]);
            let record = json!({
                "messageId": unique("message"), "receiptHandle": "none", "body": body,
                "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
                "eventSource": "aws:sqs", "awsRegion": "us-east-1",
                "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{}", events_queue(project)),
            });
            let payload = json!({"Records": [record]}).to_string();
            let answer = function.invoke(payload.into(), TIMEOUT).await;
            let answer = answer.unwrap_or_else(|ended| panic!("{ended}: {}", function.logs()));
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer, json!({"batchItemFailures": []}), "{}", function.logs());
        };
        join_all(self.0.iter().zip(events).map(invoke)).await;
    }

    /// How many of them say so.
    pub(crate) fn saying(&self, what: &str) -> usize {
        self.0.iter().filter(|function| function.logs().contains(what)).count()
    }
}

fn events_queue(project: &Project) -> &str {
    let url = project.stack.output("EventsQueueUrl");
    url.rsplit('/').next().unwrap_or_default()
}

/// What `template.yaml` and `scripts/test` set.
fn variables(stack: &Stack) -> Vec<(&'static str, String)> {
    let outputs = [
        ("FLAGPOST_TABLE", "TableName"),
        ("FLAGPOST_BUCKET", "BucketName"),
        ("FLAGPOST_EVENTS_QUEUE_URL", "EventsQueueUrl"),
        ("FLAGPOST_RETRY_QUEUE_URL", "RetryQueueUrl"),
        ("FLAGPOST_WAKE_QUEUE_URL", "WakeQueueUrl"),
        ("FLAGPOST_EVENTS_DLQ_URL", "EventsDeadLetterQueueUrl"),
        ("FLAGPOST_RETRY_DLQ_URL", "RetryDeadLetterQueueUrl"),
    ];
    let set = [
        ("AWS_ENDPOINT_URL", stack.endpoint.as_str()),
        ("FLAGPOST_LOG", "info"),
        ("FLAGPOST_ALLOWED_ENDPOINTS", "127.0.0.0/8"),
        ("FLAGPOST_RETRY_SLOTS_SECONDS", "10,20,30,40,50,60,70,80,90"),
        ("FLAGPOST_ATTEMPTS_RETENTION_DAYS", "7"),
        ("FLAGPOST_OLD_BACKLOG_SECONDS", "3600"),
        ("FLAGPOST_BREAKER_BUCKET_SECONDS", "10"),
        ("FLAGPOST_BREAKER_SPAN_SECONDS", "4"),
        ("FLAGPOST_PAUSE_FIRST_SECONDS", "4"),
        ("FLAGPOST_PAUSE_MAX_SECONDS", "12"),
        ("FLAGPOST_HEALTHY_RESET_SECONDS", "20"),
        ("FLAGPOST_METRICS_NAMESPACE", "Flagpost"),
        ("FLAGPOST_STACK", "e2e"),
    ];
    let outputs = outputs.map(|(name, output)| (name, stack.output(output).to_owned()));
    outputs.into_iter().chain(set.map(|(name, value)| (name, value.to_owned()))).collect()
}
