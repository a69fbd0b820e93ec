use std::io::Write;

use serde_json::json;

use bytes::Bytes;

use super::*;
use crate::{
    gzip::gzip,
    integration::{Origin, Stream},
    memory::{World, environment},
    metrics::Metric,
};

const EVENT_BYTES: usize = 256 * 1024;

const KEY: &str = "Bearer fpk_0123456789012345678901234567890123456789012";

fn world() -> World {
    let world = World::new();
    let grant = KeyGrant {
        id: "k".into(),
        project: "web".into(),
        environment: environment(),
        secret: None,
    };
    world.state().keys.insert(hash(&KEY[7..]), grant);
    world
}

fn ingest(world: &World) -> Ingest<&World, &World, &World> {
    Ingest::new(world, world, world, LIMITS)
}

const LIMITS: Limits = Limits { body_bytes: 4_194_304, events: 10_000, deduplicate: true };

fn post(body: impl Into<Bytes>) -> Post {
    Post::to("/v1/impressions", body)
        .with("authorization", KEY)
        .with("content-type", "application/json; charset=utf-8")
}

async fn accept(ingest: &Ingest<&World, &World, &World>, post: Post) -> Result<usize, Problem> {
    Ok(ingest.accept(post).await?.events)
}

fn impressions(count: usize) -> String {
    let one = |n| json!({"key": format!("u{n}"), "split": "f", "treatment": "on", "time": n});
    json!((0..count).map(one).collect::<Vec<_>>()).to_string()
}

async fn refusal(world: &World, post: Post) -> Problem {
    let problem = accept(&ingest(world), post).await.unwrap_err();
    assert!(world.sent(Queue::Events).is_empty(), "nothing is accepted");
    problem
}

#[tokio::test]
async fn an_array_or_one_object_is_accepted_and_queued() {
    let world = world();
    let ingest = ingest(&world);
    assert_eq!(accept(&ingest, post(impressions(3))).await, Ok(3));
    let one = r#" {"key":"k","split":"s","treatment":"t","time":1}"#;
    assert_eq!(accept(&ingest, post(one)).await, Ok(1));
    let sent = world.sent(Queue::Events);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].group.as_deref(), Some("web"));
    let packed = Fresh::decode(&sent[1].body).unwrap();
    assert_eq!(packed.fresh.environment, environment());
    let text = String::from_utf8(packed.events().unwrap()[0].as_bytes().to_vec()).unwrap();
    assert!(text.contains(r#""environmentId":"prod","environmentName":"Production""#), "{text}");
}

/// With the level that clients use.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn gzip_is_undone() {
    let world = world();
    let body = gzip(impressions(100).as_bytes());
    let zipped = post(body).with("content-encoding", "gzip");
    assert_eq!(accept(&ingest(&world), zipped.clone()).await, Ok(100));
    for binary in ["application/gzip", "application/octet-stream"] {
        let zipped = zipped.clone().with("content-type", binary);
        assert_eq!(accept(&ingest(&world), zipped).await, Ok(100), "{binary}");
    }
}

#[tokio::test]
async fn events_of_the_free_stream_are_kept_byte_for_byte() {
    let world = world();
    let body = r#"[{"b": 1.0,"a":[ ]}]"#;
    let events = Post { path: "/v1/events".into(), ..post(body) };
    assert_eq!(accept(&ingest(&world), events).await, Ok(1));
    let sent = world.sent(Queue::Events);
    let events = Fresh::decode(&sent[0].body).unwrap().events().unwrap();
    assert_eq!(events[0].as_bytes(), br#"{"b": 1.0,"a":[ ]}"#);
}

#[tokio::test]
async fn broken_bodies_say_where() {
    let world = world();
    for body in ["", " ", "[", "[{]", "{\"a\"", "nul", "3", "\"x\"", "[{}] x", "[\"\\ud800\"]x"] {
        let problem = refusal(&world, post(body)).await;
        assert_eq!(problem.kind, Kind::InvalidJson, "{body}");
    }
    let problem = refusal(&world, post("[\n{\"key\" 1}]")).await;
    assert!(problem.detail.contains("line 2 column"), "{}", problem.detail);
    let not_utf8 = [&b"[{\"key\":\""[..], &[0xFF], b"\"}]"].concat();
    assert_eq!(refusal(&world, post(not_utf8)).await.kind, Kind::InvalidJson);
    // Depth costs no stack, since nobody looks inside.
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refusal(&world, post(deep)).await.kind, Kind::InvalidEvents);
}

