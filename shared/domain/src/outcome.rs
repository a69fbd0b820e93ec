//! What an answer means: the one table from status and headers to what happens next.

use std::time::Duration;

use crate::{
    breaker::RETRY_AFTER_MAX,
    integration::Integration,
    ports::{Answer, SendError},
    time::Timestamp,
};

/// What one request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint has it.
    Delivered,
    /// It failed, and may succeed later.
    Failed(Failure),
    /// The endpoint asked to be left alone until then.
    Wait(Timestamp),
    /// The endpoint is gone for good: 410.
    Gone,
    /// The body is too large for the endpoint: 413.
    TooLarge,
    /// `batch` waited no longer for an answer.
    Unanswered,
    /// Nothing failed, and there was no time for all of its requests.
    Unfinished,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For the log: `status 500`, `timed out`. Never a body or a URL.
    pub reason: String,
    /// The answer's status, where there was one.
    pub status: Option<u16>,
    /// Whether it says that the endpoint is ill.
    pub ill: bool,
    /// Whether it took as long as a request may take.
    pub timed_out: bool,
}

impl Failure {
    /// No request could be made, and the endpoint's settings are at fault.
    pub fn ill(reason: String) -> Self {
        Self { reason, status: None, ill: true, timed_out: false }
    }

    /// Whether an answer was given that does not speak of overload: another delivery may be taken.
    pub fn is_refusal(&self) -> bool {
        self.status.is_some_and(|status| !matches!(status, 408 | 429 | 502..=504))
    }

    /// The fault is the event's.
    pub fn ours(reason: String) -> Self {
        Self { ill: false, ..Self::ill(reason) }
    }
}

/// Reads one answer for an integration.
///
/// | answer | outcome |
/// |---|---|
/// | success as the preset has it | delivered |
/// | another 2xx | failed, not ill health |
/// | 410 | gone |
/// | 413 | too large |
/// | 429 or 503 with a `Retry-After` that can be read | wait until then, at most an hour |
/// | any other status, 3xx too | failed |
/// | no answer | failed |
pub fn outcome(
    integration: &Integration,
    answer: &Result<Answer, SendError>,
    now: Timestamp,
) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            return Outcome::Failed(Failure {
                timed_out: *error == SendError::Timeout,
                ..Failure::ill(error.to_string())
            });
        }
    };
    let failed = |ill| {
        Outcome::Failed(Failure {
            reason: format!("status {}", answer.status),
            status: Some(answer.status),
            ill,
            timed_out: false,
        })
    };
    match answer.status {
        status if integration.succeeds_with(status) => Outcome::Delivered,
        200..300 => failed(false),
        410 => Outcome::Gone,
        413 => Outcome::TooLarge,
        429 | 503 => {
            answer.retry_after.as_deref().and_then(|text| retry_after(text, now)).map_or_else(
                || failed(true),
                |until| Outcome::Wait(until.min(now.plus(RETRY_AFTER_MAX))),
            )
        }
        _ => failed(true),
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds or a date. `None` if it is neither.
fn retry_after(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(now.plus(Duration::from_secs(seconds.min(RETRY_AFTER_MAX.as_secs()))));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp(0).plus(since_epoch).max(now))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{memory::integration, preset::Preset};

    /// Sat, 21 Nov 2026 05:00:00 GMT.
    const NOW: Timestamp = Timestamp(1_795_237_200_000);

    fn read(preset: Preset, status: u16, retry_after: Option<&str>) -> Outcome {
        let integration = Integration { preset, ..integration("i") };
        let answer =
            Answer { status, retry_after: retry_after.map(str::to_owned), body: Bytes::new() };
        outcome(&integration, &Ok(answer), NOW)
    }

    fn failed(status: u16, ill: bool) -> Outcome {
        Outcome::Failed(Failure {
            reason: format!("status {status}"),
            status: Some(status),
            ill,
            timed_out: false,
        })
    }

    #[test]
    fn for_split_200_is_success_and_nothing_else() {
        assert_eq!(read(Preset::Split, 200, None), Outcome::Delivered);
        assert_eq!(read(Preset::Split, 204, None), failed(204, false));
        assert_eq!(read(Preset::Standard, 204, None), Outcome::Delivered);
    }

    #[test]
    fn redirects_and_errors_are_failed_attempts() {
        for status in [100, 301, 307, 400, 404, 429, 500, 503, 599] {
            assert_eq!(read(Preset::Split, status, None), failed(status, true));
        }
    }

    #[test]
    fn gone_and_too_large_are_told_apart() {
        assert_eq!(read(Preset::Split, 410, None), Outcome::Gone);
        assert_eq!(read(Preset::Split, 413, None), Outcome::TooLarge);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_only_for_429_and_503() {
        let until = |seconds| Outcome::Wait(NOW.plus(Duration::from_secs(seconds)));
        assert_eq!(read(Preset::Split, 429, Some("120")), until(120));
        assert_eq!(read(Preset::Split, 503, Some(" 0 ")), until(0));
        assert_eq!(read(Preset::Split, 503, Some("Sat, 21 Nov 2026 05:01:00 GMT")), until(60));
        assert_eq!(read(Preset::Split, 503, Some("Sat, 21 Nov 2026 04:00:00 GMT")), until(0));
        assert_eq!(read(Preset::Split, 429, Some("99999999999999999")), until(3600));
        assert_eq!(read(Preset::Split, 429, Some("Fri, 31 Dec 9999 23:59:59 GMT")), until(3600));
        for nonsense in ["", "soon", "-1", "1.5", "999999999999999999999999"] {
            assert_eq!(read(Preset::Split, 429, Some(nonsense)), failed(429, true), "{nonsense}");
        }
        assert_eq!(read(Preset::Split, 500, Some("120")), failed(500, true));
    }

    #[test]
    fn no_answer_is_ill_health() {
        let read = |error| outcome(&integration("i"), &Err(error), NOW);
        let Outcome::Failed(failure) = read(SendError::Timeout) else { panic!() };
        assert!(failure.ill && failure.timed_out);
        let Outcome::Failed(failure) = read(SendError::Connect("refused".into())) else { panic!() };
        assert!(failure.ill && !failure.timed_out);
    }
}
