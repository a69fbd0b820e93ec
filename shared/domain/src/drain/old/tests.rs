use std::time::Duration;

use crate::{
    drain::{
        WakeEnd,
        tests::{EVER, backlog, drain, open},
    },
    health::Pause,
    memory::{Reply, World, integration},
    message::Wake,
    notice::Change,
    ports::{HealthStore, Queue},
};

/// Follows every wake-up that there is. A long pause is longer than a message can be delayed: one
/// that comes early is waited for again.
async fn follow(world: &World) {
    for sent in world.take(Queue::Wake) {
        world.pass(sent.delay);
        let wake = Wake::decode(&sent.body).unwrap();
        let deadline = || world.time().plus(Duration::from_secs(120));
        while let WakeEnd::Again(wait) = Box::pin(drain(world).wake(&wake, deadline())).await {
            world.pass(wait);
        }
    }
}

fn told(world: &World) -> usize {
    let state = world.state();
    let old = |change: &Change| matches!(change, Change::BacklogOld { .. });
    state.notices.iter().filter(|notice| old(&notice.change)).count()
}

#[tokio::test]
async fn an_old_backlog_is_told_of_once_until_it_is_empty() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::Status(500));
    backlog(&world, 2).await;
    open(&world, world.time());
    for _ in 0..3 {
        follow(&world).await;
    }
    assert_eq!(told(&world), 0, "it is young");
    world.pass(Duration::from_hours(2));
    for _ in 0..5 {
        follow(&world).await;
    }
    assert_eq!(told(&world), 1);
    world.reply("a", Reply::Status(200));
    for _ in 0..5 {
        follow(&world).await;
    }
    assert_eq!(world.keys("parked/"), Vec::<String>::new());
    assert_eq!(world.health_of("a").told_old_at, None);
}

#[tokio::test]
async fn of_one_that_is_paused_the_sweep_tells() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    let pause = Pause { at: world.time(), reason: "operator".into() };
    (&world).set_pause(&"web".into(), &"a".into(), Some(&pause)).await.unwrap();
    world.pass(Duration::from_hours(2));
    let soon = world.time().plus(Duration::from_secs(5));
    drain(&world).sweep(soon).await.unwrap();
    assert_eq!(told(&world), 0, "there is no time to tell, and so it is not marked as told");
    for _ in 0..3 {
        drain(&world).sweep(EVER).await.unwrap();
    }
    assert_eq!(told(&world), 1);
}

/// Between the look and the telling a drain may have finished.
#[tokio::test]
async fn of_what_is_gone_meanwhile_nobody_tells() {
    let world = World::with(vec![integration("a")]);
    backlog(&world, 1).await;
    let before = world.health_of("a");
    let oldest = world.time();
    follow(&world).await;
    assert_eq!(world.health_of("a").next_wake_at, None);
    world.pass(Duration::from_hours(2));
    drain(&world).tell_if_older(&before, oldest).await;
    assert_eq!((told(&world), world.health_of("a").told_old_at), (0, None));
}
