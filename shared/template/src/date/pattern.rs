//! Printing by the patterns of Java's `SimpleDateFormat`, for `en_US`.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use super::Zone;
use crate::error::{Failure, Outcome, Pos};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The most letters of one kind beside each other.
const MAX_RUN: usize = 32;

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Literal(char),
    Field(char, usize),
}

/// The parts of a pattern.
pub(super) fn parts(pattern: &str, pos: Pos) -> Outcome<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut quoted = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\'' {
            if characters.next_if_eq(&'\'').is_some() {
                parts.push(Part::Literal('\''));
            } else {
                quoted = !quoted;
            }
        } else if quoted || !character.is_ascii_alphabetic() {
            parts.push(Part::Literal(character));
        } else {
            let mut count = 1;
            while characters.next_if_eq(&character).is_some() {
                count += 1;
            }
            if !"yMLdDEuaHkKhmsSzZX".contains(character)
                || count > MAX_RUN
                || (character == 'X' && count > 3)
            {
                return Err(unknown(character, pos));
            }
            parts.push(Part::Field(character, count));
        }
    }
    if quoted {
        return Err(pos.bad("the date format has a quote that is not closed"));
    }
    Ok(parts)
}

pub(super) fn unknown(letter: char, pos: Pos) -> Failure {
    pos.unsupported(format!("the date format has `{letter}` at a place where it is not supported"))
}

/// The hours and minutes of an offset.
fn clock(zone: Zone) -> (char, u32, u32) {
    let minutes = zone.seconds.unsigned_abs() / 60;
    (if zone.seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}

pub(super) fn format(civil: DateTime, zone: Zone, pattern: &str, pos: Pos) -> Outcome<String> {
    let mut out = String::new();
    for part in parts(pattern, pos)? {
        match part {
            Part::Literal(character) => out.push(character),
            Part::Field(letter, count) => field(&mut out, civil, zone, letter, count, pos)?,
        }
    }
    Ok(out)
}

fn field(
    out: &mut String,
    civil: DateTime,
    zone: Zone,
    letter: char,
    count: usize,
    pos: Pos,
) -> Outcome<()> {
    let hour = i32::from(civil.hour());
    let number = match letter {
        'y' if count == 2 => i32::from(civil.year() % 100),
        'y' => i32::from(civil.year()),
        'M' | 'L' if count < 3 => i32::from(civil.month()),
        'd' => i32::from(civil.day()),
        'D' => i32::from(civil.day_of_year()),
        'u' => i32::from(civil.weekday().to_monday_one_offset()),
        'H' => hour,
        'k' => {
            if hour == 0 {
                24
            } else {
                hour
            }
        }
        'K' => hour % 12,
        'h' => {
            if hour % 12 == 0 {
                12
            } else {
                hour % 12
            }
        }
        'm' => i32::from(civil.minute()),
        's' => i32::from(civil.second()),
        'S' => i32::from(civil.millisecond()),
        'M' | 'L' => {
            let name = name_at(&MONTHS, civil.month() - 1);
            out.push_str(if count == 3 { abbreviated(name) } else { name });
            return Ok(());
        }
        'E' => {
            let name = name_at(&DAYS, civil.weekday().to_monday_zero_offset());
            out.push_str(if count < 4 { abbreviated(name) } else { name });
            return Ok(());
        }
        'a' => {
            out.push_str(if hour < 12 { "AM" } else { "PM" });
            return Ok(());
        }
        'z' => {
            out.push_str(&if count < 4 { zone.short() } else { zone.long() });
            return Ok(());
        }
        'Z' | 'X' => {
            let (sign, hours, minutes) = clock(zone);
            // Writing to a String cannot fail.
            let _ = match (letter, count) {
                ('X', _) if zone.seconds == 0 => write!(out, "Z"),
                ('X', 1) => write!(out, "{sign}{hours:02}"),
                ('X', 3) => write!(out, "{sign}{hours:02}:{minutes:02}"),
                _ => write!(out, "{sign}{hours:02}{minutes:02}"),
            };
            return Ok(());
        }
        other => return Err(unknown(other, pos)),
    };
    let _ = write!(out, "{number:0count$}");
    Ok(())
}

fn name_at(names: &[&'static str], at: i8) -> &'static str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

pub(super) fn abbreviated(name: &'static str) -> &'static str {
    name.get(..3).unwrap_or(name)
}
