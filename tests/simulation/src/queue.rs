//! An SQS standard queue as it is documented: at least once, in no order, receive counts that only
//! grow, receipt handles that grow stale, and silence when too many messages are in flight.

use std::{
    collections::{BTreeMap, BTreeSet},
    task::Waker,
};

use rand::{Rng, RngExt};

/// Messages in flight that a standard queue allows.
pub const IN_FLIGHT_MAX: usize = 120_000;
/// "You can set the visibility timeout to a maximum of 12 hours from the time of the receive."
const VISIBILITY_MAX_MS: i64 = 12 * 3_600_000;

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its body.
    pub body: String,
    /// When it was sent.
    pub sent_at: i64,
    receives: u32,
    /// The last receive, and its number: the receipt handle.
    received: Option<(i64, u64)>,
    visible_at: i64,
}

/// A message as a consumer gets it.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its id.
    pub id: u64,
    /// Its receipt handle: `{id}.{receive}`.
    pub receipt: String,
    /// Its body.
    pub body: String,
    /// How often it was received, as far as the queue knows.
    pub receives: u32,
}

/// What became of a change of visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Done.
    Done,
    /// The message is visible, or gone: `MessageNotInflight`, or no such message.
    NotInFlight,
    /// The receipt handle is of an earlier receive: no effect.
    Stale,
    /// More than 12 hours after the receive: `InvalidParameterValue`.
    TooLong,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    messages: BTreeMap<u64, Message>,
    by_time: BTreeSet<(i64, u64)>,
    /// Sent with a delay, and not received yet: hidden, and not in flight.
    in_flight: BTreeSet<u64>,
    serial: u64,
    /// The visibility timeout, in milliseconds.
    visibility: i64,
    /// Messages in flight from which on it says nothing.
    limit: usize,
    /// The most that ever were in flight.
    pub most_in_flight: usize,
    /// Grows with whatever may make a message visible.
    pub changes: u64,
    /// Who waits for that.
    pub watchers: Vec<Waker>,
}

/// Reads `{id}.{receive}`.
pub fn parse_receipt(receipt: &str) -> Option<(u64, u64)> {
    let (id, receive) = receipt.split_once('.')?;
    Some((id.parse().ok()?, receive.parse().ok()?))
}

impl Queue {
    /// An empty queue.
    pub fn new(visibility: i64, limit: usize) -> Self {
        Self {
            messages: BTreeMap::new(),
            by_time: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            serial: 0,
            visibility,
            limit,
            most_in_flight: 0,
            changes: 0,
            watchers: Vec::new(),
        }
    }

    /// Takes a message: its id.
    pub fn send(&mut self, body: String, now: i64, delay: i64) -> u64 {
        self.serial += 1;
        let id = self.serial;
        let visible_at = now + delay;
        self.by_time.insert((visible_at, id));
        let message = Message { body, sent_at: now, receives: 0, received: None, visible_at };
        self.messages.insert(id, message);
        self.changed();
        id
    }

    fn changed(&mut self) {
        self.changes += 1;
        for watcher in self.watchers.drain(..) {
            watcher.wake();
        }
    }

    /// When the next message is to be had, if any will be.
    pub fn next_visible(&self) -> Option<i64> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Whether so many are in flight that it says nothing.
    pub fn is_full(&mut self, now: i64) -> bool {
        self.land(now);
        self.in_flight.len() >= self.limit
    }

    /// Messages of which the visibility timeout ended are not in flight any more.
    fn land(&mut self, now: i64) {
        if self.in_flight.len() >= self.limit {
            let messages = &self.messages;
            self.in_flight.retain(|id| messages.get(id).is_some_and(|m| m.visible_at > now));
        }
    }

    /// Receives at most `most` messages, in no order. `stays` says of each whether it stays
    /// visible all the same.
    pub fn receive(
        &mut self,
        now: i64,
        most: usize,
        chance: &mut impl Rng,
        mut stays: impl FnMut() -> bool,
    ) -> Vec<Received> {
        if self.is_full(now) {
            return Vec::new();
        }
        let mut candidates: Vec<u64> = self
            .by_time
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(most.saturating_mul(2).max(8))
            .map(|(_, id)| *id)
            .collect();
        let mut received = Vec::new();
        while received.len() < most && !candidates.is_empty() {
            let id = candidates.swap_remove(chance.random_range(0..candidates.len()));
            let stays = stays();
            if let Some(one) = self.receive_one(id, now, stays) {
                received.push(one);
            }
        }
        self.most_in_flight = self.most_in_flight.max(self.in_flight.len());
        received
    }

