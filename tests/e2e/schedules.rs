//! What `EventBridge`'s schedules send to `drain`.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use reqwest::Client;
use serde_json::{Value, json};

use crate::stack::Stack;

#[tokio::test]
async fn the_sweep_says_how_many_wake_ups_it_sent() {
    let (failed, said, logged) = drain(&json!({"task": "sweep"})).await;
    assert!(!failed && said["sent"].is_u64(), "{said}");
    // An alarm tells where this is missing.
    assert!(logged.contains(r#""Sweeps":1"#), "{logged}");
}

#[tokio::test]
async fn expiry_says_how_many_deliveries_it_deleted() {
    let (failed, said, logged) = drain(&json!({"task": "expire"})).await;
    assert!(!failed && said == json!({"expired": 0}), "nothing is that old: {said}");
    assert!(!logged.contains("Sweeps"), "{logged}");
}

#[tokio::test]
async fn another_task_is_an_error() {
    for input in [json!({"task": "explode"}), json!({}), json!([]), json!("sweep")] {
        let (failed, said, _) = drain(&input).await;
        assert!(failed && said["errorMessage"].is_string(), "{input}: {said}");
    }
}

/// Invokes the function with an input, as a schedule does: whether it failed, what it said, and the end
/// of what it logged.
async fn drain(input: &Value) -> (bool, Value, String) {
    let stack = Stack::open().await;
    let function = stack.output("DrainFunctionName");
    let url = format!("{}/2015-03-31/functions/{function}/invocations", stack.endpoint);
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().unwrap();
    let asked = client.post(url).header("x-amz-log-type", "Tail").body(input.to_string());
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let failed = answer.headers().contains_key("x-amz-function-error");
    let tail = STANDARD.decode(&answer.headers()["x-amz-log-result"]).unwrap();
    let logged = String::from_utf8_lossy(&tail).into_owned();
    (failed, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(), logged)
}
