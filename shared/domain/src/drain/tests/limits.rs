//! Integrations with limits, in time that passes for all at once: what is accepted, what is due and
//! every wake-up is followed, each by functions of its own.

use std::{
    future::pending,
    pin::pin,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{join, select},
    stream::FuturesUnordered,
};
use tokio::time::Instant;

use super::*;
use crate::{
    attempt_log::Function,
    batch::{Batch, Record, tests::message},
    integration::Own,
    limits::Limits,
    ports::{Answer, Listed, PortResult, Request, Sender, Sent, Services},
    preset::Preset,
};

/// The endpoint of [`limited`].
const HOST: &str = "a.example.com";
/// A function has so much time: a slice of it is half a minute.
const INVOCATION: Duration = Duration::from_secs(60);

/// The world in memory, and time that passes while somebody waits.
struct Timed<'a> {
    world: &'a World,
    began: Instant,
    /// How long an endpoint takes.
    takes: Duration,
    /// What the nth request is answered.
    answers: fn(usize) -> u16,
    /// When each request began, and where it went.
    begun: Mutex<Vec<(Timestamp, String)>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    reads: AtomicU64,
    slices: AtomicUsize,
}

impl<'a> Timed<'a> {
    #[expect(clippy::disallowed_methods, reason = "tokio's paused time is what passes here")]
    fn new(world: &'a World) -> Self {
        Self {
            world,
            began: Instant::now(),
            takes: Duration::from_millis(80),
            answers: |_| 200,
            begun: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            reads: AtomicU64::new(0),
            slices: AtomicUsize::new(0),
        }
    }

    fn begun(&self, host: &str) -> Vec<Timestamp> {
        let begun = self.begun.lock().unwrap();
        begun.iter().filter(|(_, to)| to == host).map(|(at, _)| *at).collect()
    }

    /// Most requests to an endpoint that begin within any time of this length.
    fn most_within(&self, host: &str, time: Duration) -> usize {
        let begun = self.begun(host);
        let count = |first: usize| {
            let end = begun[first].plus(time);
            begun[first..].iter().take_while(|at| **at < end).count()
        };
        (0..begun.len()).map(count).max().unwrap_or_default()
    }
}

impl Clock for &Timed<'_> {
    #[expect(clippy::disallowed_methods, reason = "tokio's paused time is what passes here")]
    fn now(&self) -> Timestamp {
        START.plus(self.began.elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "tokio's paused time is what passes here")]
    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

impl Objects for &Timed<'_> {
    async fn put(&self, key: &str, body: Bytes) -> PortResult<()> {
        self.sleep(Duration::from_millis(30)).await;
        self.world.put(key, body).await
    }

    /// It takes now a moment and now very long.
    async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        let n = self.reads.fetch_add(1, Ordering::Relaxed);
        self.sleep(Duration::from_millis(5 + n * 7_919 % 400)).await;
        self.world.get(key).await
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        self.world.delete(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        self.world.list(prefix, after).await
    }
}

impl Sender for &Timed<'_> {
    async fn send(&self, request: Request) -> Sent {
        let number = {
            let mut begun = self.begun.lock().unwrap();
            begun.push((self.now(), request.to.host().to_owned()));
            begun.len()
        };
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::Relaxed);
        self.sleep(self.takes).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let status = (self.answers)(number);
        let answer = Answer { status, retry_after: None, body: Bytes::new() };
        Sent { answer: Ok(answer), took: self.takes }
    }
}

impl<'a> Services for &Timed<'a> {
    type Clock = Self;
    type Random = &'a World;
    type Queues = &'a World;
    type Store = &'a World;
    type Objects = Self;
    type Notices = &'a World;

    fn clock(&self) -> &Self {
        self
    }
    fn random(&self) -> &&'a World {
        &self.world
    }
    fn queues(&self) -> &&'a World {
        &self.world
    }
    fn store(&self) -> &&'a World {
        &self.world
    }
    fn objects(&self) -> &Self {
        self
    }
    fn notices(&self) -> &&'a World {
        &self.world
    }
}

impl Ports for &Timed<'_> {
    type Sender = Self;

    fn sender(&self) -> &Self {
        self
    }
}

fn limited(limits: Limits) -> Integration {
    let own = Own { limits, ..Own::default() };
    Integration { own, max_events: 5, ..integration("a") }
}

