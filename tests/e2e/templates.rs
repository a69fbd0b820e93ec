//! Templates: what becomes of an event that the template fails for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    project::{Project, Webhook},
    receiver::Received,
};

#[tokio::test]
async fn an_event_that_the_template_fails_for_is_delivered_once_it_is_mended() {
    let settings =
        json!({"preset": "amplitude", "template": r#"{"plan": "${input.plan}", "n": ${input.n}}"#});
    let (project, webhook) = Project::with_webhook(settings).await;
    let events = json!([
        {"n": 1, "plan": "free"},
        {"n": 2},
        {"n": 3, "plan": "pro"},
        {"n": "not a number", "plan": "pro"},
    ]);
    project.send("/v1/events", &[], events.to_string()).await.expect(202);
    let status = webhook
        .until("the others are delivered", |status| {
            status.counts().delivered == 2
                && status.counts().scheduled > status.counts().unscheduled
        })
        .await;
    assert_eq!(status.counts().matched, 4, "{status:?}");
    assert_eq!(status.state(), "well", "a template's fault is not the endpoint's");
    assert!(status.balances(), "{status:?}");
    assert_eq!(bodies(&webhook), [json!({"plan": "free", "n": 1}), json!({"plan": "pro", "n": 3})]);

    webhook
        .change(json!({"template": r#"{"plan": "${input.plan!"none"}", "n": "${input.n}"}"#}))
        .await;
    webhook.has_settled(4).await;
    let taken = bodies(&webhook);
    let mended: BTreeSet<_> = taken[2..].iter().map(Value::to_string).collect();
    let wanted = [json!({"plan": "none", "n": "2"}), json!({"plan": "pro", "n": "not a number"})];
    assert_eq!(mended, wanted.iter().map(Value::to_string).collect());
    assert_eq!(taken.len(), 4, "nothing was sent twice");
    let requests = webhook.receiver.received();
    let ids: BTreeSet<_> = requests.iter().map(Received::id).collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
}

#[tokio::test]
async fn in_an_array_the_others_go_without_it() {
    let settings =
        json!({"preset": "standard", "stream": "events", "template": r#"{"n": ${input.n}}"#});
    let (project, webhook) = Project::with_webhook(settings).await;
    project.send("/v1/events", &[], r#"[{"n":1},{"m":2},{"n":3}]"#).await.expect(202);
    webhook.until_requests(1).await;
    let status = webhook.until("it is known", |status| status.counts().delivered == 2).await;
    assert_eq!(status.state(), "well");
    webhook.change(json!({"template": r#"{"n": ${input.n!2}}"#})).await;
    webhook.has_settled(3).await;
    let texts: Vec<_> =
        webhook.receiver.received().iter().map(|one| one.text().to_owned()).collect();
    assert_eq!(texts, [r#"[{"n": 1},{"n": 3}]"#, r#"[{"n": 2}]"#]);
}

#[tokio::test]
async fn text_goes_as_text() {
    let settings = json!({
        "preset": "amplitude", "template": "${input.name} signed up", "template_result": "text",
    });
    let (project, webhook) = Project::with_webhook(settings).await;
    project.send("/v1/events", &[], r#"{"name":"Zoë"}"#).await.expect(202);
    webhook.has_settled(1).await;
    let request = &webhook.receiver.received()[0];
    assert_eq!(request.text(), "Zoë signed up");
    assert_eq!(request.header("content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn a_faulty_template_is_refused_with_its_place() {
    let (_project, webhook) =
        Project::with_webhook(json!({"preset": "amplitude", "stream": "events"})).await;
    for (template, place, fault) in [
        ("ok\n <#if input.a>", "line 2, column 2", "if"),
        ("<#include 'x'>", "line 1, column 1", "include"),
        ("${input.a?eval}", "line 1", "eval"),
    ] {
        let answer =
            webhook.admin("PATCH", "", &[("if-match", "*")], Some(json!({"template": template})));
        let body = answer.await.expect(400).body;
        let detail = body["errors"][0]["detail"].as_str().unwrap();
        assert_eq!(body["errors"][0]["field"], "template");
        assert!(detail.contains(place) && detail.contains(fault), "{detail}");
    }
}

fn bodies(webhook: &Webhook) -> Vec<Value> {
    let received = webhook.receiver.received();
    received.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}
