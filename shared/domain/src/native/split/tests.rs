use serde_json::{Value, json};

use super::*;
use crate::native::{
    Post,
    tests::stand::{KEY, Stand, body},
};

fn post(path: &str, value: &Value) -> Post {
    Post::to(path, value.to_string()).with("authorization", format!("Bearer {KEY}"))
}

#[test]
fn sdk_and_version_are_told_apart_at_the_first_digit_after_a_hyphen() {
    let both = |sdk: &str, version: &str| (Some(sdk.to_owned()), Some(version.to_owned()));
    assert_eq!(sdk_and_version("python-10.7.0"), both("python", "10.7.0"));
    assert_eq!(sdk_and_version("react-native-1.2.0-rc.1"), both("react-native", "1.2.0-rc.1"));
    assert_eq!(sdk_and_version("ä-ö-1"), both("ä-ö", "1"));
    assert_eq!(sdk_and_version("php"), (Some("php".to_owned()), None));
    assert_eq!(sdk_and_version("-1"), (Some("-1".to_owned()), None));
    assert_eq!(sdk_and_version(""), (None, None));
}

#[tokio::test]
async fn faults_are_named_as_the_sdk_names_them() {
    let stand = Stand::new();
    let good = json!({"k": "u", "t": "on", "m": 1});
    let upload = json!([
        {"f": "a", "i": [good, {"k": 7, "m": 1.5, "t": "on"}, 3]},
        {"i": []},
        {"f": "x".repeat(1_100), "i": []},
        {"f": "b", "i": {}},
        "c",
    ]);
    let (problem, answer) = stand.refused(post("/api/testImpressions/bulk", &upload)).await;
    assert_eq!((problem.kind.slug(), answer.status), ("invalid-events", 400));
    let named: Vec<_> = problem
        .errors
        .iter()
        .map(|fault| (fault.index.unwrap(), fault.field.as_deref().unwrap_or_default()))
        .collect();
    let wanted = [(0, "i[1].k"), (0, "i[1].m"), (0, "i[2]"), (1, "f"), (2, "f"), (3, "i"), (4, "")];
    assert_eq!(named, wanted);
}

#[tokio::test]
async fn what_the_mapping_writes_goes_before_what_was_uploaded_under_that_name() {
    let stand = Stand::new();
    let impression = json!({
        "k": "u", "key": "other", "t": "on", "treatment": 7, "m": 1, "time": "now", "b": null,
        "bucketingKey": "other", "split": "other", "sdk": ["other"], "sdkVersion": "0",
        "machineName": "mine", "label": "mine", "environmentId": "forged", "zz": [1],
    });
    let post = post("/testImpressions/bulk", &json!([{"f": "a", "i": [impression]}]));
    let (_, (_, _, events)) = stand.accepted(post.with("splitsdkversion", "python-10.7.0")).await;
    assert_eq!(
        events[0],
        json!({
            "key": "u", "split": "a", "environmentId": "prod", "environmentName": "Production",
            "treatment": "on", "time": 1, "bucketingKey": "u", "label": "mine",
            "machineName": "mine", "sdk": "python", "sdkVersion": "10.7.0", "zz": [1],
        })
    );
}

#[tokio::test]
async fn what_an_upload_has_twice_is_a_fault_under_the_name_that_it_has() {
    let stand = Stand::new();
    let text = r#"[{"f":"a","i":[
        {"k":"u","k":"v","t":"on","m":1},
        {"k":"u","key":"x","key":"y","t":"on","m":1},
        {"key":"x","key":"y","t":"on","m":1},
        {"k":"u","t":"on","m":1,"sdk":"x","sdk":"x"},
        {"k":"u","t":"on","m":1,"split":"x","split":"x","split":"x"},
        {"key":7,"t":"on","m":1}
    ]}]"#;
    let post =
        Post::to("/testImpressions/bulk", text).with("authorization", format!("Bearer {KEY}"));
    let (problem, _) = stand.refused(post.with("splitsdkversion", "python-10.7.0")).await;
    let named: Vec<_> =
        problem.errors.iter().map(|f| (f.field.as_deref().unwrap(), f.detail.as_str())).collect();
    let twice = "is there more than once";
    assert_eq!(
        named,
        [
            ("i[0].k", twice),
            ("i[1].key", twice),
            ("i[2].key", twice),
            ("i[3].sdk", twice),
            ("i[4].split", twice),
            ("i[5].key", "must be a string"),
        ]
    );
}

