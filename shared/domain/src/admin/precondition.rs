//! `ETag` and `If-Match` (RFC 9110, 8.8.3 and 13.1.1), so that two operators do not overwrite each
//! other's changes.

use crate::{
    integration::Integration,
    problem::{Kind, Problem},
};

/// The entity tag of a version.
pub(super) fn etag(integration: &Integration) -> String {
    format!("\"{}\"", integration.version)
}

/// Whether `If-Match` holds for any version at all.
pub(super) fn is_any(if_match: &str) -> bool {
    if_match.trim() == "*"
}

/// Checks `If-Match` against the present version. Tags are compared strongly: a weak one
/// (`W/"1"`) never matches.
pub(super) fn check(if_match: &str, present: &Integration) -> Result<(), Problem> {
    let tag = etag(present);
    if is_any(if_match) || if_match.split(',').any(|given| given.trim() == tag) {
        return Ok(());
    }
    Err(failed(present))
}

/// 412, with the present version.
pub(super) fn failed(present: &Integration) -> Problem {
    let tag = etag(present);
    let detail = format!("the present version is {tag}: read it, and decide again");
    Problem::new(Kind::PreconditionFailed, detail).with_header("etag", tag)
}

/// 428.
pub(super) fn required() -> Problem {
    let detail = "send `If-Match` with the `ETag` of what you have read, or `*`";
    Problem::new(Kind::PreconditionRequired, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::memory::integration;

    #[test]
    fn the_present_version_or_a_star_matches() {
        let mut present = integration();
        present.version = 7;
        for good in ["\"7\"", " \"7\" ", "*", " * ", "\"6\", \"7\"", "\"7\",\"8\""] {
            assert_eq!(check(good, &present), Ok(()), "{good}");
        }
        for bad in ["\"6\"", "7", "W/\"7\"", "", "\"77\"", "**"] {
            let problem = check(bad, &present).unwrap_err();
            assert_eq!(problem.kind, Kind::PreconditionFailed, "{bad}");
            assert_eq!(problem.headers, [("etag", "\"7\"".to_owned())]);
        }
    }
}
