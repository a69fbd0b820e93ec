use serde_json::{Value, json};

use super::*;
use crate::{
    admin::memory::integration,
    integration::Origin,
    preset::{Exposures, ImmediateRetry, Payload, Scheme},
    problem::Kind,
};

fn fields(value: &Value) -> Fields {
    Fields::parse(value.to_string().as_bytes()).ok().unwrap()
}

fn make(value: &Value) -> Result<Integration, Problem> {
    new("shop".into(), fields(value), &Allowed::default())
}

fn patch(old: &Integration, value: &Value) -> Result<Integration, Problem> {
    patched(old, fields(value).into_left(), Timestamp(9), &Allowed::default())
}

fn faults(result: Result<Integration, Problem>) -> Vec<(String, String)> {
    let problem = result.unwrap_err();
    assert_eq!(problem.kind, Kind::InvalidField);
    problem.errors.into_iter().map(|fault| (fault.field.unwrap(), fault.detail)).collect()
}

fn names(result: Result<Integration, Problem>) -> Vec<String> {
    faults(result).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn for_operational_events_nothing_is_chosen_that_they_do_not_have() {
    let operations = |more: Value| {
        let mut made = json!({
            "name": "A", "url": "https://example.com/x", "preset": "standard", "stream": "operations",
        });
        made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        make(&made)
    };
    for (field, value) in [("environments", json!(["prod"])), ("origins", json!(["split"]))] {
        assert_eq!(names(operations(json!({field: value}))), [field]);
    }
    let made = operations(json!({})).unwrap();
    assert!(made.wants(Stream::Operations, Origin::Api, "operations"));
    let split = operations(json!({"preset": "split"})).unwrap();
    assert!(
        split.wants(Stream::Operations, Origin::Api, "operations"),
        "whatever its preset takes"
    );
}

#[test]
fn split_takes_impressions_and_everything_else_has_a_default() {
    let made =
        make(&json!({"name": "A", "url": "https://Example.com/x", "preset": "split"})).unwrap();
    let expected = Integration {
        id: "".into(),
        name: "A".into(),
        url: "https://example.com/x".into(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        ..integration()
    };
    assert_eq!(made, expected);
}

#[test]
fn standard_needs_a_stream() {
    let mut value = json!({"name": "A", "url": "https://example.com", "preset": "standard"});
    let found = faults(make(&value));
    let what = "is required: `impressions` or `events` or `identities` or `operations`".to_owned();
    assert_eq!(found, [("stream".to_owned(), what)]);
    for (word, stream) in STREAMS {
        value["stream"] = json!(word);
        assert_eq!(make(&value).unwrap().stream, stream);
    }
}

#[test]
fn each_preset_has_its_stream_and_takes_others() {
    for (preset, _, defaults) in PRESETS {
        let mut value = json!({"name": "A", "url": "https://example.com", "preset": preset});
        if let Some(stream) = defaults.stream {
            assert_eq!(make(&value).unwrap().stream, stream);
        }
        value["stream"] = json!("events");
        assert_eq!(make(&value).unwrap().stream, Stream::Events);
    }
}

#[test]
fn every_setting_is_kept() {
    let made = make(&json!({
        "name": "A", "url": "https://example.com/", "preset": "standard", "stream": "events",
        "environments": ["prod", "test"], "enabled": false, "gzip": true, "max_events": 1,
        "max_bytes": 1024,
    }))
    .unwrap();
    assert_eq!(made.environments, ["prod", "test"]);
    assert_eq!((made.enabled, made.own.gzip), (false, Some(true)));
    assert_eq!((made.max_events, made.max_bytes), (1, 1024));
    assert_eq!((made.preset, made.stream), (Preset::Standard, Stream::Events));
}

#[test]
fn all_faults_are_named_at_once() {
    assert_eq!(names(make(&json!({}))), ["name", "url", "preset"]);
    let all = make(&json!({
        "name": "", "url": "http://10.0.0.1", "preset": "other", "stream": "x", "environments": "a",
        "enabled": 1, "gzip": "no", "max_events": 0, "max_bytes": 1023, "id": "x", "retries": 3,
    }));
    let expected = [
        "name",
        "url",
        "preset",
        "stream",
        "environments",
        "enabled",
        "max_events",
        "max_bytes",
        "gzip",
        "id",
        "retries",
    ];
    assert_eq!(names(all), expected);
}

#[test]
fn a_wrong_url_is_told_why_without_its_path() {
    for (url, why) in [
        ("http://example.com/s3cret", "https://"),
        ("https://127.0.0.1/s3cret", "127.0.0.1"),
        ("https://example.com:8443/s3cret", "443"),
        ("https://localhost/s3cret", "localhost"),
        ("/s3cret", "absolute"),
    ] {
        let value = json!({"name": "A", "url": url, "preset": "split"});
        let found = faults(make(&value));
        assert_eq!((found.len(), found[0].0.as_str()), (1, "url"));
        assert!(found[0].1.contains(why), "{}", found[0].1);
        assert!(!found[0].1.contains("s3cret"));
    }
}

#[test]
fn an_allowed_endpoint_needs_no_https() {
    let value = json!({"name": "A", "url": "http://127.0.0.1:9000/x", "preset": "split"});
    let allowed = "127.0.0.1".parse().unwrap();
    let made = new("p".into(), fields(&value), &allowed).unwrap();
    assert_eq!(made.url, "http://127.0.0.1:9000/x");
}

#[test]
fn a_patch_changes_what_it_names_and_null_is_the_default() {
    let old = Integration {
        own: Own { gzip: Some(false), ..Own::default() },
        enabled: false,
        environments: vec!["prod".into()],
        max_events: 7,
        ..integration()
    };
    let new = patch(&old, &json!({"name": "B"})).unwrap();
    let expected =
        Integration { name: "B".into(), version: 2, updated_at: Timestamp(9), ..old.clone() };
    assert_eq!(new, expected);

    let nulls = json!({"gzip": null, "enabled": null, "environments": null, "max_events": null});
    let new = patch(&old, &nulls).unwrap();
    assert_eq!(new, Integration { version: 2, updated_at: Timestamp(9), ..integration() });
    assert!(!same(&old, &new));
    assert!(same(&old, &patch(&old, &json!({})).unwrap()), "a version alone is no change");
}

#[test]
fn a_patch_is_checked_as_a_whole() {
    let old = integration();
    assert_eq!(names(patch(&old, &json!({"name": null, "url": null}))), ["name", "url"]);
    assert_eq!(names(patch(&old, &json!({"stream": "other"}))), ["stream"]);
    assert_eq!(names(patch(&old, &json!({"version": 9, "nmae": null}))), ["nmae", "version"]);
    let both = patch(&old, &json!({"stream": "events", "preset": "standard"})).unwrap();
    assert_eq!(names(patch(&both, &json!({"stream": null}))), ["stream"]);
    let back = json!({"preset": "split", "stream": null});
    assert_eq!(patch(&both, &back).unwrap().stream, Stream::Impressions);
}

#[test]
fn a_url_that_is_no_longer_allowed_does_not_stand_in_the_way_of_other_changes() {
    let old = Integration { url: "http://127.0.0.1:9000/".into(), ..integration() };
    assert!(!patch(&old, &json!({"enabled": false})).unwrap().enabled);
    assert_eq!(names(patch(&old, &json!({"url": "http://127.0.0.1:9001/"}))), ["url"]);
}

fn standard(more: &Value) -> Value {
    let mut value = json!({
        "name": "A", "url": "https://example.com/", "preset": "standard", "stream": "events",
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn every_setting_of_a_preset_can_be_set() {
    let made = make(&standard(&json!({
        "origins": ["api", "amplitude"], "payload": "object", "success": "200", "gzip": true,
        "immediate_retry": "backoff", "signature": "statsig", "exposures": "metadata",
        "filter": {"event_type": ["click"]}, "template": "{\"n\": ${input.n?c}}",
        "template_result": "text", "headers": {"Authorization": "Bearer abc"}, "secret": "12345678",
    })))
    .unwrap();
    let origins: &[Origin] = &[Origin::Api, Origin::Amplitude];
    assert_eq!(made.own.origins.as_deref(), Some(origins));
    assert_eq!((made.payload(), made.max_events()), (Payload::Object, 50));
    assert!(made.succeeds_with(200) && !made.succeeds_with(204));
    assert_eq!(made.immediate_retry(), ImmediateRetry::Backoff);
    assert_eq!((made.signature(), made.exposures()), (Scheme::Statsig, Exposures::Metadata));
    assert_eq!(made.own.headers["Authorization"].reveal(), "Bearer abc");
    assert_eq!(made.own.secret.unwrap().reveal(), "12345678");
}

#[test]
fn faults_of_filter_template_headers_and_secret_are_told_where_and_quote_no_secret() {
    let found = |more: &Value| faults(make(&standard(more)));
    let one = |more: &Value| {
        let found = found(more);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let (field, detail) = one(&json!({"filter": {"a": {"b": [{"numbr": 1}]}}}));
    assert!(field.starts_with("filter/a/b"), "{field}");
    assert!(detail.contains("numeric"), "{detail}");
    let (field, detail) = one(&json!({"template": "{\n  <#include 'x'>"}));
    assert_eq!(field, "template");
    assert!(detail.contains("include") && detail.contains("line 2"), "{detail}");
    let categories = json!({"exposures": true});
    assert_eq!(one(&json!({"statsig_events": categories})).0, "statsig_events");
    let categories = json!({"exposures": true, "config_changes": false});
    let both = json!({"statsig_events": categories, "filter": {"a": [1]}});
    assert_eq!(one(&both).0, "statsig_events");
    assert_eq!(one(&json!({"template_result": "text", "template": "a"})).0, "template_result");
    let (field, detail) = one(&json!({"template_result": "json"}));
    assert!(field == "template_result" && detail.contains("no `template`"), "{detail}");
    assert_eq!(one(&json!({"origins": []})).0, "origins");
    assert_eq!(one(&json!({"origins": ["api", "other"]})).0, "origins");
    assert_eq!(one(&json!({"origins": ["api", "api"]})).0, "origins");
    let (field, detail) = one(&json!({"secret": "hunter22"}));
    assert!(field == "secret" && detail.contains("whsec_") && !detail.contains("hunter"));
    let headers = json!({"Host": "x", "X-A": "hunter2\n", "webhook-x": "y", "x-a": "z", "B": 1});
    let found = found(&json!({"headers": headers}));
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["headers.B", "headers.Host", "headers.X-A", "headers.webhook-x", "headers.x-a"]
    );
    assert!(found.iter().all(|(_, detail)| !detail.contains("hunter")));
    let six: Map<_, _> = (0..6).map(|n| (format!("X-{n}"), json!("v"))).collect();
    assert_eq!(one(&json!({"headers": six})).1, "has 6 headers; at most 5 are allowed");
}

#[test]
fn secrets_are_patched_by_what_is_shown_of_them() {
    let old = make(&standard(&json!({
        "signature": "flagsmith", "secret": "12345678", "headers": {"A": "a", "B": "b"},
    })))
    .unwrap();
    let set = json!({"set": true});
    let same = json!({"secret": set, "headers": {"A": set}});
    assert_eq!(patch(&old, &same).unwrap().own, old.own);
    let changed = patch(&old, &json!({"headers": {"A": null, "C": "c"}})).unwrap();
    assert_eq!(changed.own.headers.keys().collect::<Vec<_>>(), ["B", "C"]);
    assert_eq!(changed.own.secret, old.own.secret);
    let gone = patch(&old, &json!({"headers": null, "secret": null})).unwrap();
    assert!(gone.own.headers.is_empty() && gone.own.secret.is_none());
    // What is not there cannot be left as it is.
    assert_eq!(
        names(patch(&gone, &json!({"secret": set, "headers": {"A": set}}))),
        ["headers.A", "secret"]
    );
    // Another scheme needs another secret.
    assert_eq!(names(patch(&old, &json!({"signature": "standard_webhooks"}))), ["secret"]);
}

#[test]
fn another_preset_brings_its_stream_along() {
    let old =
        make(&json!({"name": "A", "url": "https://example.com/x", "preset": "split"})).unwrap();
    let stream = |value| patch(&old, &value).unwrap().stream;
    assert_eq!(stream(json!({"preset": "amplitude"})), Stream::Events);
    assert_eq!(
        stream(json!({"preset": "amplitude", "stream": "impressions"})),
        Stream::Impressions
    );
    assert_eq!(stream(json!({"preset": "standard"})), Stream::Impressions, "it takes any");
    let own = Integration { stream: Stream::Events, ..old.clone() };
    assert_eq!(patch(&own, &json!({"preset": "split"})).unwrap().stream, Stream::Events);
}

#[test]
fn limits_are_numbers_and_one_of_them_can_be_changed_alone() {
    let limits = |per_second, in_flight| json!({"per_second": per_second, "in_flight": in_flight});
    let shown = |integration: &Integration| crate::admin::view::view(integration)["limits"].clone();
    let both = make(&standard(&json!({"limits": {"per_second": 2.5, "in_flight": 100}}))).unwrap();
    assert_eq!(shown(&both), limits(json!(2.5), json!(100)));
    let faster = patch(&both, &json!({"limits": {"per_second": 1000}})).unwrap();
    assert_eq!(shown(&faster), limits(json!(1000), json!(100)));
    let one = patch(&faster, &json!({"limits": {"in_flight": null}})).unwrap();
    assert_eq!(shown(&one), limits(json!(1000), json!(null)));
    assert!(one.is_limited());
    for none in [json!({"limits": null}), json!({"limits": {"per_second": null}})] {
        let none = patch(&one, &none).unwrap();
        assert!(!none.is_limited() && shown(&none).is_null());
    }
    let wrong = |value: &Value| faults(make(&standard(&json!({"limits": value}))));
    for number in [json!(0), json!(0.09), json!(1000.5), json!("2"), json!(0.12345), json!(true)] {
        let what = "must be a number, 0.1 to 1000, with three decimals at most";
        let expected = ("limits.per_second".to_owned(), what.to_owned());
        assert_eq!(wrong(&json!({"per_second": number})), [expected]);
    }
    for number in [json!(0), json!(101), json!(1.5)] {
        let expected = ("limits.in_flight".to_owned(), "must be a whole number, 1 to 100".into());
        assert_eq!(wrong(&json!({"in_flight": number})), [expected]);
    }
    assert_eq!(wrong(&json!({"per_minute": 1}))[0].0, "limits.per_minute");
    assert_eq!(wrong(&json!(2))[0].0, "limits");
}

#[test]
fn a_header_that_tells_the_trace_is_not_set_beside_the_setting() {
    let value =
        |trace: bool, name: &str| standard(&json!({"trace": trace, "headers": {name: "x"}}));
    assert_eq!(names(make(&value(true, "TraceParent"))), ["headers.TraceParent"]);
    let own = make(&value(false, "traceparent")).unwrap().own;
    assert_eq!((own.trace, own.headers.len()), (Some(false), 1));
    let traced = make(&value(true, "X-Trace")).unwrap();
    assert!(traced.traces() && !integration().traces());
    assert_eq!(names(make(&standard(&json!({"trace": "on"})))), ["trace"]);
}
