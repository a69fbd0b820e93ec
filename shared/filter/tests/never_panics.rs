//! Whatever is given as a pattern or as an event, the answer is a value.
#![cfg(test)]

use flagpost_filter::Filter;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// Keys and texts that mean something in a pattern, and some that do not.
const WORDS: [&str; 22] = [
    "$or",
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "",
    "a",
    "a/b",
    "~",
    "*a",
    "a\\",
    "10.0.0.0/8",
    "::1/129",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![5 => select(WORDS.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

/// JSON in the shape of patterns, mostly wrong.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    scalar.prop_recursive(8, 64, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(word(), inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn compiling_any_json(pattern in any_json(), event in any_json()) {
        match Filter::compile(&pattern) {
            Ok(filter) => prop_assert_eq!(filter.matches(event.to_string().as_bytes()).is_ok(), event.is_object()),
            Err(error) => {
                prop_assert!(pattern.pointer(&error.path).is_some(), "{:?} is not in {}", error.path, pattern);
                prop_assert!(!error.detail.is_empty());
            }
        }
    }

    /// As above, where more of it is right: the operators with any operand.
    #[test]
    fn compiling_any_operand(name in word(), operand in any_json(), event in any_json()) {
        let pattern = json!({"a": [{ &name: operand }]});
        match Filter::compile(&pattern) {
            Ok(filter) => {
                let text = json!({"a": event}).to_string();
                let answered = filter.matches(text.as_bytes()).is_ok();
                prop_assert!(answered, "{text}");
            }
            Err(error) => prop_assert!(pattern.pointer(&error.path).is_some(), "{:?} is not in {}", error.path, pattern),
        }
    }

    #[test]
    fn matching_any_bytes(bytes in vec(any::<u8>(), 0..64), cut in any::<prop::sample::Index>()) {
        let filter = Filter::compile(&json!({"a": [{"wildcard": "*a*"}, 1], "b": {"c": [{"exists": false}]}})).unwrap();
        prop_assert!(filter.matches(&bytes).is_err() || serde_json::from_slice::<Value>(&bytes).is_ok());
        let text = br#"{"a": ["bab", 1, null, {"x": [true]}], "b": [{"c": -1.5e3}, []], "d": "\ud83d\ude00"}"#;
        prop_assert!(filter.matches(&text[..cut.index(text.len())]).is_err());
    }
}
