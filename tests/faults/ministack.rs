//! A MiniStack of a test's own, which can be stopped and started again with what it holds.

use std::{fs, net::TcpListener, path::PathBuf, process::Stdio, time::Duration};

use flagpost_adapters::{clock::SystemRandom, settings::environment};
use flagpost_domain::ports::Random;
use tokio::process::{Child, Command};

use crate::wait::{Chance, needed, until};

/// Below the ports that the system gives to connections: one of those may hold ours while MiniStack
/// is away.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

pub(crate) struct MiniStack {
    pub(crate) port: u16,
    directory: PathBuf,
    process: Child,
}

impl MiniStack {
    pub(crate) async fn start() -> Self {
        let bytes = SystemRandom.bytes();
        let mut chance = Chance(u64::from_le_bytes(bytes[..8].try_into().unwrap()));
        let directory = std::env::temp_dir().join(format!("flagpost-faults-{:016x}", chance.0));
        fs::create_dir(&directory).unwrap();
        let width = u64::from(PORTS.end - PORTS.start);
        let port = loop {
            let port = PORTS.start + u16::try_from(chance.below(width)).unwrap();
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                break port;
            }
        };
        let process = run(port, &directory);
        let mut ministack = Self { port, directory, process };
        ministack.answers().await;
        ministack
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it in order (SIGTERM), and starts it again with what it held.
    pub(crate) async fn restart(&mut self) {
        let kill = format!("kill -TERM {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        let status = self.process.wait().await.unwrap();
        assert!(status.success(), "MiniStack ended with {status}: {}", self.log());
        assert!(self.directory.join("state/sqs.json").exists(), "its state was kept");
        self.process = run(self.port, &self.directory);
        self.answers().await;
    }

    async fn answers(&mut self) {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2));
        let client = client.build().unwrap();
        let url = format!("{}/_ministack/health", self.endpoint());
        until("MiniStack", async || {
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "MiniStack ended: {}", self.log());
            match client.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // The process is killed when it is dropped. What cannot be removed is in a temporary place.
        let _ = self.process.start_kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// In the test's own process group: whoever ends the test ends it too.
fn run(port: u16, directory: &PathBuf) -> Child {
    let log = fs::File::options().create(true).append(true).open(directory.join("log")).unwrap();
    Command::new(needed("FLAGPOST_TEST_MINISTACK"))
        .env_clear()
        .env("PATH", environment("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("TMPDIR", directory)
        .env("LANG", "C.UTF-8")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("IOT_MTLS_ENABLED", "0")
        .env("PERSIST_STATE", "1")
        .env("STATE_DIR", directory.join("state"))
        .env("S3_PERSIST", "1")
        .env("S3_DATA_DIR", directory.join("objects"))
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
