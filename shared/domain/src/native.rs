//! Uploads as the vendors' own SDKs send them, and as Flagpost's own clients do: one table of routes,
//! and for each what a request means and how its outcome is told.
//!
//! Everything here is pure: from a request to events or a refusal, and from what came of it to the
//! answer that the client of that route expects.

pub mod amplitude;
mod answer;
mod decode;
pub mod exposure;
pub mod flagsmith;
mod own;
mod python_json;
mod read;
pub mod split;
pub mod statsig;

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use url::form_urlencoded;

use crate::{
    integration::{Origin, Stream},
    key::bearer,
    problem::{Kind, Problem},
};

pub use answer::{Answer, answer};
pub(crate) use decode::decode;
pub(crate) use read::{Context, Identity, Read};

/// The headers that are read; all others are left alone.
pub const HEADERS: [&str; 10] = [
    "authorization",
    "content-encoding",
    "content-type",
    "splitsdkmachineip",
    "splitsdkmachinename",
    "splitsdkversion",
    "statsig-api-key",
    "traceparent",
    "x-environment-key",
    "x-flagsmith-signature",
];

/// A request to ingest, as it came.
// No `Debug`: it holds a key and a body.
#[derive(Clone, Default)]
pub struct Post {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without the question mark; empty when there is none.
    pub query: String,
    /// Those of [`HEADERS`] that are there.
    pub headers: BTreeMap<&'static str, String>,
    /// The body as received.
    pub body: Bytes,
}

impl Post {
    /// A POST without headers.
    pub fn to(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: "POST".to_owned(), path: path.into(), body: body.into(), ..Self::default() }
    }

    /// The same with this header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut all = form_urlencoded::parse(self.query.as_bytes());
        all.find(|(found, _)| found == name).map(|(_, value)| value)
    }
}

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// A stream in Flagpost's own form, or in Flagsmith's.
    Own(Stream),
    /// An upload of a Split SDK.
    Split(split::Upload),
    /// What a Split SDK sends when its page is left: the key is in the body.
    SplitBeacon(split::Upload),
    /// An upload of a Statsig SDK.
    StatsigLog,
    /// Statsig's incoming event webhook.
    StatsigWebhook,
    /// Amplitude's HTTP V2 API.
    Amplitude,
    /// Amplitude's Batch Event Upload API.
    AmplitudeBatch,
}

/// Every path, without `/api` before it; `*` stands for one more segment or several.
const ROUTES: [(&str, Route); 18] = [
    ("v1/impressions", Route::Own(Stream::Impressions)),
    ("v1/events", Route::Own(Stream::Events)),
    ("v1/identities", Route::Own(Stream::Identities)),
    ("testImpressions/bulk", Route::Split(split::Upload::Impressions)),
    ("testImpressions/beacon", Route::SplitBeacon(split::Upload::Impressions)),
    ("testImpressions/count", Route::Split(split::Upload::Nothing)),
    ("testImpressions/count/beacon", Route::SplitBeacon(split::Upload::Nothing)),
    ("events/bulk", Route::Split(split::Upload::Events)),
    ("events/beacon", Route::SplitBeacon(split::Upload::Events)),
    ("v1/keys/cs/beacon", Route::SplitBeacon(split::Upload::Nothing)),
    ("v1/metrics/usage/beacon", Route::SplitBeacon(split::Upload::Nothing)),
    ("v1/keys/*", Route::Split(split::Upload::Nothing)),
    ("v1/metrics/*", Route::Split(split::Upload::Nothing)),
    ("v1/log_event", Route::StatsigLog),
    ("v1/rgstr", Route::StatsigLog),
    ("v1/webhooks/event_webhook", Route::StatsigWebhook),
    ("2/httpapi", Route::Amplitude),
    ("batch", Route::AmplitudeBatch),
];

/// The forms of all paths, for the description of the API.
#[cfg(test)]
pub(crate) fn patterns() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(pattern, _)| *pattern)
}

/// What a path stands for. Slashes at its end and doubled ones are as good as none, and so is
/// `/api` before it: clients are given base URLs with and without.
pub fn route(path: &str) -> Option<Route> {
    let mut segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.first() == Some(&"api") {
        segments.remove(0);
    }
    let path = segments.join("/");
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(before) => path.len() > before.len() && path.starts_with(before),
        None => path == pattern,
    };
    ROUTES.iter().find(|(pattern, _)| fits(pattern)).map(|(_, route)| *route)
}

