//! ISO 8601 and XML Schema: the formats `iso` and `xs`, and the `?iso_…` built-ins.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use super::{Date, DateKind, Zone, offset};
use crate::error::{Outcome, Pos};

/// How exactly a time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accuracy {
    Hours,
    Minutes,
    Seconds,
    /// Milliseconds without zeros at the end.
    Millis,
    /// All three digits.
    AllMillis,
}

/// A format of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IsoFormat {
    pub(crate) accuracy: Accuracy,
    /// `None`: as usual for the kind of date.
    pub(crate) show_zone: Option<bool>,
    pub(crate) utc: bool,
    pub(crate) schema: bool,
}

impl IsoFormat {
    /// `iso` or `xs` with options such as `iso_ms_nz`; absent when it is another format.
    pub(crate) fn parse(format: &str) -> Result<Option<Self>, String> {
        let (schema, options) = match (format.strip_prefix("iso"), format.strip_prefix("xs")) {
            (Some(options), _) => (false, options),
            (_, Some(options)) => (true, options),
            _ => return Ok(None),
        };
        if options.starts_with(|c: char| c.is_alphanumeric()) {
            return Ok(None);
        }
        let mut made = Self { accuracy: Accuracy::Millis, show_zone: None, utc: false, schema };
        let mut accuracy = None;
        for option in options.split([' ', '_']).filter(|option| !option.is_empty()) {
            let chosen = match option {
                "h" => Accuracy::Hours,
                "m" => Accuracy::Minutes,
                "s" => Accuracy::Seconds,
                "ms" => Accuracy::AllMillis,
                "nz" | "fz" if made.show_zone.is_none() => {
                    made.show_zone = Some(option == "fz");
                    continue;
                }
                "u" | "fu" if !made.utc => {
                    made.utc = true;
                    continue;
                }
                _ => {
                    return Err(format!(
                        "`{option}` is no option of iso and xs, or a second one of its kind"
                    ));
                }
            };
            if schema && chosen != Accuracy::AllMillis && chosen != Accuracy::Seconds {
                return Err("xs shows seconds or milliseconds".to_owned());
            }
            if accuracy.replace(chosen).is_some() {
                return Err("iso and xs have one accuracy".to_owned());
            }
        }
        made.accuracy = accuracy.unwrap_or(Accuracy::Millis);
        Ok(Some(made))
    }

    pub(crate) fn format(self, date: Date, zone: Zone, pos: Pos) -> Outcome<String> {
        let zone = if self.utc { Zone::UTC } else { zone };
        let civil = date.civil(zone, pos)?;
        let mut out = String::with_capacity(32);
        if date.kind != DateKind::Time {
            // Writing to a String cannot fail.
            let _ = write!(out, "{:04}-{:02}-{:02}", civil.year(), civil.month(), civil.day());
        }
        if date.kind == DateKind::DateTime {
            out.push('T');
        }
        if date.kind != DateKind::Date {
            self.clock(&mut out, civil);
        }
        let usual = self.schema || date.kind != DateKind::Date;
        let shown = match self.show_zone {
            Some(true) => true,
            Some(false) => false,
            None => usual,
        };
        if shown && (date.kind != DateKind::Date || self.schema) {
            let minutes = zone.seconds.unsigned_abs() / 60;
            let sign = if zone.seconds < 0 { '-' } else { '+' };
            let _ = if zone.seconds == 0 {
                write!(out, "Z")
            } else {
                write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            };
        }
        Ok(out)
    }

    fn clock(self, out: &mut String, civil: DateTime) {
        let _ = write!(out, "{:02}", civil.hour());
        if self.accuracy == Accuracy::Hours {
            return;
        }
        let _ = write!(out, ":{:02}", civil.minute());
        if self.accuracy == Accuracy::Minutes {
            return;
        }
        let _ = write!(out, ":{:02}", civil.second());
        let millis = format!(".{:03}", civil.millisecond());
        match self.accuracy {
            Accuracy::AllMillis => out.push_str(&millis),
            Accuracy::Millis => out.push_str(millis.trim_end_matches('0').trim_end_matches('.')),
            _ => {}
        }
    }
}

/// Reads the extended form.
pub(super) fn read(text: &str, kind: DateKind, zone: Zone, pos: Pos) -> Outcome<Date> {
    let (civil, found) = read_parts(text, kind).ok_or_else(|| {
        pos.bad("the text is not a date of ISO 8601 such as 2022-10-24T20:07:32.123Z, or only a part of one")
    })?;
    Date::of_civil(civil, found.unwrap_or(zone), kind, pos)
}

fn read_parts(text: &str, kind: DateKind) -> Option<(DateTime, Option<Zone>)> {
    let (day, clock) = match kind {
        DateKind::Date => (Some(text), None),
        DateKind::Time => (None, Some(text)),
        DateKind::DateTime => text.split_once('T').map(|(day, clock)| (Some(day), Some(clock)))?,
    };
    let mut year_month_day = (1970, 1, 1);
    if let Some(day) = day {
        let mut parts = day.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if year.len() != 4 || parts.next().is_some() {
            return None;
        }
        year_month_day =
            (digits(year)?, i8::try_from(two(month)?).ok()?, i8::try_from(two(day)?).ok()?);
    }
    let (mut time, mut found) = ((0, 0, 0, 0), None);
    if let Some(clock) = clock {
        let end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
        let (clock, zone) = clock.split_at(end);
        found = match zone {
            "" => None,
            "Z" => Some(Zone::UTC),
            other => {
                let plain = other.strip_prefix(['+', '-'])?;
                let (hours, minutes) = plain.split_once(':').unwrap_or((plain, "00"));
                two(hours)?;
                two(minutes)?;
                Some(offset(&format!("GMT{}{hours}:{minutes}", other.get(..1)?))?)
            }
        };
        let mut parts = clock.split(':');
        let hour = two(parts.next()?)?;
        let minute = parts.next().map_or(Some(0), two)?;
        let (second, millis) = match parts.next() {
            None => (0, 0),
            Some(second) => match second.split_once('.') {
                None => (two(second)?, 0),
                Some((second, fraction)) => (two(second)?, fraction_millis(fraction)?),
            },
        };
        if parts.next().is_some() {
            return None;
        }
        time = (
            i8::try_from(hour).ok()?,
            i8::try_from(minute).ok()?,
            i8::try_from(second).ok()?,
            millis,
        );
    }
    let (year, month, day) = year_month_day;
    DateTime::new(year, month, day, time.0, time.1, time.2, time.3 * 1_000_000)
        .ok()
        .map(|civil| (civil, found))
}

fn digits(text: &str) -> Option<i16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn two(text: &str) -> Option<i16> {
    if text.len() == 2 { digits(text) } else { None }
}

/// Thousandths; further digits are cut off.
fn fraction_millis(text: &str) -> Option<i32> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{text:0<3}").get(..3)?.parse().ok()
}
