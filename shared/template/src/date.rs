//! Dates and times: what they are, and which format prints them.

mod iso;
mod pattern;
mod reading;

use std::cmp::Ordering;

use jiff::{Timestamp, civil::DateTime, tz::Offset};

use crate::{
    context::Context,
    error::{Outcome, Pos},
};

pub(crate) use iso::{Accuracy, IsoFormat};

/// A moment, and which part of it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    /// Milliseconds since 1970 in UTC.
    pub(crate) millis: i64,
    pub(crate) kind: DateKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateKind {
    Date,
    Time,
    DateTime,
}

impl DateKind {
    fn name(self) -> &'static str {
        match self {
            Self::Date => "a date",
            Self::Time => "a time",
            Self::DateTime => "a date-time",
        }
    }
}

/// A time zone of a fixed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) seconds: i32,
    name: ZoneName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZoneName {
    Utc,
    Gmt,
    Offset,
}

impl Zone {
    pub(crate) const UTC: Self = Self { seconds: 0, name: ZoneName::Utc };

    fn short(self) -> String {
        match self.name {
            ZoneName::Utc => "UTC".to_owned(),
            ZoneName::Gmt => "GMT".to_owned(),
            ZoneName::Offset => {
                let minutes = self.seconds.unsigned_abs() / 60;
                format!(
                    "GMT{}{:02}:{:02}",
                    if self.seconds < 0 { '-' } else { '+' },
                    minutes / 60,
                    minutes % 60
                )
            }
        }
    }

    fn long(self) -> String {
        match self.name {
            ZoneName::Utc => "Coordinated Universal Time".to_owned(),
            ZoneName::Gmt => "Greenwich Mean Time".to_owned(),
            ZoneName::Offset => self.short(),
        }
    }
}

