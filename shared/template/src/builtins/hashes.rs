//! Hashes.

use super::Site;
use crate::{
    context::Context,
    error::Outcome,
    value::{Maybe, Value},
};

pub(super) fn keys<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let Some(hash) = site.hash(value)? else { return cx.sequence(Vec::new(), site.pos).map(Some) };
    let keys =
        cx.entries(&hash, site.pos)?.into_iter().map(|(key, _)| Some(Value::Text(key))).collect();
    cx.sequence(keys, site.pos).map(Some)
}

pub(super) fn values<'e>(
    cx: &mut Context<'e>,
    value: &Value<'e>,
    _: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    let Some(hash) = site.hash(value)? else { return cx.sequence(Vec::new(), site.pos).map(Some) };
    let values = cx.entries(&hash, site.pos)?.into_iter().map(|(_, value)| value).collect();
    cx.sequence(values, site.pos).map(Some)
}
