//! Requests to endpoints: whether each may begin, and what becomes of it.

use std::time::Duration;

use bytes::Bytes;
use flagpost_domain::{
    limits::Limits,
    ports::{Answer, Request, SendError, Sender, Sent},
    preset::Success,
};
use rand::RngExt;

use crate::{
    attempts::{Begun, Ended, Maker},
    carried::Carried,
    endpoint::Arrival,
    fault::{Fault, Weather},
    trace::About,
    world::State,
};

use super::{Port, Who};

/// A request may take this long.
const TIME_OUT_MS: i64 = 10_000;
/// An attempt starts at most this long after a pause was written, where calls take no time.
const PAUSE_KNOWN_MS: i64 = 5_000;
/// Whoever sends may know of an integration as it was so long ago: what `batch` remembers, or how
/// long a drain goes on by what it read, and the requests themselves.
const CONFIGURED_MS: i64 = 120_000;

impl Port {
    /// Checks what a request may do when it begins: whom it concerns, and which answers are success.
    fn begin(&self, request: &Request, carried: &Carried) -> Option<(u32, Success)> {
        let now = self.world.now();
        let host = request.to.host();
        let setting = &self.world.setting;
        self.world.with(|state| {
            let owner = state.hosts.get(host)?.clone();
            let id = owner.id.clone();
            let integration = state.witness.number(&id);
            let about = About { integration: Some(integration), events: carried.events.clone() };
            let item = state.table.health.get(&id).map(|item| item.latest().clone());
            let open = item.as_ref().and_then(|item| item.health.breaker.open);
            // Whoever sends works by what it read when it was begun, or before.
            let known = now.saturating_sub(CONFIGURED_MS + state.ignorance_ms());
            let limits = owner.limits(known);
            let maker = Maker {
                invocation: self.invocation(),
                drains: self.drains(),
                probes: self.drains() && open.is_some(),
                waits: self.drains() && !limits.iter().all(Limits::is_none),
            };
            let retries = owner.retries(known);
            if let Err(what) = owner.check(carried, known) {
                state.witness.violate(now, about, what);
                return None;
            }
            // By a message that came twice, what is gone may be under way still.
            if (maker.drains || state.plan.weather < Weather::Storm)
                && let Err(what) = state.witness.sends(integration, &carried.events)
            {
                state.witness.violate(now, about, what);
                return None;
            }
            let begun = match state.witness.attempts.begins(carried, &retries, maker, now) {
                Ok(begun) => begun,
                Err(what) => {
                    state.witness.violate(now, about, what);
                    return None;
                }
            };
            if let Err(what) = self.check_limits(state, integration, &limits) {
                state.witness.violate(now, about.clone(), what);
            }
            let is_attempt = begun == Begun::Attempt;
            state.note(now, about.clone(), || {
                let what = match begun {
                    Begun::Attempt => "attempt",
                    Begun::Next => "next request",
                    Begun::Immediate => "immediate retry",
                };
                let Who { function, container, .. } = &*self.who;
                format!(
                    "{function}/{container}#{}: {what} at delivery {} of {} events",
                    maker.invocation,
                    carried.id,
                    carried.events.len()
                )
            });
            let Some(item) = item.filter(|_| is_attempt) else {
                return Some((integration, owner.success));
            };
            // How old what is known may be: the cache's age, the index's lag, the reading of it.
            let mut known = PAUSE_KNOWN_MS + setting.lag_ms + 8 * setting.call_ms;
            if state.plan.weather == Weather::Storm {
                known += state.ignorance_ms();
            }
            let late = |since: Option<i64>| since.filter(|since| now - since > known);
            if let Some(since) = late(item.paused_at) {
                let what = format!("an attempt {} ms after a pause was written", now - since);
                state.witness.violate(now, about.clone(), what);
            }
            if maker.drains {
                let mine = item
                    .health
                    .lease
                    .as_ref()
                    .is_some_and(|lease| state.slices.is_owner(&lease.owner, maker.invocation));
                if !mine {
                    state.witness.violate(now, about.clone(), "a drain without the lease");
                }
                if let Some(open) = open {
                    let early = open.until.0 - (now + self.who.off_ms);
                    // What was on its way already when the breaker opened is no probe.
                    let (probes, allowed) = if early > 0 {
                        (0, true)
                    } else {
                        state.slices.probed(integration, open.until.0)
                    };
                    // A write that is lost leaves the pause as it is, and the probe is made again.
                    let again = !allowed && state.plan.weather != Weather::Storm;
                    if again || (early > 0 && late(item.opened_at).is_some()) {
                        let what = format!("probe {probes} of a pause, {early} ms before its end");
                        state.witness.violate(now, about, what);
                    }
                }
            } else if let Some(since) = late(item.opened_at) {
                let what = format!("an attempt {} ms after the breaker opened", now - since);
                state.witness.violate(now, about, what);
            }
            Some((integration, owner.success))
        })
    }
}

