//! `?replace`, `?split`, `?matches`, and what keeps or removes a part of a text found in it.

use super::{
    Site,
    patterns::{Flags, Pattern},
    strings::basic,
};
use crate::{
    budget::MAX_ITEMS,
    context::Context,
    error::Outcome,
    value::{Maybe, Text, Value},
};

type Args<'v, 'e> = &'v [Maybe<'e>];

/// Flags that must not be those of regular expressions alone, if it is none.
fn flags(args: Args<'_, '_>, at: usize, site: Site) -> Outcome<Flags> {
    if args.len() <= at {
        return Ok(Flags::default());
    }
    let flags = Flags::parse(site.text(args, at)?, site)?;
    if !flags.regex && (flags.multi_line || flags.dot_all) {
        return Err(site.pos.bad("the flags m and s need r"));
    }
    Ok(flags)
}

/// Both in lower case, where the flag i asks for it. Only of ASCII, where no place moves.
fn folded(text: &str, wanted: &str, flags: Flags, site: Site) -> Outcome<Option<(String, String)>> {
    if !flags.ignore_case {
        return Ok(None);
    }
    if !text.is_ascii() || !wanted.is_ascii() {
        return Err(site.pos.unsupported("the flag i is for ASCII texts only"));
    }
    Ok(Some((text.to_ascii_lowercase(), wanted.to_ascii_lowercase())))
}

/// Where a text or pattern is found: the first time or the last.
fn locate(
    cx: &mut Context<'_>,
    text: &str,
    wanted: &str,
    flags: Flags,
    last: bool,
    site: Site,
) -> Outcome<Option<(usize, usize)>> {
    cx.spend_bytes(text.len() + wanted.len(), site.pos)?;
    if flags.regex {
        if last && wanted.is_empty() {
            return Ok(Some((text.len(), text.len())));
        }
        let pattern = Pattern::compile(cx, wanted, flags, false, site)?;
        let mut found = None;
        let mut many = 0;
        let mut at = 0;
        pattern.admit(cx, text, site)?;
        while let Some(place) = pattern.regex.find_at(text, at) {
            if last && place.start() == text.len() {
                // FreeMarker searches on one place after the end, and fails.
                return Err(site.pos.bad("the last match is empty, at the end of the text"));
            }
            found = Some((place.start(), place.end()));
            many += 1;
            cx.spend(4 + (place.end() - at) / 16, site.pos)?;
            let next = text.get(place.start()..).and_then(|rest| rest.chars().next());
            if many > MAX_ITEMS {
                return Err(site
                    .pos
                    .over(format!("?{} finds more than {MAX_ITEMS} matches", site.name)));
            }
            let Some(next) = next.filter(|_| last) else { break };
            at = place.start() + next.len_utf8();
        }
        return Ok(found);
    }
    let folded = folded(text, wanted, flags, site)?;
    let (text, wanted) = folded.as_ref().map_or((text, wanted), |(text, wanted)| (text, wanted));
    let at = if last { text.rfind(wanted) } else { text.find(wanted) };
    Ok(at.map(|at| (at, at + wanted.len())))
}

fn keep<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    (before, last): (bool, bool),
    site: Site,
) -> Outcome<Maybe<'e>> {
    let wanted = site.text(args, 0)?.to_owned();
    let flags = flags(args, 1, site)?;
    let found = locate(cx, text.as_str(), &wanted, flags, last, site)?;
    let whole = text.as_str().len();
    let (from, to) = match (found, before) {
        (Some((start, _)), true) => (0, start),
        (None, true) => (0, whole),
        (Some((_, end)), false) => (end, whole),
        (None, false) => return Ok(Some(Value::text(""))),
    };
    cx.part(text, from, to, site.pos).map(Some)
}

macro_rules! keepers {
    ($($name:ident => $side:expr;)+) => {
        $(pub(super) fn $name<'e>(cx: &mut Context<'e>, text: &Text<'e>, args: Args<'_, 'e>, site: Site) -> Outcome<Maybe<'e>> {
            keep(cx, text, args, $side, site)
        })+
    };
}

keepers! {
    keep_before => (true, false);
    keep_before_last => (true, true);
    keep_after => (false, false);
    keep_after_last => (false, true);
}

