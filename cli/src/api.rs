//! Flagpost's HTTP API, as its operator calls it.

use std::{error::Error, time::Duration};

use reqwest::{
    Client, Method, Response,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    },
    redirect::Policy,
};
use serde_json::{Value, json};
use url::Url;

use crate::{configuration::Configuration, fault::Fault, surroundings};

/// Above the 30 s after which API Gateway gives up by itself.
const PATIENCE: Duration = Duration::from_secs(40);
const CONNECTING: Duration = Duration::from_secs(10);
/// How often a request that may be repeated is sent.
const TRIES: u32 = 4;
/// The longest wait between two tries, whatever `Retry-After` says.
const LONGEST_WAIT: u64 = 10;
/// The most that a list gives at a time.
const PAGE: usize = 100;

/// The API of one deployment.
pub(crate) struct Api {
    client: Client,
    base: Url,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<String>,
    again: Again,
}

/// When a request may be sent a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Whenever the API says that it was too busy.
    Freely,
    /// Only where it certainly was not carried out the first time.
    IfUndone,
    Never,
}

impl Ask {
    /// Reads; tried again where the API says that it was too busy.
    pub(crate) fn get<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            method: Method::GET,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            body: None,
            again: Again::Freely,
        }
    }

    /// Changes in a way that can be repeated without harm.
    pub(crate) fn post<'a>(path: impl IntoIterator<Item = &'a str>, body: &Value) -> Self {
        Self { method: Method::POST, body: Some(body.to_string()), ..Self::get(path) }
    }

    /// The same with a body that is JSON already.
    pub(crate) fn post_text<'a>(path: impl IntoIterator<Item = &'a str>, body: String) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// Sent once, whatever comes of it.
    pub(crate) fn once(self) -> Self {
        Self { again: Again::Never, ..self }
    }

    /// Not sent again after an answer that leaves open whether it was carried out.
    pub(crate) fn unless_done(self) -> Self {
        Self { again: Again::IfUndone, ..self }
    }

    /// Whether an answer calls for another try.
    fn goes_again(&self, status: u16, retry_after: Option<u64>) -> bool {
        let undone = status == 429 || status == 409 && retry_after.is_some();
        match self.again {
            Again::Freely => undone || status == 503,
            Again::IfUndone => undone,
            Again::Never => false,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

impl Api {
    pub(crate) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &configuration.headers {
            let wrong = || Fault::Usage(format!("`{name}` is no header, or its value none"));
            let parsed = HeaderName::try_from(name).map_err(|_| wrong())?;
            headers.insert(parsed, HeaderValue::try_from(value).map_err(|_| wrong())?);
        }
        let mut key =
            HeaderValue::try_from(format!("Bearer {}", configuration.key)).map_err(|_| {
                Fault::Usage("the admin key is no key: it cannot be put into a header".to_owned())
            })?;
        key.set_sensitive(true);
        headers.insert(AUTHORIZATION, key);
        let client = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("flagpost/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECTING)
            .timeout(PATIENCE)
            .build()
            .map_err(|error| {
                Fault::Failed(format!("cannot make an HTTP client: {}", chain(&error)))
            })?;
        Ok(Self { client, base: configuration.url.clone() })
    }

    /// The answer's JSON; `null` where there is none.
    pub(crate) async fn call(&self, ask: &Ask) -> Result<Value, Fault> {
        parsed(&self.text(ask).await?)
    }

    /// The answer as it came.
    pub(crate) async fn text(&self, ask: &Ask) -> Result<String, Fault> {
        let mut tries = 1;
        loop {
            match self.try_once(ask).await {
                Err(Fault::Refused { status, retry_after, .. })
                    if tries < TRIES && ask.goes_again(status, retry_after) =>
                {
                    let seconds = retry_after.unwrap_or(1 << tries).clamp(1, LONGEST_WAIT);
                    surroundings::wait(Duration::from_secs(seconds)).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Everything of a list, or at most `limit` of it, in the answer's own form: `{field: […], "next": …}`.
    pub(crate) async fn list(&self, ask: Ask, field: &str, limit: usize) -> Result<Value, Fault> {
        let mut found = Vec::new();
        let mut next = Value::Null;
        loop {
            let count = PAGE.min(limit - found.len());
            let page = ask.clone().with("limit", Some(count)).with("cursor", next.as_str());
            let mut page = self.call(&page).await?;
            match page.get_mut(field).map(Value::take) {
                Some(Value::Array(items)) => found.extend(items),
                _ => {
                    return Err(Fault::Failed(format!(
                        "the answer has no `{field}`: is this Flagpost's address?"
                    )));
                }
            }
            let before = next;
            next = page.get_mut("next").map(Value::take).unwrap_or_default();
            if !next.is_string() || next == before || found.len() >= limit {
                found.truncate(limit);
                return Ok(json!({field: found, "next": next}));
            }
        }
    }

    async fn try_once(&self, ask: &Ask) -> Result<String, Fault> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        let mut request = self.client.request(ask.method.clone(), url);
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        self.read(response).await
    }

    async fn read(&self, response: Response) -> Result<String, Fault> {
        let status = response.status();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if !status.is_success() {
            let problem = serde_json::from_slice(&body).unwrap_or_default();
            return Err(Fault::Refused { status: status.as_u16(), problem, retry_after });
        }
        String::from_utf8(body.into()).map_err(|_| not_json())
    }

    fn unreachable(&self, error: &reqwest::Error) -> Fault {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        let reason = if error.is_timeout() { "it took too long".to_owned() } else { chain(error) };
        Fault::Unreachable { host, reason }
    }
}

fn parsed(text: &str) -> Result<Value, Fault> {
    if text.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_str(text).map_err(|_| not_json())
    }
}

fn not_json() -> Fault {
    Fault::Failed("the answer is not JSON: is this Flagpost's address?".to_owned())
}

/// The innermost cause, which says the most.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
