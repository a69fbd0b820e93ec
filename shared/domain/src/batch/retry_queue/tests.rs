use std::time::Duration;

use super::*;
use crate::{
    batch::tests::{fresh, message},
    delivery::Delivery,
    event::Event,
    health::Pause,
    integration::{Integration, Origin, Stream},
    memory::{Reply, START, World, delivery, environment, integration, policy},
    message::{Aside, Fresh},
    ports::{HealthStore, Outgoing},
    preset::Preset,
    retry::Schedule,
    time::Timestamp,
};

fn scheduled(began: Timestamp, not_before: Timestamp) -> (Delivery, String) {
    let delivery = Delivery { began, integration: "a".into(), ..delivery("d", 4) };
    let body = Scheduled { delivery: delivery.clone(), not_before }.encode();
    (delivery, body)
}

async fn retry(world: &World, body: &str) -> bool {
    let deadline = world.time().plus(Duration::from_secs(60));
    let record = Record { body, receipt: "r", receives: 1 };
    Batch::new(world, policy()).retries(&[record], deadline).await.is_empty()
}

#[tokio::test]
async fn earlier_than_due_it_is_hidden_until_due_and_not_tried() {
    let world = World::with(vec![integration("a")]);
    let (_, body) = scheduled(START, START.plus(Duration::from_secs(1_200)));
    assert!(!retry(&world, &body).await);
    assert_eq!(world.state().hidden, [(Queue::Retry, "r".to_owned(), Duration::from_secs(1_200))]);
    assert!(world.state().got.is_empty());
}

#[tokio::test]
async fn the_next_slot_is_set_before_the_attempt() {
    let world = World::with(vec![integration("a")]);
    let (delivery, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    world.reply("a", Reply::Status(500));
    assert!(!retry(&world, &body).await, "it stays in the queue");
    let due = Schedule::default().next(&delivery.id, delivery.began, START).unwrap();
    assert_eq!(world.state().hidden, [(Queue::Retry, "r".to_owned(), due.since(START))]);
    assert_eq!(world.state().got[0].id, "d");
    assert_eq!(world.counts("a"), Counts::default(), "it is scheduled still");
}

#[tokio::test]
async fn if_the_next_slot_cannot_be_set_there_is_no_attempt() {
    let world = World::with(vec![integration("a")]);
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    world.fail("hide", 1);
    assert!(!retry(&world, &body).await);
    assert!(world.state().got.is_empty());
}

#[tokio::test]
async fn success_takes_it_off_the_schedule() {
    let world = World::with(vec![integration("a")]);
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    assert!(retry(&world, &body).await);
    assert_eq!(world.counts("a"), Counts { unscheduled: 4, delivered: 4, ..Counts::default() });
}

#[tokio::test]
async fn ten_attempts_then_dead() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    fresh(&world, &[message(0..4)]).await;
    let [Outgoing { body, delay, .. }] = &world.take(Queue::Retry)[..] else { panic!() };
    world.pass(*delay);
    for attempt in 2..=10 {
        // Whatever the breaker says of this one: only the schedule is looked at here.
        world.state().health.clear();
        world.state().hidden.clear();
        let done = retry(&world, body).await;
        assert_eq!(done, attempt == 10, "attempt {attempt}");
        let hidden = world.state().hidden.first().map(|(_, _, wait)| *wait);
        if let Some(wait) = hidden {
            world.pass(wait);
        }
    }
    assert_eq!(world.state().got.len(), 20, "ten attempts of two requests");
    let dead = world.keys("dead/a/");
    assert_eq!(dead.len(), 1);
    assert_eq!(Aside::decode(&world.state().objects[&dead[0]].1).unwrap().events.len(), 4);
    let counts = world.counts("a");
    assert_eq!((counts.matched, counts.dead, counts.waiting()), (4, 4, [0, 0, 4]));
    assert!(counts.balances());
}

#[tokio::test]
async fn after_its_last_attempt_it_is_only_stored() {
    let world = World::with(vec![integration("a")]);
    let (delivery, _) = scheduled(START, START);
    let over = Schedule::default().over_at(&delivery.id, START).since(START);
    let began = START.minus(over + Duration::from_millis(1));
    let (_, body) = scheduled(began, began);
    assert!(retry(&world, &body).await);
    assert!(world.state().got.is_empty(), "the tenth attempt was made");
    assert_eq!(world.counts("a"), Counts { unscheduled: 4, dead: 4, ..Counts::default() });
}

/// How many notices there are on the bus, and in the stream of operations.
async fn told_of_dead(stream: Stream) -> (usize, usize) {
    let world = World::with(vec![Integration { stream, ..integration("a") }]);
    let (delivery, _) = scheduled(START, START);
    let over = Schedule::default().over_at(&delivery.id, START).since(START);
    let (_, body) = scheduled(START.minus(over), START.minus(over));
    assert!(retry(&world, &body).await);
    let told = world.state().notices.clone();
    assert!(told.iter().all(|one| one.change.name() == "delivery.dead"), "{told:?}");
    (told.len(), world.sent(Queue::Events).len())
}

