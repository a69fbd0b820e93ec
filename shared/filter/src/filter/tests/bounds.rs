//! Sizes that are allowed, sizes that are not, and what the worst of the allowed costs.

use super::{compile, json, refusal};
use crate::{Filter, MAX_BYTES, MAX_DEPTH, MAX_LEAVES};

fn nested(depth: usize) -> String {
    format!("{}[1]{}", r#"{"a":"#.repeat(depth), "}".repeat(depth))
}

#[test]
fn depth() {
    assert!(Filter::compile(&json(&nested(MAX_DEPTH))).is_ok());
    let error = refusal(&nested(MAX_DEPTH + 1));
    assert_eq!(error.path, "/a".repeat(MAX_DEPTH));
    assert!(error.detail.contains("16"), "{error}");
    let alternatives = (1..MAX_DEPTH)
        .fold(r#"{"a":[1]}"#.to_owned(), |inner, _| format!(r#"{{"$or":[{{"b":[1]}},{inner}]}}"#));
    assert!(Filter::compile(&json(&alternatives)).is_ok());
    let error = refusal(&format!(r#"{{"$or":[{{"b":[1]}},{alternatives}]}}"#));
    assert_eq!(error.path, format!("{}/$or/0", "/$or/1".repeat(MAX_DEPTH - 1)));
}

#[test]
fn leaves() {
    let list = |count: usize| vec!["1"; count].join(",");
    assert!(Filter::compile(&json(&format!(r#"{{"a":[{}]}}"#, list(MAX_LEAVES)))).is_ok());
    let error = refusal(&format!(r#"{{"a":[{}]}}"#, list(MAX_LEAVES + 1)));
    assert_eq!(error.path, "/a/100");
    assert!(error.detail.contains("100"), "{error}");
    let error = refusal(&format!(r#"{{"a":[{{"anything-but":[{}]}}],"b":[1]}}"#, list(MAX_LEAVES)));
    assert_eq!(error.path, "/b/0");
    let error = refusal(&format!(r#"{{"$or":[{{"a":[{}]}},{{"a":[{}]}}]}}"#, list(60), list(60)));
    assert_eq!(error.path, "/$or/1/a/40");
}

#[test]
fn bytes() {
    let of_size =
        |size: usize| format!(r#"{{"a": ["{}"]}}"#, "x".repeat(size - r#"{"a":[""]}"#.len()));
    assert!(Filter::compile(&json(&of_size(MAX_BYTES))).is_ok());
    let error = refusal(&of_size(MAX_BYTES + 1));
    assert_eq!(
        (error.path.as_str(), error.to_string().contains("4097 bytes")),
        ("", true),
        "{error}"
    );
}

#[test]
fn the_most_fields_and_objects_have_a_bit_each() {
    let pairs: Vec<String> =
        (0..MAX_LEAVES / 2).map(|n| format!(r#""o{n}":{{"a":[{n}],"b":[{n}]}}"#)).collect();
    let filter = compile(&format!("{{{}}}", pairs.join(",")));
    let event = |wrong: Option<usize>| -> String {
        let field = |n: usize| {
            format!(
                r#""o{n}": [{{"a": {n}}}, {{"a": {n}, "b": {}}}]"#,
                if wrong == Some(n) { 99 } else { n }
            )
        };
        format!("{{{}}}", (0..MAX_LEAVES / 2).map(field).collect::<Vec<_>>().join(","))
    };
    assert!(filter.matches(event(None).as_bytes()).unwrap());
    for wrong in 0..MAX_LEAVES / 2 {
        assert!(!filter.matches(event(Some(wrong)).as_bytes()).unwrap());
    }
}

/// `*a*a*a…` against a long row of `a` takes a naive matcher longer than the universe has lasted.
#[test]
fn a_hostile_wildcard_takes_linear_time() {
    let stars = "*a".repeat(2000);
    let row = "a".repeat(256 * 1024);
    let event = format!(r#"{{"x": "{row}"}}"#);
    for end in ["*", "", "b", "*b", "*b*"] {
        let filter = compile(&format!(r#"{{"x": [{{"wildcard": "{stars}{end}"}}]}}"#));
        assert_eq!(filter.matches(event.as_bytes()).unwrap(), !end.contains('b'), "{end}");
    }
}

#[test]
fn many_hostile_wildcards_against_a_long_text() {
    let wildcards: Vec<String> =
        (0..MAX_LEAVES).map(|n| format!(r#"{{"wildcard":"*a*a*a*a*a*a*b{n}*"}}"#)).collect();
    let filter = compile(&format!(r#"{{"x":[{}]}}"#, wildcards.join(",")));
    let event = format!(r#"{{"x": "{}"}}"#, "ab".repeat(128 * 1024));
    assert!(!filter.matches(event.as_bytes()).unwrap());
}

#[test]
fn many_fields_against_many_elements() {
    let fields: Vec<String> =
        (0..MAX_LEAVES).map(|n| format!(r#""f{n}":[{{"exists":false}}]"#)).collect();
    let filter = compile(&format!(r#"{{"x":{{{}}}}}"#, fields.join(",")));
    let event = format!(r#"{{"x": [{}1]}}"#, "{},".repeat(85_000));
    assert!(filter.matches(event.as_bytes()).unwrap());
}

/// A condition that looked at a part more than once at each level would look 2¹⁵ times at the
/// innermost, for every element.
#[test]
fn alternatives_within_each_other_against_many_elements() {
    let alternatives = (2..MAX_DEPTH).fold(r#"{"z":[1]}"#.to_owned(), |inner, n| {
        format!(r#"{{"a{n}":[{{"exists":false}}],"$or":[{{"b{n}":[1]}},{inner}]}}"#)
    });
    let filter = compile(&format!(r#"{{"x":{alternatives}}}"#));
    let event = |z: u8| format!(r#"{{"x": [{}0]}}"#, format!(r#"{{"z":{z}}},"#).repeat(20_000));
    assert!(filter.matches(event(1).as_bytes()).unwrap());
    assert!(!filter.matches(event(2).as_bytes()).unwrap());
}
