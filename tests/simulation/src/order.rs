//! In which order each drain goes through what is parked: oldest first, one drain at a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use flagpost_domain::id::IntegrationId;

/// Probes in one pause, while each is refused.
const MOST_PROBES: u32 = 5;

/// One invocation's way through one integration's backlog.
#[derive(Debug, Default)]
struct Way {
    /// When its present pass began.
    pass_since: Option<i64>,
    taken: HashSet<String>,
}

/// All drains' ways.
#[derive(Debug, Default)]
pub struct Slices {
    ways: HashMap<u64, Way>,
    /// Which invocation asked for whose lease under which name.
    owners: HashMap<String, (u64, IntegrationId)>,
    /// By integration: what was probed after the breaker's last pause.
    probes: HashMap<u32, Probes>,
}

impl Slices {
    /// An invocation asked for an integration's lease under this name.
    pub fn owner(&mut self, owner: &str, invocation: u64, integration: &IntegrationId) {
        self.owners.insert(owner.to_owned(), (invocation, integration.clone()));
    }

    /// Whether the lease's owner is this invocation.
    pub fn is_owner(&self, owner: &str, invocation: u64) -> bool {
        self.owners.get(owner).is_some_and(|(of, _)| *of == invocation)
    }

    /// It begins to list.
    pub fn listed(&mut self, invocation: u64, after: Option<&str>, now: i64) {
        let way = self.ways.entry(invocation).or_default();
        if after.is_none() || way.pass_since.is_none() {
            way.pass_since = Some(now);
        }
    }

    /// It deletes an object, or tries to: what became of it is stored, and it does not take it again.
    pub fn sees_to(&mut self, invocation: u64, key: &str) {
        self.ways.entry(invocation).or_default().taken.insert(key.to_owned());
    }

    /// It takes an object. An older one that it should have taken before, if there is one.
    pub fn takes(
        &mut self,
        invocation: u64,
        key: &str,
        prefix: &str,
        probes: bool,
        objects: &BTreeMap<String, (i64, Bytes)>,
    ) -> Option<String> {
        let way = self.ways.entry(invocation).or_default();
        // What was refused as a probe is seen to once the endpoint turns out to be well.
        if !way.taken.insert(key.to_owned()) || probes {
            return None;
        }
        let since = way.pass_since?;
        let older = objects.range(prefix.to_owned()..key.to_owned());
        older
            .filter(|(_, (put_at, _))| *put_at < since)
            .map(|(older, _)| older)
            .find(|older| !way.taken.contains(*older))
            .cloned()
    }

    /// Since when an invocation's present pass lists.
    pub fn pass_since(&self, invocation: u64) -> Option<i64> {
        self.ways.get(&invocation)?.pass_since
    }

    /// One more probe in the pause that ended at `until`: how many there are now, and whether it may be.
    pub fn probed(&mut self, integration: u32, until: i64) -> (u32, bool) {
        let probes = self.probes.entry(integration).or_default();
        if probes.until != until {
            *probes = Probes { until, ..Probes::default() };
        }
        probes.made += 1;
        let allowed = probes.made == 1 || (probes.refused && probes.made <= MOST_PROBES);
        probes.refused = false;
        (probes.made, allowed)
    }

    /// The endpoint answered so. If it refused a probe with that, another may follow.
    pub fn answered(&mut self, integration: u32, status: u16) {
        if let Some(probes) = self.probes.get_mut(&integration) {
            probes.refused = matches!(status, 300..=407 | 409 | 411 | 412 | 414..=428 | 430..=501);
        }
    }

    /// The last probe said nothing about the endpoint's health: there may be another.
    pub fn said_nothing(&mut self, integration: u32) {
        self.probes.remove(&integration);
    }

    /// The invocation ended: under which names it asked for whose leases.
    pub fn ended(&mut self, invocation: u64) -> Vec<(String, IntegrationId)> {
        self.ways.remove(&invocation);
        let asked = self.owners.extract_if(|_, (of, _)| *of == invocation);
        asked.map(|(owner, (_, integration))| (owner, integration)).collect()
    }
}

/// Probes of one pause.
#[derive(Debug, Default)]
struct Probes {
    /// When the pause ended.
    until: i64,
    made: u32,
    /// The last was refused with an answer that does not speak of overload.
    refused: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_comes_first() {
        let mut slices = Slices::default();
        let objects: BTreeMap<_, _> = [("p/1", 10), ("p/2", 20), ("p/3", 99)]
            .map(|(k, at)| (k.into(), (at, Bytes::new())))
            .into();
        slices.listed(1, None, 50);
        let mut takes = |key, probes| slices.takes(1, key, "p/", probes, &objects);
        assert_eq!(takes("p/2", false), Some("p/1".to_owned()));
        assert_eq!(takes("p/2", true), None, "a probe may be any");
        assert_eq!(takes("p/1", false), None);
        assert_eq!(takes("p/3", false), None);
        assert_eq!(takes("p/4", false), None, "what came after the pass began may come later");
    }
}
