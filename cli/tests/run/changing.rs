//! Commands that change something.

use serde_json::json;

use crate::program::{ID, P, run, shop, status};

#[test]
fn pausing_and_resuming_tell_the_status() {
    let server = shop();
    let mut paused = status("paused", 3);
    paused["pause"] = json!({"at": 0, "reason": "moving"});
    server.answer(&format!("POST {P}/pause"), 200, &paused).answer(
        &format!("POST {P}/resume"),
        200,
        &status("well", 3),
    );
    let ran = run(&server, &["pause", "Warehouse", "--reason", "moving"]);
    assert!(ran.out.starts_with("Warehouse: paused, moving for"), "{ran:?}");
    assert_eq!(server.asked()[1].body, json!({"reason": "moving"}));
    let ran = run(&server, &["resume", "Warehouse", "--json"]);
    assert_eq!(ran.json(), status("well", 3));
    assert_eq!(server.asked()[3].body, json!({}));
}

#[test]
fn resuming_from_now_counts_first_and_wants_a_yes() {
    let server = shop();
    let path = format!("POST {P}/resume");
    let counted = json!({"deliveries": 3, "events": 620, "skipped": 0, "done": true, "dry_run": true, "next": null});
    let mut dropped = counted.clone();
    dropped["dry_run"] = false.into();
    server
        .answer(&path, 200, &counted)
        .answer(&path, 200, &counted)
        .answer(&path, 200, &counted)
        .answer(&path, 200, &dropped);

    let ran = run(&server, &["resume", ID, "--from", "now", "--dry-run"]);
    assert_eq!(ran.out, "it would drop 3 deliveries with 620 events\n");
    let ran = run(&server, &["resume", ID, "--from", "now"]);
    assert_eq!(ran.status, 2, "nobody can be asked: {ran:?}");
    assert_eq!(server.asked().len(), 2);
    let ran = run(&server, &["resume", ID, "--from", "now", "--yes"]);
    assert_eq!(ran.out, "resumed; dropped 3 deliveries with 620 events\n", "{ran:?}");
    let bodies: Vec<_> = server.asked().into_iter().map(|asked| asked.body).collect();
    let dry = json!({"from": "now", "dry_run": true});
    assert_eq!(bodies, [dry.clone(), dry.clone(), dry, json!({"from": "now"})]);
    assert_eq!(run(&server, &["resume", ID, "--dry-run"]).status, 2);
}

#[test]
fn dropping_is_not_repeated_where_it_may_be_done() {
    let server = shop();
    let path = format!("POST {P}/resume");
    let counted = json!({"deliveries": 3, "events": 620, "skipped": 0, "done": true, "dry_run": true, "next": null});
    let busy = r#"{"detail": "it may have been done all the same"}"#;
    server
        .answer(&path, 200, &counted)
        .answer_with(&path, 409, "retry-after: 1\r\n", r#"{"detail": "a drain ends"}"#)
        .answer_with(&path, 503, "retry-after: 1\r\n", busy);
    let ran = run(&server, &["resume", ID, "--from", "now", "--yes"]);
    assert_eq!(ran.err, "flagpost: it may have been done all the same (503)\n");
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_replay_goes_on_until_it_is_done() {
    let server = shop();
    let path = format!("POST {P}/deliveries/replay");
    let answer = |deliveries, events, done| json!({"deliveries": deliveries, "events": events, "skipped": 1, "done": done, "dry_run": false, "next": "c"});
    server
        .answer(&path, 200, &answer(100, 1_000, false))
        .answer_with(
            &path,
            503,
            "retry-after: 1\r\n",
            r#"{"type": "urn:flagpost:problem:unavailable"}"#,
        )
        .answer(&path, 200, &answer(28, 200, true));
    let ran = run(&server, &["replay", "Warehouse", "--from", "1970-01-01T00:00:01Z"]);
    assert_eq!(ran.out, "replayed 128 deliveries with 1,200 events\n", "{ran:?}");
    assert!(ran.err.contains("1 delivery was left alone"), "{ran:?}");
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[1..].iter().all(|asked| asked.body == json!({"from": 1_000})));
}

#[test]
fn a_dry_run_follows_the_cursor_and_adds_up() {
    let server = shop();
    let path = format!("POST {P}/deliveries/replay");
    let answer = |done, next| json!({"deliveries": 2, "events": 5, "skipped": 1, "done": done, "dry_run": true, "next": next});
    server.answer(&path, 200, &answer(false, json!("c1"))).answer(
        &path,
        200,
        &answer(true, json!(null)),
    );
    let ran = run(&server, &["replay", ID, "--dry-run", "--json"]);
    assert_eq!(
        ran.json(),
        json!({"deliveries": 4, "events": 10, "skipped": 2, "done": true, "dry_run": true})
    );
    assert_eq!(server.asked()[1].body, json!({"dry_run": true, "cursor": "c1"}));
}

#[test]
fn one_delivery_is_replayed_and_its_backlog_waited_for() {
    let server = shop();
    let path = format!("POST {P}/deliveries/dead/1-a-2/replay");
    server
        .answer(&path, 200, &json!({"deliveries": 1, "events": 2, "skipped": 0, "done": true, "dry_run": false, "next": null}))
        .answer(&format!("GET {P}/status"), 200, &status("slow", 1))
        .answer(&format!("GET {P}/status"), 200, &status("well", 0));
    let ran = run(&server, &["replay", ID, "1-a-2", "--wait"]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "replayed 1 delivery with 2 events\n"),
        "{ran:?}"
    );
    assert_eq!(server.asked().len(), 3);
    assert_eq!(ran.err, "nothing is parked any more; 10 events dead\n");
}