#[tokio::test]
async fn an_empty_array_is_refused() {
    assert_eq!(refusal(&world(), post("[]")).await.kind, Kind::EmptyRequest);
}

#[tokio::test]
async fn the_first_twenty_faults_are_listed_with_index_and_field() {
    let mut events = vec![json!({"key": "k", "split": "s", "treatment": "t", "time": 1}), json!(5)];
    events
        .extend((0..30).map(|_| json!({"key": 1, "split": "s", "treatment": "t", "time": "now"})));
    let problem = refusal(&world(), post(json!(events).to_string())).await;
    assert_eq!(problem.kind, Kind::InvalidEvents);
    assert_eq!(problem.errors.len(), 20);
    assert_eq!((problem.errors[0].index, &problem.errors[0].field), (Some(1), &None));
    let second = &problem.errors[1];
    assert_eq!((second.index, second.field.as_deref()), (Some(2), Some("key")));
    assert!(problem.detail.starts_with("31 of 32 events"), "{}", problem.detail);
}

#[tokio::test]
async fn an_event_over_256_kib_is_refused_by_index() {
    let world = world();
    let event = |size| json!({"key": "k", "split": "s", "treatment": "t", "time": 1, "x": "y".repeat(size)});
    let problem = refusal(&world, post(json!([event(1), event(EVENT_BYTES)]).to_string())).await;
    assert_eq!(problem.errors[0].index, Some(1));
    assert!(problem.errors[0].detail.contains("at most 262144"), "{problem:?}");
    assert_eq!(accept(&ingest(&world), post(json!([event(262_000)]).to_string())).await, Ok(1));
}

#[tokio::test]
async fn ten_thousand_events_are_taken_and_one_more_is_refused_whole() {
    let world = world();
    let problem = refusal(&world, post(impressions(10_001))).await;
    assert_eq!(problem.kind, Kind::TooManyEvents);
    assert!(problem.detail.contains("10001") && problem.detail.contains("10000"), "{problem:?}");
    assert_eq!(accept(&ingest(&world), post(impressions(10_000))).await, Ok(10_000));
    let queued: usize =
        world.sent(Queue::Events).iter().map(|m| Fresh::decode(&m.body).unwrap().count).sum();
    assert_eq!(queued, 10_000);
}

#[tokio::test]
async fn a_gzip_bomb_and_what_is_not_gzip_are_refused() {
    let world = world();
    let zipped = |body: Vec<u8>| post(body).with("content-encoding", "gzip");
    let bomb = packed(&vec![b' '; 32 * 1024 * 1024 + 1]);
    assert!(bomb.len() < 50_000);
    let problem = refusal(&world, zipped(bomb)).await;
    assert_eq!(problem.kind, Kind::DecompressionLimit, "{problem:?}");
    assert_eq!(refusal(&world, zipped(b"[{}]".to_vec())).await.kind, Kind::InvalidGzip);
    let large = Limits { body_bytes: usize::MAX, events: 1, ..LIMITS };
    let mut noise = vec![0u8; 34 * 1024 * 1024];
    for (n, byte) in noise.iter_mut().enumerate() {
        *byte = (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0];
    }
    let ingest = Ingest::new(&world, &world, &world, large);
    let problem = accept(&ingest, zipped(gzip(&noise))).await.unwrap_err();
    assert_eq!(problem.kind, Kind::DecompressionLimit, "more than 32 MiB");
}

