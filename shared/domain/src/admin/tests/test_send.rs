//! Test sends: what is sent, what of it is shown, and that nothing is written.

use bytes::Bytes;

use super::*;
use crate::{
    attempt::attempt,
    compiled::Compiled,
    delivery::Delivery,
    event::Event,
    gzip::gunzip,
    integration::{OldSecret, Origin, Stream, TemplateResult},
    ports::{self, Answer as Said, Headers, SendError},
    preset::{Payload, Preset},
    secret::Secret,
    signature::sign,
    trace::TraceParent,
};

const TEST: &str = "/v1/projects/shop/integrations/i1/test";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const PASSWORD: &str = "Bearer hunter2-hunter2";
const NOW: i64 = 1_795_237_200_000;

/// An API with this integration, of which a write would be one too many.
async fn with(integration: Integration) -> Api {
    let api = Api::new().await;
    let mut inner = api.memory.inner();
    inner.integrations.insert(("shop".into(), "i1".into()), Some(integration));
    inner.now = NOW;
    inner.reads_only = true;
    drop(inner);
    api
}

/// Standard Webhooks with everything that is secret.
fn signed() -> Integration {
    let own = Own {
        headers: [
            ("Authorization".to_owned(), Secret::new(PASSWORD)),
            ("User-Agent".to_owned(), Secret::new("hunter2-agent")),
        ]
        .into(),
        secret: Some(Secret::new(SECRET)),
        old_secret: Some(OldSecret { secret: Secret::new(OLD_SECRET), until: Timestamp(NOW + 1) }),
        ..Own::default()
    };
    let url = "https://example.com/hooks/a-long-capability?token=abc".to_owned();
    Integration { preset: Preset::Standard, stream: Stream::Events, url, own, ..integration() }
}

fn answers(status: u16, retry_after: Option<&str>, body: &str) -> Said {
    let body = Bytes::from(body.to_owned());
    Said { status, retry_after: retry_after.map(str::to_owned), body }
}

fn only_request(api: &Api) -> ports::Request {
    let requests = &api.memory.inner().requests;
    assert_eq!(requests.len(), 1);
    requests[0].clone()
}

