//! Requests to ingest that are refused: with which status and problem, and that nothing of them
//! arrives anywhere.

use serde_json::{Value, json};

use crate::{
    api::{Answer, GZIPPED, bearer, gzip},
    project::Project,
    sample,
};

const IMPRESSIONS: &str = "/v1/impressions";

#[tokio::test]
async fn bad_bodies() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let good = sample::dozen("refused");
    let good = |n: usize| good[n].clone();
    let refused = async |body: Vec<u8>, status: u16, problem: &str| {
        refused(project.send(IMPRESSIONS, &[], body).await, status, problem)
    };

    // Not JSON, or not the JSON of events.
    for body in ["", "[", "{\"key\":", "nonsense", "[{}]]", "\"text\"", "17", "null", "\u{feff}[]"]
    {
        let answer = refused(body.into(), 400, "invalid-json").await;
        assert_eq!(answer.get("errors"), None, "{body}");
    }
    refused(vec![b'[', 0xff, 0xfe, b']'], 400, "invalid-json").await;
    refused("[]".into(), 400, "empty-request").await;

    // Events with faults: which, and where.
    let mut wrong_types = vec![good(0), good(1), good(2)];
    wrong_types[1]["time"] = "yesterday".into();
    wrong_types[1]["label"] = 7.into();
    wrong_types[2].as_object_mut().unwrap().remove("split");
    let answer = refused(bytes(&wrong_types), 400, "invalid-events").await;
    let mut places: Vec<_> = faults(&answer);
    places.sort_unstable();
    assert_eq!(places, [(1, Some("label")), (1, Some("time")), (2, Some("split"))], "{answer}");

    let no_objects = json!([good(0), 3, "text", null, []]);
    let answer = refused(no_objects.to_string().into(), 400, "invalid-events").await;
    assert_eq!(faults(&answer), [(1, None), (2, None), (3, None), (4, None)], "{answer}");

    let all_faulty = vec![json!({}); 100];
    let answer = refused(bytes(&all_faulty), 400, "invalid-events").await;
    assert_eq!(faults(&answer).len(), 20, "the first twenty are told");

    let mut large = vec![good(0), good(1)];
    large[1]["properties"] = "x".repeat(256 * 1024).into();
    let answer = refused(bytes(&large), 400, "invalid-events").await;
    assert_eq!(faults(&answer), [(1, None)], "{answer}");
    assert!(answer["errors"][0]["detail"].as_str().unwrap().contains("262144"), "{answer}");

    // More than the body may have.
    let mut body = bytes(&[good(0)]);
    body.resize(4 * 1024 * 1024 + 1, b' ');
    refused(body, 413, "content-too-large").await;

    // Nothing of all that arrives.
    let sent = [good(11)];
    project.post(&sent).await;
    webhook.has_delivered_all(&sent).await;
}

#[tokio::test]
async fn bad_encodings() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let good = sample::dozen("encoded");
    let refused = async |headers: &[(&str, &str)], body: Vec<u8>, status: u16, problem: &str| {
        refused(project.send(IMPRESSIONS, headers, body).await, status, problem)
    };

    refused(&GZIPPED, bytes(&good), 400, "invalid-gzip").await;
    let mut cut = gzip(&bytes(&good));
    cut.truncate(cut.len() / 2);
    refused(&GZIPPED, cut, 400, "invalid-gzip").await;
    refused(&GZIPPED, gzip(b"[{"), 400, "invalid-json").await;
    // A bomb: 40 MiB of spaces in 40 KiB.
    let mut bomb = bytes(&good);
    bomb.resize(40 * 1024 * 1024, b' ');
    refused(&GZIPPED, gzip(&bomb), 413, "decompression-limit").await;

    let brotli = [("content-encoding", "br")];
    refused(&brotli, bytes(&good), 415, "unsupported-media-type").await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    refused(&form, bytes(&good), 415, "unsupported-media-type").await;
    // As JSON, API Gateway takes it for text, which it does not survive.
    let as_json = [GZIPPED[0], ("content-type", "application/json")];
    refused(&as_json, gzip(&bytes(&good)), 400, "invalid-gzip").await;

    let answer = project.send(IMPRESSIONS, &GZIPPED, gzip(&bytes(&good))).await;
    answer.expect(202);
    webhook.has_delivered_all(&good).await;
}

#[tokio::test]
async fn bad_keys() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let sent = sample::dozen("keys");
    let with = async |authorization: &[(&str, &str)]| {
        let json = [("content-type", "application/json")];
        let headers = [authorization, &json].concat();
        let answer = project.api.call("POST", IMPRESSIONS, &headers, bytes(&sent)).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        refused(answer, 401, "unauthorized")
    };

    with(&[]).await;
    let unknown = bearer(&format!("fpk_{}", "x".repeat(43)));
    let basic = format!("Basic {}", project.key);
    let admin = bearer(&project.stack.admin_key);
    for wrong in [&unknown, &basic, &admin, "Bearer", "Bearer "] {
        with(&[("authorization", wrong)]).await;
    }
    let revoked = project.new_key("prod", "Production").await;
    let path = format!("/{}/keys/{}", project.id, revoked.text("id"));
    project.admin("DELETE", &path, None).await.expect(204);
    with(&[("authorization", &bearer(&revoked.text("key")))]).await;

    let ingest = bearer(&project.key);
    let answer = project.api.call("GET", "/v1/projects", &[("authorization", &ingest)], "").await;
    refused(answer, 401, "unauthorized");

    project.post(&sent).await;
    webhook.has_delivered_all(&sent).await;
}

#[tokio::test]
async fn ten_thousand_events_and_not_one_more() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let small: Vec<_> = (0..10_001)
        .map(|n| json!({"key": format!("k{n:05}"), "split": "s", "treatment": "on", "time": n}))
        .collect();
    let answer = project.send(IMPRESSIONS, &[], bytes(&small)).await;
    let answer = refused(answer, 413, "too-many-events");
    assert!(answer["detail"].as_str().unwrap().contains("10001"), "{answer}");

    let sent = &small[..10_000];
    project.post(sent).await;
    webhook.has_delivered_all(sent).await;
}

fn bytes(events: &[Value]) -> Vec<u8> {
    serde_json::to_vec(events).unwrap()
}

/// Checks that an answer is this problem, as `docs/api.md` has it.
fn refused(answer: Answer, status: u16, problem: &str) -> Value {
    let answer = answer.expect(status);
    assert_eq!(answer.text("type"), format!("urn:flagpost:problem:{problem}"), "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.body["status"], status);
    answer.body
}

/// Index and field of every fault.
fn faults(problem: &Value) -> Vec<(u64, Option<&str>)> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| (error["index"].as_u64().unwrap(), error["field"].as_str())).collect()
}
