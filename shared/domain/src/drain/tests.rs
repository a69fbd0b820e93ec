mod expire;
mod limits;

use super::*;
use crate::{
    attempt_log::Then,
    breaker::{Breaker, Cause},
    delivery::Delivery,
    health::Pause,
    integration::{Integration, Stream},
    ledger::Counts,
    memory::{Reply, START, World, delivery, integration, policy},
    message::{Aside, Scheduled},
    park::{lay_aside, park},
    parked::Place,
    ports::{Found, LedgerStore, Objects, Outgoing, Queue},
};

/// For who has all the time.
pub(crate) const EVER: Timestamp = Timestamp(i64::MAX);

pub(crate) fn drain(world: &World) -> Drain<&World> {
    let days = |days: u64| Duration::from_hours(24 * days);
    let retention = Retention { parked: days(14), dead: days(30) };
    Drain::new(world, policy(), Duration::from_secs(180), retention)
}

/// Parks deliveries of one event each, a second apart.
pub(crate) async fn backlog(world: &World, count: usize) {
    for n in 0..count {
        let parked = Delivery {
            integration: "a".into(),
            began: world.time(),
            ..delivery(&format!("d{n:03}"), 1)
        };
        for result in park(&world, &"web".into(), &"a".into(), vec![parked], world.time()).await {
            result.unwrap();
        }
        let hour = world.time().hour();
        let counts = Counts { matched: 1, parked: 1, ..Counts::default() };
        (&world).add_counts(&"a".into(), &hour, &counts).await.unwrap();
        world.pass(Duration::from_secs(1));
    }
}

/// Follows every wake-up that there is, once.
pub(crate) async fn follow(world: &World) -> Vec<WakeEnd> {
    let mut ends = Vec::new();
    for Outgoing { body, delay, .. } in world.take(Queue::Wake) {
        world.pass(delay);
        let deadline = world.time().plus(Duration::from_secs(120));
        ends.push(Box::pin(drain(world).wake(&Wake::decode(&body).unwrap(), deadline)).await);
    }
    ends
}

pub(crate) fn open(world: &World, until: Timestamp) {
    let mut state = world.state();
    let (health, unwell) = state.health.get_mut(&"a".into()).unwrap();
    health.breaker = Breaker::default().hold(&policy().breaker, until, START);
    *unwell = true;
}

fn ids(world: &World) -> Vec<String> {
    world.state().got.iter().map(|got| got.id.clone()).collect()
}

#[tokio::test]
async fn a_backlog_is_drained_oldest_first_and_the_timer_cleared() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 5).await;
    assert_eq!(follow(&world).await, [WakeEnd::Done]);
    assert_eq!(ids(&world), ["d000", "d001", "d002", "d003", "d004"]);
    let health = world.health_of("a");
    assert_eq!((health.next_wake_at, health.lease), (None, None));
    assert!(world.keys("parked/").is_empty());
    let counts = world.counts("a");
    assert!(counts.balances() && counts.delivered == 5 && counts.unparked == 5, "{counts:?}");
}

#[tokio::test]
async fn it_starts_at_one_a_second_and_gets_faster() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 60).await;
    follow(&world).await;
    let times: Vec<_> = world.state().got.iter().map(|got| got.at).collect();
    let gap = |n: usize| times[n + 1].since(times[n]).as_millis();
    assert!(gap(0) >= 980, "{}", gap(0));
    assert!(gap(50) <= 200, "{}", gap(50));
    let first_ten = times[9].since(times[0]).as_secs();
    assert!((5..=9).contains(&first_ten), "{first_ten}");
}

#[tokio::test]
async fn an_old_wake_up_is_dropped_and_an_early_one_comes_back() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    let sent = world.take(Queue::Wake);
    let wake = Wake::decode(&sent[0].body).unwrap();
    let deadline = world.time().plus(Duration::from_secs(120));
    let old = Wake { wake_gen: 0, ..wake.clone() };
    assert_eq!(drain(&world).wake(&old, deadline).await, WakeEnd::Done);
    assert!(world.state().got.is_empty());
    let due = world.time().plus(Duration::from_secs(1_000));
    (&world).set_timer(&"a".into(), 1, due, None).await.unwrap();
    let early = Wake { wake_gen: 2, ..wake };
    let again = drain(&world).wake(&early, deadline).await;
    assert_eq!(again, WakeEnd::Again(Duration::from_secs(1_000)));
}

