//! Each preset as its vendor's page has it: what a client posts, and the request that the customer's endpoint gets, body
//! and all headers.

use serde_json::{Value, json, value::RawValue};

use crate::{
    project::{Project, Webhook},
    python,
    receiver::{Received, Reply},
    sample::{ENVIRONMENT, ENVIRONMENT_NAME},
};

const FLAGPOST: &str = concat!("Flagpost/", env!("CARGO_PKG_VERSION"));
/// Split, "Webhook - Impressions": each field with its type.
const SPLIT_IMPRESSIONS: &str = include_str!("../fixtures/split-impressions.txt");
/// Statsig, "Event Webhook", "Example Batch".
const STATSIG_BATCH: &str = include_str!("../fixtures/statsig-batch.json");
/// Flagsmith, "Webhook Analytics Integration", "Webhook JSON Schema".
const FLAGSMITH_IDENTITY: &str = include_str!("../fixtures/flagsmith-identity.json");
/// Amplitude, "Send Events to Webhooks", "Example template", and what it results in.
const AMPLITUDE_TEMPLATE: &str = include_str!("../fixtures/amplitude-template.ftl");
const AMPLITUDE_RESULT: &str = include_str!("../fixtures/amplitude-result.json");

#[tokio::test]
async fn split_sends_its_fourteen_fields_gzipped_and_takes_200_alone_for_success() {
    let (project, webhook) = Project::with_webhook(json!({"preset": "split"})).await;
    let mut answers = [204, 200].into_iter();
    webhook.receiver.answers(move |_| Reply::status(answers.next().unwrap_or(200)));
    // In another order than the page's.
    let impression = r#"{"sdkVersion":"10.7.0","sdk":"python","splitVersionNumber":1700000000000,"machineIp":"192.0.2.7",
        "machineName":"web-1","label":"default rule","bucketingKey":"bucket","time":1795221661790,"treatment":"on",
        "split":"checkout_flow","key":"user_1","properties":"{\"page\":\"home\"}"}"#;
    project.send("/v1/impressions", &[], impression).await.expect(202);
    webhook.has_settled(1).await;

    let requests = webhook.receiver.received();
    let [refused, taken] = &requests[..] else { panic!("{} requests", requests.len()) };
    assert_eq!((refused.id(), &refused.body), (taken.id(), &taken.body));
    assert!(taken.at.since(refused.at).as_millis() >= 295, "it waits 300 ms");
    assert_eq!(
        taken.text(),
        format!(
            r#"[{{"key":"user_1","split":"checkout_flow","environmentId":"{ENVIRONMENT}","environmentName":"{ENVIRONMENT_NAME}","treatment":"on","time":1795221661790,"bucketingKey":"bucket","label":"default rule","machineName":"web-1","machineIp":"192.0.2.7","splitVersionNumber":1700000000000,"sdk":"python","sdkVersion":"10.7.0","properties":"{{\"page\":\"home\"}}"}}]"#
        )
    );
    let page: Vec<_> = SPLIT_IMPRESSIONS
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('"')?.split_once("\": \""))
        .map(|(field, rest)| (field, rest.split('"').next().unwrap()))
        .collect();
    assert_eq!(page.len(), 14);
    let impression = &taken.events()[0];
    let mut rest = taken.text();
    for (field, kind) in page {
        rest = rest.split_once(&format!("\"{field}\":")).expect("in the page's order").1;
        assert!(if kind == "long" {
            impression[field].is_i64()
        } else {
            impression[field].is_string()
        });
    }
    has_headers(
        taken,
        &[
            ("content-encoding", "gzip"),
            ("content-type", "application/json"),
            ("user-agent", FLAGPOST),
        ],
    );
}

