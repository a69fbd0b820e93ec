//! Events, as text, that a pattern has something to say about.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value};

use crate::naive::asks_for;
use crate::pattern::{KEYS, NUMBERS, TEXTS, in_ten, pick};

/// An event that has most of what the pattern names, often with the value that it asks for, and
/// some things beside.
pub(crate) fn event(chance: &mut Pcg64Mcg, pattern: &Value) -> String {
    object(chance, &[pattern], 4)
}

/// An object for these patterns, all of which look at the same place.
fn object(chance: &mut Pcg64Mcg, patterns: &[&Value], depth: u32) -> String {
    let mut fields = Vec::new();
    let mut wanted: Map<String, Value> = Map::new();
    for pattern in patterns {
        wish(chance, pattern, &mut wanted);
    }
    for (key, field) in &wanted {
        if in_ten(chance, 1) {
            // A key that is there twice: this one does not count.
            fields.push(format!("{}:{}", quoted(chance, key), anything(chance, 2)));
        }
        if in_ten(chance, 9) {
            fields.push(format!("{}:{}", quoted(chance, key), value(chance, field, depth)));
        }
    }
    if in_ten(chance, 3) {
        let key = pick(chance, &KEYS);
        if !wanted.contains_key(key) {
            fields.push(format!("{}:{}", quoted(chance, key), anything(chance, depth.min(2))));
        }
    }
    if fields.len() > 1 && in_ten(chance, 3) {
        fields.insert(0, r#""other":{"a":[1,{"b":"x"}]}"#.to_owned());
    }
    format!("{{{}}}", fields.join(","))
}

/// Adds the fields that a pattern names, those of one alternative of each `$or` among them.
fn wish(chance: &mut Pcg64Mcg, pattern: &Value, wanted: &mut Map<String, Value>) {
    for (key, field) in pattern.as_object().into_iter().flatten() {
        if key == "$or" {
            let alternatives = field.as_array().unwrap();
            let chosen = chance.random_range(0..alternatives.len());
            wish(chance, &alternatives[chosen], wanted);
        } else if !wanted.contains_key(key) || in_ten(chance, 5) {
            wanted.insert(key.clone(), field.clone());
        }
    }
}

/// A value for one field of a pattern, alone or within an array.
fn value(chance: &mut Pcg64Mcg, field: &Value, depth: u32) -> String {
    if depth > 0 && in_ten(chance, 3) {
        let elements: Vec<String> =
            (0..chance.random_range(0..=3)).map(|_| value(chance, field, depth - 1)).collect();
        return format!("[{}]", elements.join(","));
    }
    if in_ten(chance, 1) {
        return anything(chance, depth.min(2));
    }
    if field.is_object() {
        return object(chance, &[field], depth.saturating_sub(1));
    }
    let values = field.as_array().unwrap();
    let wanted = &values[chance.random_range(0..values.len())];
    // A few draws, the last of which need not fit.
    let mut found = drawn(chance, wanted);
    for _ in 0..4 {
        if asks_for(wanted, &serde_json::from_str(&found).unwrap()) {
            break;
        }
        found = drawn(chance, wanted);
    }
    found
}

fn drawn(chance: &mut Pcg64Mcg, wanted: &Value) -> String {
    match wanted {
        Value::Object(operator) => fitting(chance, operator),
        scalar if in_ten(chance, 8) => scalar.to_string(),
        _ => scalar(chance),
    }
}

/// Something of the type that an operator is about.
fn fitting(chance: &mut Pcg64Mcg, operator: &Map<String, Value>) -> String {
    if operator.contains_key("numeric") {
        return pick(chance, &NUMBERS).to_owned();
    }
    if operator.get("exists") == Some(&Value::Bool(false)) && in_ten(chance, 7) {
        return pick(chance, &["{}", "[]", r#"{"e":1}"#]).to_owned();
    }
    if operator.contains_key("exists") {
        return scalar(chance);
    }
    let text = pick(chance, &TEXTS);
    quoted(chance, text)
}

fn anything(chance: &mut Pcg64Mcg, depth: u32) -> String {
    match chance.random_range(0..10) {
        0..2 if depth > 0 => {
            let elements: Vec<String> =
                (0..chance.random_range(0..=3)).map(|_| anything(chance, depth - 1)).collect();
            format!("[{}]", elements.join(","))
        }
        2..5 if depth > 0 => {
            let key = pick(chance, &KEYS);
            format!("{{{}:{}}}", quoted(chance, key), anything(chance, depth - 1))
        }
        _ => scalar(chance),
    }
}

fn scalar(chance: &mut Pcg64Mcg) -> String {
    match chance.random_range(0..8) {
        0..4 => {
            let text = pick(chance, &TEXTS);
            quoted(chance, text)
        }
        4..7 => pick(chance, &NUMBERS).to_owned(),
        _ => pick(chance, &["null", "true", "false"]).to_owned(),
    }
}

/// A JSON string, sometimes with each character escaped.
fn quoted(chance: &mut Pcg64Mcg, text: &str) -> String {
    if in_ten(chance, 9) {
        return Value::from(text).to_string();
    }
    let escaped: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{}\"", escaped.concat())
}
