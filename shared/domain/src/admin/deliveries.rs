//! Deliveries that are laid aside, in the operator's hands: listed, read, replayed and purged.
//!
//! Whatever takes from them in any number is bounded in time, begins with the oldest, and can be
//! repeated: what is done is done, and the next call goes on. A deletion in S3 does not tell whether
//! there was anything to delete, so two that delete the same would both count it. Therefore
//! they take turns; see [`turn`].

mod list;
mod purge;
mod read;
mod replay;
mod span;
mod sweep;
mod turn;

use serde::Serialize;

use super::{Failure, fields::Fields};
use crate::{
    id::IntegrationId,
    parked::{ParkedKey, Place},
    problem::{Kind, Problem},
    time::Timestamp,
};

pub(super) use purge::Purge;

/// Bytes of a delivery's name at most.
const NAME_MAX: usize = 256;

/// A delivery as a path names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// `dead` or `parked`.
    pub(super) state: String,
    /// The key's name; see [`ParkedKey::name`].
    pub(super) name: String,
}

impl Stored {
    pub(super) fn is_state(text: &str) -> bool {
        Place::from_name(text).is_some()
    }

    /// Whether a delivery of some integration could have this name.
    pub(super) fn is_name(text: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let plain = text.len() <= NAME_MAX && text.bytes().all(plain);
        plain && ParkedKey::named(Place::Dead, &IntegrationId::from("any"), text).is_some()
    }

    /// Its key; 404 if there can be none.
    pub(super) fn key(&self, integration: &IntegrationId) -> Result<ParkedKey, Failure> {
        let place = Place::from_name(&self.state).filter(|_| Self::is_name(&self.name));
        let key = place.and_then(|place| ParkedKey::named(place, integration, &self.name));
        key.ok_or_else(|| Failure::not_found("delivery"))
    }
}

/// A delivery without its events.
#[derive(Serialize)]
struct Shown {
    id: String,
    delivery: String,
    state: &'static str,
    at: Timestamp,
    events: u64,
}

impl Shown {
    fn new(key: &ParkedKey) -> Self {
        Self {
            id: key.name(),
            delivery: key.delivery.to_string(),
            state: key.place.name(),
            at: key.at,
            events: key.count,
        }
    }
}

/// Reads the field `state`.
fn state(fields: &mut Fields) -> Place {
    let states = [Place::Dead, Place::Parked].map(|place| (place.name(), place));
    if !fields.has("state") {
        fields.fault("state", format!("is required: {}", super::fields::alternatives(&states)));
    }
    // The placeholder of a fault.
    fields.word("state", &states).unwrap_or(Place::Dead)
}

/// 422: why a stored delivery cannot be used here, and where it lies.
fn unreadable(key: &ParkedKey, why: impl std::fmt::Display) -> Failure {
    let detail = format!("{why}; in the bucket it is `{}`", key.text());
    Problem::new(Kind::Unreadable, detail).into()
}

#[cfg(test)]
mod tests;
