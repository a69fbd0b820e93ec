//! What the SDKs of Split and Harness FME upload.
//!
//! Source: the requests of splitio_client 10.7.0, as captured, and the SDKs' own code. An impression
//! is `{k, t, m, c, r, b, pt, properties}` under its flag `f`; it becomes one of the impressions
//! webhook's schema. Any 2xx is success to the clients, and they ignore the body.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Context, Read,
    read::{Faults, Field, Shape, check, members, object_text, too_many},
};
use crate::{
    event::Event,
    fault::FieldFault,
    impression::assemble,
    integration::Stream,
    object::{Object, quoted},
    problem::Problem,
};

/// What an upload holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upload {
    /// Impressions under their flags.
    Impressions,
    /// What `track` was called with.
    Events,
    /// Counts, unique keys, metrics: nothing that could be delivered. Taken and not kept.
    Nothing,
}

/// A name of a flag at most, in bytes: it is written into each of its impressions.
const FLAG_BYTES: usize = 1_024;
/// The same of what a header says.
const HEADER_BYTES: usize = 256;

/// An impression's names and the schema's. `pt`, the time of the impression before, is dropped.
const NAMES: [(&str, &str); 6] = [
    ("k", "key"),
    ("t", "treatment"),
    ("m", "time"),
    ("c", "splitVersionNumber"),
    ("r", "label"),
    ("b", "bucketingKey"),
];
const FLAG: [Field; 2] = [("f", Shape::Text, true), ("i", Shape::Array, true)];
const EVENT: [Field; 5] = [
    ("key", Shape::Text, true),
    ("trafficTypeName", Shape::Text, true),
    ("eventTypeId", Shape::Text, true),
    ("timestamp", Shape::Integer, true),
    ("properties", Shape::Object, false),
];

#[derive(Deserialize)]
struct Beacon {
    token: Option<String>,
}

/// The key in a beacon's body.
pub(crate) fn token(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Beacon>(body).ok()?.token
}

pub(crate) fn read(upload: Upload, context: &Context<'_>) -> Result<Read, Problem> {
    match upload {
        Upload::Nothing => Ok(Read { dropped: 1, ..Read::new(Stream::Impressions, vec![]) }),
        Upload::Events => events(&context.values()?, context),
        Upload::Impressions => {
            let sdk = context.post.header("splitsdkversion");
            impressions(&context.values()?, sdk, context)
        }
    }
}

pub(crate) fn read_beacon(upload: Upload, context: &Context<'_>) -> Result<Read, Problem> {
    let object = context.object()?;
    let sdk = object.text("sdk");
    match upload {
        Upload::Nothing => read(upload, context),
        Upload::Events => events(&context.member(&object, "entries")?, context),
        Upload::Impressions => {
            impressions(&context.member(&object, "entries")?, sdk.as_deref(), context)
        }
    }
}

fn events(values: &[&RawValue], context: &Context<'_>) -> Result<Read, Problem> {
    let mut faults = Faults::new(context.faults);
    let mut events = Vec::with_capacity(values.len());
    for (index, raw) in values.iter().enumerate() {
        let found = members(raw).map(|object| check(&object, &EVENT));
        match found.and_then(|found| if found.is_empty() { Ok(()) } else { Err(found) }) {
            Ok(()) => {
                let text = raw.get().as_bytes();
                events.push(Event::from_object(context.body.slice_ref(text)));
            }
            Err(found) => faults.add(index, found),
        }
    }
    faults.refuse(values.len())?;
    Ok(Read::new(Stream::Events, events))
}

fn impressions(
    flags: &[&RawValue],
    sdk: Option<&str>,
    context: &Context<'_>,
) -> Result<Read, Problem> {
    let about = About::new(sdk, context);
    let mut faults = Faults::new(context.faults);
    let mut events = Vec::new();
    let mut count = 0;
    for (index, raw) in flags.iter().enumerate() {
        match flag(raw, context) {
            Err(found) => {
                count += 1;
                faults.add(index, found);
            }
            Ok((name, values)) => {
                count += values.len();
                if count > context.events {
                    return Err(too_many(count, context.events));
                }
                for (position, raw) in values.iter().enumerate() {
                    match impression(name, raw, &about, context) {
                        Ok(event) => events.push(event),
                        Err(found) => faults.add(index, under(position, found)),
                    }
                }
            }
        }
    }
    faults.refuse(count)?;
    Ok(Read::new(Stream::Impressions, events))
}

