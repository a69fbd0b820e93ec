//! `?map`, `?filter`, `?take_while` and `?drop_while`.

use super::Site;
use crate::{
    ast::{Args, Call, Expr, ExprKind},
    budget::MAX_ITEMS,
    context::{Context, Local},
    error::Outcome,
    eval::missing,
    number::Number,
    value::{Maybe, Value},
};

fn lambda(call: &Call, site: Site) -> Outcome<(&str, &Expr)> {
    match &call.args {
        Args::Lambda(name, body) => Ok((name, body)),
        _ => Err(site.pos.bad(format!("?{} takes a lambda", site.name))),
    }
}

fn apply<'e>(
    cx: &mut Context<'e>,
    name: &'e str,
    body: &'e Expr,
    item: Maybe<'e>,
) -> Outcome<Maybe<'e>> {
    cx.locals.push(Local::Lambda(name, item));
    let result = cx.eval(body);
    cx.locals.pop();
    result
}

fn holds<'e>(
    cx: &mut Context<'e>,
    name: &'e str,
    body: &'e Expr,
    item: Maybe<'e>,
) -> Outcome<bool> {
    match apply(cx, name, body, item)? {
        Some(Value::Bool(value)) => Ok(value),
        Some(Value::Matches(matches)) => Ok(matches.entire),
        Some(other) => Err(body
            .pos
            .wrong_type(format!("the lambda must give a boolean, not {}", other.name()))),
        None => Err(missing(body)),
    }
}

/// What an item is handed to; whether to go on.
type Each<'c, 'e> = &'c mut dyn FnMut(&mut Context<'e>, Maybe<'e>) -> Outcome<bool>;

/// The call of a built-in with a lambda, if an expression is one.
fn lazy(expr: &Expr) -> Option<&Call> {
    match &expr.kind {
        ExprKind::Parens(inner) => lazy(inner),
        ExprKind::Builtin(call) if matches!(call.args, Args::Lambda(..)) => Some(call),
        _ => None,
    }
}

/// Whether FreeMarker makes the items of an expression one by one, as they are asked for.
pub(crate) fn is_lazy(expr: &Expr) -> bool {
    lazy(expr).is_some()
}

/// Hands over the items of an expression one by one; of lambdas, only as far as they are asked for.
fn stream<'e>(cx: &mut Context<'e>, expr: &'e Expr, site: Site, each: Each<'_, 'e>) -> Outcome<()> {
    let Some(call) = lazy(expr) else {
        let target = cx.required(expr)?;
        let sequence = site.sequence(&target)?;
        let mut at = 0;
        while sequence.size().is_none_or(|size| at < size) {
            if at >= MAX_ITEMS {
                return Err(site.pos.over(format!("a sequence exceeds {MAX_ITEMS} items")));
            }
            cx.spend(1, site.pos)?;
            let item = sequence.get(at, site.pos)?;
            if !each(cx, item)? {
                return Ok(());
            }
            at += 1;
        }
        return Ok(());
    };
    let inner = Site { pos: call.target.pos, name: call.builtin.name };
    let (name, body) = lambda(call, inner)?;
    let mut dropping = true;
    stream(cx, &call.target, inner, &mut |cx, item| match inner.name {
        "map" => match apply(cx, name, body, item)? {
            Some(value) => each(cx, Some(value)),
            None => Err(site.pos.bad("the lambda of ?map gave a missing value")),
        },
        "filter" => {
            if holds(cx, name, body, item.clone())? {
                each(cx, item)
            } else {
                Ok(true)
            }
        }
        "take_while" => Ok(holds(cx, name, body, item.clone())? && each(cx, item)?),
        _ => {
            dropping = dropping && holds(cx, name, body, item.clone())?;
            if dropping { Ok(true) } else { each(cx, item) }
        }
    })
}

/// `?map`, `?filter`, `?take_while` and `?drop_while`, all at once.
pub(super) fn all<'e>(cx: &mut Context<'e>, expr: &'e Expr, site: Site) -> Outcome<Maybe<'e>> {
    let mut list = Vec::new();
    stream(cx, expr, site, &mut |cx, item| {
        if list.len() >= MAX_ITEMS {
            return Err(site.pos.over(format!("a sequence exceeds {MAX_ITEMS} items")));
        }
        cx.room_for_items(1, site.pos)?;
        list.push(item);
        Ok(true)
    })?;
    cx.sequence(list, site.pos).map(Some)
}

/// `?first`, `?size`, `?seq_contains` and the like of items made by lambdas; absent when it is another one.
pub(super) fn shortened<'e>(
    cx: &mut Context<'e>,
    call: &'e Call,
    site: Site,
) -> Outcome<Option<Maybe<'e>>> {
    if !is_lazy(&call.target) {
        return Ok(None);
    }
    match site.name {
        "first" => {
            let mut first = None;
            stream(cx, &call.target, site, &mut |_, item| {
                first = item;
                Ok(false)
            })?;
            Ok(Some(first))
        }
        "size" => {
            // The size does not depend on what ?map makes of the items.
            let mut expr = &call.target;
            while let Some(map) = lazy(expr).filter(|call| call.builtin.name == "map") {
                expr = &map.target;
            }
            let mut size = 0;
            stream(cx, expr, site, &mut |_, _| {
                size += 1;
                Ok(true)
            })?;
            Ok(Some(Some(Value::whole(size))))
        }
        "seq_contains" | "seq_index_of" | "seq_last_index_of" => {
            let args = cx.arguments(&call.args)?;
            let last = site.name == "seq_last_index_of";
            let start = if args.len() > 1 { Some(site.index(&args, 1)?) } else { None };
            let from =
                start.filter(|_| !last).map_or(0, |start| usize::try_from(start).unwrap_or(0));
            // Where a search from the end begins; before the first item there is nothing.
            let to = match start.filter(|_| last).map(usize::try_from) {
                Some(Ok(start)) => start,
                Some(Err(_)) => return Ok(Some(Some(Value::Number(Number::Whole(-1))))),
                None => usize::MAX,
            };
            let (mut at, mut found) = (0, None);
            stream(cx, &call.target, site, &mut |cx, item| {
                if let (Some(item), Some(Some(wanted))) = (&item, args.first())
                    && at >= from
                    && cx.same(item, wanted, site.pos)?
                {
                    found = Some(at);
                }
                at += 1;
                Ok(if last { at <= to } else { found.is_none() })
            })?;
            Ok(Some(Some(match (site.name, found) {
                ("seq_contains", found) => Value::Bool(found.is_some()),
                (_, Some(at)) => Value::whole(at),
                (_, None) => Value::Number(Number::Whole(-1)),
            })))
        }
        _ => Ok(None),
    }
}
