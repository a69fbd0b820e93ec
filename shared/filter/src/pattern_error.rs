//! Why a pattern was refused.

use std::error::Error;
use std::fmt;

/// Why a pattern was refused, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The place in the pattern, as a JSON pointer (RFC 6901) such as
    /// `/user/custom/plan/0/anything-but`. Empty for the pattern as a whole.
    pub path: String,
    /// What is wrong there and what is allowed instead, as a phrase for the person who wrote it.
    pub detail: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.detail);
        }
        write!(f, "at {}: {}", self.path, self.detail)
    }
}

impl Error for PatternError {}