#[tokio::test]
async fn one_drainer_at_a_time() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    let now = world.time();
    let until = now.plus(Duration::from_secs(100));
    (&world).take_lease(&"web".into(), &"a".into(), "other", now, until).await.unwrap();
    assert_eq!(follow(&world).await, [WakeEnd::Again(Duration::from_secs(15))]);
    assert!(world.state().got.is_empty());
}

#[tokio::test]
async fn a_lost_lease_ends_the_slice_without_clearing_anything() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 9).await;
    world.state().before_answer = Some(Box::new(|state| {
        let (health, _) = state.health.get_mut(&"a".into()).unwrap();
        health.lease = None;
    }));
    assert_eq!(follow(&world).await, [WakeEnd::Done]);
    assert!(ids(&world).len() <= 3, "{:?}", ids(&world));
    assert!(world.health_of("a").next_wake_at.is_some());
}

#[tokio::test]
async fn while_the_breaker_is_open_only_a_probe_goes_out_and_its_failure_extends_the_pause() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    world.reply("a", Reply::Status(503));
    open(&world, world.time().plus(Duration::from_secs(30)));
    // Too early: the timer is set to the end of the pause.
    assert_eq!(follow(&world).await, [WakeEnd::Done]);
    assert!(world.state().got.is_empty());
    for probes in 1..=5 {
        assert_eq!(follow(&world).await, [WakeEnd::Done]);
        assert_eq!(world.state().got.len(), probes * 2, "one probe of two requests");
        let until = world.health_of("a").breaker.open.unwrap().until;
        assert_eq!(world.health_of("a").next_wake_at, Some(until));
    }
    let probed: Vec<_> = ids(&world).into_iter().step_by(2).collect();
    assert_eq!(probed, ["d000", "d001", "d002", "d000", "d001"], "the next key, wrapping round");
    assert_eq!(world.keys("parked/").len(), 3, "a failed probe stays parked");
    assert_eq!(world.counts("a").parked, 3);
}

#[tokio::test]
async fn an_endpoint_that_refuses_what_it_is_sent_gets_five_probes_in_a_pause() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 7).await;
    world.reply("a", Reply::Status(400));
    open(&world, world.time());
    let rounds = [
        ["d000", "d001", "d002", "d003", "d004"].as_slice(),
        &["d005", "d006", "d000", "d001", "d002"],
    ];
    let mut probed: Vec<&str> = Vec::new();
    for round in rounds {
        follow(&world).await;
        probed.extend(round);
        // Each is asked for twice, by the retry after 300 ms.
        let asked: Vec<_> = ids(&world).into_iter().step_by(2).collect();
        assert_eq!(asked, probed);
    }
    let breaker = world.health_of("a").breaker;
    assert_eq!(breaker.level, 2, "a pause for each round");
    let logged: Vec<_> = world.state().attempts.iter().map(|record| record.then).collect();
    assert_eq!(logged, [Then::Parked; 10], "and a failed probe is in the delivery log");
    assert_eq!((world.keys("parked/").len(), world.counts("a").parked), (7, 7));
}

#[tokio::test]
async fn poison_deliveries_do_not_keep_a_healthy_endpoint_shut() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    world.reply("a", Reply::Poison("d000".into()));
    open(&world, world.time());
    follow(&world).await;
    assert_eq!(world.health_of("a").breaker.open, None, "the second probe closed it");
    let counts = world.counts("a");
    assert_eq!((counts.delivered, counts.scheduled), (2, 1), "the poison one is on the schedule");
    assert!(counts.balances());
}

#[tokio::test]
async fn a_success_closes_it_at_once_and_the_drain_begins_at_the_oldest() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 4).await;
    open(&world, world.time());
    world.state().health.get_mut(&"a".into()).unwrap().0.breaker.probed =
        Some(world.keys("parked/")[1].clone());
    follow(&world).await;
    assert_eq!(ids(&world), ["d002", "d000", "d001", "d003"]);
    assert_eq!(world.health_of("a").breaker.open, None);
    assert!(world.keys("parked/").is_empty() && world.counts("a").balances());
}

