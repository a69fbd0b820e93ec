//! A sender in a process of its own, which a test can freeze or give another environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Child {
    process: std::process::Child,
    commands: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn start<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        // The example is built with the tests, and lies beside them.
        let tests = std::env::current_exe().unwrap();
        let example = tests.parent().unwrap().with_file_name("examples").join("send");
        let mut process = Command::new(example)
            .arg("127.0.0.0/8")
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
        (&mut self.told).lines().next().unwrap().unwrap()
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
