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
fn a_number_no_double_can_hold_is_a_value_that_equals_none() {
    let beyond = [r#"{"x": 1e999}"#, r#"{"x": -1e999}"#, r#"{"x": [1E+400, {}]}"#];
    for none in ["[1]", "[0]", r#"[{"numeric": [">", 0]}]"#, r#"[{"numeric": ["<=", 0]}]"#] {
        check(&format!(r#"{{"x": {none}}}"#), &[], &beyond);
    }
    check(r#"{"x": [null, true, "1e999", {"wildcard": "*"}, {"exists": false}]}"#, &[], &beyond);
    check(r#"{"x": [{"exists": true}]}"#, &beyond, &[]);
    for excluded in ["0", "[1, 2]", r#""1e999""#, r#"{"prefix": "1"}"#] {
        check(&format!(r#"{{"x": [{{"anything-but": {excluded}}}]}}"#), &beyond, &[]);
    }
    check(r#"{"x": [1]}"#, &[r#"{"y": 1e999, "x": 1}"#, r#"{"x": [1e999, 1]}"#], &[]);
    check(
        r#"{"x": [0], "y": [{"exists": true}]}"#,
        &[r#"{"x": -0.0, "y": 1e999}"#, r#"{"x": -0, "y": "\ud83d"}"#],
        &[r#"{"x": 1e999, "y": 1}"#],
    );
}

#[test]
fn half_of_a_surrogate_pair_is_the_replacement_character() {
    check(
        r#"{"x": [{"prefix": "cut"}]}"#,
        &[
            r#"{"x": "cut\ud83d"}"#,
            r#"{"x": "cut", "\ude00": 1}"#,
            r#"{"x": "cut", "y": ["\ud83d\ud83d"]}"#,
        ],
        &[r#"{"x": "\ud83dcut"}"#],
    );
    check(
        r#"{"\ufffd": {"x": ["\ufffd", "\ufffd\n", "\ufffd😀"]}}"#,
        &[
            r#"{"\ud83d": {"x": "\uDE00"}}"#,
            r#"{"\ufffd": {"x": "\ud83d\n"}}"#,
            r#"{"\ud83d": {"x": "\ud83d\ud83d\ude00"}}"#,
        ],
        &[r#"{"\ud83d\ude00": {"x": "\uDE00"}}"#, r#"{"\ud83d": {"x": "?"}}"#],
    );
    let filter = compile(r#"{"x": [1]}"#);
    for text in [r#"{"\ud83d": 1"#, r#"{"\ud83d": 01e999}"#, r#"{"\ud83d\ud8": 1}"#] {
        assert!(filter.matches(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_filter_can_be_shared() {
    fn shareable<T: Send + Sync + 'static>(_: &T) {}
    shareable(&compile(r#"{"x": [1]}"#));
}
