//! Commands that change nothing.

use serde_json::json;

use crate::{
    program::{ID, KEY, P, attempt, bare, run, run_with, shop, status},
    server::Server,
};

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
        ran.out
            .starts_with("Warehouse: well\nbacklog     30 deliveries, 300 events, the oldest for "),
        "{ran:?}"
    );
    assert!(ran.out.contains("2026-11-21T05    1,500      1,200"), "{ran:?}");
    let ran = run(&server, &["status"]);
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[1].starts_with("Warehouse  well") && lines[1].contains("1,200"), "{ran:?}");
    assert!(lines[2].starts_with("Slack      disabled"), "{ran:?}");
    assert_eq!(
        run(&server, &["status", "--json"]).json()["integrations"][1]["status"],
        status("well", 30)
    );
    assert_eq!(run(&server, &["status", ID, "--json"]).json(), status("well", 30));
}

#[test]
fn what_waits_for_longest_comes_first_whichever_project_it_is_of() {
    let server = shop();
    let (later, none) =
        ("/v1/projects/web/integrations/late", "/v1/projects/web/integrations/none");
    let projects = json!({"projects": [{"id": "shop", "name": "Shop"}, {"id": "web", "name": "Web"}], "next": null});
    let integrations = json!({"integrations": [{"id": "late", "name": "Late"}, {"id": "none", "name": "None"}], "next": null});
    let mut newer = status("open", 5);
    newer["backlog"]["oldest_at"] = 86_400_000.into();
    newer["ledger"]["total"]["expired"] = 7_001.into();
    server
        .answer("GET /v1/projects?", 200, &projects)
        .answer("GET /v1/projects/web/integrations?", 200, &integrations)
        .answer(&format!("GET {later}/status"), 200, &newer)
        .answer(&format!("GET {none}/status"), 200, &status("well", 0))
        .answer(&format!("GET {P}/status"), 200, &status("paused", 30))
        .answer(
            "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status",
            200,
            &status("disabled", 0),
        );
    let ran = run(&server, &["status", "--all-projects"]);
    let lines: Vec<Vec<_>> =
        ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines[0].join(" "),
        "PROJECT NAME STATE PARKED EVENTS AGE DEAD EXPIRED DELIVERED WHY"
    );
    let first: Vec<_> = lines[1..].iter().map(|line| line[..3].join(" ")).collect();
    assert_eq!(
        first,
        ["shop Warehouse paused", "web Late open", "shop Slack disabled", "web None well"]
    );
    assert!(lines[1][6] == "d" && lines[2].contains(&"7,001"), "{ran:?}");
    assert_eq!(lines[4], ["web", "None", "well", "0", "0", "10", "0", "1,200"], "no age: {ran:?}");
    let all = run(&server, &["status", "--all-projects", "--json"]).json();
    let listed: Vec<_> = all["integrations"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&listed[2]["project"], &listed[2]["status"]),
        (&json!("web"), &newer),
        "as it is listed"
    );
    // Of one project there is nothing to tell it from.
    assert!(run(&server, &["status"]).out.starts_with("NAME "));
    assert_eq!(run(&server, &["-p", "shop", "status", "--all-projects"]).out, ran.out);
}

#[test]
fn a_status_that_is_not_to_be_had_hides_no_other() {
    let server = shop();
    let problem = json!({"type": "urn:flagpost:problem:internal", "detail": "a fault of its own"});
    server.answer(&format!("GET {P}/status"), 200, &status("well", 0)).answer(
        "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status",
        500,
        &problem,
    );
    let reason = "the state of 1 of 2 integrations is not known\n  \
                  Slack (project shop): a fault of its own (500)\n    \
                  type: urn:flagpost:problem:internal";
    let ran = run(&server, &["status"]);
    let lines: Vec<Vec<_>> =
        ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["Slack", "unknown"], "{ran:?}");
    assert_eq!(lines[2][..2], ["Warehouse", "well"], "{ran:?}");
    assert_eq!((ran.status, ran.err), (1, format!("flagpost: {reason}\n")));

    let ran = run(&server, &["status", "--json"]);
    let all = ran.json();
    assert_eq!(all["integrations"][0]["status"], json!({"state": "unknown"}));
    assert_eq!(all["integrations"][1]["status"], status("well", 0));
    let told: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((ran.status, told), (1, json!({"detail": reason})));
}