#[tokio::test]
async fn an_open_breaker_with_nothing_parked_waits_for_the_next_delivery() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    open(&world, world.time());
    for key in world.keys("parked/") {
        world.state().objects.remove(&key);
    }
    assert_eq!(follow(&world).await, [WakeEnd::Done]);
    let health = world.health_of("a");
    assert!(health.breaker.open.is_some() && health.next_wake_at.is_none());
    backlog(&world, 1).await;
    follow(&world).await;
    assert_eq!(world.health_of("a").breaker.open, None);
}

#[tokio::test]
async fn a_delivery_that_fails_alone_goes_on_the_schedule_with_its_age() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    world.pass(Duration::from_hours(3));
    world.reply("a", Reply::Poison("d001".into()));
    follow(&world).await;
    let counts = world.counts("a");
    assert_eq!((counts.delivered, counts.scheduled), (2, 1));
    let sent = world.sent(Queue::Retry);
    let began = Scheduled::decode(&sent[0].body).unwrap().delivery.began;
    let age = world.time().since(began);
    assert!(age < Duration::from_secs(10), "three hours parked do not count: {age:?}");
}

/// A world in which a parked delivery of an integration of this stream fails, whose schedule is over.
async fn outlived(stream: Stream) -> World {
    let world = World::with(vec![Integration { stream, ..integration("a") }]);
    let old = Delivery {
        integration: "a".into(),
        began: world.time().minus(Duration::from_mins(241)),
        ..delivery("old", 7)
    };
    park(&&world, &"web".into(), &"a".into(), vec![old], world.time()).await[0].clone().unwrap();
    world.reply("a", Reply::Status(500));
    Box::pin(follow(&world)).await;
    world
}

/// How many notices there are on the bus, and in the stream of operations.
fn told(world: &World) -> (usize, usize) {
    let on_the_bus = world.state().notices.len();
    (on_the_bus, world.sent(Queue::Events).len())
}

#[tokio::test]
async fn a_delivery_whose_age_is_beyond_the_schedule_is_dead_when_it_fails() {
    let world = outlived(Stream::Impressions).await;
    assert_eq!((world.keys("parked/").len(), world.keys("dead/a/").len()), (0, 1));
    assert_eq!(world.counts("a"), Counts { unparked: 7, dead: 7, ..Counts::default() });
    assert_eq!(told(&world), (1, 1));
}

#[tokio::test]
async fn a_dead_delivery_of_the_stream_of_operations_is_told_on_the_bus_alone() {
    let world = outlived(Stream::Operations).await;
    assert_eq!(told(&world), (1, 0));
}

#[tokio::test]
async fn retry_after_stops_the_drain_until_then_and_nothing_moves() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 6).await;
    world.reply("a", Reply::RetryAfter(503, 90));
    follow(&world).await;
    assert_eq!(world.keys("parked/").len(), 6);
    let health = world.health_of("a");
    assert_eq!(health.breaker.open.unwrap().cause, Cause::RetryAfter);
    assert_eq!(health.next_wake_at, Some(health.breaker.open.unwrap().until));
    world.reply("a", Reply::Status(200));
    follow(&world).await;
    assert!(world.keys("parked/").is_empty());
}

#[tokio::test]
async fn an_operators_pause_stops_it_within_a_second_and_the_timer_stands() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 30).await;
    world.reply("a", Reply::Slow(200, 500));
    world.state().before_answer = Some(Box::new(|state| {
        let (health, _) = state.health.get_mut(&"a".into()).unwrap();
        health.pause = Some(Pause { at: START, reason: "operator".into() });
    }));
    assert_eq!(follow(&world).await, [WakeEnd::Done]);
    let got = world.state().got.clone();
    assert!(got.last().unwrap().at.since(got[0].at) <= Duration::from_secs(2), "{got:?}");
    let health = world.health_of("a");
    assert!(health.next_wake_at.is_some() && health.lease.is_none());
    assert!(world.sent(Queue::Wake).is_empty(), "resuming sends the next wake-up");
    assert_eq!(drain(&world).sweep(EVER).await.unwrap(), 0, "and so does the sweep not");
}