#[tokio::test]
async fn a_dead_delivery_is_told_of_in_the_stream_of_operations_unless_it_is_of_it() {
    assert_eq!(told_of_dead(Stream::Impressions).await, (1, 1));
    assert_eq!(told_of_dead(Stream::Operations).await, (1, 0));
}

#[tokio::test]
async fn after_its_last_attempt_it_is_not_parked_either() {
    let world = World::with(vec![integration("a")]);
    let pause = Pause { at: START, reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    let (delivery, _) = scheduled(START, START);
    let over = Schedule::default().over_at(&delivery.id, START).since(START);
    let (_, body) = scheduled(START.minus(over), START.minus(over));
    assert!(retry(&world, &body).await);
    assert_eq!(world.counts("a"), Counts { unscheduled: 4, dead: 4, ..Counts::default() });
}

#[tokio::test]
async fn lateness_of_ours_costs_no_attempt() {
    let world = World::with(vec![integration("a")]);
    let began = START.minus(Duration::from_mins(250));
    let (_, body) = scheduled(began, began);
    assert!(retry(&world, &body).await);
    assert_eq!(world.counts("a"), Counts { unscheduled: 4, delivered: 4, ..Counts::default() });
}

#[tokio::test]
async fn a_late_attempt_leaves_the_last_slot_to_the_next_receive() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Hang);
    let (delivery, _) = scheduled(START, START);
    let last = Schedule::default().next(&delivery.id, START, START.plus(Duration::from_mins(190)));
    let began = START.minus(last.unwrap().since(START)).plus(Duration::from_secs(10));
    let (_, body) = scheduled(began, began);
    // Ten seconds before the last slot, and it takes longer than that to fail.
    assert!(!retry(&world, &body).await, "it stays");
    assert_eq!(world.counts("a"), Counts::default());
}

#[tokio::test]
async fn configuration_that_cannot_be_read_uses_up_no_slot() {
    let world = World::with(vec![integration("a")]);
    world.fail("integrations", 1);
    let (_, body) = scheduled(START.minus(Duration::from_mins(185)), START);
    assert!(!retry(&world, &body).await);
    assert_eq!(world.state().hidden, [(Queue::Retry, "r".to_owned(), UNDECIDED)]);
}

#[tokio::test]
async fn a_long_outage_of_ours_parks_in_place_of_burying() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    let (_, body) =
        scheduled(START.minus(Duration::from_mins(300)), START.minus(Duration::from_mins(60)));
    assert!(retry(&world, &body).await);
    assert!(world.state().got.is_empty(), "the drainer makes the last attempt");
    assert_eq!(world.counts("a"), Counts { unscheduled: 4, parked: 4, ..Counts::default() });
}

