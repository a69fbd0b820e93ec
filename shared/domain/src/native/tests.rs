//! Every capture of a real SDK, replayed through ingest; and what holds for all routes.

mod any;
mod plain;
mod replay;
pub(crate) mod stand;

use super::*;

#[test]
fn paths_are_what_sdks_make_of_a_base_url() {
    let impressions = Some(Route::Split(split::Upload::Impressions));
    for path in [
        "/api/testImpressions/bulk",
        "/api//testImpressions/bulk",
        "//testImpressions/bulk",
        "/testImpressions/bulk",
        "/testImpressions/bulk/",
    ] {
        assert_eq!(route(path), impressions, "{path}");
    }
    let identities = Some(Route::Own(Stream::Identities));
    for path in ["/v1/identities", "/v1/identities/", "/api/v1/identities/"] {
        assert_eq!(route(path), identities, "{path}");
    }
    let nothing = Some(Route::Split(split::Upload::Nothing));
    for path in ["/v1/keys/ss", "/api/v1/metrics/config", "/v1/metrics/usage"] {
        assert_eq!(route(path), nothing, "{path}");
    }
    let beacon = Some(Route::SplitBeacon(split::Upload::Nothing));
    assert_eq!(route("/v1/metrics/usage/beacon"), beacon);
    for path in
        ["", "/", "/api", "/v1", "/v1/keys", "/v1/keys/", "/v1/eventsx", "/events", "/x/batch"]
    {
        assert_eq!(route(path), None, "{path}");
    }
}

#[test]
fn every_path_of_the_table_leads_to_its_route() {
    for (pattern, wanted) in ROUTES {
        assert_eq!(route(&format!("/{}", pattern.replace('*', "x"))), Some(wanted), "{pattern}");
    }
}

#[test]
fn every_path_of_the_table_is_a_route_of_the_template() {
    let template = include_str!("../../../../template.yaml");
    for (pattern, route) in ROUTES {
        let api = matches!(route, Route::Split(_) | Route::SplitBeacon(_));
        let path =
            format!("{}/{}", if api { "/api" } else { "" }, pattern.replace('*', "{proxy+}"));
        // A greedy path takes those below it too.
        let greedy = path.ends_with("/beacon") && path.contains("/v1/");
        let key = format!("RouteKey: POST {path}\n");
        assert!(greedy || template.contains(&key), "template.yaml has no route {path}");
    }
}

#[test]
fn every_path_of_the_table_is_documented() {
    let docs = include_str!("../../../../docs/sdks.md");
    for (pattern, _) in ROUTES {
        assert!(docs.contains(&format!("/{pattern}")), "docs/sdks.md has no {pattern}");
    }
}

#[test]
fn parameters_are_decoded() {
    let post = Post { query: "k=a%20b&gz=1&k=c".to_owned(), ..Post::to("/", "") };
    assert_eq!(post.parameter("k").as_deref(), Some("a b"));
    assert_eq!(post.parameter("gz").as_deref(), Some("1"));
    assert_eq!(post.parameter("se"), None);
}
