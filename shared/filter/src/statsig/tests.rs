use super::*;
use crate::Filter;

const NAMES: [&str; 10] = [
    "statsig::gate_exposure",
    "statsig::config_exposure",
    "statsig::experiment_exposure",
    "statsig::layer_exposure",
    "statsig::config_change",
    "statsig::diagnostics",
    "page_view",
    "purchase",
    "5*5",
    r"back\slash",
];

/// The names of [`NAMES`] that pass.
fn passing(categories: &str) -> Vec<&'static str> {
    let categories: StatsigCategories = serde_json::from_str(categories).unwrap();
    let filter = Filter::compile(&categories.pattern()).unwrap();
    let event = |name: &str| json!({"eventName": name, "user": {"userID": "u"}}).to_string();
    NAMES.into_iter().filter(|name| filter.matches(event(name).as_bytes()).unwrap()).collect()
}

#[test]
fn each_category_is_its_own() {
    assert_eq!(passing(r#"{"exposures": true, "config_changes": false}"#), NAMES[..4]);
    assert_eq!(passing(r#"{"exposures": false, "config_changes": true}"#), NAMES[4..5]);
    assert_eq!(
        passing(
            r#"{"exposures": false, "config_changes": false, "custom_events": {"all_except": []}}"#
        ),
        NAMES[6..]
    );
    assert_eq!(
        passing(r#"{"exposures": false, "config_changes": false, "custom_events": null}"#),
        NAMES[..0]
    );
    assert_eq!(
        passing(
            r#"{"exposures": false, "config_changes": false, "custom_events": {"include": []}}"#
        ),
        NAMES[..0]
    );
}

#[test]
fn custom_events_go_by_name() {
    let included = r#"{"exposures": true, "config_changes": true, "custom_events": {"include": ["purchase", "5*5"]}}"#;
    assert_eq!(passing(included), [&NAMES[..5], &["purchase", "5*5"]].concat());
    let except = r#"{"exposures": false, "config_changes": true, "custom_events": {"all_except": ["5*5", "back\\slash"]}}"#;
    assert_eq!(passing(except), ["statsig::config_change", "page_view", "purchase"]);
}

#[test]
fn an_excluded_name_is_no_wildcard() {
    let categories = StatsigCategories {
        exposures: false,
        config_changes: false,
        custom_events: Some(CustomEvents::AllExcept(vec![
            "p*".to_owned(),
            "**".to_owned(),
            r"\".to_owned(),
        ])),
    };
    let filter = Filter::compile(&categories.pattern()).unwrap();
    for (name, passes) in
        [("purchase", true), ("p*", false), ("**", false), (r"\", false), ("*", true)]
    {
        let event = json!({"eventName": name}).to_string();
        assert_eq!(filter.matches(event.as_bytes()).unwrap(), passes, "{name}");
    }
}

#[test]
fn the_form_is_read_and_written_the_same() {
    for text in [
        r#"{"exposures":true,"config_changes":false}"#,
        r#"{"exposures":true,"config_changes":false,"custom_events":{"include":["a","b"]}}"#,
        r#"{"exposures":false,"config_changes":true,"custom_events":{"all_except":[]}}"#,
    ] {
        let categories: StatsigCategories = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&categories).unwrap(), text);
    }
    for text in [
        "{}",
        r#"{"exposures": true}"#,
        r#"{"exposures": true, "config_changes": true, "custom": 1}"#,
        r#"{"exposures": true, "config_changes": true, "custom_events": {"only": ["a"]}}"#,
        r#"{"exposures": true, "config_changes": true, "custom_events": {"include": ["a"], "all_except": ["b"]}}"#,
    ] {
        assert!(serde_json::from_str::<StatsigCategories>(text).is_err(), "{text}");
    }
}
