use serde_json::{Value, json};

use super::*;
use crate::{admin::memory::integration, problem::Kind};

fn fields(value: &Value) -> Fields {
    Fields::parse(value.to_string().as_bytes()).ok().unwrap()
}

fn make(value: &Value) -> Result<Integration, Problem> {
    let ids = ("i9".into(), "shop".into());
    new(ids.0, ids.1, Timestamp(5), fields(value), &Allowed::default())
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
fn split_takes_impressions_and_everything_else_has_a_default() {
    let made =
        make(&json!({"name": "A", "url": "https://Example.com/x", "preset": "split"})).unwrap();
    let expected = Integration {
        id: "i9".into(),
        name: "A".into(),
        url: "https://example.com/x".into(),
        created_at: Timestamp(5),
        updated_at: Timestamp(5),
        ..integration()
    };
    assert_eq!(made, expected);
}

#[test]
fn standard_needs_a_stream() {
    let mut value = json!({"name": "A", "url": "https://example.com", "preset": "standard"});
    let found = faults(make(&value));
    let what = "is required: `impressions` or `events` or `identities`".to_owned();
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
    let made = new("i".into(), "p".into(), Timestamp(1), fields(&value), &allowed).unwrap();
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
