use bytes::Bytes;

use super::*;
use crate::memory::START;

async fn list(world: &World, query: &[(&str, &str)]) -> (u16, Value) {
    let pairs: Vec<_> = query.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    let query = Fields::query(&pairs);
    answer(admin(world).list_deliveries(&"web".into(), &"a".into(), query).await)
}

/// All pages: the deliveries, and how many pages there were.
async fn pages(world: &World, query: &[(&str, &str)]) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let after = [("cursor", cursor.as_str())];
        let after = if cursor.is_empty() { &[][..] } else { &after };
        let (status, answer) = list(world, &[query, after].concat()).await;
        assert_eq!(status, 200, "{answer}");
        pages += 1;
        let listed = answer["deliveries"].as_array().unwrap();
        ids.extend(listed.iter().map(|one| one["delivery"].as_str().unwrap().to_owned()));
        let Some(next) = answer["next"].as_str() else { return (ids, pages) };
        next.clone_into(&mut cursor);
    }
}

#[tokio::test]
async fn what_is_laid_aside_is_listed_oldest_first() {
    let world = world();
    lay(&world, Place::Dead, 2).await;
    lay(&world, Place::Parked, 1).await;
    let (status, answer) = list(&world, &[("state", "dead")]).await;
    let at = START.0;
    let expected = json!({
        "deliveries": [
            {"id": format!("{at}-dead000-1"), "delivery": "dead000", "state": "dead", "at": at, "events": 1},
            {"id": format!("{}-dead001-2", at + 1000), "delivery": "dead001", "state": "dead",
             "at": at + 1000, "events": 2},
        ],
        "next": null,
    });
    assert_eq!((status, answer), (200, expected));
    let (ids, _) = pages(&world, &[("state", "parked")]).await;
    assert_eq!(ids, ["parked000"]);
    assert!(!world.state().calls.contains_key("get"), "by their names alone");
}

#[tokio::test]
async fn pages_are_exact_whatever_their_size_and_foreign_names_are_passed_over() {
    let world = world();
    lay(&world, Place::Dead, 130).await;
    {
        let mut state = world.state();
        for foreign in [
            "dead/a/ restored",
            "dead/a/zzz",
            "dead/a/1-d-1.json.gz",
            "dead/ab/0000000000001-x-1.json.gz",
        ] {
            state.objects.insert(foreign.into(), (START, Bytes::new()));
        }
    }
    let expected: Vec<_> = (0..130).map(|n| format!("dead{n:03}")).collect();
    for (limit, count) in [("1", 130), ("10", 13), ("65", 2), ("100", 2)] {
        let paged = pages(&world, &[("state", "dead"), ("limit", limit)]).await;
        assert_eq!(paged, (expected.clone(), count), "{limit}");
    }
    assert_eq!(pages(&world, &[("state", "dead")]).await.1, 3, "50 by default");
    let from = (START.0 + 3_000).to_string();
    let to = (START.0 + 9_000).to_string();
    let span = [("state", "dead"), ("from", from.as_str()), ("to", to.as_str()), ("limit", "2")];
    assert_eq!(pages(&world, &span).await, (expected[3..9].to_vec(), 3));
}

/// More than one page of the store's own listing.
#[tokio::test]
async fn a_long_list_goes_on_from_its_cursors() {
    let world = world();
    lay(&world, Place::Dead, 2_100).await;
    let (ids, count) = pages(&world, &[("state", "dead"), ("limit", "100")]).await;
    assert_eq!(count, 21);
    assert_eq!(ids, (0..2_100).map(|n| format!("dead{n:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_outlives_its_delivery() {
    let world = world();
    lay(&world, Place::Dead, 4).await;
    let (_, first) = list(&world, &[("state", "dead"), ("limit", "2")]).await;
    let cursor = first["next"].as_str().unwrap();
    purge(&admin(&world), json!({"state": "dead", "to": START.0 + 2_000})).await;
    let (_, second) = list(&world, &[("state", "dead"), ("cursor", cursor)]).await;
    assert_eq!(second["deliveries"][0]["delivery"], "dead002");
    assert_eq!(second["deliveries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_fault_of_a_query_is_named() {
    let world = world();
    for (query, field) in [
        (&[][..], "state"),
        (&[("state", "lost")], "state"),
        (&[("state", "dead"), ("limit", "0")], "limit"),
        (&[("state", "dead"), ("limit", "101")], "limit"),
        (&[("state", "dead"), ("limit", "ten")], "limit"),
        (&[("state", "dead"), ("from", "-1")], "from"),
        (&[("state", "dead"), ("from", "7"), ("to", "7")], "to"),
        (&[("state", "dead"), ("to", "2026-11-21")], "to"),
        (&[("state", "dead"), ("cursor", "123")], "cursor"),
        (&[("state", "dead"), ("cursor", "bm9uc2Vuc2U")], "cursor"),
        (&[("state", "dead"), ("state", "parked")], "state"),
        (&[("state", "dead"), ("order", "newest")], "order"),
    ] {
        let (status, answer) = list(&world, query).await;
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!((status, errors.len()), (400, 1), "{query:?}: {answer}");
        assert_eq!(errors[0]["field"], field, "{query:?}");
    }
    world.state().integrations.clear();
    assert_eq!(list(&world, &[("state", "dead")]).await.0, 404);
}
