//! Customers' endpoints: what each does with a request, as time goes by.

use std::collections::BTreeMap;

use crate::fault::Fault;

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// 200, after some milliseconds.
    Well,
    /// 500, or no connection.
    Down,
    /// 200, after seconds.
    Slow,
    /// 200, after so many milliseconds.
    Takes(i64),
    /// 503, after a second or two.
    Struggles,
    /// No answer.
    Hangs,
    /// 500 to all at this time, and at once later.
    FailsAt(i64),
    /// 500 with this likelihood.
    Flaps(f64),
    /// So many requests a second; 429 to others, with `Retry-After` in seconds.
    Limits(f64, u64),
    /// It takes a request, and answers 200 after the time-out.
    Late,
    /// 202.
    Accepts,
    /// 410.
    Gone,
    /// 413 to more events than this.
    TooLarge(usize),
    /// From this time on so many requests a second, twice as many every minute; 503 to others.
    Recovers(i64, f64),
}

/// What it does with one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    /// How long it takes, in milliseconds. More than 10 s is a time-out.
    pub takes: i64,
    /// The status; `None`: it cannot be connected to.
    pub status: Option<u16>,
    /// `Retry-After`.
    pub retry_after: Option<u64>,
    /// Which fault that was.
    pub fault: Option<Fault>,
}

/// A request as the endpoint saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it came.
    pub at: i64,
    /// When it was answered, or will be.
    pub answered_at: i64,
    /// Its `webhook-id`.
    pub id: String,
    /// Its events.
    pub events: Vec<u32>,
    /// The answer; `None`: there was none.
    pub status: Option<u16>,
}

/// An endpoint.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// What it does from when on; before the first, all is well.
    pub modes: BTreeMap<i64, Mode>,
    /// The events that it cannot take.
    pub poisons: Vec<u32>,
    /// What it answers to these; 0 is 400.
    pub poisoned: u16,
    /// It can take them by now.
    pub mended: bool,
    /// Milliseconds that it takes when it is well.
    pub takes: i64,
    /// All requests, if somebody wants to count them.
    pub log: Option<Vec<Arrival>>,
    tokens: f64,
    counted_at: i64,
}

impl Endpoint {
    /// An endpoint that takes so many milliseconds.
    pub fn new(takes: i64) -> Self {
        Self { takes, ..Self::default() }
    }

    /// What it does at a time.
    pub fn mode(&self, now: i64) -> Mode {
        self.modes.range(..=now).next_back().map_or(Mode::Well, |(_, mode)| *mode)
    }

    /// What it does with a request of these events. `roll` is in 0..1.
    pub fn react(&mut self, events: &[u32], now: i64, roll: f64) -> Reaction {
        let status = |takes, status, fault| Reaction {
            takes,
            status: Some(status),
            retry_after: None,
            fault: Some(fault),
        };
        let well =
            Reaction { takes: self.takes, status: Some(200), retry_after: None, fault: None };
        let takes = self.takes;
        let reaction = match self.mode(now) {
            Mode::Down if roll < 0.3 => Reaction {
                takes: 1,
                status: None,
                retry_after: None,
                fault: Some(Fault::EndpointDown),
            },
            Mode::Down => status(takes, 500, Fault::EndpointDown),
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
            Mode::Slow => status(2_500 + (roll * 5_000.0) as i64, 200, Fault::EndpointSlow),
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
            Mode::Struggles => {
                status(1_000 + (roll * 2_000.0) as i64, 503, Fault::EndpointStruggles)
            }
            Mode::Takes(ms) => status(ms, 200, Fault::EndpointSlow),
            Mode::FailsAt(at) => status((at - now).max(takes), 500, Fault::EndpointDown),
            Mode::Hangs => status(i64::MAX, 200, Fault::EndpointHangs),
            Mode::Flaps(likely) if roll < likely => status(takes, 502, Fault::EndpointFlaps),
            Mode::Limits(rate, _) | Mode::Recovers(_, rate) if rate <= 0.0 => well,
            Mode::Limits(rate, seconds) => {
                if self.take(rate, now) {
                    well
                } else {
                    Reaction {
                        retry_after: Some(seconds),
                        ..status(takes, 429, Fault::EndpointLimits)
                    }
                }
            }
            Mode::Recovers(since, rate) => {
                #[expect(clippy::cast_precision_loss, reason = "minutes of a few days")]
                let minutes = ((now - since) as f64 / 60_000.0).min(20.0);
                if self.take(rate * 2f64.powf(minutes), now) {
                    well
                } else {
                    status(takes, 503, Fault::EndpointRecovers)
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
            Mode::Late => status(10_500 + (roll * 5_000.0) as i64, 200, Fault::EndpointLate),
            Mode::Accepts => status(takes, 202, Fault::EndpointAccepts),
            Mode::Gone => status(takes, 410, Fault::EndpointGone),
            Mode::TooLarge(most) if events.len() > most => {
                status(takes, 413, Fault::EndpointTooLarge)
            }
            Mode::Well | Mode::Flaps(_) | Mode::TooLarge(_) => well,
        };
        let poisoned = !self.mended && self.poisons.iter().any(|poison| events.contains(poison));
        let taken = reaction.status.is_some_and(|status| (200..300).contains(&status));
        if poisoned && taken && reaction.takes < 10_000 {
            return status(takes, self.poisoned.max(400), Fault::EndpointPoison);
        }
        reaction
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few days")]
    fn take(&mut self, rate: f64, now: i64) -> bool {
        let passed = (now - self.counted_at) as f64 / 1_000.0;
        self.tokens = (self.tokens + passed * rate).min(rate.max(1.0));
        self.counted_at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_follow_each_other() {
        let mut endpoint = Endpoint::new(20);
        endpoint.modes = [(100, Mode::Gone), (200, Mode::TooLarge(2))].into();
        let mut status = |events: &[u32], now| endpoint.react(events, now, 0.5).status.unwrap();
        assert_eq!([status(&[1], 99), status(&[1], 100), status(&[1], 199)], [200, 410, 410]);
        assert_eq!([status(&[1, 2], 200), status(&[1, 2, 3], 200)], [200, 413]);
    }

    #[test]
    fn a_limit_is_a_rate() {
        let mut endpoint = Endpoint::new(20);
        endpoint.modes = [(0, Mode::Limits(2.0, 30))].into();
        let taken =
            (0..100).filter(|n| endpoint.react(&[1], n * 100, 0.0).status == Some(200)).count();
        assert!((19..=22).contains(&taken), "{taken} in ten seconds");
        assert_eq!(endpoint.react(&[1], 9_901, 0.0).retry_after, Some(30));
    }

    #[test]
    fn poison_fails_whatever_holds_it() {
        let mut endpoint = Endpoint { poisons: vec![7], ..Endpoint::new(20) };
        assert_eq!(endpoint.react(&[6, 7], 0, 0.0).status, Some(400));
        assert_eq!(endpoint.react(&[6], 0, 0.0).status, Some(200));
    }
}
