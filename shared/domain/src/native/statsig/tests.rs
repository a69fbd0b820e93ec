use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    gzip::gzip,
    native::{
        exposure::in_metadata,
        tests::stand::{KEY, Stand, body},
    },
};

fn log(events: &Value) -> Post {
    let body = json!({"events": events, "statsigMetadata": {"sdkType": "py", "sdkVersion": "1"}});
    Post::to("/v1/log_event", body.to_string()).with("statsig-api-key", format!("secret-{KEY}"))
}

async fn one(event: Value) -> String {
    let stand = Stand::new();
    stand.serve(log(&json!([event]))).await.0.unwrap();
    stand.texts().remove(0)
}

/// The fields that an upload of one event is refused for; none when it is accepted.
async fn faulty(event: Value) -> Vec<String> {
    let outcome = Stand::new().serve(log(&json!([event]))).await.0;
    let errors = outcome.err().map(|problem| problem.errors).unwrap_or_default();
    errors.into_iter().map(|fault| fault.field.unwrap()).collect()
}

#[tokio::test]
async fn the_event_has_the_pages_fields_in_the_pages_order() {
    let text = one(json!({"eventName": "e", "time": 1_644_520_566_967_i64, "more": [1]})).await;
    let (head, tail) = text.split_once("\"timeUUID\":\"").unwrap();
    assert_eq!(
        head,
        r#"{"eventName":"e","user":{},"userID":"","timestamp":1644520566967,"value":"","metadata":{},"statsigMetadata":{"sdkType":"py","sdkVersion":"1"},"#
    );
    assert!(tail.ends_with(r#"","more":[1]}"#), "{tail}");
    // The seed's example has "f4c4…-8aa5-11ec-…" for this time.
    assert_eq!(&tail[8..19], "-8aa5-11ec-", "{tail}");
}

#[tokio::test]
async fn values_and_users_become_text_and_times_whole() {
    for (value, wanted) in [
        (json!(null), ""),
        (json!("x"), "x"),
        (json!(9.5), "9.5"),
        (json!(-3), "-3"),
        (json!(true), "true"),
        (json!([]), "[]"),
        (json!({"a": [1, {}]}), r#"{"a":[1,{}]}"#),
    ] {
        let event: Value = serde_json::from_str(
            &one(json!({"eventName": "e", "value": value, "time": 5.9, "user": {"userID": 7}}))
                .await,
        )
        .unwrap();
        assert_eq!(event["value"], wanted);
        assert_eq!((&event["timestamp"], &event["userID"]), (&json!(5), &json!("7")));
    }
    let now: Value = serde_json::from_str(&one(json!({"eventName": "e"})).await).unwrap();
    assert_eq!(now["timestamp"], crate::memory::START.0);
}

#[tokio::test]
async fn a_value_that_is_no_scalar_becomes_its_text_without_white_space() {
    let text = r#"{"events":[{"eventName":"e","value": { "b" : [ 1.50,"x \" { y\\", {} ],
        "a":"\u00e9" } }]}"#;
    let stand = Stand::new();
    let post = Post::to("/v1/log_event", text).with("statsig-api-key", KEY);
    let (_, (_, _, events)) = stand.accepted(post).await;
    assert_eq!(events[0]["value"], r#"{"b":[1.50,"x \" { y\\",{}],"a":"\u00e9"}"#);
}

#[tokio::test]
async fn a_time_may_be_a_text_of_digits() {
    for (time, wanted) in [("5", 5), ("1644520566967", 1_644_520_566_967_i64), ("-7", -7)] {
        let event: Value =
            serde_json::from_str(&one(json!({"eventName": "e", "time": time})).await).unwrap();
        assert_eq!(event["timestamp"], wanted);
    }
    for time in
        ["", "now", "5x", "0x5", " 5", "+5", "\"5\"", "2026-11-21", "9000000000000000000000"]
    {
        assert_eq!(faulty(json!({"eventName": "e", "time": time})).await, ["time"], "{time:?}");
    }
}

#[tokio::test]
async fn an_empty_array_is_an_empty_object() {
    for empty in [json!([]), json!(null)] {
        let text = json!({
            "events": [{
                "eventName": "e", "user": empty, "metadata": empty, "statsigMetadata": empty,
            }],
            "statsigMetadata": empty,
        });
        let stand = Stand::new();
        let post = Post::to("/v1/log_event", text.to_string()).with("statsig-api-key", KEY);
        let (_, (_, _, events)) = stand.accepted(post).await;
        for name in ["user", "metadata", "statsigMetadata"] {
            assert_eq!(events[0][name], json!({}), "{name}: {empty}");
        }
    }
    for name in ["user", "metadata", "statsigMetadata"] {
        for other in [json!([1]), json!([[]]), json!("x"), json!(7), json!(true)] {
            let event = json!({"eventName": "e", name: other});
            assert_eq!(faulty(event).await, [name], "{other}");
        }
    }
}

