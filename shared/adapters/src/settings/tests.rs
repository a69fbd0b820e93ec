use std::collections::BTreeMap;

use super::*;

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn complete() -> BTreeMap<&'static str, String> {
    [
        ("FLAGPOST_TABLE", "flagpost-Table-1"),
        ("FLAGPOST_BUCKET", "flagpost-bucket-1"),
        ("FLAGPOST_EVENTS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/events"),
        ("FLAGPOST_RETRY_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/retry"),
        ("FLAGPOST_WAKE_QUEUE_URL", "http://127.0.0.1:4566/1/wake"),
        ("FLAGPOST_EVENTS_DLQ_URL", "http://127.0.0.1:4566/1/events-dead"),
        ("FLAGPOST_RETRY_DLQ_URL", "http://127.0.0.1:4566/1/retry-dead"),
        ("FLAGPOST_WAKE_DLQ_URL", "http://127.0.0.1:4566/1/wake-dead"),
        ("FLAGPOST_MAX_BODY_BYTES", "4194304"),
        ("FLAGPOST_MAX_EVENTS", "10000"),
        ("FLAGPOST_DEDUPLICATE", "on"),
        ("FLAGPOST_PARKED_RETENTION_DAYS", "14"),
        ("FLAGPOST_DEAD_RETENTION_DAYS", "30"),
        ("FLAGPOST_LEASE_SECONDS", "180"),
        ("FLAGPOST_ADMIN_KEY_SHA256", HASH),
        ("FLAGPOST_ALLOWED_ENDPOINTS", ""),
        ("FLAGPOST_ATTEMPTS_RETENTION_DAYS", "7"),
        ("FLAGPOST_OLD_BACKLOG_SECONDS", "3600"),
        ("FLAGPOST_METRICS_NAMESPACE", "Flagpost"),
        ("FLAGPOST_STACK", "flagpost"),
        ("FLAGPOST_RETRY_SLOTS_SECONDS", "60,180,420,900,1800,3600,6300,9900,14400"),
        ("FLAGPOST_BREAKER_BUCKET_SECONDS", "60"),
        ("FLAGPOST_BREAKER_SPAN_SECONDS", "30"),
        ("FLAGPOST_PAUSE_FIRST_SECONDS", "30"),
        ("FLAGPOST_PAUSE_MAX_SECONDS", "900"),
        ("FLAGPOST_HEALTHY_RESET_SECONDS", "600"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// What all four functions make of the environment with one variable changed; the first error.
fn changed(name: &'static str, value: Option<&str>) -> Result<(), SettingError> {
    let mut all = complete();
    match value {
        Some(value) => all.insert(name, value.to_owned()),
        None => all.remove(name),
    };
    let lookup = |name: &str| all.get(name).cloned();
    IngestSettings::read(lookup)?;
    BatchSettings::read(lookup)?;
    DrainSettings::read(lookup)?;
    AdminSettings::read(lookup)?;
    Ok(())
}

#[test]
fn the_defaults_of_the_stack_are_the_defaults_of_the_domain() {
    let all = complete();
    let settings = DrainSettings::read(|name| all.get(name).cloned()).unwrap();
    assert_eq!(settings.policy.breaker, breaker::Policy::default());
    assert_eq!(settings.policy.schedule, Schedule::default());
    assert_eq!(settings.policy.allowed, Allowed::default());
    assert_eq!(settings.lease, Duration::from_mins(3));
    assert_eq!(settings.retention.parked, Duration::from_hours(14 * 24));
    assert_eq!(settings.queues.events_dead, None);
    assert_eq!(settings.policy.keep_attempts, Duration::from_hours(7 * 24));
    assert_eq!(settings.policy.old_backlog, Duration::from_hours(1));
}

#[test]
fn a_function_reads_only_what_it_needs() {
    let all = complete();
    let needed = [
        "FLAGPOST_TABLE",
        "FLAGPOST_EVENTS_QUEUE_URL",
        "FLAGPOST_MAX_BODY_BYTES",
        "FLAGPOST_MAX_EVENTS",
        "FLAGPOST_DEDUPLICATE",
        "FLAGPOST_METRICS_NAMESPACE",
        "FLAGPOST_STACK",
    ];
    let settings = IngestSettings::read(|name| {
        assert!(needed.contains(&name), "{name}");
        all.get(name).cloned()
    });
    let settings = settings.unwrap();
    assert_eq!((settings.max_events, settings.deduplicate), (10_000, true));
}

#[test]
fn whatever_is_missing_is_refused_by_name() {
    for name in complete().into_keys() {
        let error = changed(name, None).unwrap_err();
        assert!(matches!(error, SettingError::Missing { name: missing, .. } if missing == name));
        assert!(error.to_string().starts_with(&format!("{name} is missing: it must be ")));
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let cases = [
        ("FLAGPOST_TABLE", vec!["", "a b", "x"]),
        ("FLAGPOST_BUCKET", vec!["", "s3://bucket"]),
        ("FLAGPOST_EVENTS_QUEUE_URL", vec!["", "events", "ftp://host/queue", "https://host/"]),
        (
            "FLAGPOST_MAX_BODY_BYTES",
            vec!["", "-1", "+2000", "4MB", "0", "4400001", "1e6", "９９９９"],
        ),
        ("FLAGPOST_MAX_EVENTS", vec!["0", "100001", "99999999999999999999999"]),
        ("FLAGPOST_DEDUPLICATE", vec!["", "true", "ON", "1"]),
        ("FLAGPOST_METRICS_NAMESPACE", vec!["", "AWS/Lambda", "aws/x", "Flag post", "flag:post"]),
        ("FLAGPOST_STACK", vec!["", "my stack", "a_b"]),
        ("FLAGPOST_PARKED_RETENTION_DAYS", vec!["0", "3651", "14.5"]),
        ("FLAGPOST_DEAD_RETENTION_DAYS", vec!["0", "x"]),
        ("FLAGPOST_LEASE_SECONDS", vec!["0", "59", "961"]),
        ("FLAGPOST_ALLOWED_ENDPOINTS", vec!["http://x", "a=b", "10.0.0.0/40", "0.0.0.0/0"]),
        (
            "FLAGPOST_RETRY_SLOTS_SECONDS",
            vec!["", "0", "60,60", "180,60", "60,,180", "60,x", "43201", "60;180", "-1"],
        ),
        ("FLAGPOST_BREAKER_BUCKET_SECONDS", vec!["0", "3601"]),
        ("FLAGPOST_BREAKER_SPAN_SECONDS", vec!["0", "121"]),
        ("FLAGPOST_PAUSE_FIRST_SECONDS", vec!["0", "901"]),
        ("FLAGPOST_PAUSE_MAX_SECONDS", vec!["0", "3601"]),
        ("FLAGPOST_HEALTHY_RESET_SECONDS", vec!["0", "86401"]),
    ];
    for (name, values) in cases {
        for value in values {
            let error = changed(name, Some(value)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} is `{value}`: ")), "{error}");
            assert!(error.contains("; it must be "), "{error}");
        }
    }
}

#[test]
fn the_edges_are_allowed() {
    let many: Vec<_> = (1..=20).map(|slot| (slot * 60).to_string()).collect();
    for (name, value) in [
        ("FLAGPOST_RETRY_SLOTS_SECONDS", "7,14,43200"),
        ("FLAGPOST_RETRY_SLOTS_SECONDS", "7, 14, 21"),
        ("FLAGPOST_RETRY_SLOTS_SECONDS", &many.join(",")),
        ("FLAGPOST_BREAKER_SPAN_SECONDS", "120"),
        ("FLAGPOST_PAUSE_FIRST_SECONDS", "900"),
        ("FLAGPOST_MAX_BODY_BYTES", "1024"),
        ("FLAGPOST_ALLOWED_ENDPOINTS", "127.0.0.1,hooks.slack.com=127.0.0.1,10.0.0.0/8"),
    ] {
        assert_eq!(changed(name, Some(value)), Ok(()), "{name} {value}");
    }
    let too_many = format!("{},9999", many.join(","));
    assert!(changed("FLAGPOST_RETRY_SLOTS_SECONDS", Some(&too_many)).is_err());
}

#[test]
fn the_admin_key_is_never_shown() {
    let upper = HASH.to_uppercase();
    for value in ["", &HASH[1..], &upper, "my secret key"] {
        let error = changed("FLAGPOST_ADMIN_KEY_SHA256", Some(value)).unwrap_err().to_string();
        assert!(error.starts_with("FLAGPOST_ADMIN_KEY_SHA256 is a text of "), "{error}");
        assert!(value.is_empty() || !error.contains(value), "{error}");
    }
    let all = complete();
    let settings = AdminSettings::read(|name| all.get(name).cloned()).unwrap();
    assert_eq!(settings.admin_key, HASH);
    assert!(!format!("{settings:?}").contains(HASH));
}
