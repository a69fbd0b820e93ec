//! A client of the HTTP API, through API Gateway.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use reqwest::{Client, Method, Url, header::HeaderMap};
use serde_json::Value;

use crate::stack::Stack;

#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    endpoint: Url,
    host: String,
}

/// An answer; a body that is not JSON, or none, is `null`.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Api {
    /// Connects to the emulator, and names the API in `Host`.
    pub(crate) fn new(stack: &Stack) -> Self {
        let endpoint = Url::parse(&stack.endpoint).unwrap();
        let port = endpoint.port_or_known_default().unwrap();
        let host = format!("{}.execute-api.localhost:{port}", stack.output("ApiId"));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build();
        Self { client: client.unwrap(), endpoint, host }
    }

    /// What `Host` says.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// One request. The headers are all that it has, but for `Host` and what HTTP itself needs.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = self.endpoint.join(path).unwrap();
        let mut request = self.client.request(method, url).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.into()).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        Answer { status, headers, body }
    }
}

impl Answer {
    /// The same, where the status is the one that is wanted.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    pub(crate) fn text(&self, field: &str) -> String {
        let text = self.body[field].as_str();
        text.unwrap_or_else(|| panic!("no text {field} in {}", self.body)).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}"));
        value.to_str().unwrap()
    }
}

/// What says that a body is gzip, so that API Gateway passes it on as it is.
pub(crate) const GZIPPED: [(&str, &str); 2] =
    [("content-encoding", "gzip"), ("content-type", "application/gzip")];

pub(crate) fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
