//! Every route through [`Admin::serve`], over ports in memory.

mod admin_keys;
mod pages;
mod preview;
mod repeats;
mod secret;
mod test_send;

use serde_json::{Value, json};

use super::{
    memory::{Memory, integration},
    *,
};
use crate::{
    health::{Health, Pause},
    id::IntegrationId,
    integration::{Integration, Own},
    key::hash,
    ledger::Counts,
    message::Wake,
    preset::Scheme,
    time::Timestamp,
};

const KEY: &str = "Bearer the admin key";
const ONE: &str = "/v1/projects/shop/integrations/i1";

struct Api {
    admin: Admin<Memory>,
    memory: Memory,
}

/// A reply, or a refusal, as a client sees it.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
    headers: Vec<(&'static str, String)>,
    unsent: Option<PortError>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    fn slug(&self) -> &str {
        self.body["type"].as_str().unwrap().strip_prefix("urn:flagpost:problem:").unwrap()
    }

    fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl Api {
    /// An API with the project `shop`.
    async fn new() -> Self {
        let memory = Memory::default();
        memory.inner().now = 1_000;
        let hash = hash("the admin key");
        let api = Self { admin: Admin::new(memory.clone(), hash, Allowed::default()), memory };
        api.post("/v1/projects", &json!({"id": "shop", "name": "Shop"})).await;
        api
    }

    /// The same with an integration, and with something parked for it.
    async fn with_backlog() -> Self {
        let api = Self::new().await;
        let mut inner = api.memory.inner();
        inner.integrations.insert(("shop".into(), "i1".into()), Some(integration()));
        let timer = Health {
            wake_gen: 4,
            next_wake_at: Some(Timestamp(900_000)),
            ..Health::new("shop".into(), "i1".into())
        };
        inner.health.insert("i1".into(), timer);
        inner.objects.push("parked/i1/0000000000900-d1-3.json.gz".into());
        drop(inner);
        api
    }

    /// Serves it; whatever comes of it must be in the description of the API.
    async fn serve(&self, request: Request<'_>) -> Answer {
        let answer = self.answer(request).await;
        openapi::tests::is_described(request.method, request.path, answer.status, &answer.body);
        answer
    }

    async fn answer(&self, request: Request<'_>) -> Answer {
        match self.admin.serve(&request).await.outcome {
            Ok(Reply { status, headers, body, unsent }) => {
                let body = body.map_or(Value::Null, |body| serde_json::from_str(&body).unwrap());
                Answer { status, body, headers, unsent }
            }
            Err(Failure::Refused(problem)) => Answer {
                status: problem.status(),
                body: serde_json::from_str(&problem.body()).unwrap(),
                headers: problem.headers,
                unsent: None,
            },
            Err(Failure::Port(error)) => panic!("{error}"),
        }
    }

    async fn call(&self, method: &str, path: &str, if_match: Option<&str>, body: &str) -> Answer {
        self.call_as(KEY, method, path, if_match, body).await
    }

    /// The same with another key than the root key, and a query in the path.
    async fn call_as(
        &self,
        key: &str,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: &str,
    ) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (authorization, body) = (Some(key), body.as_bytes());
        let query = &pairs(query);
        self.serve(Request {
            method,
            path,
            query,
            authorization,
            if_match,
            body,
            ..Request::default()
        })
        .await
    }

    /// A creation with an idempotency key.
    async fn once(&self, given: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let request = Request {
            method: "POST",
            path,
            authorization: Some(KEY),
            idempotency_key: Some(given),
            body: body.as_bytes(),
            ..Request::default()
        };
        self.serve(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None, "").await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, None, &body.to_string()).await
    }

    async fn patch(&self, if_match: &str, body: &Value) -> Answer {
        self.call("PATCH", ONE, Some(if_match), &body.to_string()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None, "").await
    }

    fn wakes(&self) -> Vec<(u64, i64)> {
        let inner = self.memory.inner();
        let due = inner.health[&IntegrationId::from("i1")].next_wake_at.unwrap().0;
        let read = |message: &crate::ports::Outgoing| {
            let wake = Wake::decode(&message.body).unwrap();
            assert_eq!((wake.integration.as_str(), wake.project.as_str()), ("i1", "shop"));
            assert_eq!((wake.rate, message.delay), (None, std::time::Duration::ZERO));
            (wake.wake_gen, due)
        };
        inner.sent.iter().map(read).collect()
    }

    fn stored(&self) -> Option<Integration> {
        self.memory.inner().integrations[&("shop".into(), "i1".into())].clone()
    }
}

