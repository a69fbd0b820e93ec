//! Creations that are sent again under the same idempotency key.

use super::*;
use crate::ports::Remembered;

/// Each creation: a path and a body.
fn creations() -> [(&'static str, Value); 4] {
    [
        ("/v1/projects", json!({"name": "Made up"})),
        ("/v1/admin-keys", json!({"name": "team", "project": "shop"})),
        (
            "/v1/projects/shop/keys",
            json!({"name": "k", "environment": {"id": "e", "name": "E"}, "secret": "hunter2hunter2"}),
        ),
        (
            "/v1/projects/shop/integrations",
            json!({"name": "B", "url": "https://example.com/", "preset": "split"}),
        ),
    ]
}

impl Api {
    /// How many things there are.
    fn made(&self) -> usize {
        let inner = self.memory.inner();
        inner.projects.len() + inner.keys.len() + inner.admin_keys.len() + inner.integrations.len()
    }

    fn all_remembered(&self) -> Vec<Remembered> {
        self.memory.inner().remembered.values().map(|(one, _)| one.clone()).collect()
    }
}

#[tokio::test]
async fn a_repeat_makes_nothing_and_has_the_same_answer() {
    let api = Api::new().await;
    for (path, body) in creations() {
        let before = api.made();
        let first = api.once("once", path, &body).await;
        assert_eq!(first.status, 201, "{first:?}");
        api.memory.inner().now += 60_000;
        let again = api.once("once", path, &body).await;
        assert_eq!((again.status, &again.body), (201, &first.body), "{path}");
        assert_eq!(again.headers, first.headers, "{path}");
        assert_eq!(api.made(), before + 1, "{path}");

        let other = api.once("another", path, &body).await;
        // An integration's name is taken; everything else is made a second time.
        let expected = if path.ends_with("integrations") { 409 } else { 201 };
        assert_eq!(other.status, expected, "{path}");
        assert_ne!(other.body["id"], first.body["id"], "{path}");
        assert_ne!(other.body.get("key").unwrap_or(&json!(0)), &first.body["key"], "{path}");
    }
}

#[tokio::test]
async fn the_key_of_a_repeat_works_and_is_stored_nowhere() {
    let api = Api::new().await;
    let (path, body) = &creations()[2];
    let made = api.once("once", path, body).await;
    let key = made.body["key"].as_str().unwrap();
    let inner = api.memory.inner();
    assert!(inner.keys.contains_key(&hash(key)));
    let remembered = format!("{:?}", inner.remembered);
    assert!(!remembered.contains(key) && !remembered.contains("hunter2"), "{remembered}");
    assert!(!remembered.contains("once") && !remembered.contains("admin key"), "{remembered}");
}

#[tokio::test]
async fn what_was_revoked_is_not_made_again() {
    let api = Api::new().await;
    let (path, body) = &creations()[2];
    let made = api.once("once", path, body).await;
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(api.delete(&format!("{path}/{id}")).await.status, 204);
    assert_eq!(api.once("once", path, body).await.body, made.body);
    assert!(api.memory.inner().keys.is_empty(), "it stays revoked");
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let api = Api::new().await;
    for (path, mut body) in creations() {
        assert_eq!(api.once("once", path, &body).await.status, 201);
        let before = api.made();
        body["name"] = json!("Another");
        let reused = api.once("once", path, &body).await;
        assert_eq!((reused.status, reused.slug()), (422, "idempotency-key-reused"), "{path}");
        assert_eq!(api.made(), before);
    }
}

#[tokio::test]
async fn a_key_stands_for_one_caller_and_one_path() {
    let api = Api::new().await;
    api.post("/v1/projects", &json!({"id": "two"})).await;
    let body = &creations()[2].1;
    let first = api.once("once", "/v1/projects/shop/keys", body).await;
    let elsewhere = api.once("once", "/v1/projects/two/keys", body).await;
    assert_eq!((first.status, elsewhere.status), (201, 201));
    let key = api.post("/v1/admin-keys", &json!({"name": "t", "project": "shop"})).await;
    let bearer = format!("Bearer {}", key.body["key"].as_str().unwrap());
    let text = body.to_string();
    let request = Request {
        method: "POST",
        path: "/v1/projects/shop/keys",
        authorization: Some(&bearer),
        idempotency_key: Some("once"),
        body: text.as_bytes(),
        ..Request::default()
    };
    let others = api.serve(request).await;
    assert_eq!(others.status, 201);
    assert_ne!(others.body["key"], first.body["key"]);
    assert_eq!(api.memory.inner().keys.len(), 3);
}

#[tokio::test]
async fn after_a_day_it_is_forgotten_though_it_is_still_stored() {
    let api = Api::new().await;
    let (path, body) = &creations()[2];
    let day = 24 * 3_600_000;
    let first = api.once("once", path, body).await;
    api.memory.inner().now += day - 1;
    assert_eq!(api.once("once", path, body).await.body, first.body);
    api.memory.inner().now += 1;
    let later = api.once("once", path, body).await;
    assert_eq!(later.status, 201);
    assert_ne!(later.body["key"], first.body["key"]);
}

#[tokio::test]
async fn what_was_refused_uses_up_no_key() {
    let api = Api::new().await;
    let (path, body) = &creations()[3];
    let faulty = api.once("once", path, &json!({"name": "B"})).await;
    assert_eq!(faulty.status, 400);
    assert!(api.all_remembered().is_empty());
    assert_eq!(api.once("once", path, body).await.status, 201);

    // One that the table refuses can be repeated, and may succeed.
    let taken = api.once("second", path, body).await;
    assert_eq!((taken.status, taken.slug()), (409, "name-taken"));
    let made = api.get(path).await.body["integrations"][0]["id"].clone();
    api.delete(&format!("{path}/{}", made.as_str().unwrap())).await;
    assert_eq!(api.once("second", path, body).await.status, 201);
}

#[tokio::test]
async fn a_creation_that_was_cut_short_is_taken_up_again() {
    let api = Api::new().await;
    for (path, body) in creations() {
        let create = match path {
            "/v1/projects" => "create_project",
            "/v1/admin-keys" => "create_admin_key",
            "/v1/projects/shop/keys" => "create_key",
            _ => "create_integration",
        };
        api.memory.inner().failing = [create].into();
        let text = body.to_string();
        let request = Request {
            method: "POST",
            path,
            authorization: Some(KEY),
            idempotency_key: Some("cut"),
            body: text.as_bytes(),
            ..Request::default()
        };
        assert!(matches!(api.admin.serve(&request).await.outcome, Err(Failure::Port(_))));
        api.memory.inner().failing.clear();
        let at = api.memory.inner().now;
        api.memory.inner().now += 5_000;
        let made = api.once("cut", path, &body).await;
        assert_eq!((made.status, &made.body["created_at"]), (201, &json!(at)), "{path}");
        assert_eq!(api.once("cut", path, &body).await.body, made.body, "{path}");
    }
}

#[tokio::test]
async fn of_two_at_once_the_slower_one_tells_what_the_faster_one_made() {
    for (path, body) in creations() {
        let api = Api::new().await;
        api.memory.inner().twin = true;
        let slower = api.once("twice", path, &body).await;
        assert_eq!(slower.status, 201, "{path}");
        let again = api.once("twice", path, &body).await;
        assert_eq!(again.body, slower.body, "{path}");
    }
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_characters() {
    let api = Api::new().await;
    for wrong in ["", "a b", "é", "a\n", &"x".repeat(256)] {
        let answer = api.once(wrong, "/v1/projects", &json!({"id": "p"})).await;
        assert_eq!((answer.status, answer.fields()), (400, vec!["Idempotency-Key"]), "{wrong:?}");
    }
    let longest = api.once(&"~".repeat(255), "/v1/projects", &json!({"id": "p"})).await;
    assert_eq!(longest.status, 201);
}
