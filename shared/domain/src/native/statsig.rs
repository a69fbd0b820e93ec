//! What Statsig's SDKs upload, and what its incoming event webhook takes.
//!
//! Source: Statsig, "Event Webhook", for the incoming body and the outgoing event; the requests of
//! statsig 0.72.1 (Python) and @statsig/js-client 3.33.5, as captured. Their clients drop events on
//! 204, 4xx and 429, and try again on 408, 500, 502, 503 and 504.

use std::collections::HashMap;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Context, Post, Read, exposure,
    read::{Faults, Field, Identity, Shape, check, members, unquoted},
};
use crate::{
    event::Event,
    fault::FieldFault,
    integration::Stream,
    object::{Object, Writer, quoted},
    problem::{Fault, Kind, Problem},
    time::Timestamp,
};

/// What an upload says of itself at most, in bytes: it is written into each of its events.
const ABOUT_BYTES: usize = 4_096;
const DIAGNOSTICS: &str = "statsig::diagnostics";
/// 100 ns from the beginning of the Gregorian calendar to the Unix epoch (RFC 9562, 5.1).
const GREGORIAN: i128 = 0x01B2_1DD2_1381_4000;

/// What differs between an upload's events and the webhook's.
struct Names {
    name: &'static str,
    time: &'static str,
    schema: &'static [Field],
}

const UPLOADED: Names = Names {
    name: "eventName",
    time: "time",
    schema: &[
        ("eventName", Shape::Text, true),
        ("user", Shape::ObjectOrEmpty, false),
        ("value", Shape::Any, false),
        ("metadata", Shape::ObjectOrEmpty, false),
        ("time", Shape::Number, false),
        ("statsigMetadata", Shape::ObjectOrEmpty, false),
    ],
};
const POSTED: Names = Names {
    name: "event",
    time: "timestamp",
    schema: &[
        ("event", Shape::Text, true),
        ("user", Shape::ObjectOrEmpty, false),
        ("value", Shape::Any, false),
        ("metadata", Shape::ObjectOrEmpty, false),
        ("timestamp", Shape::Number, false),
        ("statsigMetadata", Shape::ObjectOrEmpty, false),
    ],
};
/// Members that are ours to write; `time` and `event` have become others.
const WRITTEN: [&str; 10] = [
    "eventName",
    "user",
    "userID",
    "timestamp",
    "value",
    "metadata",
    "statsigMetadata",
    "timeUUID",
    "time",
    "event",
];

/// The key of a request: Statsig's SDKs want theirs to begin with `secret-` or `client-`.
pub(crate) fn key(post: &Post) -> Option<String> {
    let parameter = || post.parameter("k").map(std::borrow::Cow::into_owned);
    let key = post.header("statsig-api-key").map(str::to_owned).or_else(parameter)?;
    let bare = key.strip_prefix("secret-").or_else(|| key.strip_prefix("client-"));
    Some(bare.map_or(key.clone(), str::to_owned))
}

pub(crate) fn read_log(context: &Context<'_>) -> Result<Read, Problem> {
    let body = context.object()?;
    let about = body.get("statsigMetadata").unwrap_or("{}");
    let fault = |detail: String| {
        let field = Some("statsigMetadata".to_owned());
        Problem::new(Kind::InvalidField, "the body has another form than this route takes")
            .with_errors(vec![Fault { index: None, field, detail }])
    };
    if about.len() > ABOUT_BYTES {
        let detail = format!("has {} bytes; at most {ABOUT_BYTES} are allowed", about.len());
        return Err(fault(detail));
    }
    let about = Some(about).filter(|raw| Shape::ObjectOrEmpty.fits(raw));
    let about = about.and_then(|raw| Object::read(object_text(Some(raw))));
    let about = about.ok_or_else(|| fault("must be an object".to_owned()))?;
    read(&context.member(&body, "events")?, &UPLOADED, &about, context)
}

pub(crate) fn read_webhook(context: &Context<'_>) -> Result<Read, Problem> {
    read(&context.values()?, &POSTED, &Object::default(), context)
}

fn read(
    values: &[&RawValue],
    names: &Names,
    about: &Object<'_>,
    context: &Context<'_>,
) -> Result<Read, Problem> {
    let mut faults = Faults::new(context.faults);
    let mut read = Read::new(Stream::Events, Vec::with_capacity(values.len()));
    let mut occurrences: HashMap<Identity, u64> = HashMap::new();
    for (index, raw) in values.iter().enumerate() {
        match event(raw, names, about, context, &mut occurrences) {
            Ok(Some(event)) => read.events.push(event),
            Ok(None) => read.dropped += 1,
            Err(found) => faults.add(index, found),
        }
    }
    faults.refuse(values.len())?;
    Ok(read)
}