#[tokio::test]
async fn statsig_sends_the_pages_batch_for_an_sdks_upload() {
    let project = Project::new().await;
    let secret = "a secret of Statsig's";
    let webhook = project.webhook(json!({"preset": "statsig", "secret": secret})).await;
    let current = project.webhook(json!({"preset": "statsig", "exposures": "metadata"})).await;
    // As an SDK uploads it: the exposures' details in `metadata`, all of them texts.
    let gate = r#"{"gate":"test_gate","gateValue":"true","gateGroupName":"US Users","ruleID":"5T2Gg0bwizTh9heDKL1El7"}"#;
    let experiment = r#"{"config":"test_experiment","experimentGroupName":"Control","ruleID":"5T2Gg0bwizTh9heUKL1El7"}"#;
    let user = r#"{"userID":"user_1","country":"US"}"#;
    let upload = format!(
        r#"{{"events":[
            {{"eventName":"page_view","user":{user},"value":"example_value","metadata":{{"page":"home_page"}},"time":1644520566967}},
            {{"eventName":"statsig::gate_exposure","user":{user},"value":null,"metadata":{gate},"time":1644520566968}},
            {{"eventName":"statsig::experiment_exposure","user":{user},"value":null,"metadata":{experiment},"time":1644520566969}}
        ]}}"#
    );
    let key = format!("secret-{}", project.key);
    let headers = [("statsig-api-key", key.as_str()), ("content-type", "application/json")];
    let answer = project.api.call("POST", "/v1/log_event", &headers, upload).await;
    assert_eq!(answer.expect(202).body, json!({"success": true}));

    for webhook in [&webhook, &current] {
        webhook.has_settled(3).await;
        assert_eq!(webhook.receiver.count(), 1, "all in one array");
    }
    let request = &webhook.receiver.received()[0];
    let page: Vec<Value> = serde_json::from_str(STATSIG_BATCH).unwrap();
    let mut wanted = without_spaces(STATSIG_BATCH);
    let mut ids = Vec::new();
    for (event, of_the_page) in request.events().iter().zip(&page) {
        let id = event["timeUUID"].as_str().unwrap();
        assert!(id.len() == 36 && id.as_bytes()[14] == b'1', "{id} is no UUID of version 1");
        // It is made by Flagpost.
        wanted = wanted.replace(of_the_page["timeUUID"].as_str().unwrap(), id);
        ids.push(id.to_owned());
    }
    assert_eq!(request.text(), wanted);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    let signature = request.header("x-statsig-signature");
    let signed_at = request.header("x-statsig-request-timestamp");
    assert!(signature.len() == 67 && signature.starts_with("v0="), "{signature}");
    assert!(signed_at.len() == 13, "{signed_at} is no time in milliseconds");
    has_headers(
        request,
        &[
            ("content-type", "application/json"),
            ("user-agent", FLAGPOST),
            ("x-statsig-request-timestamp", signed_at),
            ("x-statsig-signature", signature),
        ],
    );

    // The form of current SDKs, by setting.
    let request = &current.receiver.received()[0];
    has_headers(request, &[("content-type", "application/json"), ("user-agent", FLAGPOST)]);
    let [_, first, second] = &request.events()[..] else { panic!("{}", request.text()) };
    let [gate, experiment]: [Value; 2] =
        [gate, experiment].map(|text| serde_json::from_str(text).unwrap());
    assert_eq!((&first["metadata"], &second["metadata"]), (&gate, &experiment));
    assert_eq!((&first["statsigMetadata"], &second["statsigMetadata"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn statsig_sends_the_pages_batch_as_it_was_posted() {
    let (project, webhook) = Project::with_webhook(json!({"preset": "statsig"})).await;
    project.send("/v1/events", &[], STATSIG_BATCH).await.expect(202);
    webhook.has_settled(3).await;
    let page: Vec<&RawValue> = serde_json::from_str(STATSIG_BATCH).unwrap();
    let wanted: Vec<_> = page.iter().map(|event| event.get()).collect();
    assert_eq!(texts(&webhook), [format!("[{}]", wanted.join(","))], "each event byte for byte");
}

#[tokio::test]
async fn flagsmith_sends_one_identity_a_request_in_the_bytes_of_its_own_server() {
    let project = Project::new().await;
    let webhook =
        project.webhook(json!({"preset": "flagsmith", "secret": "my shared secret"})).await;
    let plain = project.webhook(json!({"preset": "flagsmith"})).await;
    let other = r#"{"traits":[{"trait_value":"\u00fc \ud83e\udd8a ü\n\"","trait_key":"naïve","id":2},{"trait_value":-1.5,"id":3,"trait_key":"n"}],
        "segments":[],"identity":"ünder","flags":[{"feature":{"name":"Z","id":1},"enabled":true}]}"#;
    let body = format!("[{FLAGSMITH_IDENTITY},\n{other}]");
    project.send("/v1/identities", &[], body).await.expect(202);
    for webhook in [&webhook, &plain] {
        webhook.has_settled(2).await;
        let sent: Vec<Value> =
            [FLAGSMITH_IDENTITY, other].map(|one| serde_json::from_str(one).unwrap()).into();
        let given = json!({"secret": "", "values": sent});
        let wanted = python::run("flagsmith_server.py", &given).await;
        let mut bodies = texts(webhook);
        bodies.sort();
        let mut wanted: Vec<_> =
            wanted.as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap()).collect();
        wanted.sort_unstable();
        assert_eq!(bodies, wanted);
    }
    for request in webhook.receiver.received() {
        let signature = request.header("x-flagsmith-signature");
        assert_eq!(signature.len(), 64, "{signature}");
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", FLAGPOST),
            ("x-flagsmith-signature", signature),
        ];
        has_headers(&request, &headers);
    }
    for request in plain.receiver.received() {
        has_headers(&request, &[("content-type", "application/json"), ("user-agent", FLAGPOST)]);
    }
}

