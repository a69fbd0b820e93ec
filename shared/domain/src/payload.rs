//! What requests carry: the bodies of a delivery, made from its events.

use flagpost_template::{CompileError, RenderError};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use crate::{
    compiled::Compiled,
    delivery::{Delivery, Provenance},
    event::{self, Event},
    hex::hex,
    id::DeliveryId,
    integration::{Integration, TemplateResult},
    native::exposure::in_metadata,
    preset::{Exposures, Payload},
    time::Timestamp,
};

/// The body of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Sent as `webhook-id`: the same whenever it carries the same events of the same delivery.
    pub id: String,
    /// The positions in the delivery of the events that it carries.
    pub positions: Vec<usize>,
    /// The bytes, before compression.
    pub plain: Vec<u8>,
}

/// Why an event could not be made into a payload. It never quotes the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmade {
    /// The template is none: it was checked when it was saved, by another version of this code.
    #[error("template: {0}")]
    NoTemplate(CompileError),
    /// It cannot be rendered.
    #[error("template: {0}")]
    NotRendered(RenderError),
    /// What it made of the event is not JSON.
    #[error("template: the result is not JSON at its line {line}, column {column}")]
    NotJson {
        /// The line of the result, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
}

/// The payload of one event: the event itself, its exposure's details where the integration wants
/// them, or what the template makes of that.
pub fn make(
    integration: &Integration,
    compiled: &Compiled,
    event: &Event,
) -> Result<Event, Unmade> {
    let event = match integration.exposures() {
        Exposures::StatsigMetadata => event.clone(),
        Exposures::Metadata => {
            in_metadata(event.as_bytes()).map_or_else(|| event.clone(), Event::from_object)
        }
    };
    let Some(template) = compiled.template() else {
        return Ok(event);
    };
    let template = template.map_err(|error| Unmade::NoTemplate(error.clone()))?;
    let rendered = template.render_json(event.as_bytes()).map_err(Unmade::NotRendered)?;
    if integration.own.template_result != Some(TemplateResult::Text)
        && let Err(error) = serde_json::from_str::<IgnoredAny>(&rendered)
    {
        // The error's own text may quote the result.
        return Err(Unmade::NotJson { line: error.line(), column: error.column() });
    }
    Ok(Event::from_object(rendered))
}

/// `Content-Type` of an integration's requests, unless the customer set one.
pub fn content_type(integration: &Integration) -> &'static str {
    match integration.payload() {
        Payload::Ndjson => "application/x-ndjson",
        Payload::Object if integration.own.template_result == Some(TemplateResult::Text) => {
            "text/plain; charset=utf-8"
        }
        Payload::Array | Payload::Object => "application/json",
    }
}

/// One body with all of these payloads, each with its position in the delivery.
pub fn together(payload: Payload, delivery: &Delivery, made: &[(usize, Event)]) -> Body {
    let positions: Vec<_> = made.iter().map(|(position, _)| *position).collect();
    let plain = match (payload, made) {
        (Payload::Object, [(_, one)]) => one.as_bytes().to_vec(),
        (Payload::Ndjson, _) => {
            let mut lines = Vec::new();
            for (_, event) in made {
                compact(event.as_bytes(), &mut lines);
                lines.push(b'\n');
            }
            lines
        }
        (Payload::Array | Payload::Object, _) => {
            let events: Vec<_> = made.iter().map(|(_, event)| event.clone()).collect();
            event::join(&events)
        }
    };
    let id = match (payload, positions.first()) {
        (Payload::Object, Some(position)) => {
            format!("{}.{}", delivery.id.whole(), delivery.number(*position))
        }
        _ if !delivery.rest && positions.len() == delivery.events.len() => delivery.id.to_string(),
        _ => format!("{}.{}", delivery.id.whole(), digest(delivery, &positions)),
    };
    Body { id, positions, plain }
}

/// The body of a request with this event and no other, in a delivery of its own.
pub fn alone(
    integration: &Integration,
    compiled: &Compiled,
    event: &Event,
    id: DeliveryId,
) -> Result<Body, Unmade> {
    let made = make(integration, compiled, event)?;
    let delivery = Delivery {
        id,
        project: integration.project.clone(),
        integration: integration.id.clone(),
        began: Timestamp::default(),
        events: vec![event.clone()],
        numbers: Vec::new(),
        rest: false,
        provenance: Provenance::default(),
    };
    Ok(together(integration.payload(), &delivery, &[(0, made)]))
}

/// Tells which events of a delivery a request has, where it has not all of them.
fn digest(delivery: &Delivery, positions: &[usize]) -> String {
    let mut numbers: Vec<_> = positions.iter().map(|position| delivery.number(*position)).collect();
    numbers.sort_unstable();
    let bytes: Vec<_> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    hex(&Sha256::digest(bytes)[..6])
}

/// JSON without white space between its tokens, and so without line breaks.
fn compact(json: &[u8], to: &mut Vec<u8>) {
    let (mut in_text, mut escaped) = (false, false);
    for &byte in json {
        if in_text {
            (in_text, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = byte == b'"';
        }
        to.push(byte);
    }
}

#[cfg(test)]
mod tests;
