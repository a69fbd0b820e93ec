//! What the process finds around it: environment, clock, terminal. Everything else is given these as values.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::fault::Fault;

/// The variables that count.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) url: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) project: Option<String>,
    /// `FLAGPOST_CONFIG`: a file that must be there.
    pub(crate) config: Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    /// Where the file is looked for otherwise, in `flagpost/config.toml`.
    pub(crate) config_home: Option<PathBuf>,
}

/// Reads the environment, once. An empty variable is as good as none.
pub(crate) fn environment() -> Environment {
    Environment {
        url: variable("FLAGPOST_URL"),
        key: variable("FLAGPOST_ADMIN_KEY"),
        project: variable("FLAGPOST_PROJECT"),
        config: variable("FLAGPOST_CONFIG").map(PathBuf::from),
        home: variable("HOME").map(PathBuf::from),
        config_home: variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config"))),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line's own start-up")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line's own clock: an age is counted from when it is typed"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line waits for its user's deployment in real time"
)]
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits, and notices when nobody reads the output any more: `tail | head -1` shall end with its line.
pub(crate) async fn wait_while_read(time: Duration) -> Result<(), Fault> {
    let mut left = time;
    while !left.is_zero() {
        if output_is_closed() {
            return Err(Fault::Closed);
        }
        let part = left.min(GLANCE);
        wait(part).await;
        left -= part;
    }
    Ok(())
}

/// Between two glances at the output while waiting.
const GLANCE: Duration = Duration::from_millis(250);

#[cfg(unix)]
fn output_is_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let output = io::stdout();
    let mut watched = [PollFd::new(&output, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // Linux tells it as an error of the writing end, macOS as a hang-up.
    poll(&mut watched, Some(&at_once)).is_ok()
        && watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Elsewhere the next write will tell.
#[cfg(not(unix))]
fn output_is_closed() -> bool {
    false
}

/// A file's text; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<String, Fault> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| Fault::Usage(format!("cannot read {}: {error}", path.display())))
}

/// Whether a person can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One line from the terminal.
pub(crate) fn line() -> String {
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(_) => line.trim().to_owned(),
        Err(_) => String::new(),
    }
}
