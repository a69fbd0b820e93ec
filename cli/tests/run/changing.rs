//! Commands that change something.

use serde_json::json;

use crate::program::{ID, P, run, shop, status, unread};

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
        json!({"deliveries": 4, "events": 10, "skipped": 2, "done": true, "dry_run": true, "to": null})
    );
    assert_eq!(server.asked()[1].body, json!({"dry_run": true, "cursor": "c1"}));
}

#[test]
fn no_more_is_purged_than_was_counted_and_confirmed() {
    let server = shop();
    let path = format!("POST {P}/deliveries/purge");
    let answer = |done, dry_run, to: i64| json!({"deliveries": 3, "events": 620, "skipped": 0, "done": done, "dry_run": dry_run, "to": to, "next": "c"});
    server
        .answer(&path, 200, &answer(false, true, 7_000))
        .answer(&path, 200, &answer(true, true, 7_000))
        .answer(&path, 200, &answer(false, false, 7_000))
        .answer(&path, 200, &answer(true, false, 7_000));
    let ran = run(&server, &["purge", ID, "--state", "dead", "--yes", "--json"]);
    assert_eq!(
        ran.json(),
        json!({"deliveries": 6, "events": 1_240, "skipped": 0, "done": true, "dry_run": false, "to": 7_000})
    );
    let bodies: Vec<_> = server.asked().into_iter().map(|asked| asked.body).collect();
    let purge = json!({"state": "dead", "to": 7_000});
    assert_eq!(
        bodies,
        [
            json!({"state": "dead", "dry_run": true}),
            json!({"state": "dead", "dry_run": true, "to": 7_000, "cursor": "c"}),
            purge.clone(),
            purge,
        ]
    );
}

#[test]
fn a_repeated_replay_keeps_the_end_of_its_first_answer() {
    let server = shop();
    let path = format!("POST {P}/deliveries/replay");
    let answer = |done, to: i64| json!({"deliveries": 3, "events": 620, "skipped": 0, "done": done, "dry_run": false, "to": to, "next": null});
    server.answer(&path, 200, &answer(false, 7_000)).answer(&path, 200, &answer(true, 7_000));
    assert_eq!(run(&server, &["replay", ID]).status, 0);
    let bodies: Vec<_> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies, [json!({}), json!({"to": 7_000})]);
}

#[test]
fn what_was_done_before_a_fault_is_told() {
    let server = shop();
    let path = format!("POST {P}/deliveries/replay");
    let some = json!({"deliveries": 3, "events": 620, "skipped": 0, "done": false, "dry_run": false, "to": 7_000, "next": null});
    let refused = json!({"detail": "not yours any more"});
    server.answer(&path, 200, &some).answer(&path, 403, &refused);
    let ran = run(&server, &["replay", ID]);
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.err.as_str()),
        (1, "", "so far: 3 deliveries with 620 events\nflagpost: not yours any more (403)\n")
    );
    let server = shop();
    server.answer(&path, 200, &some).answer(&path, 403, &refused);
    let ran = run(&server, &["replay", ID, "--json"]);
    assert_eq!(ran.status, 1);
    assert_eq!(ran.json()["done"], false);
    assert_eq!(ran.json()["deliveries"], 3);
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

#[test]
fn a_failed_test_is_a_failure_whether_or_not_it_is_read() {
    let server = shop();
    let failed = json!({"request": null, "answer": {"status": 500, "body": "no"}, "outcome": "failed", "duration_ms": 1, "filtered": false});
    server.answer(&format!("POST {P}/test"), 200, &failed);
    let faulty =
        json!({"matches": true, "fault": {"field": "filter", "path": "/a", "detail": "no"}});
    server.answer(&format!("POST {P}/preview"), 200, &faulty);
    for command in [&["test", ID][..], &["test", ID, "--json"], &["preview", ID, "--json"]] {
        assert_eq!(unread(&server, command).status, 1, "{command:?}");
    }
}
