use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::DOCUMENT;
use crate::{admin::route, native, problem::Kind};

static PARSED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every operation that is described, by method and path.
fn operations() -> BTreeMap<(String, &'static str), &'static Value> {
    let paths = PARSED["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .map(|(method, operation)| ((method.to_uppercase(), path.as_str()), operation))
    });
    all.collect()
}

/// What a `$ref` stands for, or the value itself.
fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let found = PARSED.pointer(reference.strip_prefix('#').unwrap());
            resolved(found.unwrap_or_else(|| panic!("nothing is at {reference}")))
        }
        None => value,
    }
}

fn statuses(operation: &'static Value) -> BTreeSet<u16> {
    let responses = operation["responses"].as_object().unwrap();
    responses.keys().map(|status| status.parse().unwrap()).collect()
}

/// Whether a path that was asked for is the one that is described.
fn is_of(form: &str, path: &str) -> bool {
    let (form, path): (Vec<_>, Vec<_>) = (form.split('/').collect(), path.split('/').collect());
    let fits = |(form, given): (&&str, &&str)| form.starts_with('{') || form == given;
    form.len() == path.len() && form.iter().zip(&path).all(fits)
}

/// Checks that an answer's status is described, and that of its body every member is, and every
/// required one there. What is on no route is not described.
pub(in crate::admin) fn is_described(method: &str, path: &str, status: u16, body: &Value) {
    if route::find(method, path).is_err() {
        return;
    }
    let operations = operations();
    let found = operations.iter().find(|((m, form), _)| m == method && is_of(form, path));
    let (_, operation) = found.unwrap_or_else(|| panic!("{method} {path} is not described"));
    let response = &operation["responses"][status.to_string()];
    assert!(!response.is_null(), "{method} {path} is answered {status}, which is not described");
    let content = &resolved(response)["content"];
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let schema = resolved(&content[kind]["schema"]);
    match body {
        Value::Null => assert!(content.is_null(), "{method} {path}: {status} has a body"),
        body => holds(schema, body, &format!("{method} {path} {status}")),
    }
}

/// Whether a value is as its schema says, as far as objects and their members go.
fn holds(schema: &'static Value, value: &Value, at: &str) {
    let schema = resolved(schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        holds(part, value, at);
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        let form = forms.iter().find(|form| has_required(resolved(form), value));
        holds(form.unwrap_or_else(|| panic!("{at}: {value} is of no form")), value, at);
    }
    match value {
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(members.contains_key(name.as_str().unwrap()), "{at}: no {name} in {value}");
            }
            let Some(properties) = schema["properties"].as_object() else { return };
            for (name, member) in members {
                match properties.get(name) {
                    Some(property) => holds(property, member, &format!("{at}.{name}")),
                    None => assert!(
                        schema["additionalProperties"].is_object(),
                        "{at}: {name} is not described"
                    ),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                holds(&schema["items"], item, at);
            }
        }
        _ => {}
    }
}

fn has_required(schema: &Value, value: &Value) -> bool {
    let mut names = schema["required"].as_array().into_iter().flatten();
    names.all(|name| value.get(name.as_str().unwrap()).is_some())
}

#[test]
fn every_route_is_described_and_no_other() {
    let table: BTreeSet<_> =
        route::TABLE.iter().map(|entry| (entry.method.to_owned(), entry.path)).collect();
    let described: BTreeSet<_> = operations().into_keys().collect();
    for one in &table {
        assert!(described.contains(one), "{one:?} is not described");
    }
    for (method, path) in described.difference(&table) {
        let path = path.replace(['{', '}'], "");
        assert!(method == "POST" && native::route(&path).is_some(), "{method} {path} is no route");
    }
}

#[test]
fn every_upload_is_described() {
    for pattern in native::patterns() {
        let found = operations().into_keys().any(|(method, path)| {
            let path = path.strip_prefix('/').unwrap();
            let path = path.strip_prefix("api/").unwrap_or(path);
            let path = path.find('{').map_or(path.to_owned(), |at| format!("{}*", &path[..at]));
            method == "POST" && path == pattern
        });
        assert!(found, "{pattern} is not described");
    }
}

