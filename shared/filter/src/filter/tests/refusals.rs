//! What is refused, where, and with what words.

use super::{json, refusal};
use crate::Filter;

/// The pattern is refused at `path`, with `words` in the detail.
fn refused(pattern: &str, path: &str, words: &str) {
    let error = refusal(pattern);
    assert_eq!(error.path, path, "{pattern}: {error}");
    assert!(error.detail.contains(words), "{pattern}: {error}");
    assert!(error.to_string().contains(words) && error.to_string().contains(path), "{error}");
}

#[test]
fn shapes() {
    refused("[]", "", "object of fields");
    refused(r#""x""#, "", "object of fields");
    refused("{}", "", "empty object");
    refused(r#"{"a": {}}"#, "/a", "empty object");
    refused(r#"{"a": []}"#, "/a", "empty list");
    refused(r#"{"a": "x"}"#, "/a", r#"["x"]"#);
    refused(r#"{"a": {"b": true}}"#, "/a/b", "[true]");
    refused(r#"{"a": [["x"]]}"#, "/a/0", "list inside");
    refused(r#"{"a/b": {"~": [{}]}}"#, "/a~1b/~0/0", "operator is missing");
    refused(r#"{"a": [1, {"prefix": "x", "suffix": "y"}]}"#, "/a/1", "one operator");
}

#[test]
fn operators_by_name() {
    let allowed =
        "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr";
    refused(r#"{"a": [{"regex": "x"}]}"#, "/a/0/regex", allowed);
    refused(r#"{"a": [{"regex": "x"}]}"#, "/a/0/regex", r#""regex""#);
    refused(r#"{"a": [{"Prefix": "x"}]}"#, "/a/0/Prefix", allowed);
    refused(
        r#"{"a": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}"#,
        "/a/0/anything-but/cidr",
        "prefix, suffix, equals",
    );
    refused(
        r#"{"a": [{"prefix": {"wildcard": "x"}}]}"#,
        "/a/0/prefix/wildcard",
        "equals-ignore-case alone",
    );
    refused(r#"{"a": [{"anything-but": {}}]}"#, "/a/0/anything-but", "operator is missing");
}

#[test]
fn operands() {
    refused(r#"{"a": [{"prefix": 1}]}"#, "/a/0/prefix", "takes a string");
    refused(r#"{"a": [{"suffix": ["x"]}]}"#, "/a/0/suffix", "takes a string");
    refused(
        r#"{"a": [{"prefix": {"equals-ignore-case": null}}]}"#,
        "/a/0/prefix/equals-ignore-case",
        "takes a string",
    );
    refused(
        r#"{"a": [{"equals-ignore-case": true}]}"#,
        "/a/0/equals-ignore-case",
        "takes a string",
    );
    refused(r#"{"a": [{"wildcard": 1}]}"#, "/a/0/wildcard", "takes a string");
    refused(r#"{"a": [{"wildcard": "a**b"}]}"#, "/a/0/wildcard", "two * in a row");
    refused(r#"{"a": [{"wildcard": "a\\b"}]}"#, "/a/0/wildcard", "only as");
    refused(r#"{"a": [{"exists": "true"}]}"#, "/a/0/exists", "true or false");
    refused(r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "/a/0/cidr", "10.0.0.0/24");
    refused(r#"{"a": [{"cidr": "10.0.0.0/33"}]}"#, "/a/0/cidr", "network");
    refused(r#"{"a": [{"cidr": 10}]}"#, "/a/0/cidr", "takes a string");
}

#[test]
fn anything_but() {
    refused(r#"{"a": [{"anything-but": true}]}"#, "/a/0/anything-but", "strings or numbers");
    refused(r#"{"a": [{"anything-but": null}]}"#, "/a/0/anything-but", "strings or numbers");
    refused(r#"{"a": [{"anything-but": ["x", 1]}]}"#, "/a/0/anything-but/1", "not both");
    refused(r#"{"a": [{"anything-but": [1, "x"]}]}"#, "/a/0/anything-but/1", "not both");
    refused(
        r#"{"a": [{"anything-but": [{"prefix": "x"}]}]}"#,
        "/a/0/anything-but/0",
        "strings or numbers",
    );
    refused(r#"{"a": [{"anything-but": []}]}"#, "/a/0/anything-but", "empty list");
    refused(
        r#"{"a": [{"anything-but": {"prefix": []}}]}"#,
        "/a/0/anything-but/prefix",
        "empty list",
    );
    refused(
        r#"{"a": [{"anything-but": {"prefix": ["x", ""]}}]}"#,
        "/a/0/anything-but/prefix/1",
        "empty prefix",
    );
    refused(
        r#"{"a": [{"anything-but": {"suffix": ""}}]}"#,
        "/a/0/anything-but/suffix",
        "empty suffix",
    );
    refused(
        r#"{"a": [{"anything-but": {"suffix": 1}}]}"#,
        "/a/0/anything-but/suffix",
        "takes a string",
    );
    refused(
        r#"{"a": [{"anything-but": {"wildcard": ["x", "**"]}}]}"#,
        "/a/0/anything-but/wildcard/1",
        "two *",
    );
}

#[test]
fn numeric() {
    refused(r#"{"a": [{"numeric": 1}]}"#, "/a/0/numeric", "takes a comparison");
    refused(r#"{"a": [{"numeric": []}]}"#, "/a/0/numeric", "takes a comparison");
    refused(r#"{"a": [{"numeric": [">"]}]}"#, "/a/0/numeric/0", "takes a comparison");
    refused(r#"{"a": [{"numeric": [1, ">"]}]}"#, "/a/0/numeric/0", "takes a comparison");
    refused(r#"{"a": [{"numeric": [">", "1"]}]}"#, "/a/0/numeric/1", "takes a number");
    refused(r#"{"a": [{"numeric": ["!=", 1]}]}"#, "/a/0/numeric/0", "anything-but");
    refused(r#"{"a": [{"numeric": ["==", 1]}]}"#, "/a/0/numeric/0", "=, <, <=, > and >=");
    refused(r#"{"a": [{"numeric": ["=", 1, "<", 3]}]}"#, "/a/0/numeric/2", "one lower end");
    refused(r#"{"a": [{"numeric": [">", 1, "=", 3]}]}"#, "/a/0/numeric/2", "stands alone");
    refused(r#"{"a": [{"numeric": ["<", 5, ">", 0]}]}"#, "/a/0/numeric/2", "one lower end");
    refused(r#"{"a": [{"numeric": [">", 5, ">", 6]}]}"#, "/a/0/numeric/2", "one lower end");
    refused(r#"{"a": [{"numeric": [">", 0, "<", 5, "<", 6]}]}"#, "/a/0/numeric/4", "one lower end");
    refused(r#"{"a": [{"numeric": [">", 5, "<=", 5]}]}"#, "/a/0/numeric", "no number lies");
    refused(r#"{"a": [{"numeric": [">=", 5, "<", 4]}]}"#, "/a/0/numeric", "no number lies");
}

#[test]
fn or() {
    refused(r#"{"$or": {"a": [1]}}"#, "/$or", "list of patterns");
    refused(r#"{"$or": []}"#, "/$or", "at least two");
    refused(r#"{"a": {"$or": [{"b": [1]}]}}"#, "/a/$or", "at least two");
    refused(r#"{"$or": [{"a": [1]}, 2]}"#, "/$or/1", "objects of fields");
    refused(r#"{"$or": [{"a": [1]}, {}]}"#, "/$or/1", "empty object");
    refused(
        r#"{"a": {"$or": [{"prefix": ["x"]}, {"b": [1]}]}}"#,
        "/a/$or/0/prefix",
        "cannot be the name",
    );
    refused(
        r#"{"$or": [{"b": {"exists": [true]}}, {"b": [1]}]}"#,
        "/$or/0/b/exists",
        "cannot be the name",
    );
}

#[test]
fn depth_is_refused_without_recursion_of_its_own() {
    let deep = format!("{}[1]{}", r#"{"a":"#.repeat(120), "}".repeat(120));
    assert!(Filter::compile(&json(&deep)).is_err());
}
