//! Whose an endpoint is: what the integration with this endpoint is set to, and was.

use flagpost_domain::{
    id::IntegrationId,
    integration::Integration,
    limits::Limits,
    preset::{ImmediateRetry, Payload, Success},
    time::Timestamp,
};
use serde_json::Value;

use crate::{carried::Carried, events};

/// The owner of an endpoint.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The integration.
    pub id: IntegrationId,
    /// Which answers are success; it never changes.
    pub success: Success,
    /// Its versions, each with the time since when it is in force.
    versions: Vec<(i64, Version)>,
}

#[derive(Clone, Debug)]
struct Version {
    payload: Payload,
    immediate: ImmediateRetry,
    filter: Option<Value>,
    limits: Limits,
}

impl Owner {
    /// The owner of a new endpoint.
    pub fn new(integration: &Integration, now: i64) -> Self {
        let success = integration.own.success.unwrap_or(integration.preset.defaults().success);
        let mut owner = Self { id: integration.id.clone(), success, versions: Vec::new() };
        owner.changed(integration, now);
        owner
    }

    /// The integration was changed.
    pub fn changed(&mut self, integration: &Integration, now: i64) {
        let defaults = integration.preset.defaults();
        let own = &integration.own;
        let version = Version {
            payload: own.payload.unwrap_or(defaults.payload),
            immediate: own.immediate_retry.unwrap_or(defaults.immediate_retry),
            filter: own.filter.clone(),
            limits: own.limits,
        };
        self.versions.push((now, version));
    }

    fn since(&self, from: i64) -> impl Iterator<Item = &Version> {
        let ends = self.versions.iter().skip(1).map(|(since, _)| *since).chain([i64::MAX]);
        let versions = self.versions.iter().zip(ends);
        versions.filter(move |(_, end)| *end >= from).map(|((_, version), _)| version)
    }

    /// What may be tried at once after a failure, by whoever knows what was in force at `from` or
    /// later.
    pub fn retries(&self, from: i64) -> Vec<ImmediateRetry> {
        let mut all: Vec<_> = self.since(from).map(|version| version.immediate).collect();
        all.dedup();
        all
    }

    /// The limits that may be known to whoever knows what was in force at `from` or later.
    pub fn limits(&self, from: i64) -> Vec<Limits> {
        self.since(from).map(|version| version.limits).collect()
    }

    /// Checks what a request carries, made by whoever knows what was in force at `from`. `Err` says
    /// what is wrong with it.
    pub fn check(&self, carried: &Carried, from: i64) -> Result<(), String> {
        if !self.since(from).any(|version| version.payload == carried.payload) {
            return Err(format!("sent as {:?}, which it is not set to", carried.payload));
        }
        let took = |event: u32| {
            self.since(i64::MIN).any(|version| events::takes(version.filter.as_ref(), event))
        };
        match carried.events.iter().find(|event| !took(**event)) {
            Some(event) => Err(format!("event {event} was never wanted")),
            None => Ok(()),
        }
    }

    /// Whether each event was a request of its own all the time.
    pub fn is_always_single(&self) -> bool {
        self.since(i64::MIN).all(|version| version.payload == Payload::Object)
    }

    /// Whether it was never changed since before this time.
    pub fn is_as_made(&self, before: Timestamp) -> bool {
        matches!(self.versions.as_slice(), [(since, _)] if *since <= before.0)
    }
}