#[tokio::test]
async fn without_the_key_nothing_is_told() {
    let api = Api::new().await;
    for path in ["/v1/projects", "/v1/projects/shop", "/nowhere"] {
        for authorization in [None, Some("Bearer wrong"), Some("Basic x")] {
            let request = Request { method: "GET", path, authorization, ..Request::default() };
            let answer = api.serve(request).await;
            assert_eq!((answer.status, answer.slug()), (401, "unauthorized"));
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
}

#[tokio::test]
async fn unknown_paths_methods_and_too_large_bodies_are_refused() {
    let api = Api::new().await;
    assert_eq!(api.get("/nowhere").await.slug(), "not-found");
    let answer = api.get("/v1/projects/shop").await;
    assert_eq!((answer.status, answer.slug()), (405, "method-not-allowed"));
    assert_eq!(answer.header("allow"), Some("DELETE"));
    let large = " ".repeat(MAX_BODY_BYTES + 1);
    let answer = api.call("POST", "/v1/projects", None, &large).await;
    assert_eq!((answer.status, answer.slug()), (413, "content-too-large"));
    let answer = api.call("POST", "/v1/projects", None, "{\"id\" 1}").await;
    assert_eq!((answer.status, answer.slug()), (400, "invalid-json"));
    assert_eq!(answer.body["detail"], "the body is not JSON at line 1, column 7");
}

#[tokio::test]
async fn routes_are_named_for_the_log() {
    let api = Api::new().await;
    for (path, name) in [("/v1/projects", "list_projects"), ("/x", "none")] {
        let request =
            Request { method: "GET", path, authorization: Some(KEY), ..Request::default() };
        assert_eq!(api.admin.serve(&request).await.route, name);
    }
}

#[tokio::test]
async fn projects_are_created_listed_and_deleted() {
    let api = Api::new().await;
    let made = api.post("/v1/projects", &json!({"name": "Other"})).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body, json!({"id": made.body["id"], "name": "Other", "created_at": 1000}));
    let id = made.body["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(made.header("location"), Some(format!("/v1/projects/{id}").as_str()));
    let id = id.to_owned();
    let made = api.post("/v1/projects", &json!({"id": "a-1"})).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("a-1")));

    let listed = api.get("/v1/projects").await;
    assert_eq!(listed.status, 200);
    let ids: Vec<_> =
        listed.body["projects"].as_array().unwrap().iter().map(|p| &p["id"]).collect();
    let mut expected = [&made.body["id"], &json!("shop"), &json!(id)];
    expected.sort_by_key(|id| id.as_str());
    assert_eq!((ids.as_slice(), &listed.body["next"]), (expected.as_slice(), &Value::Null));

    let gone = api.delete("/v1/projects/a-1").await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    assert_eq!(api.delete("/v1/projects/a-1").await.status, 404);
}

#[tokio::test]
async fn a_project_with_a_wrong_or_taken_id_is_refused() {
    let api = Api::new().await;
    let taken = api.post("/v1/projects", &json!({"id": "shop", "name": "Again"})).await;
    assert_eq!((taken.status, taken.slug()), (409, "name-taken"));
    assert_eq!(taken.fields(), ["id"]);
    assert_eq!(api.memory.inner().projects[&"shop".into()].name, "Shop");
    for id in [json!("Shop"), json!(""), json!("-a"), json!(1), json!("a".repeat(64))] {
        let wrong = api.post("/v1/projects", &json!({"id": id, "name": " ", "x": 1})).await;
        assert_eq!((wrong.status, wrong.slug()), (400, "invalid-field"));
        assert_eq!(wrong.fields(), ["id", "name", "x"]);
    }
    assert_eq!(api.post("/v1/projects", &json!({})).await.fields(), ["name"]);
}

