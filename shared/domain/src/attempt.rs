//! One attempt at a delivery: its requests, each with its immediate retry where it failed.

use std::{pin::pin, time::Duration};

use crate::{
    answer_text::answer_text,
    breaker::Observation,
    compiled::Compiled,
    delivery::Delivery,
    destination::{Allowed, Destination},
    event::Event,
    gate::Turn,
    immediate,
    integration::Integration,
    outcome::{Failure, Outcome, outcome},
    payload::{self, Body, together},
    ports::{Clock, Ports, Random, Sender, Sent},
    preset::Payload,
    request::Packed,
    step_aside::step_aside,
    time::Timestamp,
    trace::TraceParent,
    within::within,
};

/// An attempt may take this long: requests that begin within [`GO_ON`], the last of which takes
/// 10 s and is tried again for as long, and storing what came of it.
pub const ATTEMPT: Duration = Duration::from_secs(26);

/// Where a delivery takes several requests, none begins later than this. What is left then is another
/// attempt's.
const GO_ON: Duration = Duration::from_secs(5);

/// The same for a request that is tried again, where a limit holds it back: there is time for it yet.
const AGAIN: Duration = Duration::from_secs(15);

/// An endpoint that fails this often in a row is left alone for the rest of the attempt.
const IN_A_ROW: usize = 5;

/// `batch` waits so long for an answer. Who needs longer is served by `drain`, which has all the
/// time of a request: an invocation of `batch` is one of a few, and others wait for it.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Who looks at the time later than this after it was up was not waiting all the while.
const STOOD_STILL: Duration = Duration::from_millis(500);

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// The worst of its requests; [`Outcome::Delivered`] when nothing is left.
    pub outcome: Outcome,
    /// The events of each request that failed, by their positions, and what it came to. An event
    /// that no payload could be made of is one by itself.
    pub failed: Vec<(Vec<usize>, Outcome)>,
    /// The positions of the events that were not tried.
    pub untried: Vec<usize>,
    /// Whether it was given up because too much failed, not because time was up.
    pub given_up: bool,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// How long the last request took.
    pub latency: Duration,
    /// What was sent, and what was answered.
    pub made: Made,
}

/// The requests of one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// How many, immediate retries included.
    pub requests: u32,
    /// How many of them were immediate retries.
    pub retried: u32,
    /// How long each took.
    pub took: Vec<Duration>,
    /// Bytes of their bodies before compression.
    pub plain_bytes: usize,
    /// Bytes of their bodies as sent.
    pub sent_bytes: usize,
    /// The status of the last answer; of the last that was no success, where one was none.
    pub status: Option<u16>,
    /// How that answer begins.
    pub answer: Option<String>,
}

impl Attempted {
    /// How many events the endpoint did not take.
    pub fn left(&self) -> usize {
        self.untried.len() + self.failed.iter().map(|(positions, _)| positions.len()).sum::<usize>()
    }

    /// Whether the endpoint took some of the events, and not all.
    pub fn is_partial(&self, delivery: &Delivery) -> bool {
        self.left() > 0 && self.left() < delivery.events.len()
    }

    /// Whether the delivery goes on as it is: in one request it failed, and nothing else is left.
    pub fn is_whole(&self, delivery: &Delivery) -> bool {
        match (self.failed.as_slice(), self.untried.len()) {
            ([(failed, _)], 0) => failed.len() == delivery.events.len(),
            ([], untried) => untried == delivery.events.len(),
            _ => false,
        }
    }

