//! What Amplitude's SDKs upload, and the event that Amplitude exports.
//!
//! Source: Amplitude, "HTTP V2 API" and "Batch Event Upload API" for the upload, its limits and
//! answers; "Export API" for the event's fields; the requests of amplitude-analytics 1.3.0, as
//! captured.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Context, Read,
    read::{Faults, Field, Identity, Shape, check, members},
};
use crate::{
    event::Event,
    fault::FieldFault,
    integration::Stream,
    object::{Object, Writer, quoted},
    problem::Problem,
    time::Timestamp,
};

/// A body of the HTTP V2 API at most.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;
/// Events in a request of the HTTP V2 API at most.
pub(crate) const EVENTS: usize = 2_000;
/// Characters of `user_id` and `device_id` at least, where `options.min_id_length` does not say.
const MIN_ID_LENGTH: usize = 5;
/// What is said of an id that is too short, up to the number. Amplitude tells these from others.
pub(crate) const TOO_SHORT: &str = "is too short an id: it must have ";
/// Calls that change users and groups: they are no events, and Amplitude exports none for them.
const NO_EVENTS: [&str; 2] = ["$identify", "$groupidentify"];

const SCHEMA: [Field; 11] = [
    ("event_type", Shape::Text, true),
    ("user_id", Shape::Text, false),
    ("device_id", Shape::Text, false),
    ("time", Shape::Integer, false),
    ("insert_id", Shape::Text, false),
    ("session_id", Shape::Integer, false),
    ("event_id", Shape::Integer, false),
    ("event_properties", Shape::Object, false),
    ("user_properties", Shape::Object, false),
    ("group_properties", Shape::Object, false),
    ("groups", Shape::Object, false),
];

