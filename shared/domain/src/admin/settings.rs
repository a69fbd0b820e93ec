//! What of an integration an operator sets, and what each preset fills in.

mod own;

pub(super) use own::{RESULTS, check_result};
use serde_json::{Map, Value};

use super::{
    fields::{Fields, alternatives},
    view::is_set,
};
use crate::{
    destination::{Allowed, Destination},
    id::{IntegrationId, ProjectId},
    integration::{Integration, MAX_BYTES, MAX_EVENTS, Own, Stream},
    preset::{PRESETS, Preset},
    problem::Problem,
    time::Timestamp,
};

/// Environments that one integration may name.
const MAX_ENVIRONMENTS: usize = 100;

const STREAMS: [(&str, Stream); 4] = [
    ("impressions", Stream::Impressions),
    ("events", Stream::Events),
    ("identities", Stream::Identities),
    ("operations", Stream::Operations),
];

/// The fields that are not for an operator to set.
const OWN: [&str; 6] = ["id", "project", "created_at", "updated_at", "version", "old_secret"];

/// A new integration with the settings of a request; its identifier and times are still to be
/// given.
pub(super) fn new(
    project: ProjectId,
    fields: Fields,
    allowed: &Allowed,
) -> Result<Integration, Problem> {
    let blank = Integration {
        id: IntegrationId(String::new()),
        project,
        name: String::new(),
        url: String::new(),
        stream: Stream::Impressions,
        preset: Preset::Standard,
        environments: Vec::new(),
        enabled: true,
        max_events: MAX_EVENTS,
        max_bytes: MAX_BYTES,
        own: Own::default(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    };
    configure(blank, fields, allowed)
}

/// The next version of an integration, by a JSON merge patch (RFC 7396): a field that is `null`
/// goes back to its default.
pub(super) fn patched(
    old: &Integration,
    patch: Map<String, Value>,
    now: Timestamp,
    allowed: &Allowed,
) -> Result<Integration, Problem> {
    let mut merged = settings(old);
    // Another preset has another stream, unless it takes any.
    let named = patch.get("preset").and_then(Value::as_str);
    let other = PRESETS.iter().find(|(name, preset, defaults)| {
        named == Some(*name) && *preset != old.preset && defaults.stream.is_some()
    });
    if other.is_some() {
        merged.remove("stream");
    }
    for (name, value) in patch {
        match (name.as_str(), value) {
            // As it is shown: left as it is.
            ("secret", value) if is_set(&value) && old.own.secret.is_some() => {}
            ("headers", Value::Object(headers)) => merge_headers(&mut merged, headers),
            ("limits", Value::Object(limits)) => {
                // One of them can be changed without the other.
                let present = merged.entry("limits").or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(present) = present {
                    present.extend(limits);
                }
            }
            (_, value) => {
                merged.insert(name, value);
            }
        }
    }
    let next = Integration { version: old.version + 1, updated_at: now, ..old.clone() };
    configure(next, Fields::new(merged), allowed)
}

/// Header by header: `null` takes one away, and what stands for a value leaves it as it is.
fn merge_headers(merged: &mut Map<String, Value>, patch: Map<String, Value>) {
    let present = merged.entry("headers").or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(present) = present else { return };
    for (name, value) in patch {
        if value.is_null() {
            present.remove(&name);
        } else if !(is_set(&value) && present.contains_key(&name)) {
            present.insert(name, value);
        }
    }
}

/// Whether two versions have the same settings.
pub(super) fn same(a: &Integration, b: &Integration) -> bool {
    settings(a) == settings(b)
}

fn settings(integration: &Integration) -> Map<String, Value> {
    match serde_json::to_value(integration) {
        Ok(Value::Object(mut map)) => {
            map.retain(|name, _| !OWN.contains(&name.as_str()));
            map
        }
        // Not reachable: a struct is an object.
        _ => Map::new(),
    }
}

fn configure(
    base: Integration,
    mut fields: Fields,
    allowed: &Allowed,
) -> Result<Integration, Problem> {
    let name = fields.text("name", 1..=128);
    let url = url(&base.url, &mut fields, allowed);
    let preset = preset(&mut fields);
    let stream = stream(preset, &mut fields);
    let next = Integration {
        name,
        url,
        preset: preset.unwrap_or(base.preset),
        stream: stream.unwrap_or(base.stream),
        environments: fields.texts("environments", MAX_ENVIRONMENTS, 1..=64),
        enabled: fields.flag("enabled").unwrap_or(true),
        max_events: fields.number("max_events", &(1..=MAX_EVENTS)).unwrap_or(MAX_EVENTS),
        max_bytes: fields.number("max_bytes", &(1024..=MAX_BYTES)).unwrap_or(MAX_BYTES),
        own: own::read(&mut fields, &base.own, preset),
        ..base
    };
    if next.stream == Stream::Operations {
        // Nothing would ever come.
        for (field, chosen) in [
            ("environments", !next.environments.is_empty()),
            ("origins", next.own.origins.is_some()),
        ] {
            if chosen {
                let what = "must be left out: operational events have none".to_owned();
                fields.fault(field, what);
            }
        }
    }
    fields.finish()?;
    Ok(next)
}

/// The URL in its normal form. One that is as it was is not checked again, so that an integration
/// can be disabled even when its endpoint is no longer allowed.
fn url(present: &str, fields: &mut Fields, allowed: &Allowed) -> String {
    const WHAT: &str = "an https URL of a public host";
    match fields.take("url") {
        None => fields.missing("url", WHAT),
        Some(Value::String(url)) if !present.is_empty() && url == present => url,
        Some(Value::String(url)) => match Destination::parse(&url, allowed) {
            Ok(destination) => destination.as_str().to_owned(),
            Err(error) => {
                fields.fault("url", format!("must be {WHAT}: {error}"));
                String::new()
            }
        },
        Some(_) => {
            fields.fault("url", format!("must be {WHAT}"));
            String::new()
        }
    }
}

fn preset(fields: &mut Fields) -> Option<Preset> {
    let words = PRESETS.map(|(name, preset, _)| (name, preset));
    if fields.has("preset") {
        return fields.word("preset", &words);
    }
    fields.take("preset");
    fields.missing("preset", &alternatives(&words))
}

/// The stream, by default that of the preset. `preset` is `None` if it had a fault.
fn stream(preset: Option<Preset>, fields: &mut Fields) -> Option<Stream> {
    if fields.has("stream") {
        return fields.word("stream", &STREAMS);
    }
    fields.take("stream");
    match preset?.defaults().stream {
        None => fields.missing("stream", &alternatives(&STREAMS)),
        stream => stream,
    }
}

#[cfg(test)]
mod tests;