#[tokio::test]
async fn a_body_that_repeats_itself_is_taken_however_well_it_compresses() {
    let world = world();
    let one = json!({
        "key": "user-1", "split": "new-checkout", "treatment": "on", "time": 1_795_237_200_000_i64,
        "label": "in segment beta", "splitVersionNumber": 1_795_230_000_000_i64,
        "machineName": "ip-203-0-113-7", "sdk": "python", "sdkVersion": "10.7.0",
    });
    for count in [500, 3_000] {
        let text = json!(vec![one.clone(); count]).to_string();
        let body = packed(text.as_bytes());
        assert!(text.len() > 100 * body.len(), "{} to {}", text.len(), body.len());
        let zipped = post(body).with("content-encoding", "gzip");
        assert_eq!(accept(&ingest(&world), zipped).await, Ok(count));
    }
}

#[tokio::test]
async fn other_encodings_and_types_are_refused() {
    let world = world();
    let br = post("[]").with("content-encoding", "br");
    assert_eq!(refusal(&world, br).await.kind, Kind::UnsupportedMediaType);
    let form = post("[]").with("content-type", "application/x-www-form-urlencoded");
    assert_eq!(refusal(&world, form).await.kind, Kind::UnsupportedMediaType);
    let binary = post("[]").with("content-type", "application/gzip");
    assert_eq!(refusal(&world, binary).await.kind, Kind::UnsupportedMediaType, "it is not gzip");
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_any_work() {
    let world = world();
    let body = vec![b' '; 4_194_305];
    assert_eq!(refusal(&world, post(body)).await.kind, Kind::ContentTooLarge);
    assert_eq!(world.state().calls.get("key"), None);
}

#[tokio::test]
async fn keys_are_remembered_for_a_minute_and_unknown_ones_too() {
    let world = world();
    let ingest = ingest(&world);
    let unknown = || post(impressions(1)).with("authorization", KEY.replace('0', "x"));
    for _ in 0..5 {
        assert_eq!(accept(&ingest, post(impressions(1))).await, Ok(1));
        assert_eq!(accept(&ingest, unknown()).await.unwrap_err().status(), 401);
    }
    assert_eq!(world.state().calls["key"], 2);
    world.state().keys.clear();
    world.pass(Duration::from_secs(59));
    assert_eq!(accept(&ingest, post(impressions(1))).await, Ok(1));
    world.pass(Duration::from_secs(1));
    let revoked = accept(&ingest, post(impressions(1))).await.unwrap_err();
    assert_eq!(revoked.kind, Kind::Unauthorized);
    assert_eq!(revoked.headers, [("www-authenticate", "Bearer".to_owned())]);
}

#[tokio::test]
async fn missing_and_malformed_keys_cost_no_read() {
    let world = world();
    for authorization in [None, Some("Basic x"), Some("Bearer "), Some("Bearer fpk_short")] {
        let mut post = post("[]");
        post.headers.remove("authorization");
        post.headers.extend(authorization.map(|text| ("authorization", text.to_owned())));
        let problem = refusal(&world, post).await;
        assert_eq!(problem.status(), 401);
    }
    assert_eq!(world.state().calls.get("key"), None);
}

#[tokio::test]
async fn while_the_table_cannot_be_asked_a_key_lasts_for_its_minute_and_no_longer() {
    let world = world();
    let ingest = ingest(&world);
    assert_eq!(accept(&ingest, post(impressions(1))).await, Ok(1));
    world.fail("key", 2);
    world.pass(Duration::from_secs(59));
    assert_eq!(accept(&ingest, post(impressions(1))).await, Ok(1));
    world.pass(Duration::from_secs(1));
    for _ in 0..2 {
        let problem = accept(&ingest, post(impressions(1))).await.unwrap_err();
        assert_eq!(problem.kind, Kind::Unavailable, "not known is not unauthorised");
    }
    assert_eq!(accept(&ingest, post(impressions(1))).await, Ok(1));
}

#[tokio::test]
async fn a_body_that_grows_when_it_is_read_is_refused_before_it_is() {
    let world = world();
    let ingest =
        Ingest::new(&world, &world, &world, Limits { body_bytes: usize::MAX, events: 9, ..LIMITS });
    let members = format!("{{{}\"a\":1}}", "\"key\":1,".repeat(3_000_000));
    let problem = accept(&ingest, post(members)).await.unwrap_err();
    assert_eq!(problem.errors.len(), 1, "its size, and not each of its members");
    let values = format!("[{}1]", "1,".repeat(10_000_000));
    let problem = accept(&ingest, post(values)).await.unwrap_err();
    assert_eq!(problem.kind, Kind::TooManyEvents);
    assert!(problem.detail.contains("10000001"), "{}", problem.detail);
}

#[tokio::test]
async fn one_entry_that_sqs_does_not_take_makes_it_503() {
    let world = world();
    // Two messages; the first is taken.
    let event = |n| json!({"key": format!("{n}"), "split": "s", "treatment": "t", "time": 1, "x": "y".repeat(200_000)});
    let body = json!((0..12).map(event).collect::<Vec<_>>()).to_string();
    let ingest =
        Ingest::new(&world, &world, &world, Limits { body_bytes: 9_000_000, events: 99, ..LIMITS });
    world.fail("send", 1);
    let problem = accept(&ingest, post(body)).await.unwrap_err();
    assert_eq!(problem.kind, Kind::Unavailable);
    assert!(problem.detail.contains("send all of them again"), "{problem:?}");
    assert_eq!(problem.headers, [("retry-after", "1".to_owned())]);
    assert_eq!(world.sent(Queue::Events).len(), 1, "a batch may succeed in part");
}

#[tokio::test]
async fn the_callers_trace_goes_along_and_what_is_none_is_no_fault() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (header, expected) in [(parent, Some(parent)), ("00-nonsense-01", None)] {
        let world = world();
        let post = post(impressions(1)).with("traceparent", header);
        assert_eq!(accept(&ingest(&world), post).await.unwrap(), 1);
        let sent = world.sent(Queue::Events);
        let trace = Fresh::decode(&sent[0].body).unwrap().fresh.trace;
        assert_eq!(trace.map(|trace| trace.to_string()).as_deref(), expected);
    }
}

