//! What Flagpost costs, beside what it would cost otherwise. `scripts/bench` builds and runs it;
//! `docs/benchmarks.md` says what is measured against what.
//!
//! Every figure is the median of several rounds, and the baseline's rounds lie between: whatever
//! else the machine does falls on both.

mod aws;
mod chance;
mod http;
mod naive;
mod paths;
mod payloads;
mod ports;
mod processes;
mod product;
mod receiver;
mod rounds;
mod sample;
mod sizes;
mod target;
mod usage;

use std::{error::Error, path::PathBuf, process::ExitCode};

/// What may go wrong is told, and ends the run.
type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "flagpost-bench paths ROUNDS | flagpost-bench payloads ROUNDS | \
                     flagpost-bench sizes | flagpost-bench processes ROUNDS BATCH NODE RUNTIME (the built function, Node, \
                     and the Node function's runtime.mjs)";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("flagpost-bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every target was met.
async fn run(arguments: &[&str]) -> Outcome<bool> {
    match arguments {
        ["paths", rounds] => paths::run(rounds.parse()?).await,
        ["sizes"] => sizes::run().await,
        ["payloads", rounds] => payloads::run(rounds.parse()?),
        ["processes", rounds, batch, node, runtime] => {
            let programs = processes::Programs {
                batch: PathBuf::from(batch),
                node: PathBuf::from(node),
                runtime: PathBuf::from(runtime),
            };
            processes::run(rounds.parse()?, &programs).await
        }
        _ => Err(USAGE.into()),
    }
}

/// A line of the report.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
