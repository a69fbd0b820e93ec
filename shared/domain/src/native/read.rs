//! What reading has in common: the events of a body, and every fault with its index and field.

use bytes::Bytes;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Post;
use crate::{
    array::first_values,
    event::Event,
    fault::FieldFault,
    impression::EnvironmentTexts,
    integration::Stream,
    object::Object,
    ports::KeyGrant,
    problem::{Fault, Kind, Problem},
    time::Timestamp,
};

/// One event at most, as it was sent.
pub(crate) const EVENT_BYTES: usize = 256 * 1024;

/// What a body is read with.
pub(crate) struct Context<'a> {
    pub(crate) post: &'a Post,
    /// The body with every encoding undone.
    pub(crate) body: &'a Bytes,
    pub(crate) grant: &'a KeyGrant,
    pub(crate) environment: &'a EnvironmentTexts,
    pub(crate) now: Timestamp,
    /// Events at most.
    pub(crate) events: usize,
    /// Faults listed at most.
    pub(crate) faults: usize,
}

/// What a body held.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) stream: Stream,
    pub(crate) events: Vec<Event>,
    /// What the client says makes each event itself, where it does: beside `events`, or empty.
    pub(crate) identities: Vec<Option<Identity>>,
    /// What was taken and is not delivered.
    pub(crate) dropped: usize,
}

/// SHA-256 of what makes an event itself.
pub(crate) type Identity = [u8; 32];

impl Read {
    pub(crate) fn new(stream: Stream, events: Vec<Event>) -> Self {
        Self { stream, events, identities: Vec::new(), dropped: 0 }
    }
}

impl Context<'_> {
    /// A hash over texts, of this project and environment alone. Each text is preceded by its
    /// length, so that no two lists of texts are the same bytes.
    pub(crate) fn identity(&self, texts: &[&[u8]]) -> Identity {
        let mut sha = Sha256::new();
        let whose = [self.grant.project.as_str().as_bytes(), self.grant.environment.id.as_bytes()];
        for text in whose.iter().chain(texts) {
            sha.update(text.len().to_be_bytes());
            sha.update(text);
        }
        sha.finalize().into()
    }

    /// The whole body as one object.
    pub(crate) fn object(&self) -> Result<Object<'_>, Problem> {
        serde_json::from_slice(self.body).map_err(|error| not_json("object", &error))
    }

    /// The values of an array that the body is, or is one object in place of.
    pub(crate) fn values(&self) -> Result<Vec<&RawValue>, Problem> {
        match self.body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => self.array(self.body),
            Some(b'{') => serde_json::from_slice(self.body)
                .map(|one| vec![one])
                .map_err(|error| not_json("array or object", &error)),
            _ => Err(Problem::new(Kind::InvalidJson, "the body must be a JSON array or object")),
        }
    }

    /// The values of an array, which must be no more than allowed.
    pub(crate) fn array<'a>(&self, text: &'a [u8]) -> Result<Vec<&'a RawValue>, Problem> {
        let (values, count) =
            first_values(text, self.events).map_err(|error| not_json("array or object", &error))?;
        if count > self.events {
            return Err(too_many(count, self.events));
        }
        Ok(values)
    }

    /// The array that is this member of the body.
    pub(crate) fn member<'a>(
        &self,
        object: &Object<'a>,
        name: &str,
    ) -> Result<Vec<&'a RawValue>, Problem> {
        let fault = |fault: FieldFault| {
            let Fault { field, detail, .. } = fault.at(0);
            Problem::new(Kind::InvalidField, "the body has another form than this route takes")
                .with_errors(vec![Fault { index: None, field, detail }])
        };
        let raw = object.get(name).ok_or_else(|| fault(FieldFault::required(name)))?;
        if !raw.starts_with('[') {
            return Err(fault(FieldFault::new(name, "must be an array")));
        }
        self.array(raw.as_bytes())
    }
}

/// That a body is JSON at all.
pub(crate) fn check_json(body: &[u8]) -> Result<(), Problem> {
    let read = serde_json::from_slice::<&RawValue>(body);
    read.map(|_| ()).map_err(|error| not_json("object", &error))
}

pub(crate) fn too_many(count: usize, limit: usize) -> Problem {
    let detail = format!("the request has {count} events; at most {limit} are allowed");
    Problem::new(Kind::TooManyEvents, detail)
}

