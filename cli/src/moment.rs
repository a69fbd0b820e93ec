//! Times as people type and read them.

use std::{str::FromStr, time::Duration};

use jiff::{Span, SpanRelativeTo, Timestamp, tz::TimeZone};

/// A time that was typed; an age is only a time once it is known when it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Milliseconds since the Unix epoch.
    At(i64),
    /// Milliseconds before now.
    Ago(i64),
}

impl Moment {
    /// Milliseconds since the Unix epoch.
    pub(crate) fn at(self, now: i64) -> i64 {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.saturating_sub(ago).max(0),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::At).map_err(|_| "too large a number".to_owned());
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return match at.as_millisecond() {
                millis @ 0.. => Ok(Self::At(millis)),
                _ => Err("before 1970".to_owned()),
            };
        }
        let age = text.strip_suffix("ago").unwrap_or(text).trim_end();
        millis(age)
            .filter(|age| *age >= 0)
            .map(Self::Ago)
            .ok_or_else(|| {
                "a time is 2026-11-21T05:00:00Z, an age such as 2h or 3d, or milliseconds since the Unix epoch".to_owned()
            })
    }
}

/// How long to wait, as it is typed: `10m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    millis(text.trim())
        .and_then(|millis| u64::try_from(millis).ok())
        .filter(|millis| *millis > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| "a stretch of time is 30s, 10m or 2h".to_owned())
}

fn millis(text: &str) -> Option<i64> {
    let span = text.parse::<Span>().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(duration.as_millis()).ok()
}

/// A time as it is shown: UTC, to the second.
pub(crate) fn shown(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map_or_else(
        |_| millis.to_string(),
        |at| at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// A stretch of time in its largest two units: `4 s`, `3 min`, `2 h 5 min`, `3 d 1 h`.
pub(crate) fn stretch(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, smaller: &str| {
        if small == 0 {
            format!("{large} {unit}")
        } else {
            format!("{large} {unit} {small} {smaller}")
        }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_237_200_000;

    #[test]
    fn times_are_read_in_three_forms() {
        for (typed, expected) in [
            ("1795237200000", NOW),
            ("0", 0),
            ("2026-11-21T05:00:00Z", 1_795_237_200_000),
            ("2026-11-21T06:00:00+01:00", 1_795_237_200_000),
            ("2026-11-21T05:00:00.250Z", 1_795_237_200_250),
            ("2h", NOW - 7_200_000),
            ("2h ago", NOW - 7_200_000),
            ("1h30m", NOW - 5_400_000),
            ("3d", NOW - 259_200_000),
            ("1w", NOW - 604_800_000),
            ("45s", NOW - 45_000),
        ] {
            assert_eq!(
                typed.parse::<Moment>().map(|moment| moment.at(NOW)),
                Ok(expected),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for typed in [
            "",
            "ago",
            "yesterday",
            "-2h",
            "2x",
            "2026-11-21",
            "1969-12-31T00:00:00Z",
            "1e3",
            "99999999999999999999",
        ] {
            assert!(typed.parse::<Moment>().is_err(), "{typed}");
        }
    }

    #[test]
    fn stretches_are_typed_with_their_unit() {
        assert_eq!(duration("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(duration(" 1h30m "), Ok(Duration::from_mins(90)));
        for typed in ["", "10", "0s", "-5m", "soon"] {
            assert!(duration(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn an_age_beyond_the_epoch_ends_there() {
        assert_eq!(Moment::Ago(NOW + 1).at(NOW), 0);
    }

    #[test]
    fn times_and_stretches_are_shown() {
        assert_eq!(shown(NOW), "2026-11-21 05:00:00Z");
        assert_eq!(shown(i64::MAX), i64::MAX.to_string());
        for (millis, expected) in [
            (-5, "0 s"),
            (4_999, "4 s"),
            (60_000, "1 min"),
            (3_600_000, "1 h"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 d"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(stretch(millis), expected);
        }
    }
}