#[tokio::test]
async fn a_paced_integration_leaves_the_queue_with_its_age() {
    let world = World::with(vec![integration("a")]);
    let pause = Pause { at: START, reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    assert!(retry(&world, &body).await);
    let key = &world.keys("parked/a/")[0];
    assert_eq!(Aside::decode(&world.state().objects[key].1).unwrap().age_ms, 70_000);
}

#[tokio::test]
async fn only_a_tombstone_is_deletion() {
    let world = World::new();
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    assert!(!retry(&world, &body).await, "neither integration nor tombstone: it stays");
    world.state().tombstones.push("a".into());
    assert!(retry(&world, &body).await);
    assert_eq!(world.counts("a"), Counts { unscheduled: 4, discarded: 4, ..Counts::default() });
}

#[tokio::test]
async fn halves_of_a_scheduled_delivery_replace_it_only_when_both_are_safe() {
    let world = World::with(vec![integration("a")]);
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    world.state().script.extend([
        Reply::Status(413),
        Reply::Status(200),
        Reply::Status(500),
        Reply::Status(500),
    ]);
    world.fail("send", 1);
    assert!(!retry(&world, &body).await, "one half could not be stored");
    world.state().script.extend([
        Reply::Status(413),
        Reply::Status(200),
        Reply::Status(500),
        Reply::Status(500),
    ]);
    assert!(retry(&world, &body).await);
    let sent = world.sent(Queue::Retry);
    let half = Scheduled::decode(&sent[0].body).unwrap().delivery;
    assert_eq!((half.events.len(), half.began), (2, START.minus(Duration::from_secs(70))));
}

#[tokio::test]
async fn foreign_records_of_the_retry_queue_are_buried() {
    let world = World::new();
    assert!(retry(&world, "[]").await);
    assert_eq!(world.state().buried[0].0, Queue::Retry);
}

#[tokio::test]
async fn what_is_left_of_a_message_takes_its_place() {
    let world = World::with(vec![Integration { preset: Preset::Amplitude, ..integration("a") }]);
    let began = START.minus(Duration::from_secs(70));
    let (delivery, body) = scheduled(began, START);
    world.reply("a", Reply::PoisonEvent(500, "{\"n\":2}".into()));
    assert!(retry(&world, &body).await, "the message is done: another stands for what is left");
    let [Outgoing { body, .. }] = &world.take(Queue::Retry)[..] else { panic!() };
    let left = Scheduled::decode(body).unwrap();
    let due = Schedule::default().next(
        &delivery.id,
        began,
        left.not_before.minus(Duration::from_secs(6)),
    );
    assert_eq!(due, Some(left.not_before), "at a slot of the whole delivery");
    assert_eq!((left.delivery.id.as_str(), left.delivery.began), ("d.p003_003", began));
    assert_eq!(left.delivery.numbers, [3]);
    let expected = Counts { unscheduled: 4, delivered: 3, scheduled: 1, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
}

#[tokio::test]
async fn what_is_left_after_the_last_attempt_is_dead_without_the_rest() {
    let world = World::with(vec![Integration { preset: Preset::Amplitude, ..integration("a") }]);
    let began = START.minus(Schedule::default().last());
    let (_, body) = scheduled(began, START);
    world.reply("a", Reply::PoisonEvent(500, "{\"n\":2}".into()));
    assert!(retry(&world, &body).await);
    let dead = world.keys("dead/a/");
    assert_eq!(Aside::decode(&world.state().objects[&dead[0]].1).unwrap().numbers, [3]);
    let expected = Counts { unscheduled: 4, delivered: 3, dead: 1, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
}

#[tokio::test]
async fn if_what_is_left_cannot_be_stored_the_whole_comes_back() {
    let world = World::with(vec![Integration { preset: Preset::Amplitude, ..integration("a") }]);
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    world.reply("a", Reply::PoisonEvent(500, "{\"n\":2}".into()));
    world.fail("send", 10);
    assert!(!retry(&world, &body).await);
    assert_eq!(world.counts("a"), Counts::default());
}

#[tokio::test]
async fn what_failed_alone_goes_on_alone() {
    let world = World::with(vec![Integration { preset: Preset::Amplitude, ..integration("a") }]);
    let (_, body) = scheduled(START.minus(Duration::from_secs(70)), START);
    world.reply("a", Reply::Status(400));
    assert!(retry(&world, &body).await);
    let sent = world.take(Queue::Retry);
    let numbers = sent.iter().map(|one| Scheduled::decode(&one.body).unwrap().delivery.numbers);
    assert_eq!(numbers.collect::<Vec<_>>(), [[1], [2], [3], [4]]);
    let expected = Counts { unscheduled: 4, scheduled: 4, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
}

/// Makes all attempts of what one message of fresh events leaves in the RetryQueue.
async fn follow_all(world: &World) {
    let mut waiting: Vec<_> = world.take(Queue::Retry).into_iter().map(|one| one.body).collect();
    while !waiting.is_empty() {
        let due = |body: &String| Scheduled::decode(body).unwrap().not_before;
        waiting.sort_by_key(due);
        let body = waiting.remove(0);
        let Scheduled { mut delivery, not_before } = Scheduled::decode(&body).unwrap();
        world.pass(not_before.since(world.time()));
        // Whatever the breaker says: only the schedule is looked at here.
        world.state().health.clear();
        world.state().hidden.clear();
        if !retry(world, &body).await {
            let wait = world.state().hidden[0].2;
            delivery.began = Scheduled::decode(&body).unwrap().delivery.began;
            let not_before = world.time().plus(wait);
            waiting.push(Scheduled { delivery, not_before }.encode());
        }
        waiting.extend(world.take(Queue::Retry).into_iter().map(|one| one.body));
    }
}

#[tokio::test]
async fn each_event_has_its_ten_attempts_whatever_fails_beside_it() {
    let world = World::with(vec![Integration { preset: Preset::Amplitude, ..integration("a") }]);
    // All but the last 14 of 50, and 20 that come after those.
    world.reply("a", Reply::PoisonEvent(400, "\"x\"".into()));
    let key = |n: usize| if n < 36 { "x".to_owned() } else { format!("u{n}") };
    let event = |n: usize| Event::from_object(format!(r#"{{"key":"{}","n":{n}}}"#, key(n)));
    let head = Fresh {
        project: "web".into(),
        environment: environment(),
        stream: Stream::Impressions,
        origin: Origin::Api,
        accepted_at: START,
        trace: None,
    };
    let message = head.encode(&(0..50).map(event).collect::<Vec<_>>());
    fresh(&world, &[message]).await;
    follow_all(&world).await;
    let mut requests = std::collections::BTreeMap::<_, usize>::new();
    for got in &world.state().got {
        let id = got.id.rsplit('.').next().unwrap().parse::<usize>().unwrap();
        *requests.entry(id).or_default() += 1;
    }
    assert_eq!(requests.len(), 50);
    for (number, requests) in requests {
        assert_eq!(requests, if number <= 36 { 10 } else { 1 }, "event {number}");
    }
    let counts = world.counts("a");
    assert_eq!((counts.delivered, counts.dead, counts.balances()), (14, 36, true), "{counts:?}");
}
