//! The built command line, run with nothing of the environment that it is not given.

use std::{
    collections::BTreeMap,
    process::{Output, Stdio},
};

use flagpost_adapters::settings::environment;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{project::Project, python};

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The same, where it was done.
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Where the program is; `scripts/test` had it built.
fn program() -> String {
    environment("FLAGPOST_TEST_COMMAND_LINE").unwrap_or_else(|| {
        panic!("FLAGPOST_TEST_COMMAND_LINE is not set: needs the command line: run scripts/test")
    })
}

/// The program without any configuration.
pub(crate) fn unconfigured(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Project {
    /// What says where the API is: the emulator, which finds it by `Host`.
    pub(crate) fn host_header(&self) -> String {
        format!("Host: {}", self.api.host())
    }

    /// The program, with the root key, for this project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = unconfigured(arguments);
        command.args(["--header", &self.host_header()]).envs(self.settings());
        command
    }

    fn settings(&self) -> [(&'static str, &str); 3] {
        [
            ("FLAGPOST_URL", &self.stack.endpoint),
            ("FLAGPOST_ADMIN_KEY", &self.stack.admin_key),
            ("FLAGPOST_PROJECT", &self.id),
        ]
    }

    pub(crate) async fn ran(&self, mut command: Command) -> Ran {
        let Output { status, stdout, stderr } = command.output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        self.checked(Ran { status: status.code().unwrap(), out: text(stdout), err: text(stderr) })
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(self.command(arguments)).await
    }

    /// At a terminal, where both of its outputs are one.
    pub(crate) async fn run_at_a_terminal(&self, arguments: &[&str]) -> Ran {
        let host = self.host_header();
        let program = program();
        let words = [&[program.as_str()], arguments, &["--header", &host]].concat();
        let given = json!({
            "command": words, "environment": self.settings().into_iter().collect::<BTreeMap<_, _>>(),
        });
        let said = python::run("terminal.py", &given).await;
        let status = i32::try_from(said["status"].as_i64().unwrap()).unwrap();
        let shown = said["shown"].as_str().unwrap().to_owned();
        self.checked(Ran { status, out: shown, err: String::new() })
    }

    /// The key is in nothing that is shown.
    fn checked(&self, ran: Ran) -> Ran {
        for shown in [&ran.out, &ran.err] {
            assert!(!shown.contains(&self.stack.admin_key), "the key is shown: {ran:?}");
        }
        ran
    }
}
