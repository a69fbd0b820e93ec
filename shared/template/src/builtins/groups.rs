//! `?matches` and `?groups`.

use std::rc::Rc;

use super::{
    Site,
    patterns::{Flags, Pattern},
};
use crate::{
    context::Context,
    error::Outcome,
    value::{Matches, Maybe, Text, Value},
};

pub(super) fn matches<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let wanted = cx.printed_arg(args, 0, site)?;
    let flags =
        if args.len() > 1 { Flags::parse(site.text(args, 1)?, site)? } else { Flags::default() };
    if flags.first_only {
        return Err(site.pos.bad("?matches has no flag f"));
    }
    let whole = text.as_str();
    let entire = Pattern::compile(cx, wanted.as_str(), flags, true, site)?;
    entire.admit(cx, whole, site)?;
    let mut groups = None;
    if let Some(captures) = entire.regex.captures(whole) {
        let mut list = Vec::new();
        for group in captures.iter() {
            list.push(Some(
                cx.text(group.map_or("", |group| group.as_str()).to_owned(), site.pos)?,
            ));
        }
        groups = Some(cx.items(list, site.pos)?);
    }
    let each = Pattern::compile(cx, wanted.as_str(), flags, false, site)?;
    let mut parts: Vec<String> = Vec::new();
    each.find_all(cx, whole, false, site, |cx, captures| {
        cx.room_for_items(1, site.pos)?;
        parts.push(captures.get(0).map_or("", |part| part.as_str()).to_owned());
        if parts.len() > crate::budget::MAX_ITEMS {
            return Err(site.pos.over("?matches finds too many matches"));
        }
        Ok(())
    })?;
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        list.push(Some(cx.text(part, site.pos)?));
    }
    let items = cx.items(list, site.pos)?;
    Ok(Some(Value::Matches(Rc::new(Matches { entire: groups.is_some(), groups, items }))))
}

pub(super) fn groups<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let Value::Matches(matches) = value else {
        return Err(site
            .pos
            .wrong_type(format!("?groups needs the result of ?matches, not {}", value.name())));
    };
    match &matches.groups {
        Some(groups) => Ok(Some(Value::Sequence(groups.clone()))),
        None => Err(site.pos.bad("?groups needs a text that matches as a whole")),
    }
}
