//! Reading by the patterns of Java's `SimpleDateFormat`, for `en_US`.
//!
//! Java is lenient: the 32nd of January is the 1st of February to it, and what follows the date is not read. The
//! latter is so here too; a field out of its range is an error.

use jiff::civil::DateTime;

use super::{
    Date, DateKind, Zone, offset,
    pattern::{DAYS, MONTHS, Part, abbreviated, parts, unknown},
};
use crate::error::{Failure, Outcome, Pos};

struct Reader<'t> {
    rest: &'t str,
    pos: Pos,
}

#[derive(Default)]
struct Fields {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    milli: i64,
    zone: Option<Zone>,
}

fn mismatch(pos: Pos) -> Failure {
    pos.bad("the text does not match the date format")
}

pub(super) fn read(
    text: &str,
    pattern: &str,
    kind: DateKind,
    zone: Zone,
    pos: Pos,
) -> Outcome<Date> {
    let parts = parts(pattern, pos)?;
    let mut reader = Reader { rest: text, pos };
    let mut fields = Fields::default();
    for (at, part) in parts.iter().enumerate() {
        match *part {
            Part::Literal(character) => {
                reader.rest = reader.rest.strip_prefix(character).ok_or_else(|| mismatch(pos))?;
            }
            Part::Field(letter, count) => {
                let adjacent = matches!(parts.get(at + 1), Some(Part::Field(next, width)) if numeric(*next, *width))
                    || (at > 0
                        && matches!(parts.get(at - 1), Some(Part::Field(last, width)) if numeric(*last, *width)));
                reader.field(&mut fields, letter, count, adjacent)?;
            }
        }
    }
    fields.date(kind, zone, pos)
}

fn numeric(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count < 3,
        other => "ydDuHkKhmsS".contains(other),
    }
}

impl Reader<'_> {
    fn field(
        &mut self,
        fields: &mut Fields,
        letter: char,
        count: usize,
        adjacent: bool,
    ) -> Outcome<()> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        if numeric(letter, count) {
            if letter == 'y' && count < 3 {
                return Err(unknown('y', self.pos));
            }
            let value = self.number(if adjacent { Some(count) } else { None })?;
            return fields.set(letter, value, self.pos);
        }
        match letter {
            'M' | 'L' => fields.month = Some(self.name(&MONTHS)? + 1),
            'E' => {
                self.name(&DAYS)?;
            }
            'a' => {
                let half = self.rest.get(..2).unwrap_or_default().to_ascii_uppercase();
                fields.afternoon = match half.as_str() {
                    "AM" => false,
                    "PM" => true,
                    _ => return Err(mismatch(self.pos)),
                };
                self.rest = self.rest.get(2..).unwrap_or_default();
            }
            'z' => fields.zone = Some(self.zone_name()?),
            'Z' => fields.zone = Some(self.zone_offset(false, true)?),
            'X' => fields.zone = Some(self.zone_offset(count == 3, count > 1)?),
            other => return Err(unknown(other, self.pos)),
        }
        Ok(())
    }

    fn number(&mut self, width: Option<usize>) -> Outcome<i64> {
        let most = width.unwrap_or(9);
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if width.is_none() && digits > most {
            return Err(mismatch(self.pos));
        }
        let taken = digits.min(most);
        let value = self
            .rest
            .get(..taken)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| mismatch(self.pos))?;
        self.rest = self.rest.get(taken..).unwrap_or_default();
        Ok(value)
    }

    /// The place of the longest name that stands here, in full or abbreviated.
    fn name(&mut self, names: &[&'static str]) -> Outcome<i64> {
        let stands = |name: &str| {
            self.rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name))
        };
        let found = names
            .iter()
            .position(|name| stands(name))
            .map(|at| (at, names.get(at).map_or(0, |name| name.len())))
            .or_else(|| names.iter().position(|name| stands(abbreviated(name))).map(|at| (at, 3)));
        let Some((at, length)) = found else { return Err(mismatch(self.pos)) };
        self.rest = self.rest.get(length..).unwrap_or_default();
        i64::try_from(at).map_err(|_| mismatch(self.pos))
    }

    fn zone_name(&mut self) -> Outcome<Zone> {
        let length = self
            .rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-:".contains(byte))
            .count();
        let name = self.rest.get(..length).unwrap_or_default();
        let zone = offset(name).ok_or_else(|| mismatch(self.pos))?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(zone)
    }

    fn zone_offset(&mut self, colon: bool, minutes: bool) -> Outcome<Zone> {
        if self.rest.starts_with('Z') && (colon || !minutes || self.rest.len() == 1) {
            self.rest = self.rest.get(1..).unwrap_or_default();
            return Ok(Zone::UTC);
        }
        let length = match (minutes, colon) {
            (false, _) => 3,
            (true, false) => 5,
            (true, true) => 6,
        };
        let text = self.rest.get(..length).ok_or_else(|| mismatch(self.pos))?;
        let bytes = text.as_bytes();
        let digits =
            bytes.iter().skip(1).enumerate().all(|(at, byte)| {
                if colon && at == 2 { *byte == b':' } else { byte.is_ascii_digit() }
            });
        if !digits || !matches!(bytes.first(), Some(b'+' | b'-')) {
            return Err(mismatch(self.pos));
        }
        let zone = offset(&format!("GMT{text}")).ok_or_else(|| mismatch(self.pos))?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(zone)
    }
}