/// What a request stands for, by path and method.
pub(crate) fn route_of(post: &Post) -> Result<Route, Problem> {
    let route = route(&post.path).ok_or_else(|| {
        Problem::new(Kind::NotFound, "no such route; see docs/api.md and docs/sdks.md")
    })?;
    if post.method != "POST" {
        let detail = "events are sent with POST";
        return Err(Problem::new(Kind::MethodNotAllowed, detail).with_header("allow", "POST"));
    }
    Ok(route)
}

/// Where a request's key is.
pub(crate) enum Key {
    Here(String),
    InBody,
}

impl Route {
    /// Where the key is. The 401 when it is not where it belongs.
    pub(crate) fn key(self, post: &Post) -> Result<Key, Problem> {
        let authorization = bearer(post.header("authorization")).map(str::to_owned);
        let (found, wanted) = match self {
            Self::SplitBeacon(_) | Self::Amplitude | Self::AmplitudeBatch => {
                return Ok(Key::InBody);
            }
            Self::Own(Stream::Identities) => (
                authorization.or_else(|| flagsmith::key(post)),
                "Authorization must be `Bearer` and an ingest key, or X-Environment-Key, or \
                 environment_key in the query, an ingest key",
            ),
            Self::Own(_) | Self::Split(_) => {
                (authorization, "Authorization must be `Bearer` and an ingest key")
            }
            Self::StatsigLog | Self::StatsigWebhook => (
                statsig::key(post),
                "STATSIG-API-KEY, or k in the query, must be an ingest key, after `secret-` or \
                 `client-` where the SDK wants that",
            ),
        };
        found.map(Key::Here).ok_or_else(|| Problem::unauthorized(wanted))
    }

    /// The key in a body, for the routes whose clients put it there.
    pub(crate) fn key_in(self, body: &[u8]) -> Result<String, Problem> {
        let (found, name) = match self {
            Self::SplitBeacon(_) => (split::token(body), "token"),
            Self::Amplitude | Self::AmplitudeBatch => (amplitude::key(body), "api_key"),
            Self::Own(_) | Self::Split(_) | Self::StatsigLog | Self::StatsigWebhook => {
                (None, "key")
            }
        };
        if found.is_none() {
            // A client that is told of its key gives up for good: not for a body that was broken.
            read::check_json(body)?;
        }
        let missing = || format!("the body must have an ingest key as its `{name}`");
        found.ok_or_else(|| Problem::unauthorized(missing()))
    }

    /// How its events came in; Flagpost's own routes say so, and Flagsmith's key in its own place.
    pub(crate) fn origin(self, post: &Post) -> Origin {
        match self {
            Self::Own(Stream::Identities) if bearer(post.header("authorization")).is_none() => {
                Origin::Flagsmith
            }
            Self::Own(_) => Origin::Api,
            Self::Split(_) | Self::SplitBeacon(_) => Origin::Split,
            Self::StatsigLog | Self::StatsigWebhook => Origin::Statsig,
            Self::Amplitude | Self::AmplitudeBatch => Origin::Amplitude,
        }
    }

    /// Bytes of a body at most, received and decoded, where the vendor has a limit of its own.
    pub(crate) fn body_limit(self) -> Option<usize> {
        (self == Self::Amplitude).then_some(amplitude::BODY_BYTES)
    }

    /// Faults that are listed at most in a refusal.
    pub(crate) fn fault_limit(self) -> usize {
        match self {
            // Its clients drop exactly what is listed, and send the others again.
            Self::Amplitude | Self::AmplitudeBatch => usize::MAX,
            _ => 20,
        }
    }

    /// Reads a body.
    pub(crate) fn read(self, context: &Context<'_>) -> Result<Read, Problem> {
        match self {
            Self::Own(Stream::Identities) => flagsmith::read(context),
            Self::Own(stream) => own::read(stream, context),
            Self::Split(upload) => split::read(upload, context),
            Self::SplitBeacon(upload) => split::read_beacon(upload, context),
            Self::StatsigLog => statsig::read_log(context),
            Self::StatsigWebhook => statsig::read_webhook(context),
            Self::Amplitude => amplitude::read(context, amplitude::EVENTS),
            Self::AmplitudeBatch => amplitude::read(context, usize::MAX),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
