//! Operational events: no change is told twice, nothing is told that did not happen, and where no service
//! fails every change is told once, on the bus and in the stream of operations.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use flagpost_domain::{
    event::Event,
    health::Health,
    id::{DeliveryId, IntegrationId},
    notice::{By, Change, Notice},
    time::Timestamp,
};
use serde_json::Value;

/// What an operator is to be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A breaker opened, until then.
    Opened(Timestamp),
    /// A breaker closed.
    Closed,
    /// It was paused, by the operator or by what its endpoint said.
    Paused {
        /// Whether an operator did it.
        operator: bool,
        /// Why.
        reason: String,
    },
    /// An operator let it go on.
    Resumed,
    /// It takes new events again.
    Enabled,
    /// It takes nothing new.
    Disabled,
    /// A delivery was laid aside for replay, with so many events.
    Dead(DeliveryId, u64),
    /// Its backlog is old.
    Old,
}

impl What {
    /// What a notice tells; `None` where no such change can be.
    fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::Paused { by: By::Breaker, until, .. } => Self::Opened((*until)?),
            Change::Paused { by, reason, until: None } => {
                Self::Paused { operator: *by == By::Operator, reason: reason.clone() }
            }
            Change::Paused { .. } | Change::Resumed { by: By::Endpoint } => return None,
            Change::Resumed { by: By::Breaker } => Self::Closed,
            Change::Resumed { by: By::Operator } => Self::Resumed,
            Change::Enabled => Self::Enabled,
            Change::Disabled => Self::Disabled,
            Change::Dead { delivery, events } => Self::Dead(delivery.clone(), *events),
            Change::BacklogOld { .. } => Self::Old,
        })
    }

    /// What became of an item of the table, by an operator's function or another.
    pub fn between(before: Option<&Health>, after: &Health, operator: bool) -> Vec<Self> {
        let open = |health: Option<&Health>| health.and_then(|one| one.breaker.open);
        let pause = |health: Option<&Health>| health.and_then(|one| one.pause.clone());
        let told = |health: Option<&Health>| health.and_then(|one| one.told_old_at);
        let mut all = Vec::new();
        match (open(before), open(Some(after))) {
            (None, Some(open)) => all.push(Self::Opened(open.until)),
            (Some(_), None) => all.push(Self::Closed),
            _ => {}
        }
        match (pause(before), pause(Some(after))) {
            (None, Some(pause)) => all.push(Self::Paused { operator, reason: pause.reason }),
            (Some(_), None) => all.push(Self::Resumed),
            _ => {}
        }
        if told(before).is_none() && told(Some(after)).is_some() {
            all.push(Self::Old);
        }
        all
    }
}

/// How often a notice was published, and sent to the stream of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ways {
    /// About whom.
    of: IntegrationId,
    published: u32,
    sent: u32,
    /// Of a dead delivery of the stream of operations: on the bus alone.
    alone: bool,
}

/// What there was to tell, and what was told.
#[derive(Debug, Default)]
pub struct Told {
    /// Changes that were made and not told yet.
    open: BTreeMap<(IntegrationId, What), u32>,
    /// Notices by their ids.
    notices: BTreeMap<String, Ways>,
    /// Integrations that take the stream of operations.
    operations: BTreeSet<IntegrationId>,
    /// Integrations that are no more: nobody need be told of them.
    deleted: BTreeSet<IntegrationId>,
    /// Writes of a breaker that would have opened it, whether or not another was ahead.
    tries: BTreeMap<IntegrationId, u64>,
    /// Notices of each kind.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Told {
    /// An integration takes the stream of operations.
    pub fn takes_operations(&mut self, id: &IntegrationId) {
        self.operations.insert(id.clone());
    }

    /// An integration was deleted.
    pub fn deleted(&mut self, id: &IntegrationId) {
        self.deleted.insert(id.clone());
    }

    /// A function is about to open a breaker that it saw closed.
    pub fn tries(&mut self, id: &IntegrationId) {
        *self.tries.entry(id.clone()).or_default() += 1;
    }

    /// How often a function was about to open a breaker that it saw closed.
    pub fn openings_tried(&self, id: &IntegrationId) -> u64 {
        self.tries.get(id).copied().unwrap_or_default()
    }

    /// Something changed that is to be told.
    pub fn changed(&mut self, id: &IntegrationId, what: What) {
        *self.open.entry((id.clone(), what)).or_default() += 1;
    }

    /// It was told on the bus. `Err` says how that is wrong.
    pub fn published(&mut self, notice: &Notice) -> Result<(), String> {
        let ways = self.note(notice)?;
        ways.published += 1;
        Ok(())
    }

