//! Which events an integration gets: by filter, by Statsig's categories, by environment, and while it is enabled.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    api::bearer,
    project::{Project, Webhook},
    stack::now,
    wait::{let_pass, until},
};

/// Functions learn of a change within this time; see `docs/api.md`.
const CHANGE_IS_KNOWN: Duration = Duration::from_secs(35);

#[tokio::test]
async fn a_filter_picks_events_by_their_fields() {
    let project = Project::new().await;
    let with = async |filter: Value| {
        let settings = json!({"preset": "amplitude", "payload": "array", "filter": filter});
        project.webhook(settings).await
    };
    let exact = with(json!({"event_type": ["purchase", "refund"]})).await;
    let nested = with(json!({"user_properties": {"email": [{"suffix": "@example.com"}]}})).await;
    let numbers =
        with(json!({"event_properties": {"price": [{"numeric": [">=", 10, "<", 100]}]}})).await;
    let either =
        with(json!({"$or": [{"country": [{"anything-but": ["US"]}]}, {"tags": ["vip"]}]})).await;
    let absent = with(json!({"user_id": [{"exists": false}]})).await;
    let none = with(json!({"event_type": ["no such"]})).await;
    let events = [
        json!({"n": 0, "event_type": "purchase", "user_id": "u", "event_properties": {"price": 10}, "country": "US"}),
        json!({"n": 1, "event_type": "refund", "user_id": "u", "event_properties": {"price": 100}, "country": "DE"}),
        json!({"n": 2, "event_type": "Purchase", "user_properties": {"email": "a@example.com"}}),
        json!({"n": 3, "event_type": "view", "user_id": null, "tags": ["new", "vip"], "country": "US",
               "event_properties": {"price": 99.99}}),
    ];
    project.send("/v1/events", &[], json!(events).to_string()).await.expect(202);
    for (webhook, wanted) in [
        (&exact, vec![0, 1]),
        (&nested, vec![2]),
        (&numbers, vec![0, 3]),
        (&either, vec![1, 3]),
        (&absent, vec![2]),
        (&none, vec![]),
    ] {
        webhook.has_settled(wanted.len()).await;
        let taken: Vec<_> = numbers_of(webhook);
        assert_eq!(taken, wanted, "{}", webhook.status().await.0);
    }
}

#[tokio::test]
async fn statsigs_categories_pick_exposures_changes_and_custom_events() {
    let project = Project::new().await;
    let with = async |categories: Value| {
        project.webhook(json!({"preset": "statsig", "statsig_events": categories})).await
    };
    let exposures =
        with(json!({"exposures": true, "config_changes": false, "custom_events": {"include": []}}))
            .await;
    let one = with(json!({"exposures": false, "config_changes": false, "custom_events": {"include": ["purchase"]}})).await;
    let others = with(json!({"exposures": false, "config_changes": true, "custom_events": {"all_except": ["purchase"]}})).await;
    let names = [
        "page_view",
        "statsig::gate_exposure",
        "purchase",
        "statsig::config_change",
        "statsig::experiment_exposure",
    ];
    let events: Vec<_> =
        (0..).zip(names).map(|(n, name)| json!({"eventName": name, "n": n})).collect();
    project.send("/v1/events", &[], json!(events).to_string()).await.expect(202);
    for (webhook, wanted) in [(&exposures, vec![1, 4]), (&one, vec![2]), (&others, vec![0, 3])] {
        webhook.has_settled(wanted.len()).await;
        assert_eq!(numbers_of(webhook), wanted);
    }
}

#[tokio::test]
async fn each_of_several_environments_is_taken_and_no_other() {
    let project = Project::new().await;
    let webhooks = [json!(["staging", "test"]), json!(["test"]), json!([])];
    let mut made = Vec::new();
    for environments in webhooks {
        let settings =
            json!({"preset": "amplitude", "payload": "array", "environments": environments});
        made.push(project.webhook(settings).await);
    }
    for (n, environment) in ["staging", "test", "elsewhere"].into_iter().enumerate() {
        let key = bearer(&project.new_key(environment, environment).await.text("key"));
        let headers = [("authorization", key.as_str())];
        let body = json!({"n": n}).to_string();
        project.api.call("POST", "/v1/events", &headers, body).await.expect(202);
    }
    for (webhook, wanted) in made.iter().zip([vec![0, 1], vec![1], vec![0, 1, 2]]) {
        webhook.has_settled(wanted.len()).await;
        assert_eq!(numbers_of(webhook), wanted);
    }
}

#[tokio::test]
async fn while_it_is_disabled_nothing_is_taken() {
    let settings = json!({"preset": "amplitude", "payload": "array", "enabled": false});
    let (project, webhook) = Project::with_webhook(settings).await;
    let post = async |n: i64| {
        project.send("/v1/events", &[], json!({"n": n}).to_string()).await.expect(202);
    };
    post(0).await;
    webhook.has_settled(0).await;
    assert_eq!(webhook.status().await.state(), "disabled");
    // Long enough for the event to be gone: it is never taken up again.
    let_pass(Duration::from_secs(5)).await;

    webhook.change(json!({"enabled": true})).await;
    let began = now();
    let mut n = 0;
    until("events are taken", async || {
        n += 1;
        post(n).await;
        let_pass(Duration::from_secs(2)).await;
        if webhook.receiver.count() > 0 { Ok(()) } else { Err("none".to_owned()) }
    })
    .await;
    assert!(now().since(began) < CHANGE_IS_KNOWN + Duration::from_secs(20), "{n} events");
    assert!(!numbers_of(&webhook).contains(&0));

    webhook.change(json!({"enabled": false})).await;
    let_pass(CHANGE_IS_KNOWN).await;
    let before = webhook.status().await.counts().matched;
    post(1_000).await;
    let_pass(Duration::from_secs(5)).await;
    let status = webhook.status().await;
    assert_eq!((status.counts().matched, status.state()), (before, "disabled"));
    assert!(status.balances() && !numbers_of(&webhook).contains(&1_000), "{status:?}");
}

/// `n` of every event that was taken, each once, in order.
fn numbers_of(webhook: &Webhook) -> Vec<i64> {
    let taken = webhook.receiver.accepted();
    let numbers: BTreeSet<_> = taken.iter().map(|event| event["n"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), taken.len(), "each came once");
    numbers.into_iter().collect()
}