/// Where a field of the exported event comes from.
#[derive(Clone, Copy)]
enum From {
    /// A member of the uploaded event.
    Uploaded(&'static str),
    /// The same, an object: empty when it is absent.
    Object(&'static str),
    /// The same, -1 when it is absent.
    Session,
    /// The uploaded address; `$remote` asks for the one that the request came from, which Flagpost
    /// does not look at.
    Address,
    /// The event's own time, in the export's form.
    EventTime,
    /// When the device sent it, by the upload.
    ClientUploadTime,
    /// When it was taken in here.
    ServerTime,
    /// Made from what makes the event itself.
    Uuid,
    /// The project.
    App,
    /// What only Amplitude could know.
    Unknown,
}

/// The fields of an exported event, in the order of Amplitude's page.
const EXPORTED: [(&str, From); 50] = [
    ("server_received_time", From::ServerTime),
    ("app", From::App),
    ("device_carrier", From::Uploaded("carrier")),
    ("$schema", From::Unknown),
    ("city", From::Uploaded("city")),
    ("user_id", From::Uploaded("user_id")),
    ("uuid", From::Uuid),
    ("event_time", From::EventTime),
    ("platform", From::Uploaded("platform")),
    ("os_version", From::Uploaded("os_version")),
    ("amplitude_id", From::Unknown),
    ("processed_time", From::ServerTime),
    ("user_creation_time", From::Unknown),
    ("version_name", From::Uploaded("app_version")),
    ("ip_address", From::Address),
    ("paying", From::Unknown),
    ("dma", From::Uploaded("dma")),
    ("group_properties", From::Object("group_properties")),
    ("user_properties", From::Object("user_properties")),
    ("client_upload_time", From::ClientUploadTime),
    ("$insert_id", From::Uploaded("insert_id")),
    ("event_type", From::Uploaded("event_type")),
    ("library", From::Uploaded("library")),
    ("amplitude_attribution_ids", From::Unknown),
    ("device_type", From::Unknown),
    ("device_manufacturer", From::Uploaded("device_manufacturer")),
    ("start_version", From::Unknown),
    ("location_lng", From::Uploaded("location_lng")),
    ("server_upload_time", From::ServerTime),
    ("event_id", From::Uploaded("event_id")),
    ("location_lat", From::Uploaded("location_lat")),
    ("os_name", From::Uploaded("os_name")),
    ("amplitude_event_type", From::Unknown),
    ("device_brand", From::Uploaded("device_brand")),
    ("groups", From::Object("groups")),
    ("event_properties", From::Object("event_properties")),
    ("data", From::Unknown),
    ("device_id", From::Uploaded("device_id")),
    ("language", From::Uploaded("language")),
    ("device_model", From::Uploaded("device_model")),
    ("country", From::Uploaded("country")),
    ("region", From::Uploaded("region")),
    ("is_attribution_event", From::Unknown),
    ("adid", From::Uploaded("adid")),
    ("session_id", From::Session),
    ("device_family", From::Unknown),
    ("sample_rate", From::Unknown),
    ("idfa", From::Uploaded("idfa")),
    ("idfv", From::Uploaded("idfv")),
    ("client_event_time", From::EventTime),
];
/// Uploaded members whose exported names are other ones.
const RENAMED: [&str; 5] = ["carrier", "app_version", "ip", "insert_id", "time"];

#[derive(Deserialize)]
struct ApiKey {
    api_key: Option<String>,
}

#[derive(Default, Deserialize)]
struct Options {
    #[serde(default)]
    min_id_length: Option<usize>,
}

/// The key in a body.
pub(crate) fn key(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<ApiKey>(body).ok()?.api_key
}

/// What is said once for all events of an upload.
struct Upload {
    min_id_length: usize,
    client_upload_time: String,
    now: String,
    app: String,
}

/// Reads an upload of at most `limit` events.
pub(crate) fn read(context: &Context<'_>, limit: usize) -> Result<Read, Problem> {
    let body = context.object()?;
    let context = &Context { events: context.events.min(limit), ..*context };
    let values = context.member(&body, "events")?;
    let options = body.get("options").and_then(|raw| serde_json::from_str::<Options>(raw).ok());
    let now = export_time(context.now);
    let upload_time = body.text("client_upload_time").and_then(|text| parse_time(&text));
    let upload = Upload {
        min_id_length: options.and_then(|found| found.min_id_length).unwrap_or(MIN_ID_LENGTH),
        client_upload_time: upload_time.map_or_else(|| now.clone(), export_time),
        now,
        app: quoted(context.grant.project.as_str()),
    };
    let mut faults = Faults::new(context.faults);
    let mut read = Read::new(Stream::Events, Vec::with_capacity(values.len()));
    let mut occurrences: HashMap<Identity, u64> = HashMap::new();
    for (index, raw) in values.iter().enumerate() {
        match event(raw, &upload, context, &mut occurrences) {
            Ok(Some((event, identity))) => {
                read.events.push(event);
                read.identities.push(identity);
            }
            Ok(None) => read.dropped += 1,
            Err(found) => faults.add(index, found),
        }
    }
    faults.refuse(values.len())?;
    Ok(read)
}

/// An event as it would be exported, and what makes it itself; `None` for what is no event.
fn event(
    raw: &RawValue,
    upload: &Upload,
    context: &Context<'_>,
    occurrences: &mut HashMap<Identity, u64>,
) -> Result<Option<(Event, Option<Identity>)>, Vec<FieldFault>> {
    let object = members(raw)?;
    let mut found = check(&object, &SCHEMA);
    let kind = object.text("event_type").unwrap_or_default();
    if found.is_empty() && NO_EVENTS.contains(&kind.as_str()) {
        return Ok(None);
    }
    if found.is_empty() {
        found = check_ids(&object, &kind, upload.min_id_length);
    }
    let time = object.get("time").and_then(|raw| raw.parse().ok()).map(Timestamp);
    if let Some(time) = time
        && jiff::Timestamp::from_millisecond(time.0).is_err()
    {
        found.push(FieldFault::new("time", "must be milliseconds since the Unix epoch"));
    }
    if !found.is_empty() {
        return Err(found);
    }
    // A user may have the id of a device, and is another all the same.
    let whose = ["device_id", "user_id"].iter().find_map(|name| Some((*name, id(&object, name)?)));
    let (which, whose) = whose.unwrap_or_default();
    let identity = id(&object, "insert_id").map(|insert_id| {
        let texts = ["amplitude", which, &whose, &insert_id];
        context.identity(&texts.map(str::as_bytes))
    });
    let same = identity.unwrap_or_else(|| {
        let same = context.identity(&[raw.get().as_bytes()]);
        let occurrence = occurrences.entry(same).or_default();
        *occurrence += 1;
        context.identity(&[&same, &occurrence.to_be_bytes()])
    });
    let event_time = time.map_or_else(|| upload.now.clone(), export_time);
    let exported = write(&object, upload, &event_time, &same, raw.get().len());
    Ok(Some((Event::from_object(exported), identity)))
}

/// An id; what is empty is as good as absent, as some SDKs have it.
fn id(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).filter(|id| !id.is_empty())
}

fn check_ids(object: &Object<'_>, kind: &str, least: usize) -> Vec<FieldFault> {
    let mut found = Vec::new();
    if kind.is_empty() {
        found.push(FieldFault::new("event_type", "must not be empty"));
    }
    let mut there = false;
    for name in ["user_id", "device_id"] {
        let Some(id) = id(object, name) else { continue };
        there = true;
        if id.chars().count() < least {
            found.push(FieldFault::new(name, format!("{TOO_SHORT}{least} characters or more")));
        }
    }
    if !there {
        found.push(FieldFault::required("user_id"));
    }
    found
}

fn write(
    object: &Object<'_>,
    upload: &Upload,
    event_time: &str,
    same: &Identity,
    size: usize,
) -> String {
    let mut writer = Writer::with_capacity(size + 1_600);
    for (name, from) in EXPORTED {
        let value = match from {
            From::Uploaded(own) => object.get(own).unwrap_or("null"),
            From::Object(own) => object.get(own).unwrap_or("{}"),
            From::Session => object.get("session_id").unwrap_or("-1"),
            From::Address => object.get("ip").filter(|ip| *ip != "\"$remote\"").unwrap_or("null"),
            From::EventTime => event_time,
            From::ClientUploadTime => &upload.client_upload_time,
            From::ServerTime => &upload.now,
            From::Uuid => &quoted(&uuid(same)),
            From::App => &upload.app,
            From::Unknown => "null",
        };
        writer.raw(name, value);
    }
    for (name, value) in &object.0 {
        let known = EXPORTED.iter().any(|(exported, _)| exported == name);
        if !known && !RENAMED.contains(&name.as_ref()) {
            writer.raw(name, value.get());
        }
    }
    writer.end()
}

/// A version 8 UUID (RFC 9562, 5.8) of what makes an event itself.
fn uuid(same: &Identity) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&same[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// A time as JSON, in the form of an export: UTC, `2022-10-24 20:07:32.123`.
fn export_time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    quoted(&at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string())
}

/// ISO 8601, as the SDKs write it.
fn parse_time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_millisecond()))
}

#[cfg(test)]
mod tests;
