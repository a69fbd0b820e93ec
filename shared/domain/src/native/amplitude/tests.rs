use serde_json::{Value, json};

use super::*;
use crate::native::{
    Post,
    tests::stand::{KEY, Stand, body},
};

fn upload(path: &str, events: &Value) -> Post {
    Post::to(path, json!({"api_key": KEY, "events": events}).to_string())
}

async fn one(event: &Value) -> Value {
    let mut post = upload("/2/httpapi", &json!([event]));
    post = post.with("content-type", "application/json");
    Stand::new().accepted(post).await.1.2.remove(0)
}

#[tokio::test]
async fn every_field_of_an_export_is_there_and_unknown_ones_are_kept() {
    let event = one(&json!({
        "event_type": "e", "user_id": "user-1", "time": 1_666_642_052_123_i64, "carrier": "c",
        "ip": "$remote", "price": 1.50, "plan": {"a": 1}, "insert_id": "i",
    }))
    .await;
    for (name, _) in EXPORTED {
        assert!(event.get(name).is_some(), "{name}");
    }
    assert_eq!(event["event_time"], "2022-10-24 20:07:32.123", "the form of Amplitude's page");
    assert_eq!((&event["device_carrier"], &event["$insert_id"]), (&json!("c"), &json!("i")));
    assert_eq!((&event["price"], &event["plan"]), (&json!(1.50), &json!({"a": 1})));
    assert_eq!(event["ip_address"], Value::Null);
    for name in ["carrier", "ip", "insert_id", "time", "app_version"] {
        assert_eq!(event.get(name), None, "{name} has another name");
    }
}

