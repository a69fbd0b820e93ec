//! As much of DynamoDB as a function needs that delivers to one integration that is well. Of SQS
//! and S3 it then needs nothing, so that a call there, like any other that is not known here, is
//! an error and is counted.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use flagpost_domain::integration::Integration;
use http_body_util::Full;
use hyper::{Method, Response};
use serde_json::{Value, json};

use crate::{
    Outcome,
    http::{Asked, answer, serve},
};

const JSON: &str = "application/x-amz-json-1.0";

/// The service.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The items of the project's integrations.
    integrations: Value,
    calls: AtomicU64,
    delivered: AtomicU64,
    unexpected: Mutex<Vec<String>>,
}

impl Aws {
    /// With one integration in its table.
    pub(crate) async fn start(integration: &Integration) -> Outcome<Self> {
        let state = Arc::new(State::new(integration)?);
        let answering = Arc::clone(&state);
        let url = serve(move |asked| answering.answer(&asked)).await?;
        Ok(Self { url, state })
    }

    /// Calls that were answered.
    pub(crate) fn calls(&self) -> u64 {
        self.state.calls.load(Ordering::Relaxed)
    }

    /// What the ledger says was delivered.
    pub(crate) fn delivered(&self) -> u64 {
        self.state.delivered.load(Ordering::Relaxed)
    }

    /// That nothing else was called.
    pub(crate) fn check(&self) -> Outcome<()> {
        let unexpected = self.state.unexpected.lock().unwrap_or_else(PoisonError::into_inner);
        match unexpected.first() {
            None => Ok(()),
            Some(first) => Err(format!("unexpected calls, the first: {first}").into()),
        }
    }
}

impl State {
    fn new(integration: &Integration) -> Outcome<Self> {
        let item = json!({
            "pk": { "S": format!("PROJECT#{}", integration.project) },
            "sk": { "S": format!("INTEGRATION#{}", integration.id) },
            "doc": { "S": serde_json::to_string(integration)? },
        });
        Ok(Self {
            integrations: json!({ "Count": 1, "ScannedCount": 1, "Items": [item] }),
            calls: AtomicU64::default(),
            delivered: AtomicU64::default(),
            unexpected: Mutex::default(),
        })
    }

    fn answer(&self, asked: &Asked) -> Response<Full<Bytes>> {
        let target = asked.header("x-amz-target");
        let body = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let call = (&asked.method, target, body["IndexName"].as_str());
        let said = match call {
            (&Method::POST, "DynamoDB_20120810.Query", Some("unwell")) => {
                Some(json!({ "Count": 0, "ScannedCount": 0, "Items": [] }))
            }
            (&Method::POST, "DynamoDB_20120810.Query", None) => Some(self.integrations.clone()),
            (&Method::POST, "DynamoDB_20120810.UpdateItem", _) => self.count(&body),
            (&Method::POST, "DynamoDB_20120810.BatchWriteItem", _) => log(&body),
            _ => None,
        };
        if let Some(said) = said {
            self.calls.fetch_add(1, Ordering::Relaxed);
            return answer(200, JSON, said.to_string());
        }
        let call = format!("{} {} {target}", asked.method, asked.path);
        self.unexpected.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        let error = json!({ "__type": "com.amazon.coral.validate#ValidationException" });
        answer(400, JSON, error.to_string())
    }

    /// A write of the ledger.
    fn count(&self, body: &Value) -> Option<Value> {
        if !body["Key"]["pk"]["S"].as_str()?.starts_with("LEDGER#") {
            return None;
        }
        let delivered = &body["ExpressionAttributeValues"][":delivered"]["N"];
        let delivered: u64 = delivered.as_str()?.parse().ok()?;
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
        Some(json!({}))
    }
}

/// A write of the delivery log.
fn log(body: &Value) -> Option<Value> {
    let mut puts = body["RequestItems"].as_object()?.values().filter_map(Value::as_array).flatten();
    let is_attempt = |put: &Value| {
        let pk = put["PutRequest"]["Item"]["pk"]["S"].as_str();
        pk.is_some_and(|pk| pk.starts_with("ATTEMPTS#"))
    };
    puts.all(is_attempt).then(|| json!({ "UnprocessedItems": {} }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product;

    fn asked(target: &str, body: &Value) -> Asked {
        let headers = [("x-amz-target".parse().unwrap(), target.parse().unwrap())];
        Asked {
            method: Method::POST,
            path: "/".to_owned(),
            headers: headers.into_iter().collect(),
            body: body.to_string().into(),
        }
    }

    #[test]
    fn what_is_known_is_answered_and_the_rest_is_counted() {
        let state = State::new(&product::integration("http://127.0.0.1/")).unwrap();
        let status = |target: &str, body: Value| state.answer(&asked(target, &body)).status();
        assert_eq!(status("DynamoDB_20120810.Query", json!({})), 200);
        assert_eq!(status("DynamoDB_20120810.Query", json!({ "IndexName": "unwell" })), 200);
        let write = |pk: &str| {
            json!({
                "Key": { "pk": { "S": pk } },
                "ExpressionAttributeValues": { ":delivered": { "N": "7" } },
            })
        };
        assert_eq!(status("DynamoDB_20120810.UpdateItem", write("LEDGER#bench")), 200);
        assert_eq!(state.delivered.load(Ordering::Relaxed), 7);
        let put = |pk: &str| json!({ "RequestItems": { "flagpost": [{ "PutRequest": { "Item": { "pk": { "S": pk } } } }] } });
        assert_eq!(status("DynamoDB_20120810.BatchWriteItem", put("ATTEMPTS#bench")), 200);
        assert!(state.unexpected.lock().unwrap().is_empty());
        assert_eq!(status("DynamoDB_20120810.UpdateItem", write("HEALTH#bench")), 400);
        assert_eq!(status("AmazonSQS.SendMessageBatch", json!({})), 400);
        assert_eq!(status("DynamoDB_20120810.BatchWriteItem", put("HEALTH#bench")), 400);
        assert_eq!(state.unexpected.lock().unwrap().len(), 3);
        assert_eq!(state.delivered.load(Ordering::Relaxed), 7, "health is no delivery");
    }
}
