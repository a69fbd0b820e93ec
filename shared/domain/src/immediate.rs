//! The immediate retry: what is tried at once when a request fails.
//!
//! Sources: Split, "Webhook - Impressions": "waits 300 milliseconds and attempts to retry the
//! delivery once". Amplitude, "Send Events to Webhooks": at most 3 attempts on 5xx and 429, the
//! first wait 100 ms, doubling, 50 % jitter, no further attempt after 4 seconds.

use std::time::Duration;

use crate::{outcome::Outcome, preset::ImmediateRetry, time::Timestamp};

const ONCE: Duration = Duration::from_millis(300);
const BACKOFF_REQUESTS: u32 = 3;
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_JITTER: f64 = 0.5;
const BACKOFF_END: Duration = Duration::from_secs(4);

/// How long to wait before one more request; `None`: there is none. `requests` were made since
/// `elapsed` ago, the last with this outcome; `chance` is between 0 and 1.
pub fn wait(
    policy: ImmediateRetry,
    outcome: &Outcome,
    requests: u32,
    elapsed: Duration,
    chance: f64,
) -> Option<Duration> {
    let Outcome::Failed(failure) = outcome else {
        return None;
    };
    match policy {
        ImmediateRetry::None => None,
        ImmediateRetry::Once => (requests < 2).then_some(ONCE),
        ImmediateRetry::Backoff => {
            let worth_it = failure.status.is_some_and(|status| status == 429 || status >= 500);
            if !worth_it || requests >= BACKOFF_REQUESTS {
                return None;
            }
            let doubled = BACKOFF_FIRST * 2u32.pow(requests.saturating_sub(1));
            let jitter = BACKOFF_JITTER.mul_add(chance.clamp(0.0, 1.0).mul_add(2.0, -1.0), 1.0);
            let wait = doubled.mul_f64(jitter);
            (elapsed + wait <= BACKOFF_END).then_some(wait)
        }
    }
}

/// When a further request may begin at the latest, where it is held back for other reasons; `began`
/// is when the first one did.
pub fn latest(policy: ImmediateRetry, began: Timestamp) -> Option<Timestamp> {
    (policy == ImmediateRetry::Backoff).then(|| began.plus(BACKOFF_END))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::Failure;

    fn failed(status: Option<u16>) -> Outcome {
        Outcome::Failed(Failure { reason: String::new(), status, ill: true, timed_out: false })
    }

    proptest! {
        #[test]
        fn once_is_one_more_request_after_300_ms_whatever_it_was(
            status: Option<u16>, elapsed in 0u64..20_000, chance in 0.0..=1.0,
        ) {
            let next = |requests| {
                let elapsed = Duration::from_millis(elapsed);
                wait(ImmediateRetry::Once, &failed(status), requests, elapsed, chance)
            };
            prop_assert_eq!(next(1), Some(Duration::from_millis(300)));
            prop_assert_eq!(next(2), None);
        }

        #[test]
        fn backoff_is_at_most_three_requests_and_none_begins_after_4_s(
            status in 500u16..600, took in proptest::collection::vec(0u64..5_000, 3),
            chances in proptest::collection::vec(0.0..=1.0, 3),
        ) {
            let mut elapsed = Duration::ZERO;
            let mut requests = 0u32;
            loop {
                prop_assert!(elapsed <= Duration::from_secs(4));
                let index = usize::try_from(requests).unwrap();
                requests += 1;
                elapsed += Duration::from_millis(took[index]);
                let policy = ImmediateRetry::Backoff;
                let chance = chances[index];
                match wait(policy, &failed(Some(status)), requests, elapsed, chance) {
                    None => {
                        // Three were made, or even the shortest wait ends too late.
                        let longest = Duration::from_millis(100 * u64::from(requests)).mul_f64(1.5);
                        prop_assert!(requests == 3 || elapsed + longest > Duration::from_secs(4));
                        break;
                    }
                    Some(next) => {
                        let base = 100.0 * f64::from(requests);
                        let ms = next.as_secs_f64() * 1_000.0;
                        prop_assert!(ms >= base * 0.499 && ms <= base * 1.501, "{ms} of {base}");
                        elapsed += next;
                    }
                }
            }
            prop_assert!(requests <= 3);
        }

        #[test]
        fn backoff_is_for_5xx_and_429_and_nothing_else(status in 100u16..500, chance in 0.0..=1.0) {
            let next = |status| {
                wait(ImmediateRetry::Backoff, &failed(status), 1, Duration::ZERO, chance)
            };
            prop_assert_eq!(next(Some(status)).is_some(), status == 429);
            prop_assert_eq!(next(None), None);
        }
    }

    #[test]
    fn what_did_not_fail_is_not_tried_again() {
        for policy in [ImmediateRetry::None, ImmediateRetry::Once, ImmediateRetry::Backoff] {
            for outcome in [Outcome::Delivered, Outcome::Gone, Outcome::Unanswered] {
                assert_eq!(wait(policy, &outcome, 1, Duration::ZERO, 0.5), None);
            }
        }
        assert_eq!(wait(ImmediateRetry::None, &failed(Some(500)), 1, Duration::ZERO, 0.5), None);
    }
}
