//! Headers of the customer's own, and what is secret: it goes to the endpoint and is never shown.

use serde_json::{Value, json};

use crate::{
    api::Answer,
    project::{Project, Webhook},
};

const SECRET: &str = "s3cret-that-nobody-sees";
const TOKEN: &str = "Bearer t0ken-that-nobody-sees";
const API_KEY: &str = "k3y-that-nobody-sees";

#[tokio::test]
async fn a_customers_headers_are_sent_and_take_the_place_of_the_presets() {
    let headers = json!({
        "Authorization": TOKEN, "X-Api-Key": API_KEY, "user-agent": "Their own/2", "Content-Type": "application/vnd.x+json",
        "X-Fifth": "a \t b",
    });
    let (project, webhook) =
        Project::with_webhook(json!({"preset": "amplitude", "headers": headers})).await;
    project.send("/v1/events", &[], r#"{"n":1}"#).await.expect(202);
    webhook.has_settled(1).await;
    let request = &webhook.receiver.received()[0];
    let wanted = [
        ("authorization", TOKEN),
        ("content-type", "application/vnd.x+json"),
        ("user-agent", "Their own/2"),
        ("x-api-key", API_KEY),
        ("x-fifth", "a \t b"),
    ];
    assert_eq!(request.own_headers(), wanted.into());
}

#[tokio::test]
async fn headers_that_are_not_a_customers_are_refused_by_name() {
    let (_project, webhook) = Project::with_webhook(json!({"preset": "amplitude"})).await;
    for (headers, field) in [
        (json!({"Host": "x"}), "headers.Host"),
        (json!({"Content-Length": "1"}), "headers.Content-Length"),
        (json!({"Transfer-Encoding": "chunked"}), "headers.Transfer-Encoding"),
        (json!({"Webhook-Signature": "v1,x"}), "headers.Webhook-Signature"),
        (json!({"x y": "x"}), "headers.x y"),
        (json!({"X-A": "a\r\nX-B: b"}), "headers.X-A"),
        (json!({"1": "1", "2": "2", "3": "3", "4": "4", "5": "5", "6": "6"}), "headers"),
    ] {
        let body = patch(&webhook, json!({"headers": headers})).await.expect(400).body;
        assert_eq!(body["errors"][0]["field"], field, "{body}");
    }
}

#[tokio::test]
async fn no_answer_shows_what_is_secret() {
    let project = Project::new().await;
    let settings = json!({
        "name": "secretive", "url": "http://127.0.0.1:9/", "preset": "statsig", "secret": SECRET,
        "headers": {"Authorization": TOKEN, "X-Api-Key": API_KEY},
    });
    let under = format!("/{}/integrations", project.id);
    let made = project.admin("POST", &under, Some(settings.clone())).await.expect(201);
    let set = json!({"set": true});
    assert_eq!(made.body["secret"], set);
    assert_eq!(made.body["headers"], json!({"Authorization": set, "X-Api-Key": set}));
    let path = format!("{under}/{}", made.text("id"));
    let taken = project.admin("POST", &under, Some(settings)).await.expect(409);
    let webhook = project
        .webhook(json!({"preset": "statsig", "secret": SECRET, "headers": {"X-Api-Key": TOKEN}}))
        .await;

    let shown = [
        project.admin("GET", &path, None).await.expect(200),
        project.admin("GET", &under, None).await.expect(200),
        project.admin("GET", &format!("{path}/status"), None).await.expect(200),
        patch(&webhook, json!({"max_events": 7})).await.expect(200),
        // What was shown can be sent back, and leaves what is secret as it is.
        patch(&webhook, json!({"secret": {"set": true}, "headers": {"X-Api-Key": {"set": true}}}))
            .await
            .expect(200),
        patch(&webhook, json!({"secret": [SECRET]})).await.expect(400),
        patch(&webhook, json!({"secret": SECRET.repeat(20)})).await.expect(400),
        patch(&webhook, json!({"headers": {"X-Api-Key": format!("{API_KEY}\n")}}))
            .await
            .expect(400),
        patch(&webhook, json!({"headers": {"Host": API_KEY, "X-Api-Key": [TOKEN]}}))
            .await
            .expect(400),
        patch(&webhook, json!({"signature": "standard_webhooks", "secret": SECRET}))
            .await
            .expect(400),
        patch(&webhook, json!({"url": SECRET, "secret": SECRET})).await.expect(400),
        webhook
            .admin("PATCH", "", &[("if-match", "\"99\"")], Some(json!({"secret": SECRET})))
            .await
            .expect(412),
        webhook.admin("PATCH", "", &[], Some(json!({"secret": SECRET}))).await.expect(428),
        webhook
            .admin("POST", "/secret", &[], Some(json!({"secret": SECRET, "overlap_hours": 5})))
            .await
            .expect(400),
        webhook.admin("POST", "/secret", &[], Some(json!({"secret": "short"}))).await.expect(400),
        webhook.admin("GET", "", &[], None).await.expect(200),
        made,
        taken,
    ];
    for answer in &shown {
        for secret in [SECRET, TOKEN, API_KEY, "t0ken", "k3y-"] {
            let url_is_shown = answer.body["errors"][0]["field"] == "url";
            assert!(!answer.body.to_string().contains(secret) || url_is_shown, "{}", answer.body);
        }
    }

    // A rotation alone shows the new one, once.
    let rotated = webhook.admin("POST", "/secret", &[], Some(json!({}))).await.expect(200);
    let new = rotated.text("secret");
    assert_eq!(new.len(), 64);
    let after = webhook.admin("GET", "", &[], None).await.expect(200);
    assert!(
        !after.body.to_string().contains(&new) && after.body["secret"] == set,
        "{}",
        after.body
    );
    let gone = patch(&webhook, json!({"secret": null, "headers": null})).await.expect(200);
    assert!(
        gone.body.get("secret").is_none() && gone.body.get("headers").is_none(),
        "{}",
        gone.body
    );
}

#[tokio::test]
async fn what_was_set_stays_when_what_is_shown_is_sent_back() {
    let settings = json!({"preset": "statsig", "secret": SECRET, "headers": {"X-Api-Key": API_KEY, "X-Other": "o"}});
    let (project, webhook) = Project::with_webhook(settings).await;
    let shown = webhook.admin("GET", "", &[], None).await.expect(200).body;
    let back = json!({"secret": shown["secret"], "headers": {"X-Api-Key": shown["headers"]["X-Api-Key"], "X-Other": null}});
    patch(&webhook, back).await.expect(200);
    project.send("/v1/events", &[], r#"{"n":1}"#).await.expect(202);
    webhook.has_settled(1).await;
    let request = &webhook.receiver.received()[0];
    assert_eq!(request.header("x-api-key"), API_KEY);
    assert!(request.header("x-statsig-signature").starts_with("v0="));
}

#[tokio::test]
async fn the_presets_are_listed_with_their_settings() {
    let project = Project::new().await;
    let authorization = crate::api::bearer(&project.stack.admin_key);
    let headers = [("authorization", authorization.as_str())];
    let answer = project.api.call("GET", "/v1/presets", &headers, "").await.expect(200);
    let presets = answer.body["presets"].as_object().unwrap();
    assert_eq!(
        presets.keys().collect::<Vec<_>>(),
        ["amplitude", "flagsmith", "split", "standard", "statsig"]
    );
    assert_eq!(
        (&presets["split"]["success"], &presets["amplitude"]["immediate_retry"]),
        (&json!("200"), &json!("backoff"))
    );
    assert_eq!(project.api.call("GET", "/v1/presets", &[], "").await.status, 401);
}

async fn patch(webhook: &Webhook, settings: Value) -> Answer {
    webhook.admin("PATCH", "", &[("if-match", "*")], Some(settings)).await
}