#[tokio::test]
async fn gone_pauses_in_mid_drain() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 5).await;
    world.reply("a", Reply::Status(410));
    follow(&world).await;
    assert!(world.health_of("a").pause.unwrap().reason.contains("410"));
    assert_eq!(world.keys("parked/").len(), 5);
    assert_eq!(world.state().got.len(), 1);
}

#[tokio::test]
async fn too_large_is_split_in_place() {
    let world = World::with(vec![integration("a")]);
    let big = Delivery { integration: "a".into(), began: world.time(), ..delivery("big", 8) };
    park(&&world, &"web".into(), &"a".into(), vec![big], world.time()).await[0].clone().unwrap();
    world.reply("a", Reply::AtMost(2));
    follow(&world).await;
    assert!(world.keys("parked/").is_empty());
    assert_eq!(world.counts("a"), Counts { unparked: 8, delivered: 8, ..Counts::default() });
    let delivered: usize =
        world.state().got.iter().filter(|g| g.events.len() <= 2).map(|g| g.events.len()).sum();
    assert_eq!(delivered, 8);
}

#[tokio::test]
async fn a_slice_ends_in_time_and_a_new_wake_up_goes_on_at_the_pace_reached() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 400).await;
    world.reply("a", Reply::Slow(200, 480));
    follow(&world).await;
    let left = world.keys("parked/").len();
    assert!(left > 0 && left < 400, "{left}");
    let sent = world.sent(Queue::Wake);
    let wake = Wake::decode(&sent[0].body).unwrap();
    assert_eq!(wake.wake_gen, world.health_of("a").wake_gen);
    assert!(wake.rate.unwrap() > 1.0);
    assert_eq!(world.health_of("a").lease, None);
    while !world.sent(Queue::Wake).is_empty() {
        follow(&world).await;
    }
    let all: std::collections::BTreeSet<_> = ids(&world).into_iter().collect();
    assert_eq!((all.len(), world.state().got.len()), (400, 400), "each once");
    assert!(world.counts("a").balances());
}

/// Something is parked meanwhile, by a clock that is behind.
fn park_late(state: &mut crate::memory::State) {
    let late = Delivery { integration: "a".into(), began: START, ..delivery("late", 1) };
    let key = crate::parked::ParkedKey {
        place: crate::parked::Place::Parked,
        integration: "a".into(),
        at: START.minus(Duration::from_secs(5)),
        delivery: "late".into(),
        count: 1,
    };
    let body = Aside::new(late, START).encode();
    state.objects.insert(key.text(), (START, body));
    state.health.get_mut(&"a".into()).unwrap().0.backlog_gen += 1;
}

#[tokio::test]
async fn what_is_parked_while_the_last_is_drained_is_not_forgotten() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    world.state().before_answer = Some(Box::new(park_late));
    follow(&world).await;
    assert_eq!(ids(&world), ["d000", "late"]);
    assert_eq!(world.health_of("a").next_wake_at, None);
}

#[tokio::test]
async fn what_is_parked_after_the_last_listing_is_not_forgotten() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    // The pass that finds nothing more is the second: its first page is the one that is empty.
    let behind = |state: &mut crate::memory::State| {
        state.after_empty_listing = Some(Box::new(park_late));
    };
    world.state().after_empty_listing = Some(Box::new(behind));
    follow(&world).await;
    assert_eq!(ids(&world), ["d000", "late"]);
    let health = world.health_of("a");
    assert_eq!((health.next_wake_at, health.lease), (None, None));
}