#[tokio::test]
async fn a_project_is_deleted_only_when_it_is_empty() {
    let api = Api::with_backlog().await;
    let key = json!({"name": "k", "environment": {"id": "e", "name": "E"}});
    let key = api.post("/v1/projects/shop/keys", &key).await;
    let refused = api.delete("/v1/projects/shop").await;
    assert_eq!((refused.status, refused.slug()), (409, "not-empty"));
    api.delete(ONE).await;
    assert_eq!(api.delete("/v1/projects/shop").await.status, 409);
    let key = key.body["id"].as_str().unwrap();
    assert_eq!(api.delete(&format!("/v1/projects/shop/keys/{key}")).await.status, 204);
    assert_eq!(api.delete("/v1/projects/shop").await.status, 204);
}

#[tokio::test]
async fn nothing_is_made_or_listed_in_a_project_that_is_not_there() {
    let api = Api::new().await;
    for path in ["/v1/projects/none/keys", "/v1/projects/none/integrations"] {
        assert_eq!(api.get(path).await.slug(), "not-found", "{path}");
        assert_eq!(api.post(path, &json!({})).await.slug(), "not-found", "{path}");
    }
}

#[tokio::test]
async fn a_keys_secret_is_stored_and_never_shown() {
    let api = Api::new().await;
    let body = json!({
        "name": "flags", "environment": {"id": "prod", "name": "Production"}, "secret": "hunter2hunter2",
    });
    let made = api.post("/v1/projects/shop/keys", &body).await;
    assert_eq!((made.status, &made.body["secret"]), (201, &json!({"set": true})));
    let listed = api.get("/v1/projects/shop/keys").await;
    assert_eq!(listed.body["keys"][0]["secret"], json!({"set": true}));
    for answer in [&made.body, &listed.body] {
        assert!(!answer.to_string().contains("hunter2"));
    }
    let inner = api.memory.inner();
    let (_, listing) = inner.keys.first_key_value().unwrap();
    assert_eq!(listing.grant.secret.as_ref().unwrap().reveal(), "hunter2hunter2");
}

#[tokio::test]
async fn a_key_is_shown_once_and_only_its_hash_is_stored() {
    let api = Api::new().await;
    let body = json!({"name": "server", "environment": {"id": "prod", "name": "Production"}});
    let made = api.post("/v1/projects/shop/keys", &body).await;
    assert_eq!(made.status, 201);
    let key = made.body["key"].as_str().unwrap();
    let secret = key.strip_prefix("fpk_").unwrap();
    assert_eq!(secret.len(), 43);
    assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));

    let hash = hash(key);
    {
        let inner = api.memory.inner();
        let (stored, listing) = inner.keys.first_key_value().unwrap();
        assert_eq!(*stored, hash);
        assert_eq!(listing.grant.environment.id, "prod");
        assert!(!format!("{listing:?}").contains(secret));
    }

    let listed = api.get("/v1/projects/shop/keys").await;
    let mut expected = made.body.clone();
    expected.as_object_mut().unwrap().remove("key");
    assert_eq!(listed.body, json!({"keys": [expected], "next": null}));
    assert!(!listed.body.to_string().contains(&hash));

    let path = format!("/v1/projects/shop/keys/{}", made.body["id"].as_str().unwrap());
    assert_eq!(api.delete(&path.replace("shop", "other")).await.status, 404);
    assert_eq!(api.delete(&path).await.status, 204);
    assert_eq!(api.delete(&path).await.status, 404);
    assert_eq!(api.get("/v1/projects/shop/keys").await.body, json!({"keys": [], "next": null}));
}

#[tokio::test]
async fn every_fault_of_a_key_is_named() {
    let api = Api::new().await;
    let path = "/v1/projects/shop/keys";
    assert_eq!(
        api.post(path, &json!({})).await.fields(),
        ["name", "environment.id", "environment.name"]
    );
    let long = json!({"name": "n", "environment": {"id": "i".repeat(65), "name": "", "x": 1}});
    assert_eq!(
        api.post(path, &long).await.fields(),
        ["environment.id", "environment.name", "environment.x"]
    );
    assert!(api.memory.inner().keys.is_empty());
}

