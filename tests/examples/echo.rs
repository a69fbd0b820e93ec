//! A function that does as it is told: for the tests of the Runtime API emulator.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (payload, context) = event.into_parts();
    match payload["do"].as_str() {
        Some("fail") => Err("as you wish".into()),
        Some("exit") => std::process::exit(7),
        Some("hang") => std::future::pending().await,
        _ => Ok(json!({
            "payload": payload,
            "request": context.request_id,
            "deadline": context.deadline,
            "region": variable("AWS_REGION"),
            "given": variable("GIVEN"),
            "home": variable("HOME"),
        })),
    }
}

#[expect(clippy::disallowed_methods, reason = "it tells the environment that it was given")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
