//! An integration: one configured webhook.

use std::collections::BTreeMap;

use flagpost_filter::StatsigCategories;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    destination::Destination,
    id::{IntegrationId, ProjectId},
    limits::Limits,
    preset::{Exposures, Gzip, ImmediateRetry, Payload, Preset, Scheme, Success},
    secret::Secret,
    time::Timestamp,
};

/// Which events of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Feature-flag evaluations, in the schema of Split's and Harness FME's impressions webhook.
    Impressions,
    /// Product-analytics events: any JSON object.
    Events,
    /// The flags, segments and traits of an identity, in the schema of Flagsmith's webhook.
    Identities,
    /// What Flagpost itself has to tell of the project's integrations; see [`crate::notice`].
    Operations,
}

/// How events came in. The forms of different systems' events have nothing in common, so an
/// integration takes those that its preset knows what to do with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Flagpost's own routes: whoever posts there chooses the form.
    #[default]
    Api,
    /// An upload of a Split or Harness FME SDK.
    Split,
    /// An upload of a Statsig SDK, or its incoming event webhook.
    Statsig,
    /// An upload of an Amplitude SDK.
    Amplitude,
    /// A Flagsmith server's webhook.
    Flagsmith,
}

impl Origin {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub(crate) fn is_api(&self) -> bool {
        *self == Self::Api
    }
}

/// An environment of a project, as an ingest key names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its identifier, written as `environmentId`.
    pub id: String,
    /// Its name, written as `environmentName`.
    pub name: String,
}

/// One configured webhook, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// Its identifier.
    pub id: IntegrationId,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// Unique in its project.
    pub name: String,
    /// Where deliveries are POSTed.
    pub url: String,
    /// Which stream it takes.
    pub stream: Stream,
    /// Its defaults.
    pub preset: Preset,
    /// Ids of the environments that it takes; all of them when empty.
    pub environments: Vec<String>,
    /// Whether it takes anything new. What it has stays parked while it does not.
    pub enabled: bool,
    /// Events in one delivery at most, 1 to 500; see [`Integration::max_events`].
    pub max_events: usize,
    /// Bytes of one body at most before compression, 1 KiB to 1 MiB. One event alone may exceed it.
    pub max_bytes: usize,
    /// What is set otherwise than the preset has it, and what no preset has.
    #[serde(flatten)]
    pub own: Own,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows with each change; the API's `ETag`.
    pub version: u64,
}

/// An integration's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Events that came in by these routes are taken; absent: as the preset says, as below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<Origin>>,
    /// What one request carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Which answers are success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Success>,
    /// Whether bodies are compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gzip: Option<bool>,
    /// What is tried at once when a request fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immediate_retry: Option<ImmediateRetry>,
    /// How a request is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Scheme>,
    /// Where an exposure's details are, in events of Statsig's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposures: Option<Exposures>,
    /// Which events are wanted, as an event pattern of EventBridge; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
    /// The same by Statsig's categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statsig_events: Option<StatsigCategories>,
    /// What makes the payload of each event: a FreeMarker template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the template makes; JSON when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_result: Option<TemplateResult>,
    /// What the endpoint is sent at most.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// Whether requests carry a `traceparent`, where their events came with a trace; not when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<bool>,
    /// The customer's headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// What signs requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// What signs them too, for a while after a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret: Option<OldSecret>,
}

/// A secret that was replaced, and still signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSecret {
    /// The secret.
    pub secret: Secret,
    /// It signs until then.
    pub until: Timestamp,
}

/// What a template makes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateResult {
    /// JSON: anything else is a failed attempt.
    Json,
    /// Any text, one to a request.
    Text,
}

/// Events in one delivery at most.
pub const MAX_EVENTS: usize = 500;
/// The same where each event is a request of its own.
pub const MAX_REQUESTS: usize = 50;
/// Bytes in one body at most.
pub const MAX_BYTES: usize = 1024 * 1024;

impl Integration {
    /// Whether it takes new events that came in this way from this environment.
    pub fn wants(&self, stream: Stream, origin: Origin, environment: &str) -> bool {
        let takes = self.enabled && self.stream == stream;
        if stream == Stream::Operations {
            // These are of no environment, and came in by no client.
            return takes;
        }
        let origins = self.own.origins.as_deref().unwrap_or(self.preset.defaults().origins);
        takes
            && origins.contains(&origin)
            && (self.environments.is_empty()
                || self.environments.iter().any(|id| id == environment))
    }

    /// Whether it has limits: then only the drainer sends to it.
    pub fn is_limited(&self) -> bool {
        !self.own.limits.is_none()
    }

    /// What one request carries.
    pub fn payload(&self) -> Payload {
        self.own.payload.unwrap_or(self.preset.defaults().payload)
    }

    /// Events in one delivery at most.
    pub fn max_events(&self) -> usize {
        match self.payload() {
            Payload::Object => self.max_events.min(MAX_REQUESTS),
            Payload::Array | Payload::Ndjson => self.max_events,
        }
    }

    /// Whether this status counts as delivered.
    pub fn succeeds_with(&self, status: u16) -> bool {
        self.own.success.unwrap_or(self.preset.defaults().success).includes(status)
    }

    /// What is tried at once when a request fails.
    pub fn immediate_retry(&self) -> ImmediateRetry {
        self.own.immediate_retry.unwrap_or(self.preset.defaults().immediate_retry)
    }

    /// How requests are signed, where there is a secret.
    pub fn signature(&self) -> Scheme {
        self.own.signature.unwrap_or(self.preset.defaults().signature)
    }

    /// Where an exposure's details are.
    pub fn exposures(&self) -> Exposures {
        self.own.exposures.unwrap_or(self.preset.defaults().exposures)
    }

    /// Whether the customer has a header of this name, in whatever letters.
    pub fn has_header(&self, name: &str) -> bool {
        self.own.headers.keys().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether requests say which trace their events came with.
    pub fn traces(&self) -> bool {
        self.own.trace.unwrap_or(false)
    }

    /// Whether bodies to this destination are compressed.
    pub fn wants_gzip(&self, to: &Destination) -> bool {
        self.own.gzip.unwrap_or_else(|| match self.preset.defaults().gzip {
            Gzip::Never => false,
            Gzip::ExceptSlackAndFivetran => to.wants_gzip(),
        })
    }
}
