//! `replay --wait`

use serde_json::{Value, json};

use crate::{
    program::{ID, P, run, shop, status, unread},
    server::Server,
};

const ONE: &str = "1795237200000-a-2";

fn parked(ids: &[&str]) -> Value {
    let all: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "delivery": "a", "state": "parked", "at": 1, "events": 2}))
        .collect();
    json!({"deliveries": all, "next": null})
}

/// A server that has replayed one delivery, up to 7000.
fn replayed() -> Server {
    let server = shop();
    let done = json!({"deliveries": 1, "events": 2, "skipped": 0, "done": true, "dry_run": false, "to": 7_000, "next": null});
    server.answer(&format!("POST {P}/deliveries/replay"), 200, &done);
    server
}

fn looks(server: &Server, line: &str) -> usize {
    server.lines().iter().filter(|asked| asked.starts_with(line)).count()
}

#[test]
fn one_delivery_is_replayed_and_waited_for() {
    let server = shop();
    let done = json!({"deliveries": 1, "events": 2, "skipped": 0, "done": true, "dry_run": false, "to": null, "next": null});
    let list = format!("GET {P}/deliveries?state=parked&from=1795237200000&to=1795237200001");
    server
        .answer(&format!("POST {P}/deliveries/dead/{ONE}/replay"), 200, &done)
        .answer(&list, 200, &parked(&[ONE, "1795237200000-b-2"]))
        .answer(&list, 200, &parked(&["1795237200000-b-2"]))
        .answer(&format!("GET {P}/status"), 200, &status("slow", 2))
        .answer(&format!("GET {P}/status"), 200, &status("well", 0));
    let ran = run(&server, &["replay", ID, ONE, "--wait"]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "replayed 1 delivery with 2 events\n"),
        "{ran:?}"
    );
    assert_eq!(looks(&server, &list), 2);
    assert_eq!(ran.err, "nothing is parked any more; 10 events dead\n");
}

#[test]
fn a_backlog_that_is_refilled_is_not_waited_for() {
    let server = replayed();
    let list = format!("GET {P}/deliveries?state=parked&to=7000");
    server.answer(&list, 200, &parked(&[ONE])).answer(&list, 200, &parked(&[])).answer(
        &format!("GET {P}/status"),
        200,
        &status("slow", 40),
    );
    let ran = run(&server, &["replay", ID, "--wait"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("nothing of it is parked any more (40 other deliveries"), "{ran:?}");
}

#[test]
fn waiting_ends_where_nothing_will_move_and_the_result_is_told_before() {
    for command in [&["replay", ID, "--wait"][..], &["replay", ID, "--wait", "--json"]] {
        let server = replayed();
        server.answer(&format!("GET {P}/deliveries?"), 200, &parked(&[ONE])).answer(
            &format!("GET {P}/status"),
            200,
            &status("paused", 1),
        );
        let ran = run(&server, command);
        assert_eq!(ran.status, 1);
        assert!(ran.err.contains("is paused: 1 delivery stays parked"), "{ran:?}");
        assert!(!ran.out.is_empty(), "{ran:?}");
        assert_eq!(unread(&server, command).status, 1);
    }
}

#[test]
fn waiting_bears_a_server_that_is_away_and_ends_when_it_took_too_long() {
    let server = replayed();
    let list = format!("GET {P}/deliveries?");
    server
        .answer(&list, 502, &json!({"message": "Bad Gateway"}))
        .answer(&list, 200, &parked(&[ONE, "1795237200000-b-2"]))
        .answer(&format!("GET {P}/status"), 200, &status("slow", 2));
    let ran = run(&server, &["replay", ID, "--wait", "--timeout", "3s"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, "replayed 1 delivery with 2 events\n"));
    assert!(ran.err.contains("Bad Gateway (502); trying again\n"), "{ran:?}");
    assert!(ran.err.contains("flagpost: not drained in "), "{ran:?}");
    assert!(ran.err.contains(" is slow, 2 deliveries stay parked\n"), "{ran:?}");
}
