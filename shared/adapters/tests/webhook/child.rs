//! A sender in a process of its own, which a test can freeze or give another environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use crate::sending;

/// What the child's own lines begin with; the test harness in it prints others.
const MARK: &str = "sender: ";

/// Not a test: the child runs it, by name.
#[tokio::test]
#[ignore = "the other side of tests that need a process of its own"]
async fn a_sender_that_is_told_what_to_do() {
    let sender = sending::sender();
    let mut lines = std::io::stdin().lines();
    while let Some(url) = lines.next().transpose().unwrap() {
        let told = match sending::send(&sender, &url).await {
            Ok(answer) => format!("answered {}", answer.status),
            Err(error) => format!("failed: {error:?}"),
        };
        let mut out = std::io::stdout();
        writeln!(out, "\n{MARK}{told}").unwrap();
        out.flush().unwrap();
    }
}

pub(crate) struct Child {
    process: std::process::Child,
    commands: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn start<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child::a_sender_that_is_told_what_to_do",
                "--ignored",
                "--nocapture",
            ])
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        Self { process, commands, told }
    }

    /// Sends a request, and says what came of it. Blocks.
    pub(crate) fn send(&mut self, url: &str) -> String {
        writeln!(self.commands, "{url}").unwrap();
        let lines = (&mut self.told).lines().map(Result::unwrap);
        lines
            .map(|line| line.strip_prefix(MARK).map(ToOwned::to_owned))
            .find_map(|told| told)
            .unwrap()
    }

    /// Stops the process where it stands, and comes back when it is stopped.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        let stat = format!("/proc/{}/stat", self.process.id());
        // The state follows the name, which stands in parentheses; T is "stopped".
        while !std::fs::read_to_string(&stat).unwrap().rsplit(") ").next().unwrap().starts_with('T')
        {
            std::thread::yield_now();
        }
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SIGKILL ends a stopped process too. If it has ended already, so much the better.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
