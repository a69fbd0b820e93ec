//! Where the settings come from, and what is told when nothing can be had.

use std::net::TcpListener;

use serde_json::json;

use crate::{
    program::{ID, KEY, P, Ran, bare, configured, run, shop, status},
    server::Server,
};

#[test]
fn without_settings_it_is_told_what_to_set() {
    let ran: Ran = bare(&["status"]).output().unwrap().into();
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--url, FLAGPOST_URL or `url`"), "{ran:?}");
    let ran: Ran = bare(&["nonsense"]).output().unwrap().into();
    assert_eq!(ran.status, 2);
    let ran: Ran = bare(&["projects", "list", "--url", "http://example.com", "--key", KEY])
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("Use https"), "{ran:?}");
}

#[test]
fn the_only_project_need_not_be_named() {
    let server = shop();
    server
        .answer(
            "GET /v1/projects?limit=100",
            200,
            &json!({"projects": [{"id": "shop", "name": "Shop"}], "next": null}),
        )
        .answer(&format!("GET {P}/status"), 200, &status("well", 0));
    let ran: Ran = configured(&server, &["status", ID])
        .env_remove("FLAGPOST_PROJECT")
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.status, 0, "{ran:?}");

    let server = Server::start();
    server.answer(
        "GET /v1/projects?limit=100",
        200,
        &json!({"projects": [{"id": "shop"}, {"id": "web"}], "next": null}),
    );
    let ran: Ran = configured(&server, &["status", ID])
        .env_remove("FLAGPOST_PROJECT")
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("there are shop, web"), "{ran:?}");
}

#[test]
fn headers_of_a_gateway_are_sent_with_every_request() {
    let server = shop();
    run(
        &server,
        &[
            "integrations",
            "list",
            "--header",
            "Host: api.localhost:4566",
            "--header",
            "X-Gateway: yes",
        ],
    );
    let asked = &server.asked()[0];
    assert_eq!((asked.header("host"), asked.header("x-gateway")), ("api.localhost:4566", "yes"));
}

#[test]
fn a_refusal_is_told_in_full_and_as_it_came_in_json() {
    let server = shop();
    let problem = json!({
        "type": "urn:flagpost:problem:unauthorized", "title": "No key", "status": 401, "detail": format!("not a key: {KEY}"),
    });
    server.answer(&format!("GET {P}/status"), 401, &problem);
    let ran = run(&server, &["status", ID]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.starts_with("flagpost: not a key: [the admin key] (401)\n  type: urn:flagpost"),
        "{ran:?}"
    );
    let ran = run(&server, &["status", ID, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(told["type"], problem["type"]);
    assert!(ran.out.is_empty());
}

#[test]
fn what_is_not_flagpost_is_noticed() {
    let server = Server::start();
    server.answer_with("GET /", 200, "", "<html>hello</html>");
    let ran = run(&server, &["projects", "list"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("is not JSON"), "{ran:?}");
    let server = Server::start();
    server.answer_with("GET /", 302, "location: https://elsewhere.example/\r\n", "");
    let ran = run(&server, &["projects", "list"]);
    assert!(ran.err.contains("302"), "a redirect is not followed with the key: {ran:?}");
}

#[test]
fn nobody_there_is_told_with_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ran: Ran =
        bare(&["projects", "list", "--url", &url, "--key", KEY]).output().unwrap().into();
    assert_eq!(ran.status, 1);
    assert!(ran.err.starts_with("flagpost: no answer from 127.0.0.1: "), "{ran:?}");
}
