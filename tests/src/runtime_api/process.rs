//! The process of one container.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::{mpsc, watch},
    task::AbortHandle,
};

/// What Lambda sets, with credentials that are none.
const LAMBDA: [(&str, &str); 11] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "flagpost"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/flagpost"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/21/[$LATEST]00000000000000000000000000000000"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
];

pub(super) struct Process {
    pid: u32,
    /// Its end; the task that waits for it has the process.
    ended: watch::Receiver<Option<ExitStatus>>,
    kill: mpsc::Sender<()>,
    logs: Arc<Mutex<Vec<u8>>>,
    task: AbortHandle,
}

impl Process {
    pub(super) fn start<A: AsRef<OsStr>, K: AsRef<OsStr>, V: AsRef<OsStr>>(
        binary: &Path,
        arguments: impl IntoIterator<Item = A>,
        runtime_api: &str,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> io::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a program is found as it would be from here"
        )]
        let path = std::env::var_os("PATH");
        let mut child = Command::new(binary)
            .args(arguments)
            .env_clear()
            .envs(path.map(|path| ("PATH", path)))
            .envs(LAMBDA)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("it has ended already"))?;
        let logs = Arc::<Mutex<_>>::default();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (end, ended) = watch::channel(None);
        let (kill, asked) = mpsc::channel(1);
        let written = Arc::clone(&logs);
        let task = tokio::spawn(async move {
            tokio::join!(
                wait(child, asked, end),
                collect(stdout, Arc::clone(&written)),
                collect(stderr, written),
            );
        });
        Ok(Self { pid, ended, kill, logs, task: task.abort_handle() })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) async fn ended(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        loop {
            if let Some(status) = *ended.borrow_and_update() {
                return status;
            }
            if ended.changed().await.is_err() {
                // The task was broken off, and the process killed with it: nobody is left to tell.
                std::future::pending::<()>().await;
            }
        }
    }

    pub(super) async fn kill(&self) -> ExitStatus {
        // If there is one in it, the process is being killed.
        let _ = self.kill.try_send(());
        self.ended().await
    }

    pub(super) async fn freeze(&self) -> io::Result<()> {
        self.signal("STOP").await?;
        let stat = format!("/proc/{}/stat", self.pid);
        // The state follows the name, which stands in parentheses; T is "stopped".
        while !std::fs::read_to_string(&stat)?
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('T')
        {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The signal of this name. Its id is the process's for as long as its end is not told.
    pub(super) async fn signal(&self, name: &str) -> io::Result<()> {
        if let Some(status) = *self.ended.borrow() {
            return Err(io::Error::other(format!("the process ended: {status}")));
        }
        let kill = format!("kill -{name} {}", self.pid);
        let status = Command::new("sh").args(["-c", &kill]).status().await?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("{kill}: {status}"))) }
    }

    pub(super) fn logs(&self) -> String {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&logs).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process is dropped with the task, and killed.
        self.task.abort();
    }
}

async fn wait(
    mut child: Child,
    mut asked: mpsc::Receiver<()>,
    end: watch::Sender<Option<ExitStatus>>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        _ = asked.recv() => {
            // If it has ended meanwhile, so much the better.
            let _ = child.start_kill();
            child.wait().await
        }
    };
    if let Ok(status) = status {
        end.send_replace(Some(status));
    }
}

async fn collect(from: Option<impl AsyncRead + Unpin>, into: Arc<Mutex<Vec<u8>>>) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..read]);
    }
}
