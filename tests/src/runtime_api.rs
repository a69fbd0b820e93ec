//! A built function as Lambda runs it: a process that asks the Runtime API for its next invocation.
//!
//! Local emulators start functions too, and hide them: how a function is killed in the middle of an
//! invocation, frozen between two, or measured, takes its process in hand. A [`Function`] is one
//! container: one process with a Runtime API of its own on 127.0.0.1, and one invocation at a time.
//! Several of them are several containers.
//!
//! Source: "Using the Lambda runtime API", AWS Lambda developer guide.

mod process;
mod server;

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::{net::TcpListener, sync::Mutex};

use process::Process;
use server::{Invocation, Server};

/// Why an invocation has no result, or a function never asked for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The function answered with an error: its text, JSON with `errorType` and `errorMessage`.
    #[error("the function failed: {}", String::from_utf8_lossy(.0))]
    Failed(Bytes),
    /// The process ended.
    #[error("the process ended: {0}")]
    Died(ExitStatus),
    /// Its time was over. As on Lambda, the process was killed.
    #[error("timed out")]
    TimedOut,
}

/// One container of a function. The process is killed when it is dropped.
pub struct Function {
    process: Process,
    server: Server,
    started: Instant,
    /// Held during an invocation.
    busy: Mutex<()>,
}

impl Function {
    /// Starts a binary with this environment, and nothing of ours but `PATH`. What Lambda sets by
    /// itself is set too, with credentials that are none.
    ///
    /// # Errors
    /// If the binary cannot be started.
    pub async fn spawn<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        binary: impl AsRef<Path>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> io::Result<Self> {
        let none: [&str; 0] = [];
        Self::spawn_with(binary, none, environment).await
    }

    /// Like [`spawn`](Self::spawn), with arguments: a managed runtime's interpreter has some.
    ///
    /// # Errors
    /// If the binary cannot be started.
    pub async fn spawn_with<A: AsRef<OsStr>, K: AsRef<OsStr>, V: AsRef<OsStr>>(
        binary: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = A>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let server = Server::start(listener);
        let started = now();
        let process = Process::start(binary.as_ref(), arguments, &address, environment)?;
        Ok(Self { process, server, started, busy: Mutex::default() })
    }

    /// From just before the process was started to its first request for an invocation.
    ///
    /// # Errors
    /// [`Ended::Died`] if it ended before that.
    pub async fn first_next(&self) -> Result<Duration, Ended> {
        tokio::select! {
            biased;
            asked = self.server.first_next() => Ok(asked.duration_since(self.started)),
            status = self.process.ended() => Err(Ended::Died(status)),
        }
    }

    /// Invokes it with this payload, after the invocations that are under way: what it answers.
    ///
    /// # Errors
    /// [`Ended`] if there is no result after `timeout`, which its start does not count towards.
    pub async fn invoke(&self, payload: Bytes, timeout: Duration) -> Result<Bytes, Ended> {
        let _one_at_a_time = self.busy.lock().await;
        self.first_next().await?;
        let answer = self.server.invoke(Invocation { payload, deadline_ms: in_ms(timeout) });
        tokio::select! {
            biased;
            answer = answer => answer.map_err(Ended::Failed),
            status = self.process.ended() => Err(Ended::Died(status)),
            () = sleep(timeout) => {
                self.kill().await;
                Err(Ended::TimedOut)
            }
        }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Kills the process (SIGKILL), be it frozen, and waits for its end.
    pub async fn kill(&self) -> ExitStatus {
        self.process.kill().await
    }

    /// The process's end, whatever brings it about.
    pub async fn ended(&self) -> ExitStatus {
        self.process.ended().await
    }

    /// Stops the process where it stands (SIGSTOP), as Lambda does between invocations. It is
    /// stopped when this comes back.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn freeze(&self) -> io::Result<()> {
        self.process.freeze().await
    }

    /// Lets a frozen process go on (SIGCONT).
    ///
    /// # Errors
    /// If it has ended.
    pub async fn thaw(&self) -> io::Result<()> {
        self.process.signal("CONT").await
    }

    /// What the process wrote so far to its standard output and standard error.
    pub fn logs(&self) -> String {
        self.process.logs()
    }
}

#[expect(clippy::disallowed_methods, reason = "a start is measured here")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a real process is waited for")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The time that is `timeout` away, in milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a real process is given its deadline")]
fn in_ms(timeout: Duration) -> u128 {
    (SystemTime::now() + timeout).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests;
