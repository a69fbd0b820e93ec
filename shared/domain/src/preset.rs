//! Presets: what the outgoing webhook of each known system does, as a table of defaults. Every one
//! of them can be set per integration.
//!
//! Sources: Split, "Webhook - Impressions" (help.split.io, article 360020700232); Statsig, "Event
//! Webhook"; Flagsmith, "Webhook Analytics Integration"; Amplitude, "Send Events to Webhooks";
//! "Standard Webhooks" (standard-webhooks on GitHub, `spec/standard-webhooks.md`).

use serde::{Deserialize, Serialize};

use crate::integration::{Origin, Stream};

/// A named set of defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Split and Harness FME: impressions in an array.
    Split,
    /// Statsig: events in an array.
    Statsig,
    /// Flagsmith: the flags, segments and traits of one identity in each request.
    Flagsmith,
    /// Amplitude: one event in each request, as it is exported or as a template makes it.
    Amplitude,
    /// Standard Webhooks: anything.
    Standard,
}

/// What one request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// A JSON array of events.
    Array,
    /// One event, a JSON object.
    Object,
    /// One event on each line.
    Ndjson,
}

/// Which answers are success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Success {
    /// 200 and nothing else.
    #[serde(rename = "200")]
    Ok,
    /// 200 to 299.
    #[serde(rename = "2xx")]
    Any2xx,
}

impl Success {
    /// Whether this status counts as delivered.
    pub fn includes(self, status: u16) -> bool {
        match self {
            Self::Ok => status == 200,
            Self::Any2xx => (200..300).contains(&status),
        }
    }
}

/// Which bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gzip {
    /// None.
    Never,
    /// All but those to hosts of Slack and Fivetran.
    ExceptSlackAndFivetran,
}

/// What is tried at once when a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImmediateRetry {
    /// Nothing.
    None,
    /// One more request after 300 ms, whatever the failure was.
    Once,
    /// At most three requests, and further ones only after 5xx and 429: after 100 ms, doubling, give
    /// or take 50 %, and none begins later than 4 s after the first.
    Backoff,
}

/// How a request is signed, where there is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Not at all.
    None,
    /// `webhook-signature`, as Standard Webhooks has it.
    StandardWebhooks,
    /// `X-Flagsmith-Signature`.
    Flagsmith,
    /// `X-Statsig-Signature` and `X-Statsig-Request-Timestamp`.
    Statsig,
}

/// Where an exposure's details are, in events of Statsig's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposures {
    /// In `statsigMetadata`, `gateValue` a boolean: as the webhook's page has it.
    StatsigMetadata,
    /// In `metadata`, all values strings: as current SDKs send them.
    Metadata,
}

/// The settings of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Defaults {
    /// The stream; `None`: it must be given.
    pub stream: Option<Stream>,
    /// Events that came in by these routes are taken.
    pub origins: &'static [Origin],
    /// What one request carries.
    pub payload: Payload,
    /// Which answers are success.
    pub success: Success,
    /// Which bodies are compressed.
    pub gzip: Gzip,
    /// What is tried at once when a request fails.
    pub immediate_retry: ImmediateRetry,
    /// How a request is signed, where there is a secret.
    pub signature: Scheme,
    /// Where an exposure's details are.
    pub exposures: Exposures,
    /// `User-Agent`.
    pub user_agent: &'static str,
}

/// What a request calls itself where the preset has no name of its own.
pub const USER_AGENT: &str = concat!("Flagpost/", env!("CARGO_PKG_VERSION"));

/// The presets by their names.
pub const PRESETS: [(&str, Preset, Defaults); 5] = [
    ("split", Preset::Split, SPLIT),
    ("statsig", Preset::Statsig, STATSIG),
    ("flagsmith", Preset::Flagsmith, FLAGSMITH),
    ("amplitude", Preset::Amplitude, AMPLITUDE),
    ("standard", Preset::Standard, STANDARD),
];

const STANDARD: Defaults = Defaults {
    stream: None,
    origins: &[Origin::Api, Origin::Split, Origin::Statsig, Origin::Amplitude, Origin::Flagsmith],
    payload: Payload::Array,
    success: Success::Any2xx,
    gzip: Gzip::Never,
    immediate_retry: ImmediateRetry::Once,
    signature: Scheme::StandardWebhooks,
    exposures: Exposures::StatsigMetadata,
    user_agent: USER_AGENT,
};

const SPLIT: Defaults = Defaults {
    stream: Some(Stream::Impressions),
    origins: &[Origin::Api, Origin::Split],
    success: Success::Ok,
    gzip: Gzip::ExceptSlackAndFivetran,
    ..STANDARD
};

const STATSIG: Defaults = Defaults {
    stream: Some(Stream::Events),
    origins: &[Origin::Api, Origin::Statsig],
    signature: Scheme::Statsig,
    ..STANDARD
};

const FLAGSMITH: Defaults = Defaults {
    stream: Some(Stream::Identities),
    origins: &[Origin::Api, Origin::Flagsmith],
    payload: Payload::Object,
    signature: Scheme::Flagsmith,
    ..STANDARD
};

const AMPLITUDE: Defaults = Defaults {
    stream: Some(Stream::Events),
    origins: &[Origin::Api, Origin::Amplitude],
    payload: Payload::Object,
    immediate_retry: ImmediateRetry::Backoff,
    user_agent: "Amplitude/Webhook/1.0",
    ..STANDARD
};

impl Preset {
    /// Its settings.
    pub fn defaults(self) -> &'static Defaults {
        match self {
            Self::Split => &SPLIT,
            Self::Statsig => &STATSIG,
            Self::Flagsmith => &FLAGSMITH,
            Self::Amplitude => &AMPLITUDE,
            Self::Standard => &STANDARD,
        }
    }
}
