//! Keys and texts of events.

use super::{check, compile};

#[test]
fn keys_are_literal() {
    check(
        r#"{"user.plan": ["pro"]}"#,
        &[r#"{"user.plan": "pro"}"#, r#"{"user\u002eplan": "pro"}"#],
        &[r#"{"user": {"plan": "pro"}}"#],
    );
    check(
        r#"{"user": {"plan": ["pro"]}}"#,
        &[r#"{"user": {"plan": "pro"}}"#],
        &[r#"{"user.plan": "pro"}"#],
    );
    check(r#"{"": {"a/b~": [1]}}"#, &[r#"{"": {"a/b~": 1}}"#], &[r#"{"a/b~": 1}"#]);
    check(r#"{"Key": [1]}"#, &[r#"{"Key": 1}"#], &[r#"{"key": 1}"#]);
    check(r#"{"prefix": ["x"]}"#, &[r#"{"prefix": "x"}"#], &[]);
}

#[test]
fn of_a_key_that_is_there_twice_the_last_counts() {
    check(
        r#"{"x": [1]}"#,
        &[r#"{"x": 2, "x": 1}"#],
        &[r#"{"x": 1, "x": 2}"#, r#"{"x": 1, "x": {}}"#],
    );
    check(
        r#"{"a": {"x": [1], "y": [1]}}"#,
        &[r#"{"a": {"x": 1}, "a": {"x": 1, "y": 1}}"#],
        &[r#"{"a": {"x": 1, "y": 1}, "a": {"x": 1}}"#, r#"{"a": {"x": 1}, "a": {"y": 1}}"#],
    );
    check(r#"{"x": [{"exists": false}]}"#, &[r#"{"x": 1, "x": []}"#], &[r#"{"x": [], "x": 1}"#]);
}

#[test]
fn escapes_are_undone() {
    check(r#"{"x": ["a\nü😀"]}"#, &[r#"{"x": "a\n\u00fc\ud83d\ude00"}"#], &[r#"{"x": "a\\nü😀"}"#]);
}

#[test]
fn what_is_no_object_is_an_error() {
    let filter = compile(r#"{"x": [{"exists": false}]}"#);
    for text in [
        "",
        "[]",
        "1",
        "null",
        r#""x""#,
        "{",
        "{}{}",
        "{} x",
        r#"{"y": 1,}"#,
        r#"{"y" 1}"#,
        "[{}]",
        "\u{feff}{}",
    ] {
        assert!(filter.matches(text.as_bytes()).is_err(), "{text}");
    }
    assert!(filter.matches(b"{\"\xff\": 1}").is_err());
    assert!(filter.matches(b" {\"y\": 1}\n ").unwrap());
}

#[test]
fn depth_is_an_error_only_where_the_pattern_looks() {
    let filter = compile(r#"{"x": [1]}"#);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(filter.matches(format!(r#"{{"x": {deep}}}"#).as_bytes()).is_err());
    assert!(filter.matches(format!(r#"{{"y": {deep}, "x": 1}}"#).as_bytes()).unwrap());
    let within = format!(r#"{{"x": {}1{}}}"#, "[".repeat(126), "]".repeat(126));
    assert!(filter.matches(within.as_bytes()).unwrap());
}

#[test]
fn a_number_no_double_can_hold_is_an_error_only_where_the_pattern_looks() {
    let filter = compile(r#"{"x": [1]}"#);
    assert!(filter.matches(br#"{"x": 1e999}"#).is_err());
    assert!(filter.matches(br#"{"y": 1e999, "x": 1}"#).unwrap());
}

#[test]
fn a_filter_can_be_shared() {
    fn shareable<T: Send + Sync + 'static>(_: &T) {}
    shareable(&compile(r#"{"x": [1]}"#));
}
