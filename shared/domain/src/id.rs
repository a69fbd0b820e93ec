//! Identifiers. Each is a type of its own, so that one cannot be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id!(
    /// A project: the owner of keys and integrations. Chosen by the operator.
    ProjectId
);
id!(
    /// An integration: one configured webhook.
    IntegrationId
);
id!(
    /// A delivery. It stays the same on every attempt and is sent as `webhook-id`.
    DeliveryId
);
id!(
    /// An ingest key's public name; never the key itself.
    KeyId
);
id!(
    /// An admin key's public name; never the key itself.
    AdminKeyId
);

impl DeliveryId {
    /// The delivery that this one is a part of: `d` of `d.a`, `d.b.a` or `d.p001_050`. One that is whole
    /// is its own.
    pub fn whole(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(whole, _)| whole)
    }
}

/// A version 7 UUID without hyphens: unique, and sorted by `at`.
pub fn unique(at: Timestamp, random: [u8; 16]) -> String {
    let mut tail = [0; 10];
    tail.copy_from_slice(&random[..10]);
    let millis = u64::try_from(at.0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_differ_by_chance() {
        let early = unique(Timestamp(1_000), [255; 16]);
        let late = unique(Timestamp(2_000), [0; 16]);
        assert!(early < late);
        assert_ne!(unique(Timestamp(1), [1; 16]), unique(Timestamp(1), [2; 16]));
        assert_eq!(early.len(), 32);
    }
}
