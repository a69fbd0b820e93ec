//! Admin keys of one project.

use super::*;
use crate::admin::route::TABLE;

impl Api {
    /// An admin key for a project, ready for a header.
    async fn admin_key(&self, project: &str) -> (String, String) {
        let body = json!({"name": "the web team", "project": project});
        let made = self.post("/v1/admin-keys", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
        (text("id"), format!("Bearer {}", text("key")))
    }
}

#[tokio::test]
async fn a_key_is_shown_once_listed_without_it_and_ends_at_once() {
    let api = Api::new().await;
    let (id, bearer) = api.admin_key("shop").await;
    let key = bearer.strip_prefix("Bearer fpa_").unwrap();
    assert_eq!(key.len(), 43);
    {
        let inner = api.memory.inner();
        let (stored, listed) = inner.admin_keys.first_key_value().unwrap();
        assert_eq!(*stored, hash(&format!("fpa_{key}")));
        assert!(!format!("{listed:?}").contains(key));
    }
    let listed = api.get("/v1/admin-keys").await;
    let expected = json!({
        "admin_keys": [{"id": id, "project": "shop", "name": "the web team", "created_at": 1000}],
        "next": null,
    });
    assert_eq!((listed.status, listed.body), (200, expected));

    let mine = "/v1/projects/shop/keys";
    assert_eq!(api.call_as(&bearer, "GET", mine, None, "").await.status, 200);
    let path = format!("/v1/admin-keys/{id}");
    assert_eq!(api.delete(&path).await.status, 204);
    assert_eq!(api.delete(&path).await.slug(), "not-found");
    assert_eq!(api.call_as(&bearer, "GET", mine, None, "").await.slug(), "unauthorized");
}

#[tokio::test]
async fn every_route_is_tried_with_a_key_of_another_project() {
    let api = Api::with_backlog().await;
    api.post("/v1/projects", &json!({"id": "other"})).await;
    let (_, bearer) = api.admin_key("other").await;
    // What any key may have.
    let shared = ["GET /openapi.json", "GET /v1/presets", "GET /v1/projects"];
    let mut refused = 0;
    for entry in TABLE {
        let path = entry.example().replace("/integration/", "/i1/");
        api.memory.inner().calls.clear();
        let answer = api.call_as(&bearer, entry.method, &path, Some("*"), "{}").await;
        let calls = api.memory.inner().calls.clone();
        if shared.contains(&format!("{} {}", entry.method, entry.path).as_str()) {
            assert_eq!(answer.status, 200, "{} {path}", entry.method);
            assert!(calls.iter().all(|call| ["admin_key", "project"].contains(call)), "{calls:?}");
            continue;
        }
        assert_eq!((answer.status, answer.slug()), (403, "forbidden"), "{} {path}", entry.method);
        assert_eq!(calls, ["admin_key"], "nothing but the key is looked up: {path}");
        refused += 1;
    }
    assert_eq!(refused, TABLE.len() - shared.len());
    let projects = api.call_as(&bearer, "GET", "/v1/projects", None, "").await;
    assert_eq!(projects.body["projects"].as_array().unwrap().len(), 1);
    assert_eq!(projects.body["projects"][0]["id"], "other");
}

#[tokio::test]
async fn a_key_works_on_its_own_project_but_cannot_delete_it() {
    let api = Api::with_backlog().await;
    let (_, bearer) = api.admin_key("shop").await;
    for entry in TABLE.iter().filter(|entry| entry.path.contains("{integration}")) {
        let answer = api.call_as(&bearer, entry.method, &entry.example(), Some("*"), "{}").await;
        let path = entry.path;
        assert!([200, 400, 404].contains(&answer.status), "{} {path}: {answer:?}", entry.method);
    }
    let path = "/v1/projects/shop/integrations";
    let body = json!({"name": "B", "url": "https://example.com/", "preset": "split"}).to_string();
    assert_eq!(api.call_as(&bearer, "POST", path, None, &body).await.status, 201);
    let gone = api.call_as(&bearer, "DELETE", "/v1/projects/shop", None, "").await;
    assert_eq!(gone.slug(), "forbidden");
    let body = json!({"name": "more", "project": "shop"}).to_string();
    let more = api.call_as(&bearer, "POST", "/v1/admin-keys", None, &body).await;
    assert_eq!(more.slug(), "forbidden");
}

#[tokio::test]
async fn what_is_no_admin_key_is_not_looked_up() {
    let api = Api::new().await;
    api.memory.inner().calls.clear();
    for key in ["Bearer fpa_short", &format!("Bearer fpk_{}", "x".repeat(43))] {
        assert_eq!(api.call_as(key, "GET", "/v1/presets", None, "").await.slug(), "unauthorized");
    }
    assert_eq!(api.memory.inner().calls, Vec::<&str>::new());
    let unknown = format!("Bearer fpa_{}", "x".repeat(43));
    assert_eq!(api.call_as(&unknown, "GET", "/nowhere", None, "").await.slug(), "unauthorized");
    assert_eq!(api.memory.inner().calls, ["admin_key"]);
}

#[tokio::test]
async fn a_project_is_not_deleted_while_a_key_reaches_it() {
    let api = Api::new().await;
    let (id, _) = api.admin_key("shop").await;
    assert_eq!(api.delete("/v1/projects/shop").await.slug(), "not-empty");
    api.delete(&format!("/v1/admin-keys/{id}")).await;
    assert_eq!(api.delete("/v1/projects/shop").await.status, 204);
}

#[tokio::test]
async fn every_fault_of_an_admin_key_is_named() {
    let api = Api::new().await;
    let path = "/v1/admin-keys";
    assert_eq!(api.post(path, &json!({})).await.fields(), ["name", "project"]);
    for project in ["none", "No Project", "PROJECTS#x"] {
        let body = json!({"name": "n", "project": project});
        assert_eq!(api.post(path, &body).await.fields(), ["project"], "{project}");
    }
    assert!(api.memory.inner().admin_keys.is_empty());
}

#[tokio::test]
async fn the_description_needs_no_key() {
    let api = Api::new().await;
    let request = Request { method: "GET", path: "/openapi.json", ..Request::default() };
    let answer = api.serve(request).await;
    assert_eq!((answer.status, &answer.body["openapi"]), (200, &json!("3.1.0")));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(api.memory.inner().calls.last(), Some(&"create_project"), "no call of its own");
    let request = Request { method: "POST", ..request };
    assert_eq!(api.serve(request).await.status, 401, "other methods are like other paths");
}
