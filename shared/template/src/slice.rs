//! Parts of texts and sequences by number and range, counted as FreeMarker counts: in UTF-16 units.

use crate::{
    context::Context,
    error::{Outcome, Pos},
    text::{at_unit, units},
    value::{Range, Text, Value},
};

impl<'e> Context<'e> {
    /// One character of a text.
    pub(crate) fn character(&mut self, text: &Text<'e>, at: i32, pos: Pos) -> Outcome<Value<'e>> {
        let Ok(at) = usize::try_from(at) else { return Err(pos.bad("the index is negative")) };
        let length = self.length(text, pos)?;
        if at >= length {
            return Err(pos.bad("the index is beyond the end of the text"));
        }
        self.between(text, at, at + 1, pos)
    }

    /// The length of a text.
    pub(crate) fn length(&mut self, text: &Text<'e>, pos: Pos) -> Outcome<usize> {
        self.spend_bytes(text.as_str().len(), pos)?;
        Ok(units(text.as_str()))
    }

    /// The part of a text between two places within it.
    pub(crate) fn between(
        &mut self,
        text: &Text<'e>,
        from: usize,
        to: usize,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        self.spend_bytes(text.as_str().len(), pos)?;
        let Some(begin) = at_unit(text.as_str(), from) else {
            return Err(pos.unsupported(
                "a character that takes two places would be cut in half, and begin a text",
            ));
        };
        match at_unit(text.as_str(), to) {
            Some(end) => self.part(text, begin, end, pos),
            None => self.cut(text.as_str().get(begin..).unwrap_or_default(), to - from, "", pos),
        }
    }

    /// `target[range]`
    pub(crate) fn slice(
        &mut self,
        target: &Value<'e>,
        range: Range,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        let (sequence, text, length) = match target {
            Value::Nothing => (Some(crate::value::Sequence::Event(&[])), None, Some(0)),
            Value::Sequence(sequence) => (Some(sequence.clone()), None, sequence.size()),
            Value::Matches(matches) => (Some(matches.items.clone()), None, matches.items.size()),
            other => {
                let text = self.printed(other, pos)?;
                let length = self.length(&text, pos)?;
                (None, Some(text), Some(length))
            }
        };
        let empty = |cx: &mut Self| {
            if text.is_some() { Ok(Value::text("")) } else { cx.sequence(Vec::new(), pos) }
        };
        if range.size == Some(0) {
            return empty(self);
        }
        let Some(length) = length else {
            return Err(pos.over("a range without an end cannot be cut"));
        };
        let Ok(first) = usize::try_from(range.begin) else {
            return Err(pos.bad("the range begins before 0"));
        };
        let beyond =
            if range.adaptive && range.ascending { first > length } else { first >= length };
        if beyond {
            return Err(pos.bad("the range begins beyond the end"));
        }
        let size = match range.size {
            None => length - first,
            Some(size) if range.ascending => {
                if first + size <= length {
                    size
                } else if range.adaptive {
                    length - first
                } else {
                    return Err(pos.bad("the range ends beyond the end"));
                }
            }
            Some(size) => {
                if size <= first + 1 {
                    size
                } else if range.adaptive {
                    first + 1
                } else {
                    return Err(pos.bad("the range ends before 0"));
                }
            }
        };
        if size == 0 {
            return empty(self);
        }
        if let Some(text) = text {
            if range.ascending || size == 1 {
                return self.between(&text, first, first + size, pos);
            }
            if range.inclusive && size == 2 {
                return Ok(Value::text(""));
            }
            return Err(pos.bad("a descending range cannot cut a text"));
        }
        let Some(sequence) = sequence else { return empty(self) };
        self.room_for_items(size, pos)?;
        let mut list = Vec::with_capacity(size);
        for step in 0..size {
            list.push(
                sequence.get(if range.ascending { first + step } else { first - step }, pos)?,
            );
        }
        self.sequence(list, pos)
    }
}
