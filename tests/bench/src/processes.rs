//! Whole processes: the built batch function and a Node function that does the same work, each as
//! Lambda would run it, delivering to the same endpoint.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use flagpost_tests::{
    runtime_api::Function,
    sqs_event::{self, Message},
};
use serde_json::Value;

use crate::{
    Outcome,
    aws::Aws,
    naive, product,
    receiver::Receiver,
    rounds::{self, Series, ns_each},
    sample, say,
    target::Targets,
    usage::{of_its_threads, of_process},
};

/// Messages in an invocation, each of one request.
const MESSAGES: usize = 20;
/// Invocations of each function in one round.
const INVOCATIONS: usize = 50;
/// Invocations before the first round, for compilers and caches.
const WARM_UP: usize = 20;
const EVENTS: usize = MESSAGES * sample::EVENTS;
const STARTS: usize = 15;
const TIMEOUT: Duration = Duration::from_secs(60);
const EVENTS_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:flagpost-events";

/// Of Node's processor time, in per cent.
const TARGET_CPU: f64 = 100.0 / 3.0;
const TARGET_START_MS: f64 = 15.0;

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// The built batch function.
    pub(crate) batch: PathBuf,
    /// Node.
    pub(crate) node: PathBuf,
    /// The Node function's own loop over the Runtime API.
    pub(crate) runtime: PathBuf,
}

/// One of the two.
struct Contender {
    name: &'static str,
    program: PathBuf,
    argument: Option<PathBuf>,
    starts: Series,
    start_cpu: Series,
    cpu: Series,
    peak: u64,
}

impl Contender {
    fn new(name: &'static str, program: &Path, argument: Option<&Path>) -> Self {
        Self {
            name,
            program: program.to_owned(),
            argument: argument.map(Path::to_owned),
            starts: Series::default(),
            start_cpu: Series::default(),
            cpu: Series::default(),
            peak: 0,
        }
    }
}

/// The surroundings of both.
struct Bench {
    receiver: Receiver,
    aws: Aws,
    /// What each invocation is given.
    payload: Bytes,
}

/// Measures and reports; whether the targets were met.
pub(crate) async fn run(rounds: usize, programs: &Programs) -> Outcome<bool> {
    let rounds = rounds::enough(rounds)?;
    let bench = Bench::start().await?;
    let mut contenders = [
        Contender::new("Flagpost", &programs.batch, None),
        Contender::new("Node", &programs.node, Some(&programs.runtime)),
    ];
    for _ in 0..STARTS {
        for contender in &mut contenders {
            let function = bench.spawn(contender).await?;
            contender.starts.push(function.first_next().await?.as_secs_f64() * 1e3);
            contender.start_cpu.push(of_its_threads(function.pid())?.as_secs_f64() * 1e3);
            function.kill().await;
        }
    }
    let functions = [bench.spawn(&contenders[0]).await?, bench.spawn(&contenders[1]).await?];
    for function in &functions {
        bench.invoke(function, WARM_UP).await?;
    }
    for _ in 0..rounds {
        for (contender, function) in contenders.iter_mut().zip(&functions) {
            let before = of_process(function.pid())?.cpu;
            bench.invoke(function, INVOCATIONS).await?;
            let used = of_process(function.pid())?;
            // A million events' seconds are one event's microseconds.
            let taken = used.cpu.saturating_sub(before);
            contender.cpu.push(ns_each(taken, INVOCATIONS * EVENTS) / 1e3);
            contender.peak = used.peak;
        }
    }
    bench.aws.check()?;
    Ok(report(rounds, &bench, &contenders))
}

impl Bench {
    async fn start() -> Outcome<Self> {
        let receiver = Receiver::start().await?;
        let aws = Aws::start(&product::integration(&receiver.url)).await?;
        let texts = product::messages(&sample::requests(MESSAGES, sample::EVENTS)).await?;
        let ids: Vec<_> = (0..texts.len()).map(|n| format!("message-{n}")).collect();
        let message = |(body, id)| Message { id, body, receives: 1 };
        let pairs = texts.iter().map(String::as_str).zip(ids.iter().map(String::as_str));
        let messages: Vec<_> = pairs.map(message).collect();
        let payload = sqs_event::event(EVENTS_ARN, &messages);
        Ok(Self { receiver, aws, payload })
    }