#[test]
fn what_every_operation_of_its_kind_may_answer_is_described() {
    for ((method, path), operation) in operations() {
        let at = format!("{method} {path}");
        let found = statuses(operation);
        assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{at}");
        let Some(route) = route::TABLE.iter().find(|one| (one.method, one.path) == (&method, path))
        else {
            continue;
        };
        let id = route::find(route.method, &route.example()).unwrap().name();
        assert_eq!(operation["operationId"], id, "{at}");
        let public = operation["security"] == serde_json::json!([]);
        assert_eq!(public, path == "/openapi.json", "{at}");
        let mut wanted = if public { vec![] } else { vec![401, 500, 503] };
        if !public && !["/v1/presets", "/v1/projects"].contains(&path) || method == "POST" {
            wanted.push(403);
        }
        if path.contains('{') {
            wanted.push(404);
        }
        if operation["requestBody"].is_object() {
            wanted.extend([400, 413]);
        }
        let names: Vec<_> = parameters(operation).filter_map(|one| one["name"].as_str()).collect();
        if names.contains(&"limit") {
            assert!(names.contains(&"cursor"), "{at}");
            wanted.push(400);
        }
        if names.contains(&"Idempotency-Key") {
            wanted.push(422);
        }
        for status in wanted {
            assert!(found.contains(&status), "{at}: {status} is not described");
        }
        let success = found.iter().filter(|status| **status < 300).count();
        assert_eq!(success, 1, "{at}");
    }
}

fn parameters(operation: &'static Value) -> impl Iterator<Item = &'static Value> {
    operation["parameters"].as_array().into_iter().flatten().map(resolved)
}

#[test]
fn every_creation_takes_an_idempotency_key_and_so_does_a_rotation() {
    for (at, operation) in operations() {
        let creates = statuses(operation).contains(&201) || at.1.ends_with("/secret");
        let takes = parameters(operation).any(|one| one["name"] == "Idempotency-Key");
        assert_eq!(takes, creates, "{at:?}");
    }
}

#[test]
fn every_parameter_of_a_path_is_described_and_every_reference_leads_somewhere() {
    for ((method, path), operation) in operations() {
        let item = &PARSED["paths"][path];
        let of_path = item["parameters"].as_array().into_iter().flatten().map(resolved);
        let described: BTreeSet<_> = of_path
            .chain(parameters(operation))
            .filter(|one| one["in"] == "path")
            .filter_map(|one| one["name"].as_str())
            .collect();
        let named: BTreeSet<_> = path
            .split('/')
            .filter_map(|one| one.strip_prefix('{').and_then(|one| one.strip_suffix('}')))
            .collect();
        assert_eq!(described, named, "{method} {path}");
    }
    references(&PARSED);
}

fn references(value: &'static Value) {
    match value {
        Value::Object(members) => {
            resolved(value);
            members.values().for_each(references);
        }
        Value::Array(items) => items.iter().for_each(references),
        _ => {}
    }
}

/// Whether a value says what it is for, itself or where it refers to.
fn says(value: &'static Value) -> bool {
    let said = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
    said(value) || said(resolved(value))
}

/// The properties of every schema within a value, by where they stand.
fn properties(value: &'static Value, at: &str, found: &mut Vec<(String, &'static Value)>) {
    match value {
        Value::Object(members) => {
            // A property may be called `properties`: then it has no type of an object beside it.
            let own = value["properties"].as_object().filter(|_| {
                value["required"].is_array()
                    || value["type"].is_string()
                    || value["type"].is_array()
            });
            for (name, property) in own.into_iter().flatten() {
                found.push((format!("{at}.{name}"), property));
            }
            for (name, member) in members {
                properties(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                properties(item, at, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_property_parameter_and_operation_says_what_it_is_for() {
    let mut found = Vec::new();
    for part in ["paths", "components"] {
        properties(&PARSED[part], part, &mut found);
    }
    assert!(found.len() > 250, "{}", found.len());
    let shared = PARSED["components"]["parameters"].as_object().unwrap();
    found.extend(shared.iter().map(|(name, one)| (name.clone(), one)));
    for ((method, path), operation) in operations() {
        found.push((format!("{method} {path}"), operation));
        let all = PARSED["paths"][path]["parameters"].as_array().into_iter().flatten();
        for one in all.map(resolved).chain(parameters(operation)) {
            found.push((format!("{method} {path} {}", one["name"]), one));
        }
    }
    let silent: Vec<_> = found.iter().filter(|(_, one)| !says(one)).map(|(at, _)| at).collect();
    assert!(silent.is_empty(), "without a description: {silent:#?}");
}

#[test]
fn every_kind_of_problem_is_listed() {
    let listed = &PARSED["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let listed: Vec<_> = listed.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let kinds: Vec<_> =
        Kind::ALL.iter().map(|kind| format!("urn:flagpost:problem:{}", kind.slug())).collect();
    assert_eq!(listed, kinds);
}
