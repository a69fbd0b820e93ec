use super::*;
use crate::{integration::Integration, memory::START};

#[tokio::test]
async fn the_dead_are_purged_and_counted_as_discarded() {
    let world = world();
    lay(&world, Place::Dead, 6).await;
    lay(&world, Place::Parked, 1).await;
    let admin = admin(&world);
    let span = |dry_run| json!({"state": "dead", "from": START.0 + 1_000, "dry_run": dry_run});
    let swept = |dry_run| {
        json!({
            "deliveries": 5, "events": 11, "skipped": 0, "done": true, "dry_run": dry_run,
            "to": world.time().0 + 1, "next": null,
        })
    };
    assert_eq!(purge(&admin, span(true)).await, (200, swept(true)));
    assert_eq!(world.keys("dead/").len(), 6);
    assert_eq!(purge(&admin, span(false)).await, (200, swept(false)));
    assert_eq!((world.keys("dead/").len(), world.keys("parked/").len()), (1, 1));
    let counts = balanced(&world);
    assert_eq!((counts.undead, counts.discarded, counts.unparked), (11, 11, 0));
    assert_eq!(purge(&admin, span(false)).await.1["deliveries"], 0);
    assert_eq!(balanced(&world), counts);
}

#[tokio::test]
async fn what_dies_after_it_was_counted_is_not_purged_with_what_was() {
    let world = world();
    lay(&world, Place::Dead, 3).await;
    let admin = admin(&world);
    let (_, counted) = purge(&admin, json!({"state": "dead", "dry_run": true})).await;
    assert_eq!(counted["to"], world.time().0 + 1, "its own clock, where no end was given");
    world.pass(Duration::from_secs(10));
    lay(&world, Place::Dead, 2).await;
    let confirmed = json!({"state": "dead", "to": counted["to"]});
    let (_, purged) = purge(&admin, confirmed).await;
    assert_eq!(purged["deliveries"], counted["deliveries"]);
    assert_eq!(purged["to"], counted["to"]);
    assert_eq!(world.keys("dead/").len(), 2);
    balanced(&world);
}

#[tokio::test]
async fn the_end_that_was_used_can_be_sent_again_whatever_was_asked() {
    let world = world();
    let admin = admin(&world);
    let now = world.time().0;
    for (span, end) in [
        (json!({}), now + 1),
        (json!({"to": now - 5_000}), now - 5_000),
        (json!({"to": now + 5_000}), now + 1),
        (json!({"from": now + 5_000}), now + 5_001),
    ] {
        let mut body = span.clone();
        body["state"] = "dead".into();
        for _ in 0..2 {
            let (status, answer) = purge(&admin, body.clone()).await;
            assert_eq!((status, &answer["to"]), (200, &json!(end)), "{body}");
            body["to"] = answer["to"].clone();
        }
    }
}

#[tokio::test]
async fn the_parked_are_purged_only_while_nothing_can_drain_them() {
    let world = world();
    lay(&world, Place::Parked, 4).await;
    let admin = admin(&world);
    let all = json!({"state": "parked"});
    let conflict = "urn:flagpost:problem:conflict";
    // A dry run is refused as well: nobody is to be asked about what will not be done.
    let dry_run = json!({"state": "parked", "dry_run": true});
    for body in [&all, &dry_run] {
        let (status, answer) = purge(&admin, body.clone()).await;
        assert_eq!((status, &answer["type"]), (409, &json!(conflict)), "{body}");
        assert!(answer["detail"].as_str().unwrap().contains("pause it first"), "{answer}");
    }

    pause(&world).await;
    assert_eq!(purge(&admin, dry_run).await.1["deliveries"], 4);
    let until = world.time().plus(Duration::from_secs(60));
    (&world).take_lease(&"web".into(), &"a".into(), "drain", world.time(), until).await.unwrap();
    let (status, answer) = purge(&admin, all.clone()).await;
    assert_eq!((status, &answer["type"]), (409, &json!(conflict)));
    assert!(answer["detail"].as_str().unwrap().contains("try again"), "{answer}");
    assert_eq!(world.keys("parked/").len(), 4);

    (&world).release_lease(&"a".into(), "drain").await.unwrap();
    assert_eq!(purge(&admin, all).await.1["deliveries"], 4);
    let counts = balanced(&world);
    assert_eq!((counts.unparked, counts.discarded), (7, 7));
    let health = world.health_of("a");
    assert_eq!((health.lease, health.next_wake_at), (None, None), "there is nothing to wake for");
}

#[tokio::test]
async fn what_a_disabled_integration_has_parked_can_be_purged() {
    let world = World::with(vec![Integration { enabled: false, ..integration("a") }]);
    lay(&world, Place::Parked, 2).await;
    assert_eq!(purge(&admin(&world), json!({"state": "parked"})).await.1["deliveries"], 2);
    balanced(&world);
}

#[tokio::test]
async fn whichever_call_fails_a_repeated_purge_counts_each_once() {
    for place in [Place::Dead, Place::Parked] {
        for call in ["health", "take_lease", "list", "delete", "add_counts", "release_lease"] {
            for times in [1, 3, 20] {
                let world = world();
                lay(&world, place, 40).await;
                pause(&world).await;
                let admin = admin(&world);
                world.fail(call, times);
                for _ in 0..40 {
                    let (status, answer) = purge(&admin, json!({"state": place.name()})).await;
                    if status == 200 && answer["done"] == true {
                        break;
                    }
                    world.pass(Duration::from_secs(41));
                }
                assert!(world.keys("").is_empty(), "{call} {times}");
                // A ledger that is throttled for so long is written with the next that is counted.
                world.state().broken.clear();
                lay(&world, place, 1).await;
                world.pass(Duration::from_secs(41));
                purge(&admin, json!({"state": place.name()})).await;
                let counts = balanced(&world);
                assert_eq!(counts.discarded, counts.matched, "{place:?} {call} {times}");
            }
        }
    }
}

#[tokio::test]
async fn a_part_of_the_backlog_that_is_left_keeps_its_timer() {
    let world = world();
    lay(&world, Place::Parked, 4).await;
    (&world).mark_told(&"a".into(), world.time()).await.unwrap();
    pause(&world).await;
    let admin = admin(&world);
    let to = world.time().minus(Duration::from_secs(2)).0;
    let (_, purged) = purge(&admin, json!({"state": "parked", "to": to})).await;
    assert_eq!((&purged["deliveries"], &purged["done"]), (&json!(2), &json!(true)));
    let health = world.health_of("a");
    assert!(
        health.next_wake_at.is_some() && health.told_old_at.is_some() && health.lease.is_none()
    );
    purge(&admin, json!({"state": "parked"})).await;
    let health = world.health_of("a");
    // The next backlog that gets old is told of again.
    assert_eq!((health.next_wake_at, health.told_old_at, health.lease), (None, None, None));
}

/// Between the look at its pause and the lease somebody resumed it, or enabled it.
#[tokio::test]
async fn what_was_resumed_or_enabled_meanwhile_is_not_purged() {
    for paused in [true, false] {
        let world = World::with(vec![Integration { enabled: paused, ..integration("a") }]);
        lay(&world, Place::Parked, 3).await;
        if paused {
            pause(&world).await;
        }
        world.state().before_lease = Some(Box::new(|state| {
            state.health.get_mut(&"a".into()).unwrap().0.pause = None;
            state.integrations[0].enabled = true;
        }));
        let (status, _) = purge(&admin(&world), json!({"state": "parked"})).await;
        assert_eq!((status, world.keys("parked/").len()), (409, 3), "{paused}");
        assert_eq!(world.health_of("a").lease, None);
    }
}
