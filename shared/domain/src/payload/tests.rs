use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    integration::Own,
    memory::{delivery, integration},
};

fn templated(source: &str, result: Option<TemplateResult>) -> (Integration, Compiled) {
    let own = Own { template: Some(source.to_owned()), template_result: result, ..Own::default() };
    let integration = Integration { own, ..integration("i") };
    let compiled = Compiled::new(&integration).unwrap();
    (integration, compiled)
}

fn made(events: &[&str]) -> Vec<(usize, Event)> {
    events.iter().map(|text| Event::from_object((*text).to_owned())).enumerate().collect()
}

fn text(body: &Body) -> &str {
    std::str::from_utf8(&body.plain).unwrap()
}

#[test]
fn without_a_template_an_event_is_its_own_payload() {
    let event = Event::from_object(r#"{ "a" : 1.0 }"#);
    assert_eq!(make(&integration("i"), &Compiled::default(), &event), Ok(event));
}

#[test]
fn exposures_come_in_the_form_that_is_wanted() {
    let event = Event::from_object(
        r#"{"eventName":"statsig::gate_exposure","metadata":{},"statsigMetadata":{"gate":"g","gateValue":true}}"#,
    );
    let own = Own { exposures: Some(Exposures::Metadata), ..Own::default() };
    let current = Integration { own, ..integration("i") };
    let payload = make(&current, &Compiled::default(), &event).unwrap();
    let wanted = r#"{"eventName":"statsig::gate_exposure","metadata":{"gate":"g","gateValue":"true"},"statsigMetadata":{}}"#;
    assert_eq!(payload.as_bytes(), wanted.as_bytes());
    assert_eq!(make(&integration("i"), &Compiled::default(), &event), Ok(event));
}

#[test]
fn a_template_makes_the_payload() {
    let (integration, compiled) = templated(r#"{"name": "${input.event_type}"}"#, None);
    let event = Event::from_object(r#"{"event_type": "click"}"#);
    let payload = make(&integration, &compiled, &event).unwrap();
    assert_eq!(payload.as_bytes(), br#"{"name": "click"}"#);
}

#[test]
fn a_result_that_is_not_json_is_told_by_its_position_and_not_quoted() {
    let (integration, compiled) = templated("{\n\"name\": ${input.name}}", None);
    let event = Event::from_object(r#"{"name": "s3cret"}"#);
    let error = make(&integration, &compiled, &event).unwrap_err().to_string();
    assert_eq!(error, "template: the result is not JSON at its line 2, column 9");
    let missing = make(&integration, &compiled, &Event::from_object("{}")).unwrap_err();
    assert!(missing.to_string().contains("input.name"), "{missing}");

    let (integration, compiled) = templated("${input.name}", Some(TemplateResult::Text));
    assert_eq!(make(&integration, &compiled, &event).unwrap().as_bytes(), b"s3cret");
}

#[test]
fn one_request_carries_an_array_an_object_or_lines() {
    let whole = delivery("d", 2);
    let two = made(&[r#"{"n": 0}"#, "{\n\"n\":\t\"a \\\" b\\\\\"\r\n}"]);
    let array = together(Payload::Array, &whole, &two);
    assert_eq!(text(&array), "[{\"n\": 0},{\n\"n\":\t\"a \\\" b\\\\\"\r\n}]");
    assert_eq!((array.id.as_str(), array.positions), ("d", vec![0, 1]));
    let lines = together(Payload::Ndjson, &whole, &two);
    assert_eq!(text(&lines), "{\"n\":0}\n{\"n\":\"a \\\" b\\\\\"}\n");
    let object = together(Payload::Object, &whole, &two[1..]);
    assert_eq!(object.plain, two[1].1.as_bytes());
    assert_eq!(object.id, "d.2");
}

#[test]
fn an_id_stands_for_the_same_events() {
    let whole = delivery("d", 3);
    let all = made(&["{}", "{}", "{}"]);
    let id =
        |delivery: &Delivery, made: &[(usize, Event)]| together(Payload::Array, delivery, made).id;
    assert_eq!(id(&whole, &all), "d");
    // Without the second, which could not be made.
    let without = [all[0].clone(), all[2].clone()];
    assert_eq!(id(&whole, &without).len(), "d.".len() + 12);
    // So has what is left of it, at each attempt.
    let left = whole.part_of(&[0, 2]);
    assert_eq!(id(&left, &all[..2]), id(&whole, &without));
    assert_eq!(id(&left.part_of(&[1]), &all[..1]), id(&whole, &all[2..]));
    assert_ne!(id(&whole.part_of(&[0, 1]), &all[..2]), id(&left, &all[..2]));
    // Parts have theirs, and an event of its own request that of the whole.
    let [_, part] = whole.clone().halves().unwrap();
    assert_eq!(id(&part, &all[..2]), "d.b");
    assert_eq!(together(Payload::Object, &part, &all[1..2]).id, "d.3");
    assert_eq!(together(Payload::Object, &whole, &all[2..]).id, "d.3");
}

#[test]
fn types_are_told() {
    let with = |payload, result| {
        let own = Own { payload: Some(payload), template_result: result, ..Own::default() };
        content_type(&Integration { own, ..integration("i") })
    };
    assert_eq!(with(Payload::Array, None), "application/json");
    assert_eq!(with(Payload::Object, Some(TemplateResult::Json)), "application/json");
    assert_eq!(with(Payload::Object, Some(TemplateResult::Text)), "text/plain; charset=utf-8");
    assert_eq!(with(Payload::Ndjson, None), "application/x-ndjson");
}

proptest! {
    #[test]
    fn compact_json_is_the_same_json_on_one_line(
        texts in proptest::collection::vec("\\PC{0,12}|[\\\\\"\\n\\t ]{0,6}", 0..6), n: i64,
    ) {
        let value = json!({"texts": texts, "n": n, "o": {"a": [null, true]}});
        let mut line = Vec::new();
        compact(serde_json::to_string_pretty(&value).unwrap().as_bytes(), &mut line);
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), value.clone());
        prop_assert_eq!(line, value.to_string().into_bytes());
    }
}