impl Fields {
    fn set(&mut self, letter: char, value: i64, pos: Pos) -> Outcome<()> {
        let range = match letter {
            'y' => 1600..=9999,
            'M' | 'L' | 'h' => 1..=12,
            'd' => 1..=31,
            'D' => 1..=366,
            'u' => 1..=7,
            'H' => 0..=23,
            'k' => 1..=24,
            'K' => 0..=11,
            'm' | 's' => 0..=59,
            _ => 0..=999,
        };
        if !range.contains(&value) {
            return Err(pos.unsupported("a field of the date is out of its range"));
        }
        match letter {
            'y' => self.year = Some(value),
            'M' | 'L' => self.month = Some(value),
            'd' => self.day = Some(value),
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = Some(value),
            'k' => self.hour = Some(value % 24),
            'K' => self.half_hour = Some(value),
            'h' => self.half_hour = Some(value % 12),
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.milli = value,
            _ => {}
        }
        Ok(())
    }

    fn date(&self, kind: DateKind, zone: Zone, pos: Pos) -> Outcome<Date> {
        let bad = || pos.unsupported("the date does not exist");
        let hour = match (self.hour, self.half_hour) {
            (Some(hour), None) => hour,
            (None, Some(half)) => half + if self.afternoon { 12 } else { 0 },
            (None, None) => 0,
            (Some(_), Some(_)) => {
                return Err(
                    pos.unsupported("two kinds of hours in a date format are not supported")
                );
            }
        };
        let small = |value: i64| i8::try_from(value).map_err(|_| bad());
        let year = i16::try_from(self.year.unwrap_or(1970)).map_err(|_| bad())?;
        let (month, day) = match self.day_of_year {
            Some(_) if self.day.is_some() || self.month.is_some() => {
                return Err(pos.unsupported("two kinds of days in a date format are not supported"));
            }
            Some(day) => {
                let day = i16::try_from(day).map_err(|_| bad())?;
                let date = jiff::civil::date(year, 1, 1)
                    .with()
                    .day_of_year(day)
                    .build()
                    .map_err(|_| bad())?;
                (date.month(), date.day())
            }
            None => (small(self.month.unwrap_or(1))?, small(self.day.unwrap_or(1))?),
        };
        let nanos = i32::try_from(self.milli * 1_000_000).map_err(|_| bad())?;
        let civil = DateTime::new(
            year,
            month,
            day,
            small(hour)?,
            small(self.minute)?,
            small(self.second)?,
            nanos,
        )
        .map_err(|_| bad())?;
        Date::of_civil(civil, self.zone.unwrap_or(zone), kind, pos)
    }
}
