use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    ingest::{Ingest, Limits},
    native::{
        Post,
        tests::stand::{KEY, LIMITS, Stand, body},
    },
    problem::Kind,
};

const SECOND: Duration = Duration::from_secs(1);
/// Seven days and not quite.
const ALMOST: Duration = Duration::from_secs(7 * 86_400 - 1);

fn upload(events: &[(&str, &str)]) -> Post {
    let event = |(device, insert): &(&str, &str)| json!({"event_type": "e", "device_id": device, "insert_id": insert, "time": 1});
    let events: Vec<Value> = events.iter().map(event).collect();
    Post::to("/2/httpapi", json!({"api_key": KEY, "events": events}).to_string())
}

async fn delivered(stand: &Stand, post: Post) -> usize {
    let (outcome, answer) = stand.serve(post).await;
    let accepted = outcome.unwrap();
    let ingested = body(&answer)["events_ingested"].clone();
    assert_eq!(ingested, json!(accepted.events + accepted.repeated), "all are accepted");
    assert_eq!(stand.texts().len(), accepted.events);
    accepted.events
}

#[tokio::test]
async fn a_repeated_event_is_accepted_and_delivered_once_within_seven_days() {
    let stand = Stand::new();
    let post = || upload(&[("device-1", "a"), ("device-1", "b")]);
    assert_eq!(delivered(&stand, post()).await, 2);
    assert_eq!(delivered(&stand, post()).await, 0);
    let more =
        upload(&[("device-2", "a"), ("device-1", "c"), ("device-1", "c"), ("device-1", "b")]);
    assert_eq!(delivered(&stand, more).await, 2, "by device and id, and once in one request too");
    stand.0.pass(ALMOST);
    assert_eq!(delivered(&stand, post()).await, 0);
    stand.0.pass(SECOND);
    assert_eq!(delivered(&stand, post()).await, 2);
}

#[tokio::test]
async fn without_a_device_it_is_the_users_and_without_an_id_it_is_new() {
    let stand = Stand::new();
    let events = json!([
        {"event_type": "e", "user_id": "user-1", "insert_id": "a"},
        {"event_type": "e", "user_id": "user-2", "insert_id": "a"},
        {"event_type": "e", "user_id": "user-2"},
    ]);
    let post = || Post::to("/batch", json!({"api_key": KEY, "events": events}).to_string());
    assert_eq!(delivered(&stand, post()).await, 3);
    assert_eq!(delivered(&stand, post()).await, 1);
}

#[tokio::test]
async fn an_empty_id_is_none_and_a_users_is_no_devices() {
    let stand = Stand::new();
    let events = json!([
        {"event_type": "e", "device_id": "", "user_id": "user-1", "insert_id": "a"},
        {"event_type": "e", "device_id": "", "user_id": "user-2", "insert_id": "a"},
        {"event_type": "e", "device_id": "user-1", "insert_id": "a"},
        {"event_type": "e", "user_id": "user-1", "insert_id": ""},
        {"event_type": "e", "user_id": "user-1", "insert_id": ""},
    ]);
    let post = || Post::to("/batch", json!({"api_key": KEY, "events": events}).to_string());
    assert_eq!(delivered(&stand, post()).await, 5);
    assert_eq!(delivered(&stand, post()).await, 2, "those whose insert_id is empty");
    let absent = json!([{"event_type": "e", "user_id": "user-2", "insert_id": "a"}]);
    let post = Post::to("/batch", json!({"api_key": KEY, "events": absent}).to_string());
    assert_eq!(delivered(&stand, post).await, 0, "absent is as good as empty");
}

#[tokio::test]
async fn what_was_not_queued_can_be_sent_again() {
    let stand = Stand::new();
    let post = || upload(&[("device-1", "a")]);
    stand.0.fail("send", 1);
    let (outcome, answer) = stand.serve(post()).await;
    assert_eq!(outcome.unwrap_err().kind, Kind::Unavailable);
    assert_eq!((answer.status, &body(&answer)["code"]), (503, &json!(503)));
    assert_eq!(delivered(&stand, post()).await, 1, "at once: the claim was released");
}

#[tokio::test]
async fn a_crash_between_claim_and_queue_loses_nothing() {
    let stand = Stand::new();
    let post = || upload(&[("device-1", "a"), ("device-1", "b")]);
    // Neither queued nor released: all that is left of a crash.
    stand.0.fail("send", 1);
    stand.0.fail("release", 9);
    stand.serve(post()).await.0.unwrap_err();
    let (outcome, answer) = stand.serve(post()).await;
    assert_eq!(outcome.unwrap_err().kind, Kind::Unavailable, "not known, so not accepted");
    assert_eq!(answer.headers, [("retry-after", "1".to_owned())]);
    stand.0.pass(Duration::from_secs(5));
    assert_eq!(delivered(&stand, post()).await, 2);
}

#[tokio::test]
async fn a_claim_of_another_keeps_none_of_ours() {
    let stand = Stand::new();
    stand.0.fail("send", 1);
    stand.0.fail("release", 1);
    stand.serve(upload(&[("device-1", "a")])).await.0.unwrap_err();
    stand.serve(upload(&[("device-1", "a"), ("device-1", "b")])).await.0.unwrap_err();
    assert_eq!(delivered(&stand, upload(&[("device-1", "b")])).await, 1);
}

#[tokio::test]
async fn while_the_table_cannot_be_asked_events_are_new() {
    let stand = Stand::new();
    let post = || upload(&[("device-1", "a")]);
    assert_eq!(delivered(&stand, post()).await, 1);
    stand.0.fail("claim", 1);
    assert_eq!(delivered(&stand, post()).await, 1, "rather twice than never");
    assert_eq!(delivered(&stand, post()).await, 0);
}

#[tokio::test]
async fn an_event_that_could_not_be_confirmed_is_delivered_again_rather_than_lost() {
    let stand = Stand::new();
    let post = || upload(&[("device-1", "a")]);
    stand.0.fail("confirm", 1);
    assert_eq!(delivered(&stand, post()).await, 1);
    stand.0.pass(Duration::from_secs(5));
    assert_eq!(delivered(&stand, post()).await, 1);
    assert_eq!(delivered(&stand, post()).await, 0);
}

#[tokio::test]
async fn it_can_be_turned_off_and_then_costs_no_call() {
    let stand = Stand::new();
    let limits = Limits { deduplicate: false, ..LIMITS };
    let ingest = Ingest::new(&stand.0, &stand.0, &stand.0, limits);
    for _ in 0..2 {
        let accepted = ingest.accept(upload(&[("device-1", "a")])).await.unwrap();
        assert_eq!((accepted.events, accepted.repeated), (1, 0));
    }
    assert_eq!(stand.0.state().calls.get("claim"), None);
}

#[tokio::test]
async fn other_routes_cost_no_call() {
    let stand = Stand::new();
    let post = Post::to("/v1/log_event", json!({"events": [{"eventName": "e"}]}).to_string());
    stand.serve(post.with("statsig-api-key", format!("secret-{KEY}"))).await.0.unwrap();
    assert_eq!(stand.0.state().calls.get("claim"), None);
}
