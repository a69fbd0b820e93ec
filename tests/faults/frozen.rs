//! A function that is frozen (SIGSTOP), as Lambda does between invocations, while the connections
//! that it keeps die.

use crate::{
    client::post,
    endpoint::{Endpoint, Reply},
    fleet::Fleet,
    mapping::once,
    ministack::MiniStack,
    wait::until,
    world::World,
};

const ROUNDS: usize = 3;

#[tokio::test]
async fn connections_that_are_closed_while_the_function_is_frozen_cost_neither_events_nor_attempts()
{
    let ministack = MiniStack::start().await;
    let world = World::make(&ministack.endpoint()).await;
    let endpoint = Endpoint::start(|_| Reply::OkThenClose).await;
    let (project, key) = world.project().await;
    world.integration(&project, &endpoint.url(), 500).await;
    let environment = world.environment(&ministack.endpoint());
    let ingest = Fleet::new("ingest", environment.clone(), 1, None);
    let batch = Fleet::new("batch", environment, 1, None).spawn().await;
    for round in 0..ROUNDS {
        let event = format!("round-{round}");
        post(&ingest, &key, std::slice::from_ref(&event)).await;
        let answer = once(&world.sqs(), &world.events, &batch).await;
        assert_eq!(answer, "{\"batchItemFailures\":[]}");
        assert_eq!(endpoint.taken()[&event], 1);
        batch.freeze().await.unwrap();
        endpoint.close_below(round + 1);
        until("the connection's end", async || {
            let closed = endpoint.closed();
            if closed > round { Ok(()) } else { Err(format!("{closed} closed")) }
        })
        .await;
        batch.thaw().await.unwrap();
    }
    let requests = endpoint.requests();
    let connections: Vec<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections, (0..ROUNDS).collect::<Vec<_>>(), "each on a new one, and each once");
    assert_eq!(world.in_queues().await, Some(0));
}
