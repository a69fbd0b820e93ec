//! The local AWS is stopped and started again, with what it held, while events are on their way.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::{
    client::post,
    endpoint::{Endpoint, Reply},
    fleet::Fleet,
    mapping::Mapping,
    ministack::MiniStack,
    wait::until,
    world::World,
};

const EVENTS: usize = 3_000;
const EVENTS_IN_A_REQUEST: usize = 10;
const CLIENTS: usize = 3;
/// It is restarted when so many events were accepted.
const RESTARTS_AT: [usize; 2] = [1_000, 2_000];
/// What the endpoint takes for a request, so that events wait in the queue.
const SLOWLY: Duration = Duration::from_millis(100);

#[tokio::test]
async fn aws_is_restarted_in_mid_flight_and_every_accepted_event_arrives() {
    let mut ministack = MiniStack::start().await;
    let world = World::make(&ministack.endpoint()).await;
    let well = Endpoint::start(|_| Reply::OkAfter(SLOWLY)).await;
    // What is for this one lies in the bucket, behind a timer, during both restarts.
    let away = Endpoint::start(|_| Reply::Later(2)).await;
    let (project, key) = world.project().await;
    let ids = [
        world.integration(&project, &well.url(), 50).await,
        world.integration(&project, &away.url(), 500).await,
    ];
    let endpoint = ministack.endpoint();
    let environment = || world.environment(&endpoint);
    let ingest = Fleet::new("ingest", environment(), CLIENTS, None);
    let batch = Fleet::new("batch", environment(), 3, None);
    let drain = Fleet::new("drain", environment(), 1, None);
    let sqs = world.sqs();
    let mappings = [
        Mapping::start(&sqs, &world.events, &batch, 2, 10),
        Mapping::start(&sqs, &world.retry, &batch, 1, 10),
        Mapping::start(&sqs, &world.wake, &drain, 1, 1),
    ];

    let keys: Vec<_> = (0..EVENTS).map(|n| format!("user-{n:04}")).collect();
    let requests: Vec<_> = keys.chunks(EVENTS_IN_A_REQUEST).collect();
    let (accepted, sent) = (Cell::new(0), Cell::new(0));
    let clients = (0..CLIENTS).map(async |client| {
        for request in requests.iter().skip(client).step_by(CLIENTS) {
            let times = post(&ingest, &key, request).await;
            sent.set(sent.get() + times);
            accepted.set(accepted.get() + request.len());
        }
    });
    let restarts = async {
        let mut in_flight = Vec::new();
        for at in RESTARTS_AT {
            until("so many accepted events", async || {
                let accepted = accepted.get();
                if accepted >= at { Ok(()) } else { Err(format!("{accepted} of {at}")) }
            })
            .await;
            assert!(accepted.get() < EVENTS, "in mid-flight");
            let parked = world.laid_aside("parked", &ids[1]).await.len();
            in_flight.push((world.in_queues().await.unwrap(), parked));
            ministack.restart().await;
        }
        in_flight
    };
    let (_, in_flight) = join(join_all(clients), restarts).await;

    away.answers(|_| Reply::Status(200));
    let wanted = EVENTS;
    until("every event at both endpoints", async || {
        for mapping in &mappings {
            mapping.hasten().await;
        }
        // The schedule sends it every five minutes.
        let swept = drain.invoke(json!({"task": "sweep"}).to_string().into()).await;
        let [well, away] = [&well, &away].map(|endpoint| endpoint.taken().len());
        let left = world.in_queues().await;
        let parked = world.laid_aside("parked", &ids[1]).await.len();
        let seen =
            format!("{well}, {away} of {wanted}; {left:?} in queues, {parked} parked; {swept:?}");
        if (well, away, left, parked) == (wanted, wanted, Some(0), 0) { Ok(()) } else { Err(seen) }
    })
    .await;
    println!(
        "accepted {EVENTS}, requests sent again {}; at the restarts (messages in the queues, \
         events parked): {in_flight:?}; repeated: {} and {}",
        sent.get() - requests.len(),
        repeated(&well.taken()),
        repeated(&away.taken()),
    );
    assert!(in_flight.iter().all(|(queued, parked)| queued.min(parked) > &0), "{in_flight:?}");
    assert_eq!(world.buried().await, Some(0));
}

fn repeated(taken: &BTreeMap<String, usize>) -> usize {
    taken.values().sum::<usize>() - taken.len()
}
