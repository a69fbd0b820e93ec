//! A project of a test's own, and its webhooks: what an operator and a client do, and what they
//! are shown.

use std::sync::Arc;

use flagpost_domain::{id::IntegrationId, ledger::Counts, ports::Objects};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api, bearer},
    receiver::Receiver,
    sample::{self, ENVIRONMENT, ENVIRONMENT_NAME},
    stack::{Stack, unique},
    wait::until,
};

pub(crate) struct Project {
    pub(crate) stack: Arc<Stack>,
    pub(crate) api: Api,
    pub(crate) id: String,
    /// An ingest key of [`ENVIRONMENT`].
    pub(crate) key: String,
}

/// An integration and its endpoint.
pub(crate) struct Webhook {
    pub(crate) stack: Arc<Stack>,
    api: Api,
    pub(crate) id: IntegrationId,
    pub(crate) path: String,
    pub(crate) receiver: Receiver,
}

/// What `GET …/status` shows.
#[derive(Debug)]
pub(crate) struct Status(pub(crate) Value);

impl Project {
    pub(crate) async fn new() -> Self {
        let stack = Arc::new(Stack::open().await);
        let api = Api::new(&stack);
        let mut project = Self { stack, api, id: unique("test"), key: String::new() };
        project.admin("POST", "", Some(json!({"id": project.id}))).await.expect(201);
        project.key = project.new_key(ENVIRONMENT, ENVIRONMENT_NAME).await.text("key");
        project
    }

    /// A project with a single webhook: preset `split`, and these settings.
    pub(crate) async fn with_webhook(settings: Value) -> (Self, Webhook) {
        let project = Self::new().await;
        let webhook = project.webhook(settings).await;
        (project, webhook)
    }

    pub(crate) async fn new_key(&self, environment: &str, name: &str) -> Answer {
        let body = json!({"name": environment, "environment": {"id": environment, "name": name}});
        self.admin("POST", &format!("/{}/keys", self.id), Some(body)).await.expect(201)
    }

    /// An integration, preset `split` unless the settings say otherwise, and a receiver at its URL.
    pub(crate) async fn webhook(&self, settings: Value) -> Webhook {
        let receiver = Receiver::start().await;
        let url = receiver.url();
        self.webhook_at(&url, receiver, settings).await
    }

    pub(crate) async fn webhook_at(
        &self,
        url: &str,
        receiver: Receiver,
        settings: Value,
    ) -> Webhook {
        let mut body = json!({"name": unique("webhook"), "url": url, "preset": "split"});
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        body.as_object_mut().unwrap().extend(settings);
        let path = format!("/{}/integrations", self.id);
        let id = self.admin("POST", &path, Some(body)).await.expect(201).text("id");
        Webhook {
            stack: Arc::clone(&self.stack),
            api: self.api.clone(),
            path: format!("/v1/projects/{}/integrations/{id}", self.id),
            id: id.as_str().into(),
            receiver,
        }
    }

    /// Sends impressions, which must be accepted.
    pub(crate) async fn post(&self, impressions: &[Value]) {
        let body = serde_json::to_vec(impressions).unwrap();
        let answer = self.send("/v1/impressions", &[], body).await.expect(202);
        assert_eq!(answer.body, json!({"accepted": impressions.len()}));
    }

    /// Any request to ingest with the project's own key; JSON unless the headers say otherwise.
    pub(crate) async fn send(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let authorization = bearer(&self.key);
        let mut all = vec![("authorization", authorization.as_str())];
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        all.extend(headers);
        self.api.call("POST", path, &all, body).await
    }

    /// A request of the operator, under `/v1/projects`.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        admin(&self.api, &self.stack, method, &format!("/v1/projects{path}"), &[], body).await
    }
}

async fn admin(
    api: &Api,
    stack: &Stack,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let authorization = bearer(&stack.admin_key);
    let own = [("authorization", authorization.as_str())];
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    api.call(method, path, &[&own[..], headers].concat(), body).await
}

impl Webhook {
    /// A request of the operator for this integration, under its path.
    pub(crate) async fn admin(
        &self,
        method: &str,
        under: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let path = format!("{}{under}", self.path);
        admin(&self.api, &self.stack, method, &path, headers, body).await
    }

