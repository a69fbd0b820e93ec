//! Names of laid-aside deliveries in the bucket. They sort by time within an integration and say
//! how many events each holds, so that a listing is enough to count a backlog.

use crate::{
    id::{DeliveryId, IntegrationId},
    time::Timestamp,
};

const SUFFIX: &str = ".json.gz";

/// The two places for deliveries outside of SQS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Waiting for the drainer.
    Parked,
    /// The schedule ran out: kept for replay.
    Dead,
}

impl Place {
    /// First part of the keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Dead => "dead",
        }
    }

    /// The place that this is the first part of the keys of.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Parked, Self::Dead].into_iter().find(|place| place.name() == name)
    }

    /// Prefix of the keys of one integration.
    pub fn prefix(self, integration: &IntegrationId) -> String {
        format!("{}/{integration}/", self.name())
    }

    /// What the lease is on that whoever takes from here holds.
    ///
    /// For the parked it is the integration's own, the drainer's. The dead have one of their own, in
    /// an item beside the integration's (no integration has such an id): replaying them must not wait for
    /// a drain that goes on for hours, and putting more into `parked/` disturbs none.
    pub fn turn(self, integration: &IntegrationId) -> IntegrationId {
        match self {
            Self::Parked => integration.clone(),
            Self::Dead => IntegrationId(format!("{integration}.dead")),
        }
    }
}

/// `{place}/{integration}/{time in ms, 13 digits}-{delivery}-{count}.json.gz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedKey {
    /// Where.
    pub place: Place,
    /// Whose.
    pub integration: IntegrationId,
    /// When it was laid aside.
    pub at: Timestamp,
    /// The delivery.
    pub delivery: DeliveryId,
    /// How many events it holds.
    pub count: u64,
}

impl ParkedKey {
    /// The key as text.
    pub fn text(&self) -> String {
        format!("{}{}{SUFFIX}", self.place.prefix(&self.integration), self.name())
    }

    /// What tells it from the others of its integration and place: `{time}-{delivery}-{count}`.
    pub fn name(&self) -> String {
        format!("{:013}-{}-{}", self.at.0.max(0), self.delivery, self.count)
    }

    /// The key with this name; `None` if that is no name of ours.
    pub fn named(place: Place, integration: &IntegrationId, name: &str) -> Option<Self> {
        Self::parse(&format!("{}{name}{SUFFIX}", place.prefix(integration)))
            .filter(|key| key.integration == *integration && key.name() == name)
    }

    /// The same delivery under the same name in another place.
    #[must_use]
    pub fn moved(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }

    /// Reads a key; `None` if it is not one of ours.
    pub fn parse(key: &str) -> Option<Self> {
        let (place, rest) = key.split_once('/')?;
        let place = Place::from_name(place)?;
        let (integration, name) = rest.split_once('/')?;
        let (at, rest) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        let (delivery, count) = rest.rsplit_once('-')?;
        Some(Self {
            place,
            integration: integration.into(),
            at: Timestamp(at.parse().ok()?),
            delivery: delivery.into(),
            count: count.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_keys_are_not_ours() {
        for key in ["", "parked/", "parked/i/x", "other/i/1-d-1.json.gz", "parked/i/1-d-x.json.gz"]
        {
            assert_eq!(ParkedKey::parse(key), None, "{key}");
        }
    }

    #[test]
    fn a_name_is_read_only_as_it_would_be_written() {
        let named = |name: &str| ParkedKey::named(Place::Dead, &"i".into(), name);
        let name = "0000000000007-d.a-3";
        let key = named(name).unwrap();
        assert_eq!((key.at, key.delivery.as_str(), key.count), (Timestamp(7), "d.a", 3));
        assert_eq!((key.name().as_str(), key.text()), (name, format!("dead/i/{name}.json.gz")));
        assert_eq!(key.moved(Place::Parked).text(), format!("parked/i/{name}.json.gz"));
        for bad in [
            "",
            "7-d-3",
            "+000000000007-d-3",
            "0000000000007-d-03",
            "0000000000007-d",
            name[1..].as_ref(),
        ] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_dead_have_a_turn_of_their_own() {
        let integration = IntegrationId::from("i-1");
        assert_eq!(Place::Parked.turn(&integration), integration);
        assert_eq!(Place::Dead.turn(&integration).as_str(), "i-1.dead");
    }

    proptest! {
        #[test]
        fn keys_go_there_and_back_and_sort_by_time(
            a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000, count in 1u64..1000,
            delivery in "[0-9a-f]{32}(\\.[ab]){0,3}",
        ) {
            let key = |at| ParkedKey {
                place: Place::Parked,
                integration: "i-1".into(),
                at: Timestamp(at),
                delivery: delivery.as_str().into(),
                count,
            };
            prop_assert_eq!(ParkedKey::parse(&key(a).text()), Some(key(a)));
            prop_assert_eq!(a.cmp(&b), key(a).text().cmp(&key(b).text()));
        }
    }
}