#[tokio::test]
async fn amplitude_sends_what_the_template_makes_or_the_event_as_it_is() {
    let project = Project::new().await;
    let templated =
        project.webhook(json!({"preset": "amplitude", "template": AMPLITUDE_TEMPLATE})).await;
    let plain = project.webhook(json!({"preset": "amplitude"})).await;
    let arrays = project.webhook(json!({"preset": "amplitude", "payload": "array"})).await;
    let full = r#"{ "user_id":"some user id","event_type":"click event","event_time":"2022-10-24 20:07:32.123","user_properties":{"email":"some@email.com"},"amplitude_id":12345678901234567890 }"#;
    let bare = r#"{"event_type":"click event","event_time":"2022-10-24 20:07:32.124","user_properties":{}}"#;
    project.send("/v1/events", &[], format!("[{full},{bare}]")).await.expect(202);
    for webhook in [&templated, &plain, &arrays] {
        webhook.has_settled(2).await;
    }

    // FreeMarker takes away a directive's line, but leaves the space before one that begins a block.
    let first = AMPLITUDE_TEMPLATE
        .replace("<#if input.user_id??>\n", "")
        .replace("      </#if>\n", "")
        .replace("${input.user_id}", "some user id")
        .replace("${input.event_type}", "click event")
        .replace("${input.event_time}", "2022-10-24 20:07:32.123")
        .replace("${input.user_properties.email!}", "some@email.com");
    let second = first
        .replace("      \"external_id\" : \"some user id\",\n", "")
        .replace("32.123", "32.124")
        .replace("some@email.com", "");
    let made = texts(&templated);
    assert_eq!(made, [first, second]);
    let [made, page]: [Value; 2] =
        [&made[0], AMPLITUDE_RESULT].map(|text| serde_json::from_str(text).unwrap());
    assert_eq!(made, page);
    assert_eq!(texts(&plain), [full, bare], "one in each request, byte for byte");
    assert_eq!(texts(&arrays), [format!("[{full},{bare}]")]);
    for webhook in [&templated, &plain, &arrays] {
        for request in webhook.receiver.received() {
            let headers =
                [("content-type", "application/json"), ("user-agent", "Amplitude/Webhook/1.0")];
            has_headers(&request, &headers);
        }
    }
}

#[tokio::test]
async fn standard_sends_arrays_objects_or_lines_under_standard_webhooks_headers() {
    let project = Project::new().await;
    let webhook = async |settings: Value| {
        let mut all = json!({"preset": "standard", "stream": "events"});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        project.webhook(all).await
    };
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let arrays = webhook(json!({"secret": secret})).await;
    let objects = webhook(json!({"payload": "object", "secret": secret})).await;
    let lines = webhook(json!({"payload": "ndjson"})).await;
    let one = "{\"text\": \"a\\nb  c\",\n  \"n\": 1.0e2}";
    project.send("/v1/events", &[], format!("[{one} , {{}}]")).await.expect(202);
    for webhook in [&arrays, &objects, &lines] {
        webhook.has_settled(2).await;
    }

    assert_eq!(texts(&arrays), [format!("[{one},{{}}]")]);
    assert_eq!(texts(&objects), [one, "{}"]);
    assert_eq!(texts(&lines), ["{\"text\":\"a\\nb  c\",\"n\":1.0e2}\n{}\n"]);
    let mut ids = std::collections::BTreeSet::new();
    for request in [arrays.receiver.received(), objects.receiver.received()].concat() {
        let signature = request.header("webhook-signature");
        assert!(signature.len() == 47 && signature.starts_with("v1,"), "{signature}");
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", FLAGPOST),
            ("webhook-signature", signature),
        ];
        has_headers(&request, &headers);
        ids.insert(request.id().to_owned());
    }
    assert_eq!(ids.len(), 3, "each request has an id of its own: {ids:?}");
    let request = &lines.receiver.received()[0];
    has_headers(request, &[("content-type", "application/x-ndjson"), ("user-agent", FLAGPOST)]);
}

/// JSON without the spaces that mean nothing.
fn without_spaces(json: &str) -> String {
    let mut in_text = false;
    json.chars()
        .filter(|char| {
            in_text ^= *char == '"';
            in_text || !char.is_whitespace()
        })
        .collect()
}

/// The bodies, in the order in which they came.
fn texts(webhook: &Webhook) -> Vec<String> {
    webhook.receiver.received().iter().map(|request| request.text().to_owned()).collect()
}

/// Whether these are all of its headers, but for those of HTTP itself and of the delivery.
fn has_headers(request: &Received, wanted: &[(&str, &str)]) {
    assert_eq!(request.own_headers(), wanted.iter().copied().collect());
}
