//! The presets, as the API shows them.

use serde_json::{Map, json};

use super::{Failure, Reply};
use crate::preset::PRESETS;

/// Every preset's settings by its name.
pub(super) fn list() -> Result<Reply, Failure> {
    let presets: Map<_, _> =
        PRESETS.iter().map(|(name, _, defaults)| ((*name).to_owned(), json!(defaults))).collect();
    Reply::json(200, &json!({"presets": presets}))
}