#[test]
fn waiting_ends_where_nothing_will_move() {
    let server = shop();
    let done = json!({"deliveries": 1, "events": 2, "skipped": 0, "done": true, "dry_run": false, "next": null});
    server.answer(&format!("POST {P}/deliveries/replay"), 200, &done).answer(
        &format!("GET {P}/status"),
        200,
        &status("paused", 1),
    );
    let ran = run(&server, &["replay", ID, "--wait"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("is paused: 1 deliveries stay parked"), "{ran:?}");
}

#[test]
fn a_purge_wants_a_yes_and_waits_for_a_drain_to_end() {
    let server = shop();
    let path = format!("POST {P}/deliveries/purge");
    let answer = |dry_run| json!({"deliveries": 3, "events": 620, "skipped": 0, "done": true, "dry_run": dry_run, "next": null});
    server.answer(&path, 200, &answer(true));
    assert_eq!(run(&server, &["purge", ID, "--state", "parked"]).status, 2);
    server
        .answer(&path, 200, &answer(true))
        .answer_with(
            &path,
            409,
            "retry-after: 1\r\n",
            r#"{"type": "urn:flagpost:problem:conflict", "detail": "a drain ends"}"#,
        )
        .answer(&path, 200, &answer(false));
    let ran = run(&server, &["purge", ID, "--state", "parked", "--to", "5000", "--yes"]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "purged 3 deliveries with 620 events\n"),
        "{ran:?}"
    );
    assert_eq!(server.asked().last().unwrap().body, json!({"state": "parked", "to": 5_000}));
}

#[test]
fn a_conflict_that_waiting_does_not_mend_is_told() {
    let server = shop();
    server.answer(
        &format!("POST {P}/deliveries/purge"),
        409,
        &json!({"type": "urn:flagpost:problem:conflict", "detail": "pause it first"}),
    );
    let ran = run(&server, &["purge", ID, "--state", "parked", "--yes"]);
    assert_eq!(ran.err, "flagpost: pause it first (409)\n  type: urn:flagpost:problem:conflict\n");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_test_is_sent_once_and_its_outcome_is_the_status() {
    let server = shop();
    let path = format!("POST {P}/test");
    let request = json!({"method": "POST", "url": "https://example.com/", "headers": {"authorization": "•••"}, "body": "[]"});
    let answer = |outcome, filtered| json!({"request": request, "answer": {"status": 200, "body": "ok"}, "outcome": outcome, "duration_ms": 41, "filtered": filtered});
    server
        .answer(&path, 200, &answer("delivered", false))
        .answer(&path, 200, &answer("failed", false))
        .answer(&path, 200, &json!({"request": null, "answer": null, "outcome": "failed", "duration_ms": 0, "filtered": true}))
        .answer_with(&path, 503, "retry-after: 1\r\n", "{}");
    let ran = run(&server, &["test", ID]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.out.starts_with(
            "> POST https://example.com/\n> authorization: •••\n>\n> []\n< 200\n< ok\n"
        ),
        "{ran:?}"
    );
    assert_eq!(run(&server, &["test", ID]).status, 1);
    assert!(run(&server, &["test", ID]).err.contains("filter"));
    assert_eq!(run(&server, &["test", ID]).status, 1);
    assert_eq!(server.asked().len(), 4, "a test is not sent again by itself");
}
