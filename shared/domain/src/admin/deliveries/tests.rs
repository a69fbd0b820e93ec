//! What an operator does with laid-aside deliveries, over the world in memory.

mod interleaved;
mod list;
mod purge;
mod read;
mod replay;
mod resume;

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Admin, Failure, Reply, fields::Fields};
use crate::{
    batch::Policy,
    delivery::Delivery,
    destination::Allowed,
    drain::{Drain, Retention, WakeEnd},
    health::Pause,
    key::hash,
    ledger::Counts,
    memory::{World, delivery, integration, policy},
    message::Wake,
    park::{lay_aside, park},
    parked::{ParkedKey, Place},
    ports::{HealthStore, LedgerStore, Ports, Queue, Services},
};

fn admin<P>(ports: P) -> Admin<P>
where
    P: Services,
{
    Admin::new(ports, hash("the admin key"), Allowed::default())
}

/// An answer: its status and its body.
fn answer(outcome: Result<Reply, Failure>) -> (u16, Value) {
    match outcome {
        Ok(reply) => (reply.status, serde_json::from_str(&reply.body.unwrap()).unwrap()),
        Err(Failure::Refused(problem)) => {
            (problem.status(), serde_json::from_str(&problem.body()).unwrap())
        }
        Err(Failure::Port(error)) => (503, json!(error.to_string())),
    }
}

fn fields(body: &Value) -> Fields {
    Fields::parse(body.to_string().as_bytes()).ok().unwrap()
}

async fn replay<P: Services>(admin: &Admin<P>, body: Value) -> (u16, Value) {
    answer(admin.replay_deliveries(&"web".into(), &"a".into(), fields(&body)).await)
}

async fn purge<P: Services>(admin: &Admin<P>, body: Value) -> (u16, Value) {
    answer(admin.purge_deliveries(&"web".into(), &"a".into(), fields(&body)).await)
}

/// Replays until all is done, with time for a lease to end in between.
async fn replay_all<P: Services>(world: &World, admin: &Admin<P>) {
    for _ in 0..40 {
        let (status, answer) = replay(admin, json!({})).await;
        if status == 200 && answer["done"] == true {
            return;
        }
        world.pass(Duration::from_secs(41));
    }
    panic!("a replay without an end");
}

/// Lays deliveries of one, two and three events in turn aside, a second apart, and counts them.
async fn lay(world: &World, place: Place, count: usize) {
    for n in 0..count {
        let one = Delivery {
            integration: "a".into(),
            began: world.time().minus(Duration::from_mins(241)),
            ..delivery(&format!("{}{n:03}", place.name()), n % 3 + 1)
        };
        let events = one.count();
        let mut counts = Counts { matched: events, ..Counts::default() };
        match place {
            Place::Dead => {
                lay_aside(&world, place, one).await.unwrap();
                counts.dead = events;
            }
            Place::Parked => {
                let (project, id) = ("web".into(), "a".into());
                park(&world, &project, &id, vec![one], world.time()).await[0].clone().unwrap();
                counts.parked = events;
            }
        }
        (&world).add_counts(&"a".into(), &world.time().hour(), &counts).await.unwrap();
        world.pass(Duration::from_secs(1));
    }
}

fn world() -> World {
    World::with(vec![integration("a")])
}

async fn pause(world: &World) {
    let pause = Pause { at: world.time(), reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
}

fn drain<P: Ports>(ports: P) -> Drain<P> {
    let days = |days: u64| Duration::from_hours(24 * days);
    let retention = Retention { parked: days(14), dead: days(30) };
    let policy: Policy = policy();
    Drain::new(ports, policy, Duration::from_secs(180), retention)
}

/// Follows wake-ups until there are none.
async fn follow<P: Ports>(world: &World, drain: &Drain<P>) {
    for _ in 0..200 {
        let wakes = world.take(Queue::Wake);
        if wakes.is_empty() {
            return;
        }
        for wake in wakes {
            world.pass(wake.delay);
            let read = Wake::decode(&wake.body).unwrap();
            while let WakeEnd::Again(wait) =
                drain.wake(&read, world.time().plus(Duration::from_secs(120))).await
            {
                world.pass(wait);
            }
        }
    }
    panic!("wake-ups without an end");
}

/// The deliveries that the endpoint got, in their order.
fn got(world: &World) -> Vec<String> {
    world.state().got.iter().map(|got| got.id.clone()).collect()
}

/// Events of the objects in a place.
fn events_in(world: &World, place: Place) -> i128 {
    let keys = world.keys(&place.prefix(&"a".into()));
    keys.iter().map(|key| i128::from(ParkedKey::parse(key).unwrap().count)).sum()
}

/// The ledger balances, and what waits is where it says.
fn balanced(world: &World) -> Counts {
    let counts = world.counts("a");
    assert!(counts.balances(), "{counts:?}");
    let there = [0, events_in(world, Place::Parked), events_in(world, Place::Dead)];
    assert_eq!(counts.waiting(), there, "{counts:?}");
    counts
}