    /// Changes settings: a merge patch.
    pub(crate) async fn change(&self, settings: Value) -> Answer {
        self.admin("PATCH", "", &[("if-match", "*")], Some(settings)).await.expect(200)
    }

    pub(crate) async fn pause(&self, reason: &str) {
        self.admin("POST", "/pause", &[], Some(json!({"reason": reason}))).await.expect(200);
    }

    pub(crate) async fn resume(&self) {
        self.admin("POST", "/resume", &[], None).await.expect(200);
    }

    pub(crate) async fn delete(&self) {
        self.admin("DELETE", "", &[], None).await.expect(204);
    }

    pub(crate) async fn status(&self) -> Status {
        Status(self.admin("GET", "/status", &[], None).await.expect(200).body)
    }

    /// Waits until its status is so.
    pub(crate) async fn until(&self, what: &str, so: impl Fn(&Status) -> bool) -> Status {
        until(what, async || {
            let status = self.status().await;
            if so(&status) { Ok(status) } else { Err(status.0.to_string()) }
        })
        .await
    }

    pub(crate) async fn until_requests(&self, count: usize) {
        until(&format!("{count} requests"), async || {
            let seen = self.receiver.count();
            if seen >= count { Ok(()) } else { Err(format!("{seen} requests")) }
        })
        .await;
    }

    /// The deliveries that are parked, in the order of their keys: oldest first.
    pub(crate) async fn parked(&self) -> Vec<String> {
        let bucket = self.stack.bucket();
        let listed = bucket.list(&format!("parked/{}/", self.id), None).await.unwrap();
        let delivery = |key: &str| key.split('-').nth(1).map(str::to_owned);
        listed.iter().map(|object| delivery(&object.key).unwrap()).collect()
    }

    /// Waits until so many events are delivered and nothing waits any more, and checks that the
    /// ledger says no more and no less than that.
    pub(crate) async fn has_settled(&self, events: usize) {
        let count = events as u64;
        let status = self
            .until("all is delivered and nothing waits", |status| {
                let counts = status.counts();
                counts.delivered >= count && counts.waiting() == [0; 3]
            })
            .await;
        let counts = status.counts();
        assert_eq!((counts.matched, counts.delivered), (count, count), "{status:?}");
        assert_eq!((counts.expired, counts.discarded), (0, 0), "{status:?}");
        assert!(status.balances(), "{status:?}");
        assert_eq!((status.backlog("deliveries"), status.backlog("events")), (0, 0), "{status:?}");
    }

    /// Waits until these impressions are delivered, and checks that the ledger equals what the
    /// receiver took: each of them, once, in the webhook's schema.
    pub(crate) async fn has_delivered_all(&self, sent: &[Value]) {
        self.has_settled(sent.len()).await;
        let mut taken = self.receiver.accepted();
        let mut wanted: Vec<_> = sent.iter().cloned().map(sample::delivered).collect();
        for events in [&mut taken, &mut wanted] {
            events.sort_by_cached_key(|event| event["key"].to_string());
        }
        assert_eq!(taken.len(), wanted.len());
        for (taken, wanted) in taken.iter().zip(&wanted) {
            assert_eq!(taken, wanted);
        }
    }
}

impl Status {
    pub(crate) fn state(&self) -> &str {
        self.0["state"].as_str().unwrap()
    }

    /// The sum of the ledger's hours.
    pub(crate) fn counts(&self) -> Counts {
        serde_json::from_value(self.0["ledger"]["total"].clone()).unwrap()
    }

    pub(crate) fn balances(&self) -> bool {
        let shown = self.0["ledger"]["balances"].as_bool().unwrap();
        assert_eq!(shown, self.counts().balances(), "{self:?}");
        shown
    }

    /// `deliveries` or `events` that are parked.
    pub(crate) fn backlog(&self, what: &str) -> u64 {
        self.0["backlog"][what].as_u64().unwrap()
    }

    /// Whether `open` is the state, for this cause.
    pub(crate) fn is_open(&self, cause: &str) -> bool {
        self.state() == "open" && self.0["breaker"]["cause"] == cause
    }
}
