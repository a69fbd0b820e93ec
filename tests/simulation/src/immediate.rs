//! Whether a request may be the immediate retry of the one before it.

use flagpost_domain::preset::ImmediateRetry;

/// A request that failed, and those before it in the same attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Requests made so far.
    pub requests: u32,
    /// How long ago the first of them began, in milliseconds.
    pub since_first: i64,
    /// How long ago the last of them ended, in milliseconds.
    pub since_end: i64,
    /// What the last was answered with.
    pub status: Option<u16>,
}

/// Whether one more request may begin now. Whoever computes or stands still in between begins up to
/// `slack` milliseconds late.
pub fn may_retry(policy: ImmediateRetry, failed: Failed, slack: i64) -> bool {
    let Failed { requests, since_first, since_end, status } = failed;
    match policy {
        ImmediateRetry::None => false,
        ImmediateRetry::Once => requests == 1 && (300..=300 + slack).contains(&since_end),
        ImmediateRetry::Backoff => {
            let waits = match requests {
                1 => 50..=150 + slack,
                2 => 100..=300 + slack,
                _ => return false,
            };
            let worth_it = status.is_some_and(|status| status == 429 || status >= 500);
            worth_it && waits.contains(&since_end) && since_first <= 4_000 + slack
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(requests: u32, since_first: i64, since_end: i64, status: u16) -> Failed {
        Failed { requests, since_first, since_end, status: Some(status) }
    }

    #[test]
    fn once_is_once_after_300_ms() {
        let may = |failed| may_retry(ImmediateRetry::Once, failed, 2);
        assert!(may(failed(1, 320, 300, 404)) && may(failed(1, 320, 302, 503)));
        assert!(!may(failed(1, 320, 299, 503)) && !may(failed(1, 320, 303, 503)));
        assert!(!may(failed(2, 620, 300, 503)));
        assert!(!may_retry(ImmediateRetry::None, failed(1, 320, 300, 503), 2));
    }

    #[test]
    fn backoff_is_three_requests_within_four_seconds() {
        let may = |failed| may_retry(ImmediateRetry::Backoff, failed, 0);
        assert!(may(failed(1, 70, 50, 503)) && may(failed(2, 4_000, 300, 429)));
        for wrong in [
            failed(1, 70, 49, 503),
            failed(1, 170, 151, 503),
            failed(2, 400, 99, 503),
            failed(2, 400, 301, 503),
            failed(2, 4_001, 200, 503),
            failed(3, 700, 400, 503),
            failed(1, 120, 100, 404),
            Failed { status: None, ..failed(1, 120, 100, 0) },
        ] {
            assert!(!may(wrong), "{wrong:?}");
        }
    }
}