#[tokio::test]
async fn integrations_are_created_read_and_listed() {
    let api = Api::new().await;
    let path = "/v1/projects/shop/integrations";
    let body = json!({"name": "B", "url": "https://hooks.slack.com/T0/s3cret", "preset": "split"});
    let made = api.post(path, &body).await;
    assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
    let location = made.header("location").unwrap().to_owned();
    assert_eq!(location, format!("{path}/{}", made.body["id"].as_str().unwrap()));
    assert_eq!(made.body["url"], "https://hooks.slack.com/T0/s3cret");
    assert_eq!(made.body["created_at"], 1000);

    let read = api.get(&location).await;
    assert_eq!((read.status, read.header("etag")), (200, Some("\"1\"")));
    assert_eq!(read.body, made.body);

    let other = json!({
        "name": "A", "url": "https://example.com/", "preset": "standard", "stream": "events",
    });
    let other = api.post(path, &other).await;
    let listed = api.get(path).await;
    let listed = &listed.body["integrations"];
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&other.body["id"], &made.body["id"]));
    assert_eq!(listed[1]["url"], "https://hooks.slack.com/…", "its path may be a secret");
    assert_eq!(listed[1]["name"], "B");
}

#[tokio::test]
async fn a_name_is_unique_in_its_project_on_creation_and_on_change() {
    let api = Api::with_backlog().await;
    let path = "/v1/projects/shop/integrations";
    let body = |name| json!({"name": name, "url": "https://example.com/", "preset": "split"});
    let taken = api.post(path, &body("Warehouse")).await;
    assert_eq!((taken.status, taken.slug(), taken.fields()), (409, "name-taken", vec!["name"]));
    assert_eq!(api.post(path, &body("Other")).await.status, 201);
    let taken = api.patch("*", &json!({"name": "Other"})).await;
    assert_eq!((taken.status, taken.slug()), (409, "name-taken"));

    api.post("/v1/projects", &json!({"id": "two"})).await;
    let elsewhere = api.post("/v1/projects/two/integrations", &body("Warehouse")).await;
    assert_eq!(elsewhere.status, 201);

    assert_eq!(api.delete(ONE).await.status, 204);
    assert_eq!(api.post(path, &body("Warehouse")).await.status, 201, "given back");
}

#[tokio::test]
async fn every_fault_of_an_integration_is_named() {
    let api = Api::with_backlog().await;
    let wrong = json!({"name": 1, "url": "ftp://x", "preset": "x", "no_such": 1});
    let made = api.post("/v1/projects/shop/integrations", &wrong).await;
    assert_eq!(made.fields(), ["name", "url", "preset", "no_such"]);
    assert_eq!(made.body["detail"], "not valid: name, url, preset, no_such");
    let changed = api.patch("*", &wrong).await;
    assert_eq!(changed.fields(), made.fields());
    assert_eq!(api.stored(), Some(integration()));
}

#[tokio::test]
async fn a_change_needs_the_version_that_was_read() {
    let api = Api::with_backlog().await;
    let body = json!({"name": "New"}).to_string();
    let missing = api.call("PATCH", ONE, None, &body).await;
    assert_eq!((missing.status, missing.slug()), (428, "precondition-required"));

    api.memory.inner().now = 2_000;
    let changed = api.patch("\"1\"", &json!({"name": "New"})).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
    assert_eq!((&changed.body["name"], &changed.body["updated_at"]), (&json!("New"), &json!(2000)));
    assert_eq!(changed.body["created_at"], 1);

    let stale = api.patch("\"1\"", &json!({"name": "Older"})).await;
    assert_eq!((stale.status, stale.slug()), (412, "precondition-failed"));
    assert_eq!(stale.header("etag"), Some("\"2\""));
    assert_eq!(api.patch("*", &json!({"name": "Newer"})).await.header("etag"), Some("\"3\""));
    assert_eq!(api.patch("\"3\"", &json!({"name": "Newer"})).await.header("etag"), Some("\"3\""));
    assert_eq!(api.stored().unwrap().name, "Newer");
    assert_eq!(api.wakes(), [], "nothing that moves a backlog");
}

