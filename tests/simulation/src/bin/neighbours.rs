//! Prints what bad endpoints cost good ones, with 100 integrations, and how 10,000 fare for hours.

use std::{
    io::{StdoutLock, Write},
    process::ExitCode,
};

use flagpost_simulation::{
    neighbours::{Shape, cases},
    scale::{Scale, both},
};

const HELP: &str = "\
What bad endpoints cost good ones, in virtual time.

Usage: neighbours [--seeds N] [--hours H] [--requests R]

  --seeds N     seeds of each case with 100 integrations (20); 0 leaves them out
  --hours H     traffic of 10,000 integrations (6); 0 leaves them out
  --requests R  requests of these an hour (3600)
";

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let Some((seeds, hours, requests)) = options(std::env::args().skip(1)) else {
        let _ = write!(out, "{HELP}");
        return ExitCode::from(2);
    };
    let mut kept = true;
    for most in [1_250, 5, 2] {
        for shape in [Shape::Tenants, Shape::FanOut] {
            if seeds > 0 {
                kept &= hundred(&mut out, shape, most, seeds);
            }
        }
    }
    if hours > 0 {
        let scale = Scale { seed: 1, projects: 2_000, each: 5, hours, requests };
        let both = both(scale);
        let _ = writeln!(out, "{both}");
        for what in [both.well.violation, both.ill.violation].into_iter().flatten() {
            kept = false;
            let _ = writeln!(out, "broken: {what}");
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All cases of a shape: whether all promises were kept.
fn hundred(out: &mut StdoutLock<'_>, shape: Shape, most: usize, seeds: u64) -> bool {
    let _ = writeln!(out, "{shape:?}, at most {most} batches at a time:");
    let mut kept = true;
    for case in cases(shape, most, seeds) {
        let _ = writeln!(out, "{case}");
        if let Some(what) = case.violation {
            kept = false;
            let _ = writeln!(out, "broken: {what}");
        }
    }
    kept
}

/// Seeds, hours and requests, or nothing if the command line is not understood.
fn options(mut arguments: impl Iterator<Item = String>) -> Option<(u64, i64, i64)> {
    let (mut seeds, mut hours, mut requests) = (20, 6, 3_600);
    while let Some(argument) = arguments.next() {
        let number = arguments.next()?.parse::<u32>().ok()?;
        match argument.as_str() {
            "--seeds" => seeds = u64::from(number),
            "--hours" => hours = i64::from(number),
            "--requests" => requests = i64::from(number),
            _ => return None,
        }
    }
    Some((seeds, hours, requests))
}