#[tokio::test]
async fn the_events_own_metadata_goes_before_the_uploads() {
    let event = json!({"eventName": "e", "statsigMetadata": {"sdkType": "own", "x": 1}});
    let event: Value = serde_json::from_str(&one(event).await).unwrap();
    assert_eq!(event["statsigMetadata"], json!({"sdkType": "own", "x": 1, "sdkVersion": "1"}));
}

#[tokio::test]
async fn faults_have_index_and_field() {
    let stand = Stand::new();
    let events = json!([
        {"eventName": "statsig::diagnostics", "time": 1.5},
        {"time": "now", "user": 7, "value": {}},
        {"eventName": "", "metadata": 1},
        {"eventName": ""},
        {"eventName": "e", "user": {"userID": {}}},
        {"eventName": "e", "time": 1e300},
        7,
    ]);
    let (problem, answer) = stand.refused(log(&events)).await;
    assert_eq!(answer.status, 400);
    let named: Vec<_> = problem
        .errors
        .iter()
        .map(|fault| (fault.index.unwrap(), fault.field.as_deref().unwrap_or_default()))
        .collect();
    let wanted = [
        (1, "eventName"),
        (1, "user"),
        (1, "time"),
        (2, "metadata"),
        (3, "eventName"),
        (4, "user.userID"),
        (5, "time"),
        (6, ""),
    ];
    assert_eq!(named, wanted);
}

