//! Programs in Python, beside the tests in `sdks/`: the vendors' SDKs, verifiers of others' making, and
//! a terminal.

use std::process::Stdio;

use flagpost_adapters::settings::environment;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

/// Runs one of them with the Python that has the packages of `sdks/requirements.txt`: from JSON on its standard input to
/// JSON on its standard output. What it says besides is the test's output.
pub(crate) async fn run(program: &str, given: &Value) -> Value {
    let python = environment("FLAGPOST_TEST_SDKS").unwrap_or_else(|| {
        panic!("FLAGPOST_TEST_SDKS is not set: needs the SDKs: run scripts/test")
    });
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/sdks");
    let mut child = Command::new(python)
        .args(["-B", program])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(given.to_string().as_bytes()).await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {}: {said}", output.status);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{program}: {error}: {said}"))
}
