use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stand::{KEY, Stand, body};
use crate::{
    gzip::gzip,
    integration::{Origin, Stream},
    native::{Answer, HEADERS, Post},
};

const SPLIT_DEBUG: &str =
    include_str!("../../../../../tests/fixtures/captures/split-python-debug.json");
const SPLIT_NONE: &str =
    include_str!("../../../../../tests/fixtures/captures/split-python-none.json");
const STATSIG: &str = include_str!("../../../../../tests/fixtures/captures/statsig-python.json");
const STATSIG_JS: &str =
    include_str!("../../../../../tests/fixtures/captures/statsig-js-client.json");
const AMPLITUDE: &str =
    include_str!("../../../../../tests/fixtures/captures/amplitude-python-httpv2.json");
const BATCH: &str =
    include_str!("../../../../../tests/fixtures/captures/amplitude-python-batch.json");

/// The captured requests to ingest, with our key in the place of the dummy.
fn posts(capture: &str) -> Vec<Post> {
    let capture: Value = serde_json::from_str(capture).unwrap();
    let requests = capture["requests"].as_array().unwrap();
    let ours = requests.iter().filter(|request| {
        let path = request["path"].as_str().unwrap();
        request["method"] == "POST"
            && !path.starts_with("/v1/initialize")
            && !path.starts_with("/v1/get_id_lists")
    });
    ours.map(post).collect()
}

