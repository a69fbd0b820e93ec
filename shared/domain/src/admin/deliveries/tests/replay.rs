use bytes::Bytes;

use super::*;
use crate::{
    gzip::gzip,
    memory::{Reply as Endpoint, START},
    message::{Aside, Scheduled},
};

#[tokio::test]
async fn the_dead_are_delivered_once_each_in_their_order_at_the_drains_pace() {
    let world = world();
    lay(&world, Place::Dead, 20).await;
    let names: Vec<_> = world.keys("dead/").iter().map(|key| key.replace("dead/", "")).collect();
    let (status, answer) = replay(&admin(&world), json!({})).await;
    let events = 7 * 6 - 3;
    let expected = json!({
        "deliveries": 20, "events": events, "skipped": 0, "done": true, "dry_run": false,
        "to": world.time().0 + 1, "next": null,
    });
    assert_eq!((status, answer), (200, expected));
    let parked: Vec<_> =
        world.keys("parked/").iter().map(|key| key.replace("parked/", "")).collect();
    assert_eq!((parked, world.keys("dead/").len()), (names, 0), "under the same names");
    assert_eq!(balanced(&world).undead, events);
    assert_eq!(world.sent(Queue::Wake).len(), 1);

    follow(&world, &drain(&world)).await;
    let expected: Vec<_> = (0..20).map(|n| format!("dead{n:03}")).collect();
    assert_eq!(got(&world), expected);
    let times: Vec<_> = world.state().got.iter().map(|got| got.at).collect();
    assert!(times[1].since(times[0]).as_millis() >= 980, "it begins with one a second");
    assert!(times[19].since(times[0]).as_secs() >= 8, "and is no burst");
    assert_eq!(balanced(&world).delivered, events);
}

#[tokio::test]
async fn a_replayed_delivery_has_its_whole_schedule_before_it() {
    let world = world();
    lay(&world, Place::Dead, 2).await;
    world.pass(Duration::from_hours(50));
    replay(&admin(&world), json!({})).await;
    let key = &world.keys("parked/")[0];
    assert_eq!(Aside::decode(&world.state().objects[key].1).unwrap().age_ms, 0);
    world.reply("a", Endpoint::Poison("dead000".into()));
    follow(&world, &drain(&world)).await;
    let sent = world.sent(Queue::Retry);
    let scheduled = Scheduled::decode(&sent[0].body).unwrap();
    assert!(world.time().since(scheduled.delivery.began) < Duration::from_secs(10));
    assert_eq!(world.counts("a").waiting(), [1, 0, 0]);
    assert!(world.counts("a").balances());
}

#[tokio::test]
async fn a_span_of_time_is_replayed_and_a_dry_run_changes_nothing() {
    let world = world();
    lay(&world, Place::Dead, 6).await;
    let second = |n: i64| START.0 + n * 1000;
    let span = |dry_run| json!({"from": second(1), "to": second(3), "dry_run": dry_run});
    let admin = admin(&world);
    let before = world.state().objects.clone();
    let (status, answer) = replay(&admin, span(true)).await;
    assert_eq!((status, &answer["dry_run"], &answer["done"]), (200, &json!(true), &json!(true)));
    assert_eq!((&answer["deliveries"], &answer["events"]), (&json!(2), &json!(5)));
    assert_eq!(answer["to"], second(3), "the end that was given");
    assert_eq!(world.state().objects, before);
    for call in ["take_lease", "mark_backlog", "put", "delete"] {
        let called = world.state().calls.get(call).copied().unwrap_or_default();
        assert_eq!(called, usize::from(call == "put") * 6, "{call}: only what laid them aside");
    }

    let (_, answer) = replay(&admin, span(false)).await;
    assert_eq!((&answer["deliveries"], &answer["events"]), (&json!(2), &json!(5)));
    let left: Vec<_> = world.keys("dead/").iter().map(|key| key[21..28].to_owned()).collect();
    assert_eq!(left, ["dead000", "dead003", "dead004", "dead005"], "from is in it, to is not");
    let (_, answer) = replay(&admin, span(false)).await;
    assert_eq!((&answer["deliveries"], &answer["done"]), (&json!(0), &json!(true)));
    balanced(&world);
}

