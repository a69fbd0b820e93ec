//! Flagpost's HTTP API, as its operator calls it.

use std::{collections::BTreeMap, error::Error, time::Duration};

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{
    Client, Method, Response,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    },
    redirect::Policy,
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, value::RawValue};
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
pub(crate) const PAGE: usize = 100;

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

/// An answer, word for word: parsed and written again, numbers would lose digits and members their order.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) text: String,
    /// The server's clock, in milliseconds since the Unix epoch, to the second.
    pub(crate) date: Option<i64>,
}

impl Answer {
    /// Its JSON; `null` where there is none.
    pub(crate) fn value(&self) -> Result<Value, Fault> {
        if self.text.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_str(&self.text).map_err(|_| not_json())
        }
    }

    /// Its JSON as it came.
    pub(crate) fn raw(&self) -> Result<Box<RawValue>, Fault> {
        serde_json::from_str(&self.text).map_err(|_| not_json())
    }
}

/// One of a list: what it says, and how it was written.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) value: Value,
    raw: Box<RawValue>,
}

impl Item {
    #[cfg(test)]
    pub(crate) fn new(value: Value) -> Self {
        let raw = serde_json::value::to_raw_value(&value).unwrap();
        Self { value, raw }
    }

    /// As it came, in one line.
    pub(crate) fn line(&self) -> String {
        in_a_line(&self.raw)
    }
}

/// JSON as it came, in one line: a line's end can only stand between the parts of JSON.
pub(crate) fn in_a_line(json: &RawValue) -> String {
    json.get().replace(['\n', '\r'], " ")
}

/// A list, or a part of one. It is written in the answer's own form: `{field: […], "next": …}`.
#[derive(Debug, Clone)]
pub(crate) struct List {
    field: &'static str,
    pub(crate) items: Vec<Item>,
    /// The cursor of what follows.
    pub(crate) next: Option<String>,
    /// See [`Answer::date`].
    pub(crate) date: Option<i64>,
}

impl List {
    fn read(field: &'static str, answer: &Answer) -> Result<Self, Fault> {
        let members: BTreeMap<&str, &RawValue> =
            serde_json::from_str(&answer.text).map_err(|_| not_json())?;
        let items: Option<Vec<Box<RawValue>>> =
            members.get(field).and_then(|items| serde_json::from_str(items.get()).ok());
        let items = items.ok_or_else(|| {
            Fault::Failed(format!("the answer has no `{field}`: is this Flagpost's address?"))
        })?;
        let items = items
            .into_iter()
            .map(|raw| {
                let value = serde_json::from_str(raw.get()).map_err(|_| not_json())?;
                Ok(Item { value, raw })
            })
            .collect::<Result<_, Fault>>()?;
        let next = members.get("next").and_then(|next| serde_json::from_str(next.get()).ok());
        Ok(Self { field, items, next, date: answer.date })
    }

    /// What the items say.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> + Clone {
        self.items.iter().map(|item| &item.value)
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items: Vec<&RawValue> = self.items.iter().map(|item| &*item.raw).collect();
        let mut members = serializer.serialize_map(Some(2))?;
        members.serialize_entry(self.field, &items)?;
        members.serialize_entry("next", &self.next)?;
        members.end()
    }
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
        let mut client = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("flagpost/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECTING)
            .timeout(PATIENCE);
        if configuration.url.scheme() == "http" {
            // Only to this machine, and a proxy is another: it would read the key.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| {
            Fault::Failed(format!("cannot make an HTTP client: {}", chain(&error)))
        })?;
        Ok(Self { client, base: configuration.url.clone() })
    }

    /// The answer's JSON; `null` where there is none.
    pub(crate) async fn call(&self, ask: &Ask) -> Result<Value, Fault> {
        self.answer(ask).await?.value()
    }

    /// The answer as it came.
    pub(crate) async fn answer(&self, ask: &Ask) -> Result<Answer, Fault> {
        let mut tries = 1;
        let mut broke = false;
        loop {
            match self.try_once(ask).await {
                Err(Fault::Refused { status, retry_after, .. })
                    if tries < TRIES && ask.goes_again(status, retry_after) =>
                {
                    let seconds = retry_after.unwrap_or(1 << tries).clamp(1, LONGEST_WAIT);
                    surroundings::wait(Duration::from_secs(seconds)).await;
                    tries += 1;
                }
                Err(Fault::Unreachable { broken: true, .. })
                    if !broke && ask.method == Method::GET =>
                {
                    broke = true;
                }
                outcome => return outcome,
            }
        }
    }

    /// A part of a list, `limit` items at most, from where `cursor` says.
    pub(crate) async fn page(
        &self,
        ask: &Ask,
        field: &'static str,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<List, Fault> {
        let page = ask.clone().with("limit", Some(limit)).with("cursor", cursor);
        List::read(field, &self.answer(&page).await?)
    }

    /// Everything of a list from a cursor on, or at most `limit` of it.
    pub(crate) async fn list(
        &self,
        ask: Ask,
        field: &'static str,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<List, Fault> {
        let mut list = self.page(&ask, field, PAGE.min(limit), cursor).await?;
        while let Some(cursor) = list.next.take() {
            if list.items.len() >= limit {
                list.next = Some(cursor);
                break;
            }
            let count = PAGE.min(limit - list.items.len());
            let page = self.page(&ask, field, count, Some(&cursor)).await?;
            list.items.extend(page.items);
            // The same cursor again would lead nowhere.
            list.next = page.next.filter(|next| *next != cursor);
        }
        Ok(list)
    }

    async fn try_once(&self, ask: &Ask) -> Result<Answer, Fault> {
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

    async fn read(&self, response: Response) -> Result<Answer, Fault> {
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).and_then(|value| value.parse().ok());
        // RFC 9110 writes it as RFC 2822 does.
        let date = header(DATE)
            .and_then(|value| DateTimeParser::new().parse_timestamp(value).ok())
            .map(jiff::Timestamp::as_millisecond);
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if !status.is_success() {
            let problem = serde_json::from_slice(&body).unwrap_or_default();
            return Err(Fault::Refused { status: status.as_u16(), problem, retry_after });
        }
        let text = String::from_utf8(body.into()).map_err(|_| not_json())?;
        Ok(Answer { text, date })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Fault {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        let reason = if error.is_timeout() { "it took too long".to_owned() } else { chain(error) };
        let broken = !error.is_timeout() && !error.is_connect();
        Fault::Unreachable { host, reason, broken }
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
