//! Several at once, call by call: every call to the bucket lets others go first as often as chance
//! wants, and takes its time.

use std::{future::Future, sync::Mutex, task::Poll};

use bytes::Bytes;
use futures_util::future::{join, poll_fn};

use super::*;
use crate::ports::{Listed, Objects, PortResult};

/// The world with a bucket that lets others go first.
struct Slow<'a> {
    world: &'a World,
    bucket: Bucket<'a>,
}

struct Bucket<'a> {
    world: &'a World,
    chance: Mutex<u64>,
    takes: Duration,
}

impl<'a> Slow<'a> {
    fn new(world: &'a World, chance: u64, takes: Duration) -> Self {
        Self { world, bucket: Bucket { world, chance: Mutex::new(chance), takes } }
    }
}

impl Bucket<'_> {
    async fn wait(&self) {
        let turns = {
            let mut chance = self.chance.lock().unwrap();
            *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (*chance >> 33) % 4
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.world.pass(self.takes);
    }
}

impl Objects for Bucket<'_> {
    async fn put(&self, key: &str, body: Bytes) -> PortResult<()> {
        self.wait().await;
        self.world.put(key, body).await
    }
    async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        self.wait().await;
        self.world.get(key).await
    }
    async fn delete(&self, key: &str) -> PortResult<()> {
        self.wait().await;
        self.world.delete(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        self.wait().await;
        self.world.list(prefix, after).await
    }
}

impl<'a> Services for &Slow<'a> {
    type Clock = &'a World;
    type Random = &'a World;
    type Queues = &'a World;
    type Store = &'a World;
    type Objects = Bucket<'a>;
    type Notices = &'a World;

    fn clock(&self) -> &&'a World {
        &self.world
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
    fn objects(&self) -> &Bucket<'a> {
        &self.bucket
    }
    fn notices(&self) -> &&'a World {
        &self.world
    }
}

impl<'a> Ports for &Slow<'a> {
    type Sender = &'a World;

    fn sender(&self) -> &&'a World {
        &self.world
    }
}

fn each_once(world: &World, expected: impl IntoIterator<Item = String>) {
    let mut got = got(world);
    got.sort();
    let mut expected: Vec<_> = expected.into_iter().collect();
    expected.sort();
    assert_eq!(got, expected);
}

fn named(what: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("{what}{n:03}"))
}

#[tokio::test]
async fn a_replay_beside_a_drain_delivers_each_once() {
    for seed in 0..40 {
        let world = world();
        lay(&world, Place::Dead, 60).await;
        lay(&world, Place::Parked, 20).await;
        let slow = Slow::new(&world, seed, Duration::ZERO);
        let (admin, drain) = (admin(&slow), drain(&slow));
        Box::pin(join(replay_all(&world, &admin), follow(&world, &drain))).await;
        follow(&world, &drain).await;
        each_once(&world, named("dead", 60).chain(named("parked", 20)));
        let counts = balanced(&world);
        assert_eq!(counts.delivered, counts.matched, "seed {seed}");
        assert_eq!(world.health_of("a").next_wake_at, None, "seed {seed}");
    }
}

#[tokio::test]
async fn two_replays_and_a_purge_at_once_count_each_once() {
    for seed in 0..40 {
        let world = world();
        lay(&world, Place::Dead, 60).await;
        let slow = Slow::new(&world, seed, Duration::ZERO);
        let (one, other, drain) = (admin(&slow), admin(&slow), drain(&slow));
        let purging = async {
            let mut done = false;
            while !done {
                let (status, answer) = purge(&other, json!({"state": "dead"})).await;
                done = status == 200 && answer["done"] == true;
                tokio::task::yield_now().await;
            }
        };
        join(join(replay(&one, json!({})), replay(&other, json!({}))), purging).await;
        follow(&world, &drain).await;
        let counts = balanced(&world);
        assert_eq!(counts.delivered + counts.discarded, counts.matched, "seed {seed}");
        let mut ids = got(&world);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), got(&world).len(), "seed {seed}");
    }
}

#[tokio::test]
async fn a_purge_after_a_pause_beside_a_drain_takes_what_the_drain_did_not() {
    let (mut delivered, mut discarded) = (0, 0);
    for seed in 0..40 {
        let world = world();
        lay(&world, Place::Parked, 40).await;
        let slow = Slow::new(&world, seed, Duration::from_millis(seed));
        let (admin, drain) = (admin(&slow), drain(&slow));
        let purging = async {
            for _ in 0..20 * seed {
                tokio::task::yield_now().await;
            }
            pause(&world).await;
            let mut status = 0;
            while status != 200 {
                status = purge(&admin, json!({"state": "parked"})).await.0;
                tokio::task::yield_now().await;
            }
        };
        Box::pin(join(follow(&world, &drain), purging)).await;
        let counts = balanced(&world);
        assert_eq!(counts.delivered + counts.discarded, counts.matched, "seed {seed}");
        assert!(world.keys("").is_empty(), "seed {seed}");
        delivered += counts.delivered;
        discarded += counts.discarded;
    }
    assert!(delivered > 0 && discarded > 0, "{delivered} {discarded}");
}

async fn turns(turns: u64) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

async fn expire<P: Ports>(world: &World, drain: &Drain<P>) {
    drain.expire(world.time().plus(Duration::from_secs(120))).await.unwrap();
}

