//! Rotating signing secrets.

use super::*;
use crate::secret::Secret;

#[tokio::test]
async fn a_secret_is_made_shown_once_and_rotated() {
    let api = Api::with_backlog().await;
    let path = format!("{ONE}/secret");
    let first = api.post(&path, &json!({})).await;
    assert_eq!((first.status, first.body.get("old_until")), (200, None));
    let secret = first.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(first.header("etag"), Some("\"2\""));
    api.memory.inner().now = 10_000;
    let second = api.post(&path, &json!({"overlap_hours": 2})).await;
    assert_eq!(second.body["old_until"], 10_000 + 2 * 3_600_000);
    assert_ne!(second.body["secret"], first.body["secret"]);
    let read = api.get(ONE).await;
    assert_eq!(read.body["secret"], json!({"set": true, "old_until": 7_210_000}));
    assert!(!read.body.to_string().contains("whsec_"));
    let at_once = api.post(&path, &json!({"overlap_hours": 0, "secret": secret})).await;
    assert_eq!((at_once.status, &at_once.body), (200, &json!({"secret": secret})));
}

/// Who had no answer asks again: the receiver, which has the old secret, still verifies.
#[tokio::test]
async fn a_rotation_that_is_sent_again_leaves_the_old_secret_its_time() {
    let api = Api::with_backlog().await;
    let path = format!("{ONE}/secret");
    let old = api.post(&path, &json!({})).await.body["secret"].clone();
    let stored = |api: &Api| {
        let inner = api.memory.inner();
        let one = inner.integrations[&("shop".into(), "i1".into())].clone().unwrap();
        (one.own.secret, one.own.old_secret.map(|old| (old.secret, old.until)))
    };
    let old = Secret::new(old.as_str().unwrap());
    let given = json!({"secret": format!("whsec_{}", "QUJD".repeat(8))});
    let first = api.post(&path, &given).await;
    let until = Timestamp(first.body["old_until"].as_i64().unwrap());
    api.memory.inner().now += 60_000;
    let again = api.post(&path, &given).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(stored(&api).1, Some((old, until)));
    // A secret that is made up is the same one under the same key, whatever came in between.
    let before = stored(&api).0.unwrap();
    let first = api.once("rotation", &path, &json!({"overlap_hours": 5})).await;
    assert_eq!(first.status, 200, "{first:?}");
    api.memory.inner().now += 60_000;
    let again = api.once("rotation", &path, &json!({"overlap_hours": 5})).await;
    assert_eq!((again.status, &again.body, &again.headers), (200, &first.body, &first.headers));
    assert_eq!(stored(&api).1.unwrap().0, before);
    assert_eq!(api.once("rotation", &path, &json!({})).await.status, 422);
    let ended = api.post(&path, &json!({"secret": first.body["secret"], "overlap_hours": 0})).await;
    assert_eq!((ended.body.get("old_until"), stored(&api).1), (None, None));
    api.post(&path, &given).await;
    let late = api.once("rotation", &path, &json!({"overlap_hours": 5})).await;
    assert_eq!(
        (late.status, late.body.get("old_until")),
        (200, None),
        "told again, and not set again"
    );
    assert_eq!(
        (&late.body["secret"], stored(&api).0.unwrap().reveal()),
        (&first.body["secret"], given["secret"].as_str().unwrap(),)
    );
    api.post(&path, &json!({})).await;
    let later = api.once("rotation", &path, &json!({"overlap_hours": 5})).await;
    assert_eq!(later.status, 409, "nothing signs by it any more");
}

/// The first try came to nothing: the overlap begins when the secret is set.
#[tokio::test]
async fn a_rotation_that_succeeds_late_has_its_whole_overlap() {
    let api = Api::with_backlog().await;
    let path = format!("{ONE}/secret");
    api.post(&path, &json!({})).await;
    api.memory.inner().failing.insert("replace_integration");
    let hour = 3_600_000;
    let begun = api.memory.inner().now;
    let body = json!({"overlap_hours": 1}).to_string();
    let request = || Request {
        method: "POST",
        path: &path,
        authorization: Some(KEY),
        idempotency_key: Some("late"),
        body: body.as_bytes(),
        ..Request::default()
    };
    assert!(api.admin.serve(&request()).await.outcome.is_err());
    api.memory.inner().failing.clear();
    api.memory.inner().now = begun + 2 * hour;
    let late = api.serve(request()).await;
    assert_eq!(late.body["old_until"], begun + 3 * hour);
}

#[tokio::test]
async fn a_secret_that_does_not_fit_is_refused_without_quoting_it() {
    let api = Api::with_backlog().await;
    let path = format!("{ONE}/secret");
    for (body, field) in [
        (json!({"secret": "hunter2222"}), "secret"),
        (json!({"secret": 7}), "secret"),
        (json!({"overlap_hours": 721}), "overlap_hours"),
        (json!({"other": 1}), "other"),
    ] {
        let answer = api.post(&path, &body).await;
        assert_eq!((answer.status, answer.fields()), (400, vec![field]), "{body}");
        assert!(!answer.body.to_string().contains("hunter"));
    }
    let flagsmith = Own { signature: Some(Scheme::Flagsmith), ..Own::default() };
    let one = Integration { own: flagsmith, ..integration() };
    api.memory.inner().integrations.insert(("shop".into(), "i1".into()), Some(one));
    let answer = api.post(&path, &json!({"overlap_hours": 1})).await;
    assert_eq!(answer.fields(), ["overlap_hours"]);
    let answer = api.post(&path, &json!({"secret": "any text they have"})).await;
    assert_eq!(answer.body, json!({"secret": "any text they have"}));
}
