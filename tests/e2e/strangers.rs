//! Records in the queues that are not Flagpost's.

use std::collections::HashMap;

use serde_json::json;

use crate::{
    project::Project,
    sample,
    stack::{Stack, unique},
    wait::until,
};

const QUEUES: [(&str, &str); 3] = [
    ("EventsQueueUrl", "EventsDeadLetterQueueUrl"),
    ("RetryQueueUrl", "RetryDeadLetterQueueUrl"),
    ("WakeQueueUrl", "WakeDeadLetterQueueUrl"),
];

#[tokio::test]
async fn strange_records_end_as_dead_letters_with_a_reason() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let stack = &project.stack;
    let sent = sample::impressions("among-strangers", 40);
    let (before, after) = sent.split_at(20);
    project.post(before).await;
    let mut strangers = HashMap::new();
    for (queue, dead_letters) in QUEUES {
        let bodies = strange_bodies();
        for body in &bodies {
            let send = stack.sqs().send_message().queue_url(stack.output(queue));
            send.message_body(body).send().await.unwrap();
        }
        strangers.insert(dead_letters, bodies);
    }
    project.post(after).await;

    for (dead_letters, bodies) in strangers {
        let reasons = reasons(stack, dead_letters, &bodies).await;
        for body in bodies {
            assert!(!reasons[&body].is_empty(), "{dead_letters}: {body} has no reason");
        }
    }
    webhook.has_delivered_all(&sent).await;
}

/// Text that is not JSON; JSON that is not ours; ours by its version, and by nothing else; one that
/// says more than it holds.
fn strange_bodies() -> Vec<String> {
    let mark = unique("stranger");
    vec![
        format!("nothing of ours: {mark}"),
        json!({"mark": mark}).to_string(),
        json!([mark]).to_string(),
        json!({"v": 1, "mark": mark}).to_string(),
        json!({"v": 0, "mark": mark}).to_string(),
        json!({"v": 1, "mark": mark, "count": 7, "bytes": 2, "plain": [], "head": {
            "project": "p", "environment": {"id": "e", "name": "E"}, "stream": "impressions",
            "accepted_at": 0, "id": "d", "integration": "i", "began": 0, "not_before": 0,
        }})
        .to_string(),
    ]
}

/// Takes these bodies from a dead-letter queue, with the reasons that came along.
async fn reasons(stack: &Stack, queue: &str, bodies: &[String]) -> HashMap<String, String> {
    let (sqs, url) = (stack.sqs(), stack.output(queue));
    let mut reasons = HashMap::new();
    until(&format!("{} records in {queue}", bodies.len()), async || {
        let receive = sqs.receive_message().queue_url(url).message_attribute_names("All");
        let received = receive.max_number_of_messages(10).send().await.unwrap();
        for message in received.messages() {
            let Some(body) = message.body().filter(|body| bodies.iter().any(|b| b == body)) else {
                continue;
            };
            let attributes = message.message_attributes();
            let reason = attributes.and_then(|attributes| attributes.get("reason"));
            let reason = reason.and_then(|reason| reason.string_value()).unwrap_or_default();
            reasons.insert(body.to_owned(), reason.to_owned());
            let delete = sqs.delete_message().queue_url(url);
            delete.set_receipt_handle(message.receipt_handle.clone()).send().await.unwrap();
        }
        if reasons.len() == bodies.len() { Ok(()) } else { Err(format!("{reasons:?}")) }
    })
    .await;
    reasons
}