fn per_second(number: f64) -> Limits {
    Limits { per_second: Some(number.try_into().unwrap()), in_flight: None }
}

/// Posts events, and returns when `batch` has seen to them.
async fn post(ports: &Timed<'_>, events: std::ops::Range<usize>) {
    let body = message(events);
    let record = Record { body: &body, receipt: "fresh", receives: 1 };
    let failed = Batch::new(ports, policy()).fresh(&[record], ports.now().plus(INVOCATION)).await;
    assert!(failed.is_empty());
}

/// Follows one wake-up to its end.
async fn follow_one(ports: &Timed<'_>, message: Outgoing) {
    let wake = Wake::decode(&message.body).unwrap();
    ports.sleep(message.delay).await;
    let retention = Retention { parked: INVOCATION, dead: INVOCATION };
    let drain = Drain::new(ports, policy(), Duration::from_secs(180), retention);
    while let WakeEnd::Again(wait) = drain.wake(&wake, ports.now().plus(INVOCATION)).await {
        ports.sleep(wait).await;
    }
    ports.slices.fetch_add(1, Ordering::Relaxed);
}

/// Follows one message of the RetryQueue until it is done.
async fn retry_one(ports: &Timed<'_>, message: Outgoing) {
    ports.sleep(message.delay).await;
    loop {
        let record = Record { body: &message.body, receipt: "retry", receives: 1 };
        let batch = Batch::new(ports, policy());
        if batch.retries(&[record], ports.now().plus(INVOCATION)).await.is_empty() {
            return;
        }
        let hidden = ports.world.state().hidden.last().map(|(_, _, wait)| *wait);
        ports.sleep(hidden.unwrap()).await;
    }
}

/// Follows everything until nothing is left to follow and `over` says so.
async fn live(ports: &Timed<'_>, over: impl Fn() -> bool) {
    let mut wakes = FuturesUnordered::new();
    let mut retries = FuturesUnordered::new();
    loop {
        wakes.extend(ports.world.take(Queue::Wake).into_iter().map(|m| follow_one(ports, m)));
        retries.extend(ports.world.take(Queue::Retry).into_iter().map(|m| retry_one(ports, m)));
        if over() && wakes.is_empty() && retries.is_empty() {
            return;
        }
        // They go on while it waits for more to follow.
        let going_on = async {
            join(wakes.by_ref().collect::<()>(), retries.by_ref().collect::<()>()).await;
            pending::<()>().await;
        };
        select(pin!(going_on), pin!(ports.sleep(Duration::from_millis(200)))).await;
    }
}

/// The ledger, when all is over.
fn settled(world: &World) -> Counts {
    let counts = world.counts("a");
    assert!(counts.balances(), "{counts:?}");
    assert!(world.keys("parked/").is_empty());
    let health = world.health_of("a");
    assert_eq!((health.next_wake_at, health.lease), (None, None));
    counts
}

#[tokio::test(start_paused = true)]
async fn two_a_second_are_sent_while_fifty_are_accepted_and_the_neighbour_notices_nothing() {
    let world = World::with(vec![limited(per_second(2.0)), integration("b")]);
    let timed = Timed::new(&world);
    let ports = &timed;
    let posted = Mutex::new(Vec::new());
    let posting = async {
        for second in 0..60 {
            posted.lock().unwrap().push(ports.now());
            post(ports, second * 50..(second + 1) * 50).await;
            ports.sleep(Duration::from_secs(1)).await;
        }
    };
    let all_posted = || posted.lock().unwrap().len() == 60;
    join(posting, live(ports, || all_posted() && world.counts("a").delivered == 3_000)).await;

    assert_eq!(ports.most_within(HOST, Duration::from_secs(1)), 2);
    let begun = ports.begun(HOST);
    // Ten deliveries a second came, and two went.
    assert_eq!(begun.len(), 600);
    let took = begun[599].since(begun[0]).as_secs();
    assert!((299..=330).contains(&took), "{took} s for 600 deliveries");
    let slices = ports.slices.load(Ordering::Relaxed);
    assert!(slices >= 9, "{slices} slices");
    assert!(
        world.state().attempts.iter().all(|attempt| {
            attempt.integration.as_str() == "b" || attempt.from == Function::Drain
        })
    );
    let counts = settled(&world);
    assert_eq!((counts.matched, counts.delivered, counts.parked), (3_000, 3_000, 3_000));

    let posted = posted.lock().unwrap();
    let neighbours = ports.begun("b.example.com");
    assert_eq!(neighbours.len(), 60);
    for (posted, begun) in posted.iter().zip(neighbours) {
        assert_eq!(begun.since(*posted), Duration::ZERO, "sent as soon as it came");
    }
}

