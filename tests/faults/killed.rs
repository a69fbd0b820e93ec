//! Functions that are killed under load (SIGKILL), in the middle of their invocations.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    client::post,
    endpoint::{Endpoint, Reply},
    fleet::{Fleet, Killer},
    mapping::Mapping,
    ministack::MiniStack,
    wait::{Chance, until},
    world::World,
};

const EVENTS: usize = 5_000;
const EVENTS_IN_A_REQUEST: usize = 10;
const CLIENTS: usize = 4;
/// Of each function, spread over the events.
const KILLS: usize = 25;
/// So many must have hit an invocation: the last ones may come when there is nothing left to do.
const KILLS_SEEN: usize = 20;
#[tokio::test]
async fn ingest_and_batch_are_killed_under_load_and_every_accepted_event_arrives() {
    let ministack = MiniStack::start().await;
    let world = World::make(&ministack.endpoint()).await;
    // It takes its time, so that a function is killed before, during and after a request.
    let mut delay = Chance(1);
    let endpoint =
        Endpoint::start(move |_| Reply::OkAfter(Duration::from_millis(delay.below(20)))).await;
    let (project, key) = world.project().await;
    world.integration(&project, &endpoint.url(), 50).await;

    let accepted = Arc::new(AtomicUsize::new(0));
    let killer = |seed| {
        let accepted = Arc::clone(&accepted);
        Some(Killer::new(seed, move || KILLS * accepted.load(Ordering::SeqCst) / EVENTS))
    };
    let environment = || world.environment(&ministack.endpoint());
    let ingest = Fleet::new("ingest", environment(), CLIENTS, killer(2));
    let batch = Fleet::new("batch", environment(), 4, killer(3));
    let sqs = world.sqs();
    let _events = Mapping::start(&sqs, &world.events, &batch, 3, 10);
    let _retries = Mapping::start(&sqs, &world.retry, &batch, 1, 10);
    // Where the machine is slow the endpoint is taken for slow, and is drained.
    let drain = Fleet::new("drain", environment(), 1, None);
    let _wakes = Mapping::start(&sqs, &world.wake, &drain, 1, 1);

    let keys: Vec<String> = (0..EVENTS).map(|n| format!("user-{n:05}")).collect();
    let requests: Vec<_> = keys.chunks(EVENTS_IN_A_REQUEST).collect();
    let clients = (0..CLIENTS).map(async |client| {
        let mut sent = 0;
        for request in requests.iter().skip(client).step_by(CLIENTS) {
            sent += post(&ingest, &key, request).await * request.len();
            accepted.fetch_add(request.len(), Ordering::SeqCst);
        }
        sent
    });
    let sent: usize = join_all(clients).await.into_iter().sum();
    let wanted: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    until("every event", async || {
        let swept = drain.invoke(json!({"task": "sweep"}).to_string().into()).await;
        let taken = endpoint.taken();
        let missing = wanted.iter().filter(|key| !taken.contains_key(**key)).count();
        let left = world.in_queues().await;
        let seen = format!("{missing} missing, {left:?} in queues; {swept:?}");
        if missing == 0 && left == Some(0) { Ok(()) } else { Err(seen) }
    })
    .await;

    let taken = endpoint.taken();
    let all: usize = taken.values().sum();
    println!(
        "accepted {EVENTS}, sent {sent}, delivered distinct {}, repeated {}; \
         killed in an invocation: ingest {}, batch {}",
        taken.len(),
        all - taken.len(),
        ingest.killed(),
        batch.killed(),
    );
    assert!(taken.keys().map(String::as_str).eq(wanted), "what was sent, and nothing else");
    for fleet in [&ingest, &batch] {
        assert!(fleet.killed() >= KILLS_SEEN, "they were killed: {}", fleet.killed());
    }
    assert!(sent > EVENTS, "requests that were killed were sent again");
    assert_eq!(world.buried().await, Some(0));
}
