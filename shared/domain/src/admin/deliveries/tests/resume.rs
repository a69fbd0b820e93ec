use super::*;
use crate::notice::{By, Change};

async fn resume<P: Services>(admin: &Admin<P>, body: Value) -> (u16, Value) {
    answer(admin.resume(&"web".into(), &"a".into(), fields(&body)).await)
}

/// What operators were told.
fn told(world: &World) -> Vec<Change> {
    world.state().notices.iter().map(|notice| notice.change.clone()).collect()
}

const RESUMED: [Change; 1] = [Change::Resumed { by: By::Operator }];

#[tokio::test]
async fn from_now_drops_what_is_parked_and_goes_on() {
    let world = world();
    lay(&world, Place::Parked, 5).await;
    lay(&world, Place::Dead, 1).await;
    pause(&world).await;
    let admin = admin(&world);
    let swept = |dry_run| {
        json!({
            "deliveries": 5, "events": 9, "skipped": 0, "done": true, "dry_run": dry_run,
            "to": world.time().0 + 1, "next": null,
        })
    };
    let (now, dry) = (json!({"from": "now"}), json!({"from": "now", "dry_run": true}));
    assert_eq!(resume(&admin, dry.clone()).await, (200, swept(true)));
    assert_eq!(world.keys("parked/").len(), 5);
    assert!(world.health_of("a").pause.is_some());
    assert_eq!(told(&world), [], "nothing changed");

    assert_eq!(resume(&admin, now.clone()).await, (200, swept(false)));
    assert_eq!(told(&world), RESUMED);
    assert_eq!((world.keys("parked/").len(), world.keys("dead/").len()), (0, 1));
    assert_eq!(world.health_of("a").pause, None);
    assert_eq!(balanced(&world).discarded, 9);
    follow(&world, &drain(&world)).await;
    let health = world.health_of("a");
    assert_eq!((health.next_wake_at, health.lease), (None, None), "the drainer found nothing");
    assert!(got(&world).is_empty());

    // Whoever asks again, since the answer was lost, drops nothing that came in meanwhile.
    lay(&world, Place::Parked, 1).await;
    for again in [now, dry] {
        let (status, answer) = resume(&admin, again).await;
        assert_eq!((status, &answer["type"]), (409, &json!("urn:flagpost:problem:conflict")));
    }
    assert_eq!(world.keys("parked/").len(), 1);
    assert_eq!(told(&world), RESUMED, "once");
}

#[tokio::test]
async fn from_the_backlog_is_the_default_and_drops_nothing() {
    for body in [json!({}), json!({"from": "backlog"}), json!({"from": null})] {
        let world = world();
        lay(&world, Place::Parked, 3).await;
        pause(&world).await;
        let admin = admin(&world);
        let (status, answer) = resume(&admin, body.clone()).await;
        assert_eq!((status, &answer["backlog"]["events"]), (200, &json!(6)), "the status");
        assert_eq!(resume(&admin, body).await.0, 200);
        assert_eq!(told(&world), RESUMED, "once, though it was asked for twice");
        follow(&world, &drain(&world)).await;
        assert_eq!(balanced(&world).delivered, 6);
    }
}

#[tokio::test]
async fn it_stays_paused_until_all_is_dropped() {
    for call in ["list", "delete", "take_lease", "set_pause"] {
        let world = world();
        lay(&world, Place::Parked, 5).await;
        pause(&world).await;
        let admin = admin(&world);
        world.fail(call, 1);
        let (status, answer) = resume(&admin, json!({"from": "now"})).await;
        assert!(status == 503 || answer["done"] == false, "{call}: {answer}");
        assert!(world.health_of("a").pause.is_some(), "{call}");
        assert_eq!(told(&world), [], "{call}: it is told when it is done");
        let (status, answer) = resume(&admin, json!({"from": "now"})).await;
        assert_eq!((status, &answer["done"]), (200, &json!(true)), "{call}");
        assert_eq!(world.health_of("a").pause, None, "{call}");
        assert_eq!(told(&world), RESUMED, "{call}");
        assert_eq!(balanced(&world).discarded, 9, "{call}");
    }
}

#[tokio::test]
async fn a_dry_run_is_of_the_drop() {
    let world = world();
    let admin = admin(&world);
    for body in [json!({"dry_run": true}), json!({"from": "backlog", "dry_run": true})] {
        let (status, answer) = resume(&admin, body).await;
        assert_eq!((status, &answer["errors"][0]["field"]), (400, &json!("dry_run")));
    }
    let (status, answer) = resume(&admin, json!({"from": "yesterday"})).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (400, &json!("from")));
}