#[tokio::test]
async fn whichever_call_fails_a_repeated_replay_loses_nothing_and_sends_nothing_twice() {
    for call in [
        "integration",
        "take_lease",
        "list",
        "get",
        "put",
        "mark_backlog",
        "delete",
        "release_lease",
    ] {
        for times in [1, 2, 3, 20] {
            let world = world();
            lay(&world, Place::Dead, 40).await;
            let admin = admin(&world);
            world.fail(call, times);
            let (status, first) = replay(&admin, json!({})).await;
            if call != "release_lease" {
                let stopped = status == 503 || first["done"] == false;
                assert!(stopped, "{call} {times}: {first}");
                assert!(status == 200 || first["deliveries"].is_null(), "{call} {times}: {first}");
            }
            // Where a deletion failed there is a copy, which counts as nothing yet.
            assert!(world.counts("a").balances(), "{call} {times}");
            world.pass(Duration::from_secs(41));
            replay_all(&world, &admin).await;
            balanced(&world);
            follow(&world, &drain(&world)).await;
            let expected: Vec<_> = (0..40).map(|n| format!("dead{n:03}")).collect();
            assert_eq!(got(&world), expected, "{call} {times}");
            let counts = balanced(&world);
            assert_eq!(counts.delivered, counts.matched, "{call} {times}");
        }
    }
}

/// Copies count as parked only when their originals are gone.
#[tokio::test]
async fn where_the_backlog_cannot_be_marked_the_copies_are_taken_back() {
    let world = world();
    lay(&world, Place::Dead, 5).await;
    world.fail("mark_backlog", 1);
    assert_eq!(replay(&admin(&world), json!({})).await.0, 503);
    assert_eq!((world.keys("parked/").len(), world.keys("dead/").len()), (0, 5));
}

#[tokio::test]
async fn a_throttled_ledger_is_written_in_the_end() {
    let world = world();
    lay(&world, Place::Dead, 5).await;
    world.fail("add_counts", 1);
    replay(&admin(&world), json!({})).await;
    balanced(&world);
}

/// The worst: the copies are there and marked, and their originals are not deleted.
#[tokio::test]
async fn where_the_drainer_was_faster_than_the_next_replay_it_is_a_repeat_under_the_same_id() {
    let world = world();
    lay(&world, Place::Dead, 3).await;
    let admin = admin(&world);
    world.fail("delete", 3);
    assert_eq!(replay(&admin, json!({})).await.0, 503);
    follow(&world, &drain(&world)).await;
    assert_eq!(got(&world), ["dead000", "dead001", "dead002"]);
    replay_all(&world, &admin).await;
    follow(&world, &drain(&world)).await;
    assert_eq!(got(&world)[3..], got(&world)[..3]);
    assert!(world.keys("").is_empty(), "nothing is left behind");
}