#[tokio::test]
async fn trouble_with_aws_brings_the_wake_up_back_and_frees_the_lease() {
    for call in ["health", "integration", "list", "get", "delete", "finish", "take_lease"] {
        let world = World::with(vec![integration("a")]);
        backlog(&world, 2).await;
        world.fail(call, 1);
        let sent = world.take(Queue::Wake);
        let wake = Wake::decode(&sent[0].body).unwrap();
        let deadline = world.time().plus(Duration::from_secs(120));
        let end = drain(&world).wake(&wake, deadline).await;
        assert_eq!(end, WakeEnd::Again(TROUBLE), "{call}");
        assert_eq!(world.health_of("a").lease, None, "{call}");
        world.pass(TROUBLE);
        let deadline = world.time().plus(Duration::from_secs(120));
        assert_eq!(drain(&world).wake(&wake, deadline).await, WakeEnd::Done, "{call}");
        assert!(world.keys("parked/").is_empty(), "{call}");
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_read_does_not_hold_up_the_rest() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 2).await;
    let first = world.keys("parked/")[0].clone();
    world.state().objects.get_mut(&first).unwrap().1 = bytes::Bytes::from_static(b"rubbish");
    follow(&world).await;
    assert_eq!(ids(&world), ["d001"]);
    assert_eq!(world.keys("dead/a/").len(), 1);
    assert!(world.counts("a").balances());
}

#[tokio::test]
async fn an_object_of_a_newer_format_is_left_alone() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 2).await;
    let first = world.keys("parked/")[0].clone();
    let newer = crate::gzip::gzip(br#"{"v":2}"#);
    world.state().objects.get_mut(&first).unwrap().1 = newer.into();
    follow(&world).await;
    assert_eq!(world.keys("parked/"), [first]);
    let health = world.health_of("a");
    assert!(health.next_wake_at.unwrap().since(world.time()) >= Duration::from_secs(299));
}

#[tokio::test]
async fn a_disabled_integration_keeps_what_is_parked() {
    let world = World::with(vec![Integration { enabled: false, ..integration("a") }]);
    backlog(&world, 2).await;
    assert_eq!(follow(&world).await, [WakeEnd::Done]);
    assert_eq!(world.keys("parked/").len(), 2);
    let health = world.health_of("a");
    assert!(health.next_wake_at.is_some() && health.lease.is_none());
}

#[tokio::test]
async fn what_a_deleted_integration_has_parked_is_discarded_and_counted() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    world.state().integrations.clear();
    world.state().tombstones.push("a".into());
    follow(&world).await;
    assert!(world.keys("parked/").is_empty() && world.state().got.is_empty());
    let counts = world.counts("a");
    assert!(counts.balances() && counts.discarded == 3, "{counts:?}");
    assert_eq!(world.health_of("a").next_wake_at, None);
}

#[tokio::test]
async fn neither_integration_nor_tombstone_is_not_deletion() {
    let world = World::new();
    backlog(&world, 3).await;
    assert_eq!((&world).integration(&"web".into(), &"a".into()).await, Ok(Found::Unknown));
    follow(&world).await;
    assert_eq!(world.keys("parked/").len(), 3);
}

#[tokio::test]
async fn the_sweep_replaces_a_lost_wake_up_whatever_the_breaker_says() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 2).await;
    world.take(Queue::Wake);
    open(&world, world.time());
    assert_eq!(drain(&world).sweep(EVER).await.unwrap(), 0, "not overdue yet");
    world.pass(Duration::from_secs(61));
    assert_eq!(drain(&world).sweep(EVER).await.unwrap(), 1);
    follow(&world).await;
    assert!(world.keys("parked/").is_empty());
}

#[tokio::test]
async fn the_sweep_leaves_a_held_lease_alone() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 2).await;
    world.pass(Duration::from_secs(100));
    let now = world.time();
    let until = now.plus(Duration::from_secs(10));
    (&world).take_lease(&"web".into(), &"a".into(), "other", now, until).await.unwrap();
    assert_eq!(drain(&world).sweep(EVER).await.unwrap(), 0);
}

