use super::*;
use crate::{
    breaker::Cause,
    health::Pause,
    integration::{Origin, Own, Stream},
    ledger::Counts,
    memory::{Reply, START, World, environment, integration, policy},
    message::{Aside, Scheduled},
    ports::HealthStore,
    preset::Preset,
};

const DEADLINE: Timestamp = Timestamp(START.0 + 60_000);

fn event(n: usize) -> Event {
    Event::from_object(format!(r#"{{"key":"u{n}"}}"#))
}

pub(crate) fn message(events: std::ops::Range<usize>) -> String {
    let fresh = Fresh {
        project: "web".into(),
        environment: environment(),
        stream: Stream::Impressions,
        origin: Origin::Api,
        accepted_at: START,
        trace: None,
    };
    fresh.encode(&events.map(event).collect::<Vec<_>>())
}

fn records(bodies: &[String]) -> Vec<Record<'_>> {
    bodies.iter().map(|body| Record { body, receipt: "receipt", receives: 1 }).collect()
}

pub(crate) async fn fresh(world: &World, bodies: &[String]) -> BTreeSet<usize> {
    let deadline = world.time().plus(Duration::from_secs(60));
    Batch::new(world, policy()).fresh(&records(bodies), deadline).await
}

fn all(indexes: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    indexes.into_iter().collect()
}

#[tokio::test]
async fn events_go_to_every_integration_that_wants_them() {
    let world = World::with(vec![
        integration("a"),
        Integration { environments: vec!["prod".into()], ..integration("b") },
        Integration { environments: vec!["dev".into()], ..integration("c") },
        Integration { stream: Stream::Events, preset: Preset::Standard, ..integration("d") },
        Integration { enabled: false, ..integration("e") },
        Integration { project: "other".into(), ..integration("f") },
    ]);
    assert_eq!(fresh(&world, &[message(0..3), message(3..5)]).await, all([]));
    let got: Vec<_> =
        world.state().got.iter().map(|got| (got.host.clone(), got.events.len())).collect();
    assert_eq!(got, [("a.example.com".to_owned(), 5), ("b.example.com".to_owned(), 5)]);
    for id in ["a", "b"] {
        assert_eq!(world.counts(id), Counts { matched: 5, delivered: 5, ..Counts::default() });
    }
    assert_eq!(world.counts("c"), Counts::default());
}

#[tokio::test]
async fn a_healthy_integration_costs_no_health_writes() {
    let world = World::with(vec![integration("a")]);
    let batch = Batch::new(&world, policy());
    for _ in 0..20 {
        batch.fresh(&records(&[message(0..3)]), DEADLINE).await;
    }
    let calls = world.state().calls.clone();
    assert_eq!((calls.get("swap_breaker"), calls.get("health")), (None, None));
    assert_eq!((calls["unwell"], calls["integrations"], calls["add_counts"]), (1, 1, 20));
}

#[tokio::test]
async fn split_is_gzipped_and_standard_is_not() {
    let mut slack = integration("slack");
    slack.url = "https://hooks.slack.com/services/T0/B0".into();
    let standard = Integration { preset: Preset::Standard, ..integration("s") };
    let forced = Integration {
        own: Own { gzip: Some(true), ..Own::default() },
        ..Integration { name: "z".into(), ..standard.clone() }
    };
    let forced = Integration { id: "z".into(), url: "https://z.example.com/".into(), ..forced };
    let world = World::with(vec![integration("a"), slack, standard, forced]);
    fresh(&world, &[message(0..1)]).await;
    let gzipped = |host: &str| world.state().got.iter().find(|g| g.host == host).unwrap().gzipped;
    assert!(gzipped("a.example.com") && gzipped("z.example.com"));
    assert!(!gzipped("hooks.slack.com") && !gzipped("s.example.com"));
}

#[tokio::test]
async fn deliveries_are_cut_by_events_and_bytes() {
    let world =
        World::with(vec![integration("a"), Integration { max_bytes: 1024, ..integration("b") }]);
    fresh(&world, &[message(0..700), message(700..1200)]).await;
    let sizes = |host: &str| -> Vec<usize> {
        let state = world.state();
        state.got.iter().filter(|g| g.host == host).map(|g| g.events.len()).collect()
    };
    assert_eq!(sizes("a.example.com"), [500, 500, 200]);
    assert_eq!(sizes("b.example.com").iter().sum::<usize>(), 1200);
    assert!(sizes("b.example.com").len() > 15);
}

#[tokio::test]
async fn a_failing_endpoint_gets_two_requests_300_ms_apart_then_the_schedule() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    assert_eq!(fresh(&world, &[message(0..3)]).await, all([]));
    let times: Vec<_> = world.state().got.iter().map(|got| got.at).collect();
    assert_eq!(times.len(), 2);
    // The world takes 20 ms to answer.
    assert_eq!(times[1].since(times[0]), Duration::from_millis(320));
    let sent = world.sent(Queue::Retry);
    assert_eq!(sent.len(), 1);
    assert!((53..=66).contains(&sent[0].delay.as_secs()), "{:?}", sent[0].delay);
    let scheduled = Scheduled::decode(&sent[0].body).unwrap();
    assert_eq!(scheduled.delivery.began, START);
    assert_eq!(scheduled.delivery.id.as_str(), world.state().got[0].id);
    let expected = Counts { matched: 3, scheduled: 3, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
    assert_eq!(world.health_of("a").breaker.current.failed, 1, "one attempt, not two");
}

#[tokio::test]
async fn one_success_after_300_ms_is_a_delivery_and_not_ill_health() {
    let world = World::with(vec![integration("a")]);
    world.state().script.push_back(Reply::Status(502));
    fresh(&world, &[message(0..3)]).await;
    assert_eq!(world.counts("a"), Counts { matched: 3, delivered: 3, ..Counts::default() });
    assert!(world.state().health.is_empty());
}

#[tokio::test]
async fn a_failing_endpoint_does_not_touch_its_neighbour() {
    let world = World::with(vec![integration("a"), integration("b")]);
    world.reply("a", Reply::Hang);
    fresh(&world, &[message(0..3)]).await;
    assert_eq!(world.counts("b"), Counts { matched: 3, delivered: 3, ..Counts::default() });
}

#[tokio::test]
async fn after_a_time_out_the_rest_of_the_invocation_is_parked() {
    let world = World::with(vec![Integration { max_events: 1, ..integration("a") }]);
    world.reply("a", Reply::Hang);
    assert_eq!(fresh(&world, &[message(0..10)]).await, all([]));
    let counts = world.counts("a");
    assert!(counts.scheduled <= 2 && counts.scheduled >= 1, "{counts:?}");
    assert_eq!(counts.scheduled + counts.parked, 10);
    assert_eq!(world.sent(Queue::Wake).len(), 1, "one timer, one wake-up");
    assert!(counts.balances() && world.state().got.len() <= 4);
}

#[tokio::test]
async fn without_time_for_an_attempt_the_retry_queue_gets_it_due_now() {
    let world = World::with(vec![integration("a")]);
    // One answer after the other in this world: after two there is no time for a fourth attempt.
    world.reply("a", Reply::Slow(200, 17_000));
    let five: Vec<_> = (0..5).map(|n| message(n * 500..(n + 1) * 500)).collect();
    assert_eq!(fresh(&world, &five).await, all([]));
    let sent = world.sent(Queue::Retry);
    assert!(!sent.is_empty() && sent.iter().all(|message| message.delay.is_zero()));
    let counts = world.counts("a");
    assert_eq!((counts.delivered + counts.scheduled, counts.parked), (2_500, 0));
}

#[tokio::test]
async fn an_invocation_without_time_hands_everything_back_at_once() {
    let world = World::with(vec![integration("a")]);
    let batch = Batch::new(&world, policy());
    let failed = batch.fresh(&records(&[message(0..6)]), START.plus(Duration::from_secs(20))).await;
    assert_eq!(failed, all([0]));
    assert_eq!(world.state().hidden, [(Queue::Events, "receipt".to_owned(), Duration::ZERO)]);
    assert!(world.state().got.is_empty() && world.counts("a") == Counts::default());
}

#[tokio::test]
async fn a_paused_integration_is_parked_with_a_timer_and_one_wake_up() {
    let world = World::with(vec![integration("a")]);
    let pause = Pause { at: START, reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    assert_eq!(fresh(&world, &[message(0..3)]).await, all([]));
    assert_eq!(fresh(&world, &[message(3..5)]).await, all([]));
    assert!(world.state().got.is_empty());
    assert_eq!(world.keys("parked/a/").len(), 2);
    assert_eq!(world.counts("a"), Counts { matched: 5, parked: 5, ..Counts::default() });
    let health = world.health_of("a");
    assert_eq!((health.backlog_gen, health.wake_gen), (2, 1));
    assert_eq!(world.sent(Queue::Wake).len(), 1);
    let key = &world.keys("parked/a/")[0];
    let aside = Aside::decode(&world.state().objects[key].1).unwrap();
    assert_eq!((aside.age_ms, aside.events.len()), (0, 3));
}

#[tokio::test]
async fn no_lane_starts_before_health_is_read() {
    let world = World::with(vec![integration("a"), integration("b"), integration("c")]);
    for id in ["a", "b", "c"] {
        let pause = Pause { at: START, reason: "operator".into() };
        (&world).set_pause(&"web".into(), &id.into(), Some(&pause)).await.unwrap();
    }
    assert_eq!(fresh(&world, &[message(0..3)]).await, all([]));
    assert!(world.state().got.is_empty(), "{:?}", world.state().got);
    assert_eq!(world.state().calls["unwell"], 1);
}

#[tokio::test]
async fn a_pause_in_mid_flight_stops_within_five_seconds() {
    let world = World::with(vec![Integration { max_events: 1, ..integration("a") }]);
    world.reply("a", Reply::Slow(200, 1_000));
    world.state().before_answer = Some(Box::new(|state| {
        let mut health = crate::health::Health::new("web".into(), "a".into());
        health.pause = Some(Pause { at: START, reason: "operator".into() });
        state.health.insert("a".into(), (health, true));
    }));
    fresh(&world, &[message(0..40)]).await;
    let last = world.state().got.last().unwrap().at;
    // In this world one request's time passes for the other too: one answer more.
    assert!(last.since(START) <= Duration::from_millis(6_100), "{last:?}");
    assert!(world.counts("a").parked > 0 && world.counts("a").balances());
}

#[tokio::test]
async fn sustained_failure_opens_the_breaker_and_what_follows_is_parked() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    let batch = Batch::new(&world, policy());
    for n in 0..6 {
        batch
            .fresh(&records(&[message(n..n + 1)]), world.time().plus(Duration::from_secs(60)))
            .await;
        world.pass(Duration::from_secs(7));
    }
    let open = world.health_of("a").breaker.open.unwrap();
    assert_eq!(open.cause, Cause::FailureRate);
    let requests = world.state().got.len();
    batch.fresh(&records(&[message(9..10)]), world.time().plus(Duration::from_secs(60))).await;
    assert_eq!(world.state().got.len(), requests, "no request while it is open");
    assert_eq!(world.counts("a").parked, 1);
    assert_eq!(world.health_of("a").next_wake_at, Some(open.until));
}

#[tokio::test]
async fn one_error_in_ten_does_not_open_it() {
    let world = World::with(vec![integration("a")]);
    let batch = Batch::new(&world, policy());
    for n in 0..300 {
        if n % 10 == 0 {
            world.state().script.extend([Reply::Status(500), Reply::Status(500)]);
        }
        batch
            .fresh(&records(&[message(n..n + 1)]), world.time().plus(Duration::from_secs(60)))
            .await;
        world.pass(Duration::from_secs(2));
    }
    assert_eq!(world.health_of("a").breaker.open, None);
    assert_eq!(world.counts("a").delivered, 270);
    assert_eq!(world.counts("a").parked, 0);
}

#[tokio::test]
async fn retry_after_opens_the_breaker_parks_and_skips_the_immediate_retry() {
    let world = World::with(vec![Integration { max_events: 1, ..integration("a") }]);
    world.reply("a", Reply::RetryAfter(429, 120));
    fresh(&world, &[message(0..9)]).await;
    assert!(world.state().got.len() <= 2);
    assert_eq!(world.counts("a"), Counts { matched: 9, parked: 9, ..Counts::default() });
    let health = world.health_of("a");
    let open = health.breaker.open.unwrap();
    assert_eq!(open.cause, Cause::RetryAfter);
    assert!((119..=121).contains(&open.until.since(START).as_secs()));
    assert!(health.next_wake_at.unwrap() >= START.plus(Duration::from_secs(120)));
}

#[tokio::test]
async fn gone_pauses_with_that_reason() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(410));
    fresh(&world, &[message(0..9)]).await;
    let pause = world.health_of("a").pause.unwrap();
    assert!(pause.reason.contains("410 Gone"), "{}", pause.reason);
    assert_eq!(world.counts("a").parked, 9);
    assert_eq!(world.state().got.len(), 1);
}

