//! What expires, and whose turn it is.

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::*;

#[tokio::test]
async fn what_is_past_its_time_expires_and_is_counted() {
    let world = World::with(vec![integration("a")]);
    let put = async |key: &str| (&world).put(key, bytes::Bytes::new()).await.unwrap();
    let key = |at: Timestamp, rest: &str| format!("{:013}-{rest}.json.gz", at.0);
    put(&format!("parked/a/{}", key(START, "d1-4"))).await;
    put(&format!("parked/b/{}", key(START, "d1-2"))).await;
    put(&format!("dead/a/{}", key(START, "d2-8"))).await;
    world.pass(Duration::from_hours(24 * 15));
    put(&format!("parked/a/{}", key(world.time(), "d3-16"))).await;
    // Halves keep the time of the whole: young, before something old.
    put(&format!("parked/b/{}", key(START, "d0.a-1"))).await;
    let deadline = |world: &World| world.time().plus(Duration::from_secs(60));
    assert_eq!(drain(&world).expire(deadline(&world)).await.unwrap(), 2);
    assert_eq!(world.counts("a"), Counts { unparked: 4, expired: 4, ..Counts::default() });
    assert_eq!(world.counts("b").expired, 2);
    world.pass(Duration::from_hours(24 * 16));
    world.fail("delete", 1);
    assert_eq!(drain(&world).expire(deadline(&world)).await.unwrap(), 2, "one was not deleted");
    assert_eq!(drain(&world).expire(deadline(&world)).await.unwrap(), 1);
    assert_eq!(world.counts("a").undead, 8);
    assert!(world.state().objects.is_empty());
}

/// What is logged, a line each: `name=value` for each field.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

#[tokio::test]
async fn the_log_names_whose_events_expired_and_how_many() {
    let world = World::with(vec![integration("a")]);
    for key in
        ["parked/a/0000000000001-d1-4", "parked/a/0000000000002-d2-3", "dead/b/0000000000001-d3-8"]
    {
        (&world).put(&format!("{key}.json.gz"), bytes::Bytes::new()).await.unwrap();
    }
    world.pass(Duration::from_hours(24 * 31));
    let log = Log::default();
    let logs = tracing::subscriber::set_default(log.clone());
    let drain = drain(&world);
    for _ in 0..2 {
        drain.expire(world.time().plus(Duration::from_secs(60))).await.unwrap();
    }
    drop(logs);
    let lines = log.0.lock().unwrap();
    let mut told = lines.iter().filter(|line| line.contains("message=events expired"));
    let line = "WARN message=events expired integration=a place=\"parked\" events=7";
    assert_eq!(told.next().map(String::as_str), Some(line));
    let line = "WARN message=events expired integration=b place=\"dead\" events=8";
    assert_eq!(told.next().map(String::as_str), Some(line));
    assert_eq!(told.next(), None, "nothing is told twice");
}

#[tokio::test]
async fn what_another_has_the_turn_to_take_from_expires_with_a_later_run() {
    let world = World::with(vec![integration("a"), integration("b")]);
    for (place, id, name) in
        [(Place::Parked, "a", "d1"), (Place::Dead, "a", "d2"), (Place::Dead, "b", "d3")]
    {
        let one = Delivery { integration: id.into(), ..delivery(name, 1) };
        lay_aside(&&world, place, one).await.unwrap();
    }
    world.pass(Duration::from_hours(24 * 31));
    let now = world.time();
    let until = now.plus(Duration::from_secs(180));
    for lease in ["a", "a.dead"] {
        (&world).take_lease(&"web".into(), &lease.into(), "other", now, until).await.unwrap();
    }
    let expire = async || {
        let deadline = world.time().plus(Duration::from_secs(120));
        drain(&world).expire(deadline).await.unwrap()
    };
    assert_eq!(expire().await, 1, "the others do not wait for it");
    assert_eq!(world.keys("").len(), 2);
    world.pass(Duration::from_hours(24));
    world.fail("take_lease", 1);
    assert_eq!(expire().await, 1, "one lease was not to be had");
    assert_eq!(expire().await, 1);
    assert!(world.keys("").is_empty());
    for lease in ["a", "a.dead", "b.dead"] {
        let health = world.health_of(lease);
        assert_eq!((health.lease, health.project.as_str()), (None, "web"), "{lease}");
    }
}

