use super::*;
use crate::{event::Event, memory::START, message::Aside, ports::Objects};

/// The answer as text.
async fn read(world: &World, key: &ParkedKey) -> Result<String, (u16, Value)> {
    match admin(world).read_delivery(&"web".into(), key).await {
        Ok(reply) => Ok(reply.body.unwrap()),
        refused => Err(answer(refused)),
    }
}

async fn put(world: &World, event: String) -> ParkedKey {
    let one = Delivery { events: vec![Event::from_object(event)], ..delivery("d", 0) };
    let (place, integration, at) = (Place::Parked, "a".into(), START);
    let key = ParkedKey { place, integration, at, delivery: "d".into(), count: 1 };
    world.put(&key.text(), Aside::new(one, START).encode()).await.unwrap();
    key
}

#[tokio::test]
async fn the_events_are_shown_as_they_are_stored() {
    let world = world();
    let event = r#"{"n": 1.0, "big":12345678901234567890123, "e":1e2,"t":"\u00e9"}"#;
    let key = put(&world, event.into()).await;
    let expected = format!(
        r#"{{"id":"{0}-d-1","delivery":"d","state":"parked","at":{0},"events":1,"payload":[{event}]}}"#,
        START.0
    );
    assert_eq!(read(&world, &key).await.unwrap(), expected);
    assert_eq!(read(&world, &key.moved(Place::Dead)).await.unwrap_err().0, 404);
    world.fail("get", 1);
    assert_eq!(read(&world, &key).await.unwrap_err().0, 503);
    world.state().integrations.clear();
    assert_eq!(read(&world, &key).await.unwrap_err().0, 404);
}

#[tokio::test]
async fn what_no_answer_can_hold_is_refused_with_where_it_lies() {
    let world = world();
    let blob = |text: &str, count: usize| format!("{{\"blob\":\"{}\"}}", text.repeat(count));
    let key = put(&world, blob("x", 4 * 1024 * 1024 - 200)).await;
    assert!(read(&world, &key).await.is_ok());
    // Quotes and backslashes take twice the room in Lambda's own answer.
    for large in [blob("x", 4 * 1024 * 1024), blob("\\\"", 1_600_000)] {
        let key = put(&world, large).await;
        let (status, answer) = read(&world, &key).await.unwrap_err();
        assert_eq!((status, &answer["type"]), (422, &json!("urn:flagpost:problem:unreadable")));
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains("KiB") && detail.contains(&key.text()), "{detail}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    let world = world();
    let key = put(&world, "{}".into()).await;
    (&world).put(&key.text(), crate::gzip::gzip(br#"{"v":9}"#).into()).await.unwrap();
    let (status, answer) = read(&world, &key).await.unwrap_err();
    assert_eq!(status, 422);
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.starts_with("format version 9 is newer than 1"), "{detail}");
}