    /// What it says about the endpoint's health; `None` where it says nothing.
    pub fn observation(&self, delivery: &Delivery) -> Option<Observation> {
        let ill = match &self.outcome {
            Outcome::Delivered | Outcome::Unfinished => false,
            // Deliveries are counted, not requests: who took some of it is well.
            Outcome::Failed(failure) if failure.ill => !self.is_partial(delivery),
            Outcome::Failed(_) if self.is_partial(delivery) => false,
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
    compiled: &Compiled,
    delivery: &Delivery,
    patience: Option<Duration>,
) -> Attempted {
    make_attempt(ports, allowed, integration, compiled, delivery, patience, None).await
}

/// Makes one attempt, with all the time of a request, whose requests each wait for their turn if
/// they need one. It begins with the first that gets it; if none does, nothing was tried.
pub async fn attempt_in_turn<P: Ports>(
    ports: &P,
    allowed: &Allowed,
    integration: &Integration,
    compiled: &Compiled,
    delivery: &Delivery,
    turn: Option<Turn>,
) -> Attempted {
    make_attempt(ports, allowed, integration, compiled, delivery, None, turn).await
}

async fn make_attempt<P: Ports>(
    ports: &P,
    allowed: &Allowed,
    integration: &Integration,
    compiled: &Compiled,
    delivery: &Delivery,
    patience: Option<Duration>,
    turn: Option<Turn>,
) -> Attempted {
    let began = ports.clock().now();
    let to = match Destination::parse(&integration.url, allowed) {
        Ok(to) => to,
        // It was checked when it was saved: what is allowed has changed since.
        Err(error) => {
            let outcome = Outcome::Failed(Failure::ill(error.to_string()));
            tracing::warn!(
                delivery = %delivery.id, integration = %integration.id, ?outcome, "no attempt"
            );
            let all = (0..delivery.events.len()).collect();
            return Attempted {
                failed: vec![(all, outcome.clone())],
                outcome,
                untried: Vec::new(),
                given_up: false,
                began,
                at: began,
                latency: Duration::ZERO,
                made: Made::default(),
            };
        }
    };
    let mut attempt = Attempt {
        ports,
        integration,
        compiled,
        delivery,
        patience,
        turn,
        began,
        to: &to,
        next: 0,
        held: None,
        unsent: Vec::new(),
        delivered: 0,
        failed: Vec::new(),
        ill_in_a_row: 0,
        given_up: false,
        latency: Duration::ZERO,
        made: Made::default(),
        said_no: false,
    };
    attempt.run().await;
    attempt.end()
}

struct Attempt<'a, P> {
    ports: &'a P,
    integration: &'a Integration,
    compiled: &'a Compiled,
    delivery: &'a Delivery,
    patience: Option<Duration>,
    turn: Option<Turn>,
    began: Timestamp,
    to: &'a Destination,
    /// The first event that is in no request yet.
    next: usize,
    /// A payload that had no room in the last request.
    held: Option<(usize, Event)>,
    /// Those of a request that did not get its turn.
    unsent: Vec<usize>,
    delivered: usize,
    failed: Vec<(Vec<usize>, Outcome)>,
    ill_in_a_row: usize,
    given_up: bool,
    latency: Duration,
    made: Made,
    /// Whether an answer was no success.
    said_no: bool,
}

impl<P: Ports> Attempt<'_, P> {
    async fn run(&mut self) {
        let payload = self.integration.payload();
        while self.held.is_some() || self.next < self.delivery.events.len() {
            if self.is_late() {
                return;
            }
            let made = self.make(payload).await;
            if made.is_empty() {
                continue;
            }
            if !self.gets_turn(self.began.plus(GO_ON)).await {
                self.unsent = made.iter().map(|(position, _)| *position).collect();
                return;
            }
            let body = together(payload, self.delivery, &made);
            drop(made);
            let outcome = self.send(&body).await;
            if !self.go_on_after(outcome, body.positions) {
                return;
            }
        }
    }

    /// The payloads of the next request, as many as fit into it and there is time to make.
    async fn make(&mut self, payload: Payload) -> Vec<(usize, Event)> {
        let templated = self.compiled.template().is_some();
        // What no template made was cut when the delivery was.
        let bound = if templated { self.integration.max_bytes } else { usize::MAX };
        let most = if payload == Payload::Object { 1 } else { self.delivery.events.len() };
        let mut made: Vec<_> = self.held.take().into_iter().collect();
        let mut size = made.iter().map(|(_, payload)| payload.size() + 1).sum::<usize>();
        while made.len() < most
            && let Some(event) = self.delivery.events.get(self.next)
        {
            if templated {
                // It computes: others may have something to do meanwhile.
                step_aside().await;
                if self.is_late() {
                    break;
                }
            }
            let position = self.next;
            self.next += 1;
            match payload::make(self.integration, self.compiled, event) {
                Ok(payload) if made.is_empty() || size + payload.size() < bound => {
                    size += payload.size() + 1;
                    made.push((position, payload));
                }
                Ok(payload) => {
                    self.held = Some((position, payload));
                    break;
                }
                Err(error) => {
                    let outcome = Outcome::Failed(Failure::ours(error.to_string()));
                    self.failed.push((vec![position], outcome));
                }
            }
        }
        made
    }

    /// Waits for the next request's turn, where it needs one: whether it comes by `until`. The first
    /// one has all the time that the slice has, and the attempt begins with it.
    async fn gets_turn(&mut self, until: Timestamp) -> bool {
        let Some(turn) = &mut self.turn else { return true };
        let clock = self.ports.clock();
        if self.made.requests > 0 {
            return turn.next(clock, until).await.is_some();
        }
        let begins = turn.first(clock).await;
        self.began = begins.unwrap_or(self.began);
        begins.is_some()
    }

    /// Whether what is left is another attempt's. One event at least is tried: an attempt that tries
    /// nothing would be made for ever.
    fn is_late(&self) -> bool {
        self.next > 0 && self.ports.clock().now().since(self.began) > GO_ON
    }

