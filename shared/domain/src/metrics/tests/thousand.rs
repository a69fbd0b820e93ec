//! A thousand integrations, one in ten of them down: what they cost in writes, and in metrics.

use std::{collections::BTreeSet, time::Duration};

use super::{checked, emf};
use crate::{
    batch::{Batch, Record},
    drain::{Drain, Retention},
    event::Event,
    integration::{Integration, Origin, Stream},
    memory::{Reply, START, World, environment, integration, policy},
    message::{Fresh, Wake},
    metrics::{Metric, Metrics},
    ports::Queue,
    preset::Preset,
};

const STREAMS: [Stream; 3] = [Stream::Impressions, Stream::Events, Stream::Identities];
/// Calls that write one item each.
const WRITES: [&str; 8] = [
    "add_counts",
    "swap_breaker",
    "set_pause",
    "mark_backlog",
    "set_timer",
    "take_lease",
    "release_lease",
    "finish",
];

struct Sum {
    /// Deliveries that an endpoint took.
    delivered: usize,
    /// Items written to the table.
    writes: usize,
    /// Of those, the delivery log's.
    logged: usize,
    series: BTreeSet<(String, Vec<(String, String)>)>,
    /// The largest document.
    largest: usize,
}

/// `count` integrations in projects of ten, each of which gets a message for each stream every ten
/// seconds. Those whose number `is_down` fail from the beginning.
async fn run(count: usize, rounds: usize, is_down: impl Fn(usize) -> bool) -> Sum {
    let id = |n: usize| format!("i{n:04}");
    let project = |n: usize| format!("p{:03}", n / 10);
    let integrations = (0..count).map(|n| Integration {
        project: project(n).as_str().into(),
        stream: STREAMS[n % 3],
        preset: Preset::Standard,
        ..integration(&id(n))
    });
    let world = World::with(integrations.collect());
    for n in (0..count).filter(|n| is_down(*n)) {
        world.reply(&id(n), Reply::Status(500));
    }
    let days = |days: u64| Duration::from_hours(24 * days);
    let retention = Retention { parked: days(14), dead: days(30) };
    let (batch, drain) = (
        Batch::new(&world, policy()),
        Drain::new(&world, policy(), Duration::from_secs(180), retention),
    );
    let (mut series, mut largest) = (BTreeSet::new(), 0);
    let mut look = |metrics: &Metrics| {
        for line in metrics.take().iter().flat_map(|measured| emf().documents(measured, START)) {
            largest = largest.max(line.len());
            series.extend(checked(&line));
        }
    };
    // Requests take their time one after the other here, and side by side in production.
    let deadline = || world.time().plus(Duration::from_hours(1));
    for round in 0..rounds {
        let bodies: Vec<_> = (0..count)
            .step_by(10)
            .flat_map(|n| STREAMS.map(|stream| (n, stream)))
            .map(|(n, stream)| {
                let head = Fresh {
                    project: project(n).as_str().into(),
                    environment: environment(),
                    stream,
                    origin: Origin::Api,
                    accepted_at: world.time(),
                    trace: None,
                };
                head.encode(&[Event::from_object(format!(r#"{{"round":{round}}}"#))])
            })
            .collect();
        let records: Vec<_> =
            bodies.iter().map(|body| Record { body, receipt: "fresh", receives: 1 }).collect();
        assert!(batch.fresh(&records, deadline()).await.is_empty());
        look(batch.metrics());
        for message in world.take(Queue::Retry) {
            let record = Record { body: &message.body, receipt: "retry", receives: 1 };
            batch.retries(&[record], deadline()).await;
            look(batch.metrics());
        }
        for message in world.take(Queue::Wake) {
            let wake = Wake::decode(&message.body).unwrap();
            drain.wake(&wake, deadline()).await;
            look(drain.metrics());
        }
        drain.sweep(deadline()).await.unwrap();
        look(drain.metrics());
        world.pass(Duration::from_secs(10));
    }
    let state = world.state();
    let calls = |name: &&str| state.calls.get(name).copied().unwrap_or_default();
    let logged = state.attempts.len();
    let writes = logged + WRITES.iter().map(calls).sum::<usize>();
    let delivered = state.attempts.iter().filter(|record| record.delivered > 0).count();
    println!("{count} integrations, {delivered} deliveries, {writes} writes: {:?}", state.calls);
    Sum { delivered, writes, logged, series, largest }
}

#[tokio::test]
async fn a_thousand_integrations_cost_a_few_writes_and_no_more_metrics_than_ten() {
    let rounds = 20;
    let well = Box::pin(run(1_000, rounds, |_| false)).await;
    assert_eq!(well.delivered, 1_000 * rounds);
    // Its line in the delivery log and one in the ledger; nothing for its health.
    assert_eq!((well.logged, well.writes), (well.delivered, 2 * well.delivered));

    let ill = Box::pin(run(1_000, rounds, |n| n % 10 == 0)).await;
    assert_eq!(ill.delivered, 900 * rounds);
    // Written down in docs/operations.md.
    let per_delivery = f64::from(u32::try_from(ill.writes).unwrap())
        / f64::from(u32::try_from(ill.delivered).unwrap());
    assert!((2.2..2.4).contains(&per_delivery), "{per_delivery}");
    let most = |streams: usize| {
        let of_streams = Metric::ALL.iter().filter(|metric| metric.has_streams()).count();
        of_streams * (1 + streams) + Metric::ALL.len() - of_streams
    };
    assert_eq!((most(3), most(4)), (43, 52));
    let ten = Box::pin(run(10, rounds, |n| n == 0)).await;
    assert!(ten.series.len() <= ill.series.len() && ill.series.len() <= most(3));
    let names = ill.series.iter().flat_map(|(_, dimensions)| dimensions);
    let names: BTreeSet<_> = names.map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Stack", "Stream"].into(), "an integration is no dimension");
    assert!(ill.largest < 4 * 1024, "{}", ill.largest);
    println!(
        "{per_delivery:.2} writes for each delivery; {} series of a thousand, {} of ten; largest document {} bytes",
        ill.series.len(),
        ten.series.len(),
        ill.largest
    );
}
