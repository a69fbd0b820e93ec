//! Admin keys of one project, creations that are repeated, and lists in parts, through API Gateway.

use serde_json::{Value, json};

use crate::{
    api::{Answer, bearer},
    project::Project,
};

impl Project {
    /// A request with another admin key than the root key.
    async fn as_holder(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.api.call(method, path, &[("authorization", &bearer(key))], body).await
    }

    /// A creation of the root key's holder under an idempotency key.
    async fn once(&self, given: &str, path: &str, body: &Value) -> Answer {
        let authorization = bearer(&self.stack.admin_key);
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", given)];
        self.api.call("POST", path, &headers, body.to_string()).await
    }
}

/// The name of a delivery that is not there.
const DELIVERY: &str = "1795237200000-01a1fd2a6c807d1c8d2e3f4051627384-3";

#[tokio::test]
async fn a_projects_key_reaches_that_project_and_no_other() {
    let (mine, webhook) = Project::with_webhook(json!({})).await;
    let (other, others) = Project::with_webhook(json!({})).await;
    let body = json!({"name": "the web team", "project": mine.id});
    let made = mine.once(&mine.id, "/v1/admin-keys", &body).await.expect(201);
    let key = made.text("key");

    // Every route that the description of the API has, with the other project in its path.
    let document = mine.api.call("GET", "/openapi.json", &[], "").await.expect(200).body;
    let mut refused = 0;
    for (form, item) in document["paths"].as_object().unwrap() {
        let path = form.replace("{project}", &other.id);
        let path = path.replace("{integration}", others.id.as_str()).replace("{key}", "k");
        let path = path.replace("{state}", "dead").replace("{delivery}", DELIVERY);
        for method in ["get", "post", "patch", "delete"] {
            let operation = &item[method];
            // Public ones, and those that take ingest keys, are not for admin keys.
            if operation.is_null() || !operation["security"].is_null() {
                continue;
            }
            let answer = mine.as_holder(&key, &method.to_uppercase(), &path, &json!({})).await;
            if method == "get" && ["/v1/presets", "/v1/projects"].contains(&form.as_str()) {
                answer.expect(200);
                continue;
            }
            let answer = answer.expect(403);
            assert_eq!(answer.text("type"), "urn:flagpost:problem:forbidden", "{method} {form}");
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused} routes");
    assert_eq!(others.status().await.state(), "well", "nothing was done to it");

    let listed = mine.as_holder(&key, "GET", "/v1/projects", &Value::Null).await.expect(200);
    assert_eq!(listed.body["projects"].as_array().unwrap().len(), 1);
    assert_eq!(listed.body["projects"][0]["id"], mine.id);
    let pause = format!("{}/pause", webhook.path);
    let paused = mine.as_holder(&key, "POST", &pause, &json!({})).await.expect(200);
    assert_eq!(paused.body["state"], "paused");

    let path = format!("/v1/admin-keys/{}", made.text("id"));
    mine.as_holder(&mine.stack.admin_key, "DELETE", &path, &Value::Null).await.expect(204);
    mine.as_holder(&key, "GET", "/v1/projects", &Value::Null).await.expect(401);
}

#[tokio::test]
async fn a_repeated_creation_makes_nothing_and_shows_the_same_key() {
    let project = Project::new().await;
    let path = format!("/v1/projects/{}/keys", project.id);
    let body = json!({"name": "servers", "environment": {"id": "e", "name": "E"}});
    let first = project.once("once", &path, &body).await.expect(201);
    let again = project.once("once", &path, &body).await.expect(201);
    assert_eq!(again.body, first.body);
    let other = json!({"name": "others", "environment": {"id": "e", "name": "E"}});
    let reused = project.once("once", &path, &other).await.expect(422);
    assert_eq!(reused.text("type"), "urn:flagpost:problem:idempotency-key-reused");

    // The key that was shown twice is one, and works.
    let listed =
        project.admin("GET", &format!("/{}/keys?limit=1", project.id), None).await.expect(200);
    assert_eq!(listed.body["keys"].as_array().unwrap().len(), 1);
    let rest = format!("/{}/keys?limit=1&cursor={}", project.id, listed.text("next"));
    let rest = project.admin("GET", &rest, None).await.expect(200);
    assert_eq!(
        (&rest.body["keys"][0]["id"], &rest.body["next"]),
        (&first.body["id"], &Value::Null)
    );
    let events =
        project.as_holder(&again.text("key"), "POST", "/v1/events", &json!({"a": 1})).await;
    events.expect(202);
}