    async fn spawn(&self, contender: &Contender) -> Outcome<Function> {
        let url = |name: &str| format!("{}/000000000000/flagpost-{name}", self.aws.url);
        let environment = [
            ("AWS_ENDPOINT_URL", self.aws.url.clone()),
            ("FLAGPOST_TABLE", "flagpost".to_owned()),
            ("FLAGPOST_BUCKET", "flagpost".to_owned()),
            ("FLAGPOST_EVENTS_QUEUE_URL", url("events")),
            ("FLAGPOST_RETRY_QUEUE_URL", url("retry")),
            ("FLAGPOST_WAKE_QUEUE_URL", url("wake")),
            ("FLAGPOST_EVENTS_DLQ_URL", url("events-dead")),
            ("FLAGPOST_RETRY_DLQ_URL", url("retry-dead")),
            ("FLAGPOST_ALLOWED_ENDPOINTS", "127.0.0.0/8".to_owned()),
            ("FLAGPOST_ATTEMPTS_RETENTION_DAYS", "7".to_owned()),
            ("FLAGPOST_OLD_BACKLOG_SECONDS", "3600".to_owned()),
            ("FLAGPOST_METRICS_NAMESPACE", "Flagpost".to_owned()),
            ("FLAGPOST_STACK", "flagpost".to_owned()),
            ("FLAGPOST_RETRY_SLOTS_SECONDS", "60,180,420,900,1800,3600,6300,9900,14400".to_owned()),
            ("FLAGPOST_BREAKER_BUCKET_SECONDS", "60".to_owned()),
            ("FLAGPOST_BREAKER_SPAN_SECONDS", "30".to_owned()),
            ("FLAGPOST_PAUSE_FIRST_SECONDS", "30".to_owned()),
            ("FLAGPOST_PAUSE_MAX_SECONDS", "900".to_owned()),
            ("FLAGPOST_HEALTHY_RESET_SECONDS", "600".to_owned()),
            // For Node's function; Flagpost finds it in the integration.
            ("WEBHOOK_SECRET", naive::SECRET.to_owned()),
        ];
        Ok(Function::spawn_with(&contender.program, &contender.argument, environment).await?)
    }

    /// Invokes a function so many times. Every event must have come to the receiver and to the
    /// ledger, and every message be done.
    async fn invoke(&self, function: &Function, times: usize) -> Outcome<()> {
        let (received, delivered) = (self.receiver.received().events, self.aws.delivered());
        for _ in 0..times {
            let answer = function.invoke(self.payload.clone(), TIMEOUT).await?;
            let answer: Value = serde_json::from_slice(&answer)?;
            if answer["batchItemFailures"].as_array().is_none_or(|failed| !failed.is_empty()) {
                return Err(format!("not all messages are done: {answer}").into());
            }
        }
        let sent = (times * EVENTS) as u64;
        let received = self.receiver.received().events - received;
        let counted = self.aws.delivered() - delivered;
        if received != sent || counted != sent {
            return Err(
                format!("{sent} events: {received} received, {counted} in the ledger").into()
            );
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for reading")]
fn report(rounds: usize, bench: &Bench, contenders: &[Contender; 2]) -> bool {
    let received = bench.receiver.received();
    say(&format!(
        "whole processes: invocations of {MESSAGES} messages of {} impressions; medians of {rounds} \
         rounds of {} events each, of {STARTS} starts",
        sample::EVENTS,
        INVOCATIONS * EVENTS,
    ));
    say(&format!("  {:<38} {:>16} {:>16}", "", contenders[0].name, contenders[1].name));
    let cpu = contenders.each_ref().map(|contender| &contender.cpu);
    let starts = contenders.each_ref().map(|contender| &contender.starts);
    line("processor seconds per million events", cpu, 2);
    line("spawn to the first /next, ms", starts, 1);
    line("  processor time of it, ms", contenders.each_ref().map(|c| &c.start_cpu), 1);
    let peak = contenders.each_ref().map(|contender| contender.peak as f64 / f64::from(1 << 20));
    say(&format!("  {:<38} {:>16.1} {:>16.1}", "peak memory, MiB", peak[0], peak[1]));
    say(&format!(
        "  every event was counted at the receiver, its signature checked: {} in {} requests of {:.0} bytes on average",
        received.events,
        received.requests,
        received.bytes as f64 / received.requests as f64,
    ));
    say(&format!("  calls to AWS: {}", bench.aws.calls()));
    let mut targets = Targets::default();
    let (ours, node) = (cpu[0].median(), cpu[1].median());
    targets.at_most("processor time, of Node's", 100.0 * ours / node, TARGET_CPU, " %");
    targets.at_most("spawn to the first /next", starts[0].median(), TARGET_START_MS, " ms");
    targets.all_met()
}

fn line(what: &str, series: [&Series; 2], digits: usize) {
    say(&format!(
        "  {what:<38} {:>16.digits$} {:>16.digits$}",
        series[0].median(),
        series[1].median()
    ));
    let range = |series: &Series| {
        let (least, most) = series.range();
        format!("{least:.digits$} to {most:.digits$}")
    };
    say(&format!("  {:<38} {:>16} {:>16}", "", range(series[0]), range(series[1])));
}