#[tokio::test]
async fn too_large_is_split_until_it_fits() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::AtMost(3));
    assert_eq!(fresh(&world, &[message(0..10)]).await, all([]));
    assert_eq!(world.counts("a"), Counts { matched: 10, delivered: 10, ..Counts::default() });
    let state = world.state();
    let whole = &state.got[0].id;
    assert!(state.got.iter().any(|got| got.id == format!("{whole}.a")));
    assert!(state.got.iter().any(|got| got.id == format!("{whole}.b.b")));
}

#[tokio::test]
async fn storing_that_fails_reports_the_messages_and_counts_nothing() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    world.fail("send", 99);
    assert_eq!(fresh(&world, &[message(0..3), message(3..4)]).await, all([0, 1]));
    assert_eq!(world.counts("a"), Counts::default());
}

#[tokio::test]
async fn parking_that_fails_at_either_step_reports_the_messages() {
    for step in ["put", "mark_backlog"] {
        let world = World::with(vec![integration("a")]);
        let pause = Pause { at: START, reason: "operator".into() };
        (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
        world.fail(step, 1);
        assert_eq!(fresh(&world, &[message(0..3)]).await, all([0]), "{step}");
        assert_eq!(world.counts("a"), Counts::default());
        assert!(world.keys("parked/").is_empty(), "nobody would look for it there");
    }
}

#[tokio::test]
async fn a_wake_up_that_is_not_sent_is_left_to_the_sweep() {
    let world = World::with(vec![integration("a")]);
    let pause = Pause { at: START, reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    world.fail("send", 1);
    assert_eq!(fresh(&world, &[message(0..3)]).await, all([]));
    assert!(world.health_of("a").next_wake_at.is_some());
}

#[tokio::test]
async fn more_than_200_deliveries_are_not_scheduled_by_one_invocation() {
    let world = World::with(vec![Integration { max_events: 1, ..integration("a") }]);
    world.reply("a", Reply::Status(404));
    let deadline = world.time().plus(Duration::from_secs(900));
    // So that the breaker does not come first.
    let mut policy = policy();
    policy.breaker.span = Duration::from_secs(9_999);
    Batch::new(&world, policy).fresh(&records(&[message(0..250)]), deadline).await;
    assert_eq!((world.counts("a").scheduled, world.counts("a").parked), (200, 50));
}

#[tokio::test]
async fn foreign_records_are_buried_and_newer_ones_hidden() {
    let world = World::with(vec![integration("a")]);
    let bodies = ["hello".to_owned(), message(0..2), r#"{"v":9}"#.to_owned(), "{}".to_owned()];
    assert_eq!(fresh(&world, &bodies).await, all([2]));
    let state = world.state();
    assert_eq!(state.buried.len(), 2);
    assert_eq!((state.buried[0].0, state.buried[0].1.as_str()), (Queue::Events, "hello"));
    assert!(!state.buried[0].2.is_empty());
    assert_eq!(state.hidden, [(Queue::Events, "receipt".to_owned(), Duration::from_secs(300))]);
}

#[tokio::test]
async fn a_record_that_could_not_be_buried_stays() {
    let world = World::with(vec![]);
    world.fail("bury", 1);
    assert_eq!(fresh(&world, &["hello".to_owned()]).await, all([0]));
}

#[tokio::test]
async fn without_configuration_nothing_is_acknowledged_and_known_configuration_serves_on() {
    let world = World::with(vec![integration("a")]);
    let batch = Batch::new(&world, policy());
    world.fail("integrations", 1);
    assert_eq!(batch.fresh(&records(&[message(0..3)]), DEADLINE).await, all([0]));
    assert_eq!(batch.fresh(&records(&[message(0..3)]), DEADLINE).await, all([]));
    world.pass(Duration::from_secs(31));
    world.fail("integrations", 1);
    let deadline = world.time().plus(Duration::from_secs(60));
    assert_eq!(batch.fresh(&records(&[message(0..3)]), deadline).await, all([]));
    assert_eq!(world.counts("a").delivered, 6);
}

#[test]
fn suspects_are_decoded_with_few_others_and_the_rest_up_to_the_bound() {
    let text = message(0..1);
    let packed = |index: usize, receives, bytes| {
        let mut packed = Fresh::decode(&text).unwrap();
        packed.bytes = bytes;
        (index, receives, packed)
    };
    let mebi = 1024 * 1024;
    let groups = groups(vec![
        packed(0, 1, 30 * mebi),
        packed(1, 3, 3 * mebi),
        packed(2, 1, 30 * mebi),
        packed(3, 2, 30 * mebi),
        packed(4, 9, 3 * mebi),
        packed(5, 3, 10),
    ]);
    let indexes: Vec<Vec<_>> = groups.iter().map(|g| g.iter().map(|(i, _)| *i).collect()).collect();
    assert_eq!(indexes, [vec![0, 2], vec![3], vec![1], vec![4, 5]]);
}

#[tokio::test]
async fn an_endpoint_that_answers_slowly_is_served_by_draining() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Slow(200, 3_000));
    let batch = Batch::new(&world, policy());
    for n in 0..6 {
        let deadline = world.time().plus(Duration::from_secs(60));
        batch.fresh(&records(&[message(n..n + 1)]), deadline).await;
    }
    assert!(world.health_of("a").breaker.slow);
    let counts = world.counts("a");
    assert_eq!((counts.delivered, counts.parked), (5, 1));
}

#[tokio::test]
async fn what_is_parked_untried_is_parked_in_large_pieces() {
    let world = World::with(vec![Integration { max_events: 1, ..integration("a") }]);
    let pause = Pause { at: START, reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    assert_eq!(fresh(&world, &[message(0..1_200)]).await, all([]));
    assert_eq!(world.keys("parked/a/").len(), 3);
    assert_eq!(world.counts("a").parked, 1_200);
}

#[tokio::test]
async fn what_there_is_no_time_to_store_comes_back() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Slow(200, 35_000));
    let deadline = START.plus(Duration::from_secs(60));
    // One after the other in this world: the second ends when there is no time to park the third.
    let three = [message(0..500), message(500..1_000), message(1_000..1_500)];
    let failed = Batch::new(&world, policy()).fresh(&records(&three), deadline).await;
    assert_eq!(failed, all([2]));
    assert_eq!(world.counts("a"), Counts { matched: 1_000, delivered: 1_000, ..Counts::default() });
}

