//! Functions that are started with a setting that makes no sense: they refuse, and name it.

use std::{env::current_exe, path::PathBuf, process::Command};

/// Everything that any function needs, and all of it makes sense.
const GOOD: [(&str, &str); 26] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "a-secret-that-nobody-logs"),
    ("AWS_REGION", "us-east-1"),
    ("FLAGPOST_TABLE", "table"),
    ("FLAGPOST_BUCKET", "bucket"),
    ("FLAGPOST_EVENTS_QUEUE_URL", "http://127.0.0.1:9/000000000000/events"),
    ("FLAGPOST_RETRY_QUEUE_URL", "http://127.0.0.1:9/000000000000/retry"),
    ("FLAGPOST_WAKE_QUEUE_URL", "http://127.0.0.1:9/000000000000/wake"),
    ("FLAGPOST_EVENTS_DLQ_URL", "http://127.0.0.1:9/000000000000/events-dead"),
    ("FLAGPOST_RETRY_DLQ_URL", "http://127.0.0.1:9/000000000000/retry-dead"),
    ("FLAGPOST_WAKE_DLQ_URL", "http://127.0.0.1:9/000000000000/wake-dead"),
    ("FLAGPOST_MAX_BODY_BYTES", "4194304"),
    ("FLAGPOST_MAX_EVENTS", "10000"),
    ("FLAGPOST_DEDUPLICATE", "on"),
    ("FLAGPOST_PARKED_RETENTION_DAYS", "14"),
    ("FLAGPOST_DEAD_RETENTION_DAYS", "30"),
    ("FLAGPOST_LEASE_SECONDS", "180"),
    (
        "FLAGPOST_ADMIN_KEY_SHA256",
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    ),
    ("FLAGPOST_ALLOWED_ENDPOINTS", ""),
    ("FLAGPOST_ATTEMPTS_RETENTION_DAYS", "7"),
    ("FLAGPOST_OLD_BACKLOG_SECONDS", "3600"),
    ("FLAGPOST_METRICS_NAMESPACE", "Flagpost"),
    ("FLAGPOST_STACK", "settings"),
    ("FLAGPOST_RETRY_SLOTS_SECONDS", "60,180"),
    ("FLAGPOST_BREAKER_BUCKET_SECONDS", "60"),
    ("FLAGPOST_BREAKER_SPAN_SECONDS", "30"),
];
const PAUSES: [(&str, &str); 3] = [
    ("FLAGPOST_PAUSE_FIRST_SECONDS", "30"),
    ("FLAGPOST_PAUSE_MAX_SECONDS", "900"),
    ("FLAGPOST_HEALTHY_RESET_SECONDS", "600"),
];

#[test]
fn senseless_settings_are_refused_by_name() {
    for (functions, name, value) in [
        (&["batch", "drain"][..], "FLAGPOST_RETRY_SLOTS_SECONDS", "10,5"),
        (&["batch", "drain"], "FLAGPOST_RETRY_SLOTS_SECONDS", ""),
        (&["batch", "drain"], "FLAGPOST_RETRY_SLOTS_SECONDS", "60,soon"),
        (&["batch", "drain"], "FLAGPOST_RETRY_SLOTS_SECONDS", "60,43201"),
        (&["batch", "drain"], "FLAGPOST_PAUSE_FIRST_SECONDS", "901"),
        (&["batch", "drain"], "FLAGPOST_PAUSE_MAX_SECONDS", "0"),
        (&["batch", "drain"], "FLAGPOST_BREAKER_BUCKET_SECONDS", "-1"),
        (&["batch", "drain"], "FLAGPOST_BREAKER_SPAN_SECONDS", "121"),
        (&["batch", "drain"], "FLAGPOST_HEALTHY_RESET_SECONDS", "ten minutes"),
        (&["batch", "drain", "admin"], "FLAGPOST_ALLOWED_ENDPOINTS", "1.2.3.4/99"),
        (&["batch", "drain", "admin"], "FLAGPOST_ALLOWED_ENDPOINTS", "hooks.slack.com=nowhere"),
        (&["batch", "drain", "admin"], "FLAGPOST_BUCKET", ""),
        (&["batch", "drain", "admin"], "FLAGPOST_WAKE_QUEUE_URL", "wake"),
        (&["batch", "ingest"], "FLAGPOST_EVENTS_QUEUE_URL", "sqs://events"),
        (&["ingest", "batch", "drain", "admin"], "FLAGPOST_TABLE", "no such name"),
        (&["ingest"], "FLAGPOST_MAX_BODY_BYTES", "12 MB"),
        (&["ingest"], "FLAGPOST_MAX_EVENTS", "0"),
        (&["drain"], "FLAGPOST_PARKED_RETENTION_DAYS", "0"),
        (&["drain"], "FLAGPOST_DEAD_RETENTION_DAYS", "for ever"),
        (&["drain"], "FLAGPOST_LEASE_SECONDS", "961"),
    ] {
        for function in functions {
            let said = refuses_to_start(function, |command| command.env(name, value));
            assert!(said.contains(name), "{function} with {name}={value} says: {said}");
        }
    }
}

#[test]
fn missing_settings_are_refused_by_name() {
    for (function, name) in [
        ("ingest", "FLAGPOST_TABLE"),
        ("ingest", "FLAGPOST_EVENTS_QUEUE_URL"),
        ("batch", "FLAGPOST_RETRY_SLOTS_SECONDS"),
        ("drain", "FLAGPOST_LEASE_SECONDS"),
        ("admin", "FLAGPOST_ADMIN_KEY_SHA256"),
        ("admin", "FLAGPOST_ALLOWED_ENDPOINTS"),
    ] {
        let said = refuses_to_start(function, |command| command.env_remove(name));
        assert!(said.contains(name) && said.contains("missing"), "{function}: {said}");
    }
}

#[test]
fn a_wrong_admin_hash_is_not_repeated() {
    // What somebody may put there by mistake: the key itself.
    for key in ["the-admin-key-itself", &"g".repeat(64), &"ABCDEF01".repeat(8)] {
        let name = "FLAGPOST_ADMIN_KEY_SHA256";
        let said = refuses_to_start("admin", |command| command.env(name, key));
        assert!(said.contains(name) && !said.contains(key), "{said}");
    }
}

/// Starts a function with the good settings but for one change; it must end by itself, and not
/// well. What it said.
fn refuses_to_start(function: &str, change: impl FnOnce(&mut Command) -> &mut Command) -> String {
    let mut command = Command::new(built(function));
    command.env_clear().envs(GOOD).envs(PAUSES);
    let output = change(&mut command).output().unwrap();
    assert!(!output.status.success(), "{function} has started");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!said.contains("a-secret-that-nobody-logs"), "{said}");
    said
}

/// The function's binary, beside this test's own: `target/debug/{function}`.
fn built(function: &str) -> PathBuf {
    let own = current_exe().unwrap();
    let path = own.parent().and_then(|deps| deps.parent()).unwrap().join(function);
    assert!(path.is_file(), "{} is not built: run scripts/test", path.display());
    path
}
