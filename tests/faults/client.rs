//! A client of `ingest`: it sends events, and sends them again until they are accepted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{fleet::Fleet, wait::pass};

/// How long it waits before it sends a request again.
const AGAIN: Duration = Duration::from_millis(50);
/// So often nothing fails that is to be well in the end.
const ENOUGH: usize = 500;

/// Sends one impression for each of these keys, all in one request, until it is accepted: how often
/// it was sent.
pub(crate) async fn post(ingest: &Fleet, key: &str, keys: &[String]) -> usize {
    let impressions: Vec<_> = keys
        .iter()
        .map(|key| {
            let time: i64 = 1_795_237_200_000;
            json!({"key": key, "split": "new-checkout", "treatment": "on", "time": time})
        })
        .collect();
    let request = request(key, &json!(impressions)).to_string();
    let mut seen = String::new();
    for sent in 1..ENOUGH {
        match ingest.invoke(request.clone().into()).await {
            Ok(answer) => {
                let answer: Value = serde_json::from_slice(&answer).unwrap();
                if answer["statusCode"] == 202 {
                    return sent;
                }
                // Anything else would be refused for ever.
                assert!(answer["statusCode"].as_u64().unwrap() >= 500, "{answer}");
                seen = answer.to_string();
            }
            Err(ended) => seen = ended.to_string(),
        }
        pass(AGAIN).await;
    }
    panic!("not accepted in {ENOUGH} requests; seen last: {seen}");
}

/// What API Gateway makes of a request.
fn request(key: &str, body: &Value) -> Value {
    let path = "/v1/impressions";
    json!({
        "version": "2.0",
        "routeKey": format!("POST {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": format!("Bearer {key}"), "content-type": "application/json"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "faults",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "faults",
            },
            "requestId": "faults",
            "routeKey": format!("POST {path}"),
            "stage": "$default",
            "timeEpoch": 0,
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}
