//! Test sends and previews: what the endpoint got is what is shown, and nothing remembers it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    project::{Project, Webhook},
    python,
    receiver::Reply,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "Bearer t0ken-that-nobody-sees";

#[tokio::test]
async fn a_test_is_signed_sent_shown_and_forgotten() {
    let settings = json!({
        "preset": "standard", "stream": "events", "secret": SECRET, "gzip": true, "headers": {"Authorization": TOKEN},
        "template": "{\"name\": \"${input.name}\"}",
    });
    let (_project, webhook) = Project::with_webhook(settings).await;
    webhook.receiver.answers(|_| Reply::status(503).with("retry-after", "120"));
    let body = tested(&webhook, json!({"event": {"name": "ü 🦊"}})).await;

    let requests = webhook.receiver.received();
    assert_eq!(requests.len(), 1, "no retry");
    let got = &requests[0];
    assert!(got.id().starts_with("test_") && got.is_gzipped());
    assert_eq!((got.text(), got.path.as_str()), ("[{\"name\": \"ü 🦊\"}]", "/impressions"));
    assert_eq!(got.header("authorization"), TOKEN);
    let mut headers = json!({});
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers[name] = got.header(name).into();
    }
    let case = json!([{
        "scheme": "standard_webhooks", "secret": SECRET, "headers": headers, "body": BASE64_STANDARD.encode(&got.body),
    }]);
    assert_eq!(python::run("verify.py", &case).await, json!([true]));

    let shown = &body["request"];
    assert_eq!((&shown["method"], &shown["gzipped"]), (&json!("POST"), &json!(true)));
    assert_eq!(shown["url"], webhook.receiver.url());
    assert_eq!(shown["body"], got.text());
    let names = [
        ("authorization", "***"),
        ("content-encoding", "gzip"),
        ("content-type", got.header("content-type")),
        ("user-agent", got.header("user-agent")),
        ("webhook-id", got.id()),
        ("webhook-signature", "***"),
        ("webhook-timestamp", got.header("webhook-timestamp")),
    ];
    let wanted: serde_json::Map<_, _> =
        names.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    assert_eq!(shown["headers"], Value::Object(wanted));
    assert_eq!(body["answer"], json!({"status": 503, "body": null, "retry_after": "120"}));
    assert_eq!((&body["outcome"], &body["filtered"]), (&json!("waiting"), &json!(false)));
    assert!((0..10_000).contains(&body["duration_ms"].as_i64().unwrap()), "{body}");
    has_forgotten(&webhook).await;
}

#[tokio::test]
async fn every_preset_has_a_sample_that_its_endpoint_gets() {
    for (preset, mark) in [
        ("split", "\"environmentName\":\"Production\""),
        ("statsig", "\"timeUUID\""),
        ("flagsmith", "\"traits\""),
        ("amplitude", "\"$insert_id\""),
    ] {
        let (_project, webhook) = Project::with_webhook(json!({"preset": preset})).await;
        webhook.pause("tests go on").await;
        let body = tested(&webhook, json!({})).await;
        assert_eq!(body["outcome"], "delivered", "{preset}: {body}");
        let requests = webhook.receiver.received();
        assert!(requests.len() == 1 && requests[0].text().contains(mark), "{preset}");
        assert_eq!(body["request"]["body"], requests[0].text());
        webhook.resume().await;
        has_forgotten(&webhook).await;
    }
}

#[tokio::test]
async fn what_is_not_wanted_cannot_be_made_or_may_not_be_reached_is_not_sent() {
    let settings = json!({
        "preset": "standard", "stream": "events", "filter": {"n": [1, 2]}, "template": "${input.a}",
    });
    let (project, webhook) = Project::with_webhook(settings).await;
    let body = tested(&webhook, json!({"event": {"n": 3}})).await;
    assert_eq!((&body["filtered"], &body["request"]), (&json!(true), &Value::Null));
    let body = tested(&webhook, json!({"event": {"n": 1}})).await;
    assert!(body["error"].as_str().unwrap().starts_with("template: line 1, column 3"), "{body}");
    assert_eq!((webhook.receiver.count(), &body["outcome"]), (0, &json!("failed")));
    has_forgotten(&webhook).await;

    // A public name that leads nowhere, and an endpoint where nobody listens.
    for url in ["https://no-such-name.invalid/hook", "http://127.0.0.1:9/"] {
        let receiver = webhook.receiver.clone();
        let settings = json!({"preset": "standard", "stream": "events"});
        let other = project.webhook_at(url, receiver, settings).await;
        let body = tested(&other, json!({})).await;
        assert!(body["answer"].is_null() && body["request"].is_object(), "{body}");
        assert!(!body["error"].as_str().unwrap().is_empty());
        assert_eq!(body["outcome"], "failed");
        has_forgotten(&other).await;
        other.delete().await;
        other.admin("POST", "/test", &[], Some(json!({}))).await.expect(404);
        other.admin("POST", "/preview", &[], Some(json!({}))).await.expect(404);
    }
    webhook.admin("POST", "/test", &[], Some(json!({"event": []}))).await.expect(400);
}

#[tokio::test]
async fn a_preview_shows_what_is_sent_or_where_the_fault_is() {
    let (_project, webhook) = Project::with_webhook(json!({"preset": "amplitude"})).await;
    let preview = async |body: Value| webhook.admin("POST", "/preview", &[], Some(body)).await;
    let template = "{\"id\": \"${input.user}\"}";
    let given = json!({"event": {"user": "u"}, "template": template, "filter": {"user": [{"prefix": "u"}]}});
    let shown = preview(given.clone()).await.expect(200).body;
    let wanted =
        json!({"matches": true, "payload": "{\"id\": \"u\"}", "content_type": "application/json"});
    assert_eq!(shown, wanted);
    assert_eq!(webhook.receiver.count(), 0);

    webhook.change(json!({"template": template, "filter": given["filter"]})).await;
    let body = tested(&webhook, json!({"event": given["event"]})).await;
    assert_eq!(body["request"]["body"], shown["payload"]);
    assert_eq!(webhook.receiver.received()[0].text(), shown["payload"]);

    let fault = preview(json!({"event": {}, "filter": null})).await.expect(200).body;
    assert_eq!((&fault["matches"], &fault["fault"]["field"]), (&json!(true), &json!("template")));
    assert_eq!((&fault["fault"]["line"], &fault["fault"]["column"]), (&json!(1), &json!(11)));
    let fault = preview(json!({"filter": {"user": "u"}})).await.expect(200).body;
    assert_eq!(
        (&fault["fault"]["field"], &fault["fault"]["path"]),
        (&json!("filter"), &json!("/user"))
    );
    preview(json!({"template": 7})).await.expect(400);
}

async fn tested(webhook: &Webhook, body: Value) -> Value {
    let answer = webhook.admin("POST", "/test", &[], Some(body)).await.expect(200).body;
    let text = answer.to_string();
    assert!(!text.contains("nobody-sees") && !text.contains("whsec_"), "{text}");
    answer
}

/// Neither health nor ledger knows of a test.
async fn has_forgotten(webhook: &Webhook) {
    let status = webhook.status().await;
    assert_eq!(status.state(), "well", "{status:?}");
    assert_eq!(status.0["ledger"]["hours"], json!([]), "{status:?}");
    assert_eq!(status.backlog("deliveries"), 0, "{status:?}");
}
