//! Servers of the tests' own, for SDKs that are told nothing but a base URL: one in front of the API, since a client
//! cannot set the `Host` by which the emulator knows the API, and one where flags come from, as from the vendor.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stack::Stack;

/// What passes, and with which answer.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) path: String,
    pub(crate) gzipped: bool,
    pub(crate) status: u16,
}

/// A server in front of the API.
pub(crate) struct Front {
    port: u16,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Front {
    /// It passes on everything as it is, but for `Host` and one thing: the emulator's gateway passes a body of the type
    /// JSON on as text, which is the end of any gzip in it, so a compressed body gets the type of one.
    pub(crate) async fn start(stack: &Stack) -> Self {
        let passed = Arc::new(Mutex::new(Vec::new()));
        let api = reqwest::Url::parse(&stack.endpoint).unwrap();
        let port = api.port_or_known_default().unwrap();
        let host = format!("{}.execute-api.localhost:{port}", stack.output("ApiId"));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        let noted = Arc::clone(&passed);
        let port = serve(move |request| {
            let (client, noted) = (client.clone(), Arc::clone(&noted));
            let (api, host) = (api.clone(), host.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                // Not `join`: a path of two slashes is none of a URL's parts.
                let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
                let url = format!("{}{path}", api.as_str().trim_end_matches('/'));
                let mut headers = parts.headers;
                let gzipped = headers.get(CONTENT_ENCODING).is_some_and(|value| value == "gzip");
                if gzipped {
                    headers.insert(CONTENT_TYPE, "application/gzip".parse().unwrap());
                }
                for own in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
                    headers.remove(own);
                }
                headers.insert(HOST, host.parse().unwrap());
                let request = client.request(parts.method, url).headers(headers).body(body);
                let answer = request.send().await.unwrap();
                let status = answer.status();
                noted.lock().unwrap().push(Passed { path, gzipped, status: status.as_u16() });
                let mut response = Response::builder().status(status);
                if let Some(kind) = answer.headers().get(CONTENT_TYPE) {
                    response = response.header(CONTENT_TYPE, kind);
                }
                response.body(Full::new(answer.bytes().await.unwrap())).unwrap()
            }
        })
        .await;
        Self { port, passed }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What passed with this end of its path. All of it must have been answered with success.
    pub(crate) fn uploads(&self, path: &str) -> Vec<Passed> {
        let mut passed = self.passed.lock().unwrap().clone();
        assert!(passed.iter().all(|one| (200..300).contains(&one.status)), "{passed:?}");
        passed.retain(|one| one.path.ends_with(path));
        passed
    }
}

/// Where the SDKs of Split and Statsig get their flags: its URL, without a slash at its end. `sdk_flags` are switches of
/// Statsig's own, which its servers send to its SDKs.
pub(crate) async fn flags(sdk_flags: Value) -> String {
    let port = serve(move |request| {
        let sdk_flags = sdk_flags.clone();
        async move {
            let query = request.uri().query().unwrap_or_default();
            let answer = match (request.method(), request.uri().path()) {
                (&Method::GET, "/splitChanges") if query.contains("&since=-1") => {
                    split_changes(&[split_flag()])
                }
                (&Method::GET, "/splitChanges") => split_changes(&[]),
                (&Method::GET, "/v2/auth") => json!({"pushEnabled": false, "token": ""}),
                (&Method::GET, path) if path.starts_with("/v1/download_config_specs/") => {
                    statsig_specs(&sdk_flags)
                }
                (&Method::POST, "/v1/get_id_lists") => json!({}),
                _ => Value::Null,
            };
            let known = if answer.is_null() { StatusCode::NOT_FOUND } else { StatusCode::OK };
            let body = Full::new(Bytes::from(answer.to_string()));
            let response =
                Response::builder().status(known).header(CONTENT_TYPE, "application/json");
            response.body(body).unwrap()
        }
    })
    .await;
    format!("http://127.0.0.1:{port}")
}

/// Half of the keys are given `on`.
fn split_flag() -> Value {
    let all = json!({"matcherType": "ALL_KEYS", "negate": false, "keySelector": {"trafficType": "user", "attribute": null}});
    json!({
        "name": "checkout_flow", "trafficTypeName": "user", "status": "ACTIVE", "killed": false,
        "defaultTreatment": "off", "changeNumber": CHANGE, "algo": 2, "seed": 1, "trafficAllocation": 100,
        "trafficAllocationSeed": 1, "configurations": {}, "sets": [],
        "conditions": [{
            "conditionType": "ROLLOUT", "label": "default rule",
            "matcherGroup": {"combiner": "AND", "matchers": [all]},
            "partitions": [{"treatment": "on", "size": 50}, {"treatment": "off", "size": 50}],
        }],
    })
}

/// The version of Split's flag.
pub(crate) const CHANGE: i64 = 1_700_000_000_000;

fn split_changes(flags: &[Value]) -> Value {
    let none = json!({"s": -1, "t": -1, "d": []});
    json!({"ff": {"s": CHANGE, "t": CHANGE, "d": flags}, "rbs": none})
}

/// The rule of Statsig's gate, which half of the users pass.
pub(crate) const RULE: &str = "5T2Gg0bwizTh9heDKL1El7";

fn statsig_specs(sdk_flags: &Value) -> Value {
    let everyone = json!({
        "type": "public", "targetValue": null, "operator": null, "field": null, "additionalValues": {},
        "isDeviceBased": false, "idType": "userID",
    });
    json!({
        "has_updates": true, "time": CHANGE, "dynamic_configs": [], "layer_configs": [], "id_lists": {},
        "layers": {}, "sdk_flags": sdk_flags,
        "feature_gates": [{
            "name": "test_gate", "type": "feature_gate", "entity": "feature_gate", "salt": "salt",
            "enabled": true, "defaultValue": false, "isDeviceBased": false, "idType": "userID",
            "rules": [{
                "name": "US Users", "groupName": "US Users", "id": RULE, "salt": "salt", "passPercentage": 50,
                "returnValue": true, "conditions": [everyone], "isDeviceBased": false, "idType": "userID",
            }],
        }],
    })
}

/// Serves HTTP on a port of its own until the test ends.
async fn serve<F>(answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static) -> u16
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            // Where the client goes away, so does the connection.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}
