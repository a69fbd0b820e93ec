//! What one parked delivery came to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    attempt::{ATTEMPT, Attempted, attempt_in_turn},
    delivery::Delivery,
    gate::Turn,
    integration::Integration,
    message::{Aside, Unreadable},
    outcome::Outcome,
    ports::{Clock, Objects, PortError, Ports},
    time::Timestamp,
};

use super::Drain;

/// A parked delivery that had its attempt, or could not get one.
pub(super) enum Tried {
    Attempted(String, Delivery, Attempted),
    /// It has more than the integration takes at a time.
    Uncut(String, Delivery),
    /// There was no time left for an attempt, or the slice had ended.
    NotNow(String),
    /// It is not there any more.
    Vanished,
    Unreadable(String, Unreadable),
    Trouble(String, PortError),
}

impl Tried {
    /// The parked delivery's key, if it is still there.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Attempted(key, ..)
            | Self::Uncut(key, _)
            | Self::NotNow(key)
            | Self::Unreadable(key, _)
            | Self::Trouble(key, _) => Some(key),
            Self::Vanished => None,
        }
    }

    /// What it says of the endpoint, if it was a probe.
    pub(super) fn verdict(&self) -> Verdict {
        let Self::Attempted(_, delivery, attempted) = self else {
            return Verdict::None;
        };
        match &attempted.outcome {
            // Who took some of it is well.
            Outcome::Failed(_) if attempted.is_partial(delivery) => Verdict::Well,
            Outcome::Failed(failure) if failure.ill && failure.is_refusal() => Verdict::Refused,
            Outcome::Failed(failure) if failure.ill => Verdict::Ill,
            // The template does not render it: the endpoint was not asked.
            Outcome::Failed(_) if attempted.made.requests == 0 => Verdict::None,
            // It finds each of its events too large.
            Outcome::Failed(_) if attempted.made.status == Some(413) => Verdict::Refused,
            // A failure that is not ill health is a 2xx: the fault is the delivery's.
            Outcome::Delivered | Outcome::Unfinished | Outcome::Failed(_) => Verdict::Well,
            Outcome::TooLarge if delivery.events.len() < 2 => Verdict::Refused,
            Outcome::Wait(_) => Verdict::Waits,
            Outcome::TooLarge | Outcome::Gone | Outcome::Unanswered => Verdict::None,
        }
    }
}

/// What a probe says of the endpoint.
pub(super) enum Verdict {
    Well,
    Ill,
    /// Ill, or it does not take this delivery: the next one tells.
    Refused,
    /// It asked for more time, and gets the next pause at least.
    Waits,
    /// Nothing, or it is said by other means.
    None,
}

impl<P: Ports> Drain<P> {
    /// Makes an attempt at a parked delivery, unless the slice has ended by then.
    pub(super) async fn try_key(
        &self,
        integration: Arc<Integration>,
        key: String,
        deadline: Timestamp,
        ended: Arc<AtomicBool>,
        turn: Option<Turn>,
    ) -> Tried {
        let object = match self.ports.objects().get(&key).await {
            Ok(Some(object)) => object,
            Ok(None) => return Tried::Vanished,
            Err(error) => return Tried::Trouble(key, error),
        };
        let delivery = match Aside::decode(&object) {
            Ok(aside) => aside.resume(self.ports.clock().now()),
            Err(error) => return Tried::Unreadable(key, error),
        };
        // What was parked untried is cut only now, by the integration's bounds of today.
        if !delivery.fits(integration.max_events(), integration.max_bytes) {
            return Tried::Uncut(key, delivery);
        }
        // Reading it may have taken long: there is no time left, or it was paused meanwhile.
        if ended.load(Ordering::Relaxed) || self.ports.clock().now().plus(ATTEMPT) > deadline {
            return Tried::NotNow(key);
        }
        let (ports, allowed) = (&self.ports, &self.policy.allowed);
        // A delivery is parked after its filter: it is the template that is wanted here.
        let compiled = match self.compiler.compiled(&integration) {
            Ok(compiled) => compiled,
            Err(error) => {
                tracing::error!(%error, integration = %integration.id, "filter not compiled");
                return Tried::NotNow(key);
            }
        };
        let attempted =
            attempt_in_turn(ports, allowed, &integration, &compiled, &delivery, turn).await;
        if attempted.outcome == Outcome::Unfinished && attempted.made.requests == 0 {
            // Its turn did not come before the slice was over.
            return Tried::NotNow(key);
        }
        Tried::Attempted(key, delivery, attempted)
    }
}