    /// Notes what became of a request; whether there may be another.
    fn go_on_after(&mut self, outcome: Outcome, positions: Vec<usize>) -> bool {
        let ends = match &outcome {
            Outcome::Delivered | Outcome::Unfinished => {
                self.ill_in_a_row = 0;
                self.delivered += positions.len();
                return true;
            }
            Outcome::Failed(failure) => {
                self.ill_in_a_row = if failure.ill { self.ill_in_a_row + 1 } else { 0 };
                self.given_up = failure.timed_out || self.ill_in_a_row >= IN_A_ROW;
                self.given_up
            }
            // Of one event among others: those may be smaller.
            Outcome::TooLarge if self.is_one_of_many() => {
                let failure = Failure::ours("status 413".to_owned());
                self.failed.push((positions, Outcome::Failed(failure)));
                return true;
            }
            Outcome::TooLarge | Outcome::Wait(_) | Outcome::Gone | Outcome::Unanswered => true,
        };
        self.failed.push((positions, outcome));
        !ends
    }

    fn is_one_of_many(&self) -> bool {
        self.integration.payload() == Payload::Object && self.delivery.events.len() > 1
    }

    async fn send(&mut self, body: &Body) -> Outcome {
        let packed = Packed::new(self.integration, self.to, body);
        let began = self.ports.clock().now();
        let mut requests = 0;
        loop {
            self.made.retried += u32::from(requests > 0);
            requests += 1;
            self.made.requests += 1;
            self.made.plain_bytes += body.plain.len();
            self.made.sent_bytes += packed.sent.len();
            let outcome = self.request(&packed).await;
            let elapsed = self.ports.clock().now().since(began);
            let policy = self.integration.immediate_retry();
            match immediate::wait(policy, &outcome, requests, elapsed, chance(self.ports)) {
                Some(wait) => self.ports.clock().sleep(wait).await,
                None => return outcome,
            }
            let until = immediate::latest(policy, began).unwrap_or(Timestamp(i64::MAX));
            if !self.gets_turn(until.min(self.began.plus(AGAIN))).await {
                return outcome;
            }
        }
    }

    /// The span that a request is, where it tells its trace.
    fn span(&self) -> Option<TraceParent> {
        let trace =
            self.delivery.provenance.trace.as_ref().filter(|_| self.integration.traces())?;
        let mut span = [0; 8];
        span.copy_from_slice(&self.ports.random().bytes()[8..16]);
        Some(trace.child(span))
    }

    async fn request(&mut self, packed: &Packed<'_>) -> Outcome {
        let ports = self.ports;
        let request = packed.request(ports.clock().now(), self.span().as_ref());
        let mut sending = pin!(ports.sender().send(request));
        let sent = match self.patience {
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
        let Some(Sent { answer, took }) = sent else {
            self.latency = self.patience.unwrap_or_default();
            self.made.took.push(self.latency);
            return Outcome::Unanswered;
        };
        self.latency = took;
        self.made.took.push(took);
        let outcome = outcome(self.integration, &answer, ports.clock().now());
        let no = outcome != Outcome::Delivered;
        if no || !self.said_no {
            self.said_no |= no;
            let answer = answer.ok();
            self.made.status = answer.as_ref().map(|answer| answer.status);
            self.made.answer =
                answer.and_then(|answer| answer_text(&answer.body, self.integration, self.to));
        }
        outcome
    }

    fn end(self) -> Attempted {
        let held = self.held.iter().map(|(position, _)| *position);
        let unsent = self.unsent.iter().copied();
        let untried: Vec<_> =
            unsent.chain(held).chain(self.next..self.delivery.events.len()).collect();
        let worst = self.failed.iter().map(|(_, outcome)| outcome).max_by_key(|one| weight(one));
        let outcome = match worst {
            Some(worst) => worst.clone(),
            None if untried.is_empty() => Outcome::Delivered,
            None => Outcome::Unfinished,
        };
        let latency = self.latency;
        let Made { requests, plain_bytes, sent_bytes, .. } = self.made;
        tracing::info!(
            delivery = %self.delivery.id,
            integration = %self.integration.id,
            host = self.to.host(),
            trace_id = self.delivery.provenance.trace.as_ref().map(TraceParent::trace_id),
            ?outcome,
            requests,
            events = self.delivery.events.len(),
            left = self.delivery.events.len() - self.delivered,
            plain_bytes,
            sent_bytes,
            duration_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            "attempt"
        );
        Attempted {
            outcome,
            failed: self.failed,
            untried,
            given_up: self.given_up,
            began: self.began,
            at: self.ports.clock().now(),
            latency,
            made: self.made,
        }
    }
}

/// Which of two outcomes of one attempt counts for what is left of it.
fn weight(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Delivered | Outcome::Unfinished => 0,
        Outcome::Failed(failure) if !failure.ill => 1,
        Outcome::Failed(failure) if !failure.timed_out => 2,
        Outcome::Failed(_)
        | Outcome::Wait(_)
        | Outcome::Gone
        | Outcome::TooLarge
        | Outcome::Unanswered => 3,
    }
}

/// Between 0 and 1.
fn chance<P: Ports>(ports: &P) -> f64 {
    let [a, b, c, d, ..] = ports.random().bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