#[tokio::test]
async fn who_does_not_answer_for_long_is_left_to_the_drainer() {
    let world = World::with(vec![integration("a"), integration("b")]);
    world.reply("a", Reply::Never);
    let batch = Batch::new(&world, policy());
    let began = world.time();
    assert_eq!(batch.fresh(&records(&[message(0..3)]), DEADLINE).await, all([]));
    let waited = world.time().since(began);
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    let requests = |host: &str| world.state().got.iter().filter(|got| got.host == host).count();
    assert_eq!([requests("a.example.com"), requests("b.example.com")], [1, 1], "no second request");
    assert_eq!(world.counts("a"), Counts { matched: 3, parked: 3, ..Counts::default() });
    assert_eq!(world.counts("b"), Counts { matched: 3, delivered: 3, ..Counts::default() });
    // The next invocation does not wait for it, nor does another container's.
    assert!(world.health_of("a").breaker.slow);
    assert_eq!(batch.fresh(&records(&[message(3..5)]), DEADLINE).await, all([]));
    assert_eq!(fresh(&world, &[message(5..6)]).await, all([]));
    assert_eq!(requests("a.example.com"), 1);
    assert_eq!(world.counts("a").parked, 6);
}

#[tokio::test]
async fn quick_answers_before_it_do_not_speak_for_who_hangs() {
    let world = World::with(vec![Integration { max_events: 1, ..integration("a") }]);
    let batch = Batch::new(&world, policy());
    assert_eq!(batch.fresh(&records(&[message(0..12)]), DEADLINE).await, all([]));
    // Nine quick answers are remembered, and more come in the same lane before it hangs.
    world.state().script.extend([200; 5].map(Reply::Status));
    world.reply("a", Reply::Never);
    assert_eq!(batch.fresh(&records(&[message(12..24)]), DEADLINE).await, all([]));
    assert!(world.health_of("a").breaker.slow);
    assert_eq!(world.counts("a").delivered, 17);
}