/// A flag's name, as JSON, and its impressions.
fn flag<'a>(
    raw: &'a RawValue,
    context: &Context<'_>,
) -> Result<(&'a str, Vec<&'a RawValue>), Vec<FieldFault>> {
    // An object of many events: it may be larger than one of them.
    if !raw.get().starts_with('{') {
        return Err(vec![FieldFault::whole("must be an object")]);
    }
    let object = Object::read(raw.get())
        .ok_or_else(|| vec![FieldFault::whole("has a name that is not a text")])?;
    let found = check(&object, &FLAG);
    let (Some(name), Some(values)) = (object.get("f"), object.get("i")) else {
        return Err(found);
    };
    if !found.is_empty() {
        return Err(found);
    }
    if name.len() > FLAG_BYTES {
        let detail = format!("has {} bytes; at most {FLAG_BYTES} are allowed", name.len());
        return Err(vec![FieldFault::new("f", detail)]);
    }
    let values = context.array(values.as_bytes());
    Ok((name, values.map_err(|problem| vec![FieldFault::new("i", problem.detail)])?))
}

fn under(position: usize, found: Vec<FieldFault>) -> Vec<FieldFault> {
    let place = |fault: FieldFault| {
        let path = match fault.field {
            Some(field) => format!("i[{position}].{field}"),
            None => format!("i[{position}]"),
        };
        FieldFault::new(path, fault.detail)
    };
    found.into_iter().map(place).collect()
}

fn impression(
    flag: &str,
    raw: &RawValue,
    about: &About,
    context: &Context<'_>,
) -> Result<Event, Vec<FieldFault>> {
    let size = object_text(raw)?.len() + flag.len();
    let object = members(raw)?;
    let ours = |name: &str| NAMES.iter().find(|(own, _)| *own == name).map(|(_, ours)| *ours);
    let mapped = object.0.iter().filter_map(|(name, value)| Some((ours(name)?, value.get())));
    let mut members: Vec<_> = mapped.chain([("split", flag)]).chain(about.members()).collect();

    // What is written here goes before what came under the same name; what came twice is a fault
    // all the same.
    let written = members.len();
    let (mut dropped, mut twice) = (Vec::new(), Vec::new());
    for (name, value) in &object.0 {
        let (name, value) = (name.as_ref(), value.get());
        if name == "pt" || ours(name).is_some() {
            continue;
        }
        if !members[..written].iter().any(|(ours, _)| *ours == name) {
            members.push((name, value));
        } else if !dropped.contains(&name) {
            dropped.push(name);
        } else if !twice.contains(&name) {
            twice.push(name);
        }
    }
    let twice = twice.iter().map(|name| FieldFault::new(*name, "is there more than once"));
    let found = match assemble(members.into_iter(), context.environment, size) {
        Ok(event) if twice.len() == 0 => return Ok(event),
        Ok(_) => Vec::new(),
        Err(found) => renamed(found, &object),
    };
    Err(twice.chain(found).collect())
}

/// Faults under the names that they came with, and under the SDKs' own where nothing came.
fn renamed(mut found: Vec<FieldFault>, object: &Object<'_>) -> Vec<FieldFault> {
    let came = |name| object.0.iter().any(|(member, _)| member == name);
    for name in found.iter_mut().filter_map(|fault| fault.field.as_mut()) {
        let own = NAMES.iter().find(|(own, ours)| ours == name && (came(own) || !came(ours)));
        if let Some((own, _)) = own {
            (*own).clone_into(name);
        }
    }
    found
}

/// What is said once for all impressions of an upload, as JSON.
struct About([(&'static str, Option<String>); 4]);

impl About {
    fn new(sdk: Option<&str>, context: &Context<'_>) -> Self {
        let fits = |text: &&str| text.len() <= HEADER_BYTES;
        let header = |name| context.post.header(name).filter(fits).map(quoted);
        let (sdk, version) = sdk.filter(fits).map(sdk_and_version).unwrap_or_default();
        Self([
            ("machineName", header("splitsdkmachinename")),
            ("machineIp", header("splitsdkmachineip")),
            ("sdk", sdk.map(|text| quoted(&text))),
            ("sdkVersion", version.map(|text| quoted(&text))),
        ])
    }

    fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)))
    }
}

/// `python-10.7.0` is `python` and `10.7.0`: the version begins with the first digit that follows a
/// hyphen. What has none is the SDK alone.
fn sdk_and_version(text: &str) -> (Option<String>, Option<String>) {
    let digit = |at: &usize| text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let hyphen = text.match_indices('-').map(|(at, _)| at).filter(|at| *at > 0).find(digit);
    match hyphen {
        Some(at) => (Some(text[..at].to_owned()), Some(text[at + 1..].to_owned())),
        None => (Some(text.to_owned()).filter(|text| !text.is_empty()), None),
    }
}

#[cfg(test)]
mod tests;
