//! The description of the whole API, as OpenAPI 3.1. It is written by hand, and held against the
//! table of routes by tests.

use super::Reply;

/// The document, as it is served.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// It holds nothing secret and changes with a deploy only: whoever asks may keep it for a while.
pub(super) fn read() -> Reply {
    let headers = vec![("cache-control", "public, max-age=300".to_owned())];
    Reply { status: 200, headers, body: Some(DOCUMENT.to_owned()), unsent: None }
}

#[cfg(test)]
pub(super) mod tests;
