//! The program, run with nothing of the environment that it is not given.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::server::Server;

pub(crate) const KEY: &str = "sesame-open-0123456789";
pub(crate) const ID: &str = "01a1fd2a6c807b1c8d2e3f4051627384";
/// The path of the integration `Warehouse`.
pub(crate) const P: &str = "/v1/projects/shop/integrations/01a1fd2a6c807b1c8d2e3f4051627384";

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Self {
            status: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY), "the key is shown: {ran:?}");
        ran
    }
}

/// The program without any configuration.
pub(crate) fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flagpost"));
    command
        .env_clear()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program, configured for the server and the project `shop`.
pub(crate) fn configured(server: &Server, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command
        .env("FLAGPOST_URL", &server.url)
        .env("FLAGPOST_ADMIN_KEY", KEY)
        .env("FLAGPOST_PROJECT", "shop");
    command
}

pub(crate) fn run(server: &Server, arguments: &[&str]) -> Ran {
    configured(server, arguments).output().unwrap().into()
}

/// With this on its standard input.
pub(crate) fn run_with(server: &Server, arguments: &[&str], input: &str) -> Ran {
    let mut child = configured(server, arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// With an output that nobody reads.
pub(crate) fn unread(server: &Server, arguments: &[&str]) -> Ran {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    configured(server, arguments).stdout(writer).output().unwrap().into()
}

/// The first lines of a program that does not end by itself.
pub(crate) fn first_lines(server: &Server, arguments: &[&str], count: usize) -> Vec<String> {
    let mut child = configured(server, arguments).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(count)
        .map(Result::unwrap)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    lines
}

/// A record of the delivery log.
pub(crate) fn attempt(id: &str, at: i64, outcome: &str) -> Value {
    json!({
        "id": id, "delivery": "0123456789abcdef0123456789abcdef", "at": at, "from": "batch", "outcome": outcome,
        "requests": 1, "status": 500, "duration_ms": 87, "events": 12, "delivered": 0, "bytes": 4096, "bytes_sent": 512,
        "answer": "Out of memory\u{1b}[31m", "then": "scheduled", "next_at": at + 60_000,
    })
}

/// A server with the project's two integrations.
pub(crate) fn shop() -> Server {
    let server = Server::start();
    let integrations = json!({"integrations": [
        {"id": "00000000000000000000000000000001", "name": "Slack", "preset": "standard", "stream": "events",
         "url": "https://hooks.slack.com", "enabled": false},
        {"id": ID, "name": "Warehouse", "preset": "split", "stream": "impressions", "url": "https://example.com",
         "enabled": true},
    ], "next": null});
    server.answer("GET /v1/projects/shop/integrations?", 200, &integrations);
    server
}

pub(crate) fn status(state: &str, parked: i64) -> Value {
    json!({
        "state": state,
        "breaker": {"open": state == "open", "since": null, "until": null, "cause": null},
        "pause": null, "next_probe_at": null, "next_wake_at": null,
        "backlog": {"deliveries": parked, "events": parked * 10, "at_least": false, "oldest_at": (parked > 0).then_some(0)},
        "ledger": {
            "hours": [{"hour": "2026-11-21T05", "matched": 1500, "delivered": 1200, "scheduled": 0, "parked": 300, "dead": 0}],
            "total": {"matched": 1500, "delivered": 1200, "parked": 300, "unparked": 0, "dead": 40, "undead": 30},
            "balances": true,
        },
    })
}
