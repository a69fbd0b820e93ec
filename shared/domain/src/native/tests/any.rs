use proptest::prelude::*;
use serde_json::{Value, json};

use super::stand::{KEY, Stand, now};
use crate::native::{Post, ROUTES};

/// Any JSON that is not very deep, with names that routes know among others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop_oneof![
            Just("statsig::gate_exposure"),
            Just("statsig::diagnostics"),
            Just("$identify"),
            Just("true"),
            Just(KEY),
        ]
        .prop_map(Value::from),
    ];
    let name = prop_oneof![
        4 => proptest::sample::select(vec![
            "events", "eventName", "user", "userID", "value", "metadata", "statsigMetadata", "time",
            "timestamp", "event", "gate", "gateValue", "ruleID", "f", "i", "k", "t", "m", "c", "r",
            "b", "properties", "entries", "token", "sdk", "api_key", "event_type", "user_id",
            "device_id", "insert_id", "session_id", "event_properties", "options", "key", "split",
            "treatment", "trafficTypeName", "eventTypeId", "flags", "identity", "segments",
            "traits", "min_id_length",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn authorised(path: &str, body: Vec<u8>) -> Post {
    Post { query: format!("k=client-{KEY}&gz=1"), ..Post::to(path, body) }
        .with("authorization", format!("Bearer {KEY}"))
        .with("splitsdkversion", "python-10.7.0")
}

fn paths() -> Vec<String> {
    ROUTES.iter().map(|(pattern, _)| format!("/{}", pattern.replace('*', "x"))).collect()
}

fn check(path: &str, body: Vec<u8>) {
    let stand = Stand::new();
    let (outcome, answer) = now(stand.serve(authorised(path, body)));
    let queued: usize = stand.queued().iter().map(|(_, _, events)| events.len()).sum();
    match outcome {
        Ok(accepted) => assert_eq!(accepted.events, queued),
        Err(problem) => {
            assert!(queued == 0 && (400..500).contains(&answer.status), "{problem:?}");
            // Whatever is wrong with events says with which, and with what of it.
            if problem.kind == crate::problem::Kind::InvalidEvents {
                assert!(!problem.errors.is_empty());
                assert!(problem.errors.iter().all(|fault| fault.index.is_some()));
            }
        }
    }
    serde_json::from_str::<Value>(&answer.body).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_json_is_too_odd(body in any_json(), list in proptest::collection::vec(any_json(), 0..3)) {
        let wrapped = json!({
            "api_key": KEY, "token": KEY, "events": list, "entries": list,
            "options": {"min_id_length": 0}, "statsigMetadata": body,
        });
        for path in paths() {
            check(&path, body.to_string().into_bytes());
            check(&path, wrapped.to_string().into_bytes());
        }
    }

    #[test]
    fn no_bytes_are_too_odd(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        for path in paths() {
            check(&path, body.clone());
        }
    }

    #[test]
    fn the_same_upload_has_the_same_ids(
        events in proptest::collection::vec(
            ("[a-z]{1,3}", 0_i64..4, proptest::option::of("[ab]{1,2}")), 1..12
        ),
    ) {
        let statsig: Vec<_> = events.iter()
            .map(|(name, time, user)| json!({"eventName": name, "time": time, "user": {"userID": user}}))
            .collect();
        let amplitude: Vec<_> = events.iter()
            .map(|(name, time, insert)| json!({
                "event_type": name, "time": time, "user_id": "user-1", "insert_id": insert,
            }))
            .collect();
        for (path, body, id) in [
            ("/v1/log_event", json!({"events": statsig}), "timeUUID"),
            ("/2/httpapi", json!({"api_key": KEY, "events": amplitude}), "uuid"),
        ] {
            let stand = Stand::new();
            let ids = || {
                let served = now(stand.serve(authorised(path, body.to_string().into_bytes())));
                served.0.unwrap();
                // Nothing is known of the first upload when the second comes.
                stand.0.state().seen.clear();
                let queued = stand.queued();
                let events = queued.into_iter().flat_map(|(_, _, events)| events);
                events.map(|event| event[id].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let first = ids();
            prop_assert_eq!(&first, &ids());
            let different: std::collections::HashSet<_> = first.iter().collect();
            prop_assert_eq!(different.len(), first.len(), "no two events have one id");
        }
    }
}