pub(super) fn ensure_starts_with<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let wanted = site.text(args, 0)?;
    let (starts, added) = if args.len() < 2 {
        (text.as_str().starts_with(wanted), wanted)
    } else {
        let added = site.text(args, 1)?;
        let flags = if args.len() > 2 {
            flags(args, 2, site)?
        } else {
            Flags { regex: true, ..Flags::default() }
        };
        let found = if flags.regex {
            let anchored = format!("(?:{wanted})");
            let pattern = Pattern::compile(cx, &anchored, flags, false, site)?;
            pattern.admit(cx, text.as_str(), site)?;
            let start = pattern.regex.find(text.as_str()).map(|place| place.start());
            if start.is_some_and(|start| start > 0) {
                // A search may prefer a later match to none at the start, but never a later one to one at the start.
                None
            } else {
                start
            }
        } else {
            let folded = folded(text.as_str(), wanted, flags, site)?;
            let (text, wanted) =
                folded.as_ref().map_or((text.as_str(), wanted), |(text, wanted)| (text, wanted));
            text.starts_with(wanted).then_some(0)
        };
        (found == Some(0), added)
    };
    if starts {
        return Ok(Some(Value::Text(text.clone())));
    }
    cx.room(text.as_str().len() + added.len(), site.pos)?;
    cx.text(format!("{added}{}", text.as_str()), site.pos).map(Some)
}

pub(super) fn replace<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let wanted = cx.printed_arg(args, 0, site)?;
    let by = cx.printed_arg(args, 1, site)?;
    let flags = flags(args, 2, site)?;
    let (whole, wanted, by) = (text.as_str(), wanted.as_str(), by.as_str());
    if flags.regex {
        return replace_pattern(cx, whole, wanted, by, flags, site);
    }
    if wanted.is_empty() {
        return insert(cx, text, by, flags, site);
    }
    let folded = folded(whole, wanted, flags, site)?;
    let (searched, wanted) =
        folded.as_ref().map_or((whole, wanted), |(text, wanted)| (text.as_str(), wanted.as_str()));
    let mut out = String::new();
    let mut at = 0;
    while let Some(found) = searched.get(at..).and_then(|rest| rest.find(wanted)) {
        cx.spend(1, site.pos)?;
        out.push_str(whole.get(at..at + found).unwrap_or_default());
        out.push_str(by);
        cx.room(by.len(), site.pos)?;
        too_long(out.len(), site)?;
        at += found + wanted.len();
        if flags.first_only {
            break;
        }
    }
    if at == 0 {
        return Ok(Some(Value::Text(text.clone())));
    }
    out.push_str(whole.get(at..).unwrap_or_default());
    cx.text(out, site.pos).map(Some)
}

fn too_long(bytes: usize, site: Site) -> Outcome<()> {
    if bytes > crate::budget::MAX_OUTPUT {
        return Err(site.pos.over(format!(
            "?{} makes a text of more than {} bytes",
            site.name,
            crate::budget::MAX_OUTPUT
        )));
    }
    Ok(())
}

/// Replacing the empty text: between all characters, and at both ends.
fn insert<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    by: &str,
    flags: Flags,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let whole = text.as_str();
    if by.is_empty() {
        return Ok(Some(Value::Text(text.clone())));
    }
    if flags.first_only {
        return cx.text(format!("{by}{whole}"), site.pos).map(Some);
    }
    let count = basic(whole, site)?.chars().count();
    cx.room((count + 1).saturating_mul(by.len()) + whole.len(), site.pos)?;
    let mut out = by.to_owned();
    for character in whole.chars() {
        out.push(character);
        out.push_str(by);
    }
    cx.text(out, site.pos).map(Some)
}

fn replace_pattern<'e>(
    cx: &mut Context<'e>,
    text: &str,
    wanted: &str,
    by: &str,
    flags: Flags,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let pattern = Pattern::compile(cx, wanted, flags, false, site)?;
    // Read at the first match only: what is wrong with it does not matter before.
    let mut parts: Option<Vec<Part>> = None;
    let mut out = String::new();
    let mut at = 0;
    pattern.find_all(cx, text, flags.first_only, site, |cx, captures| {
        let Some(whole) = captures.get(0) else { return Ok(()) };
        out.push_str(text.get(at..whole.start()).unwrap_or_default());
        let before = out.len();
        if parts.is_none() {
            parts = Some(replacement(by, captures.len(), site)?);
        }
        for part in parts.iter().flatten() {
            match part {
                Part::Literal(character) => out.push(*character),
                Part::Group(group) => {
                    out.push_str(captures.get(*group).map_or("", |group| group.as_str()));
                }
            }
        }
        cx.room(out.len() - before, site.pos)?;
        too_long(out.len(), site)?;
        at = whole.end();
        Ok(())
    })?;
    out.push_str(text.get(at..).unwrap_or_default());
    cx.text(out, site.pos).map(Some)
}

