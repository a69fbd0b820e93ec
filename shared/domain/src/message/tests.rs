use proptest::prelude::*;

use super::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn fresh() -> Fresh {
    Fresh {
        project: "web".into(),
        environment: Environment { id: "prod".into(), name: "Production".into() },
        stream: Stream::Impressions,
        origin: Origin::Api,
        accepted_at: Timestamp(5),
        trace: None,
    }
}

fn events(texts: &[&str]) -> Vec<Event> {
    texts.iter().map(|text| Event::from_object((*text).to_owned())).collect()
}

#[test]
fn small_messages_are_plain_and_readable() {
    let text = fresh().encode(&events(&[r#"{"a":1}"#, r#"{"b":2}"#]));
    assert_eq!(
        text,
        r#"{"v":1,"head":{"project":"web","environment":{"id":"prod","name":"Production"},"stream":"impressions","accepted_at":5},"count":2,"bytes":17,"plain":[{"a":1},{"b":2}]}"#
    );
    let packed = Fresh::decode(&text).unwrap();
    assert_eq!(packed.fresh, fresh());
    assert_eq!(packed.events().unwrap(), events(&[r#"{"a":1}"#, r#"{"b":2}"#]));
}

#[test]
fn the_trace_goes_along_and_older_messages_have_none() {
    let traced = Fresh { trace: Some(TRACE.parse().unwrap()), ..fresh() };
    let text = traced.encode(&events(&["{}"]));
    assert_eq!(Fresh::decode(&text).unwrap().fresh, traced);
    let untraced = text.replace(&format!(r#","trace":"{TRACE}""#), "");
    assert_eq!(Fresh::decode(&untraced).unwrap().fresh, fresh());
    let old = r#"{"v":1,"head":{"id":"d","project":"p","integration":"i","began":1,"not_before":2},"count":1,"bytes":4,"plain":[{}]}"#;
    let old = Scheduled::decode(old).unwrap().delivery;
    assert_eq!((old.id.as_str(), old.provenance), ("d", Provenance::default()));
    let old = r#"{"v":1,"head":{"id":"d","project":"p","integration":"i","age_ms":3},"count":1,"bytes":4,"plain":[{}]}"#;
    let old = Aside::decode(&gzip(old.as_bytes())).unwrap();
    assert_eq!((old.age_ms, old.provenance), (3, Provenance::default()));
}

#[test]
fn large_messages_are_compressed() {
    let one = format!(r#"{{"key":"{}"}}"#, "user ".repeat(400));
    let text = fresh().encode(&events(&[&one, &one]));
    assert!(text.len() < 600 && text.contains("\"gzip\":"), "{}", text.len());
    assert_eq!(Fresh::decode(&text).unwrap().events().unwrap(), events(&[&one, &one]));
}

#[test]
fn characters_that_sqs_refuses_travel_compressed() {
    let text = fresh().encode(&events(&["{\"a\":\"\u{FFFF}\"}"]));
    assert!(!text.contains('\u{FFFF}'));
    assert_eq!(Fresh::decode(&text).unwrap().events().unwrap(), events(&["{\"a\":\"\u{FFFF}\"}"]));
}

#[test]
fn a_newer_version_is_told_from_what_is_not_ours() {
    assert_eq!(Fresh::decode(r#"{"v":2,"new":"shape"}"#).unwrap_err(), Unreadable::Newer(2));
    assert_eq!(Wake::decode(r#"{"v":7}"#).unwrap_err(), Unreadable::Newer(7));
    for text in ["", "hello", "[]", "{}", r#"{"v":0}"#, r#"{"v":"1"}"#, r#"{"v":1}"#, "null"] {
        assert!(matches!(Fresh::decode(text), Err(Unreadable::Foreign(_))), "{text}");
        assert!(matches!(Scheduled::decode(text), Err(Unreadable::Foreign(_))), "{text}");
        assert!(matches!(Wake::decode(text), Err(Unreadable::Foreign(_))), "{text}");
    }
}

#[test]
fn the_reason_does_not_quote_the_message() {
    let error = Wake::decode(r#"{"v":"fpk_secret"}"#).unwrap_err().to_string();
    assert_eq!(error, "not readable: not one of our messages, line 1 column 17");
    let error = Wake::decode("fpk_secret").unwrap_err().to_string();
    assert!(error.contains("not JSON") && !error.contains("secret"), "{error}");
}

#[test]
fn a_message_that_lies_about_its_size_is_not_decoded_beyond_it() {
    let one = format!(r#"{{"key":"{}"}}"#, "x".repeat(9_000));
    let text = fresh().encode(&events(&[&one])).replace("\"bytes\":9012", "\"bytes\":100");
    let packed = Fresh::decode(&text).unwrap();
    assert_eq!(packed.bytes, 100);
    assert!(matches!(packed.events(), Err(Unreadable::Foreign(_))));
}

#[test]
fn a_message_with_another_count_than_it_says_is_not_ours() {
    let text = fresh().encode(&events(&["{}"])).replace("\"count\":1", "\"count\":2");
    assert!(matches!(Fresh::decode(&text).unwrap().events(), Err(Unreadable::Foreign(_))));
}

#[test]
fn wake_ups_go_there_and_back() {
    let wake = Wake { integration: "i".into(), project: "p".into(), wake_gen: 3, rate: Some(2.0) };
    assert_eq!(Wake::decode(&wake.encode()).unwrap(), wake);
}

proptest! {
    #[test]
    fn deliveries_go_there_and_back(
        texts in proptest::collection::vec("\\PC{0,80}", 1..40),
        began in 0i64..2_000_000_000_000,
        traced: bool,
    ) {
        let events: Vec<_> = texts
            .iter()
            .map(|t| Event::from_object(serde_json::json!({ "t": t }).to_string()))
            .collect();
        let delivery = Delivery {
            id: "d".into(),
            project: "p".into(),
            integration: "i".into(),
            began: Timestamp(began),
            rest: texts.len().is_multiple_of(2),
            numbers: (1..=u32::try_from(events.len()).unwrap()).rev().collect(),
            events,
            provenance: Provenance {
                accepted_at: (began > 9).then_some(Timestamp(began - 9)),
                trace: traced.then(|| TRACE.parse().unwrap()),
            },
        };
        let scheduled = Scheduled { delivery: delivery.clone(), not_before: Timestamp(began + 1) };
        prop_assert_eq!(Scheduled::decode(&scheduled.encode()).unwrap(), scheduled);
        let aside = Aside::new(delivery.clone(), Timestamp(began + 90_000));
        let back = Aside::decode(&aside.encode()).unwrap();
        prop_assert_eq!(&back, &aside);
        // An hour later its age is still a minute and a half.
        let later = back.resume(Timestamp(began + 3_690_000));
        prop_assert_eq!(later.began, Timestamp(began + 3_600_000));
        prop_assert_eq!(later.events, delivery.events);
        prop_assert_eq!(later.provenance, delivery.provenance);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,200}") {
        let _ = Fresh::decode(&text).map(|packed| packed.events());
        let _ = Scheduled::decode(&text);
        let _ = Wake::decode(&text);
        let _ = Aside::decode(text.as_bytes());
    }
}
