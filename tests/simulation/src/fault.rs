//! What goes wrong, how often, and how often it did.
//!
//! Each seed has a plan of its own: some faults and not others, some of them often and others
//! rarely, so that rare combinations come up (swarm testing).

use std::fmt;

use rand::{Rng, RngExt};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// A service asks for fewer calls; nothing took effect.
    Throttled = "call throttled",
    /// A call fails, and nothing took effect.
    Refused = "call failed",
    /// A call takes effect, and the answer is lost.
    AnswerLost = "answer lost",
    /// A call takes effect, the answer is lost, and the client's own retry makes it again.
    MadeTwice = "call made twice by the client's retry",
    /// A call fails, and takes effect later.
    EffectLate = "effect after the error",
    /// A call takes seconds.
    Slow = "slow call",
    /// One entry of a batch call fails.
    EntryRefused = "entry of a batch refused",
    /// A message is delivered again while it should be hidden.
    DuplicateReceive = "duplicate receive",
    /// A message is received, and no function ever sees that.
    ReceiveCountJump = "receive count jumps",
    /// A deletion is answered with success, and the message comes back.
    DeletionForgotten = "deletion forgotten",
    /// An eventually consistent read is behind by more than a second.
    StaleRead = "stale read",
    /// A page of a listing is shorter than it might be.
    ShortPage = "short page",
    /// An invocation is throttled: its messages were received for nothing.
    InvokeThrottled = "invocation throttled",
    /// The function's answer does not arrive: the whole batch counts as failed.
    ResponseLost = "response lost",
    /// The answer names an identifier that is empty or unknown: the whole batch counts as failed.
    ResponseMalformed = "response malformed",
    /// The function's process dies at an await.
    Killed = "function killed",
    /// The function stands still for seconds in the midst of its work.
    Stalled = "function stalled",
    /// Out of time: observed, not planned.
    OutOfTime = "function out of time",
    /// A container is thrown away, with all that it remembers.
    Retired = "container retired",
    /// A container's clock is off by seconds.
    ClockOff = "clock off",
    /// The queue says that it is empty, being full of messages in flight.
    InFlightFull = "in-flight limit reached",
    /// An endpoint refuses connections or answers 500.
    EndpointDown = "endpoint down",
    /// An endpoint answers 202, which not everybody counts as success.
    EndpointAccepts = "endpoint answers 202",
    /// An endpoint answers after seconds.
    EndpointSlow = "endpoint slow",
    /// An endpoint answers 503 after seconds.
    EndpointStruggles = "endpoint fails after seconds",
    /// An endpoint never answers.
    EndpointHangs = "endpoint hangs",
    /// An endpoint fails every now and then.
    EndpointFlaps = "endpoint flaps",
    /// An endpoint takes so many requests, and answers others with 429 and `Retry-After`.
    EndpointLimits = "endpoint limits its rate",
    /// An endpoint takes a request and answers after the time-out.
    EndpointLate = "endpoint answers too late",
    /// An endpoint answers 410.
    EndpointGone = "endpoint gone",
    /// An endpoint answers 413 to more events than it likes.
    EndpointTooLarge = "endpoint finds it too large",
    /// An endpoint fails whatever holds a certain event.
    EndpointPoison = "endpoint fails at one event",
    /// An endpoint that was down takes only some requests at first.
    EndpointRecovers = "endpoint recovers under load",
    /// The answer of an endpoint is lost on the way.
    EndpointAnswerLost = "endpoint's answer lost",
    /// An operator pauses, resumes, changes, disables or deletes.
    Operator = "operator's change",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each fault happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(Vec<u64>);

impl Tally {
    /// One more.
    pub fn add(&mut self, fault: Fault) {
        self.0.resize(Fault::ALL.len(), 0);
        self.0[fault as usize] += 1;
    }

    /// How often.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(fault as usize).copied().unwrap_or_default()
    }

    /// Adds another's.
    pub fn join(&mut self, other: &Self) {
        self.0.resize(Fault::ALL.len(), 0);
        for (to, from) in self.0.iter_mut().zip(&other.0) {
            *to += from;
        }
    }
}

/// Faults of services and functions, of which a plan has some.
const INFRASTRUCTURE: [(Fault, f64); 20] = [
    (Fault::Throttled, 0.2),
    (Fault::Refused, 0.2),
    (Fault::AnswerLost, 0.1),
    (Fault::MadeTwice, 0.1),
    (Fault::EffectLate, 0.05),
    (Fault::Slow, 0.05),
    (Fault::EntryRefused, 0.2),
    (Fault::DuplicateReceive, 0.1),
    (Fault::ReceiveCountJump, 0.2),
    (Fault::DeletionForgotten, 0.1),
    (Fault::StaleRead, 0.3),
    (Fault::ShortPage, 0.5),
    (Fault::InvokeThrottled, 0.3),
    (Fault::ResponseLost, 0.1),
    (Fault::ResponseMalformed, 0.05),
    (Fault::Killed, 0.2),
    (Fault::Stalled, 0.05),
    (Fault::Retired, 0.3),
    (Fault::ClockOff, 0.5),
    (Fault::EndpointAnswerLost, 0.1),
];

/// How much of the world is ill in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weather {
    /// All is well, but for single events that an endpoint cannot take.
    Calm,
    /// Endpoints fail; services and functions do not.
    Endpoints,
    /// Everything fails.
    Storm,
}

/// Which faults happen, and how likely each is where it can.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its kind.
    pub weather: Weather,
    likely: Vec<f64>,
    ended: bool,
}

impl Plan {
    /// A plan by chance.
    pub fn new(chance: &mut impl Rng) -> Self {
        let weather = match chance.random_range(0..10) {
            0 => Weather::Calm,
            1 | 2 => Weather::Endpoints,
            _ => Weather::Storm,
        };
        let mut likely = vec![0.0; Fault::ALL.len()];
        if weather == Weather::Storm {
            for (fault, most) in INFRASTRUCTURE {
                if chance.random_bool(0.4) {
                    // Some often, most rarely.
                    likely[fault as usize] = most * 10f64.powf(-2.0 * chance.random::<f64>());
                }
            }
        }
        Self { weather, likely, ended: false }
    }

    /// How likely a fault is.
    pub fn likely(&self, fault: Fault) -> f64 {
        if self.ended { 0.0 } else { self.likely[fault as usize] }
    }

    /// Whether it is part of the plan, also after its end.
    pub fn has(&self, fault: Fault) -> bool {
        self.likely[fault as usize] > 0.0
    }

    /// From here on nothing goes wrong.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// From here on it goes wrong again.
    pub fn begin(&mut self) {
        self.ended = false;
    }
}