    /// It was told in the stream of operations. `Err` says how that is wrong.
    pub fn sent(&mut self, events: &[Event]) -> Result<(), String> {
        for event in events {
            let notice =
                read(event.as_bytes()).ok_or("an operational event that nobody can read")?;
            let ways = self.note(&notice)?;
            if ways.alone {
                return Err(format!("{notice:?} is told to those who could not be told"));
            }
            ways.sent += 1;
        }
        Ok(())
    }

    /// A notice that is seen for the first time tells of a change that was not told yet.
    fn note(&mut self, notice: &Notice) -> Result<&mut Ways, String> {
        let vacant = match self.notices.entry(notice.id.clone()) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        let what = What::of(&notice.change).ok_or_else(|| format!("{notice:?} cannot be"))?;
        let of = notice.integration.clone();
        let alone = matches!(what, What::Dead(..)) && self.operations.contains(&of);
        let key = (of.clone(), what);
        match self.open.get_mut(&key) {
            Some(1) => drop(self.open.remove(&key)),
            Some(left) => *left -= 1,
            None => return Err(format!("told of what did not happen, or twice: {notice:?}")),
        }
        *self.counts.entry(notice.change.name()).or_default() += 1;
        Ok(vacant.insert(Ways { of, published: 0, sent: 0, alone }))
    }

    /// What is wrong at the end of a run in which no call of a service failed.
    pub fn fault(&self) -> Option<(IntegrationId, String)> {
        let is_there = |(id, _): &&(IntegrationId, What)| !self.deleted.contains(id);
        if let Some((id, what)) = self.open.keys().find(is_there) {
            return Some((id.clone(), format!("nobody was told of {what:?}")));
        }
        let once = |ways: &Ways| ways.published == 1 && ways.sent == u32::from(!ways.alone);
        let (id, ways) = self.notices.iter().find(|(_, ways)| !once(ways))?;
        Some((ways.of.clone(), format!("notice {id} was told {ways:?}")))
    }
}

/// A notice, by what a webhook has of it.
fn read(event: &[u8]) -> Option<Notice> {
    let mut webhook: Value = serde_json::from_slice(event).ok()?;
    let mut data = webhook.get_mut("data")?.take();
    let fields = data.as_object_mut()?;
    fields.insert("type".to_owned(), webhook.get("type")?.clone());
    // The time is there as text, and not looked at here.
    webhook.get("timestamp")?.as_str()?;
    fields.insert("at".to_owned(), 0.into());
    serde_json::from_value(data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(id: &str, change: Change) -> Notice {
        let (project, integration) = ("p".into(), "i".into());
        Notice { id: id.to_owned(), at: Timestamp(7), project, integration, change }
    }

    fn dead() -> (What, Change) {
        let delivery = DeliveryId::from("d");
        (What::Dead(delivery.clone(), 3), Change::Dead { delivery, events: 3 })
    }

    #[test]
    fn a_change_is_told_once_and_on_both_ways() {
        let mut told = Told::default();
        told.changed(&"i".into(), What::Closed);
        assert!(told.fault().is_some());
        let closed = || Change::Resumed { by: By::Breaker };
        let first = notice("a", closed());
        assert_eq!(told.published(&first), Ok(()));
        assert!(told.fault().is_some(), "not in the stream of operations yet");
        assert_eq!(told.sent(&[Event::from_object(first.webhook())]), Ok(()));
        assert_eq!(told.fault(), None);
        assert!(told.published(&notice("b", closed())).is_err());
        assert!(told.published(&notice("c", Change::Resumed { by: By::Endpoint })).is_err());
    }

    #[test]
    fn another_end_of_a_pause_is_another_opening() {
        let mut told = Told::default();
        told.changed(&"i".into(), What::Opened(Timestamp(9)));
        let opened = |until| {
            let (by, reason) = (By::Breaker, String::new());
            Change::Paused { by, reason, until: Some(Timestamp(until)) }
        };
        assert!(told.published(&notice("a", opened(8))).is_err());
        assert_eq!(told.published(&notice("b", opened(9))), Ok(()));
    }

    #[test]
    fn what_is_dead_of_the_stream_of_operations_is_told_on_the_bus_alone() {
        let mut told = Told::default();
        told.takes_operations(&"i".into());
        let (what, change) = dead();
        told.changed(&"i".into(), what);
        let one = notice("a", change);
        assert_eq!(told.published(&one), Ok(()));
        assert_eq!(told.fault(), None);
        assert!(told.sent(&[Event::from_object(one.webhook())]).is_err());
    }
}