/// The time zone of a name; absent when it is not one of a fixed offset.
pub(crate) fn offset(name: &str) -> Option<Zone> {
    match name {
        "UTC" => return Some(Zone::UTC),
        "GMT" => return Some(Zone { seconds: 0, name: ZoneName::Gmt }),
        _ => {}
    }
    let rest = name.strip_prefix("GMT")?;
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() <= 2 => (digits, "00"),
        None => digits.split_at_checked(digits.len() - 2)?,
    };
    let number = |text: &str| {
        (matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = sign * (hours * 3600 + minutes * 60);
    Some(if seconds == 0 {
        Zone { seconds, name: ZoneName::Gmt }
    } else {
        Zone { seconds, name: ZoneName::Offset }
    })
}

/// Java's calendar is the Julian one before 1582; what is printed here is not, so it stays well after that.
const YEARS: std::ops::RangeInclusive<i16> = 1600..=9999;

impl Date {
    /// The calendar's fields in a zone.
    pub(crate) fn civil(self, zone: Zone, pos: Pos) -> Outcome<DateTime> {
        let offset = Offset::from_seconds(zone.seconds).map_err(|_| out_of_range(pos))?;
        let moment = Timestamp::from_millisecond(self.millis).map_err(|_| out_of_range(pos))?;
        let civil = offset.to_datetime(moment);
        if YEARS.contains(&civil.year()) { Ok(civil) } else { Err(out_of_range(pos)) }
    }

    /// The moment of the calendar's fields in a zone.
    pub(crate) fn of_civil(civil: DateTime, zone: Zone, kind: DateKind, pos: Pos) -> Outcome<Self> {
        if !YEARS.contains(&civil.year()) {
            return Err(out_of_range(pos));
        }
        let offset = Offset::from_seconds(zone.seconds).map_err(|_| out_of_range(pos))?;
        let moment = offset.to_timestamp(civil).map_err(|_| out_of_range(pos))?;
        Ok(Self { millis: moment.as_millisecond(), kind })
    }

    pub(crate) fn compare(self, other: Self, pos: Pos) -> Outcome<Ordering> {
        if self.kind != other.kind {
            return Err(pos.wrong_type(format!(
                "{} cannot be compared with {}; ?date, ?time and ?datetime convert",
                self.kind.name(),
                other.kind.name()
            )));
        }
        Ok(self.millis.cmp(&other.millis))
    }

    /// `?date`, `?time` and `?datetime` of a date.
    pub(crate) fn convert(self, kind: DateKind, pos: Pos) -> Outcome<Self> {
        if self.kind == kind || self.kind == DateKind::DateTime {
            return Ok(Self { millis: self.millis, kind });
        }
        Err(pos.wrong_type(format!("{} cannot become {}", self.kind.name(), kind.name())))
    }
}

fn out_of_range(pos: Pos) -> crate::error::Failure {
    pos.unsupported(format!(
        "the date is outside of the years {} to {}",
        YEARS.start(),
        YEARS.end()
    ))
}

/// Java's localised styles for `en_US`.
fn style(name: &str, kind: DateKind) -> Option<String> {
    let (date, time) = match name.split_once('_') {
        Some((date, time)) if kind == DateKind::DateTime => (date, time),
        Some(_) => return None,
        None => (name, name),
    };
    let day = match date {
        "short" => "M/d/yy",
        "" | "medium" => "MMM d, y",
        "long" => "MMMM d, y",
        "full" => "EEEE, MMMM d, y",
        _ => return None,
    };
    let clock = match time {
        "short" => "h:mm a",
        "" | "medium" => "h:mm:ss a",
        "long" => "h:mm:ss a z",
        "full" => "h:mm:ss a zzzz",
        _ => return None,
    };
    let glue = if matches!(date, "long" | "full") { " 'at' " } else { ", " };
    Some(match kind {
        DateKind::Date => day.to_owned(),
        DateKind::Time => clock.to_owned(),
        DateKind::DateTime => format!("{day}{glue}{clock}"),
    })
}

impl Context<'_> {
    fn format_of(&self, kind: DateKind) -> std::rc::Rc<str> {
        match kind {
            DateKind::Date => self.settings.date.clone(),
            DateKind::Time => self.settings.time.clone(),
            DateKind::DateTime => self.settings.datetime.clone(),
        }
    }

    /// A date as the settings print it.
    pub(crate) fn format_date(&mut self, date: Date, pos: Pos) -> Outcome<String> {
        let format = self.format_of(date.kind);
        self.format_date_as(date, &format, pos)
    }

    /// A date by a style, `iso`, `xs` or a pattern.
    pub(crate) fn format_date_as(&mut self, date: Date, format: &str, pos: Pos) -> Outcome<String> {
        self.spend(4, pos)?;
        self.spend_bytes(format.len(), pos)?;
        let zone = self.settings.zone;
        if let Some(iso) = IsoFormat::parse(format).map_err(|why| pos.bad(why))? {
            return iso.format(date, zone, pos);
        }
        match style(format, date.kind) {
            Some(known) => pattern::format(date.civil(zone, pos)?, zone, &known, pos),
            None => pattern::format(date.civil(zone, pos)?, zone, format, pos),
        }
    }

    /// Reads a date by `iso`, `xs` or a pattern; without one by the settings.
    pub(crate) fn read_date(
        &mut self,
        text: &str,
        kind: DateKind,
        format: Option<&str>,
        pos: Pos,
    ) -> Outcome<Date> {
        let set = self.format_of(kind);
        let format = format.unwrap_or(&set);
        self.spend(4, pos)?;
        self.spend_bytes(format.len() + text.len(), pos)?;
        let zone = self.settings.zone;
        if IsoFormat::parse(format).map_err(|why| pos.bad(why))?.is_some() {
            return iso::read(text, kind, zone, pos);
        }
        if style(format, kind).is_some() {
            return Err(pos.unsupported(
                "a pattern is needed to read a date, such as ?datetime(\"yyyy-MM-dd HH:mm:ss\")",
            ));
        }
        reading::read(text, format, kind, zone, pos)
    }
}

#[cfg(test)]
mod tests;
