//! What a client is told, in the form that it reads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Route, amplitude::TOO_SHORT};
use crate::{
    fault::REQUIRED,
    ingest::Accepted,
    problem::{self, Kind, Problem},
};

/// Faulty events by field.
type Indices<'a> = BTreeMap<&'a str, Vec<usize>>;

const JSON: &str = "application/json";

/// An answer, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Headers beside it; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// The answer of a route; of none where the path is not known.
pub fn answer(route: Option<Route>, outcome: &Result<Accepted, Problem>) -> Answer {
    let json = |status, body: Value| Answer {
        status,
        content_type: JSON,
        headers: Vec::new(),
        body: body.to_string(),
    };
    match (route, outcome) {
        (Some(Route::Amplitude | Route::AmplitudeBatch), Err(problem)) => {
            let (status, body) = amplitude_refusal(problem);
            // What says how to authenticate does not belong to a 400.
            let headers = problem.headers.iter().filter(|(name, _)| *name == "retry-after");
            Answer { headers: headers.cloned().collect(), ..json(status, body) }
        }
        (_, Err(problem)) => Answer {
            status: problem.status(),
            content_type: problem::MEDIA_TYPE,
            headers: problem.headers.clone(),
            body: problem.body(),
        },
        (Some(Route::Amplitude | Route::AmplitudeBatch), Ok(accepted)) => json(
            200,
            json!({
                "code": 200,
                "events_ingested": accepted.events + accepted.dropped + accepted.repeated,
                "payload_size_bytes": accepted.bytes,
                "server_upload_time": accepted.at,
            }),
        ),
        (Some(Route::Split(_) | Route::SplitBeacon(_)), Ok(_)) => json(200, json!({})),
        // 204, and any 4xx, would make the clients drop what was accepted, or think it lost.
        (Some(Route::StatsigLog | Route::StatsigWebhook), Ok(_)) => {
            json(202, json!({"success": true}))
        }
        (None | Some(Route::Own(_)), Ok(accepted)) => {
            json(202, json!({"accepted": accepted.events}))
        }
    }
}

/// Amplitude's clients read `code`, not the status: drop what is listed as faulty and send the rest
/// again, halve what was too large, send all of it again on 5xx, and give up on an invalid key.
fn amplitude_refusal(problem: &Problem) -> (u16, Value) {
    let detail = &problem.detail;
    match problem.kind {
        Kind::Unauthorized => {
            (400, json!({"code": 400, "error": format!("Invalid API key: {detail}")}))
        }
        Kind::InvalidEvents => {
            let [mut missing, mut short, mut invalid] = [const { Indices::new() }; 3];
            for fault in &problem.errors {
                let of = match &fault.detail {
                    detail if detail == REQUIRED => &mut missing,
                    detail if detail.starts_with(TOO_SHORT) => &mut short,
                    _ => &mut invalid,
                };
                let field = fault.field.as_deref().unwrap_or("event");
                of.entry(field).or_default().extend(fault.index);
            }
            let error = if missing.is_empty() && invalid.is_empty() {
                "Invalid id length for user_id or device_id"
            } else {
                "Request has events with missing or invalid fields"
            };
            let body = json!({
                "code": 400,
                "error": error,
                "events_with_missing_fields": missing,
                "events_with_invalid_fields": invalid,
                "events_with_invalid_id_lengths": short,
            });
            (400, body)
        }
        Kind::InvalidField => {
            let field = problem.errors.first().and_then(|fault| fault.field.as_deref());
            let missing = problem.errors.first().is_some_and(|fault| fault.detail == REQUIRED);
            let error = if missing { "Request missing required field" } else { detail.as_str() };
            (400, json!({"code": 400, "error": error, "missing_field": field}))
        }
        Kind::ContentTooLarge | Kind::TooManyEvents | Kind::DecompressionLimit => {
            (413, json!({"code": 413, "error": format!("Payload too large: {detail}")}))
        }
        kind => (kind.status(), json!({"code": kind.status(), "error": detail})),
    }
}
