//! Lists, part by part.

use super::*;

/// The ids of a list, asked for `limit` at a time, and how many parts it had.
async fn walk(api: &Api, path: &str, list: &str, limit: usize) -> (Vec<String>, usize) {
    let (mut ids, mut parts, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = api.get(&format!("{path}?limit={limit}{cursor}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let items = answer.body[list].as_array().unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        parts += 1;
        match &answer.body["next"] {
            Value::Null => return (ids, parts),
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
}

#[tokio::test]
async fn every_list_comes_in_parts_that_are_the_whole() {
    let api = Api::new().await;
    let key = |n| json!({"name": format!("k{n}"), "environment": {"id": "e", "name": "E"}});
    let hook =
        |n| json!({"name": format!("é {n}"), "url": "https://example.com/", "preset": "split"});
    for n in 0..6 {
        api.memory.inner().now += 1;
        api.post("/v1/projects", &json!({"id": format!("p{n}")})).await;
        api.post("/v1/projects/shop/keys", &key(n)).await;
        api.post("/v1/projects/shop/integrations", &hook(n)).await;
        api.post("/v1/admin-keys", &json!({"name": "a", "project": "shop"})).await;
    }
    for (path, list, total) in [
        ("/v1/projects", "projects", 7),
        ("/v1/projects/shop/keys", "keys", 6),
        ("/v1/projects/shop/integrations", "integrations", 6),
        ("/v1/admin-keys", "admin_keys", 6),
    ] {
        let (whole, parts) = walk(&api, path, list, 100).await;
        assert_eq!((whole.len(), parts), (total, 1), "{path}");
        for limit in 1..=7 {
            let (ids, parts) = walk(&api, path, list, limit).await;
            assert_eq!((&ids, parts), (&whole, total.div_ceil(limit)), "{path} by {limit}");
        }
        let wrong = api.get(&format!("{path}?limit=0&cursor=~&page=2")).await;
        assert_eq!(
            (wrong.status, wrong.fields()),
            (400, vec!["limit", "cursor", "page"]),
            "{path}"
        );
    }
}

#[tokio::test]
async fn fifty_are_listed_where_nothing_is_said() {
    let api = Api::new().await;
    for n in 0..50 {
        api.post("/v1/projects", &json!({"id": format!("p{n}")})).await;
    }
    let answer = api.get("/v1/projects").await;
    assert_eq!(answer.body["projects"].as_array().unwrap().len(), 50);
    assert!(answer.body["next"].is_string());
}
