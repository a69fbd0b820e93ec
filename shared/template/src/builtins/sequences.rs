//! Sequences.

use super::Site;
use crate::{
    context::Context,
    error::Outcome,
    value::{Maybe, Sequence, Value},
};

fn unending(site: Site) -> crate::error::Failure {
    site.pos.over(format!("?{} of a range without an end has no end", site.name))
}

pub(super) fn size<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let size = match value {
        Value::Sequence(sequence) => sequence.size().ok_or_else(|| unending(site))?,
        Value::Matches(matches) => matches.items.size().unwrap_or(0),
        Value::Hash(hash) => hash.len(),
        Value::Nothing => 0,
        other => {
            return Err(site.pos.wrong_type(format!(
                "?size needs a sequence or a hash, not {}; ?length is for texts",
                other.name()
            )));
        }
    };
    Ok(Some(Value::whole(size)))
}

pub(super) fn first<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    site.sequence(value)?.get(0, site.pos)
}

pub(super) fn last<'e>(
    _: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let sequence = site.sequence(value)?;
    match sequence.size().ok_or_else(|| unending(site))?.checked_sub(1) {
        Some(last) => sequence.get(last, site.pos),
        None => Ok(None),
    }
}

pub(super) fn reverse<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let mut list = cx.collect(&site.sequence(value)?, site.pos)?;
    list.reverse();
    cx.sequence(list, site.pos).map(Some)
}

pub(super) fn join<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let sequence = site.sequence(value)?;
    let separator = site.text(args, 0)?;
    let when_empty = if args.len() > 1 { site.text(args, 1)? } else { "" };
    let after_last = if args.len() > 2 { site.text(args, 2)? } else { "" };
    let size = sequence.size().ok_or_else(|| unending(site))?;
    let mut out = String::new();
    let mut any = false;
    for at in 0..size {
        cx.spend(1, site.pos)?;
        let Some(item) = sequence.get(at, site.pos)? else { continue };
        let text = cx.printed(&item, site.pos)?;
        cx.room(out.len() + separator.len() + text.as_str().len(), site.pos)
            .map_err(|_| too_long(site))?;
        if any {
            out.push_str(separator);
        }
        any = true;
        out.push_str(text.as_str());
    }
    out.push_str(if any { after_last } else { when_empty });
    cx.text(out, site.pos).map(Some)
}

fn too_long(site: Site) -> crate::error::Failure {
    site.pos.over(format!("?{} makes too long a text, or too much work", site.name))
}

pub(super) fn seq_contains<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let sequence = site.sequence(value)?;
    let size = sequence.size().ok_or_else(|| unending(site))?;
    let found = position(cx, &sequence, &mut (0..size), args, site)?.is_some();
    Ok(Some(Value::Bool(found)))
}

/// The first place in some order whose item equals the first argument.
fn position<'e>(
    cx: &mut Context<'e>,
    sequence: &Sequence<'e>,
    places: &mut dyn Iterator<Item = usize>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Option<usize>> {
    let Some(Some(wanted)) = args.first() else { return Ok(None) };
    for at in places {
        cx.spend(1, site.pos)?;
        if let Some(item) = sequence.get(at, site.pos)?
            && cx.same(&item, wanted, site.pos)?
        {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn index<'e>(place: Option<usize>) -> Value<'e> {
    place.map_or(Value::Number(crate::number::Number::Whole(-1)), Value::whole)
}

pub(super) fn seq_index_of<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let sequence = site.sequence(value)?;
    let size = sequence.size().ok_or_else(|| unending(site))?;
    let from = if args.len() > 1 { usize::try_from(site.index(args, 1)?).unwrap_or(0) } else { 0 };
    Ok(Some(index(position(cx, &sequence, &mut (from..size), args, site)?)))
}

pub(super) fn seq_last_index_of<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let sequence = site.sequence(value)?;
    let size = sequence.size().ok_or_else(|| unending(site))?;
    let end = if args.len() > 1 {
        usize::try_from(site.index(args, 1)?).map_or(0, |last| last.saturating_add(1)).min(size)
    } else {
        size
    };
    Ok(Some(index(position(cx, &sequence, &mut (0..end).rev(), args, site)?)))
}

pub(super) fn chunk<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let list = cx.collect(&site.sequence(value)?, site.pos)?;
    let size = usize::try_from(site.index(args, 0)?).unwrap_or(0);
    if size == 0 {
        return Err(site.pos.bad("argument 1 of ?chunk must be at least 1"));
    }
    let filler = args.get(1).cloned().flatten();
    let mut chunks = Vec::new();
    for part in list.chunks(size) {
        let mut part = part.to_vec();
        if let Some(filler) = &filler {
            cx.room_for_items(size, site.pos)?;
            part.resize(size, Some(filler.clone()));
        }
        chunks.push(Some(cx.sequence(part, site.pos)?));
    }
    cx.sequence(chunks, site.pos).map(Some)
}