fn not_json(wanted: &str, error: &serde_json::Error) -> Problem {
    // The text of a syntax error holds positions and expectations, no data.
    Problem::new(Kind::InvalidJson, format!("the body must be a JSON {wanted}: {error}"))
}

/// An event's members, if it is an object and not too large.
pub(crate) fn members(raw: &RawValue) -> Result<Object<'_>, Vec<FieldFault>> {
    let text = object_text(raw)?;
    Object::read(text).ok_or_else(|| vec![FieldFault::whole("has a name that is not a text")])
}

/// An event's text, if it is an object and not too large.
pub(crate) fn object_text(raw: &RawValue) -> Result<&str, Vec<FieldFault>> {
    let text = raw.get();
    if !text.starts_with('{') {
        return Err(vec![FieldFault::whole("must be an object")]);
    }
    // Before any look inside: reading members costs many times their text.
    if text.len() > EVENT_BYTES {
        let detail = format!("has {} bytes; at most {EVENT_BYTES} are allowed", text.len());
        return Err(vec![FieldFault::whole(detail)]);
    }
    Ok(text)
}

/// What a field's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Integer,
    /// A number, or its text.
    Number,
    Object,
    /// An object, or an empty array: some languages write an empty object so.
    ObjectOrEmpty,
    Array,
    Any,
}

/// One field of a schema: its name, what it must be, and whether it must be there. What need not
/// be there may be `null`.
pub(crate) type Field = (&'static str, Shape, bool);

/// Every fault by this schema; other fields are left alone.
pub(crate) fn check(object: &Object<'_>, schema: &[Field]) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    for &(name, kind, required) in schema {
        let mut found = object.0.iter().filter(|(member, _)| member == name);
        let Some((_, value)) = found.next() else {
            if required {
                faults.push(FieldFault::required(name));
            }
            continue;
        };
        if found.next().is_some() {
            faults.push(FieldFault::new(name, "is there more than once"));
            continue;
        }
        let value = value.get();
        if (value != "null" || required) && !kind.fits(value) {
            faults.push(FieldFault::new(name, kind.wanted()));
        }
    }
    faults
}

impl Shape {
    pub(crate) fn fits(self, raw: &str) -> bool {
        let is_empty = |rest: &str| rest.trim_ascii_start() == "]";
        match self {
            Self::Text => serde_json::from_str::<String>(raw).is_ok(),
            Self::Integer => raw.parse::<i64>().is_ok(),
            Self::Number => unquoted(raw).starts_with(|c: char| c == '-' || c.is_ascii_digit()),
            Self::Object => raw.starts_with('{'),
            Self::ObjectOrEmpty => {
                raw.starts_with('{') || raw.strip_prefix('[').is_some_and(is_empty)
            }
            Self::Array => raw.starts_with('['),
            Self::Any => true,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Text => "must be a string",
            Self::Integer => "must be an integer of 64 bits",
            Self::Number => "must be a number",
            Self::Object | Self::ObjectOrEmpty => "must be an object",
            Self::Array => "must be an array",
            Self::Any => "must be there",
        }
    }
}

/// What stands between the quotes of a text, escapes as they are; any other JSON itself.
pub(crate) fn unquoted(raw: &str) -> &str {
    raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw)
}

/// Collects what events have faults.
pub(crate) struct Faults {
    listed: Vec<Fault>,
    faulty: usize,
    limit: usize,
}

impl Faults {
    pub(crate) fn new(limit: usize) -> Self {
        Self { listed: Vec::new(), faulty: 0, limit }
    }

    pub(crate) fn add(&mut self, index: usize, found: Vec<FieldFault>) {
        self.faulty += 1;
        let room = self.limit - self.listed.len();
        self.listed.extend(found.into_iter().take(room).map(|fault| fault.at(index)));
    }

    /// The refusal of a request of so many events, if any has a fault.
    pub(crate) fn refuse(self, events: usize) -> Result<(), Problem> {
        if self.faulty == 0 {
            return Ok(());
        }
        let detail = format!(
            "{} of {events} events have faults, the first {} faults are listed; nothing was accepted",
            self.faulty,
            self.listed.len(),
        );
        Err(Problem::new(Kind::InvalidEvents, detail).with_errors(self.listed))
    }
}