#[tokio::test]
async fn a_hanging_endpoint_is_not_tried_again_by_a_later_group() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Hang);
    let large = |n| {
        let fresh = Fresh {
            project: "web".into(),
            environment: environment(),
            stream: Stream::Impressions,
            origin: Origin::Api,
            accepted_at: START,
            trace: None,
        };
        let text = "x".repeat(200_000);
        fresh.encode(&vec![Event::from_object(format!(r#"{{"n":{n},"x":"{text}"}}"#)); 15])
    };
    let bodies = [large(1), large(2)];
    let records = bodies.each_ref().map(|body| Record { body, receipt: "r", receives: 3 });
    let deadline = START.plus(Duration::from_secs(600));
    assert_eq!(Batch::new(&world, policy()).fresh(&records, deadline).await, all([]));
    assert!(world.state().got.len() <= 4, "two attempts side by side, and no more");
    assert!(world.counts("a").balances());
}

#[tokio::test]
async fn before_health_was_ever_known_nothing_is_sent_and_nothing_acknowledged() {
    let world = World::with(vec![integration("a")]);
    world.fail("unwell", 1);
    assert_eq!(fresh(&world, &[message(0..3)]).await, all([0]));
    assert!(world.state().got.is_empty());
}

#[test]
fn what_was_received_often_is_not_handed_back_at_once() {
    assert_eq!(hand_back(1), Duration::ZERO);
    assert_eq!(hand_back(3), Duration::from_secs(90));
    assert_eq!(hand_back(99), Duration::from_mins(15));
}

#[tokio::test]
async fn what_the_schedule_gets_is_within_the_integrations_bounds() {
    let world = World::with(vec![Integration { max_events: 2, ..integration("a") }]);
    world.reply("a", Reply::Slow(200, 17_000));
    let deadline = START.plus(Duration::from_secs(60));
    let failed = Batch::new(&world, policy()).fresh(&records(&[message(0..300)]), deadline).await;
    assert_eq!(failed, all([]));
    for message in world.sent(Queue::Retry) {
        assert!(Scheduled::decode(&message.body).unwrap().delivery.events.len() <= 2);
    }
    let counts = world.counts("a");
    assert!(counts.parked > 280 && counts.balances(), "to be cut when it is drained: {counts:?}");
}

#[tokio::test]
async fn what_the_filter_does_not_want_is_counted_apart_and_not_sent() {
    let filter = serde_json::json!({"key": [{"prefix": "u1"}]});
    let own = Own { filter: Some(filter), ..Own::default() };
    let world = World::with(vec![Integration { own, ..integration("a") }]);
    assert_eq!(fresh(&world, &[message(0..12), message(20..25)]).await, all([]));
    assert_eq!(
        world.state().got[0].events,
        [r#"{"key":"u1"}"#, r#"{"key":"u10"}"#, r#"{"key":"u11"}"#]
    );
    let expected = Counts { matched: 3, delivered: 3, filtered: 14, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
}

#[tokio::test]
async fn a_filter_that_this_version_cannot_read_sends_its_events_back() {
    let own = Own { filter: Some(serde_json::json!({"key": [{"newer": 1}]})), ..Own::default() };
    let world = World::with(vec![Integration { own, ..integration("a") }, integration("b")]);
    assert_eq!(fresh(&world, &[message(0..2)]).await, all([0]));
    assert_eq!(world.counts("b").delivered, 2);
    assert_eq!(world.counts("a"), Counts::default());
}

fn one_each(id: &str) -> Integration {
    Integration { preset: Preset::Amplitude, ..integration(id) }
}

#[tokio::test]
async fn only_what_is_left_of_a_delivery_goes_on_the_schedule() {
    let world = World::with(vec![one_each("a")]);
    world.reply("a", Reply::PoisonEvent(500, "u3\"".into()));
    assert_eq!(fresh(&world, &[message(0..60)]).await, all([]));
    // 50 at most make one delivery of that kind.
    let sent = world.sent(Queue::Retry);
    assert_eq!(sent.len(), 1);
    let left = Scheduled::decode(&sent[0].body).unwrap().delivery;
    assert_eq!(left.numbers, [4]);
    let expected = Counts { matched: 60, delivered: 59, scheduled: 1, ..Counts::default() };
    assert_eq!(world.counts("a"), expected);
}

#[tokio::test]
async fn who_is_slow_gets_the_rest_at_once() {
    let world = World::with(vec![one_each("a")]);
    world.reply("a", Reply::Slow(200, 1_480));
    assert_eq!(fresh(&world, &[message(0..8)]).await, all([]));
    let ids: Vec<_> = world.state().got.iter().map(|got| got.id.clone()).collect();
    let numbers: Vec<_> = ids.iter().map(|id| id.rsplit('.').next().unwrap()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    assert_eq!(world.counts("a"), Counts { matched: 8, delivered: 8, ..Counts::default() });
    assert!(world.sent(Queue::Retry).is_empty());
}

#[tokio::test]
async fn poison_in_front_does_not_keep_the_others_from_being_tried() {
    let world = World::with(vec![one_each("a")]);
    world.reply("a", Reply::PoisonEvent(500, "\"u".into()));
    fresh(&world, &[message(0..8)]).await;
    let sent = world.sent(Queue::Retry);
    let sent: Vec<_> = sent.iter().map(|one| Scheduled::decode(&one.body).unwrap()).collect();
    let numbers: Vec<_> = sent.iter().map(|one| one.delivery.numbers.clone()).collect();
    assert_eq!(numbers, [vec![1], vec![2], vec![3], vec![4], vec![5], vec![6, 7, 8]]);
    // The others' schedule begins when they are tried.
    let began: Vec<_> = sent.iter().map(|one| one.delivery.began == one.not_before).collect();
    assert_eq!(began, [false, false, false, false, false, true]);
    assert!(world.counts("a").scheduled == 8 && world.counts("a").matched == 8);
}

#[tokio::test]
async fn what_there_was_no_time_to_try_begins_its_schedule_when_it_is_tried() {
    let world = World::with(vec![one_each("a")]);
    world.reply("a", Reply::Slow(200, 1_480));
    let deadline = world.time().plus(Duration::from_secs(28));
    let bodies = [message(0..8)];
    assert_eq!(Batch::new(&world, policy()).fresh(&records(&bodies), deadline).await, all([]));
    let sent = world.sent(Queue::Retry);
    let Scheduled { delivery, not_before } = Scheduled::decode(&sent[0].body).unwrap();
    assert_eq!((delivery.numbers.as_slice(), delivery.began), (&[5, 6, 7, 8][..], not_before));
}