/// All ended in one way or another, and each in one only.
fn each_ended_once(world: &World, seed: u64) -> Counts {
    let counts = balanced(world);
    let ended = counts.delivered + counts.discarded + counts.expired;
    assert_eq!(ended, counts.matched, "seed {seed}: {counts:?}");
    assert!(world.keys("").is_empty(), "seed {seed}");
    let mut ids = got(world);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), got(world).len(), "seed {seed}");
    counts
}

#[tokio::test]
async fn what_expires_beside_a_replay_or_a_purge_has_one_end() {
    let mut total = Counts::default();
    for seed in 0..60 {
        let world = world();
        lay(&world, Place::Dead, 60).await;
        world.pass(Duration::from_hours(24 * 30));
        let slow = Slow::new(&world, seed, Duration::ZERO);
        let (admin, other, drain) = (admin(&slow), admin(&slow), drain(&slow));
        let replaying = async {
            turns(seed % 3 * 20).await;
            replay(&admin, json!({})).await
        };
        let purging = async {
            turns(seed % 4 * 20).await;
            purge(&other, json!({"state": "dead"})).await
        };
        let expiring = async {
            turns(seed % 5 * 20).await;
            expire(&world, &drain).await;
        };
        join(join(replaying, purging), expiring).await;
        follow(&world, &drain).await;
        // Whoever had no turn comes again.
        expire(&world, &drain).await;
        total += each_ended_once(&world, seed);
    }
    assert!(total.delivered > 0 && total.discarded > 0 && total.expired > 0, "{total:?}");
}

#[tokio::test]
async fn what_expires_beside_a_drain_has_one_end() {
    let mut total = Counts::default();
    for seed in 0..60 {
        let world = world();
        lay(&world, Place::Parked, 40).await;
        world.pass(Duration::from_hours(24 * 14));
        let slow = Slow::new(&world, seed, Duration::ZERO);
        let (drain, other) = (drain(&slow), drain(&slow));
        let draining = async {
            turns(seed % 3 * 20).await;
            follow(&world, &drain).await;
        };
        let expiring = async {
            turns(seed % 4 * 20).await;
            expire(&world, &other).await;
        };
        Box::pin(join(draining, expiring)).await;
        total += each_ended_once(&world, seed);
    }
    assert!(total.delivered > 0 && total.expired > 0, "{total:?}");
}

/// The function is killed at any call to the bucket.
#[tokio::test]
async fn wherever_a_replay_stops_nothing_is_lost_and_the_next_goes_on() {
    for steps in 0.. {
        let world = world();
        lay(&world, Place::Dead, 40).await;
        let slow = Slow::new(&world, steps, Duration::ZERO);
        let admin = admin(&slow);
        let mut killed = Box::pin(replay(&admin, json!({})));
        let mut ended = false;
        for _ in 0..steps {
            ended = poll_fn(|context| Poll::Ready(killed.as_mut().poll(context).is_ready())).await;
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(killed);
        let there = |place: Place| {
            let prefix = place.prefix(&"a".into());
            let keys = world.keys(&prefix);
            keys.into_iter().map(move |key| key.replace(&prefix, "")).collect::<Vec<_>>()
        };
        let mut anywhere = [there(Place::Dead), there(Place::Parked)].concat();
        anywhere.sort();
        anywhere.dedup();
        assert_eq!(anywhere.len(), 40, "after {steps} steps");
        world.pass(Duration::from_secs(41));
        replay_all(&world, &admin).await;
        follow(&world, &drain(&world)).await;
        each_once(&world, named("dead", 40));
        if ended {
            assert!(steps > 10, "{steps}");
            return;
        }
    }
}

#[tokio::test]
async fn work_is_bounded_in_time_and_called_again_it_goes_on() {
    let world = world();
    lay(&world, Place::Dead, 1_000).await;
    let slow = Slow::new(&world, 1, Duration::from_millis(20));
    let admin = admin(&slow);
    let (mut calls, mut deliveries) = (0, 0);
    loop {
        let began = world.time();
        let (status, answer) = replay(&admin, json!({})).await;
        assert_eq!(status, 200);
        assert!(world.time().since(began) < Duration::from_secs(25));
        calls += 1;
        deliveries += answer["deliveries"].as_u64().unwrap();
        balanced(&world);
        if answer["done"] == true {
            break;
        }
    }
    assert_eq!(deliveries, 1_000);
    assert!(calls > 2, "{calls}");

    pause(&world).await;
    let (mut calls, mut deliveries) = (0, 0);
    loop {
        let began = world.time();
        let (status, answer) = purge(&admin, json!({"state": "parked"})).await;
        assert_eq!(status, 200);
        assert!(world.time().since(began) < Duration::from_secs(25));
        calls += 1;
        deliveries += answer["deliveries"].as_u64().unwrap();
        balanced(&world);
        if answer["done"] == true {
            break;
        }
    }
    assert_eq!(deliveries, 1_000);
    assert!(calls >= 2, "{calls}");
}

#[tokio::test]
async fn a_long_dry_run_goes_on_from_its_cursor() {
    let world = world();
    lay(&world, Place::Dead, 3_500).await;
    let slow = Slow::new(&world, 1, Duration::from_secs(10));
    let admin = admin(&slow);
    let (mut body, mut counted, mut calls) = (json!({"dry_run": true}), 0, 0);
    loop {
        let (_, answer) = replay(&admin, body.clone()).await;
        counted += answer["deliveries"].as_u64().unwrap();
        calls += 1;
        if answer["done"] == true {
            break;
        }
        body["cursor"] = answer["next"].clone();
    }
    assert_eq!(counted, 3_500);
    assert!(calls > 1, "{calls}");
}