#[tokio::test]
async fn messages_that_are_not_wake_ups_are_buried_and_held_ones_hidden() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    let drain = drain(&world);
    let deadline = world.time().plus(Duration::from_secs(120));
    assert!(drain.receive("hello", "r1", deadline).await);
    assert_eq!(world.state().buried[0].0, Queue::Wake);
    assert!(!drain.receive(r#"{"v":2}"#, "r2", deadline).await);
    let now = world.time();
    let until = now.plus(Duration::from_secs(100));
    (&world).take_lease(&"web".into(), &"a".into(), "other", now, until).await.unwrap();
    let wake = world.take(Queue::Wake)[0].body.clone();
    assert!(!drain.receive(&wake, "r3", deadline).await);
    let hidden = world.state().hidden.clone();
    assert_eq!(
        hidden,
        [
            (Queue::Wake, "r2".to_owned(), Duration::from_secs(300)),
            (Queue::Wake, "r3".to_owned(), Duration::from_secs(15)),
        ]
    );
    (&world).release_lease(&"a".into(), "other").await.unwrap();
    assert!(drain.receive(&wake, "r3", deadline).await);
}

#[tokio::test]
async fn an_endpoint_that_asks_for_no_time_at_all_is_not_probed_in_a_loop() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    open(&world, world.time());
    world.reply("a", Reply::RetryAfter(503, 0));
    let began = world.time();
    for _ in 0..4 {
        follow(&world).await;
    }
    assert_eq!(world.state().got.len(), 4, "one probe for each pause");
    let pauses = world.time().since(began).as_secs();
    assert!(pauses >= 30 + 60 + 120, "{pauses}");
}

#[tokio::test]
async fn a_probe_that_succeeded_is_not_sent_again_because_closing_failed() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    open(&world, world.time());
    world.fail("swap_breaker", 1);
    let wake = world.take(Queue::Wake)[0].body.clone();
    for _ in 0..2 {
        let deadline = world.time().plus(Duration::from_secs(120));
        drain(&world).wake(&Wake::decode(&wake).unwrap(), deadline).await;
        world.pass(TROUBLE);
    }
    assert_eq!(ids(&world), ["d000"]);
}

#[tokio::test]
async fn what_was_parked_untried_is_cut_by_the_bounds_of_today() {
    let world = World::with(vec![Integration { max_events: 2, ..integration("a") }]);
    let big = Delivery { integration: "a".into(), began: world.time(), ..delivery("big", 5) };
    park(&&world, &"web".into(), &"a".into(), vec![big], world.time()).await[0].clone().unwrap();
    follow(&world).await;
    assert_eq!(ids(&world), ["big.p001_002", "big.p003_004", "big.p005_005"]);
    assert_eq!(world.counts("a"), Counts { unparked: 5, delivered: 5, ..Counts::default() });
    assert!(world.keys("parked/").is_empty());
}

#[tokio::test]
async fn an_integration_that_is_disabled_meanwhile_gets_no_more() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 400).await;
    world.reply("a", Reply::Slow(200, 900));
    world.state().before_answer = Some(Box::new(|state| state.integrations[0].enabled = false));
    follow(&world).await;
    let got = world.state().got.clone();
    let took = got.last().unwrap().at.since(got[0].at);
    assert!(took <= Duration::from_secs(33), "{took:?}");
    follow(&world).await;
    assert_eq!(world.state().got.len(), got.len());
    assert!(world.health_of("a").next_wake_at.is_some());
}

#[tokio::test]
async fn an_object_with_a_foreign_name_is_not_taken_apart() {
    let world = World::with(vec![integration("a")]);
    let two = Delivery { integration: "a".into(), ..delivery("two", 2) };
    park(&&world, &"web".into(), &"a".into(), vec![two], world.time()).await[0].clone().unwrap();
    let (_, object) = world.state().objects.pop_first().unwrap();
    world.state().objects.insert("parked/a/restored by hand".into(), object);
    world.reply("a", Reply::Status(413));
    follow(&world).await;
    assert_eq!(world.keys("parked/"), ["parked/a/restored by hand"]);
}

#[tokio::test]
async fn one_timer_that_cannot_be_set_does_not_end_the_sweep() {
    let world = World::with(vec![integration("a"), integration("b")]);
    for id in ["a", "b"] {
        let parked = Delivery { integration: id.into(), ..delivery(id, 1) };
        park(&&world, &"web".into(), &id.into(), vec![parked], world.time()).await[0]
            .clone()
            .unwrap();
    }
    world.pass(Duration::from_secs(61));
    world.fail("set_timer", 1);
    assert_eq!(drain(&world).sweep(EVER).await.unwrap(), 1);
}

