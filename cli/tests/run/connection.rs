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

#[test]
fn the_key_goes_to_no_proxy_in_clear() {
    let server = shop();
    server.answer("GET /v1/projects?", 200, &json!({"projects": [], "next": null}));
    let proxy = Server::start();
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let mut command = configured(&server, &["projects", "list"]);
        let ran: Ran = command.env(variable, &proxy.url).output().unwrap().into();
        assert_eq!(ran.status, 0, "{variable}: {ran:?}");
    }
    assert!(proxy.asked().is_empty());
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn what_is_read_is_asked_once_more_after_a_cut_connection() {
    let server = shop();
    let path = format!("GET {P}/status");
    server.cut(&path).answer(&path, 200, &status("well", 0));
    assert_eq!(run(&server, &["status", ID]).status, 0);
    assert_eq!(server.asked().len(), 2);

    let server = shop();
    server.cut(&path);
    assert_eq!(run(&server, &["status", ID]).status, 1);
    assert_eq!(server.asked().len(), 2, "once");
    server.cut(&format!("POST {P}/pause"));
    assert_eq!(run(&server, &["pause", ID]).status, 1);
    assert_eq!(server.asked().len(), 3, "what changes something is not");
}

#[test]
fn a_key_file_lies_beside_the_configuration_or_in_the_home_directory() {
    let server = shop();
    server.answer("GET /v1/projects?", 200, &json!({"projects": [], "next": null}));
    let home = std::env::temp_dir().join(format!("flagpost-home-{}", std::process::id()));
    std::fs::create_dir_all(home.join("flagpost")).unwrap();
    std::fs::write(home.join("key"), KEY).unwrap();
    std::fs::write(home.join("flagpost/key"), KEY).unwrap();
    let config = home.join("flagpost/config.toml");
    for key_file in ["~/key", "key", "../key"] {
        let written = format!("url = '{}'\nkey_file = '{key_file}'\n", server.url);
        std::fs::write(&config, written).unwrap();
        let mut command = bare(&["projects", "list"]);
        command.env("HOME", &home).env("FLAGPOST_CONFIG", &config).current_dir("/");
        let ran: Ran = command.output().unwrap().into();
        assert_eq!(ran.status, 0, "{key_file}: {ran:?}");
    }
    std::fs::remove_dir_all(&home).unwrap();
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.header("authorization") == format!("Bearer {KEY}")));
}
