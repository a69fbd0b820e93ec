//! Deliveries: batches of events on their way to one integration.

use sha2::{Digest, Sha256};

use crate::{
    event::{Event, joined_size},
    hex::hex,
    id::{DeliveryId, IntegrationId, ProjectId},
    time::Timestamp,
    trace::TraceParent,
};

/// A part's name is no longer than about this, in bytes: it becomes a part of an object's key and of an API's
/// path.
const NAME: usize = 160;

/// A batch of events on its way to one integration. Every attempt has the same id and events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Sent as `webhook-id`.
    pub id: DeliveryId,
    /// The project of the integration.
    pub project: ProjectId,
    /// Where it goes.
    pub integration: IntegrationId,
    /// When its schedule began: the first attempt. Time spent parked moves it.
    pub began: Timestamp,
    /// What it carries; never empty.
    pub events: Vec<Event>,
    /// The numbers that the events had in the whole delivery, from 1. Empty: they are still in
    /// their places.
    pub numbers: Vec<u32>,
    /// Whether it is what is left after others of its events were delivered.
    pub rest: bool,
    /// Where its events come from.
    pub provenance: Provenance,
}

/// Where the events of a delivery come from. What was stored by earlier versions does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// When the oldest of them was accepted. Parts of a delivery keep it.
    pub accepted_at: Option<Timestamp>,
    /// The trace of the first of them that has one.
    pub trace: Option<TraceParent>,
}

impl Delivery {
    /// The number that the event at `position` has in the whole delivery, from 1.
    pub fn number(&self, position: usize) -> u32 {
        let in_place = || u32::try_from(position + 1).unwrap_or(u32::MAX);
        self.numbers.get(position).copied().unwrap_or_else(in_place)
    }

    /// The events at these positions as a delivery of their own, named by what it holds.
    #[must_use]
    pub fn part_of(&self, positions: &[usize]) -> Self {
        let events = positions.iter().filter_map(|position| {
            let event = self.events.get(*position)?;
            Some((event.clone(), self.number(*position)))
        });
        Self { rest: true, ..self.named_part(events.collect()) }
    }

    fn named_part(&self, events: Vec<(Event, u32)>) -> Self {
        let number = |one: Option<&(Event, u32)>| one.map_or(0, |(_, number)| *number);
        let (first, last) = (number(events.first()), number(events.last()));
        // Names sort as numbers do.
        self.part(format!("{}.p{first:03}_{last:03}", self.short()), events)
    }

    /// Its id, by which parts are named. What is tried an event at a time is a part of a part of a part: from
    /// some length on, a hash stands for how it came about. So equal names still mean equal events.
    fn short(&self) -> String {
        let Self { id, .. } = self;
        if id.as_str().len() <= NAME {
            return id.as_str().to_owned();
        }
        format!("{}.h{}", id.whole(), hex(&Sha256::digest(id.as_str())[..8]))
    }

    fn part(&self, id: String, events: Vec<(Event, u32)>) -> Self {
        let (events, numbers) = events.into_iter().unzip();
        Self {
            id: DeliveryId(id),
            project: self.project.clone(),
            integration: self.integration.clone(),
            began: self.began,
            events,
            numbers,
            rest: self.rest,
            provenance: self.provenance.clone(),
        }
    }

    fn numbered(&mut self) -> Vec<(Event, u32)> {
        let numbers: Vec<_> =
            (0..self.events.len()).map(|position| self.number(position)).collect();
        std::mem::take(&mut self.events).into_iter().zip(numbers).collect()
    }

    /// How many events it carries, as the ledger counts.
    pub fn count(&self) -> u64 {
        self.events.len() as u64
    }

    /// Whether it is within these bounds; one event always is.
    pub fn fits(&self, max_events: usize, max_bytes: usize) -> bool {
        let within = self.events.len() <= max_events && joined_size(&self.events) <= max_bytes;
        within || self.events.len() == 1
    }

    /// Pieces within these bounds, `{id}.p001_050`, `{id}.p051_080` and so on, with the same `began`. They
    /// are named by what they hold, so that one that is cut again, by other bounds, has another id.
    pub fn pieces(mut self, max_events: usize, max_bytes: usize) -> Vec<Self> {
        let tagged = self.numbered().into_iter();
        runs(tagged, max_events, max_bytes)
            .map(|(events, numbers)| self.named_part(events.into_iter().zip(numbers).collect()))
            .collect()
    }

    /// Two halves, `{id}.a` and `{id}.b`, with the same `began`; the delivery itself if it has a
    /// single event.
    #[expect(clippy::result_large_err, reason = "not an error: the delivery goes on as it is")]
    pub fn halves(mut self) -> Result<[Self; 2], Self> {
        if self.events.len() < 2 {
            return Err(self);
        }
        let mut first = self.numbered();
        let second = first.split_off(first.len() / 2);
        let half = |suffix, events| self.part(format!("{}.{suffix}", self.id), events);
        Ok([half("a", first), half("b", second)])
    }
}

/// Runs of at most `max_events` and `max_bytes` of body, cut one at a time, so that only what is
/// on its way is held. A single event that is larger makes a run of its own. `T` goes along with
/// its event.
pub struct Runs<I: Iterator> {
    events: std::iter::Peekable<I>,
    max_events: usize,
    max_bytes: usize,
}

/// Cuts events into runs.
pub fn runs<I: Iterator<Item = (Event, T)>, T>(
    events: I,
    max_events: usize,
    max_bytes: usize,
) -> Runs<I> {
    Runs { events: events.peekable(), max_events, max_bytes }
}

