//! `?left_pad`, `?right_pad` and `?truncate`.

use super::{Site, strings::basic};
use crate::{
    budget::MAX_OUTPUT,
    context::Context,
    error::Outcome,
    text::{at_unit, is_space, units},
    value::{Maybe, Text, Value},
};

fn pad<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    left: bool,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let width = usize::try_from(site.index(args, 0)?).unwrap_or(0);
    let filling = if args.len() > 1 { site.text(args, 1)? } else { " " };
    if filling.is_empty() {
        return Err(site.pos.bad(format!("argument 2 of ?{} is empty", site.name)));
    }
    let length = units(text.as_str());
    if width <= length {
        return Ok(Some(Value::Text(text.clone())));
    }
    if width > MAX_OUTPUT {
        return Err(site.pos.over(format!("a text exceeds {MAX_OUTPUT} bytes")));
    }
    let filler: Vec<char> = basic(filling, site)?.chars().collect();
    cx.room((width - length).saturating_mul(4) / 4 + text.as_str().len(), site.pos)?;
    // The filling goes on under the text: on the left it begins at the first place, on the right after the text.
    let skipped = if left { 0 } else { length % filler.len() };
    let fill: String = filler.iter().cycle().skip(skipped).take(width - length).collect();
    let out = if left { fill + text.as_str() } else { format!("{}{fill}", text.as_str()) };
    cx.text(out, site.pos).map(Some)
}

pub(super) fn left_pad<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    pad(cx, text, args, true, site)
}

pub(super) fn right_pad<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    pad(cx, text, args, false, site)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Words,
    Characters,
    Best,
}

fn is_dot(unit: Option<&char>) -> bool {
    matches!(unit, Some('.' | '…'))
}

fn shorten<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    cut: Cut,
    site: Site,
) -> Outcome<Maybe<'e>> {
    let most = usize::try_from(site.index(args, 0)?)
        .map_err(|_| site.pos.bad(format!("argument 1 of ?{} is negative", site.name)))?;
    let (terminator, length) = match args.len() {
        0 | 1 => ("[...]", 5),
        2 => (site.text(args, 1)?, units(site.text(args, 1)?)),
        _ => {
            let length = usize::try_from(site.index(args, 2)?)
                .map_err(|_| site.pos.bad(format!("argument 3 of ?{} is negative", site.name)))?;
            (site.text(args, 1)?, length)
        }
    };
    if units(text.as_str()) <= most {
        return Ok(Some(Value::Text(text.clone())));
    }
    // A character that takes two places is no space and no dot, whichever half is looked at.
    let twice = |character: char| std::iter::repeat_n(character, character.len_utf16());
    let characters: Vec<char> = text.as_str().chars().flat_map(twice).collect();
    cx.spend_bytes(characters.len() * 4, site.pos)?;
    let keeps_space = true;
    let dots = terminator.starts_with(['.', '…']);
    let kept = kept(&characters, most, length, dots, cut, keeps_space);
    let Some((kept, space)) = kept else {
        return cx.text(terminator.to_owned(), site.pos).map(Some);
    };
    let end = if space { [" ", terminator].concat() } else { terminator.to_owned() };
    let Some(to) = at_unit(text.as_str(), kept) else {
        return cx.cut(text.as_str(), kept, &end, site.pos).map(Some);
    };
    let mut out = text.as_str().get(..to).unwrap_or_default().to_owned();
    out.push_str(&end);
    cx.text(out, site.pos).map(Some)
}

/// How many characters stay, and whether a space follows them; absent when none stay.
///
/// FreeMarker cuts at a word's end if that keeps three quarters of the length, else anywhere; a space follows a whole
/// word, and dots before a terminator that begins with dots go.
fn kept(
    text: &[char],
    most: usize,
    length: usize,
    dots: bool,
    cut: Cut,
    space: bool,
) -> Option<(usize, bool)> {
    let blank = |at: usize| text.get(at).is_none_or(|c| is_space(*c));
    let word_end = |at: usize| blank(at + 1);
    let skip_blanks = |mut at: Option<usize>| {
        while let Some(place) = at
            && text.get(place).is_some_and(|c| is_space(*c))
        {
            at = place.checked_sub(1);
        }
        at
    };
    let initial = most.checked_sub(length + 1);
    let mut last = skip_blanks(initial)?;
    if cut != Cut::Characters {
        let with_space = length + usize::from(space);
        let least = match cut {
            Cut::Best => (most * 3).div_ceil(4).saturating_sub(with_space + 1),
            _ => 0,
        };
        let mut at = most.checked_sub(with_space + 1).map(|at| at.min(last));
        let mut next_blank = at.is_none_or(|at| blank(at + 1));
        while let Some(place) = at
            && place >= least
        {
            let here = blank(place);
            if !here && next_blank {
                return Some((place + 1, space));
            }
            next_blank = here;
            at = place.checked_sub(1);
        }
        if cut == Cut::Words {
            return None;
        }
    }
    if Some(last) == initial && space && word_end(last) {
        last = last.checked_sub(1)?;
    }
    loop {
        last = skip_blanks(Some(last))?;
        if !(is_dot(text.get(last)) && !(space && word_end(last)) && dots) {
            break;
        }
        while is_dot(text.get(last)) {
            last = last.checked_sub(1)?;
        }
    }
    Some((last + 1, space && word_end(last)))
}

pub(super) fn truncate<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    shorten(cx, text, args, Cut::Best, site)
}

pub(super) fn truncate_w<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    shorten(cx, text, args, Cut::Words, site)
}

pub(super) fn truncate_c<'e>(
    cx: &mut Context<'e>,
    text: &Text<'e>,
    args: &[Maybe<'e>],
    site: Site,
) -> Outcome<Maybe<'e>> {
    shorten(cx, text, args, Cut::Characters, site)
}