#[tokio::test]
async fn nothing_is_said_of_a_machine_that_did_not_say() {
    let stand = Stand::new();
    let upload = json!([{"f": "a", "i": [{"k": "u", "t": "on", "m": 1, "c": null, "zz": [1]}]}]);
    let (_, (_, _, events)) = stand.accepted(post("/testImpressions/bulk", &upload)).await;
    assert_eq!(
        events[0],
        json!({
            "key": "u", "split": "a", "environmentId": "prod", "environmentName": "Production",
            "treatment": "on", "time": 1, "bucketingKey": "u", "zz": [1],
        })
    );
}

#[tokio::test]
async fn beacons_have_their_key_in_the_body() {
    let stand = Stand::new();
    let impressions = json!([{"f": "a", "i": [{"k": "u", "t": "on", "m": 1}]}]);
    let beacon = |entries: &Value, token: &str| {
        json!({"entries": entries, "token": token, "sdk": "browserjs-1.2.0"}).to_string()
    };
    let path = "/api/testImpressions/beacon";
    let post =
        Post::to(path, beacon(&impressions, KEY)).with("content-type", "text/plain;charset=UTF-8");
    let (answer, (stream, _, events)) = stand.accepted(post).await;
    assert_eq!((answer.status, body(&answer)), (200, json!({})));
    assert_eq!(stream, Stream::Impressions);
    assert_eq!(
        (&events[0]["sdk"], &events[0]["sdkVersion"]),
        (&json!("browserjs"), &json!("1.2.0"))
    );

    let event = json!({"key": "u", "trafficTypeName": "user", "eventTypeId": "e", "timestamp": 1});
    let post = Post::to("/api/events/beacon", beacon(&json!([event]), KEY));
    assert_eq!(
        stand.accepted(post).await.1,
        (Stream::Events, crate::integration::Origin::Split, vec![event])
    );

    for path in ["/testImpressions/count/beacon", "/v1/metrics/usage/beacon", "/v1/keys/cs/beacon"]
    {
        let (outcome, answer) = stand.serve(Post::to(path, beacon(&json!({}), KEY))).await;
        assert_eq!((outcome.unwrap().events, answer.status), (0, 200), "{path}");
    }
    for (text, status) in [
        (&*beacon(&impressions, "fpk_wrong"), 401),
        ("{}", 401),
        ("[]", 401),
        ("x", 400),
        ("", 400),
    ] {
        let (_, answer) = stand.refused(Post::to(path, text.to_owned())).await;
        assert_eq!(answer.status, status, "{text}");
    }
}

#[tokio::test]
async fn events_are_checked_and_kept_byte_for_byte() {
    let stand = Stand::new();
    let text =
        r#"[ {"timestamp":1, "key":"u","trafficTypeName":"user","eventTypeId":"e","x":1.0}]"#;
    let good = Post::to("/events/bulk", text).with("authorization", format!("Bearer {KEY}"));
    stand.serve(good).await.0.unwrap();
    assert_eq!(stand.texts(), [&text[2..text.len() - 1]]);
    let bad = json!([{"key": 1, "eventTypeId": null, "timestamp": "now", "properties": []}]);
    let (problem, _) = stand.refused(post("/events/bulk", &bad)).await;
    let fields: Vec<_> = problem.errors.iter().map(|f| f.field.as_deref().unwrap()).collect();
    assert_eq!(fields, ["key", "trafficTypeName", "eventTypeId", "timestamp", "properties"]);
}

#[tokio::test]
async fn impressions_are_counted_under_all_flags() {
    let stand = Stand::new();
    let one = json!({"k": "u", "t": "on", "m": 1});
    let flag = |count| json!({"f": "a", "i": vec![one.clone(); count]});
    let (problem, answer) =
        stand.refused(post("/testImpressions/bulk", &json!([flag(6_000), flag(4_001)]))).await;
    assert_eq!((problem.kind.slug(), answer.status), ("too-many-events", 413));
    let (outcome, _) = stand.serve(post("/testImpressions/bulk", &json!([]))).await;
    assert_eq!(outcome.unwrap().events, 0, "an empty upload is none's fault");
}

#[tokio::test]
async fn what_is_not_kept_needs_a_key_too() {
    let stand = Stand::new();
    for path in ["/api/testImpressions/count", "/api/v1/keys/ss", "/api/v1/metrics/config"] {
        let (outcome, answer) = stand.serve(post(path, &json!({"any": "thing"}))).await;
        assert_eq!((outcome.unwrap().dropped, answer.status), (1, 200), "{path}");
        assert_eq!(stand.refused(Post::to(path, "{}")).await.1.status, 401, "{path}");
    }
}
