use std::os::unix::process::ExitStatusExt;

use serde_json::{Value, json};

use super::*;

const PLENTY: Duration = Duration::from_secs(30);
const NOTHING: [(&str, &str); 0] = [];

async fn spawn<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>) -> Function {
    // The example is built with the tests, and lies beside them.
    let tests = std::env::current_exe().unwrap();
    let example = tests.parent().unwrap().with_file_name("examples").join("echo");
    Function::spawn(example, environment).await.unwrap()
}

fn told(what: &str) -> Bytes {
    json!({ "do": what }).to_string().into()
}

async fn echo(function: &Function, payload: &Value) -> Value {
    let answer = function.invoke(payload.to_string().into(), PLENTY).await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[tokio::test]
async fn a_function_answers_one_invocation_after_the_other() {
    let function = spawn([("GIVEN", "this")]).await;
    assert!(function.first_next().await.unwrap() < PLENTY);
    let now = in_ms(Duration::ZERO);
    let (first, second) = (json!({"n": 1}), json!({"n": 2}));
    let (first, second) = tokio::join!(echo(&function, &first), echo(&function, &second));
    assert_eq!((&first["payload"]["n"], &second["payload"]["n"]), (&json!(1), &json!(2)));
    assert_ne!(first["request"], second["request"]);
    let deadline = u128::from(first["deadline"].as_u64().unwrap());
    assert!(deadline >= now + PLENTY.as_millis(), "{deadline}");
    assert_eq!(first["region"], "us-east-1");
    assert_eq!(first["given"], "this");
    assert_eq!(first["home"], Value::Null, "nothing of our environment is passed on");
}

#[tokio::test]
async fn a_failed_invocation_is_told_and_the_next_one_goes_well() {
    let function = spawn(NOTHING).await;
    let Err(Ended::Failed(error)) = function.invoke(told("fail"), PLENTY).await else {
        panic!("it did not fail");
    };
    let error: Value = serde_json::from_slice(&error).unwrap();
    assert_eq!(error["errorMessage"], "as you wish");
    assert_eq!(echo(&function, &json!({"n": 1})).await["payload"]["n"], 1);
}

#[tokio::test]
async fn a_process_that_ends_is_told_during_an_invocation_and_after_it() {
    let function = spawn(NOTHING).await;
    for _ in 0..2 {
        let Err(Ended::Died(status)) = function.invoke(told("exit"), PLENTY).await else {
            panic!("it did not end");
        };
        assert_eq!(status.code(), Some(7));
    }
    assert!(function.freeze().await.is_err());
}

#[tokio::test]
async fn a_function_out_of_time_is_killed() {
    let function = spawn(NOTHING).await;
    let ended = function.invoke(told("hang"), Duration::from_millis(50)).await;
    assert_eq!(ended, Err(Ended::TimedOut));
    assert_eq!(function.ended().await.signal(), Some(9));
}

#[tokio::test]
async fn a_killed_function_leaves_its_invocation_and_another_container_takes_it() {
    let (function, other) = tokio::join!(spawn(NOTHING), spawn(NOTHING));
    assert_ne!(function.pid(), other.pid());
    let (ended, status) = tokio::join!(function.invoke(told("hang"), PLENTY), async {
        function.first_next().await.unwrap();
        function.kill().await
    });
    assert_eq!(status.signal(), Some(9));
    assert_eq!(ended, Err(Ended::Died(status)));
    assert_eq!(echo(&other, &json!({"n": 1})).await["payload"]["n"], 1);
}

#[tokio::test]
async fn a_frozen_function_answers_when_it_is_thawed_or_is_killed_frozen() {
    let function = spawn(NOTHING).await;
    function.first_next().await.unwrap();
    function.freeze().await.unwrap();
    let payload = json!({"n": 1});
    let invocation = echo(&function, &payload);
    tokio::pin!(invocation);
    // It cannot have been answered: it stands still.
    let early = tokio::select! {
        biased;
        answer = &mut invocation => Some(answer),
        () = tokio::task::yield_now() => None,
    };
    assert_eq!(early, None);
    function.thaw().await.unwrap();
    assert_eq!(invocation.await["payload"]["n"], 1);
    function.freeze().await.unwrap();
    assert_eq!(function.kill().await.signal(), Some(9));
}

#[tokio::test]
async fn what_a_function_writes_is_kept() {
    let function = Function::spawn_with("sh", ["-c", "echo out; echo err >&2; exit 3"], NOTHING);
    let function = function.await.unwrap();
    let Err(Ended::Died(status)) = function.first_next().await else {
        panic!("it did not end");
    };
    assert_eq!(status.code(), Some(3));
    while !(function.logs().contains("out\n") && function.logs().contains("err\n")) {
        tokio::task::yield_now().await;
    }
}
