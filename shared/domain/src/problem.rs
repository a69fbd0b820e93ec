//! Problem details (RFC 9457): what the APIs answer when they refuse or fail.

use serde::Serialize;

/// The media type of a problem's body.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $status:literal $slug:literal $title:literal,)*) => {
        /// Every kind of problem, with its slug, status and title in one table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All kinds, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The last part of the `type`, `urn:flagpost:problem:{slug}`. It never changes.
            pub fn slug(self) -> &'static str {
                match self {
                    $(Self::$name => $slug,)*
                }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }

            /// The kind in words, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

kinds! {
    /// The body is not JSON, or not the kind of JSON value that the route takes.
    InvalidJson 400 "invalid-json" "The body is not valid JSON",
    /// Events with faults; none of the request's was accepted.
    InvalidEvents 400 "invalid-events" "Some events are not valid",
    /// No event at all.
    EmptyRequest 400 "empty-request" "The request holds no event",
    /// More events than one request may hold.
    TooManyEvents 413 "too-many-events" "The request holds too many events",
    /// The body says gzip and is not.
    InvalidGzip 400 "invalid-gzip" "The body is not valid gzip",
    /// A field is missing, unknown, or has a value that is not allowed.
    InvalidField 400 "invalid-field" "Some fields are not valid",
    /// No key, or a wrong or revoked one.
    Unauthorized 401 "unauthorized" "The key is missing or not valid",
    /// A key that is valid, and limited to something else.
    Forbidden 403 "forbidden" "The key does not reach this",
    /// Nothing is there.
    NotFound 404 "not-found" "Nothing is here",
    /// The path is there, and does not take this method.
    MethodNotAllowed 405 "method-not-allowed" "The method is not allowed here",
    /// A project's id, or an integration's name, is in use.
    NameTaken 409 "name-taken" "The name is taken",
    /// A project that still has keys or integrations.
    NotEmpty 409 "not-empty" "It still holds something",
    /// What is asked for cannot be done as things stand; it says what to do first.
    Conflict 409 "conflict" "Not possible as things stand",
    /// `If-Match` names another version than the present one.
    PreconditionFailed 412 "precondition-failed" "It was changed in the meantime",
    /// The body is larger than the route takes.
    ContentTooLarge 413 "content-too-large" "The body is too large",
    /// The body grows beyond the limits when it is decompressed.
    DecompressionLimit 413 "decompression-limit" "The body is too large when decompressed",
    /// A `Content-Encoding` or `Content-Type` that is not supported.
    UnsupportedMediaType 415 "unsupported-media-type" "The encoding is not supported",
    /// An `Idempotency-Key` that stands for another request.
    IdempotencyKeyReused 422 "idempotency-key-reused" "The idempotency key was used for another request",
    /// A stored delivery that cannot be read, or not be shown; it says why, and where it lies.
    Unreadable 422 "unreadable" "The delivery cannot be read",
    /// `If-Match` is missing.
    PreconditionRequired 428 "precondition-required" "If-Match is required",
    /// A fault of Flagpost's own.
    Internal 500 "internal" "Flagpost failed",
    /// An AWS service throttled or failed; try again.
    Unavailable 503 "unavailable" "Not available at the moment",
}

/// One fault of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which event of the request, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Which field, by its path: `environment.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong, and what is allowed.
    pub detail: String,
}

/// An answer that is not a success. No text of it holds a secret or a value from a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", kind.slug())]
pub struct Problem {
    /// Which.
    pub kind: Kind,
    /// What happened this time.
    pub detail: String,
    /// Every fault, where it is the request that has them.
    pub errors: Vec<Fault>,
    /// Headers that go with it, beside the content type.
    pub headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem without faults or headers.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// 401, with the scheme that is expected.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthorized, detail).with_header("www-authenticate", "Bearer")
    }

    /// 503, with the whole seconds to wait before another try.
    pub fn unavailable(detail: impl Into<String>, retry_after: u32) -> Self {
        Self::new(Kind::Unavailable, detail).with_header("retry-after", retry_after.to_string())
    }

    /// The same with these faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// The same with one more header; names are in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    /// The body, of the type [`MEDIA_TYPE`].
    pub fn body(&self) -> String {
        let mut body = serde_json::json!({
            "type": format!("urn:flagpost:problem:{}", self.kind.slug()),
            "title": self.kind.title(),
            "status": self.status(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            body["errors"] = serde_json::json!(self.errors);
        }
        body.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_kind_has_a_slug_of_its_own_and_an_error_status() {
        let slugs: HashSet<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!((400..600).contains(&kind.status()), "{kind:?}");
            let mut slug = kind.slug().chars();
            assert!(slug.all(|c| c.is_ascii_lowercase() || c == '-'), "{kind:?}");
            assert!(!kind.title().is_empty());
        }
    }

    #[test]
    fn every_kind_is_documented_with_its_status() {
        let docs = include_str!("../../../docs/api.md");
        for kind in Kind::ALL {
            let row = format!("| `{}` | {} |", kind.slug(), kind.status());
            assert!(docs.contains(&row), "docs/api.md has no row {row}");
        }
    }

    #[test]
    fn the_body_has_the_members_of_rfc_9457_and_the_faults() {
        let fault = |index, field: Option<&str>| Fault {
            index,
            field: field.map(str::to_owned),
            detail: "must be a string".into(),
        };
        let problem = Problem::new(Kind::InvalidEvents, "2 events have faults")
            .with_errors(vec![fault(Some(3), Some("key")), fault(Some(7), None)]);
        let body: Value = serde_json::from_str(&problem.body()).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "urn:flagpost:problem:invalid-events",
                "title": "Some events are not valid",
                "status": 400,
                "detail": "2 events have faults",
                "errors": [
                    {"index": 3, "field": "key", "detail": "must be a string"},
                    {"index": 7, "detail": "must be a string"},
                ],
            })
        );
        assert_eq!(problem.to_string(), "invalid-events: 2 events have faults");
    }

    #[test]
    fn a_problem_without_faults_has_no_errors_member() {
        let body: Value = serde_json::from_str(&Problem::new(Kind::Internal, "x").body()).unwrap();
        assert_eq!(body.get("errors"), None);
    }

    #[test]
    fn what_a_client_needs_to_go_on_is_in_the_headers() {
        assert_eq!(
            Problem::unauthorized("no key").headers,
            [("www-authenticate", "Bearer".to_owned())]
        );
        let busy = Problem::unavailable("try again", 1);
        assert_eq!((busy.status(), busy.headers), (503, vec![("retry-after", "1".to_owned())]));
    }
}
