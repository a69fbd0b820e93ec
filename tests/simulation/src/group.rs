//! The requests of one attempt.

use crate::attempts::{Ended, Maker};

/// Where a delivery takes several requests, none of an attempt begins later than this after the first.
const GO_ON_MS: i64 = 5_000;
/// Who fails so often in a row gets no more requests of the attempt.
const IN_A_ROW: u32 = 5;

/// Requests of one attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    invocation: u64,
    began: i64,
    /// The events that were in a request.
    events: Vec<u32>,
    /// Requests that failed one after the other, and are not tried again at once.
    in_a_row: u32,
    /// Whether the endpoint is left alone for now: it failed too often, or wants to be.
    given_up: bool,
    /// Whether it was too large and split: then nobody sees which half a request is of.
    split: bool,
}

impl Group {
    /// An attempt that begins with a request of these events.
    pub fn new(maker: Maker, events: &[u32], now: i64) -> Self {
        let events = events.to_vec();
        let invocation = maker.invocation;
        Self { invocation, began: now, events, in_a_row: 0, given_up: false, split: false }
    }

    /// The attempt that follows it.
    #[must_use]
    pub fn next(&self, maker: Maker, events: &[u32], now: i64) -> Self {
        Self { split: self.split, ..Self::new(maker, events, now) }
    }

    /// Another request of the same delivery, and no immediate retry: whether it is of this attempt.
    /// `Err` where there may be none.
    pub fn goes_on(
        &mut self,
        maker: Maker,
        events: &[u32],
        now: i64,
        storm: bool,
    ) -> Result<bool, String> {
        if self.invocation != maker.invocation {
            return Ok(false);
        }
        let fresh = events.iter().all(|event| !self.events.contains(event));
        if self.split {
            return Ok(false);
        }
        if self.given_up && fresh && !storm {
            return Err(format!("a request after {} failures in a row", self.in_a_row));
        }
        if !fresh || now - self.began > GO_ON_MS {
            return Ok(false);
        }
        self.events.extend_from_slice(events);
        Ok(true)
    }

    /// A request failed, and is tried again at once.
    pub fn tries_again(&mut self) {
        self.in_a_row = self.in_a_row.saturating_sub(1);
        self.given_up = false;
    }

    /// A request ended, of which `alone` says whether it carried one event as such.
    pub fn ends(&mut self, ended: Ended, status: Option<u16>, alone: bool) {
        match (ended, status) {
            // Success that is not what the preset calls success says nothing of the endpoint.
            (Ended::Well, _) | (Ended::Badly, Some(200..300)) => self.in_a_row = 0,
            // Too large is the event, not the endpoint.
            (Ended::Badly, Some(413)) if alone => {}
            (Ended::Badly, _) => {
                self.in_a_row += 1;
                self.given_up = self.in_a_row >= IN_A_ROW;
            }
            (Ended::OnTop, Some(413)) => self.split = true,
            (Ended::OnTop, _) => self.given_up = true,
        }
    }
}