#[tokio::test]
async fn a_change_that_is_overtaken_is_refused_or_made_again() {
    let api = Api::with_backlog().await;
    api.memory.inner().overtaken = 1;
    let stale = api.patch("\"1\"", &json!({"name": "New"})).await;
    assert_eq!((stale.status, stale.header("etag")), (412, Some("\"2\"")));

    api.memory.inner().overtaken = 2;
    let changed = api.patch("*", &json!({"name": "New"})).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"5\"")));

    api.memory.inner().overtaken = TRIES;
    let crowded = api.patch("*", &json!({"name": "Newer"})).await;
    assert_eq!((crowded.status, crowded.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn re_enabling_wakes_the_drainer() {
    let api = Api::with_backlog().await;
    assert_eq!(api.patch("*", &json!({"enabled": false})).await.status, 200);
    assert_eq!(api.wakes(), []);
    assert_eq!(api.get(&format!("{ONE}/status")).await.body["state"], "disabled");
    assert_eq!(api.patch("*", &json!({"enabled": true})).await.status, 200);
    assert_eq!(api.wakes(), [(5, 1_000)]);
}

#[tokio::test]
async fn a_deleted_integration_is_gone_and_its_backlog_woken_to_be_discarded() {
    let api = Api::with_backlog().await;
    let stale = api.call("DELETE", ONE, Some("\"9\""), "").await;
    assert_eq!((stale.status, stale.slug()), (412, "precondition-failed"));
    assert!(api.stored().is_some());
    let gone = api.call("DELETE", ONE, Some("\"1\""), "").await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    assert_eq!(api.stored(), None, "a tombstone");
    assert_eq!(api.wakes(), [(5, 1_000)]);

    assert_eq!(api.delete(ONE).await.status, 404);
    assert_eq!(api.get(ONE).await.status, 404);
    assert_eq!(api.patch("*", &json!({})).await.status, 404);
    for action in ["pause", "resume"] {
        assert_eq!(api.post(&format!("{ONE}/{action}"), &json!({})).await.status, 404);
    }
    let status = api.get(&format!("{ONE}/status")).await;
    assert_eq!((status.status, &status.body["state"]), (200, &json!("deleted")));
    let listed = api.get("/v1/projects/shop/integrations").await;
    assert_eq!(listed.body, json!({"integrations": [], "next": null}));
}

#[tokio::test]
async fn a_deletion_that_is_overtaken_is_refused_or_made_again() {
    let api = Api::with_backlog().await;
    api.memory.inner().overtaken = 1;
    assert_eq!(api.call("DELETE", ONE, Some("\"1\""), "").await.status, 412);
    api.memory.inner().overtaken = 1;
    assert_eq!(api.delete(ONE).await.status, 204);
}

#[tokio::test]
async fn without_a_timer_there_is_nothing_to_wake() {
    let api = Api::with_backlog().await;
    api.memory.inner().health.clear();
    assert_eq!(api.post(&format!("{ONE}/resume"), &json!({})).await.status, 200);
    assert_eq!(api.delete(ONE).await.status, 204);
    assert!(api.memory.inner().sent.is_empty());
}

#[tokio::test]
async fn a_pause_stays_since_when_it_was_set() {
    let api = Api::with_backlog().await;
    let pause = format!("{ONE}/pause");
    let paused = api.call("POST", &pause, None, "").await;
    assert_eq!((paused.status, &paused.body["state"]), (200, &json!("paused")));
    assert_eq!(paused.body["pause"], json!({"at": 1000, "reason": "operator"}));
    assert_eq!(
        paused.body["backlog"],
        json!({"deliveries": 1, "events": 3, "at_least": false, "oldest_at": 0})
    );

    api.memory.inner().now = 2_000;
    let again = api.post(&pause, &json!({})).await;
    assert_eq!(again.body["pause"], json!({"at": 1000, "reason": "operator"}));
    let reason = api.post(&pause, &json!({"reason": "moving house"})).await;
    assert_eq!(reason.body["pause"], json!({"at": 1000, "reason": "moving house"}));
    let again = api.post(&pause, &json!({})).await;
    assert_eq!(again.body["pause"], reason.body["pause"]);
    assert_eq!(api.wakes(), []);

    for wrong in [json!({"reason": ""}), json!({"reason": 1}), json!({"reason": "x".repeat(257)})] {
        assert_eq!(api.post(&pause, &wrong).await.fields(), ["reason"]);
    }
    assert_eq!(api.post(&pause, &json!({"until": 1})).await.fields(), ["until"]);
}

#[tokio::test]
async fn resuming_lifts_the_pause_and_wakes_the_drainer_every_time() {
    let api = Api::with_backlog().await;
    let gone = Pause { at: Timestamp(5), reason: "the endpoint answered 410 Gone".into() };
    api.memory.inner().health.get_mut(&"i1".into()).unwrap().pause = Some(gone);
    let resumed = api.call("POST", &format!("{ONE}/resume"), None, "").await;
    assert_eq!((resumed.status, &resumed.body["state"]), (200, &json!("well")));
    assert_eq!(resumed.body["pause"], Value::Null);
    assert_eq!(resumed.body["next_wake_at"], 1000);
    assert_eq!(api.wakes(), [(5, 1_000)]);
    let again = api.post(&format!("{ONE}/resume"), &json!({})).await;
    assert_eq!(again.status, 200);
    assert_eq!(api.wakes(), [(5, 1_000), (6, 1_000)]);
    assert_eq!(api.post(&format!("{ONE}/resume"), &json!({"x": 1})).await.fields(), ["x"]);
}

#[tokio::test]
async fn a_timer_that_somebody_else_sets_meanwhile_is_set_again() {
    let api = Api::with_backlog().await;
    api.memory.inner().overtaken = 2;
    assert_eq!(api.post(&format!("{ONE}/resume"), &json!({})).await.status, 200);
    assert_eq!(api.wakes(), [(7, 1_000)]);
    api.memory.inner().overtaken = TRIES;
    assert_eq!(api.post(&format!("{ONE}/resume"), &json!({})).await.status, 200);
    assert_eq!(api.wakes().len(), 1, "the others wake it");
}

#[tokio::test]
async fn a_wake_up_that_cannot_be_sent_does_not_undo_the_change() {
    let api = Api::with_backlog().await;
    for failing in ["send_batch", "set_timer"] {
        api.memory.inner().failing = [failing].into();
        let resumed = api.post(&format!("{ONE}/resume"), &json!({})).await;
        assert_eq!((resumed.status, resumed.unsent.is_some()), (200, true), "{failing}");
    }
    api.memory.inner().failing = ["send_batch"].into();
    api.patch("*", &json!({"enabled": false})).await;
    let enabled = api.patch("*", &json!({"enabled": true})).await;
    assert_eq!((enabled.status, enabled.unsent.is_some()), (200, true));
    api.memory.inner().failing = ["health"].into();
    let gone = api.delete(ONE).await;
    assert_eq!((gone.status, gone.unsent.is_some()), (204, true));
}

#[tokio::test]
async fn status_is_read_from_health_listing_and_ledger() {
    let api = Api::with_backlog().await;
    let counts = Counts { matched: 3, parked: 3, ..Counts::default() };
    api.memory.inner().counts.push(("2026-11-21T05".into(), counts));
    let status = api.get(&format!("{ONE}/status")).await;
    assert_eq!(status.status, 200);
    assert_eq!(status.body["state"], "well");
    assert_eq!(status.body["next_wake_at"], 900_000);
    assert_eq!(status.body["backlog"]["events"], 3);
    assert_eq!(status.body["ledger"]["total"]["parked"], 3);
    assert_eq!(status.body["ledger"]["balances"], true);
}

#[tokio::test]
async fn when_an_outside_system_fails_the_failure_is_passed_on() {
    let api = Api::with_backlog().await;
    let status = format!("{ONE}/status");
    let pause = format!("{ONE}/pause");
    for (method, path, failing) in [
        ("GET", "/v1/projects", "projects"),
        ("DELETE", "/v1/projects/shop", "delete_project"),
        ("GET", "/v1/projects/shop/keys", "keys"),
        ("GET", ONE, "integration"),
        ("DELETE", ONE, "delete_integration"),
        ("POST", pause.as_str(), "set_pause"),
        ("GET", status.as_str(), "health"),
        ("GET", status.as_str(), "list"),
        ("GET", status.as_str(), "counts"),
    ] {
        api.memory.inner().failing = [failing].into();
        let request = Request { method, path, authorization: Some(KEY), ..Request::default() };
        let outcome = api.admin.serve(&request).await.outcome;
        let Err(Failure::Port(PortError::Throttled { call, .. })) = outcome else {
            panic!("{method} {path}: {outcome:?}")
        };
        assert_eq!(call, failing);
    }
}

#[tokio::test]
async fn presets_are_listed() {
    let api = Api::new().await;
    let answer = api.get("/v1/presets").await;
    assert_eq!(answer.status, 200);
    let presets = answer.body["presets"].as_object().unwrap();
    assert_eq!(presets.len(), 5);
    assert_eq!(presets["split"]["success"], "200");
    assert_eq!(presets["amplitude"]["immediate_retry"], "backoff");
}

#[tokio::test]
async fn deliveries_are_reached_by_their_paths_and_queries() {
    let api = Api::with_backlog().await;
    let listed = api.get(&format!("{ONE}/deliveries?state=parked&to=901&limit=5")).await;
    let expected = json!({
        "id": "0000000000900-d1-3", "delivery": "d1", "state": "parked", "at": 900, "events": 3,
    });
    assert_eq!((listed.status, &listed.body["deliveries"]), (200, &json!([expected])));
    let none = api.get(&format!("{ONE}/deliveries?state=parked&to=900")).await;
    assert_eq!((none.status, &none.body["deliveries"]), (200, &json!([])));
    let wrong = api.get(&format!("{ONE}/deliveries?state=dea%64&cursor=%20")).await;
    assert_eq!((wrong.status, wrong.fields()), (400, vec!["cursor"]));
    assert_eq!(api.get(&format!("{ONE}/deliveries")).await.fields(), ["state"]);

    let body = json!({"state": "dead", "dry_run": true});
    let counted = api.post(&format!("{ONE}/deliveries/purge"), &body).await;
    assert_eq!((counted.status, &counted.body["events"]), (200, &json!(0)));
    let refused = api.post(&format!("{ONE}/deliveries/purge"), &json!({"state": "parked"})).await;
    assert_eq!((refused.status, refused.slug()), (409, "conflict"));
    let counted = api.post(&format!("{ONE}/deliveries/replay"), &json!({"dry_run": true})).await;
    assert_eq!((counted.status, &counted.body["deliveries"]), (200, &json!(0)));
}

#[tokio::test]
async fn the_delivery_log_is_reached_by_its_path() {
    let api = Api::with_backlog().await;
    let record = json!({
        "integration": "i1", "delivery": "d1", "at": 900, "from": "drain", "outcome": "failed",
        "requests": 2, "status": 500, "error": "status 500", "duration_ms": 20, "events": 3,
        "delivered": 0, "bytes": 300, "bytes_sent": 90, "answer": "no", "then": "scheduled",
        "next_at": 1_900,
    });
    api.memory.inner().attempts = vec![serde_json::from_value(record.clone()).unwrap()];
    let listed = api.get(&format!("{ONE}/attempts?outcome=failed&from=900&to=901")).await;
    assert_eq!(listed.status, 200);
    let mut shown = listed.body["attempts"][0].clone();
    assert_eq!(shown.as_object_mut().unwrap().remove("id"), Some(json!("0000000000900-d1")));
    assert_eq!(shown, record);
    let none = api.get(&format!("{ONE}/attempts?to=900")).await;
    assert_eq!(none.body, json!({"attempts": [], "next": null}));
    assert_eq!(api.get(&format!("{ONE}/attempts?state=dead")).await.fields(), ["state"]);
}
