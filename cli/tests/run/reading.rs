//! Commands that change nothing.

use serde_json::{Value, json};

use crate::{
    program::{ID, KEY, P, bare, first_lines, run, run_with, shop, status},
    server::Server,
};

fn attempt(id: &str, at: i64, outcome: &str) -> Value {
    json!({
        "id": id, "delivery": "0123456789abcdef0123456789abcdef", "at": at, "from": "batch", "outcome": outcome,
        "requests": 1, "status": 500, "duration_ms": 87, "events": 12, "delivered": 0, "bytes": 4096, "bytes_sent": 512,
        "answer": "Out of memory\u{1b}[31m", "then": "scheduled", "next_at": at + 60_000,
    })
}

#[test]
fn projects_and_integrations_are_listed_page_by_page() {
    let server = Server::start();
    server
        .answer(
            "GET /v1/projects?limit=100&cursor=c1",
            200,
            &json!({"projects": [{"id": "web", "name": "Web", "created_at": 0}], "next": null}),
        )
        .answer(
            "GET /v1/projects?limit=100",
            200,
            &json!({"projects": [{"id": "shop", "name": "Shop", "created_at": 0}], "next": "c1"}),
        );
    let ran = run(&server, &["projects", "list"]);
    assert_eq!(
        ran.out,
        "ID    NAME  CREATED\nshop  Shop  1970-01-01 00:00:00Z\nweb   Web   1970-01-01 00:00:00Z\n"
    );
    let ran = run(&server, &["projects", "list", "--json"]);
    assert_eq!(ran.json()["projects"].as_array().unwrap().len(), 2);

    let server = shop();
    let ran = run(&server, &["integrations", "list"]);
    assert!(ran.out.contains("Warehouse") && ran.out.contains(ID), "{ran:?}");
    assert_eq!(server.asked()[0].header("authorization"), format!("Bearer {KEY}"));
}

#[test]
fn an_integration_is_named_by_its_name_or_its_id() {
    let server = shop();
    server.answer(
        &format!("GET {P}"),
        200,
        &json!({"id": ID, "name": "Warehouse", "template": "a\nb"}),
    );
    let by_name = run(&server, &["integrations", "show", "Warehouse"]);
    let by_id = run(&server, &["integrations", "show", ID]);
    assert_eq!(by_name.out, by_id.out);
    assert_eq!(server.lines()[1..], [format!("GET {P}"), format!("GET {P}")]);
    let ran = run(&server, &["integrations", "show", "warehouse"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains("no integration `warehouse`") && ran.err.contains("`Warehouse`"),
        "{ran:?}"
    );
}

#[test]
fn a_status_is_told_for_one_and_for_all() {
    let server = shop();
    server.answer(&format!("GET {P}/status"), 200, &status("well", 30)).answer(
        "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status",
        200,
        &status("disabled", 0),
    );
    let ran = run(&server, &["status", "Warehouse"]);
    assert!(
        ran.out.starts_with("Warehouse: well\nbacklog     30 deliveries, 300 events\n"),
        "{ran:?}"
    );
    assert!(ran.out.contains("2026-11-21T05    1,500      1,200"), "{ran:?}");
    let ran = run(&server, &["status"]);
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[1].starts_with("Slack      disabled"), "{ran:?}");
    assert!(lines[2].starts_with("Warehouse  well") && lines[2].contains("1,200"), "{ran:?}");
    assert_eq!(
        run(&server, &["status", "--json"]).json()["integrations"][1]["status"],
        status("well", 30)
    );
    assert_eq!(run(&server, &["status", ID, "--json"]).json(), status("well", 30));
}

#[test]
fn attempts_are_filtered_and_their_answers_cannot_paint_the_terminal() {
    let server = shop();
    let list = json!({"attempts": [attempt("b", 1_795_237_200_000, "failed")], "next": "more"});
    server.answer(&format!("GET {P}/attempts"), 200, &list);
    let ran = run(
        &server,
        &[
            "attempts",
            "Warehouse",
            "--from",
            "1000",
            "--to",
            "1970-01-01T00:00:02Z",
            "--outcome",
            "failed",
            "-n",
            "1",
        ],
    );
    assert_eq!(
        server.lines()[1],
        format!("GET {P}/attempts?from=1000&to=2000&outcome=failed&limit=1")
    );
    assert!(ran.out.contains("Out of memory\\u001b[31m") && !ran.out.contains('\u{1b}'), "{ran:?}");
    assert!(ran.err.contains("there are more"), "{ran:?}");
    assert_eq!(run(&server, &["attempts", ID, "--json", "-n", "1"]).json(), list);
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
fn deliveries_are_listed_and_shown() {
    let server = shop();
    let one = json!({"id": "1795237200000-0123-12", "delivery": "0123", "state": "dead", "at": 1_795_237_200_000_i64, "events": 12});
    server.answer(
        &format!("GET {P}/deliveries?state=dead"),
        200,
        &json!({"deliveries": [one.clone()], "next": null}),
    );
    let ran = run(&server, &["deliveries", "list", "Warehouse"]);
    assert_eq!(
        ran.out,
        "LAID ASIDE            STATE  EVENTS  ID\n2026-11-21 05:00:00Z  dead       12  1795237200000-0123-12\n"
    );
    let mut whole = one;
    whole["payload"] = "@".into();
    let whole = whole
        .to_string()
        .replace("\"@\"", r#"[{"z": 1.0, "a": 123456789012345678901234567890},{"key":"k2"}]"#);
    server.answer_with(&format!("GET {P}/deliveries/dead/1795237200000-0123-12"), 200, "", &whole);
    let ran = run(&server, &["deliveries", "show", "Warehouse", "1795237200000-0123-12"]);
    assert_eq!(ran.out, "{\"z\": 1.0, \"a\": 123456789012345678901234567890}\n{\"key\":\"k2\"}\n");
}

#[test]
fn a_preview_shows_the_payload_or_where_the_fault_is() {
    let server = shop();
    let path = format!("POST {P}/preview");
    server
        .answer(&path, 200, &json!({"matches": true, "payload": "[{\"user\":\"k\"}]", "content_type": "application/json"}))
        .answer(&path, 200, &json!({"matches": true, "fault": {"field": "template", "line": 2, "column": 7, "detail": "no end"}}));
    let ran = run_with(&server, &["preview", "Warehouse", "--event", "-"], r#"{"key": "k"}"#);
    assert_eq!((ran.status, ran.out.as_str()), (0, "[{\"user\":\"k\"}]\n"), "{ran:?}");
    assert_eq!(server.asked()[1].body, json!({"event": {"key": "k"}}));
    let ran = run_with(
        &server,
        &["preview", "Warehouse", "--template", "-", "--template-result", "text"],
        "${key\n",
    );
    assert_eq!((ran.status, ran.err.as_str()), (1, "flagpost: template:2:7: no end\n"), "{ran:?}");
    assert_eq!(server.asked()[3].body, json!({"template": "${key\n", "template_result": "text"}));
    let ran = run_with(&server, &["preview", "Warehouse", "--filter", "-"], "{");
    assert_eq!(ran.status, 2, "{ran:?}");
}

#[test]
fn completions_need_no_configuration() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = bare(&["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("integrations"), "{shell}");
    }
}
