//! `?sort`, `?sort_by`, `?min` and `?max`.

use std::cmp::Ordering;

use super::Site;
use crate::{
    ast::Comparison,
    collate::{self, Key},
    context::Context,
    date::Date,
    error::Outcome,
    number::Number,
    value::{Maybe, Value},
};

/// What items are sorted by.
enum By {
    Text(Key),
    Number(Number),
    Date(Date),
    Bool(bool),
}

fn by(value: &Value<'_>, site: Site) -> Outcome<By> {
    Ok(match value {
        Value::Text(text) => {
            By::Text(collate::key(text.as_str()).map_err(|why| site.pos.unsupported(why))?)
        }
        Value::Nothing => By::Text(collate::key("").map_err(|why| site.pos.unsupported(why))?),
        Value::Number(number) => By::Number(number.clone()),
        Value::Date(date) => By::Date(*date),
        Value::Bool(value) => By::Bool(*value),
        Value::Matches(matches) => By::Bool(matches.entire),
        other => {
            return Err(site.pos.wrong_type(format!(
                "?{} needs texts, numbers, dates or booleans, not {}",
                site.name,
                other.name()
            )));
        }
    })
}

/// The order of two keys; absent when they are of different types.
fn order(a: &By, b: &By) -> Option<Ordering> {
    match (a, b) {
        (By::Text(a), By::Text(b)) => Some(a.compare(b)),
        (By::Number(a), By::Number(b)) => Some(a.compare(b)),
        (By::Date(a), By::Date(b)) => Some(a.millis.cmp(&b.millis)),
        (By::Bool(a), By::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn sorted<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    path: &[String],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let list = cx.collect(&site.sequence(value)?, site.pos)?;
    let mut keyed: Vec<(By, Maybe<'e>)> = Vec::with_capacity(list.len());
    for item in list {
        // Sorting compares each some dozen times.
        cx.spend(8, site.pos)?;
        let mut key = item.clone();
        for step in path {
            key = match key {
                Some(Value::Hash(hash)) => hash.get(step, site.pos)?,
                Some(Value::Nothing) => None,
                _ => return Err(site.pos.wrong_type("?sort_by needs hashes in the sequence")),
            };
        }
        let Some(key) = key else {
            return Err(site
                .pos
                .bad(format!("?{} meets an item whose key is missing or null", site.name)));
        };
        if let Value::Text(text) = &key {
            cx.room(text.as_str().len() * 3, site.pos)?;
        }
        let key = by(&key, site)?;
        if keyed.first().is_some_and(|(first, _)| order(first, &key).is_none()) {
            return Err(site.pos.wrong_type(format!("?{} needs items of one type", site.name)));
        }
        keyed.push((key, item));
    }
    keyed.sort_by(|(a, _), (b, _)| order(a, b).unwrap_or(Ordering::Equal));
    cx.sequence(keyed.into_iter().map(|(_, item)| item).collect(), site.pos).map(Some)
}

pub(super) fn sort<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    sorted(cx, value, &[], site)
}

pub(super) fn sort_by<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let mut path = Vec::new();
    if let Some(Some(Value::Sequence(names))) = args.first() {
        let names = cx.collect(names, site.pos)?;
        for at in 0..names.len() {
            path.push(site.text(&names, at)?.to_owned());
        }
    } else {
        path.push(site.text(args, 0)?.to_owned());
    }
    if path.len() > crate::budget::MAX_NESTING {
        return Err(site.pos.over("the path of ?sort_by is too long"));
    }
    sorted(cx, value, &path, site)
}

fn extreme<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    better: Comparison,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let list = cx.collect(&site.sequence(value)?, site.pos)?;
    let mut best: Maybe<'e> = None;
    for item in list.into_iter().flatten() {
        cx.spend(1, site.pos)?;
        let replaces = match &best {
            None => {
                if !matches!(item, Value::Number(_) | Value::Date(_)) {
                    return Err(site
                        .pos
                        .wrong_type(format!("?{} needs numbers or dates", site.name)));
                }
                true
            }
            Some(best) => cx.compare(better, &item, best, site.pos)?,
        };
        if replaces {
            best = Some(item);
        }
    }
    Ok(best)
}

pub(super) fn min<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    extreme(cx, value, Comparison::Less, site)
}

pub(super) fn max<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    extreme(cx, value, Comparison::Greater, site)
}
