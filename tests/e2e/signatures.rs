//! Signatures, verified by others' code: it accepts what was sent, and refuses it with any one byte changed.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    project::{Project, Webhook},
    python,
    receiver::Received,
    wait::{let_pass, until},
};

pub(crate) const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[tokio::test]
async fn standard_webhooks_are_verified_by_the_package_of_their_authors() {
    let settings = json!({"preset": "standard", "stream": "events", "secret": STANDARD_SECRET});
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    is_verified("standard_webhooks", settings.clone(), STANDARD_SECRET, &headers).await;
    let each = with(settings, json!({"payload": "object", "gzip": true}));
    is_verified("standard_webhooks", each, STANDARD_SECRET, &headers).await;
}

#[tokio::test]
async fn flagsmiths_are_verified_by_the_example_of_its_page() {
    let secret = "my shared sécret";
    let settings = json!({"preset": "flagsmith", "secret": secret});
    is_verified("flagsmith", settings.clone(), secret, &["x-flagsmith-signature"]).await;
    // Any stream can be signed in that way.
    let more = json!({"preset": "standard", "stream": "events", "signature": "flagsmith", "gzip": true, "payload": "ndjson"});
    is_verified("flagsmith", with(settings, more), secret, &["x-flagsmith-signature"]).await;
}

#[tokio::test]
async fn statsigs_are_verified_as_its_page_says() {
    let secret = "a secret of Statsig's";
    let settings = json!({"preset": "statsig", "secret": secret});
    let headers = ["x-statsig-request-timestamp", "x-statsig-signature"];
    is_verified("statsig", settings.clone(), secret, &headers).await;
    is_verified("statsig", with(settings, json!({"gzip": true})), secret, &headers).await;
}

