//! The identities that a Flagsmith server's webhook sends.
//!
//! Source: Flagsmith, "Webhook Analytics Integration": the schema of the payload, and the signature,
//! an HMAC with SHA-256 over the body in lower-case hex. The server writes its bodies with sorted
//! keys, and so are they passed on.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use sha2::Sha256;

use super::{
    Context, Post, Read, python_json,
    read::{EVENT_BYTES, Faults, Field, Shape, check, members},
};
use crate::{
    event::Event,
    fault::FieldFault,
    integration::Stream,
    object::Object,
    problem::{Kind, Problem},
    secret::Secret,
};

const SCHEMA: [Field; 4] = [
    ("flags", Shape::Array, true),
    ("identity", Shape::Text, true),
    ("segments", Shape::Array, true),
    ("traits", Shape::Array, true),
];
/// The members of an identity that are arrays of objects.
const LISTS: [&str; 3] = ["flags", "segments", "traits"];

/// The key of a request: a server's webhook can set nothing but its URL.
pub(crate) fn key(post: &Post) -> Option<String> {
    let parameter = || post.parameter("environment_key").map(std::borrow::Cow::into_owned);
    post.header("x-environment-key").map(str::to_owned).or_else(parameter)
}

pub(crate) fn read(context: &Context<'_>) -> Result<Read, Problem> {
    if let Some(secret) = &context.grant.secret {
        verify(secret, context)?;
    }
    let values = context.values()?;
    if values.is_empty() {
        let detail = "the array is empty; send one identity or more";
        return Err(Problem::new(Kind::EmptyRequest, detail));
    }
    let mut faults = Faults::new(context.faults);
    let mut events = Vec::with_capacity(values.len());
    for (index, raw) in values.iter().enumerate() {
        match identity(raw) {
            Ok(event) => events.push(event),
            Err(found) => faults.add(index, found),
        }
    }
    faults.refuse(values.len())?;
    Ok(Read::new(Stream::Identities, events))
}

fn verify(secret: &Secret, context: &Context<'_>) -> Result<(), Problem> {
    let wrong = |what: &str| {
        Problem::unauthorized(format!(
            "X-Flagsmith-Signature {what}: the key has a secret, and the body must be signed with it"
        ))
    };
    let signature =
        context.post.header("x-flagsmith-signature").ok_or_else(|| wrong("is missing"))?;
    let signature = hex(signature.trim()).ok_or_else(|| wrong("is not hexadecimal"))?;
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes());
    let mut mac = mac.map_err(|_| wrong("cannot be checked"))?;
    mac.update(context.body);
    // Compares in constant time.
    mac.verify_slice(&signature).map_err(|_| wrong("is wrong"))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

fn identity(raw: &RawValue) -> Result<Event, Vec<FieldFault>> {
    let object = members(raw)?;
    let mut found = check(&object, &SCHEMA);
    for list in LISTS {
        let Some(values) = object.get(list).filter(|raw| raw.starts_with('[')) else { continue };
        let values: Vec<&RawValue> = serde_json::from_str(values).unwrap_or_default();
        let odd = values.iter().position(|value| !is_object(value));
        if let Some(position) = odd {
            found.push(FieldFault::new(format!("{list}[{position}]"), "must be an object"));
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let text = python_json::sorted(raw).map_err(|fault| vec![fault])?;
    if text.len() > 2 * EVENT_BYTES {
        let (has, most) = (text.len(), 2 * EVENT_BYTES);
        let detail = format!("has {has} bytes as Flagsmith writes it; at most {most} are allowed");
        return Err(vec![FieldFault::whole(detail)]);
    }
    Ok(Event::from_object(text))
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{') && Object::read(value.get()).is_some()
}

#[cfg(test)]
mod tests;
