use serde_json::{Value, json};

use super::*;
use crate::{
    integration::Origin,
    native::{
        Post,
        tests::stand::{KEY, Stand},
    },
};

/// The example of Flagsmith's page.
const PAGE: &str = include_str!("../../../../../tests/fixtures/flagsmith-identity.json");
/// The same as `json.dumps(…, sort_keys=True)` of Python 3.11 writes it.
const WRITTEN: &str = r#"{"flags": [{"enabled": false, "environment": 2, "feature": {"created_date": "2022-02-04T14:57:39.200798Z", "default_enabled": false, "description": null, "id": 1, "initial_value": null, "name": "12e12e", "type": "STANDARD"}, "feature_segment": null, "feature_state_value": null, "id": 2, "identity": null}, {"enabled": true, "environment": 2, "feature": {"created_date": "2022-02-04T14:57:44.244575Z", "default_enabled": true, "description": null, "id": 2, "initial_value": null, "name": "gggg", "type": "STANDARD"}, "feature_segment": null, "feature_state_value": null, "id": 4, "identity": null}], "identity": "user_test", "segments": [{"id": 1, "member": true, "name": "test_segment"}], "traits": [{"id": 4, "trait_key": "222", "trait_value": 333}, {"id": 5, "trait_key": "aaa", "trait_value": "bbb"}]}"#;
const SECRET: &str = "my shared secret";
/// `hmac.new(SECRET, WRITTEN, "sha256").hexdigest()` in Python 3.11.
const SIGNATURE: &str = "bce088fc7af32d4b5cf7209753f72d5b2968c1e4e8c10a42e280108bc29999fa";

fn native(body: &str) -> Post {
    Post::to("/v1/identities/", body.to_owned()).with("x-environment-key", KEY)
}

#[tokio::test]
async fn the_pages_example_is_written_as_a_flagsmith_server_writes_it() {
    let stand = Stand::new();
    for post in [
        native(PAGE),
        native(WRITTEN),
        Post { query: format!("environment_key={KEY}"), ..Post::to("/v1/identities", PAGE) },
        Post::to("/v1/identities", format!("[{PAGE}]"))
            .with("authorization", format!("Bearer {KEY}")),
    ] {
        let (_, answer) = stand.serve(post).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, r#"{"accepted":1}"#));
        assert_eq!(stand.texts(), [WRITTEN]);
    }
}

#[tokio::test]
async fn where_the_key_was_says_where_the_payload_is_from() {
    let stand = Stand::new();
    assert_eq!(stand.accepted(native(PAGE)).await.1.1, Origin::Flagsmith);
    let own = Post::to("/v1/identities", PAGE).with("authorization", format!("Bearer {KEY}"));
    let (_, (stream, origin, _)) = stand.accepted(own).await;
    assert_eq!((stream, origin), (Stream::Identities, Origin::Api));
    assert_eq!(stand.refused(Post::to("/v1/identities", PAGE)).await.1.status, 401);
}

#[tokio::test]
async fn a_key_with_a_secret_takes_only_what_was_signed_with_it() {
    let stand = Stand::with(Some(SECRET));
    let signed = |signature: &str| native(WRITTEN).with("x-flagsmith-signature", signature);
    assert_eq!(stand.serve(signed(SIGNATURE)).await.1.status, 202);
    assert_eq!(stand.serve(signed(&SIGNATURE.to_uppercase())).await.1.status, 202);
    stand.queued();
    let other = SIGNATURE.replacen(|c: char| c.is_ascii_digit(), "a", 1);
    for wrong in ["", "x", "aé", &SIGNATURE[2..], &other, &format!("{SIGNATURE}00")] {
        let (problem, answer) = stand.refused(signed(wrong)).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(problem.detail.contains("X-Flagsmith-Signature"), "{problem:?}");
    }
    assert!(stand.refused(native(WRITTEN)).await.0.detail.contains("is missing"));
    let changed = native(&WRITTEN.replace("bbb", "bbc")).with("x-flagsmith-signature", SIGNATURE);
    assert_eq!(stand.refused(changed).await.1.status, 401);
    // No way round it by another header.
    let bearer = Post::to("/v1/identities", WRITTEN).with("authorization", format!("Bearer {KEY}"));
    assert_eq!(stand.refused(bearer).await.1.status, 401);
}

#[tokio::test]
async fn faults_have_index_and_field() {
    let stand = Stand::new();
    let good: Value = serde_json::from_str(PAGE).unwrap();
    let mut odd = good.clone();
    odd["flags"][1] = json!(5);
    odd["traits"] = json!({});
    let upload = json!([good, odd, {"identity": null, "segments": [[]]}, 3]);
    let (problem, _) = stand.refused(native(&upload.to_string())).await;
    let named: Vec<_> = problem
        .errors
        .iter()
        .map(|fault| (fault.index.unwrap(), fault.field.as_deref().unwrap_or_default()))
        .collect();
    let wanted = [
        (1, "traits"),
        (1, "flags[1]"),
        (2, "flags"),
        (2, "identity"),
        (2, "traits"),
        (2, "segments[0]"),
        (3, ""),
    ];
    assert_eq!(named, wanted);
    assert_eq!(stand.refused(native("[]")).await.0.kind, Kind::EmptyRequest);
}

#[tokio::test]
async fn unknown_fields_are_kept_and_sorted_in() {
    let stand = Stand::new();
    let text =
        r#"{"zz":1.50,"flags":[],"identity":"ü","segments":[],"traits":[],"a":{"b":1,"a":2}}"#;
    stand.serve(native(text)).await.0.unwrap();
    let wanted = r#"{"a": {"a": 2, "b": 1}, "flags": [], "identity": "\u00fc", "segments": [], "traits": [], "zz": 1.50}"#;
    assert_eq!(stand.texts(), [wanted]);
    for deep in [format!("{}{}", "[".repeat(70), "]".repeat(70)), r#""\udc00""#.to_owned()] {
        let text = text.replace("1.50", &deep);
        assert_eq!(stand.refused(native(&text)).await.0.errors[0].index, Some(0));
    }
}
