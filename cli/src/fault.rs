//! What can go wrong, and how it is told.

use std::fmt::Write;

use serde_json::{Value, json};

/// Why a command was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    /// Asked wrongly: a setting that is missing, a file that cannot be read.
    #[error("{0}")]
    Usage(String),
    /// The API said no, or had a fault of its own.
    #[error("{}", refusal(*status, problem))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem details, or whatever else came.
        problem: Value,
        /// Seconds to wait before another try, if it said so.
        retry_after: Option<u64>,
    },
    /// There was no answer to be had.
    #[error("no answer from {host}: {reason}")]
    Unreachable {
        /// Whom it was asked of.
        host: String,
        /// Why, as the HTTP client has it.
        reason: String,
        /// Whether a connection was made, and broke off before the answer was there.
        broken: bool,
    },
    /// What was asked for was done, and the result is a bad one.
    #[error("{0}")]
    Failed(String),
    /// Nobody reads the output any more.
    #[error("the output is closed")]
    Closed,
}

impl Fault {
    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Closed => 0,
            Self::Refused { .. } | Self::Unreachable { .. } | Self::Failed(_) => 1,
        }
    }

    /// Whether it may be over the next time.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { status: 429 | 500.., .. })
    }

    /// For `--json`: the API's problem details as they came, or a detail of the same form.
    pub(crate) fn document(&self) -> Value {
        match self {
            Self::Refused { problem, .. } if problem.is_object() => problem.clone(),
            other => json!({"detail": other.to_string()}),
        }
    }
}

/// What was worked out before it was written: that nobody reads it, or that it cannot be written, does not better it.
pub(crate) fn verdict(verdict: Result<(), Fault>, written: Result<(), Fault>) -> Result<(), Fault> {
    verdict.and(written)
}

/// Problem details (RFC 9457) in lines: what, which kind, and each field's fault.
fn refusal(status: u16, problem: &Value) -> String {
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let what = text("detail").or_else(|| text("title")).or_else(|| text("message"));
    let mut told = match what {
        Some(what) => format!("{what} ({status})"),
        None => format!("answered {status}, without saying why"),
    };
    if let Some(kind) = text("type") {
        let _ = write!(told, "\n  type: {kind}");
    }
    for fault in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let index = fault.get("index").and_then(Value::as_u64);
        let field = fault.get("field").and_then(Value::as_str).unwrap_or_default();
        let place = match index {
            Some(index) if field.is_empty() => format!("event {index}"),
            Some(index) => format!("event {index}, {field}"),
            None if field.is_empty() => "body".to_owned(),
            None => field.to_owned(),
        };
        let detail = fault.get("detail").and_then(Value::as_str).unwrap_or_default();
        let _ = write!(told, "\n  {place}: {detail}");
    }
    if status == 401 {
        told.push_str("\n  The key comes from --key-file, --key, FLAGPOST_ADMIN_KEY or the configuration file, in this order.");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, problem: Value) -> Fault {
        Fault::Refused { status, problem, retry_after: None }
    }

    #[test]
    fn a_problem_is_told_with_type_detail_and_fields() {
        let fault = refused(
            400,
            json!({
                "type": "urn:flagpost:problem:invalid-field", "title": "Some fields are not valid", "status": 400,
                "detail": "not valid: reason",
                "errors": [{"field": "reason", "detail": "must be a text"}, {"index": 3, "field": "key", "detail": "is missing"}],
            }),
        );
        assert_eq!(
            fault.to_string(),
            "not valid: reason (400)\n  type: urn:flagpost:problem:invalid-field\n  reason: must be a text\n  event 3, key: is missing"
        );
        assert_eq!(fault.status(), 1);
    }

    #[test]
    fn answers_that_are_no_problem_details_are_told_too() {
        assert_eq!(refused(404, json!({"message": "Not Found"})).to_string(), "Not Found (404)");
        let bare = refused(502, Value::Null);
        assert_eq!(bare.to_string(), "answered 502, without saying why");
        assert_eq!(bare.document(), json!({"detail": "answered 502, without saying why"}));
    }

    #[test]
    fn who_has_no_key_is_told_where_it_comes_from() {
        let fault = refused(401, json!({"detail": "no key"}));
        assert!(fault.to_string().contains("FLAGPOST_ADMIN_KEY"));
    }
}
