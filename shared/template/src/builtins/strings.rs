//! Texts changed as a whole.

use super::Site;
use crate::{
    context::Context,
    error::Outcome,
    text::{is_basic, is_space, lower, trim as trimmed, unit_at, units, upper},
    value::{Maybe, Text, Value},
};

type Args<'v, 'e> = &'v [Maybe<'e>];

pub(super) fn length<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    Ok(Some(Value::whole(cx.length(text, site.pos)?)))
}

pub(super) fn upper_case<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    cx.text(text.as_str().to_uppercase(), site.pos).map(Some)
}

pub(super) fn lower_case<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    cx.text(text.as_str().to_lowercase(), site.pos).map(Some)
}

pub(super) fn trim<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let whole = text.as_str();
    let from = whole.len() - whole.trim_start_matches(|c| c <= ' ').len();
    let to = from + trimmed(whole).len();
    cx.part(text, from, to, site.pos).map(Some)
}

fn first<'e>(
    cx: &mut Context<'e>,
    text: &str,
    change: fn(char) -> char,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let mut done = false;
    let changed = text
        .chars()
        .map(|c| {
            if done || is_space(c) {
                return c;
            }
            done = true;
            change(c)
        })
        .collect();
    cx.text(changed, site.pos).map(Some)
}

pub(super) fn cap_first<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    first(cx, text.as_str(), upper, site)
}

pub(super) fn uncap_first<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    first(cx, text.as_str(), lower, site)
}

/// Where Java's `StringTokenizer` cuts by default.
fn cuts(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

pub(super) fn capitalize<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let mut out = String::with_capacity(text.as_str().len());
    for word in text.as_str().split_inclusive(cuts) {
        let mut characters = word.chars();
        if let Some(first) = characters.next() {
            if first.len_utf16() == 1 {
                out.extend(first.to_uppercase());
            } else {
                out.push(first);
            }
        }
        out.push_str(&characters.as_str().to_lowercase());
    }
    cx.text(out, site.pos).map(Some)
}

pub(super) fn chop_linebreak<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let whole = text.as_str();
    let chopped =
        ["\r\n", "\n", "\r"].into_iter().find_map(|end| whole.strip_suffix(end)).unwrap_or(whole);
    let to = chopped.len();
    cx.part(text, 0, to, site.pos).map(Some)
}

pub(super) fn word_list<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    _: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let whole = text.as_str();
    let words = whole.split([' ', '\t', '\n', '\r', '\u{c}']).filter(|word| !word.is_empty());
    let mut list = Vec::new();
    for word in words {
        cx.spend(1, site.pos)?;
        list.push(Some(cx.text(word.to_owned(), site.pos)?));
    }
    cx.sequence(list, site.pos).map(Some)
}

pub(super) fn substring<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let length = units(text.as_str());
    let place = |at: usize| {
        let index = usize::try_from(site.index(args, at)?)
            .map_err(|_| site.pos.bad(format!("argument {} of ?substring is negative", at + 1)))?;
        if index > length {
            return Err(site
                .pos
                .bad(format!("argument {} of ?substring is beyond the end of the text", at + 1)));
        }
        Ok(index)
    };
    let from = place(0)?;
    let to = if args.len() > 1 { place(1)? } else { length };
    if from > to {
        return Err(site.pos.bad("?substring begins after its end"));
    }
    cx.between(text, from, to, site.pos).map(Some)
}

pub(super) fn contains<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let wanted = site.text(args, 0)?;
    cx.spend_bytes(wanted.len(), site.pos)?;
    Ok(Some(Value::Bool(text.as_str().contains(wanted))))
}

pub(super) fn starts_with<'e>(
    _: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    Ok(Some(Value::Bool(text.as_str().starts_with(site.text(args, 0)?))))
}

pub(super) fn ends_with<'e>(
    _: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    Ok(Some(Value::Bool(text.as_str().ends_with(site.text(args, 0)?))))
}

/// The place of a text within another, in UTF-16 units, or -1.
fn found<'e>(text: &str, byte: Option<usize>) -> Value<'e> {
    match byte {
        Some(byte) => Value::whole(unit_at(text, byte)),
        None => Value::Number(crate::number::Number::Whole(-1)),
    }
}

pub(super) fn index_of<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let (text, wanted) = (text.as_str(), site.text(args, 0)?);
    cx.spend_bytes(text.len() + wanted.len(), site.pos)?;
    let start = if args.len() > 1 { usize::try_from(site.index(args, 1)?).unwrap_or(0) } else { 0 };
    let length = units(text);
    let Some(from) = crate::text::at_unit(text, start.min(length)) else {
        return Err(site
            .pos
            .unsupported("the search begins within a character that takes two places"));
    };
    Ok(Some(found(text, text.get(from..).and_then(|rest| rest.find(wanted)).map(|at| from + at))))
}

pub(super) fn last_index_of<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let (text, wanted) = (text.as_str(), site.text(args, 0)?);
    cx.spend_bytes(text.len() + wanted.len(), site.pos)?;
    if args.len() < 2 {
        return Ok(Some(found(text, text.rfind(wanted))));
    }
    let Ok(last) = usize::try_from(site.index(args, 1)?) else {
        return Ok(Some(found(text, None)));
    };
    let Some(from) = crate::text::at_unit(text, last.min(units(text))) else {
        return Err(site
            .pos
            .unsupported("the search begins within a character that takes two places"));
    };
    let end = from.saturating_add(wanted.len()).min(text.len());
    let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let at = text.get(..end).and_then(|part| part.rfind(wanted)).filter(|at| *at <= from);
    Ok(Some(found(text, at)))
}

pub(super) fn remove_beginning<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let whole = text.as_str();
    let from = whole.len() - whole.strip_prefix(site.text(args, 0)?).unwrap_or(whole).len();
    let to = whole.len();
    cx.part(text, from, to, site.pos).map(Some)
}

pub(super) fn remove_ending<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let to = text.as_str().strip_suffix(site.text(args, 0)?).unwrap_or(text.as_str()).len();
    cx.part(text, 0, to, site.pos).map(Some)
}

pub(super) fn ensure_ends_with<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let end = site.text(args, 0)?;
    if text.as_str().ends_with(end) {
        return Ok(Some(Value::Text(text.clone())));
    }
    cx.room(text.as_str().len() + end.len(), site.pos)?;
    cx.text(format!("{}{end}", text.as_str()), site.pos).map(Some)
}

/// The characters of a text; only where each is one UTF-16 unit.
pub(super) fn basic(text: &str, site: Site) -> Outcome<&str> {
    if is_basic(text) {
        return Ok(text);
    }
    Err(site.pos.unsupported(format!("?{} would cut a character that takes two places", site.name)))
}
