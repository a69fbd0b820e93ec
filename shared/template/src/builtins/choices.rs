//! Built-ins that choose: they evaluate only what they need.

use super::Site;
use crate::{
    ast::{Args, Call, Comparison, Expr},
    context::Context,
    error::Outcome,
    eval::is_empty,
    value::{Maybe, Value},
};

fn list(call: &Call) -> &[Expr] {
    match &call.args {
        Args::List(list) => list,
        _ => &[],
    }
}

pub(super) fn then<'e>(cx: &mut Context<'e>, call: &'e Call, site: Site) -> Outcome<Maybe<'e>> {
    let chosen = usize::from(!cx.condition(&call.target)?);
    match list(call).get(chosen) {
        Some(expr) => cx.eval(expr),
        None => Err(site.pos.bad("?then takes 2 arguments")),
    }
}

pub(super) fn switch<'e>(cx: &mut Context<'e>, call: &'e Call, site: Site) -> Outcome<Maybe<'e>> {
    let subject = cx.required(&call.target)?;
    let mut pairs = list(call).chunks_exact(2);
    for pair in pairs.by_ref() {
        let [case, result] = pair else { continue };
        let value = cx.required(case)?;
        if cx.compare(Comparison::Equal, &subject, &value, case.pos)? {
            return cx.eval(result);
        }
    }
    match pairs.remainder() {
        [default] => cx.eval(default),
        _ => Err(site.pos.bad("?switch has no case for this value, and no default")),
    }
}

pub(super) fn default<'e>(cx: &mut Context<'e>, call: &'e Call, _: Site) -> Outcome<Maybe<'e>> {
    let mut found = cx.lenient(&call.target)?;
    // All are evaluated, also those that are not needed.
    for arg in list(call) {
        let value = cx.eval(arg)?;
        found = found.or(value);
    }
    Ok(found)
}

pub(super) fn if_exists<'e>(cx: &mut Context<'e>, call: &'e Call, _: Site) -> Outcome<Maybe<'e>> {
    Ok(Some(cx.lenient(&call.target)?.unwrap_or(Value::Nothing)))
}

pub(super) fn exists<'e>(cx: &mut Context<'e>, call: &'e Call, _: Site) -> Outcome<Maybe<'e>> {
    Ok(Some(Value::Bool(cx.lenient(&call.target)?.is_some())))
}

pub(super) fn has_content<'e>(cx: &mut Context<'e>, call: &'e Call, _: Site) -> Outcome<Maybe<'e>> {
    let value = cx.lenient(&call.target)?;
    Ok(Some(Value::Bool(value.is_some_and(|value| !is_empty(&value)))))
}
