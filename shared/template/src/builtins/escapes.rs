//! Escaping.

use super::Site;
use crate::{
    budget::MAX_OUTPUT,
    context::Context,
    error::Outcome,
    escape::{GROWTH, Target, escape},
    value::{Maybe, Text},
};

fn escaped<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    target: Target,
    site: Site,
) -> Outcome<Maybe<'e>> {
    if text.as_str().len() * GROWTH > 4 * MAX_OUTPUT {
        return Err(site.pos.over(format!(
            "a text of more than {} bytes cannot be escaped",
            4 * MAX_OUTPUT / GROWTH
        )));
    }
    cx.text(escape(text.as_str(), target), site.pos).map(Some)
}

macro_rules! escapes {
    ($($name:ident => $target:ident;)+) => {
        $(pub(super) fn $name<'e>(cx: &mut Context<'e>, text: &Text<'e>, _: &[Maybe<'e>], site: Site) -> Outcome<Maybe<'e>> {
            escaped(cx, text, Target::$target, site)
        })+
    };
}

escapes! {
    json_string => Json;
    js_string => JavaScript;
    j_string => Java;
    html => Html;
    xml => Xml;
    rtf => Rtf;
}

fn of_utf8<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    target: Target,
    site: Site,
) -> Outcome<Maybe<'e>> {
    if !args.is_empty() && !site.text(args, 0)?.eq_ignore_ascii_case("UTF-8") {
        return Err(site.pos.unsupported("other charsets than UTF-8 are not supported in URLs"));
    }
    escaped(cx, text, target, site)
}

pub(super) fn url<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    of_utf8(cx, text, args, Target::Url, site)
}

pub(super) fn url_path<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    of_utf8(cx, text, args, Target::UrlPath, site)
}