#[tokio::test]
async fn a_forged_field_of_ours_is_not_passed_on() {
    let event = json!({"event_type": "e", "user_id": "user-1", "uuid": "x", "amplitude_id": 7});
    let event = one(&event).await;
    assert_eq!(event["amplitude_id"], Value::Null);
    assert_eq!(event["uuid"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn the_time_of_an_upload_is_the_clients_where_it_says_one() {
    let stand = Stand::new();
    let events = json!([{"event_type": "e", "user_id": "user-1"}]);
    let text = json!({
        "api_key": KEY, "events": events, "client_upload_time": "2026-11-20T01:02:03.004Z",
    });
    let (_, (_, _, events)) = stand.accepted(Post::to("/batch", text.to_string())).await;
    assert_eq!(events[0]["client_upload_time"], "2026-11-20 01:02:03.004");
    assert_eq!(events[0]["event_time"], events[0]["server_upload_time"]);
}

#[tokio::test]
async fn faults_are_told_as_amplitude_tells_them() {
    let stand = Stand::new();
    let events = json!([
        {"event_type": "e", "user_id": "user-1", "time": "now"},
        {"event_type": "e", "user_id": "user-1"},
        {"user_id": "user-1"},
        {"event_type": "e"},
        {"event_type": "e", "device_id": "abc", "time": 1.5},
        {"event_type": "e", "device_id": "abc"},
        {"event_type": "", "device_id": "abcde"},
        5,
        {"event_type": "e", "user_id": "user-1", "time": 9_000_000_000_000_000_000_i64},
    ]);
    let (_, answer) = stand.refused(upload("/2/httpapi", &events)).await;
    assert_eq!((answer.status, answer.content_type), (400, "application/json"));
    let told = body(&answer);
    assert_eq!(told["code"], 400);
    assert_eq!(
        told["events_with_invalid_fields"],
        json!({"time": [0, 4, 8], "event_type": [6], "event": [7]})
    );
    assert_eq!(told["events_with_invalid_id_lengths"], json!({"device_id": [5]}));
    assert_eq!(told["events_with_missing_fields"], json!({"event_type": [2], "user_id": [3]}));
}

/// The indices of events that clients drop: amplitude-analytics 1.3.0, `invalid_or_silenced_index`
/// of `Response`.
fn dropped(told: &Value) -> std::collections::BTreeSet<usize> {
    let maps = [
        "events_with_missing_fields",
        "events_with_invalid_fields",
        "events_with_invalid_id_lengths",
    ];
    let indices = maps.iter().flat_map(|map| told[map].as_object().unwrap().values());
    let indices = indices.flat_map(|listed| listed.as_array().unwrap());
    indices.map(|index| usize::try_from(index.as_u64().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn short_ids_are_told_as_amplitude_tells_them_and_the_rest_comes_again() {
    let stand = Stand::new();
    let mut events = vec![
        json!({"event_type": "e", "user_id": "user-1"}),
        json!({"event_type": "e", "user_id": "u", "device_id": "d"}),
        json!({"event_type": "e", "user_id": "user-2", "device_id": "abcd"}),
        json!({"event_type": "e", "user_id": "user-3"}),
    ];
    let (_, answer) = stand.refused(upload("/2/httpapi", &json!(events))).await;
    let told = body(&answer);
    // Amplitude's own answer to such an id: amplitude/Amplitude-TypeScript, pull request 81.
    assert_eq!(
        told,
        json!({
            "code": 400, "error": "Invalid id length for user_id or device_id",
            "events_with_missing_fields": {}, "events_with_invalid_fields": {},
            "events_with_invalid_id_lengths": {"user_id": [1], "device_id": [1, 2]},
        })
    );
    for index in dropped(&told).into_iter().rev() {
        events.remove(index);
    }
    let (answer, (_, _, delivered)) = stand.accepted(upload("/2/httpapi", &json!(events))).await;
    assert_eq!((answer.status, &body(&answer)["events_ingested"]), (200, &json!(2)));
    let users: Vec<_> = delivered.iter().map(|event| event["user_id"].clone()).collect();
    assert_eq!(users, ["user-1", "user-3"]);
}

#[tokio::test]
async fn all_faulty_events_are_listed_not_only_the_first_twenty() {
    let (_, answer) = Stand::new()
        .refused(upload(
            "/2/httpapi",
            &json!(vec![json!({"event_type": 1, "user_id": "user-1"}); 100]),
        ))
        .await;
    let listed = body(&answer)["events_with_invalid_fields"]["event_type"].clone();
    assert_eq!(listed, json!((0..100).collect::<Vec<_>>()));
}

#[tokio::test]
async fn short_ids_are_taken_where_the_upload_says_so() {
    let stand = Stand::new();
    let text = |options: Value| json!({"api_key": KEY, "options": options, "events": [{"event_type": "e", "user_id": "u"}]});
    let post = |options| Post::to("/2/httpapi", text(options).to_string());
    assert_eq!(stand.accepted(post(json!({"min_id_length": 1}))).await.0.status, 200);
    for options in [json!({}), json!(null), json!([]), json!({"min_id_length": 2})] {
        assert_eq!(stand.refused(post(options)).await.1.status, 400);
    }
}

#[tokio::test]
async fn keys_are_refused_in_amplitudes_words() {
    let stand = Stand::new();
    for text in [
        json!({"api_key": "fpk_wrong", "events": []}).to_string(),
        json!({"events": []}).to_string(),
        json!({"api_key": 7, "events": []}).to_string(),
    ] {
        let (_, answer) = stand.refused(Post::to("/2/httpapi", text)).await;
        assert_eq!((answer.status, &body(&answer)["code"]), (400, &json!(400)));
        assert!(body(&answer)["error"].as_str().unwrap().starts_with("Invalid API key:"));
        assert!(answer.headers.is_empty());
    }
    let (_, answer) =
        stand.refused(Post::to("/2/httpapi", json!({"api_key": KEY}).to_string())).await;
    assert_eq!(body(&answer)["missing_field"], "events");
}

#[tokio::test]
async fn too_much_is_413_and_the_batch_api_takes_more() {
    let stand = Stand::new();
    let event = json!({"event_type": "e", "user_id": "user-1"});
    let many = json!(vec![event.clone(); 2_001]);
    let (_, answer) = stand.refused(upload("/2/httpapi", &many)).await;
    assert_eq!((answer.status, &body(&answer)["code"]), (413, &json!(413)));
    assert_eq!(stand.serve(upload("/batch", &many)).await.1.status, 200);
    stand.queued();

    let large = json!({"event_type": "e", "user_id": "user-1", "x": "y".repeat(200_000)});
    let large = json!(vec![large; 6]);
    assert_eq!(stand.refused(upload("/2/httpapi", &large)).await.1.status, 413);
    let zipped = crate::gzip::gzip(&upload("/", &large).body);
    let zipped = Post::to("/2/httpapi", zipped).with("content-encoding", "gzip");
    assert_eq!(stand.refused(zipped).await.1.status, 413, "decoded it is as large");
    assert_eq!(stand.serve(upload("/batch", &large)).await.1.status, 200);
}

#[tokio::test]
async fn pressure_is_503_with_a_code() {
    let stand = Stand::new();
    let events = json!([{"event_type": "e", "user_id": "user-1"}]);
    for call in ["key", "send"] {
        stand.0.fail(call, 1);
        let (_, answer) = stand.refused(upload("/2/httpapi", &events)).await;
        assert_eq!((answer.status, &body(&answer)["code"]), (503, &json!(503)), "{call}");
    }
}