fn shown(headers: &Headers) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn what_was_sent_and_answered_is_shown_without_anything_secret() {
    let api = with(signed()).await;
    let echo = format!("no: {PASSWORD}\r\nsecret {SECRET} token=abc");
    api.memory.inner().answers.push_back(Ok(answers(401, Some(PASSWORD), &echo)));
    let answer = api.post(TEST, &json!({"event": {"n": 1}})).await;
    assert_eq!(answer.status, 200);
    let sent = only_request(&api);
    assert!(sent.id.starts_with("test_"), "{}", sent.id);
    assert_eq!(
        answer.body,
        json!({
            "request": {
                "method": "POST",
                "url": "https://example.com/hooks/***?***",
                "headers": {
                    "authorization": "***",
                    "content-type": "application/json",
                    "user-agent": "***",
                    "webhook-id": sent.id,
                    "webhook-signature": "***",
                    "webhook-timestamp": "1795237200",
                },
                "body": "[{\"n\":1}]",
                "gzipped": false,
            },
            "answer": {"status": 401, "body": "no: *** \nsecret *** ***", "retry_after": "***"},
            "outcome": "failed",
            "duration_ms": 20,
            "filtered": false,
        })
    );
    let text = answer.body.to_string();
    for secret in ["hunter2", "whsec", "v1,"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn no_answer_holds_a_secret_whatever_happens() {
    let broken = |own| Integration { own, ..signed() };
    let template = |source: &str| broken(Own { template: Some(source.to_owned()), ..signed().own });
    let forbidden = Integration { url: "https://10.0.0.1/hunter2/x".into(), ..signed() };
    for integration in [
        signed(),
        template("${input.missing}"),
        template("<#if"),
        broken(Own { signature: Some(Scheme::Flagsmith), ..signed().own }),
        broken(Own { signature: Some(Scheme::Statsig), ..signed().own }),
        broken(Own { filter: Some(json!({"n": [2]})), ..signed().own }),
        broken(Own { filter: Some(json!({"n": 1})), ..signed().own }),
        forbidden,
    ] {
        for said in [
            Ok(answers(200, None, PASSWORD)),
            Ok(answers(503, Some(SECRET), &format!("{OLD_SECRET}{}", "x".repeat(2_000)))),
            Err(SendError::Timeout),
            Err(SendError::Refused("`example.com` resolves to 10.0.0.1".to_owned())),
        ] {
            let api = with(integration.clone()).await;
            api.memory.inner().answers.push_back(said);
            let answer = api.post(TEST, &json!({"event": {"n": 1}})).await;
            assert_eq!(answer.status, 200);
            let text = answer.body.to_string();
            for secret in ["hunter2", "whsec", "v1,", "v0="] {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn its_signature_verifies_by_the_bytes_before_compression() {
    for scheme in [Scheme::StandardWebhooks, Scheme::Flagsmith, Scheme::Statsig] {
        let own = Own { signature: Some(scheme), gzip: Some(true), ..signed().own };
        let one = Integration { own, ..signed() };
        let api = with(one.clone()).await;
        let answer = api.post(TEST, &json!({"event": {"n": 1}})).await;
        let request = only_request(&api);
        assert!(request.gzipped);
        let plain = gunzip(&request.body, 100).unwrap();
        assert_eq!(plain, b"[{\"n\":1}]");
        let wanted = sign(&one, &request.id, Timestamp(NOW), &plain);
        assert!(!wanted.is_empty());
        for (name, value) in wanted {
            assert_eq!(request.headers.get(name), Some(value.as_str()), "{name}");
        }
        let seen = &answer.body["request"];
        assert_eq!((&seen["gzipped"], &seen["body"]), (&json!(true), &json!("[{\"n\":1}]")));
        assert_eq!(seen["headers"]["content-encoding"], "gzip");
        assert_eq!(
            seen["headers"].get("x-statsig-request-timestamp").and_then(Value::as_str),
            (scheme == Scheme::Statsig).then_some("1795237200000")
        );
    }
}

#[tokio::test]
async fn an_attempt_would_send_the_same() {
    let template = Some("{\"n\": ${input.n?c}, \"t\": \"${input.t}\"}".to_owned());
    for (preset, own) in [
        (Preset::Standard, signed().own),
        (Preset::Split, signed().own),
        (Preset::Amplitude, Own { template: template.clone(), ..signed().own }),
        (
            Preset::Standard,
            Own {
                template,
                payload: Some(Payload::Object),
                template_result: Some(TemplateResult::Text),
                gzip: Some(true),
                ..signed().own
            },
        ),
        (Preset::Statsig, Own { payload: Some(Payload::Ndjson), ..Own::default() }),
    ] {
        let one = Integration { preset, own, ..signed() };
        let api = with(one.clone()).await;
        let text = r#"{"t": "ü", "n": 12345678901234567890}"#;
        let body = format!("{{\"event\": {text}}}");
        let answer = api.call("POST", TEST, None, &body).await;
        assert_eq!(answer.body["outcome"], "delivered");
        let tested = only_request(&api);

        // The very moment, and the same name.
        api.memory.inner().now = NOW;
        let compiled = Compiled::new(&one).unwrap();
        let delivery = Delivery {
            id: tested.id.split('.').next().unwrap().into(),
            project: "shop".into(),
            integration: "i1".into(),
            began: Timestamp(NOW),
            events: vec![Event::from_object(text)],
            numbers: vec![],
            rest: false,
            provenance: crate::delivery::Provenance::default(),
        };
        let allowed = Allowed::default();
        attempt(&api.memory, &allowed, &one, &compiled, &delivery, None).await;
        let inner = api.memory.inner();
        let attempted = &inner.requests[1];
        assert_eq!((&tested.id, &tested.body), (&attempted.id, &attempted.body));
        assert_eq!((&tested.to, tested.gzipped), (&attempted.to, attempted.gzipped));
        assert_eq!(shown(&tested.headers), shown(&attempted.headers));
    }
}

#[tokio::test]
async fn its_trace_is_that_of_whoever_asks_or_a_new_one() {
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let parent: TraceParent = given.parse().unwrap();
    for (traces, trace) in [
        (None, None),
        (Some(false), Some(&parent)),
        (Some(true), Some(&parent)),
        (Some(true), None),
    ] {
        let one = Integration { own: Own { trace: traces, ..signed().own }, ..signed() };
        let api = with(one).await;
        let test = Request {
            method: "POST",
            path: TEST,
            authorization: Some(KEY),
            trace,
            body: b"{\"event\":{\"n\":1}}",
            ..Request::default()
        };
        let answer = api.serve(test).await;
        let sent = only_request(&api).headers.get("traceparent").map(str::to_owned);
        assert_eq!(sent.is_some(), traces == Some(true));
        assert_eq!(answer.body["request"]["headers"]["traceparent"], json!(sent));
        let Some(sent) = sent else { continue };
        let read: TraceParent = sent.parse().unwrap();
        assert_eq!(read.trace_id() == parent.trace_id(), trace.is_some(), "{sent}");
        assert_ne!(sent, given, "a span of its own");
        assert_eq!(sent.ends_with("-01"), trace.is_some(), "nobody records a new one: {sent}");
    }
}

#[tokio::test]
async fn there_is_one_request_whatever_is_answered() {
    for (said, outcome, error) in [
        (Ok(answers(200, None, "")), "delivered", None),
        (Ok(answers(500, None, "oh")), "failed", None),
        (Ok(answers(429, Some("120"), "")), "waiting", None),
        (Ok(answers(410, None, "")), "gone", None),
        (Ok(answers(413, None, "")), "too_large", None),
        (Err(SendError::Timeout), "failed", Some("timed out")),
        (
            Err(SendError::Refused("`a.test` resolves to 10.0.0.1, a private address".into())),
            "failed",
            Some("refused: `a.test` resolves to 10.0.0.1, a private address"),
        ),
    ] {
        let api = with(Integration { preset: Preset::Amplitude, ..signed() }).await;
        let status = said.as_ref().ok().map(|answer| answer.status);
        api.memory.inner().answers.push_back(said);
        let answer = api.post(TEST, &json!({})).await;
        let id = only_request(&api).id;
        assert!(id.starts_with("test_") && id.ends_with(".1"), "{id}");
        assert_eq!((answer.status, &answer.body["outcome"]), (200, &json!(outcome)));
        assert_eq!(answer.body.get("error").and_then(Value::as_str), error);
        assert_eq!(
            answer.body["answer"].get("status").and_then(Value::as_u64),
            status.map(u64::from)
        );
        assert!(answer.body["request"].is_object());
    }
}

#[tokio::test]
async fn what_the_filter_does_not_want_is_not_sent() {
    let own = Own { filter: Some(json!({"n": [2]})), ..Own::default() };
    let api = with(Integration { own, ..signed() }).await;
    let answer = api.post(TEST, &json!({"event": {"n": 1}})).await;
    let wanted = json!({"request": null, "answer": null, "outcome": null, "duration_ms": 0, "filtered": true});
    assert_eq!((answer.status, answer.body), (200, wanted));
    assert!(api.memory.inner().requests.is_empty());
    let answer = api.post(TEST, &json!({"event": {"n": 2}})).await;
    assert_eq!(
        (&answer.body["outcome"], &answer.body["filtered"]),
        (&json!("delivered"), &json!(false))
    );
    only_request(&api);
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let template = |source: &str| {
        let own = Own { template: Some(source.to_owned()), ..Own::default() };
        Integration { own, ..signed() }
    };
    for (integration, wanted) in [
        (template("{\n ${input.gone}}"), "template: line 2, column 4: "),
        (template("no JSON"), "template: the result is not JSON at its line 1, column 2"),
        (
            Integration { url: "https://127.0.0.1/x".into(), ..signed() },
            "`127.0.0.1` is a loopback address",
        ),
        (
            Integration {
                own: Own { filter: Some(json!({"n": 1})), ..Own::default() },
                ..signed()
            },
            "filter: at /n: ",
        ),
    ] {
        let api = with(integration).await;
        let answer = api.post(TEST, &json!({"event": {"n": 1}})).await;
        let error = answer.body["error"].as_str().unwrap();
        assert!(error.starts_with(wanted), "{error}");
        assert_eq!((&answer.body["request"], &answer.body["answer"]), (&Value::Null, &Value::Null));
        assert_eq!(
            (&answer.body["outcome"], &answer.body["filtered"]),
            (&json!("failed"), &json!(false))
        );
        assert!(api.memory.inner().requests.is_empty());
    }
}

#[tokio::test]
async fn without_an_event_a_sample_is_sent_with_an_environment_of_the_projects() {
    let api = Api::new().await;
    for id in ["dev", "prod"] {
        let environment = json!({"id": id, "name": id.to_uppercase()});
        let key = json!({"name": id, "environment": environment});
        assert_eq!(api.post("/v1/projects/shop/keys", &key).await.status, 201);
    }
    let takes = |environments: &[&str]| Integration {
        environments: environments.iter().map(|id| (*id).to_owned()).collect(),
        ..integration()
    };
    api.memory.inner().reads_only = true;
    for (environments, id, name) in [
        (&["prod"][..], "prod", "PROD"),
        (&["dev", "prod"][..], "dev", "DEV"),
        (&[][..], "dev", "DEV"),
        (&["nobody's"][..], "nobody's", "nobody's"),
    ] {
        let one = Some(takes(environments));
        api.memory.inner().integrations.insert(("shop".into(), "i1".into()), one);
        let answer = api.call("POST", TEST, None, "").await;
        let sent: Value =
            serde_json::from_str(answer.body["request"]["body"].as_str().unwrap()).unwrap();
        assert_eq!(sent[0]["split"], "sample-flag");
        assert_eq!(
            (&sent[0]["environmentId"], &sent[0]["environmentName"]),
            (&json!(id), &json!(name))
        );
    }
    let statsig = Integration {
        own: Own { origins: Some(vec![Origin::Statsig]), ..Own::default() },
        ..signed()
    };
    let api = with(statsig).await;
    let answer = api.post(TEST, &json!({})).await;
    assert!(answer.body["request"]["body"].as_str().unwrap().contains("timeUUID"));
}

#[tokio::test]
async fn who_is_paused_or_disabled_is_tested_and_who_is_deleted_is_not() {
    let api = with(Integration { enabled: false, ..signed() }).await;
    let pause = Pause { at: Timestamp(NOW), reason: "operator".into() };
    let health = Health { pause: Some(pause), ..Health::new("shop".into(), "i1".into()) };
    api.memory.inner().health.insert("i1".into(), health);
    assert_eq!(api.post(TEST, &json!({})).await.body["outcome"], "delivered");
    api.memory.inner().integrations.insert(("shop".into(), "i1".into()), None);
    for path in [TEST, "/v1/projects/shop/integrations/i2/test"] {
        let answer = api.post(path, &json!({})).await;
        assert_eq!((answer.status, answer.slug()), (404, "not-found"));
    }
    only_request(&api);
}

#[tokio::test]
async fn a_body_that_it_does_not_take_is_refused() {
    let api = with(signed()).await;
    for (body, field) in [
        (json!({"event": []}), "event"),
        (json!({"event": "{}"}), "event"),
        (json!({"event": {"a": "x".repeat(64 * 1024)}}), "event"),
        (json!({"events": []}), "events"),
    ] {
        let answer = api.post(TEST, &body).await;
        assert_eq!((answer.status, answer.fields()), (400, vec![field]));
    }
    for body in ["[]", "{", "{\"event\": {\"a\": 1e999}}"] {
        let answer = api.call("POST", TEST, None, body).await;
        assert_eq!((answer.status, answer.slug()), (400, "invalid-json"), "{body}");
    }
    let large = json!({"event": {}, "x": "x".repeat(MAX_TEST_BODY_BYTES)});
    assert_eq!(api.post(TEST, &large).await.status, 413);
    assert!(api.memory.inner().requests.is_empty());
    let fits = json!({"event": {"a": "x".repeat(64 * 1024 - 8)}});
    assert_eq!(api.post(TEST, &fits).await.body["outcome"], "delivered");
}

#[tokio::test]
async fn it_takes_the_admin_key() {
    let api = with(signed()).await;
    let request = Request { method: "POST", path: TEST, ..Request::default() };
    assert_eq!(api.serve(request).await.status, 401);
    assert!(api.memory.inner().requests.is_empty());
}
