//! One attempt at a delivery: a request and, where it failed, the immediate retry.

use std::{pin::pin, time::Duration};

use bytes::Bytes;

use crate::{
    breaker::Observation,
    delivery::Delivery,
    destination::{Allowed, Destination},
    event,
    gzip::gzip,
    integration::Integration,
    outcome::{Failure, Outcome, outcome},
    ports::{Clock, Ports, Request, Sender, Sent},
    time::Timestamp,
    within::within,
};

/// "Split waits 300 milliseconds and attempts to retry the delivery once": its webhook's page.
const IMMEDIATE_RETRY: Duration = Duration::from_millis(300);
/// An attempt may take this long: two requests of 10 s, the wait between them, and storing what
/// came of it.
pub const ATTEMPT: Duration = Duration::from_secs(26);

/// `batch` waits so long for an answer. Who needs longer is served by `drain`, which has all the
/// time of a request: an invocation of `batch` is one of a few, and others wait for it.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Who looks at the time later than this after it was up was not waiting all the while.
const STOOD_STILL: Duration = Duration::from_millis(500);

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// The outcome of the last request.
    pub outcome: Outcome,
    /// When it ended.
    pub at: Timestamp,
    /// How long the last request took.
    pub latency: Duration,
}

impl Attempted {
    /// What it says about the endpoint's health; `None` where it says nothing.
    pub fn observation(&self, delivery: &Delivery) -> Option<Observation> {
        let ill = match &self.outcome {
            Outcome::Delivered => false,
            Outcome::Failed(failure) if failure.ill => true,
            // Alive, and answering for reasons of its own.
            Outcome::Failed(_)
            | Outcome::Wait(_)
            | Outcome::Gone
            | Outcome::TooLarge
            | Outcome::Unanswered => {
                return None;
            }
        };
        let delivery = delivery.id.clone();
        Some(Observation { at: self.at, delivery, ill, latency: self.latency })
    }
}

/// Makes one attempt. With `patience` a request that is not answered by then is given up, and there
/// is no immediate retry: the endpoint may have it, and gets it once more under the same id.
pub async fn attempt<P: Ports>(
    ports: &P,
    allowed: &Allowed,
    integration: &Integration,
    delivery: &Delivery,
    patience: Option<Duration>,
) -> Attempted {
    let to = match Destination::parse(&integration.url, allowed) {
        Ok(to) => to,
        // It was checked when it was saved: what is allowed has changed since.
        Err(error) => {
            let at = ports.clock().now();
            let failure = Failure { reason: error.to_string(), ill: true, timed_out: false };
            let outcome = Outcome::Failed(failure);
            tracing::warn!(
                delivery = %delivery.id, integration = %integration.id, ?outcome, "no attempt"
            );
            return Attempted { outcome, at, latency: Duration::ZERO };
        }
    };
    let plain = event::join(&delivery.events);
    let plain_bytes = plain.len();
    let gzipped = integration.wants_gzip(&to);
    let body = Bytes::from(if gzipped { gzip(&plain) } else { plain });
    let sent_bytes = body.len();

    let mut requests = 1u8;
    let send = || request(ports, integration, delivery, &to, &body, gzipped, patience);
    let mut attempted = send().await;
    if matches!(attempted.outcome, Outcome::Failed(_)) {
        ports.clock().sleep(IMMEDIATE_RETRY).await;
        requests = 2;
        attempted = send().await;
    }
    tracing::info!(
        delivery = %delivery.id,
        integration = %integration.id,
        host = to.host(),
        outcome = ?attempted.outcome,
        requests,
        events = delivery.events.len(),
        plain_bytes,
        sent_bytes,
        duration_ms = u64::try_from(attempted.latency.as_millis()).unwrap_or(u64::MAX),
        "attempt"
    );
    attempted
}

async fn request<P: Ports>(
    ports: &P,
    integration: &Integration,
    delivery: &Delivery,
    to: &Destination,
    body: &Bytes,
    gzipped: bool,
    patience: Option<Duration>,
) -> Attempted {
    let request = Request {
        to: to.clone(),
        id: delivery.id.to_string(),
        at: ports.clock().now(),
        body: body.clone(),
        gzipped,
    };
    let mut sending = pin!(ports.sender().send(request));
    let sent = match patience {
        None => Some(sending.await),
        Some(wait) => loop {
            let until = ports.clock().now().plus(wait);
            let sent = within(ports.clock(), until, sending.as_mut()).await;
            // Who stood still so long, or was busy otherwise, has not waited for the endpoint.
            if sent.is_some() || ports.clock().now() <= until.plus(STOOD_STILL) {
                break sent;
            }
        },
    };
    let at = ports.clock().now();
    let Some(Sent { answer, took }) = sent else {
        let latency = patience.unwrap_or_default();
        return Attempted { outcome: Outcome::Unanswered, at, latency };
    };
    Attempted { outcome: outcome(integration, &answer, at), at, latency: took }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{World, delivery, integration};

    #[tokio::test]
    async fn time_that_we_take_is_not_the_endpoints() {
        let world = World::new();
        world.state().looked_at_late_by = Duration::from_secs(9);
        let integration = integration("i");
        let attempted =
            attempt(&&world, &Allowed::default(), &integration, &delivery("d", 1), None).await;
        assert_eq!(attempted.outcome, Outcome::Delivered);
        assert_eq!(attempted.latency, Duration::from_millis(20));
    }
}