#[tokio::test]
async fn an_upload_that_says_too_much_of_itself_is_refused() {
    let stand = Stand::new();
    for about in [json!({"x": "y".repeat(5_000)}), json!([1]), json!("x")] {
        let text = json!({"events": [], "statsigMetadata": about}).to_string();
        let post = Post::to("/v1/log_event", text).with("statsig-api-key", KEY);
        let (problem, _) = stand.refused(post).await;
        assert_eq!(problem.errors[0].field.as_deref(), Some("statsigMetadata"));
    }
    for text in ["{}", r#"{"events":{}}"#, r#"{"events":null}"#] {
        let post = Post::to("/v1/log_event", text).with("statsig-api-key", KEY);
        let (problem, answer) = stand.refused(post).await;
        assert_eq!(problem.errors[0].field.as_deref(), Some("events"));
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn diagnostics_alone_are_accepted_and_counted() {
    let stand = Stand::new();
    let (outcome, answer) =
        stand.serve(log(&json!([{"eventName": "statsig::diagnostics", "time": 1}]))).await;
    assert_eq!((outcome.unwrap().dropped, answer.status), (1, 202));
    assert!(stand.queued().is_empty());
}

#[tokio::test]
async fn what_browsers_do_to_a_body_is_undone() {
    let stand = Stand::new();
    let text = json!({"events": [{"eventName": "e", "time": 1}]}).to_string();
    let reversed: String = BASE64_STANDARD.encode(&text).chars().rev().collect();
    for (query, bytes) in [
        ("gz=1", gzip(text.as_bytes())),
        ("gz=1", text.clone().into_bytes()),
        ("se=1", reversed.into_bytes()),
        ("se=1", BASE64_STANDARD.encode(gzip(text.as_bytes())).bytes().rev().collect()),
    ] {
        let query = format!("k=client-{KEY}&st=js&{query}&gz=1");
        let post = Post { query, ..Post::to("/v1/rgstr", bytes) };
        let post = post.with("content-type", "text/plain;charset=UTF-8");
        let (answer, (_, _, events)) = stand.accepted(post).await;
        assert_eq!((answer.status, body(&answer)), (202, json!({"success": true})));
        assert_eq!(events.len(), 1);
    }
    let broken = Post { query: format!("k={KEY}&se=1"), ..Post::to("/v1/rgstr", "{}") };
    assert_eq!(stand.refused(broken).await.1.status, 400);
}

#[tokio::test]
async fn the_webhook_takes_what_its_page_shows() {
    let stand = Stand::new();
    let text = json!({
        "user": {"userID": "u"}, "event": "bought", "value": 3,
        "metadata": {"example_field_1": "x"}, "timestamp": 1_644_520_566_967_i64,
    });
    let path = "/v1/webhooks/event_webhook";
    let post = Post::to(path, text.to_string()).with("statsig-api-key", KEY);
    let (answer, (_, origin, events)) = stand.accepted(post).await;
    assert_eq!((answer.status, origin), (202, crate::integration::Origin::Statsig));
    let event = &events[0];
    assert_eq!(event["eventName"], "bought");
    assert_eq!(
        (&event["value"], &event["timestamp"]),
        (&json!("3"), &json!(1_644_520_566_967_i64))
    );
    assert_eq!(event.get("event"), None);
    let none = Post::to(path, "{}").with("statsig-api-key", KEY);
    assert_eq!(stand.refused(none).await.0.errors[0].field.as_deref(), Some("event"));
}

#[tokio::test]
async fn keys_may_have_statsigs_prefixes_and_pressure_is_503() {
    let stand = Stand::new();
    let events = json!([{"eventName": "e"}]);
    for key in [KEY.to_owned(), format!("secret-{KEY}"), format!("client-{KEY}")] {
        assert_eq!(stand.serve(log(&events).with("statsig-api-key", key)).await.1.status, 202);
    }
    for key in ["", "secret-", "secret-x"] {
        let (_, answer) = stand.serve(log(&events).with("statsig-api-key", key)).await;
        assert_eq!(answer.status, 401);
    }
    stand.0.fail("send", 1);
    assert_eq!(stand.serve(log(&events)).await.1.status, 503);
}

#[tokio::test]
async fn identical_events_have_ids_of_their_own_and_so_have_different_ones() {
    let stand = Stand::new();
    let event = json!({"eventName": "e", "time": 1});
    let other = json!({"eventName": "f", "time": 1});
    let (_, (_, _, first)) = stand.accepted(log(&json!([event, event, other]))).await;
    let (_, (_, _, again)) = stand.accepted(log(&json!([event, event, other]))).await;
    let ids = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["timeUUID"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&first), ids(&again));
    let different: std::collections::HashSet<_> = ids(&first).into_iter().collect();
    assert_eq!(different.len(), 3);
}

#[tokio::test]
async fn an_event_has_the_same_id_whenever_and_with_whatever_it_is_uploaded() {
    let stand = Stand::new();
    let mut seen = Vec::new();
    for session in ["s-1", "s-2"] {
        let text = json!({
            "events": [{"eventName": "e"}, {"eventName": "e", "time": 1}, {"eventName": "e"}],
            "statsigMetadata": {"sdkType": "py", "sessionID": session},
        });
        let post = Post::to("/v1/log_event", text.to_string()).with("statsig-api-key", KEY);
        let (_, (_, _, events)) = stand.accepted(post).await;
        stand.0.pass(std::time::Duration::from_secs(3_600));
        let ids: Vec<_> = events.iter().map(|event| event["timeUUID"].clone()).collect();
        assert!(ids[0] != ids[1] && ids[0] != ids[2]);
        seen.push((ids, events[0]["timestamp"].clone()));
    }
    assert_eq!(seen[0].0, seen[1].0);
    assert_ne!(seen[0].1, seen[1].1, "each upload has its own time");
}

#[tokio::test]
async fn an_exposure_can_be_had_back_as_it_was_sent() {
    let sent = json!({
        "eventName": "statsig::gate_exposure", "time": 1,
        "metadata": {"gate": "g", "gateValue": "true", "ruleID": "r", "reason": "Network"},
    });
    let stored = one(sent.clone()).await;
    let value: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(value["statsigMetadata"]["gateValue"], true);
    assert_eq!(value["metadata"], json!({"reason": "Network"}));
    let shown: Value = serde_json::from_slice(&in_metadata(stored.as_bytes()).unwrap()).unwrap();
    assert_eq!(shown["metadata"], sent["metadata"]);
    assert_eq!(shown["statsigMetadata"], json!({"sdkType": "py", "sdkVersion": "1"}));
    assert_eq!(shown["timeUUID"], value["timeUUID"]);
}

proptest! {
    #[test]
    fn a_uuid_says_its_time_to_the_millisecond(time in 0_i64..4_102_444_800_000, hash: [u8; 32]) {
        let uuid = time_uuid(Some(Timestamp(time)), &hash);
        prop_assert_eq!(uuid.get_version_num(), 1);
        prop_assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
        let millis = seconds * 1_000 + u64::from(nanos / 1_000_000);
        prop_assert_eq!(i64::try_from(millis).unwrap(), time);
    }

    #[test]
    fn no_time_is_too_far(time: i64, hash: [u8; 32]) {
        prop_assert_eq!(time_uuid(Some(Timestamp(time)), &hash).get_version_num(), 1);
    }

    #[test]
    fn without_a_time_it_is_a_version_1_uuid_of_the_hash_alone(hash: [u8; 32], other: [u8; 32]) {
        let uuid = time_uuid(None, &hash);
        prop_assert_eq!((uuid.get_version_num(), uuid.get_variant()), (1, uuid::Variant::RFC4122));
        prop_assert_eq!(uuid, time_uuid(None, &hash));
        prop_assert!(hash == other || uuid != time_uuid(None, &other));
    }
}
