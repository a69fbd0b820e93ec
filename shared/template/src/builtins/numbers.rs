//! Numbers.

use super::Site;
use crate::{
    context::Context,
    date::{Date, DateKind},
    error::Outcome,
    number::{NoNumber, Number, Whole},
    value::{Maybe, Value},
};

fn number(value: &Value<'_>, site: Site) -> Outcome<Number> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        other => {
            Err(site.pos.wrong_type(format!("?{} needs a number, not {}", site.name, other.name())))
        }
    }
}

fn made<'e>(number: Result<Number, NoNumber>, site: Site) -> Outcome<Maybe<'e>> {
    number.map(|number| Some(Value::Number(number))).map_err(|error| error.at(site.pos))
}

macro_rules! numeric {
    ($($name:ident($number:ident) => $result:expr;)+) => {
        $(pub(super) fn $name<'e>(_: &mut Context<'e>, value: &Value<'e>, _: &[Maybe<'e>], site: Site) -> Outcome<Maybe<'e>> {
            let $number = number(value, site)?;
            made($result, site)
        })+
    };
}

numeric! {
    abs(number) => number.absolute();
    floor(number) => number.to_whole(Whole::Floor);
    ceiling(number) => number.to_whole(Whole::Ceiling);
    round(number) => number.to_whole(Whole::Round);
    int(number) => number.to_i32().map(|whole| Number::Whole(whole.into()));
    double(number) => Number::double(number.to_f64());
}

/// Of a number its whole part; of a date its milliseconds.
pub(super) fn long<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    if let Value::Date(date) = value {
        return Ok(Some(Value::Number(Number::Whole(date.millis))));
    }
    made(number(value, site)?.to_i64().map(Number::Whole), site)
}

pub(super) fn never<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    number(value, site)?;
    Ok(Some(Value::Bool(false)))
}

fn to_date<'e>(value: &Value<'e>, kind: DateKind, site: Site) -> Outcome<Maybe<'e>> {
    let number = number(value, site)?;
    let rounded = number.to_decimal().with_scale_round(0, bigdecimal::RoundingMode::HalfUp);
    let whole =
        Number::decimal(rounded).and_then(|number| number.to_i64()).map_err(|e| e.at(site.pos))?;
    Ok(Some(Value::Date(Date { millis: whole, kind })))
}

pub(super) fn to_date_only<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    to_date(value, DateKind::Date, site)
}

pub(super) fn to_time<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    to_date(value, DateKind::Time, site)
}

pub(super) fn to_datetime<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    to_date(value, DateKind::DateTime, site)
}

/// `?lower_abc` and `?upper_abc`: 1 is a, 26 is z, 27 is aa.
fn letters<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    first: u8,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let number = number(value, site)?;
    let whole = number.to_i32().map_err(|error| error.at(site.pos))?;
    if number.compare(&Number::Whole(whole.into())).is_ne() || whole < 1 {
        return Err(site.pos.bad(format!("?{} needs a whole number from 1", site.name)));
    }
    let mut left = whole;
    let mut reversed = Vec::new();
    while left > 0 {
        left -= 1;
        reversed.push(char::from(first + u8::try_from(left % 26).unwrap_or(0)));
        left /= 26;
    }
    cx.text(reversed.into_iter().rev().collect(), site.pos).map(Some)
}

pub(super) fn lower_abc<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    letters(cx, value, b'a', site)
}

pub(super) fn upper_abc<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    letters(cx, value, b'A', site)
}
