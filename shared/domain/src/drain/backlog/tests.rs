use super::*;
use crate::{
    drain::tests::{EVER, drain},
    health::Health,
    memory::{START, World},
    metrics::Metric,
    notice::Change,
    park::mark,
    ports::HealthStore,
};

const HOUR: Duration = Duration::from_hours(1);

/// Lays a delivery into `parked/`, under a name of this time.
async fn put(world: &World, id: &str, at: Timestamp, delivery: &str) {
    let key = ParkedKey {
        place: Place::Parked,
        integration: id.into(),
        at,
        delivery: delivery.into(),
        count: 2,
    };
    world.put(&key.text(), bytes::Bytes::new()).await.unwrap();
}

fn listings(world: &World) -> usize {
    world.state().calls.get("list").copied().unwrap_or_default()
}

#[tokio::test]
async fn one_listing_is_enough_where_names_tell_the_age() {
    let world = World::new();
    for n in 0..1_500 {
        put(&world, "a", world.time(), &format!("d{n:04}")).await;
        world.pass(Duration::from_secs(1));
    }
    let parked = drain(&world).parked(&"a".into()).await.unwrap();
    assert_eq!(parked, Parked { deliveries: 1_000, events: 2_000, oldest: Some(START) });
    assert_eq!(listings(&world), 1);
}

#[tokio::test]
async fn what_was_replayed_does_not_hide_what_is_parked_for_longer() {
    for (replayed, listed, exact) in [(10, 1, true), (2_500, 3, true), (10_000, 10, false)] {
        let world = World::new();
        world.pass(HOUR);
        put(&world, "a", world.time(), "parked").await;
        let oldest = world.time();
        world.pass(HOUR);
        for n in 0..replayed {
            put(&world, "a", START, &format!("dead{n:05}")).await;
        }
        let parked = drain(&world).parked(&"a".into()).await.unwrap();
        let expected = if exact { oldest } else { world.time() };
        assert_eq!(parked.oldest, Some(expected), "{replayed}");
        assert_eq!(parked.deliveries, 1_000.min(replayed + 1));
        assert_eq!(listings(&world), listed, "{replayed}");
    }
}

#[tokio::test]
async fn of_too_many_the_old_ones_are_found_in_turn_and_looked_at_from_then_on() {
    let world = World::new();
    let (project, id) = ("web".into(), |n: usize| format!("i{n:04}"));
    let old = id(1_777);
    put(&world, &old, world.time(), "d").await;
    world.pass(HOUR * 2);
    for n in 0..2_000 {
        if id(n) != old {
            put(&world, &id(n), world.time(), "d").await;
        }
        // The old one is due last of all.
        let due = if id(n) == old { HOUR * 9 } else { Duration::ZERO };
        mark(&&world, &project, &id(n).as_str().into(), world.time().plus(due)).await.unwrap();
    }
    let drain = drain(&world);
    let mut ages = Vec::new();
    for _ in 0..8 {
        let before = listings(&world);
        let timers = (&world).overdue(Timestamp(i64::MAX)).await.unwrap();
        drain.measure_backlog(&timers, EVER).await;
        assert_eq!(listings(&world) - before, MEASURED);
        let measured = drain.metrics().take();
        let age = measured.iter().find_map(|one| one.counts.get(&Metric::BacklogAge).copied());
        ages.push(Duration::from_secs(age.unwrap_or_default()) >= HOUR);
        world.pass(SWEEP);
    }
    let found = ages.iter().position(|old| *old).unwrap();
    assert!(found < 4 && ages[found..].iter().all(|old| *old), "{ages:?}");
    let state = world.state();
    let told = state.notices.iter();
    let told = told.filter(|notice| matches!(notice.change, Change::BacklogOld { .. }));
    assert_eq!(told.map(|notice| notice.integration.as_str()).collect::<Vec<_>>(), [old]);
}

#[test]
fn a_sweep_looks_at_so_many_at_most_and_at_none_twice() {
    let timer = |n: i64, told| {
        let mut health = Health::new("web".into(), format!("i{n:04}").as_str().into());
        health.told_old_at = told;
        Timer { health, due: START }
    };
    for (old, others, expected_old) in [
        (0, 900, 0),
        (900, 0, 900),
        (3, 2_000, 3),
        (700, 600, 500),
        (1_500, 0, 1_000),
        (800, 201, 799),
    ] {
        let timers: Vec<_> = (0..old)
            .map(|n| timer(n, Some(Timestamp(9_999 - n))))
            .chain((old..old + others).map(|n| timer(n, None)))
            .collect();
        for sweep in 0..5 {
            let chosen = chosen(&timers, START.plus(SWEEP * sweep));
            let mut ids: Vec<_> = chosen.iter().map(|timer| &timer.health.integration).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), chosen.len(), "{old} {others}");
            let known: Vec<_> =
                chosen.iter().filter_map(|timer| timer.health.told_old_at).collect();
            assert_eq!(known.len(), expected_old, "{old} {others}");
            // The first told is among them.
            assert!(old == 0 || known.contains(&Timestamp(10_000 - old)), "{old} {others}");
        }
    }
}