#[tokio::test]
async fn of_many_integrations_each_expires_and_is_counted_once() {
    let names: Vec<_> = (0..30).map(|n| format!("i{n:02}")).collect();
    let world = World::with(names.iter().map(|name| integration(name)).collect());
    for (n, name) in names.iter().enumerate() {
        for place in [Place::Parked, Place::Dead] {
            let one = Delivery { integration: name.as_str().into(), ..delivery("d", n + 1) };
            lay_aside(&&world, place, one).await.unwrap();
        }
    }
    world.pass(Duration::from_hours(24 * 31));
    world.fail("take_lease", 3);
    let expire = async || drain(&world).expire(EVER).await;
    assert_eq!(expire().await.unwrap(), 57, "three leases were not to be had");
    world.fail("list", 1);
    assert!(expire().await.is_err());
    assert_eq!(expire().await.unwrap(), 3);
    assert!(world.keys("").is_empty());
    for (n, name) in names.iter().enumerate() {
        let (counts, events) = (world.counts(name), n as u64 + 1);
        let all = (counts.expired, counts.unparked, counts.undead);
        assert_eq!(all, (2 * events, events, events), "{name}");
    }
}

#[tokio::test]
async fn with_the_last_of_what_is_parked_the_timer_ends_too() {
    let world = World::with(vec![integration("a"), integration("b")]);
    backlog(&world, 2).await;
    let pause = Pause { at: world.time(), reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    (&world).mark_told(&"a".into(), world.time()).await.unwrap();
    world.pass(Duration::from_hours(24 * 15));
    let young = Delivery { integration: "a".into(), ..delivery("young", 1) };
    lay_aside(&&world, Place::Parked, young).await.unwrap();
    let deadline = || world.time().plus(Duration::from_secs(60));
    assert_eq!(drain(&world).expire(deadline()).await.unwrap(), 2);
    let health = world.health_of("a");
    assert!(health.next_wake_at.is_some() && health.told_old_at.is_some(), "one is left");
    world.pass(Duration::from_hours(24 * 15));
    assert_eq!(drain(&world).expire(deadline()).await.unwrap(), 1);
    let health = world.health_of("a");
    assert_eq!((health.next_wake_at, health.told_old_at, health.lease), (None, None, None));
}

/// A drain without a pause leaves nobody else a turn.
#[tokio::test]
async fn the_drain_ends_what_is_a_day_past_its_time_and_delivers_what_is_not() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 3).await;
    world.pass(Duration::from_hours(24 * 14));
    backlog(&world, 2).await;
    world.pass(Duration::from_hours(24));
    world.fail("delete", 1);
    follow(&world).await;
    assert_eq!(ids(&world), ["d000", "d001"], "the younger ones");
    assert_eq!(world.keys("parked/").len(), 1, "it could not be deleted");
    assert!(world.health_of("a").next_wake_at.is_some());
    follow(&world).await;
    let counts = world.counts("a");
    assert_eq!((counts.delivered, counts.expired, counts.unparked), (2, 3, 5));
    assert!(counts.balances() && world.keys("").is_empty());
    assert_eq!(world.health_of("a").next_wake_at, None);
}

#[tokio::test]
async fn whoever_has_something_parked_and_no_timer_is_woken_once_a_day() {
    let world = World::with(vec![integration("a"), integration("b")]);
    // Written, and the answer was lost: there is no mark of it.
    for (id, key) in [("a", "d1"), ("b", "d2")] {
        let one = Delivery { integration: id.into(), ..delivery(key, 1) };
        lay_aside(&&world, Place::Parked, one).await.unwrap();
    }
    world.fail("get", 1);
    drain(&world).expire(world.time().plus(Duration::from_secs(60))).await.unwrap();
    assert!(!world.state().health.contains_key(&"a".into()), "its object could not be read");
    follow(&world).await;
    assert_eq!(ids(&world), ["d2"]);
    drain(&world).expire(world.time().plus(Duration::from_secs(60))).await.unwrap();
    drain(&world).expire(world.time().plus(Duration::from_secs(60))).await.unwrap();
    assert_eq!(world.sent(Queue::Wake).len(), 1, "who has a timer needs no other");
    follow(&world).await;
    assert_eq!(ids(&world), ["d2", "d1"]);
}

#[tokio::test]
async fn the_health_of_deleted_integrations_is_forgotten_in_time() {
    let world = World::with(vec![integration("b")]);
    let pause = Pause { at: START, reason: "operator".into() };
    for id in ["a", "b"] {
        (&world).set_pause(&"web".into(), &id.into(), Some(&pause)).await.unwrap();
    }
    world.state().tombstones.push("a".into());
    drain(&world).expire(world.time().plus(Duration::from_secs(60))).await.unwrap();
    let unwell = (&world).unwell().await.unwrap();
    assert_eq!(unwell.len(), 1);
    assert_eq!((unwell[0].integration.as_str(), &unwell[0].pause), ("b", &Some(pause)));
}
