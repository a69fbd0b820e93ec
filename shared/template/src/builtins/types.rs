//! `?is_…`, `?c`, `?string`, `?number` and `?boolean`.

use super::Site;
use crate::{
    ast::{Args, Call},
    context::Context,
    date::DateKind,
    error::Outcome,
    number::Number,
    number_format::Format,
    value::{Maybe, Text, Value},
};

macro_rules! type_tests {
    ($($name:ident: $value:ident => $test:expr;)+) => {
        $(pub(super) fn $name<'e>(_: &mut Context<'e>, $value: &Value<'e>, _: &[Maybe<'e>], _: Site) -> Outcome<Maybe<'e>> {
            Ok(Some(Value::Bool($test)))
        })+
    };
}

type_tests! {
    is_string: value => matches!(value, Value::Text(_) | Value::Nothing);
    is_number: value => matches!(value, Value::Number(_));
    is_boolean: value => matches!(value, Value::Bool(_) | Value::Matches(_));
    is_sequence: value => matches!(value, Value::Sequence(_) | Value::Nothing | Value::Matches(_));
    is_enumerable: value => matches!(value, Value::Sequence(_) | Value::Nothing | Value::Matches(_));
    is_hash_ex: value => matches!(value, Value::Hash(_) | Value::Nothing);
    is_date_like: value => matches!(value, Value::Date(_));
    is_date_only: value => matches!(value, Value::Date(date) if date.kind == DateKind::Date);
    is_time: value => matches!(value, Value::Date(date) if date.kind == DateKind::Time);
    is_datetime: value => matches!(value, Value::Date(date) if date.kind == DateKind::DateTime);
    is_unknown_date_like: _value => false;
    is_macro: value => matches!(value, Value::Macro(_));
    is_transform: _value => false;
    is_node: _value => false;
    is_markup_output: _value => false;
}

/// What FreeMarker's answer depends on how a text was made for.
fn ambiguous<'e>(value: &Value<'e>, otherwise: bool, site: Site) -> Outcome<Maybe<'e>> {
    match value {
        Value::Text(Text::Formatted(_)) => Err(site
            .pos
            .unsupported(format!("?{} of what ?string gives is not supported", site.name))),
        _ => Ok(Some(Value::Bool(otherwise))),
    }
}

pub(super) fn is_hash<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    ambiguous(value, matches!(value, Value::Hash(_) | Value::Nothing), site)
}

pub(super) fn is_method<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    ambiguous(value, false, site)
}

/// `?c`: for computers.
pub(super) fn c<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    match value {
        Value::Number(number) => cx.text(Format::computer().format(number), site.pos).map(Some),
        Value::Bool(value) => Ok(Some(Value::text(if *value { "true" } else { "false" }))),
        Value::Matches(matches) => {
            Ok(Some(Value::text(if matches.entire { "true" } else { "false" })))
        }
        other => Err(site
            .pos
            .wrong_type(format!("?c needs a number or a boolean, not {}", other.name()))),
    }
}

/// `?string`, `?string("…")`, `?string["…"]`, `?string.name` and `?string("yes", "no")`.
pub(super) fn string<'e>(cx: &mut Context<'e>, call: &'e Call, site: Site) -> Outcome<Maybe<'e>> {
    let pos = site.pos;
    let value = cx.whole(&call.target, pos)?;
    let mut formats = Vec::new();
    match &call.args {
        Args::None | Args::Lambda(..) => {}
        Args::List(_) => {
            let args = cx.arguments(&call.args)?;
            for at in 0..args.len() {
                formats.push(cx.printed_arg(&args, at, site)?);
            }
        }
        Args::Name(name) => formats.push(Text::Borrowed(name)),
        Args::Key(key) => {
            let key = cx.whole(key, pos)?;
            if let (Value::Text(_) | Value::Nothing, Value::Number(_) | Value::Sequence(_)) =
                (&value, &key)
            {
                return cx.index(&value, key, pos);
            }
            match &key {
                Value::Text(text) => formats.push(text.clone()),
                other => {
                    return Err(pos
                        .wrong_type(format!("?string needs a text in [ ], not {}", other.name())));
                }
            }
        }
    }
    let one = match formats.as_slice() {
        [] => None,
        [one] => Some(one.as_str()),
        [yes, no] => {
            let truth = match &value {
                Value::Bool(truth) => *truth,
                Value::Matches(matches) => matches.entire,
                other => {
                    return Err(pos.wrong_type(format!(
                        "?string with two texts needs a boolean, not {}",
                        other.name()
                    )));
                }
            };
            return Ok(Some(Value::Text(if truth { yes.clone() } else { no.clone() })));
        }
        _ => return Err(pos.bad("?string takes a format, or two texts")),
    };
    match (&value, one) {
        (Value::Number(number), Some(format)) => {
            let format = cx.number_format(format, pos)?;
            cx.text(format.format(number), pos).map(Some)
        }
        (Value::Date(date), Some(format)) => {
            let text = cx.format_date_as(*date, format, pos)?;
            cx.text(text, pos).map(Some)
        }
        (Value::Number(_) | Value::Date(_), None) => {
            Ok(Some(formatted(cx.printed(&value, pos)?.as_str())))
        }
        (Value::Text(_) | Value::Nothing, None) => Ok(Some(Value::Text(cx.printed(&value, pos)?))),
        (Value::Bool(truth), None) => Ok(Some(plain_boolean(cx, *truth))),
        (Value::Matches(matches), None) => Ok(Some(plain_boolean(cx, matches.entire))),
        (other, _) => Err(pos.wrong_type(format!("?string cannot print {} so", other.name()))),
    }
}

/// `?string` of a boolean prints even without a format.
fn plain_boolean<'e>(cx: &Context<'e>, value: bool) -> Value<'e> {
    match &cx.settings.boolean {
        Some((yes, no)) => formatted(if value { yes } else { no }),
        None => formatted(if value { "true" } else { "false" }),
    }
}

fn formatted<'e>(text: &str) -> Value<'e> {
    Value::Text(Text::Formatted(text.into()))
}

pub(super) fn number<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    if let Value::Number(_) = value {
        return Ok(Some(value.clone()));
    }
    let text = cx.printed(value, site.pos)?;
    let number = Number::parse(text.as_str()).map_err(|error| error.at(site.pos))?;
    Ok(Some(Value::Number(number)))
}

pub(super) fn boolean<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    if let Value::Bool(_) = value {
        return Ok(Some(value.clone()));
    }
    let text = cx.printed(value, site.pos)?;
    let known = match &cx.settings.boolean {
        Some((yes, _)) if text.as_str() == &**yes => Some(true),
        Some((_, no)) if text.as_str() == &**no => Some(false),
        _ => None,
    };
    match (known, text.as_str()) {
        (Some(value), _) => Ok(Some(Value::Bool(value))),
        (None, "true") => Ok(Some(Value::Bool(true))),
        (None, "false") => Ok(Some(Value::Bool(false))),
        _ => Err(site.pos.bad("the text is not a boolean; `true` and `false` are")),
    }
}