/// An event in the outgoing form; `None` for the SDK's own diagnostics.
fn event(
    raw: &RawValue,
    names: &Names,
    about: &Object<'_>,
    context: &Context<'_>,
    occurrences: &mut HashMap<Identity, u64>,
) -> Result<Option<Event>, Vec<FieldFault>> {
    let object = members(raw)?;
    let mut found = check(&object, names.schema);
    let user = object_text(object.get("user"));
    let user_id = user_id(user).map_err(|fault| found.push(fault)).unwrap_or_default();
    let name = object.text(names.name).unwrap_or_default();
    if found.is_empty() && name.is_empty() {
        found.push(FieldFault::new(names.name, "must not be empty"));
    }
    let given = object.get(names.time);
    let time = given.and_then(millis);
    if found.is_empty() && given.is_some() && time.is_none() {
        found.push(FieldFault::new(names.time, "must be milliseconds since the Unix epoch"));
    }
    if !found.is_empty() {
        return Err(found);
    }
    if name == DIAGNOSTICS {
        return Ok(None);
    }

    let (metadata, statsig_metadata) = metadata(&object, &name, about);
    let value = match object.get("value") {
        None => "\"\"".to_owned(),
        Some(text) if text.starts_with('"') => text.to_owned(),
        Some(other) => quoted(&compact(other)),
    };
    let mut writer = Writer::with_capacity(raw.get().len() + 256);
    writer.raw("eventName", &quoted(&name));
    writer.raw("user", user);
    writer.raw("userID", &user_id);
    writer.raw("timestamp", &time.unwrap_or(context.now.0).to_string());
    writer.raw("value", &value);
    writer.raw("metadata", &metadata);
    writer.raw("statsigMetadata", &statsig_metadata);
    // Of the event as it was sent, and of nothing that the upload adds: that differs where the
    // same event is uploaded again.
    let same = context.identity(&[raw.get().as_bytes()]);
    let occurrence = occurrences.entry(same).or_default();
    let hash = context.identity(&[&same, &occurrence.to_be_bytes()]);
    *occurrence += 1;
    writer.raw("timeUUID", &quoted(&time_uuid(time.map(Timestamp), &hash).to_string()));
    for (name, value) in &object.0 {
        if !WRITTEN.contains(&name.as_ref()) {
            writer.raw(name, value.get());
        }
    }
    Ok(Some(Event::from_object(writer.end())))
}

/// `metadata` and `statsigMetadata`: an exposure's details go from the one to the other.
fn metadata(object: &Object<'_>, name: &str, about: &Object<'_>) -> (String, String) {
    let given = object_text(object.get("metadata"));
    let own = Object::read(object_text(object.get("statsigMetadata"))).unwrap_or_default();
    let mut merged = Writer::with_capacity(256);
    let mut there = Vec::new();
    let mut kept = given.to_owned();
    if exposure::is_exposure(name)
        && let Some(given) = Object::read(given)
    {
        for detail in exposure::DETAILS {
            if let Some(raw) = given.get(detail) {
                merged.raw(detail, exposure::stored(detail, raw));
                there.push(detail);
            }
        }
        let mut rest = Writer::with_capacity(kept.len());
        for (name, value) in &given.0 {
            if !there.contains(&name.as_ref()) {
                rest.raw(name, value.get());
            }
        }
        kept = rest.end();
    }
    for (name, value) in &own.0 {
        if !there.contains(&name.as_ref()) {
            merged.raw(name, value.get());
        }
    }
    for (name, value) in &about.0 {
        if !there.contains(&name.as_ref()) && !own.0.iter().any(|(own, _)| own == name) {
            merged.raw(name, value.get());
        }
    }
    (kept, merged.end())
}

/// `user.userID` as JSON text; empty when there is none.
fn user_id(user: &str) -> Result<String, FieldFault> {
    let user = Object::read(user).unwrap_or_default();
    match user.get("userID") {
        None => Ok("\"\"".to_owned()),
        Some(text) if text.starts_with('"') => Ok(text.to_owned()),
        Some(number) if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Ok(quoted(number))
        }
        Some(_) => Err(FieldFault::new("user.userID", "must be a string or a number")),
    }
}

/// What is to be an object: empty where it is absent, `null` or an empty array.
fn object_text(raw: Option<&str>) -> &str {
    raw.filter(|raw| raw.starts_with('{')).unwrap_or("{}")
}

/// JSON without the white space between its parts.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |c: &char| {
        let keep = in_text || !c.is_ascii_whitespace();
        in_text ^= *c == '"' && !escaped;
        escaped = in_text && *c == '\\' && !escaped;
        keep
    };
    json.chars().filter(keep).collect()
}

/// Whole milliseconds; SDKs send parts of them too, and some send texts.
fn millis(raw: &str) -> Option<i64> {
    let raw = unquoted(raw);
    if let Ok(millis) = raw.parse() {
        return Some(millis);
    }
    // Up to 2^53 a float is exact; that is far beyond any calendar.
    let millis: f64 = raw.parse().ok()?;
    let whole = format!("{:.0}", millis.trunc());
    whole.parse().ok().filter(|_| millis.abs() < 9.0e15)
}

/// A version 1 UUID (RFC 9562, 5.1) of this time, with a hash in place of the clock's ticks within
/// the millisecond, of the clock sequence and of the node. Where the event has no time, its whole
/// timestamp is of the hash, and says nothing: the time of arrival would make it another UUID in
/// each upload.
fn time_uuid(time: Option<Timestamp>, hash: &Identity) -> Uuid {
    let short = |at: usize| u16::from_be_bytes([hash[at], hash[at + 1]]);
    let ticks = match time {
        Some(time) => i128::from(time.0) * 10_000 + i128::from(short(0) % 10_000) + GREGORIAN,
        None => (10..18).step_by(2).fold(0, |ticks, at| ticks << 16 | i128::from(short(at))),
    };
    // 60 bits: what is out of the calendar's range goes round.
    let ticks = u64::try_from(ticks.rem_euclid(1 << 60)).unwrap_or_default();
    // The multicast bit says that the node is no network card's address (6.10).
    let node = [hash[4] | 1, hash[5], hash[6], hash[7], hash[8], hash[9]];
    uuid::Builder::from_gregorian_timestamp(ticks, short(2), &node).into_uuid()
}

#[cfg(test)]
mod tests;