#[tokio::test]
async fn one_object_that_cannot_be_had_does_not_hold_up_the_others() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 5).await;
    world.fail("get", 1);
    assert_eq!(follow(&world).await, [WakeEnd::Again(TROUBLE)]);
    assert_eq!(ids(&world), ["d001", "d002", "d003", "d004"]);
    assert_eq!(world.keys("parked/").len(), 1);
}

#[tokio::test]
async fn a_wish_for_time_that_cannot_be_written_is_obeyed_all_the_same() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    world.reply("a", Reply::RetryAfter(429, 600));
    world.fail("swap_breaker", 1);
    follow(&world).await;
    let due = world.health_of("a").next_wake_at.unwrap();
    assert!(due.since(world.time()) > Duration::from_secs(590));
    assert_eq!(world.keys("parked/").len(), 3);
}

/// Parks a delivery of so many events for an integration that gets each in a request of its own.
async fn one_each(events: usize) -> World {
    let one = Integration { preset: crate::preset::Preset::Amplitude, ..integration("a") };
    let world = World::with(vec![one]);
    let parked = Delivery { integration: "a".into(), began: world.time(), ..delivery("d", events) };
    let results = park(&&world, &"web".into(), &"a".into(), vec![parked], world.time()).await;
    results[0].clone().unwrap();
    world
}

#[tokio::test]
async fn what_is_left_of_a_parked_delivery_goes_on_the_schedule_alone() {
    let world = one_each(5).await;
    world.reply("a", Reply::PoisonEvent(400, "{\"n\":3}".into()));
    follow(&world).await;
    assert!(world.keys("parked/").is_empty());
    let sent = world.sent(Queue::Retry);
    assert_eq!(Scheduled::decode(&sent[0].body).unwrap().delivery.numbers, [4]);
    let expected = Counts { unparked: 5, delivered: 4, scheduled: 1, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
}

#[tokio::test]
async fn a_parked_delivery_that_takes_long_goes_on_where_it_stopped() {
    let world = one_each(9).await;
    world.reply("a", Reply::Slow(200, 1_980));
    follow(&world).await;
    while !world.sent(Queue::Wake).is_empty() {
        follow(&world).await;
    }
    let expected: Vec<_> = (1..=9).map(|n| format!("d.{n}")).collect();
    assert_eq!(ids(&world), expected);
    assert!(world.keys("parked/").is_empty());
    assert_eq!(world.counts("a"), Counts { unparked: 9, delivered: 9, ..Counts::default() });
}

#[tokio::test]
async fn what_is_left_when_the_endpoint_wants_a_pause_stays_parked() {
    let world = one_each(5).await;
    world.state().script.extend([Reply::Status(200), Reply::Status(200)]);
    world.reply("a", Reply::RetryAfter(429, 120));
    follow(&world).await;
    let keys = world.keys("parked/");
    let numbers = |key: &String| Aside::decode(&world.state().objects[key].1).unwrap().numbers;
    assert_eq!(keys.iter().map(numbers).collect::<Vec<_>>(), [vec![3], vec![4, 5]]);
    assert_eq!(world.counts("a"), Counts { unparked: 2, delivered: 2, ..Counts::default() });
}

#[tokio::test]
async fn a_probe_begins_with_what_the_last_one_did_not_come_to() {
    let world = one_each(8).await;
    open(&world, world.time());
    world.reply("a", Reply::Status(408));
    while ids(&world).is_empty() {
        follow(&world).await;
    }
    assert_eq!(ids(&world), ["d.1", "d.2", "d.3", "d.4", "d.5"]);
    world.reply("a", Reply::Status(200));
    while !world.sent(Queue::Wake).is_empty() {
        follow(&world).await;
    }
    assert_eq!(ids(&world)[5..], ["d.6", "d.7", "d.8", "d.1", "d.2", "d.3", "d.4", "d.5"]);
    assert!(world.keys("parked/").is_empty());
    assert_eq!(world.counts("a"), Counts { unparked: 8, delivered: 8, ..Counts::default() });
}