    fn receive_one(&mut self, id: u64, now: i64, stays: bool) -> Option<Received> {
        self.serial += 1;
        let serial = self.serial;
        let visible_at = now + self.visibility;
        let message = self.messages.get_mut(&id)?;
        message.receives += 1;
        message.received = Some((now, serial));
        let received = Received {
            id,
            receipt: format!("{id}.{serial}"),
            body: message.body.clone(),
            receives: message.receives,
        };
        if !stays {
            self.by_time.remove(&(message.visible_at, id));
            message.visible_at = visible_at;
            self.by_time.insert((visible_at, id));
            self.in_flight.insert(id);
        }
        Some(received)
    }

    /// Counts a receive that nobody saw.
    pub fn count_receive(&mut self, id: u64) {
        if let Some(message) = self.messages.get_mut(&id) {
            message.receives += 1;
        }
    }

    /// Changes when a received message becomes visible.
    pub fn hide(&mut self, receipt: &str, now: i64, wait: i64) -> Hidden {
        let Some((id, receive)) = parse_receipt(receipt) else { return Hidden::Stale };
        let Some(message) = self.messages.get_mut(&id) else { return Hidden::NotInFlight };
        let Some((at, last)) = message.received else { return Hidden::NotInFlight };
        if last != receive {
            return Hidden::Stale;
        }
        if message.visible_at <= now {
            return Hidden::NotInFlight;
        }
        let visible_at = now + wait;
        if visible_at > at + VISIBILITY_MAX_MS {
            return Hidden::TooLong;
        }
        self.by_time.remove(&(message.visible_at, id));
        message.visible_at = visible_at;
        self.by_time.insert((visible_at, id));
        if visible_at <= now {
            self.in_flight.remove(&id);
        }
        self.changed();
        Hidden::Done
    }

    /// Deletes by a receipt handle: the message, if that was the last receive's.
    pub fn delete(&mut self, receipt: &str) -> Option<(u64, Message)> {
        let (id, receive) = parse_receipt(receipt)?;
        let message = self.messages.get(&id)?;
        if message.received.is_none_or(|(_, last)| last != receive) {
            return None;
        }
        self.remove(id)
    }

    /// Takes a message out, whoever has it.
    pub fn remove(&mut self, id: u64) -> Option<(u64, Message)> {
        let message = self.messages.remove(&id)?;
        self.by_time.remove(&(message.visible_at, id));
        self.in_flight.remove(&id);
        Some((id, message))
    }

    /// How many messages there are, visible or not.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// All messages.
    pub fn messages(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.messages.iter().map(|(id, message)| (*id, message))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn receive(queue: &mut Queue, now: i64) -> Vec<Received> {
        queue.receive(now, 10, &mut Pcg64Mcg::seed_from_u64(1), || false)
    }

    #[test]
    fn a_received_message_is_hidden_and_comes_back() {
        let mut queue = Queue::new(30_000, 10);
        queue.send("a".into(), 0, 5_000);
        assert!(receive(&mut queue, 4_999).is_empty());
        let first = receive(&mut queue, 5_000).remove(0);
        assert!(receive(&mut queue, 34_999).is_empty());
        let second = receive(&mut queue, 35_000).remove(0);
        assert_eq!([first.receives, second.receives], [1, 2]);
        assert!(queue.delete(&first.receipt).is_none(), "its receipt handle is stale");
        assert_eq!(queue.hide(&first.receipt, 35_000, 1), Hidden::Stale);
        assert!(queue.delete(&second.receipt).is_some());
        assert!(queue.is_empty());
    }

    #[test]
    fn visibility_ends_twelve_hours_after_the_receive() {
        let mut queue = Queue::new(30_000, 10);
        queue.send("a".into(), 0, 0);
        let receipt = receive(&mut queue, 0).remove(0).receipt;
        assert_eq!(queue.hide(&receipt, 1_000, VISIBILITY_MAX_MS), Hidden::TooLong);
        assert_eq!(queue.hide(&receipt, 1_000, VISIBILITY_MAX_MS - 1_000), Hidden::Done);
        assert_eq!(queue.hide(&receipt, VISIBILITY_MAX_MS, 1), Hidden::NotInFlight);
    }

    #[test]
    fn a_full_queue_says_nothing() {
        let mut queue = Queue::new(30_000, 2);
        for _ in 0..3 {
            queue.send("a".into(), 0, 0);
        }
        let some = queue.receive(0, 2, &mut Pcg64Mcg::seed_from_u64(1), || false);
        assert_eq!(some.len(), 2);
        assert!(receive(&mut queue, 0).is_empty());
        queue.delete(&some[0].receipt);
        assert_eq!(receive(&mut queue, 0).len(), 1);
    }
}
