//! Dates and times.

use super::Site;
use crate::{
    ast::{Args, Call},
    context::Context,
    date::{Accuracy, DateKind, IsoFormat, offset},
    error::Outcome,
    value::{Maybe, Value},
};

fn read<'e>(
    cx: &mut Context<'e>,
    call: &'e Call,
    kind: DateKind,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let target = cx.required(&call.target)?;
    if let Value::Date(date) = target {
        return match call.args {
            Args::None => Ok(Some(Value::Date(date.convert(kind, site.pos)?))),
            _ => Err(site.pos.wrong_type(format!("?{} takes a format only for texts", site.name))),
        };
    }
    let text = cx.printed(&target, site.pos)?;
    let format = match &call.args {
        Args::None | Args::Lambda(..) => None,
        Args::List(_) => {
            let args = cx.arguments(&call.args)?;
            if args.is_empty() { None } else { Some(cx.printed_arg(&args, 0, site)?) }
        }
        Args::Name(name) => Some(crate::value::Text::Borrowed(name)),
        Args::Key(key) => {
            let value = cx.required(key)?;
            Some(cx.printed(&value, key.pos)?)
        }
    };
    let date = cx.read_date(
        text.as_str(),
        kind,
        format.as_ref().map(crate::value::Text::as_str),
        site.pos,
    )?;
    Ok(Some(Value::Date(date)))
}

pub(super) fn date<'e>(cx: &mut Context<'e>, call: &'e Call, site: Site) -> Outcome<Maybe<'e>> {
    read(cx, call, DateKind::Date, site)
}

pub(super) fn time<'e>(cx: &mut Context<'e>, call: &'e Call, site: Site) -> Outcome<Maybe<'e>> {
    read(cx, call, DateKind::Time, site)
}

pub(super) fn datetime<'e>(cx: &mut Context<'e>, call: &'e Call, site: Site) -> Outcome<Maybe<'e>> {
    read(cx, call, DateKind::DateTime, site)
}

/// `?iso_utc_ms_nz` and its family: the name says where, how exactly, and whether with the offset.
pub(super) fn iso<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let Value::Date(date) = value else {
        return Err(site.pos.wrong_type(format!(
            "?{} needs a date or time, not {}",
            site.name,
            value.name()
        )));
    };
    let mut format =
        IsoFormat { accuracy: Accuracy::Seconds, show_zone: None, utc: false, schema: false };
    let mut zone = cx.settings.zone;
    for word in site.name.split('_') {
        match word {
            "utc" => format.utc = true,
            "h" => format.accuracy = Accuracy::Hours,
            "m" => format.accuracy = Accuracy::Minutes,
            "ms" => format.accuracy = Accuracy::Millis,
            "nz" => format.show_zone = Some(false),
            _ => {}
        }
    }
    if !args.is_empty() {
        zone = offset(site.text(args, 0)?)
            .ok_or_else(|| site.pos.unsupported("another time zone is not supported; it must be UTC, GMT, or an offset such as GMT+02:00"))?;
    }
    let text = format.format(*date, zone, site.pos)?;
    cx.text(text, site.pos).map(Some)
}
