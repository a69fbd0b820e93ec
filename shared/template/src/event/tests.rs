use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn to_serde(value: &Json<'_>) -> serde_json::Value {
    match value {
        Json::Null => serde_json::Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(text) => serde_json::from_str(text).unwrap(),
        Json::Text(text) => text.as_ref().into(),
        Json::Array(items) => items.iter().map(to_serde).collect(),
        Json::Object(object) => {
            object.entries().iter().map(|(key, value)| (key.to_string(), to_serde(value))).collect()
        }
    }
}

#[test]
fn keys_keep_their_order_and_numbers_their_digits() {
    let input = Input::parse(br#"{"z":1,"a":1.50,"z":12345678901234567890123}"#).unwrap();
    let Json::Object(object) = &input.root else { panic!("not an object") };
    let keys: Vec<&str> = object.entries().iter().map(|(key, _)| key.as_ref()).collect();
    assert_eq!(keys, ["z", "a"]);
    assert!(matches!(object.get("z"), Some(Json::Number("12345678901234567890123"))));
    assert!(matches!(object.get("a"), Some(Json::Number("1.50"))));
}

#[test]
fn a_large_object_is_found_by_key_with_repeats_merged() {
    let mut text = String::from("{");
    for at in 0..100 {
        write!(text, "\"k{}\":{at},", at % 60).unwrap();
    }
    text.push_str("\"end\":true}");
    let input = Input::parse(text.as_bytes()).unwrap();
    let Json::Object(object) = &input.root else { panic!("not an object") };
    assert_eq!(object.len(), 61);
    assert!(matches!(object.get("k7"), Some(Json::Number("67"))));
    assert!(matches!(object.get("k59"), Some(Json::Number("59"))));
    assert!(object.get("k60").is_none());
    assert_eq!(object.entries()[7].0, "k7");
}

#[test]
fn bounds_hold() {
    let deep = "[".repeat(MAX_EVENT_DEPTH) + &"]".repeat(MAX_EVENT_DEPTH);
    assert_eq!(Input::parse(deep.as_bytes()).unwrap_err().kind, RenderErrorKind::Event);
    let deep = "[".repeat(MAX_EVENT_DEPTH - 1) + &"]".repeat(MAX_EVENT_DEPTH - 1);
    assert!(Input::parse(deep.as_bytes()).is_ok());
    let many = format!("[{}1]", "1,".repeat(MAX_EVENT_VALUES));
    assert!(Input::parse(many.as_bytes()).unwrap_err().message.contains("values"));
    let long = format!("\"{}\"", "x".repeat(MAX_EVENT));
    assert!(Input::parse(long.as_bytes()).unwrap_err().message.contains("bytes"));
}

#[test]
fn half_of_a_surrogate_pair_is_the_replacement_character() {
    for (json, text) in [
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ude00!""#, "\u{fffd}!"),
        (r#""a\ud83d\n""#, "a\u{fffd}\n"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\uD83D\uDE00""#, "😀"),
    ] {
        let input = Input::parse(json.as_bytes()).unwrap();
        assert!(matches!(&input.root, Json::Text(found) if found == text), "{json}");
    }
    for json in [r#""\ud83d\u00""#, r#""\ud83d\ux000""#, r#""\ud8""#] {
        assert!(Input::parse(json.as_bytes()).is_err(), "{json}");
    }
    let template = crate::Template::compile("${input.a}").unwrap();
    let event = br#"{"\udc00k": 1, "cut": "\ud83d", "a": "\u00e9"}"#;
    assert_eq!(template.render_json(event).unwrap(), "é");
}

#[test]
fn errors_name_the_place() {
    let error = Input::parse(b"{\n \"a\": tru}").unwrap_err();
    assert_eq!((error.line, error.column), (2, 7));
    let error = Input::parse(b"[\"\xff\"]").unwrap_err();
    assert_eq!((error.line, error.column), (1, 3));
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read(text in json()) {
        let input = Input::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(to_serde(&input.root), serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }

    #[test]
    fn what_is_accepted_is_what_serde_json_accepts(bytes in "[\\[\\]{}\",:0-9eE.+\\-truefalsn \\\\/bu\u{1}é]{0,12}") {
        // serde_json refuses numbers beyond 64-bit floats; they are kept as text here.
        let theirs = serde_json::from_str::<serde_json::Value>(&bytes);
        let ours = Input::parse(bytes.as_bytes());
        if !theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
            prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        }
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string())
}
