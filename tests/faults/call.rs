//! Which call to AWS a request is.

use serde_json::Value;

use crate::proxy::Message;

/// What the writes of a health item, told by their update expressions, are for.
const UPDATES: [(&str, &str); 11] = [
    ("lease_owner = :owner, lease_until = :until", "take the lease"),
    ("REMOVE next_wake_at, #timer, lease_owner, lease_until", "finish"),
    ("REMOVE lease_owner, lease_until", "release the lease"),
    ("SET next_wake_at = :at, #timer = :present, wake_gen = :next", "set the timer"),
    ("next_wake_at = :at, #timer = :present ADD backlog_gen", "mark the backlog, with a timer"),
    ("ADD backlog_gen :one", "mark the backlog"),
    ("#breaker = :breaker", "swap the breaker"),
    ("paused_at = :at", "pause"),
    ("REMOVE paused_at", "resume"),
    ("SET told_old_at", "tell of an old backlog"),
    ("expires_at = :expires_at", "count"),
];

/// Its name: who calls, the operation, and on what.
pub(crate) fn name(function: &str, request: &Message) -> String {
    let call = match request.header("x-amz-target").and_then(|target| target.split_once('.')) {
        Some(("AWSEvents", operation)) => format!("events:{operation}"),
        // The delivery log, the only writes in batches.
        Some((_, "BatchWriteItem")) => "dynamodb:BatchWriteItem ATTEMPTS".to_owned(),
        Some((service, operation)) if service.starts_with("DynamoDB") => {
            dynamodb(operation, &serde_json::from_slice(request.body()).unwrap())
        }
        Some((_, operation)) => {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
            // faults-0123456789abcdef-events
            format!("sqs:{operation} {}", queue.splitn(3, '-').nth(2).unwrap())
        }
        None => s3(request.start()),
    };
    format!("{function}: {call}")
}

fn dynamodb(operation: &str, body: &Value) -> String {
    let update = body["UpdateExpression"].as_str().map(|update| {
        // The last step of setting a timer removes the lease too: what stands first counts.
        let set_timer = update.starts_with(UPDATES[3].0).then_some(UPDATES[3].1);
        set_timer.unwrap_or_else(|| {
            let known = UPDATES.iter().find(|(part, _)| update.contains(part));
            known.unwrap_or_else(|| panic!("what is this update for: {update}")).1
        })
    });
    let index = body["IndexName"].as_str();
    let values = &body["ExpressionAttributeValues"];
    let key = [&body["Key"]["pk"]["S"], &values[":pk"]["S"]].into_iter().find_map(Value::as_str);
    let item = key.and_then(|key| key.split('#').next());
    let sort = body["Key"]["sk"]["S"].as_str().and_then(|key| key.split('#').next());
    let on = update.or(index).or(sort.filter(|_| item == Some("PROJECT"))).or(item);
    format!("dynamodb:{operation} {}", on.unwrap_or_else(|| panic!("on what: {body}")))
}

/// By method and path: `PUT /bucket/parked/…`, or a listing with its prefix in the query.
fn s3(start: &str) -> String {
    let mut words = start.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let object = path.split('/').nth(2).filter(|place| !place.is_empty());
    match (method, object) {
        ("GET", None) => {
            let prefix = query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap();
            let place = prefix.split("%2F").next().unwrap();
            // A whole place, to expire what is old in it; or an integration's part of it.
            let of = if prefix.ends_with(&format!("{place}%2F")) { "all of " } else { "" };
            format!("s3:ListObjectsV2 {of}{place}")
        }
        ("GET", Some(place)) => format!("s3:GetObject {place}"),
        ("PUT", Some(place)) => format!("s3:PutObject {place}"),
        ("DELETE", Some(place)) => format!("s3:DeleteObject {place}"),
        _ => panic!("what is this: {start}"),
    }
}