#[tokio::test]
async fn what_cannot_be_read_is_left_alone_and_told() {
    let world = world();
    lay(&world, Place::Dead, 3).await;
    let keys = world.keys("dead/");
    {
        let mut state = world.state();
        let at = state.objects[&keys[0]].0;
        let newer = Bytes::from(gzip(br#"{"v":2}"#));
        state.objects.insert(keys[0].clone(), (at, newer));
        state.objects.insert(keys[2].clone(), (at, Bytes::from_static(b"not gzip")));
    }
    let admin = admin(&world);
    let (status, answer) = replay(&admin, json!({})).await;
    assert_eq!((status, &answer["done"], &answer["skipped"]), (200, &json!(true), &json!(2)));
    assert_eq!((&answer["deliveries"], &answer["events"]), (&json!(1), &json!(2)));
    assert_eq!(world.keys("dead/"), [keys[0].clone(), keys[2].clone()]);
    balanced(&world);
    for (key, why) in [(&keys[0], "format version 2 is newer than 1"), (&keys[2], "not readable")] {
        let (status, answer) = one(&admin, key).await;
        assert_eq!((status, &answer["type"]), (422, &json!("urn:flagpost:problem:unreadable")));
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.starts_with(why) && detail.contains(key.as_str()), "{detail}");
    }
}

async fn one<P: Services>(admin: &Admin<P>, key: &str) -> (u16, Value) {
    let key = ParkedKey::parse(key).unwrap();
    answer(admin.replay_delivery(&"web".into(), &key, fields(&json!({}))).await)
}

#[tokio::test]
async fn one_delivery_is_replayed_and_asking_again_does_no_harm() {
    let world = world();
    lay(&world, Place::Dead, 3).await;
    let admin = admin(&world);
    let key = world.keys("dead/")[1].clone();
    let expected = |deliveries, events| {
        json!({
            "deliveries": deliveries, "events": events, "skipped": 0, "done": true,
            "dry_run": false, "to": null, "next": null,
        })
    };
    assert_eq!(one(&admin, &key).await, (200, expected(1, 2)));
    assert_eq!((world.keys("parked/").len(), world.keys("dead/").len()), (1, 2));
    assert_eq!(one(&admin, &key).await, (200, expected(0, 0)), "it is parked already");
    let parked = world.keys("parked/")[0].clone();
    assert_eq!(one(&admin, &parked).await, (200, expected(0, 0)));
    balanced(&world);
    follow(&world, &drain(&world)).await;
    assert_eq!(got(&world), ["dead001"]);
    assert_eq!(balanced(&world).delivered, 2);
    for key in [&key, &parked] {
        let (status, answer) = one(&admin, key).await;
        assert_eq!((status, &answer["type"]), (404, &json!("urn:flagpost:problem:not-found")));
    }
}

#[tokio::test]
async fn a_parked_delivery_without_a_timer_is_woken_by_its_replay() {
    let world = world();
    lay(&world, Place::Parked, 1).await;
    world.state().health.clear();
    world.take(Queue::Wake);
    assert_eq!(one(&admin(&world), &world.keys("parked/")[0].clone()).await.0, 200);
    follow(&world, &drain(&world)).await;
    assert_eq!(got(&world), ["parked000"]);
}

#[tokio::test]
async fn two_replays_at_once_take_turns() {
    let world = world();
    lay(&world, Place::Dead, 2).await;
    let (now, lease) = (world.time(), "a.dead".into());
    let until = now.plus(Duration::from_secs(40));
    (&world).take_lease(&"web".into(), &lease, "other", now, until).await.unwrap();
    let admin = admin(&world);
    let key = world.keys("dead/")[0].clone();
    let refused = [
        replay(&admin, json!({})).await,
        one(&admin, &key).await,
        purge(&admin, json!({"state": "dead"})).await,
    ];
    for (status, answer) in refused {
        assert_eq!((status, &answer["type"]), (409, &json!("urn:flagpost:problem:conflict")));
    }
    assert_eq!(replay(&admin, json!({"dry_run": true})).await.0, 200);
    assert_eq!(world.keys("dead/").len(), 2);
    world.pass(Duration::from_secs(41));
    assert_eq!(replay(&admin, json!({})).await.1["deliveries"], 2);
    assert_eq!(replay(&admin, json!({})).await.0, 200, "the lease was released");
    balanced(&world);
}

#[tokio::test]
async fn every_fault_of_a_request_is_named() {
    let world = world();
    let admin = admin(&world);
    let bad = json!({"from": 5, "to": 5, "cursor": "?", "dry_run": 1, "state": "dead"});
    let (status, answer) = replay(&admin, bad).await;
    let errors = answer["errors"].as_array().unwrap();
    let mut named: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!((status, named), (400, vec!["cursor", "dry_run", "state", "to"]));
    let unknown = admin.replay_deliveries(&"web".into(), &"b".into(), fields(&json!({}))).await;
    assert_eq!(super::answer(unknown).0, 404);
}
