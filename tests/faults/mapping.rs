//! From a queue to a function, as Lambda's event source mapping does it: pollers that receive,
//! invoke, and delete what is not reported as failed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName},
};
use bytes::Bytes;
use flagpost_tests::runtime_api::Function;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use crate::{
    fleet::{Fleet, TIMEOUT},
    wait::pass,
    world::Queue,
};

const WAIT_SECONDS: i32 = 5;
/// After a call that failed: the local AWS may be away.
const TROUBLE: Duration = Duration::from_millis(200);

pub(crate) struct Mapping {
    sqs: Client,
    queue: Queue,
    /// Messages that a function left in the queue, and their newest receipts.
    left: Arc<Mutex<HashMap<String, String>>>,
    pollers: Vec<AbortHandle>,
}

impl Mapping {
    pub(crate) fn start(
        sqs: &Client,
        queue: &Queue,
        fleet: &Arc<Fleet>,
        pollers: usize,
        batch: i32,
    ) -> Self {
        let left = Arc::default();
        let poller = |_| {
            let (sqs, queue) = (sqs.clone(), queue.clone());
            let (fleet, left) = (Arc::clone(fleet), Arc::clone(&left));
            let task = tokio::spawn(async move {
                loop {
                    match receive(&sqs, &queue, batch).await {
                        Some(messages) => serve(&sqs, &queue, &fleet, &left, messages).await,
                        None => pass(TROUBLE).await,
                    }
                }
            });
            task.abort_handle()
        };
        let pollers = (0..pollers).map(poller).collect();
        Self { sqs: sqs.clone(), queue: queue.clone(), left, pollers }
    }

    /// Shows again what a function hid: SQS delivers at least once, and a test does not wait for
    /// minutes.
    pub(crate) async fn hasten(&self) {
        let left: Vec<_> = self.left.lock().unwrap().drain().collect();
        for (_, receipt) in left {
            let change = self.sqs.change_message_visibility().queue_url(&self.queue.url);
            // It may be gone, or in flight under a newer receipt.
            let _ = change.receipt_handle(receipt).visibility_timeout(0).send().await;
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.pollers.iter().for_each(AbortHandle::abort);
    }
}

/// One batch, which is there already or comes soon, through one function that must answer: what it
/// answered.
pub(crate) async fn once(sqs: &Client, queue: &Queue, function: &Function) -> String {
    let messages = receive(sqs, queue, 10).await.unwrap();
    assert!(!messages.is_empty(), "nothing came in {WAIT_SECONDS} s");
    let answer = function.invoke(event(queue, &messages), TIMEOUT).await;
    let answer = answer.unwrap_or_else(|ended| panic!("{ended}: {}", function.logs()));
    for message in messages {
        let delete = sqs.delete_message().queue_url(&queue.url);
        delete.set_receipt_handle(message.receipt_handle).send().await.unwrap();
    }
    String::from_utf8(answer.into()).unwrap()
}

async fn receive(sqs: &Client, queue: &Queue, batch: i32) -> Option<Vec<Message>> {
    let receive = sqs
        .receive_message()
        .queue_url(&queue.url)
        .max_number_of_messages(batch)
        .wait_time_seconds(WAIT_SECONDS)
        .message_system_attribute_names(MessageSystemAttributeName::All);
    Some(receive.send().await.ok()?.messages.unwrap_or_default())
}

async fn serve(
    sqs: &Client,
    queue: &Queue,
    fleet: &Fleet,
    left: &Mutex<HashMap<String, String>>,
    messages: Vec<Message>,
) {
    if messages.is_empty() {
        return;
    }
    // A function that failed or died leaves all of them to come back.
    let Ok(answer) = fleet.invoke(event(queue, &messages)).await else { return };
    let failed = failed(&serde_json::from_slice(&answer).unwrap());
    let mut done = Vec::new();
    for message in messages {
        let (id, receipt) = (message.message_id.unwrap(), message.receipt_handle.unwrap());
        if failed.contains(&id) {
            left.lock().unwrap().insert(id, receipt);
        } else {
            left.lock().unwrap().remove(&id);
            let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt);
            done.push(entry.build().unwrap());
        }
    }
    if !done.is_empty() {
        // If it does not work, they are delivered once more.
        let delete = sqs.delete_message_batch().queue_url(&queue.url);
        let _ = delete.set_entries(Some(done)).send().await;
    }
}

fn event(queue: &Queue, messages: &[Message]) -> Bytes {
    let records: Vec<_> = messages.iter().map(|message| record(queue, message)).collect();
    json!({ "Records": records }).to_string().into()
}

fn record(queue: &Queue, message: &Message) -> Value {
    let attributes = message.attributes.as_ref();
    let receives =
        attributes.and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": { "ApproximateReceiveCount": receives },
        "messageAttributes": {},
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": "us-east-1",
    })
}

/// The identifiers of a partial batch response, which must have Lambda's shape.
fn failed(response: &Value) -> BTreeSet<String> {
    let failures = response["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|one| one["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}