impl<I: Iterator> Runs<I> {
    /// Cuts what is left by other bounds.
    pub fn rebound(&mut self, max_events: usize, max_bytes: usize) {
        self.max_events = max_events;
        self.max_bytes = max_bytes;
    }
}

impl<I: Iterator<Item = (Event, T)>, T> Iterator for Runs<I> {
    type Item = (Vec<Event>, Vec<T>);

    fn next(&mut self) -> Option<Self::Item> {
        let (event, tag) = self.events.next()?;
        let mut size = joined_size(std::slice::from_ref(&event));
        let (mut run, mut tags) = (vec![event], vec![tag]);
        while run.len() < self.max_events {
            let fits = |(event, _): &(Event, T)| size + 1 + event.size() <= self.max_bytes;
            let Some((event, tag)) = self.events.next_if(fits) else {
                break;
            };
            size += 1 + event.size();
            run.push(event);
            tags.push(tag);
        }
        Some((run, tags))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(size: usize) -> Event {
        Event::from_object("x".repeat(size))
    }

    fn delivery(events: usize) -> Delivery {
        Delivery {
            id: "d".into(),
            project: "p".into(),
            integration: "i".into(),
            began: Timestamp(7),
            events: (0..events).map(|n| Event::from_object(format!("{{\"n\":{n}}}"))).collect(),
            numbers: vec![],
            rest: false,
            provenance: Provenance::default(),
        }
    }

    #[test]
    fn halves_keep_order_and_began() {
        let whole = delivery(5);
        let [a, b] = whole.clone().halves().unwrap();
        assert_eq!((a.id.as_str(), b.id.as_str()), ("d.a", "d.b"));
        assert_eq!((a.began, b.began), (whole.began, whole.began));
        assert_eq!([a.events, b.events].concat(), whole.events);
        assert_eq!(delivery(1).halves(), Err(delivery(1)));
    }

    #[test]
    fn pieces_keep_order_and_began_and_fit() {
        let whole = delivery(5);
        assert!(whole.fits(5, 1_000) && !whole.fits(4, 1_000) && !whole.fits(5, 20));
        let pieces = whole.clone().pieces(2, 1_000);
        let ids: Vec<_> = pieces.iter().map(|piece| piece.id.as_str()).collect();
        assert_eq!(ids, ["d.p001_002", "d.p003_004", "d.p005_005"]);
        assert!(pieces.iter().all(|piece| piece.fits(2, 1_000) && piece.began == whole.began));
        let events: Vec<_> = pieces.into_iter().flat_map(|piece| piece.events).collect();
        assert_eq!(events, whole.events);
        assert!(delivery(1).fits(1, 0));
    }

    #[test]
    fn parts_keep_their_numbers_and_are_named_by_them() {
        let whole = delivery(4);
        assert_eq!(whole.number(2), 3);
        let part = whole.part_of(&[1, 2, 3]);
        assert_eq!((part.id.as_str(), part.numbers.as_slice()), ("d.p002_004", &[2, 3, 4][..]));
        assert_eq!((&part.events[0], part.rest), (&whole.events[1], true));
        let again = part.part_of(&[1]);
        assert_eq!((again.id.as_str(), again.number(0)), ("d.p002_004.p003_003", 3));
        assert_eq!((again.id.whole(), &again.events[0]), ("d", &whole.events[2]));
        let [a, b] = part.halves().unwrap();
        assert_eq!((a.numbers, b.numbers, a.rest), (vec![2], vec![3, 4], true));
        let [_, b] = delivery(4).halves().unwrap();
        assert_eq!((b.numbers, b.rest), (vec![3, 4], false));
    }

    #[test]
    fn parts_of_parts_have_short_names_each_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        let mut rest = delivery(500);
        while rest.events.len() > 1 {
            let positions: Vec<_> = (1..rest.events.len()).collect();
            rest = rest.part_of(&positions);
            assert!(rest.id.as_str().len() <= NAME + 8, "{:?}", rest.id);
            assert_eq!(rest.id.whole(), "d");
            assert!(names.insert(rest.id.as_str().to_owned()), "{:?}", rest.id);
        }
        assert!(names.iter().next_back().unwrap().starts_with("d.p002_500"));
        // The same numbers, and not the same events.
        let way = |mut delivery: Delivery, positions: &[usize]| {
            delivery.id = DeliveryId(format!("d{}", ".p001_009".repeat(30)));
            delivery.part_of(positions).part_of(&[0, 1])
        };
        let (one, other) = (way(delivery(9), &[0, 1, 8]), way(delivery(9), &[0, 8]));
        assert_ne!(one.events, other.events);
        assert_ne!(one.id, other.id);
    }

    proptest! {
        #[test]
        fn runs_lose_nothing_and_keep_both_bounds(
            sizes in proptest::collection::vec(0usize..400, 0..200),
            max_events in 1usize..20,
            max_bytes in 100usize..1_000,
        ) {
            let events: Vec<_> = sizes.iter().enumerate().map(|(n, s)| (event(*s), n)).collect();
            let runs: Vec<_> = runs(events.clone().into_iter(), max_events, max_bytes).collect();
            let flat: Vec<_> = runs
                .iter()
                .flat_map(|(run, tags)| run.iter().cloned().zip(tags.iter().copied()))
                .collect();
            prop_assert_eq!(flat, events);
            for (run, _) in &runs {
                prop_assert!(run.len() <= max_events);
                prop_assert!(run.len() == 1 || joined_size(run) <= max_bytes);
            }
        }
    }
}