#[tokio::test(start_paused = true)]
async fn a_trickle_makes_a_slice_for_each_event_and_the_limit_holds_between_them() {
    let world = World::with(vec![limited(per_second(0.4))]);
    let timed = Timed::new(&world);
    let ports = &timed;
    let posting = async {
        for (n, pause) in [100, 2_900, 2_400, 2_600, 50, 4_000, 1, 2_500, 7_000].iter().enumerate()
        {
            post(ports, n..n + 1).await;
            ports.sleep(Duration::from_millis(*pause)).await;
        }
    };
    join(posting, live(ports, || world.counts("a").delivered == 9)).await;
    assert_eq!(ports.most_within(HOST, Duration::from_millis(2_500)), 1);
    assert_eq!(settled(&world).delivered, 9);
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_are_allowed_and_as_many_are() {
    for (limits, most, longest) in [
        (Limits { per_second: None, in_flight: Some(3) }, 3, 20),
        (Limits { in_flight: Some(1), ..per_second(10.0) }, 1, 45),
        // It keeps to its pace though the endpoint takes its time.
        (per_second(10.0), 10, 8),
    ] {
        let world = World::with(vec![limited(limits)]);
        let timed = Timed { takes: Duration::from_millis(900), ..Timed::new(&world) };
        let ports = &timed;
        let before = ports.now();
        post(ports, 0..200).await;
        live(ports, || world.counts("a").delivered == 200).await;
        assert_eq!(ports.most_in_flight.load(Ordering::Relaxed), most, "{limits:?}");
        let took = ports.now().since(before).as_secs();
        assert!(took <= longest, "{limits:?}: {took} s for 40 deliveries");
        assert_eq!(settled(&world).delivered, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_counts_be_it_one_of_many_or_a_second_try() {
    let one_each = Integration { preset: Preset::Amplitude, ..limited(per_second(2.0)) };
    let world = World::with(vec![Integration { max_events: 30, ..one_each }]);
    let answers = |n| if n % 3 == 0 { 500 } else { 200 };
    let timed = Timed { answers, ..Timed::new(&world) };
    let ports = &timed;
    post(ports, 0..30).await;
    live(ports, || world.counts("a").delivered == 30).await;
    assert_eq!(ports.most_within(HOST, Duration::from_secs(1)), 2);
    let requests = ports.begun(HOST).len();
    assert!((40..=50).contains(&requests), "{requests} requests for 30 events");
    assert_eq!(settled(&world).delivered, 30);
}

#[tokio::test(start_paused = true)]
async fn what_always_fails_has_ten_attempts_each_at_its_slot_and_is_dead() {
    let world = World::with(vec![limited(per_second(1.0))]);
    let timed = Timed { answers: |_| 500, ..Timed::new(&world) };
    let ports = &timed;
    post(ports, 0..3).await;
    live(ports, || world.counts("a").dead == 3).await;
    let attempts: Vec<_> = world.state().attempts.iter().map(|one| one.at).collect();
    let minutes = [0, 1, 3, 7, 15, 30, 60, 105, 165, 240];
    assert_eq!(attempts.len(), minutes.len());
    for (at, minutes) in attempts.iter().zip(minutes) {
        let slot = f64::from(minutes) * 60.0;
        let age = at.since(attempts[0]).as_secs_f64();
        // Of time at the gate, in queues and between them there are a few seconds.
        assert!((age - slot).abs() <= slot * 0.1 + 5.0 * f64::from(minutes.min(9)), "{age} {slot}");
    }
    assert_eq!(ports.begun(HOST).len(), 20, "each with its second try");
    assert_eq!(ports.most_within(HOST, Duration::from_secs(1)), 1);
    assert_eq!(settled(&world).dead, 3);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_wants_a_pause_gets_it_and_is_then_brought_back_to_its_limit() {
    let world = World::with(vec![limited(per_second(20.0))]);
    let timed = Timed::new(&world);
    let ports = &timed;
    post(ports, 0..2_000).await;
    let until = ports.now().plus(Duration::from_secs(30));
    let mut health = Health::new("web".into(), "a".into());
    health = (&world).health(&"web".into(), &"a".into()).await.unwrap_or(health);
    let breaker = Breaker::default().hold(&policy().breaker, until, ports.now());
    assert!((&world).swap_breaker(&health, &breaker, false).await.unwrap());
    live(ports, || world.counts("a").delivered == 2_000).await;
    let begun = ports.begun(HOST);
    let in_second = |n: u64| {
        let from = begun[0].plus(Duration::from_secs(n));
        begun.iter().filter(|at| **at >= from && at.since(from) < Duration::from_secs(1)).count()
    };
    assert!(begun[0] >= until, "nothing before the end of the pause");
    assert!(in_second(0) <= 2 && in_second(2) <= 2, "{} {}", in_second(0), in_second(2));
    assert!((18..=20).contains(&in_second(24)), "{}", in_second(24));
    assert_eq!(ports.most_within(HOST, Duration::from_secs(1)), 20);
    assert_eq!(settled(&world).delivered, 2_000);
}

#[tokio::test(start_paused = true)]
async fn other_limits_count_within_half_a_minute() {
    let world = World::with(vec![limited(per_second(2.0))]);
    let timed = Timed::new(&world);
    let ports = &timed;
    post(ports, 0..1_000).await;
    let changing = async {
        ports.sleep(Duration::from_secs(10)).await;
        world.state().integrations[0] = limited(per_second(10.0));
    };
    join(changing, live(ports, || world.counts("a").delivered == 1_000)).await;
    let begun = ports.begun(HOST);
    // 32 s at two a second, and then it speeds up.
    let took = begun.last().unwrap().since(begun[0]).as_secs();
    assert!((30..=65).contains(&took), "{took} s for 200 deliveries");
    assert_eq!(ports.most_within(HOST, Duration::from_secs(1)), 10);
    assert_eq!(settled(&world).delivered, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_seen_while_a_probe_waits_for_its_turn() {
    let world = World::with(vec![limited(per_second(0.1))]);
    let timed = Timed { answers: |_| 500, ..Timed::new(&world) };
    let ports = &timed;
    backlog(&world, 3).await;
    open(&world, ports.now());
    let paused_at = Mutex::new(None);
    let operator = async {
        while ports.begun(HOST).is_empty() {
            ports.sleep(Duration::from_millis(100)).await;
        }
        // The second try may not go out before ten seconds are over.
        ports.sleep(Duration::from_secs(1)).await;
        let pause = Pause { at: ports.now(), reason: "operator".into() };
        (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
        *paused_at.lock().unwrap() = Some(ports.now());
    };
    join(operator, live(ports, || paused_at.lock().unwrap().is_some())).await;
    let paused_at = paused_at.lock().unwrap().unwrap();
    assert!(ports.begun(HOST).iter().all(|begun| *begun <= paused_at));
    assert_eq!(world.keys("parked/").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_over_when_the_probe_ends_stops_nothing() {
    let world = World::with(vec![integration("a")]);
    let timed = Timed { takes: Duration::from_secs(8), ..Timed::new(&world) };
    let ports = &timed;
    backlog(&world, 5).await;
    open(&world, ports.now());
    let operator = async {
        while ports.begun(HOST).is_empty() {
            ports.sleep(Duration::from_millis(100)).await;
        }
        let pause = Pause { at: ports.now(), reason: "operator".into() };
        (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
        ports.sleep(Duration::from_secs(4)).await;
        (&world).set_pause(&"web".into(), &"a".into(), None).await.unwrap();
    };
    let began = ports.now();
    join(operator, live(ports, || world.counts("a").delivered == 5)).await;
    let took = ports.now().since(began).as_secs();
    assert!(took < 60, "{took} s");
}

#[tokio::test(start_paused = true)]
async fn where_there_is_time_for_few_probes_the_next_pause_goes_on_after_them() {
    let world = World::with(vec![limited(per_second(0.1))]);
    let timed = Timed { answers: |_| 400, ..Timed::new(&world) };
    let ports = &timed;
    backlog(&world, 6).await;
    open(&world, ports.now());
    for _ in 0..8 {
        for message in world.take(Queue::Wake) {
            follow_one(ports, message).await;
        }
    }
    let state = world.state();
    let tried: std::collections::BTreeSet<_> =
        state.attempts.iter().map(|attempt| attempt.delivery.as_str()).collect();
    assert_eq!(tried.len(), 6, "{tried:?}");
}
