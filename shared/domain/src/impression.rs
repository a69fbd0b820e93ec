//! The schema of impressions, as Split's and Harness FME's impressions webhooks send them.
//!
//! Source: Split, "Webhook - Impressions" (help.split.io, article 360020700232), and Harness FME,
//! "Webhook for Impressions". `bucketingKey` "defaults to the matching key"; machine name and
//! address are there "if available". Environment id and name are written by ingest, from the key.

use crate::{
    event::Event,
    fault::FieldFault,
    integration::Environment,
    object::{Object, quoted},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Long,
    /// Ours to write: what the client says is dropped.
    EnvironmentId,
    EnvironmentName,
}

struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

const fn field(name: &'static str, kind: Kind, required: bool) -> Field {
    Field { name, kind, required }
}

/// The fields in the order of the vendors' page, which is the order they are sent in.
const FIELDS: [Field; 14] = [
    field("key", Kind::Text, true),
    field("split", Kind::Text, true),
    field("environmentId", Kind::EnvironmentId, false),
    field("environmentName", Kind::EnvironmentName, false),
    field("treatment", Kind::Text, true),
    field("time", Kind::Long, true),
    field("bucketingKey", Kind::Text, false),
    field("label", Kind::Text, false),
    field("machineName", Kind::Text, false),
    field("machineIp", Kind::Text, false),
    field("splitVersionNumber", Kind::Long, false),
    field("sdk", Kind::Text, false),
    field("sdkVersion", Kind::Text, false),
    field("properties", Kind::Text, false),
];
const KEY: usize = 0;
const BUCKETING_KEY: usize = 6;

/// The environment as JSON texts, made once for a request.
#[derive(Clone, Debug)]
pub struct EnvironmentTexts {
    id: String,
    name: String,
}

impl EnvironmentTexts {
    /// Writes id and name as JSON strings.
    pub fn new(environment: &Environment) -> Self {
        Self { id: quoted(&environment.id), name: quoted(&environment.name) }
    }
}

/// Checks an impression and brings it into the schema: fields in their order, `null` left out,
/// the environment written, `bucketingKey` defaulted, unknown fields kept as they are behind the
/// known ones.
pub fn normalise(
    impression: &str,
    environment: &EnvironmentTexts,
) -> Result<Event, Vec<FieldFault>> {
    let object =
        Object::read(impression).ok_or_else(|| vec![FieldFault::whole("must be an object")])?;
    let members = object.0.iter().map(|(name, value)| (name.as_ref(), value.get()));
    assemble(members, environment, impression.len())
}

