//! Runs seeds of the simulation, on all cores, and says what happened.

#![expect(clippy::disallowed_methods, reason = "how long all seeds took is real time")]

use std::{
    collections::BTreeMap,
    io::Write,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use flagpost_simulation::{
    asked::Done,
    attempts::Made,
    fault::{Fault, Tally, Weather},
    run::{Report, run},
};

const HELP: &str = "\
Runs the whole of Flagpost in virtual time, by seeds, with everything going wrong that may go wrong.

Usage: simulate [--seeds N] [--from S] [--days D] [--trace]

  --seeds N   how many seeds (1000)
  --from S    the first of them (0)
  --days D    traffic of D virtual days each, in place of minutes to hours
  --trace     print the whole trace of each seed (for a few seeds)

It prints the faults injected by kind. At a seed that breaks a promise it prints which, and the part of
its trace that matters, and ends with 1 after the seeds that are under way.
";

struct Options {
    seeds: u64,
    from: u64,
    days: Option<u32>,
    trace: bool,
}

/// What all runs came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    tally: Tally,
    weather: BTreeMap<Weather, u64>,
    accepted: usize,
    delivered: usize,
    dead: usize,
    repeated: u64,
    made: Made,
    filtered: u64,
    done: Done,
    lasted_hours: f64,
    broken: Vec<u64>,
}

impl Sum {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.tally.join(&report.tally);
        *self.weather.entry(report.weather).or_default() += 1;
        self.accepted += report.accepted;
        self.delivered += report.delivered;
        self.dead += report.dead;
        self.repeated += report.repeated;
        self.made += report.made;
        self.filtered += report.filtered;
        self.done += report.done;
        self.lasted_hours += report.lasted.as_secs_f64() / 3_600.0;
        if report.violation.is_some() {
            self.broken.push(report.seed);
        }
    }
}

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            let _ = write!(out, "{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(what) => {
            let _ = write!(std::io::stderr(), "{what}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    let sum = Mutex::new(Sum::default());
    let next = AtomicU64::new(options.from);
    let end = options.from.saturating_add(options.seeds);
    let reports = Mutex::new(());
    drop(out);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let broken = || !lock(&sum).broken.is_empty();
                    if seed >= end || broken() {
                        return;
                    }
                    let mut report = run(seed, options.days, options.trace);
                    if report.violation.is_some() && !options.trace {
                        // Once more, with a trace: the same seed does the same.
                        report = run(seed, options.days, true);
                    }
                    lock(&sum).add(&report);
                    let _order = lock(&reports);
                    tell(&report, options.trace);
                }
            });
        }
    });
    let sum = lock(&sum);
    summary(&sum, began.elapsed().as_secs_f64());
    if sum.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(report: &Report, traced: bool) {
    let mut out = std::io::stdout().lock();
    if let Some(violation) = &report.violation {
        let _ = write!(out, "{}", if traced { &report.trace } else { &report.matters });
        let _ = writeln!(
            out,
            "seed {} ({:?}) breaks a promise after {} s: {} ({:?})",
            report.seed,
            report.weather,
            report.lasted.as_secs(),
            violation.what,
            violation.about
        );
    } else if traced {
        let _ = writeln!(out, "{}seed {}: all promises kept", report.trace, report.seed);
    }
}

fn summary(sum: &Sum, seconds: f64) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{} seeds in {seconds:.1} s: {:?}", sum.seeds, sum.weather);
    let _ = writeln!(
        out,
        "{} events accepted, {} delivered to integrations, {} dead, {} repeated, {} not wanted by \
         filters; {:.0} virtual hours",
        sum.accepted, sum.delivered, sum.dead, sum.repeated, sum.filtered, sum.lasted_hours
    );
    let Made { attempts, requests, immediate, objects, ndjson, rests } = sum.made;
    let _ = writeln!(
        out,
        "{attempts} attempts; {requests} requests, {immediate} of them immediate retries, {objects} \
         with a single event, {ndjson} of NDJSON; {rests} rests stored",
    );
    let Done { replayed, purged, shown } = sum.done;
    let _ = writeln!(
        out,
        "{replayed} deliveries replayed, {purged} purged by operators, {shown} counted by dry runs"
    );
    for fault in Fault::ALL {
        let _ = writeln!(out, "{:>12}  {fault}", sum.tally.of(*fault));
    }
    if sum.broken.is_empty() {
        let _ = writeln!(out, "all promises kept");
    } else {
        let _ = writeln!(out, "broken: {:?}", sum.broken);
    }
}

/// Reads the command line; `None` asks for help.
fn options(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { seeds: 1_000, from: 0, days: None, trace: false };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut number = |name: &str| {
            let text = arguments.next().ok_or(format!("{name} needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("{name} must be a number, not {text:?}"))
        };
        match argument.as_str() {
            "--seeds" => options.seeds = number("--seeds")?,
            "--from" => options.from = number("--from")?,
            "--days" => {
                let days = number("--days")?;
                let days = u32::try_from(days).ok().filter(|days| (1..=365).contains(days));
                options.days = Some(days.ok_or("--days must be 1 to 365")?);
            }
            "--trace" => options.trace = true,
            "-h" | "--help" => return Ok(None),
            unknown => return Err(format!("unknown argument {unknown:?}")),
        }
    }
    Ok(Some(options))
}