#[tokio::test]
async fn what_is_accepted_and_what_is_refused_is_measured() {
    let world = world();
    let ingest = ingest(&world);
    assert!(ingest.serve(post(impressions(3))).await.0.is_ok());
    assert!(ingest.serve(post("nonsense")).await.0.is_err());
    let measured: Vec<_> =
        ingest.metrics().take().into_iter().map(|one| (one.stream, one.counts)).collect();
    assert_eq!(
        measured,
        [
            (None, [(Metric::RequestsRejected, 1)].into()),
            (Some(Stream::Impressions), [(Metric::EventsAccepted, 3)].into()),
        ]
    );
}

#[test]
fn texts_stay_below_the_limit_whatever_the_events_are() {
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{state:016x}")
    };
    let events: Vec<_> = (0..40)
        .map(|_| {
            let text: String = (0..4_000).map(|_| random()).collect();
            Event::from_object(format!(r#"{{"x":"{text}"}}"#))
        })
        .collect();
    let fresh = Fresh {
        project: "web".into(),
        environment: environment(),
        stream: Stream::Events,
        origin: Origin::Api,
        accepted_at: Timestamp(1),
        trace: None,
    };
    let texts = texts(&fresh, events.clone());
    assert!(texts.len() > 1 && texts.iter().all(|text| text.len() <= MAX_TEXT));
    let back: Vec<_> =
        texts.iter().flat_map(|text| Fresh::decode(text).unwrap().events().unwrap()).collect();
    assert_eq!(back, events);
}