enum Part {
    Literal(char),
    Group(usize),
}

/// The parts of a replacement: `$1` is a group, `\$` a dollar.
fn replacement(by: &str, groups: usize, site: Site) -> Outcome<Vec<Part>> {
    let mut parts = Vec::new();
    let mut characters = by.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(next) => parts.push(Part::Literal(next)),
                None => return Err(site.pos.bad("the replacement ends with a backslash")),
            },
            '$' => {
                let digit = |c: &char| c.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
                let Some(mut group) =
                    characters.next().as_ref().and_then(digit).filter(|group| *group < groups)
                else {
                    return Err(site.pos.bad(
                        "the replacement names a group that there is not; `\\$` is a dollar",
                    ));
                };
                // Further digits belong to the number as long as there is such a group.
                while let Some(more) =
                    characters.peek().and_then(digit).map(|digit| group * 10 + digit)
                    && more < groups
                {
                    group = more;
                    characters.next();
                }
                parts.push(Part::Group(group));
            }
            other => parts.push(Part::Literal(other)),
        }
    }
    Ok(parts)
}

pub(super) fn split<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: Args<'_, 'e>,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let separator = cx.printed_arg(args, 0, site)?;
    let flags = flags(args, 1, site)?;
    let (whole, separator) = (text.as_str(), separator.as_str());
    let mut list = Vec::new();
    let mut push = |cx: &mut Context<'e>, part: &str| {
        cx.spend(1, site.pos)?;
        list.push(Some(cx.text(part.to_owned(), site.pos)?));
        if list.len() > MAX_ITEMS {
            return Err(site.pos.over(format!("?split makes more than {MAX_ITEMS} parts")));
        }
        Ok(())
    };
    if flags.regex {
        return split_pattern(cx, whole, separator, flags, site);
    }
    if separator.is_empty() {
        for (at, character) in basic(whole, site)?.char_indices() {
            push(cx, whole.get(at..at + character.len_utf8()).unwrap_or_default())?;
        }
        return cx.sequence(list, site.pos).map(Some);
    }
    let folded = folded(whole, separator, flags, site)?;
    let (searched, separator) = folded
        .as_ref()
        .map_or((whole, separator), |(text, wanted)| (text.as_str(), wanted.as_str()));
    let mut at = 0;
    while let Some(found) = searched.get(at..).and_then(|rest| rest.find(separator)) {
        push(cx, whole.get(at..at + found).unwrap_or_default())?;
        at += found + separator.len();
    }
    push(cx, whole.get(at..).unwrap_or_default())?;
    cx.sequence(list, site.pos).map(Some)
}

/// As Java's `Pattern.split`: no empty part before an empty match at the start, and no empty parts at the end.
fn split_pattern<'e>(
    cx: &mut Context<'e>,
    text: &str,
    separator: &str,
    flags: Flags,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let pattern = Pattern::compile(cx, separator, flags, false, site)?;
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    let mut any = false;
    pattern.find_all(cx, text, false, site, |cx, captures| {
        let Some(whole) = captures.get(0) else { return Ok(()) };
        if whole.end() == 0 {
            return Ok(());
        }
        any = true;
        cx.room_for_items(1, site.pos)?;
        parts.push(text.get(at..whole.start()).unwrap_or_default().to_owned());
        if parts.len() > MAX_ITEMS {
            return Err(site.pos.over(format!("?split makes more than {MAX_ITEMS} parts")));
        }
        at = whole.end();
        Ok(())
    })?;
    parts.push(text.get(at..).unwrap_or_default().to_owned());
    if any {
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
    }
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        list.push(Some(cx.text(part, site.pos)?));
    }
    cx.sequence(list, site.pos).map(Some)
}
