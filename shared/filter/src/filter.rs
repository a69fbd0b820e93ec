//! A compiled pattern.

use serde_json::Value;

use crate::compile::compile;
use crate::condition::Condition;
use crate::node::Node;
use crate::pattern_error::PatternError;
use crate::scan::scan;

/// An event pattern, compiled: which events an integration is sent.
///
/// ```
/// use flagpost_filter::Filter;
/// use serde_json::json;
///
/// let filter = Filter::compile(&json!({
///     "eventName": ["purchase", {"prefix": "checkout_"}],
///     "user": {"custom": {"plan": [{"anything-but": "free"}]}}
/// }))?;
/// let event = br#"{"eventName": "purchase", "user": {"userID": "u1", "custom": {"plan": "pro"}}}"#;
/// assert!(filter.matches(event)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Filter {
    /// Where to look in an event.
    root: Node,
    /// What has to be found there.
    condition: Condition,
}

impl Filter {
    /// Compiles a pattern in EventBridge's syntax and checks it against the bounds:
    /// [`MAX_DEPTH`](crate::MAX_DEPTH), [`MAX_LEAVES`](crate::MAX_LEAVES) and
    /// [`MAX_BYTES`](crate::MAX_BYTES).
    ///
    /// # Errors
    /// The first thing that is not allowed, with its place in the pattern.
    pub fn compile(pattern: &Value) -> Result<Self, PatternError> {
        let (root, condition) = compile(pattern)?;
        Ok(Self { root, condition })
    }

    /// Whether an event, given as the text of one JSON object, matches the pattern.
    ///
    /// Takes one pass over the text, builds no tree of it, and allocates nothing but what
    /// serde_json needs to undo escapes. Of a key that is there twice the last counts.
    ///
    /// Half of a surrogate pair, such as `"\ud83d"`, is U+FFFD, and a number that no `f64` can
    /// hold, such as `1e999`, is a value that equals no number and lies in no range. An event with
    /// either takes a copy and a second pass.
    ///
    /// # Errors
    /// The text is not one JSON object. Where the pattern looks, it may also not be nested deeper
    /// than serde_json's 128 levels.
    pub fn matches(&self, event: &[u8]) -> Result<bool, serde_json::Error> {
        let found = scan(&self.root, event)?;
        Ok(self.condition.is_met(&found))
    }
}

#[cfg(test)]
mod tests;
