//! The values of a rendering. They borrow from the event and the template wherever they can.

use std::rc::Rc;

use crate::{
    ast::Macro,
    date::Date,
    error::{Outcome, Pos},
    event::{Json, Object},
    number::Number,
    ordered::Ordered,
};

/// Text, borrowed or shared.
#[derive(Debug, Clone)]
pub(crate) enum Text<'e> {
    Borrowed(&'e str),
    Shared(Rc<str>),
    /// What `?string` gives without a format; to FreeMarker it is a hash and a method, too.
    Formatted(Rc<str>),
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) | Self::Formatted(text) => text,
        }
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// A value; what is missing or null is an absent value.
#[derive(Debug, Clone)]
pub(crate) enum Value<'e> {
    Text(Text<'e>),
    /// A text that was cut within a character; see [`crate::cut`].
    Cut(Text<'e>),
    Number(Number),
    Bool(bool),
    Date(Date),
    Sequence(Sequence<'e>),
    Hash(Hash<'e>),
    /// What `x!` is when `x` is missing: an empty text, an empty sequence and an empty hash at once.
    Nothing,
    Matches(Rc<Matches<'e>>),
    Macro(&'e Macro),
}

/// A value that may be absent.
pub(crate) type Maybe<'e> = Option<Value<'e>>;

/// The result of `?matches`.
#[derive(Debug)]
pub(crate) struct Matches<'e> {
    /// Whether the whole text matches.
    pub(crate) entire: bool,
    /// The groups of that match, the whole first; absent when there is none.
    pub(crate) groups: Option<Sequence<'e>>,
    /// Each match within the text.
    pub(crate) items: Sequence<'e>,
}

/// A sequence.
#[derive(Debug, Clone)]
pub(crate) enum Sequence<'e> {
    Event(&'e [Json<'e>]),
    Items(Rc<Items<'e>>),
    Range(Range),
}

/// The items of a sequence that a template made.
#[derive(Debug)]
pub(crate) struct Items<'e> {
    pub(crate) list: Vec<Maybe<'e>>,
    /// Levels of made sequences and hashes within, this one counted: what dropping it recurses.
    pub(crate) depth: usize,
}

/// A range of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) begin: i32,
    /// Absent when it has no right end.
    pub(crate) size: Option<usize>,
    pub(crate) ascending: bool,
    /// `..*`: a slice may be shorter than asked for.
    pub(crate) adaptive: bool,
    /// `..`: slicing a text with `n..n-1` is empty, for FreeMarker's older templates.
    pub(crate) inclusive: bool,
}

/// A hash.
#[derive(Debug, Clone)]
pub(crate) enum Hash<'e> {
    Event(&'e Object<'e>),
    Made(Rc<Made<'e>>),
}

/// A hash that a template made.
#[derive(Debug)]
pub(crate) struct Made<'e> {
    pub(crate) map: Ordered<Text<'e>, Maybe<'e>>,
    pub(crate) depth: usize,
}

impl<'e> Value<'e> {
    pub(crate) fn text(text: &'e str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(crate) fn whole(number: usize) -> Self {
        Self::Number(Number::Whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// A value of the event; absent for null.
    pub(crate) fn of_event(json: &'e Json<'e>, pos: Pos) -> Outcome<Maybe<'e>> {
        Ok(Some(match json {
            Json::Null => return Ok(None),
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(text) => Self::Number(Number::parse(text).map_err(|error| error.at(pos))?),
            Json::Text(text) => Self::Text(Text::Borrowed(text)),
            Json::Array(items) => Self::Sequence(Sequence::Event(items)),
            Json::Object(object) => Self::Hash(Hash::Event(object)),
        }))
    }

    /// Levels of made sequences and hashes.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Sequence(Sequence::Items(items)) => items.depth,
            Self::Hash(Hash::Made(made)) => made.depth,
            Self::Matches(_) => 3,
            _ => 0,
        }
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Cut(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a boolean",
            Self::Date(_) => "a date or time",
            Self::Sequence(_) => "a sequence",
            Self::Hash(_) => "a hash",
            Self::Nothing => "an empty default",
            Self::Matches(_) => "the result of ?matches",
            Self::Macro(_) => "a macro",
        }
    }
}

impl<'e> Sequence<'e> {
    /// How many items there are; absent when there is no end.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::Event(items) => Some(items.len()),
            Self::Items(items) => Some(items.list.len()),
            Self::Range(range) => range.size,
        }
    }

    /// The item at a place; absent when it is null or there is none.
    pub(crate) fn get(&self, at: usize, pos: Pos) -> Outcome<Maybe<'e>> {
        match self {
            Self::Event(items) => items.get(at).map_or(Ok(None), |item| Value::of_event(item, pos)),
            Self::Items(items) => Ok(items.list.get(at).cloned().flatten()),
            Self::Range(range) => Ok(range.get(at)),
        }
    }
}

impl Range {
    fn get<'e>(self, at: usize) -> Maybe<'e> {
        if self.size.is_some_and(|size| at >= size) {
            return None;
        }
        let at = i64::try_from(at).ok()?;
        let begin = i64::from(self.begin);
        Some(Value::Number(Number::Whole(if self.ascending { begin + at } else { begin - at })))
    }
}

impl<'e> Hash<'e> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Event(object) => object.len(),
            Self::Made(made) => made.map.len(),
        }
    }

    pub(crate) fn get(&self, key: &str, pos: Pos) -> Outcome<Maybe<'e>> {
        match self {
            Self::Event(object) => {
                object.get(key).map_or(Ok(None), |json| Value::of_event(json, pos))
            }
            Self::Made(made) => Ok(made.map.get(key).cloned().flatten()),
        }
    }

    /// The entry at a place.
    pub(crate) fn at(&self, at: usize, pos: Pos) -> Outcome<Option<(Text<'e>, Maybe<'e>)>> {
        match self {
            Self::Event(object) => match object.entries().get(at) {
                Some((key, json)) => Ok(Some((Text::Borrowed(key), Value::of_event(json, pos)?))),
                None => Ok(None),
            },
            Self::Made(made) => Ok(made.map.entries().get(at).cloned()),
        }
    }
}
