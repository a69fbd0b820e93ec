//! An integration: one configured webhook.

use serde::{Deserialize, Serialize};

use crate::{
    id::{IntegrationId, ProjectId},
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
}

/// A named set of defaults: what the webhook of a known system does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Split and Harness FME: success is 200 and nothing else; gzip, except to Slack and Fivetran.
    Split,
    /// Success is any 2xx; gzip only if asked for.
    Standard,
}

/// An environment of a project, as an ingest key names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its identifier, written as `environmentId`.
    pub id: String,
    /// Its name, written as `environmentName`.
    pub name: String,
}

/// One configured webhook, as stored and as the API shows it.
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
    /// Whether bodies are compressed; absent: as the preset says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gzip: Option<bool>,
    /// Events in one delivery at most, 1 to 500.
    pub max_events: usize,
    /// Bytes of one body at most before compression, 1 KiB to 1 MiB. One event alone may exceed it.
    pub max_bytes: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows with each change; the API's `ETag`.
    pub version: u64,
}

/// Events in one delivery at most.
pub const MAX_EVENTS: usize = 500;
/// Bytes in one body at most.
pub const MAX_BYTES: usize = 1024 * 1024;

impl Integration {
    /// Whether it takes new events of this stream and environment.
    pub fn wants(&self, stream: Stream, environment: &str) -> bool {
        self.enabled
            && self.stream == stream
            && (self.environments.is_empty()
                || self.environments.iter().any(|id| id == environment))
    }

    /// Whether this status counts as delivered.
    pub fn succeeds_with(&self, status: u16) -> bool {
        match self.preset {
            Preset::Split => status == 200,
            Preset::Standard => (200..300).contains(&status),
        }
    }
}
