//! Deliveries: batches of events on their way to one integration.

use crate::{
    event::{Event, joined_size},
    id::{DeliveryId, IntegrationId, ProjectId},
    time::Timestamp,
};

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
}

impl Delivery {
    /// How many events it carries, as the ledger counts.
    pub fn count(&self) -> u64 {
        self.events.len() as u64
    }

    /// Whether it is within these bounds; one event always is.
    pub fn fits(&self, max_events: usize, max_bytes: usize) -> bool {
        let within = self.events.len() <= max_events && joined_size(&self.events) <= max_bytes;
        within || self.events.len() == 1
    }

    /// Pieces within these bounds, `{id}.p1`, `{id}.p2` and so on, with the same `began`.
    pub fn pieces(self, max_events: usize, max_bytes: usize) -> Vec<Self> {
        let Self { id, project, integration, began, events } = self;
        let tagged = events.into_iter().map(|event| (event, ()));
        let piece = |(n, (events, _)): (usize, (Vec<Event>, Vec<()>))| Self {
            id: DeliveryId(format!("{id}.p{}", n + 1)),
            project: project.clone(),
            integration: integration.clone(),
            began,
            events,
        };
        runs(tagged, max_events, max_bytes).enumerate().map(piece).collect()
    }

    /// Two halves, `{id}.a` and `{id}.b`, with the same `began`; the delivery itself if it has a
    /// single event.
    pub fn halves(self) -> Result<[Self; 2], Self> {
        if self.events.len() < 2 {
            return Err(self);
        }
        let mut first = self.events;
        let second = first.split_off(first.len() / 2);
        let half = |suffix, events| Self {
            id: DeliveryId(format!("{}.{suffix}", self.id)),
            project: self.project.clone(),
            integration: self.integration.clone(),
            began: self.began,
            events,
        };
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
        assert_eq!(ids, ["d.p1", "d.p2", "d.p3"]);
        assert!(pieces.iter().all(|piece| piece.fits(2, 1_000) && piece.began == whole.began));
        let events: Vec<_> = pieces.into_iter().flat_map(|piece| piece.events).collect();
        assert_eq!(events, whole.events);
        assert!(delivery(1).fits(1, 0));
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
