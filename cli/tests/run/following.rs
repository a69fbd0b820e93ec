//! `tail`

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
};

use serde_json::{Value, json};

use crate::program::{ID, KEY, P, Ran, attempt, bare, configured, first_lines, run, shop};

const AT: i64 = 1_795_237_200_000;

fn page(attempts: &[Value], next: Option<&str>) -> Value {
    json!({"attempts": attempts, "next": next})
}

#[test]
fn tail_shows_each_attempt_once_in_their_order() {
    let server = shop();
    let at = 1_795_237_200_000_i64;
    let path = format!("GET {P}/attempts");
    server
        .answer(&path, 200, &json!({"attempts": [attempt("b", at + 5, "delivered"), attempt("a", at, "failed")], "next": null}))
        .answer(&path, 502, &json!({"message": "Bad Gateway"}))
        .answer(&path, 200, &json!({"attempts": [attempt("c", at + 9, "failed"), attempt("b", at + 5, "delivered")], "next": null}));
    let lines = first_lines(
        &server,
        &["tail", ID, "--json", "--every", "1", "--from", "2026-11-21T05:00:00Z"],
        3,
    );
    let ids: Vec<_> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(server.lines()[0], format!("GET {P}/attempts?from={at}&limit=100"));
}

#[test]
fn tail_ends_when_it_may_not_look() {
    let server = shop();
    server.answer(
        &format!("GET {P}/attempts"),
        403,
        &json!({"type": "urn:flagpost:problem:forbidden", "detail": "not yours"}),
    );
    let ran = run(&server, &["tail", ID]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("not yours (403)\n  type: urn:flagpost:problem:forbidden"), "{ran:?}");
}

#[test]
fn tail_begins_now_by_the_servers_clock() {
    let server = shop();
    let path = format!("GET {P}/attempts");
    let date = "date: Sat, 21 Nov 2026 05:00:00 GMT\r\n";
    let old = page(&[attempt("a", AT - 5, "failed")], Some("c"));
    let new = page(&[attempt("b", AT + 5, "failed")], None);
    server.answer_with(&path, 200, date, &old.to_string()).answer_with(
        &path,
        200,
        date,
        &new.to_string(),
    );
    let lines = first_lines(&server, &["tail", ID, "--json"], 1);
    assert!(lines[0].contains("\"id\":\"b\""), "{lines:?}");
    let asked = server.lines();
    assert_eq!(asked[0], format!("{path}?limit=1"));
    assert_eq!(asked[1], format!("{path}?from={AT}&limit=100"));
}

#[test]
fn tail_begins_behind_the_newest_where_the_server_tells_no_time() {
    let server = shop();
    let path = format!("GET {P}/attempts");
    server.answer(&path, 200, &page(&[attempt("a", AT, "failed")], None)).answer(
        &path,
        200,
        &page(&[attempt("b", AT + 5, "failed")], None),
    );
    first_lines(&server, &["tail", ID, "--json"], 1);
    assert_eq!(server.lines()[1], format!("{path}?from={}&limit=100", AT + 1));
}

#[test]
fn tail_reads_no_further_than_to_what_it_knows() {
    let server = shop();
    let path = format!("GET {P}/attempts");
    let first = [attempt("b", AT + 2, "failed"), attempt("a", AT + 1, "failed")];
    let then = [attempt("c", AT + 3, "failed"), first[0].clone()];
    server
        .answer(&path, 200, &page(&first, None))
        .answer(&path, 200, &page(&then, Some("more")))
        .answer(&path, 200, &page(&[attempt("d", AT + 4, "failed"), then[0].clone()], None));
    let lines = first_lines(&server, &["tail", ID, "--json", "--every", "1", "--from", "1000"], 4);
    assert_eq!(lines.len(), 4);
    let asked = server.lines();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|line| !line.contains("cursor")), "{asked:?}");
}

#[test]
fn tail_must_reach_its_server_at_first() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let connection = ["--url", &url, "--key", KEY, "--project", "shop"];
    for from in [&[][..], &["--from", "1000"]] {
        let ran: Ran =
            bare(&[&["tail", ID], from, &connection[..]].concat()).output().unwrap().into();
        assert_eq!(ran.status, 1);
        assert!(ran.err.contains("no answer from 127.0.0.1: "), "{ran:?}");
    }
    let server = shop();
    server.answer(&format!("GET {P}/attempts"), 502, &json!({"message": "Bad Gateway"}));
    assert_eq!(run(&server, &["tail", ID]).status, 1);
}

#[cfg(unix)]
#[test]
fn tail_ends_when_nobody_reads_it_any_more() {
    let server = shop();
    let path = format!("GET {P}/attempts");
    // The second would show it too, when it is written.
    server.answer(&path, 200, &page(&[attempt("a", AT, "failed")], None)).answer(
        &path,
        200,
        &page(&[attempt("b", AT + 1, "failed")], None),
    );
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = configured(&server, &["tail", ID, "--from", "1000", "--every", "5"]);
    let mut child = command.stdout(writer).spawn().unwrap();
    // Its own copy of the writing end.
    drop(command);
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert!(line.contains("0123456789abcdef"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(server.asked().len(), 1);
}
