use super::*;
use crate::{
    batch::tests::{fresh, message},
    event::Event,
    integration::{Integration, Origin, Own, Stream},
    memory::{Reply, START, World, environment, integration},
    message::Fresh,
    ports::AttemptRange,
    preset::Payload,
    trace::TraceParent,
};

async fn logged(world: &World, id: &str) -> Vec<Record> {
    let to = world.time().plus(Duration::from_secs(1));
    let range = AttemptRange { from: START, to, before: None, limit: 100 };
    world.attempts(&id.into(), &range).await.unwrap()
}

#[tokio::test]
async fn each_attempt_is_logged_with_what_was_sent_and_answered() {
    let world = World::with(vec![integration("a"), integration("b")]);
    world.reply("b", Reply::Status(500));
    fresh(&world, &[message(0..3)]).await;
    let [a] = logged(&world, "a").await.try_into().unwrap();
    assert_eq!((a.outcome, a.then, a.from), (Result::Delivered, Then::Delivered, Function::Batch));
    assert_eq!((a.requests, a.status, a.events, a.delivered), (1, Some(200), 3, 3));
    assert!(a.bytes > 0 && a.bytes_sent > 0 && a.duration_ms == 20, "{a:?}");
    assert_eq!((a.error, a.next_at), (None, None));
    let [b] = logged(&world, "b").await.try_into().unwrap();
    assert_eq!((b.outcome, b.then, b.requests), (Result::Failed, Then::Scheduled, 2));
    assert_eq!((b.status, b.error.as_deref()), (Some(500), Some("status 500")));
    assert_eq!((b.events, b.delivered), (3, 0));
    assert!(b.next_at.unwrap() > b.at);
    assert_eq!(world.state().calls["add_attempts"], 1, "one call for all of an invocation");
}

#[tokio::test]
async fn an_attempt_names_the_trace_of_its_events_whether_the_endpoint_is_told_or_not() {
    let world = World::with(vec![integration("a")]);
    let trace: TraceParent =
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let traced = Fresh {
        project: "web".into(),
        environment: environment(),
        stream: Stream::Impressions,
        origin: Origin::Api,
        accepted_at: START,
        trace: Some(trace),
    };
    fresh(&world, &[traced.encode(&[Event::from_object("{\"key\":\"u\"}".to_owned())])]).await;
    let [one] = logged(&world, "a").await.try_into().unwrap();
    assert_eq!(one.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    let stored = serde_json::to_value(&one).unwrap();
    let read: Record = serde_json::from_value(stored).unwrap();
    assert_eq!(read, one);
}

#[tokio::test]
async fn what_an_endpoint_took_of_a_delivery_is_logged() {
    let own = Own { payload: Some(Payload::Object), ..Own::default() };
    let world = World::with(vec![Integration { own, ..integration("a") }]);
    world.reply("a", Reply::PoisonEvent(400, "u1".to_owned()));
    fresh(&world, &[message(0..3)]).await;
    let [one] = logged(&world, "a").await.try_into().unwrap();
    assert_eq!((one.events, one.delivered, one.status), (3, 2, Some(400)));
    assert_eq!((one.outcome, one.then), (Result::Failed, Then::Scheduled));
}

#[tokio::test]
async fn a_log_that_cannot_be_written_holds_up_nothing() {
    let world = World::with(vec![integration("a")]);
    world.fail("add_attempts", 1);
    assert!(fresh(&world, &[message(0..3)]).await.is_empty());
    assert_eq!(world.counts("a").delivered, 3);
    assert!(logged(&world, "a").await.is_empty());
}

#[test]
fn pages_go_from_new_to_old_and_meet() {
    let record = |n: i64| {
        let delivery = crate::memory::delivery(&format!("d{n}"), 1);
        let attempted = Attempted {
            outcome: Outcome::Delivered,
            failed: vec![],
            untried: vec![],
            given_up: false,
            began: Timestamp(n),
            at: Timestamp(n),
            latency: Duration::ZERO,
            made: crate::attempt::Made::default(),
        };
        Record::new(Function::Batch, &delivery, &attempted)
    };
    let all: Vec<_> = (0..10).map(record).collect();
    let mut range = AttemptRange { from: Timestamp(2), to: Timestamp(8), before: None, limit: 4 };
    let first = range.of(all.iter());
    assert_eq!(first.iter().map(|one| one.at.0).collect::<Vec<_>>(), [7, 6, 5, 4]);
    range.before = first.last().map(Record::id);
    assert_eq!(range.of(all.iter()).iter().map(|one| one.at.0).collect::<Vec<_>>(), [3, 2]);
}
