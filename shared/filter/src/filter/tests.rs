//! What patterns match, by theme.

mod arrays;
mod bounds;
mod events;
mod operators;
mod refusals;

use serde_json::Value;

use crate::{Filter, PatternError};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn compile(pattern: &str) -> Filter {
    Filter::compile(&json(pattern)).unwrap_or_else(|error| panic!("{error}: {pattern}"))
}

fn refusal(pattern: &str) -> PatternError {
    let value = json(pattern);
    let error = Filter::compile(&value).expect_err(pattern);
    assert!(value.pointer(&error.path).is_some(), "{} is not in {pattern}", error.path);
    error
}

fn matches(pattern: &str, event: &str) -> bool {
    compile(pattern).matches(event.as_bytes()).unwrap_or_else(|error| panic!("{error}: {event}"))
}

/// The pattern matches each of `yes` and none of `no`.
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    for event in yes {
        assert!(matches(pattern, event), "{pattern} should match {event}");
    }
    for event in no {
        assert!(!matches(pattern, event), "{pattern} should not match {event}");
    }
}

/// A leaf with these values matches a field `x` that holds each of `yes` and none of `no`.
fn check_leaf(values: &str, yes: &[&str], no: &[&str]) {
    let event = |value: &&str| format!(r#"{{"x": {value}}}"#);
    let yes: Vec<String> = yes.iter().map(event).collect();
    let no: Vec<String> = no.iter().map(event).collect();
    let yes: Vec<&str> = yes.iter().map(String::as_str).collect();
    let no: Vec<&str> = no.iter().map(String::as_str).collect();
    check(&format!(r#"{{"x": [{values}]}}"#), &yes, &no);
}