fn post(request: &Value) -> Post {
    let ours = |text: &str| {
        ["DUMMY-SPLIT-SDK-KEY", "secret-DUMMY", "client-DUMMY", "DUMMY_API_KEY"].iter().fold(
            text.to_owned(),
            |text, dummy| {
                let prefix = dummy.strip_suffix("DUMMY").unwrap_or_default();
                text.replace(dummy, &format!("{prefix}{KEY}"))
            },
        )
    };
    let text = ours(&request["body"].to_string());
    let body = match request["encoding"].as_str() {
        Some("gzip") => gzip(text.as_bytes()),
        _ => text.into_bytes(),
    };
    let path = request["path"].as_str().unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let given: BTreeMap<String, &str> = request["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap().to_lowercase(), pair[1].as_str().unwrap()))
        .collect();
    let mut post = Post { query: ours(query), ..Post::to(path, body) };
    for name in HEADERS {
        if let Some(value) = given.get(name) {
            post = post.with(name, ours(value));
        }
    }
    post
}

async fn all(capture: &str) -> (Vec<Answer>, Vec<(Stream, Origin, Vec<Value>)>) {
    let stand = Stand::new();
    let mut answers = Vec::new();
    for post in posts(capture) {
        let (outcome, answer) = stand.serve(post).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        answers.push(answer);
    }
    (answers, stand.queued())
}

#[tokio::test]
async fn splits_python_sdk() {
    let (answers, queued) = all(SPLIT_DEBUG).await;
    assert!(answers.len() >= 4 && answers.iter().all(|answer| answer.status == 200));
    let [
        (Stream::Events, Origin::Split, events),
        (Stream::Impressions, Origin::Split, impressions),
    ] = &queued[..]
    else {
        panic!("{queued:?}")
    };
    assert_eq!(
        *events,
        [json!({
            "key": "user_1", "trafficTypeName": "user", "eventTypeId": "checkout.completed",
            "value": 42.5, "timestamp": 1_795_221_661_792_i64,
            "properties": {"currency": "USD", "items": 3},
        })]
    );
    let impression = |key: &str, bucket: &str, time: i64| {
        json!({
            "key": key, "split": "checkout_flow", "environmentId": "prod",
            "environmentName": "Production", "treatment": "on", "time": time,
            "bucketingKey": bucket, "label": "default rule", "machineName": "ip-203-0-113-7",
            "machineIp": "203.0.113.7", "splitVersionNumber": 1_700_000_000_000_i64,
            "sdk": "python", "sdkVersion": "10.7.0",
        })
    };
    let mut third = impression("user_4", "user_4", 1_795_221_661_792);
    third["properties"] = json!("{\"page\": \"home\", \"n\": 2}");
    assert_eq!(
        *impressions,
        [
            impression("user_1", "user_1", 1_795_221_661_790),
            impression("user_2", "bucket_2", 1_795_221_661_791),
            third,
        ]
    );
}

#[tokio::test]
async fn splits_python_sdk_without_impressions() {
    let (answers, queued) = all(SPLIT_NONE).await;
    assert!(answers.len() >= 5 && answers.iter().all(|answer| answer.status == 200));
    assert_eq!(queued.len(), 1, "counts, keys and metrics are no events");
    assert_eq!((queued[0].0, queued[0].2.len()), (Stream::Events, 1));
}

fn time_and_version(event: &Value) -> (u64, usize) {
    let uuid: uuid::Uuid = event["timeUUID"].as_str().unwrap().parse().unwrap();
    let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
    (seconds * 1_000 + u64::from(nanos / 1_000_000), uuid.get_version_num())
}

/// Names and kinds of the outgoing event, as Statsig's page has them.
fn check_statsig(event: &Value) {
    let names: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    for name in ["eventName", "userID", "value", "timeUUID"] {
        assert!(event[name].is_string(), "{name}: {event}");
    }
    for name in ["user", "metadata", "statsigMetadata"] {
        assert!(event[name].is_object(), "{name}: {event}");
    }
    assert_eq!(time_and_version(event), (event["timestamp"].as_u64().unwrap(), 1));
    let more = ["secondaryExposures"];
    assert_eq!(names.iter().filter(|name| !more.contains(name)).count(), 8, "{names:?}");
}

#[tokio::test]
async fn statsigs_python_sdk() {
    let (answers, queued) = all(STATSIG).await;
    assert_eq!((answers.len(), answers[0].status), (1, 202));
    assert_eq!(body(&answers[0]), json!({"success": true}));
    let [(Stream::Events, Origin::Statsig, events)] = &queued[..] else { panic!("{queued:?}") };
    assert_eq!(events.len(), 5, "without the diagnostics");
    events.iter().for_each(check_statsig);

    let gate = &events[0];
    assert_eq!(gate["eventName"], "statsig::gate_exposure");
    assert_eq!((&gate["userID"], &gate["value"]), (&json!("user_1"), &json!("")));
    assert_eq!(
        gate["statsigMetadata"],
        json!({
            "gate": "test_gate", "gateValue": true, "ruleID": "5T2Gg0bwizTh9heDKL1El7",
            "samplingMode": null, "sdkVersion": "0.72.1", "sdkType": "py-server",
            "languageVersion": "3.11.7", "sessionID": "85a9ffb4-db75-40e2-a881-a0ca13c3a33c",
        })
    );
    assert_eq!(
        gate["metadata"],
        json!({
            "configVersion": "3", "reason": "Network", "configSyncTime": 1_700_000_000_000_i64,
            "initTime": 1_700_000_000_000_i64, "serverTime": 1_795_221_672_092_i64,
        })
    );
    assert_eq!(gate["secondaryExposures"], json!([]));
    assert_eq!(events[1]["eventName"], "statsig::config_exposure");
    assert_eq!(events[1]["statsigMetadata"]["config"], "test_experiment");
    assert_eq!(events[2]["statsigMetadata"]["gateValue"], false);

    let custom = &events[3];
    assert_eq!(custom["eventName"], "page_view");
    assert_eq!(custom["value"], "example_value");
    assert_eq!(custom["metadata"], json!({"page": "home_page"}));
    assert_eq!(custom["statsigMetadata"]["sdkType"], "py-server");
    assert_eq!(events[4]["value"], "29.99", "a number becomes its text");
}

#[tokio::test]
async fn statsigs_browser_sdk() {
    let (answers, queued) = all(STATSIG_JS).await;
    assert!(!answers.is_empty() && answers.iter().all(|answer| answer.status == 202));
    let events: Vec<_> = queued.iter().flat_map(|(_, _, events)| events).collect();
    assert_eq!(events.len(), 4, "without the diagnostics");
    for event in &events {
        check_statsig(event);
    }
    assert_eq!(events[0]["statsigMetadata"]["sdkType"], "javascript-client");
    assert_eq!(events[0]["metadata"]["reason"], "Network:Recognized");
}

/// The names of an exported event, by Amplitude's page on its Export API.
const EXPORTED: [&str; 49] = [
    "server_received_time",
    "app",
    "device_carrier",
    "$schema",
    "city",
    "user_id",
    "uuid",
    "event_time",
    "platform",
    "os_version",
    "amplitude_id",
    "processed_time",
    "user_creation_time",
    "version_name",
    "ip_address",
    "paying",
    "dma",
    "group_properties",
    "user_properties",
    "client_upload_time",
    "$insert_id",
    "event_type",
    "library",
    "amplitude_attribution_ids",
    "device_type",
    "device_manufacturer",
    "start_version",
    "location_lng",
    "server_upload_time",
    "event_id",
    "location_lat",
    "os_name",
    "amplitude_event_type",
    "device_brand",
    "groups",
    "event_properties",
    "data",
    "device_id",
    "language",
    "device_model",
    "country",
    "region",
    "is_attribution_event",
    "adid",
    "session_id",
    "device_family",
    "sample_rate",
    "idfa",
    "client_event_time",
];

#[tokio::test]
async fn amplitudes_python_sdk() {
    for (capture, time) in
        [(AMPLITUDE, "2026-11-21 00:41:15.868"), (BATCH, "2026-11-21 00:41:26.325")]
    {
        let (answers, queued) = all(capture).await;
        let told = body(&answers[0]);
        assert_eq!((answers.len(), answers[0].status), (1, 200));
        assert_eq!((&told["code"], &told["events_ingested"]), (&json!(200), &json!(4)));
        assert!(told["payload_size_bytes"].as_u64().unwrap() > 1_000);
        assert!(told["server_upload_time"].is_i64());
        let [(Stream::Events, Origin::Amplitude, events)] = &queued[..] else {
            panic!("{queued:?}")
        };
        assert_eq!(events.len(), 2, "neither $identify nor $groupidentify is an event");
        for event in events {
            for name in EXPORTED {
                assert!(event.get(name).is_some(), "{name} is missing");
            }
        }
        let event = &events[0];
        assert_eq!(event["event_time"], time);
        let wanted = json!({
            "event_type": "Button Clicked", "user_id": "user_1", "device_id": "device-1",
            "version_name": "1.2.3", "ip_address": "127.0.0.1", "platform": "iOS",
            "library": "amplitude-python/1.3.0", "session_id": 1_700_000_000_000_i64,
            "event_properties": {"button": "buy", "n": 3}, "groups": {"org": "acme"},
            "user_properties": {"email": "u1@example.com"}, "group_properties": {},
            "client_event_time": time, "amplitude_id": null, "app": "web",
            "server_upload_time": "2026-11-21 05:00:00.000",
        });
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(event[name], *value, "{name}");
        }
        assert!(event["$insert_id"].is_string() && event.get("insert_id").is_none());
        assert_eq!(event["uuid"].as_str().unwrap().as_bytes()[14], b'8', "a version 8 UUID");
        assert_eq!(events[1]["session_id"], -1);
    }
}