#[test]
fn a_project_that_is_not_to_be_listed_hides_no_other() {
    let server = shop();
    let projects = ["gone", "shop", "web"].map(|id| json!({"id": id, "name": id}));
    let problem = json!({"type": "urn:flagpost:problem:internal", "detail": "a fault of its own"});
    server
        .answer("GET /v1/projects?", 200, &json!({"projects": projects, "next": null}))
        .answer("GET /v1/projects/gone/integrations?", 404, &json!({"detail": "no such project"}))
        .answer("GET /v1/projects/web/integrations?", 500, &problem)
        .answer(&format!("GET {P}/status"), 200, &status("well", 0))
        .answer(
            "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status",
            200,
            &status("disabled", 0),
        );
    let ran = run(&server, &["status", "--all-projects"]);
    let named: Vec<_> =
        ran.out.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!((ran.status, named), (1, vec!["Slack", "Warehouse"]), "{}", ran.err);
    assert!(ran.err.contains("project gone was deleted meanwhile\n"), "{}", ran.err);
    let reason = "flagpost: projects that could not be listed:\n  \
                  project web: a fault of its own (500)\n    type: urn:flagpost:problem:internal\n";
    assert!(ran.err.ends_with(reason), "{}", ran.err);
}

#[test]
fn where_the_api_does_not_answer_nobody_waits_for_every_integration() {
    let server = shop();
    let other = "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status";
    for _ in 0..8 {
        server.cut(other);
    }
    server.answer(&format!("GET {P}/status"), 200, &status("well", 0));
    let ran = run(&server, &["status"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{}", ran.err);
    assert!(ran.err.contains("no answer from 127.0.0.1"), "{}", ran.err);
}

#[test]
fn an_answer_that_is_no_status_hides_no_other() {
    for body in ["", "<html>"] {
        let server = shop();
        server.answer(&format!("GET {P}/status"), 200, &status("well", 0)).answer_with(
            "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status",
            200,
            "",
            body,
        );
        let ran = run(&server, &["status", "--json"]);
        let states: Vec<_> = ran.json()["integrations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["status"]["state"].clone())
            .collect();
        assert_eq!((ran.status, states), (1, vec!["unknown".into(), "well".into()]), "{body:?}");
        assert!(ran.err.contains("Slack (project shop): the answer is not JSON"), "{}", ran.err);
    }
}

#[test]
fn a_key_that_is_no_longer_taken_is_no_fault_of_an_integration() {
    let server = shop();
    server.answer("GET /v1/projects/shop/integrations/", 401, &json!({"detail": "no such key"}));
    let ran = run(&server, &["status"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(ran.err.starts_with("flagpost: no such key (401)"), "{ran:?}");
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
fn an_event_that_was_sent_over_several_lines_is_shown_in_one() {
    let server = shop();
    let event = "{\r\n  \"key\": \"a\\nb\",\n  \"price\": 1.50\n}";
    let whole = format!(
        "{{\"id\":\"1-a-2\",\"delivery\":\"a\",\"state\":\"dead\",\"at\":1,\"events\":2,\"payload\":[{event},{{\"key\":\"k2\"}}]}}"
    );
    server.answer_with(&format!("GET {P}/deliveries/dead/1-a-2"), 200, "", &whole);
    let ran = run(&server, &["deliveries", "show", ID, "1-a-2"]);
    assert_eq!(ran.out, "{    \"key\": \"a\\nb\",   \"price\": 1.50 }\n{\"key\":\"k2\"}\n");
    let ran = run(&server, &["deliveries", "show", ID, "1-a-2", "--json"]);
    assert_eq!(ran.out, format!("{whole}\n"), "as it came");
}

#[test]
fn what_goes_to_another_program_is_left_byte_for_byte() {
    let server = shop();
    let event = "{\"z\": \"\u{202e}\u{9b}\",  \"a\": 1.50}";
    let whole = format!(
        "{{\"id\":\"1-a-1\",\"delivery\":\"a\",\"state\":\"dead\",\"at\":1,\"events\":1,\"payload\":[{event}]}}"
    );
    server.answer_with(&format!("GET {P}/deliveries/dead/1-a-1"), 200, "", &whole);
    let ran = run(&server, &["deliveries", "show", ID, "1-a-1"]);
    assert_eq!(ran.out, format!("{event}\n"));
    assert_eq!(
        run(&server, &["deliveries", "show", ID, "1-a-1", "--json"]).out,
        format!("{whole}\n")
    );
    let payload = json!({"matches": true, "payload": "\u{1b}[31m\u{202e}"});
    server.answer(&format!("POST {P}/preview"), 200, &payload);
    assert_eq!(run(&server, &["preview", ID]).out, "\u{1b}[31m\u{202e}\n");
}

#[test]
fn json_is_in_the_servers_own_words() {
    let server = shop();
    let number = "123456789012345678901234567890";
    let one = format!(
        "{{\"name\":\"W\",\"filter\":{{\"z\":[{{\"numeric\":[\">\",{number}]}}],\"a\":[1.0]}},\"id\":\"{ID}\"}}"
    );
    server
        .answer_with(&format!("GET {P}"), 200, "", &one)
        .answer_with(
            "GET /v1/projects/shop/integrations?limit=100",
            200,
            "",
            &format!("{{\"integrations\":[{one}],\"next\":null}}"),
        )
        .answer_with(&format!("GET {P}/status"), 200, "", &one)
        .answer_with(
            &format!("GET {P}/attempts"),
            200,
            "",
            &format!("{{\"attempts\":[{one}],\"next\":null}}"),
        );
    for command in [
        &["integrations", "show", ID][..],
        &["integrations", "list"],
        &["status", ID],
        &["status"],
        &["attempts", ID],
    ] {
        let ran = run(&server, &[command, &["--json"]].concat());
        assert!(ran.out.contains(&one), "{command:?}: {ran:?}");
        ran.json();
    }
    let ran = run(&server, &["integrations", "show", ID]);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines[0], "name    W");
    assert!(lines[1].starts_with("filter  {\"z\"") && lines[1].contains(number), "{ran:?}");
}

#[test]
fn a_list_goes_on_at_a_cursor() {
    let server = shop();
    for (list, field) in [("attempts", "attempts"), ("deliveries?state=dead", "deliveries")] {
        let line = format!("GET {P}/{list}");
        server.answer(&line, 200, &json!({field: [attempt("a", 5, "failed")], "next": "c2"}));
    }
    for command in [&["attempts", ID][..], &["deliveries", "list", ID]] {
        let ran = run(&server, &[command, &["-n", "1"]].concat());
        assert_eq!(ran.err, "there are more: see --limit, or --cursor c2\n");
        run(&server, &[command, &["-n", "1", "--cursor", "c2"]].concat());
        let asked = server.lines();
        assert!(asked.last().unwrap().ends_with("limit=1&cursor=c2"), "{asked:?}");
    }
}

#[test]
fn an_integration_that_is_deleted_meanwhile_is_left_out() {
    let server = shop();
    server.answer(&format!("GET {P}/status"), 200, &status("well", 30)).answer(
        "GET /v1/projects/shop/integrations/00000000000000000000000000000001/status",
        404,
        &json!({"type": "urn:flagpost:problem:not-found"}),
    );
    let ran = run(&server, &["status"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "Slack was deleted meanwhile\n"));
    assert!(ran.out.contains("Warehouse  well") && !ran.out.contains("Slack"), "{ran:?}");
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
    let asked = server.asked().len();
    for pair in [["--event", "--filter"], ["--key-file", "--template"]] {
        let [one, other] = pair;
        let ran = run_with(&server, &["preview", "Warehouse", one, "-", other, "-"], "{}");
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.err.contains(&format!("but {one} and {other} name it")), "{ran:?}");
    }
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn completions_need_no_configuration() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = bare(&["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("integrations"), "{shell}");
    }
}
