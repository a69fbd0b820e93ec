use std::time::Duration;

use super::*;
use crate::{
    batch::tests::{fresh, message},
    health::Pause,
    integration::Integration,
    memory::{Reply, START, World, integration},
    ports::HealthStore,
    preset::Preset,
};

fn names(world: &World) -> Vec<&'static str> {
    world.state().notices.iter().map(|notice| notice.change.name()).collect()
}

#[tokio::test]
async fn an_opening_breaker_is_told_once_on_the_bus_and_in_the_stream_of_operations() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    for _ in 0..30 {
        fresh(&world, &[message(0..3)]).await;
        world.pass(Duration::from_secs(5));
    }
    assert_eq!(names(&world), ["integration.paused"]);
    let notice = world.state().notices[0].clone();
    let Change::Paused { by, until, .. } = &notice.change else { panic!("{notice:?}") };
    assert!(*by == By::Breaker && until.is_some_and(|until| until > START));
    let told = world.sent(Queue::Events);
    assert_eq!(told.len(), 1);
    let packed = Fresh::decode(&told[0].body).unwrap();
    assert_eq!((packed.fresh.stream, packed.fresh.project.as_str()), (Stream::Operations, "web"));
    let events = packed.events().unwrap();
    let event: serde_json::Value = serde_json::from_slice(events[0].as_bytes()).unwrap();
    assert_eq!(event["type"], "integration.paused");
    assert_eq!(event["data"]["integration"], "a");
    assert_eq!(
        (&event["data"]["by"], &event["data"]["id"]),
        (&json!("breaker"), &json!(notice.id))
    );
    assert!(event["timestamp"].as_str().unwrap().starts_with("2026-11-21T05:"), "{event}");
}

#[tokio::test]
async fn who_takes_the_stream_of_operations_is_sent_them() {
    let operations =
        Integration { stream: Stream::Operations, preset: Preset::Standard, ..integration("ops") };
    let world = World::with(vec![integration("a"), operations]);
    tell(&&world, &"web".into(), &"a".into(), vec![Change::Disabled]).await;
    let told: Vec<_> = world.take(Queue::Events).into_iter().map(|one| one.body).collect();
    fresh(&world, &told).await;
    let got = world.state().got.clone();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].host, "ops.example.com");
    assert!(got[0].events[0].contains(r#""type":"integration.disabled""#));
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_told_of_once() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(410));
    for n in 0..3 {
        fresh(&world, &[message(n..n + 1)]).await;
    }
    assert_eq!(names(&world), ["integration.paused"]);
    let pause = Pause { at: START, reason: "operator".into() };
    let changed = (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await;
    assert_eq!(changed, Ok(false), "another reason is no other state");
    assert_eq!((&world).set_pause(&"web".into(), &"a".into(), None).await, Ok(true));
}

#[tokio::test]
async fn a_bus_that_takes_nothing_holds_up_nothing() {
    let world = World::with(vec![integration("a")]);
    world.fail("publish", 1);
    world.fail("send", 1);
    tell(&&world, &"web".into(), &"a".into(), vec![Change::Enabled]).await;
    assert!(world.state().notices.is_empty());
}
