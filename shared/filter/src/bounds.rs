//! How large a pattern may be.

use crate::pattern_error::PatternError;
use crate::place::Place;

/// Objects that may lie within each other, the pattern itself being the first. An alternative of
/// `$or` is one more; the operators inside a leaf are none.
pub const MAX_DEPTH: usize = 16;

/// Values in the leaves of a pattern, those of all `$or` alternatives together. Each value listed
/// inside `anything-but` is one.
pub const MAX_LEAVES: usize = 100;

/// Bytes of the pattern, as JSON without spaces between its parts.
pub const MAX_BYTES: usize = 4096;

/// Counts the leaf values of a pattern while it is compiled.
#[derive(Debug, Default)]
pub(crate) struct LeafCount(usize);

impl LeafCount {
    /// Counts the value at `place`, and refuses it if it is one too many.
    pub(crate) fn add(&mut self, place: &Place<'_>) -> Result<(), PatternError> {
        self.0 += 1;
        if self.0 > MAX_LEAVES {
            return Err(place.refuse(format!(
                "at most {MAX_LEAVES} values are allowed in all the leaves of a pattern"
            )));
        }
        Ok(())
    }
}

/// Refuses the object at `place` if it lies too deep, `depth` counted from 1 for the pattern itself.
pub(crate) fn check_depth(depth: usize, place: &Place<'_>) -> Result<(), PatternError> {
    if depth > MAX_DEPTH {
        return Err(place.refuse(format!("at most {MAX_DEPTH} objects may lie within each other")));
    }
    Ok(())
}

/// Refuses a pattern whose text is too long.
pub(crate) fn check_bytes(pattern: &serde_json::Value) -> Result<(), PatternError> {
    let bytes = pattern.to_string().len();
    if bytes > MAX_BYTES {
        let detail = format!(
            "the pattern is {bytes} bytes as compact JSON; at most {MAX_BYTES} are allowed"
        );
        return Err(Place::Root.refuse(detail));
    }
    Ok(())
}