/// The same of members that are read already; `size` is about that of their text.
pub(crate) fn assemble<'a>(
    members: impl Iterator<Item = (&'a str, &'a str)>,
    environment: &EnvironmentTexts,
    size: usize,
) -> Result<Event, Vec<FieldFault>> {
    let mut known: [Option<&str>; FIELDS.len()] = [None; FIELDS.len()];
    let mut unknown = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in members {
        match FIELDS.iter().position(|field| field.name == name) {
            None => unknown.push((name, value)),
            Some(index) if known[index].is_some() => {
                faults.push(FieldFault::new(name, "is there more than once"));
            }
            Some(index) => {
                known[index] = Some(value);
                faults.extend(check(&FIELDS[index], value));
            }
        }
    }
    for (field, value) in FIELDS.iter().zip(known) {
        if field.required && value.is_none() {
            faults.push(FieldFault::required(field.name));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if known[BUCKETING_KEY].is_none_or(|value| value == "null") {
        known[BUCKETING_KEY] = known[KEY];
    }
    Ok(write(&known, &unknown, environment, size))
}

fn check(field: &Field, value: &str) -> Option<FieldFault> {
    let (fits, wanted) = match field.kind {
        Kind::Text => (value.starts_with('"'), "must be a string"),
        Kind::Long => (value.parse::<i64>().is_ok(), "must be an integer of 64 bits"),
        Kind::EnvironmentId | Kind::EnvironmentName => (true, ""),
    };
    let absent = value == "null" && !field.required;
    (!fits && !absent).then(|| FieldFault::new(field.name, wanted))
}

fn write(
    known: &[Option<&str>; FIELDS.len()],
    unknown: &[(&str, &str)],
    environment: &EnvironmentTexts,
    size: usize,
) -> Event {
    let mut text = String::with_capacity(size + 160);
    let mut add = |name: &str, value: &str| {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push('"');
        text.push_str(name);
        text.push_str("\":");
        text.push_str(value);
    };
    for (field, value) in FIELDS.iter().zip(known) {
        match (field.kind, value) {
            (Kind::EnvironmentId, _) => add(field.name, &environment.id),
            (Kind::EnvironmentName, _) => add(field.name, &environment.name),
            (_, Some(value)) if *value != "null" => add(field.name, value),
            _ => {}
        }
    }
    for (name, value) in unknown {
        let quoted = quoted(name);
        add(&quoted[1..quoted.len() - 1], value);
    }
    text.push('}');
    Event::from_object(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn environment() -> EnvironmentTexts {
        EnvironmentTexts::new(&Environment { id: "e-1".into(), name: "Pro\"d".into() })
    }

    fn normalised(impression: &str) -> String {
        let event = normalise(impression, &environment()).unwrap();
        String::from_utf8(event.as_bytes().to_vec()).unwrap()
    }

    fn faults(impression: &Value) -> Vec<(Option<String>, String)> {
        let faults = normalise(&impression.to_string(), &environment()).unwrap_err();
        faults.into_iter().map(|fault| (fault.field, fault.detail)).collect()
    }

    #[test]
    fn fields_come_in_the_vendors_order_and_unknown_ones_are_kept() {
        let text = normalised(
            r#"{"x":[1, 2.50],"time":1700000000000,"treatment":"on","split":"flag","key":"u\u00e9",
                "label":null,"sdk":"python","environmentId":"forged","a\"b":null}"#,
        );
        assert_eq!(
            text,
            r#"{"key":"u\u00e9","split":"flag","environmentId":"e-1","environmentName":"Pro\"d","treatment":"on","time":1700000000000,"bucketingKey":"u\u00e9","sdk":"python","x":[1, 2.50],"a\"b":null}"#
        );
    }

    #[test]
    fn every_fault_is_named() {
        let found = faults(&json!({"key": 7, "split": null, "time": 1.5, "properties": {}}));
        let named: Vec<_> =
            found.iter().map(|(f, d)| (f.as_deref().unwrap(), d.as_str())).collect();
        assert_eq!(
            named,
            [
                ("key", "must be a string"),
                ("properties", "must be a string"),
                ("split", "must be a string"),
                ("time", "must be an integer of 64 bits"),
                ("treatment", "is required"),
            ]
        );
    }

    #[test]
    fn times_are_integers_of_64_bits() {
        let with = |time: &str| {
            let text = format!(r#"{{"key":"k","split":"s","treatment":"t","time":{time}}}"#);
            normalise(&text, &environment()).is_ok()
        };
        assert!(with("0") && with("-1") && with("9223372036854775807"));
        for time in ["9223372036854775808", "1e3", "1.0", "\"1\"", "null", "true"] {
            assert!(!with(time), "{time}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_is_a_fault() {
        let text = r#"{"key":"a","k\u0065y":"b","split":"s","treatment":"t","time":1}"#;
        let faults = normalise(text, &environment()).unwrap_err();
        assert_eq!(faults, [FieldFault::new("key", "is there more than once")]);
    }

    #[test]
    fn what_is_not_an_object_is_a_fault_of_the_whole() {
        for text in ["[]", "1", "null", "\"{}\"", ""] {
            let faults = normalise(text, &environment()).unwrap_err();
            assert_eq!(faults[0].field, None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(
            key in "\\PC{0,20}", label in proptest::option::of("\\PC{0,20}"), time: i64,
            extra in proptest::collection::btree_map("[a-z\\PC]{1,8}", any::<Option<i32>>(), 0..4),
        ) {
            let mut impression = json!({
                "key": key, "split": "flag", "treatment": "on", "time": time, "label": label,
            });
            for (name, value) in &extra {
                if FIELDS.iter().all(|field| field.name != name) {
                    impression[name] = json!(value);
                }
            }
            let once = normalised(&impression.to_string());
            prop_assert_eq!(normalised(&once), once.clone());
            let back: Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(&back["key"], &impression["key"]);
            prop_assert_eq!(&back["bucketingKey"], &impression["key"]);
            for name in extra.keys() {
                prop_assert_eq!(&back[name], &impression[name]);
            }
        }
    }
}
