//! The event as a template sees it: keys in their order, and numbers as they were written.
//!
//! `serde_json::Value` sorts its keys and makes numbers of 64 bits; FreeMarker's data models do neither. So this is a
//! reader of its own: RFC 8259, accepting what serde_json accepts, with the bounds of [`crate::budget`].

use std::borrow::Cow;

use crate::{
    budget::{MAX_EVENT, MAX_EVENT_DEPTH, MAX_EVENT_VALUES},
    error::{Failure, Outcome, Pos, RenderError, RenderErrorKind},
    ordered::Ordered,
};

/// A parsed event, to be rendered by any number of templates.
#[derive(Debug)]
pub struct Input<'a> {
    pub(crate) root: Json<'a>,
}

impl<'a> Input<'a> {
    /// Parses an event.
    ///
    /// # Errors
    /// With the place in `event`, when it is not JSON, is longer than [`MAX_EVENT`] bytes, nests deeper than
    /// [`MAX_EVENT_DEPTH`] or has more than [`MAX_EVENT_VALUES`] values.
    pub fn parse(event: &'a [u8]) -> Result<Self, RenderError> {
        parse(event).map(|root| Self { root }).map_err(|failure| *failure)
    }
}

/// A JSON value that borrows from its text.
#[derive(Debug)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Box<Object<'a>>),
}

pub(crate) type Object<'a> = Ordered<Cow<'a, str>, Json<'a>>;

fn parse(event: &[u8]) -> Outcome<Json<'_>> {
    if event.len() > MAX_EVENT {
        return Err(Pos::START.fail(
            RenderErrorKind::Event,
            format!("the event has {} bytes; at most {MAX_EVENT} are allowed", event.len()),
        ));
    }
    let text = match std::str::from_utf8(event) {
        Ok(text) => text,
        Err(error) => {
            let good =
                event.get(..error.valid_up_to()).and_then(|bytes| std::str::from_utf8(bytes).ok());
            return Err(place(good.unwrap_or_default())
                .fail(RenderErrorKind::Event, "the event is not UTF-8"));
        }
    };
    let mut reader = Reader { text, at: 0, values: 0 };
    let root = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.error("something follows the event's end"));
    }
    Ok(root)
}

/// The place just after some text.
fn place(before: &str) -> Pos {
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Pos {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, message: &str) -> Failure {
        let mut at = self.at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = self.text.get(..at).unwrap_or_default();
        place(before).fail(RenderErrorKind::Event, format!("the event is not JSON: {message}"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Outcome<Json<'a>> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.error("a value is expected here"))
        }
    }

    fn value(&mut self, depth: usize) -> Outcome<Json<'a>> {
        self.space();
        self.values += 1;
        if self.values > MAX_EVENT_VALUES {
            return Err(Pos::START.fail(
                RenderErrorKind::Event,
                format!("the event has more than {MAX_EVENT_VALUES} values"),
            ));
        }
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.error("a value is expected here")),
        }
    }

    fn deeper(&self, depth: usize) -> Outcome<()> {
        if depth < MAX_EVENT_DEPTH {
            return Ok(());
        }
        let before = self.text.get(..self.at).unwrap_or_default();
        Err(place(before).fail(
            RenderErrorKind::Event,
            format!("the event nests deeper than {MAX_EVENT_DEPTH} levels"),
        ))
    }

    fn array(&mut self, depth: usize) -> Outcome<Json<'a>> {
        self.deeper(depth)?;
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                _ => return Err(self.error("`,` or `]` is expected here")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Outcome<Json<'a>> {
        self.deeper(depth)?;
        self.at += 1;
        let mut entries = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Box::new(Object::new(entries))));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key is expected here"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.error("`:` is expected here"));
            }
            self.at += 1;
            entries.push((key, self.value(depth)?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(Box::new(Object::new(entries))));
                }
                _ => return Err(self.error("`,` or `}` is expected here")),
            }
        }
    }

    fn digits(&mut self) -> Outcome<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("a digit is expected here"));
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Outcome<Json<'a>> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if let Some(b'0'..=b'9') = self.peek() {
                return Err(self.error("a number may not begin with 0"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or_default()))
    }

    fn string(&mut self) -> Outcome<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut copied = start;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = self.text.get(copied..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(self.text.get(copied..self.at).unwrap_or_default());
                    let character = self.escape()?;
                    owned.get_or_insert_default().push(character);
                    copied = self.at;
                }
                Some(0..=0x1F) => return Err(self.error("a control character stands in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.error("a string has no end")),
            }
        }
    }

    fn escape(&mut self) -> Outcome<char> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.error("an escape is not known")),
        };
        self.at += 1;
        Ok(character)
    }

    fn hex4(&mut self) -> Outcome<u16> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|text| u16::from_str_radix(text, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => Err(self.error("four hexadecimal digits are expected here")),
        }
    }

    /// The character of `\u` and four digits, or of two of them. Half of a pair alone, which JavaScript's
    /// `JSON.stringify` writes for a text that was cut within an emoji, is U+FFFD: one odd text must not keep a whole
    /// event from being rendered.
    fn unicode(&mut self) -> Outcome<char> {
        let first = self.hex4()?;
        if let Some(character) = char::from_u32(first.into()) {
            return Ok(character);
        }
        let after = self.at;
        if self.text.get(after..).is_some_and(|rest| rest.starts_with("\\u")) {
            self.at += 2;
            let second = self.hex4()?;
            if let Some(Ok(character)) = char::decode_utf16([first, second]).next() {
                return Ok(character);
            }
            // The second is read again, by itself.
            self.at = after;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }
}

#[cfg(test)]
mod tests;
