//! One pass over an event's text, parsing only what the pattern names.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::condition::Found;
use crate::matcher::Scalar;
use crate::mend::{is_beyond, mend};
use crate::node::Node;

/// What of `node` is in the text of one JSON object.
///
/// No tree of the event is built: keys and strings are looked at where they lie (those with
/// escapes in serde_json's buffer), and what the pattern does not name is skipped.
///
/// # Errors
/// The text is no JSON, or no object; or it is nested too deep at a place the pattern names.
pub(crate) fn scan(node: &Node, text: &[u8]) -> Result<Found, serde_json::Error> {
    read(node, text, false).or_else(|error| match mend(text) {
        Some(mended) => read(node, &mended, true),
        None => Err(error),
    })
}

fn read(node: &Node, text: &[u8], mended: bool) -> Result<Found, serde_json::Error> {
    let mut found = Found::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    deserializer.deserialize_map(Event(Place { node, found: &mut found, mended }))?;
    deserializer.end()?;
    Ok(found)
}

/// The event: one object, and nothing else.
struct Event<'a>(Place<'a>);

impl<'de> Visitor<'de> for Event<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<(), A::Error> {
        read_object(self.0, fields)
    }
}

/// Reads the fields of an object at `node`. Of a key that is there twice the last counts, as for
/// the receivers' JSON parsers.
fn read_object<'de, A: MapAccess<'de>>(place: Place<'_>, mut fields: A) -> Result<(), A::Error> {
    let Place { node, found, mended } = place;
    while let Some(child) = fields.next_key_seed(Key(node))? {
        if let Some(child) = child {
            found.forget(&child.below);
            fields.next_value_seed(Place { node: child, found, mended })?;
        } else {
            fields.next_value::<IgnoredAny>()?;
        }
    }
    node.meet_object(found);
    Ok(())
}

/// A key, looked up among the children of a node.
struct Key<'a>(&'a Node);

impl<'a, 'de> DeserializeSeed<'de> for Key<'a> {
    type Value = Option<&'a Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'a> Visitor<'_> for Key<'a> {
    type Value = Option<&'a Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.child(key))
    }
}

/// A value at a place that the pattern names.
struct Place<'a> {
    node: &'a Node,
    found: &'a mut Found,
    /// Whether the text is one that was [mended](mend).
    mended: bool,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.node.meet_scalar(Scalar::Null, self.found);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.node.meet_scalar(Scalar::Bool(value), self.found);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.node.meet_scalar(Scalar::Number(value.into()), self.found);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.node.meet_scalar(Scalar::Number(value.into()), self.found);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let scalar = if self.mended && is_beyond(value) {
            Scalar::Beyond
        } else {
            Scalar::Number(value.into())
        };
        self.node.meet_scalar(scalar, self.found);
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.node.meet_scalar(Scalar::Text(value), self.found);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        if self.node.has_children() {
            return read_object(self, fields);
        }
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        loop {
            let mut element = Found::default();
            let place = Place { node: self.node, found: &mut element, mended: self.mended };
            if elements.next_element_seed(place)?.is_none() {
                return Ok(());
            }
            self.found.add(&element);
        }
    }
}
