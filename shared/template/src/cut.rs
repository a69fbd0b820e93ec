//! Texts that were cut within a character that takes two places.
//!
//! Java cuts such a character in half, and writes `?` for the half when it encodes the text. A user's emoji at the
//! wrong place should not cost the event, so that is what is printed here, too. The half is not a `?` before it is
//! printed, though: comparing, searching or measuring would tell. So the text is a value of its own, which can be
//! printed, joined and escaped; all else refuses it.

use crate::{
    ast::Expr,
    context::Context,
    error::{Failure, Outcome, Pos},
    text::at_unit,
    value::{Maybe, Text, Value},
};

/// What stands for the half, until it is printed: no character, so that nothing escapes it.
const HALF: char = '\u{fdd0}';

/// Built-ins that leave half of a character as it is.
const KEEPING: [&str; 7] = ["json_string", "js_string", "j_string", "html", "xhtml", "xml", "rtf"];

/// Whether a built-in can do its work on a text that was cut.
pub(crate) fn keeps(builtin: &str) -> bool {
    KEEPING.contains(&builtin)
}

/// Why such a text is refused.
pub(crate) fn refused(pos: Pos) -> Failure {
    pos.unsupported(
        "a text that was cut within a character that takes two places can only be printed, escaped and joined",
    )
}

/// Refuses values that hold half of a character.
pub(crate) fn refuse<'v, 'e: 'v>(
    values: impl IntoIterator<Item = &'v Value<'e>>,
    pos: Pos,
) -> Outcome<()> {
    if values.into_iter().any(|value| matches!(value, Value::Cut(_))) {
        return Err(refused(pos));
    }
    Ok(())
}

impl<'e> Context<'e> {
    /// The beginning of a part of a text, up to a place within a character, and what is put behind it.
    pub(crate) fn cut(
        &mut self,
        part: &str,
        to: usize,
        behind: &str,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        let whole = to.checked_sub(1).and_then(|to| at_unit(part, to)).unwrap_or(0);
        let mut text = part.get(..whole).unwrap_or_default().to_owned();
        text.push(HALF);
        text.push_str(behind);
        self.text_of_parts(text, 1, pos)
    }

    /// A text that holds so many halves; it is an ordinary one if there are none.
    pub(crate) fn text_of_parts(
        &mut self,
        text: String,
        halves: usize,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        if halves == 0 {
            return self.text(text, pos);
        }
        // The event may hold what stands for a half.
        if halves_of(&text) != halves {
            return Err(refused(pos));
        }
        Ok(Value::Cut(self.shared(text, pos)?))
    }

    /// The text that a value is joined or printed as, and how many halves it holds.
    pub(crate) fn part_of(&mut self, value: &Value<'e>, pos: Pos) -> Outcome<(Text<'e>, usize)> {
        match value {
            Value::Cut(text) => Ok((text.clone(), halves_of(text.as_str()))),
            other => Ok((self.printed(other, pos)?, 0)),
        }
    }

    /// Writes such a text as Java encodes it.
    pub(crate) fn write_cut(&mut self, text: &Text<'e>, pos: Pos) -> Outcome<()> {
        self.cuts += 1;
        self.write(&text.as_str().replace(HALF, "?"), pos)
    }

    /// A value that must be there, and not be cut.
    pub(crate) fn whole(&mut self, expr: &'e Expr, pos: Pos) -> Outcome<Value<'e>> {
        let value = self.required(expr)?;
        refuse([&value], pos)?;
        Ok(value)
    }
}

fn halves_of(text: &str) -> usize {
    text.matches(HALF).count()
}

/// What a built-in made of a text that was cut, which is cut as well.
pub(crate) fn kept(made: Maybe<'_>) -> Maybe<'_> {
    match made {
        Some(Value::Text(text)) => Some(Value::Cut(text)),
        other => other,
    }
}
