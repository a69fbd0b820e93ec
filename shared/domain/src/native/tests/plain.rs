use serde_json::json;

use super::stand::{KEY, Stand};
use crate::{
    native::{Post, ROUTES},
    problem::Kind,
};

fn gzipped(path: &str, body: &str) -> Post {
    Post { query: format!("k={KEY}&environment_key={KEY}"), ..Post::to(path, body.to_owned()) }
        .with("content-encoding", "gzip")
        .with("content-type", "application/json")
}

/// With the key where Flagpost's own routes and Split's want it.
fn authorised(path: &str, body: &str) -> Post {
    gzipped(path, body).with("authorization", format!("Bearer {KEY}"))
}

#[tokio::test]
async fn gzip_that_was_undone_on_the_way_is_taken_on_the_vendors_routes() {
    let statsig = json!({"events": [{"eventName": "e"}]}).to_string();
    let amplitude = json!({"api_key": KEY, "events": [{"event_type": "e", "user_id": "user-1"}]});
    let identity = json!({"flags": [], "identity": "i", "segments": [], "traits": []}).to_string();
    let beacon = json!({"token": KEY, "entries": []}).to_string();
    for (path, text) in [
        ("/v1/log_event", statsig.clone()),
        ("/v1/rgstr", format!("\r\n {statsig}")),
        ("/v1/webhooks/event_webhook", r#"{"event":"e"}"#.to_owned()),
        ("/2/httpapi", amplitude.to_string()),
        ("/batch", amplitude.to_string()),
        ("/v1/identities", format!("[{identity}]")),
    ] {
        let (_, (_, _, events)) = Stand::new().accepted(gzipped(path, &text)).await;
        assert_eq!(events.len(), 1, "{path}");
    }
    let impressions = r#" [{"f":"a","i":[{"k":"u","t":"on","m":1}]}]"#;
    let post = authorised("/testImpressions/bulk", impressions);
    assert_eq!(Stand::new().accepted(post).await.1.2.len(), 1);
    let (outcome, _) = Stand::new().serve(gzipped("/events/beacon", &beacon)).await;
    assert_eq!(outcome.unwrap().events, 0);
}

#[tokio::test]
async fn it_is_not_taken_on_our_own_nor_is_anything_else() {
    let own = r#"[{"key":"k","split":"s","treatment":"t","time":1}]"#;
    for path in ["/v1/impressions", "/v1/events"] {
        let (problem, _) = Stand::new().refused(authorised(path, own)).await;
        assert_eq!(problem.kind, Kind::InvalidGzip, "{path}");
    }
    for (pattern, route) in ROUTES {
        let path = format!("/{}", pattern.replace('*', "x"));
        for text in ["", " ", "\"{}\"", "7", "x{"] {
            let (problem, _) = Stand::new().refused(authorised(&path, text)).await;
            assert_eq!(problem.kind, Kind::InvalidGzip, "{path}: {text}");
        }
        // An encoding that nobody undid is none that was undone.
        let brotli = authorised(&path, "{}").with("content-encoding", "br");
        let (problem, _) = Stand::new().refused(brotli).await;
        assert_eq!(problem.kind, Kind::UnsupportedMediaType, "{path}: {route:?}");
    }
}