impl Port {
    /// No more requests begin, and no more are under way, than one of these limits allows; and where all
    /// are limits, only the drainer sends.
    fn check_limits(
        &self,
        state: &mut State,
        integration: u32,
        known: &[Limits],
    ) -> Result<(), String> {
        let now = self.world.now() + self.who.off_ms;
        let counted = state.witness.limited.begins(integration, known, now);
        let is_limited = !known.iter().any(Limits::is_none);
        if is_limited && !self.drains() {
            return Err(format!("{} sends, and the limits are {known:?}", self.who.function));
        }
        // What stood still on its way begins later than its sender knows, and clocks differ.
        let exact = ![Fault::Stalled, Fault::ClockOff].iter().any(|fault| state.plan.has(*fault));
        if exact { counted } else { Ok(()) }
    }
}

/// A request that waits for its answer.
struct UnderWay<'a> {
    port: &'a Port,
    integration: u32,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.port.world.with(|state| state.witness.limited.ends(self.integration));
    }
}

impl State {
    /// By how much what is known of health may be older still, by faults of this plan.
    fn ignorance_ms(&self) -> i64 {
        let plan = &self.plan;
        let calls = [Fault::Throttled, Fault::Refused, Fault::AnswerLost, Fault::EffectLate];
        if calls.iter().any(|fault| plan.has(*fault)) {
            // "If DynamoDB fails, cached configuration serves on."
            return i64::MAX / 4;
        }
        let mut more = 0;
        for (fault, ms) in [
            (Fault::Slow, 24_000),
            (Fault::MadeTwice, 24_000),
            (Fault::StaleRead, 8_000),
            (Fault::Stalled, 60_000),
        ] {
            more += if plan.has(fault) { ms } else { 0 };
        }
        more
    }
}

impl Sender for Port {
    async fn send(&self, request: Request) -> Sent {
        let began = self.world.now();
        let nobody = || {
            let answer = Err(SendError::Connect("no such host".to_owned()));
            Sent { answer, took: Duration::ZERO }
        };
        let carried = match Carried::read(&request) {
            Ok(carried) => carried,
            Err(what) => {
                self.world.with(|state| state.witness.violate(began, About::default(), what));
                return nobody();
            }
        };
        let Some((number, success)) = self.begin(&request, &carried) else { return nobody() };
        let _under_way = UnderWay { port: self, integration: number };
        let events = &carried.events;
        let reaction = self.world.with(|state| {
            let roll = state.chance.random::<f64>();
            let endpoint = state.endpoints.get_mut(request.to.host());
            let reaction = endpoint.map(|endpoint| {
                let reaction = endpoint.react(events, began, roll);
                if let Some(log) = &mut endpoint.log {
                    log.push(Arrival {
                        at: began,
                        answered_at: began.saturating_add(reaction.takes),
                        id: carried.id.clone(),
                        events: events.clone(),
                        status: reaction.status,
                    });
                }
                reaction
            });
            if let Some(fault) = reaction.as_ref().and_then(|reaction| reaction.fault) {
                state.tally.add(fault);
            }
            reaction
        });
        let Some(reaction) = reaction else { return nobody() };
        let lost = reaction.takes < TIME_OUT_MS && self.world.happens(Fault::EndpointAnswerLost);
        let succeeds = reaction.status.is_some_and(|status| success.includes(status));
        if reaction.takes == i64::MAX || reaction.status.is_none() || !succeeds {
            self.world.sleep_ms(reaction.takes.min(TIME_OUT_MS)).await;
        } else {
            // It has taken it before it answers, and all the same if nobody waits for the answer.
            let takes = reaction.takes.min(TIME_OUT_MS);
            self.world.sleep_ms(takes / 2).await;
            let now = self.world.now();
            self.world.with(|state| {
                state.witness.delivered(number, events, now);
                let about = About { integration: Some(number), events: events.clone() };
                state.note(now, about, || format!("endpoint took delivery {}", request.id));
            });
            self.world.sleep_ms(takes - takes / 2).await;
        }
        let answer = if reaction.takes >= TIME_OUT_MS {
            Err(SendError::Timeout)
        } else if lost {
            Err(SendError::Lost("simulated".to_owned()))
        } else if let Some(status) = reaction.status {
            let retry_after = reaction.retry_after.map(|seconds| seconds.to_string());
            Ok(Answer { status, retry_after, body: Bytes::new() })
        } else {
            Err(SendError::Connect("refused".to_owned()))
        };
        let on_top = matches!(&answer, Ok(Answer { status: 410, .. }))
            || (events.len() > 1 && matches!(&answer, Ok(Answer { status: 413, .. })))
            || matches!(&answer, Ok(Answer { status: 429 | 503, retry_after: Some(_), .. }));
        let ended = match &answer {
            Ok(_) if succeeds => Ended::Well,
            _ if on_top => Ended::OnTop,
            _ => Ended::Badly,
        };
        let now = self.world.now();
        self.world.with(|state| {
            let status = answer.as_ref().ok().map(|answer| answer.status);
            state.witness.attempts.ends(&carried, ended, status, now);
            if matches!(&answer, Ok(Answer { status: 410 | 413, .. })) {
                state.slices.said_nothing(number);
            }
            if let Some(status) = status {
                state.slices.answered(number, status);
            }
            let about = About { integration: Some(number), events: events.clone() };
            state.note(now, about, || {
                let took = now - began;
                format!("delivery {}: {answer:?} after {took} ms", request.id)
            });
        });
        Sent { answer, took: Duration::from_millis(u64::try_from(now - began).unwrap_or(0)) }
    }
}