#[tokio::test]
async fn every_attempt_is_signed_with_its_own_time() {
    let settings = json!({"preset": "standard", "stream": "events", "secret": STANDARD_SECRET});
    let (project, webhook) = Project::with_webhook(settings).await;
    webhook.receiver.answers_always(503);
    project.send("/v1/events", &[], r#"{"n":1}"#).await.expect(202);
    webhook.until_requests(3).await;
    webhook.receiver.answers_always(200);
    webhook.has_settled(1).await;
    let requests = webhook.receiver.received();
    let cases: Vec<_> = requests
        .iter()
        .map(|request| case("standard_webhooks", STANDARD_SECRET, request))
        .collect();
    assert_eq!(verify(&cases).await, vec![true; cases.len()]);
    assert!(requests.iter().all(|request| request.id() == requests[0].id()));
    let last = &requests[requests.len() - 1];
    assert_ne!(last.header("webhook-timestamp"), requests[0].header("webhook-timestamp"));
}

#[tokio::test]
async fn during_a_rotation_both_secrets_verify_and_after_it_the_new_one() {
    let settings = json!({"preset": "standard", "stream": "events", "secret": STANDARD_SECRET});
    let (project, webhook) = Project::with_webhook(settings).await;
    let before = request_where(&project, &webhook, async |_| true).await;

    let rotated = webhook.admin("POST", "/secret", &[], Some(json!({}))).await.expect(200).body;
    let second = rotated["secret"].as_str().unwrap();
    assert!(second.starts_with("whsec_") && rotated["old_until"].is_i64(), "{rotated}");
    let during = request_where(&project, &webhook, async |request| signatures(request) == 2).await;

    // Without an overlap the old ones end at once.
    let body = json!({"overlap_hours": 0});
    let rotated = webhook.admin("POST", "/secret", &[], Some(body)).await.expect(200).body;
    let third = rotated["secret"].as_str().unwrap();
    assert!(rotated.get("old_until").is_none(), "{rotated}");
    // Another instance of the function may have the first for a while yet.
    let after = request_where(&project, &webhook, async |request| {
        verify(&[case("standard_webhooks", third, request)]).await == [true]
    })
    .await;

    let secrets = [STANDARD_SECRET, second, third];
    let mut cases = Vec::new();
    for request in [&before, &during, &after] {
        cases.extend(secrets.map(|secret| case("standard_webhooks", secret, request)));
    }
    let wanted = [[true, false, false], [true, true, false], [false, false, true]].concat();
    assert_eq!(verify(&cases).await, wanted);
    assert_eq!((signatures(&before), signatures(&after)), (1, 1));
}

/// Sends an event to a webhook with these settings, and has what was sent verified, with all that is signed changed in
/// every place in turn.
async fn is_verified(scheme: &str, settings: Value, secret: &str, signed: &[&str]) {
    let (project, webhook) = Project::with_webhook(settings).await;
    let events = "[{\"n\":1,\"text\":\"ü 🦊\\n\"},{\"eventName\" : \"two\"}]";
    let identities = r#"[{"identity":"ü 🦊","flags":[],"segments":[],"traits":[]},{"identity":"two","flags":[],"segments":[],"traits":[]}]"#;
    project.send("/v1/events", &[], events).await.expect(202);
    project.send("/v1/identities", &[], identities).await.expect(202);
    webhook.has_settled(2).await;
    for request in webhook.receiver.received() {
        let whole = case(scheme, secret, &request);
        let mut cases = vec![whole.clone()];
        for place in 0..request.body.len() {
            let mut changed = request.body.clone();
            changed[place] ^= 1;
            let mut case = whole.clone();
            case["body"] = BASE64_STANDARD.encode(&changed).into();
            cases.push(case);
        }
        for name in signed {
            let value = request.header(name).as_bytes();
            for place in (0..value.len()).filter(|place| value[*place] != b'=') {
                let mut changed = value.to_vec();
                changed[place] = another(changed[place]);
                let mut case = whole.clone();
                case["headers"][*name] = String::from_utf8(changed).unwrap().into();
                cases.push(case);
            }
        }
        // And a secret of the same form that is another.
        let mut other = whole.clone();
        other["secret"] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into();
        cases.push(other);
        let accepted = verify(&cases).await;
        assert!(accepted[0], "{scheme} refuses what was sent: {whole}");
        println!("{scheme}: one accepted, {} changed in one byte", cases.len() - 2);
        for (case, accepted) in cases[1..].iter().zip(&accepted[1..]) {
            assert!(!accepted, "{scheme} accepts {case}, which is not {whole}");
        }
    }
}

/// Posts events until a request comes that is so; that is when the change of a secret is known.
async fn request_where(
    project: &Project,
    webhook: &Webhook,
    so: impl AsyncFn(&Received) -> bool,
) -> Received {
    until("such a request", async || {
        let seen = webhook.receiver.count();
        project.send("/v1/events", &[], r#"{"n":1}"#).await.expect(202);
        webhook.until_requests(seen + 1).await;
        for request in webhook.receiver.received().into_iter().skip(seen) {
            if so(&request).await {
                return Ok(request);
            }
        }
        let_pass(Duration::from_secs(2)).await;
        Err("others".to_owned())
    })
    .await
}

fn signatures(request: &Received) -> usize {
    request.header("webhook-signature").split(' ').count()
}

pub(crate) async fn verify(cases: &[Value]) -> Vec<bool> {
    let said = python::run("verify.py", &cases.into()).await;
    serde_json::from_value(said).unwrap()
}

pub(crate) fn case(scheme: &str, secret: &str, request: &Received) -> Value {
    let mut headers = json!(request.own_headers());
    for name in ["webhook-id", "webhook-timestamp"] {
        headers[name] = request.header(name).into();
    }
    json!({"scheme": scheme, "secret": secret, "headers": headers, "body": BASE64_STANDARD.encode(&request.body)})
}

/// Another character of the same kind. Half of the alphabet away, since the last one of base64 has bits that mean nothing.
fn another(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0' + (byte - b'0' + 5) % 10,
        _ => match ALPHABET.iter().position(|one| *one == byte) {
            Some(place) => ALPHABET[(place + 32) % 64],
            None => b'x',
        },
    }
}

fn with(mut settings: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("settings are an object") };
    settings.as_object_mut().unwrap().extend(more);
    settings
}
