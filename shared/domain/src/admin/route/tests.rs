use super::*;

fn name(method: &str, path: &str) -> &'static str {
    find(method, path).unwrap().name()
}

#[test]
fn every_route_is_found() {
    let integration = "/v1/projects/shop/integrations/i1";
    for (method, path, expected) in [
        ("POST", "/v1/projects", "create_project"),
        ("GET", "/v1/projects", "list_projects"),
        ("DELETE", "/v1/projects/shop", "delete_project"),
        ("POST", "/v1/projects/shop/keys", "create_key"),
        ("GET", "/v1/projects/shop/keys", "list_keys"),
        ("DELETE", "/v1/projects/shop/keys/k1", "revoke_key"),
        ("POST", "/v1/projects/shop/integrations", "create_integration"),
        ("GET", "/v1/projects/shop/integrations", "list_integrations"),
        ("GET", integration, "read_integration"),
        ("PATCH", integration, "change_integration"),
        ("DELETE", integration, "delete_integration"),
        ("POST", &format!("{integration}/pause"), "pause"),
        ("POST", &format!("{integration}/resume"), "resume"),
        ("GET", &format!("{integration}/status"), "status"),
        ("POST", &format!("{integration}/secret"), "rotate_secret"),
        ("GET", "/v1/presets", "list_presets"),
        ("GET", "/v1/admin-keys", "list_admin_keys"),
        ("POST", "/v1/admin-keys", "create_admin_key"),
        ("DELETE", "/v1/admin-keys/k1", "delete_admin_key"),
        ("GET", "/openapi.json", "read_openapi"),
        ("GET", &format!("{integration}/attempts"), "list_attempts"),
        ("GET", &format!("{integration}/deliveries"), "list_deliveries"),
        ("POST", &format!("{integration}/deliveries/replay"), "replay_deliveries"),
        ("POST", &format!("{integration}/deliveries/purge"), "purge_deliveries"),
        ("GET", &format!("{integration}/deliveries/dead/{EXAMPLE}"), "read_delivery"),
        ("GET", &format!("{integration}/deliveries/parked/{EXAMPLE}"), "read_delivery"),
        ("POST", &format!("{integration}/deliveries/dead/{EXAMPLE}/replay"), "replay_delivery"),
    ] {
        assert_eq!(name(method, path), expected, "{method} {path}");
    }
    assert_eq!(
        find("DELETE", "/v1/projects/shop/keys/k1"),
        Ok(Route::RevokeKey("shop".into(), "k1".into()))
    );
    assert_eq!(
        find("PATCH", integration),
        Ok(Route::ChangeIntegration("shop".into(), "i1".into()))
    );
    let stored = Stored { state: "dead".to_owned(), name: EXAMPLE.to_owned() };
    assert_eq!(
        find("POST", &format!("{integration}/deliveries/dead/{EXAMPLE}/replay")),
        Ok(Route::ReplayDelivery("shop".into(), "i1".into(), stored))
    );
}

#[test]
fn other_paths_are_not_found_whatever_the_method() {
    for path in [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v2/projects",
        "v1/projects",
        "/openapi.json/",
        "/v1/admin-keys/",
        "/v1/projects/",
        "/v1/projects//keys",
        "/v1/projects/{project}",
        "/v1/projects/Shop",
        "/v1/projects/a%2Fb",
        "/v1/projects/shop/",
        "/v1/projects/shop/other",
        "/v1/projects/shop/keys/",
        "/v1/projects/shop/keys/k/x",
        "/v1/projects/shop/integrations/-i",
        "/v1/projects/shop/integrations/i/status/x",
        "/v1/projects/shop/integrations/i/other",
        "/v1/projects/shop/integrations/i/deliveries/",
        "/v1/projects/shop/integrations/i/deliveries/dead",
        "/v1/projects/shop/integrations/i/deliveries/lost/1795237200000-d-1",
        "/v1/projects/shop/integrations/i/deliveries/dead/1795237200000-d",
        "/v1/projects/shop/integrations/i/deliveries/dead/1-d-1",
        "/v1/projects/shop/integrations/i/deliveries/dead/1795237200000-%2e-1",
        "/v1/projects/shop/integrations/i/deliveries/dead/1795237200000-d-1/read",
        "/v1/impressions",
    ] {
        for method in ["GET", "POST", "DELETE", "BREW"] {
            assert_eq!(find(method, path).unwrap_err().kind, Kind::NotFound, "{method} {path}");
        }
    }
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    for (method, path, allow) in [
        ("PUT", "/v1/projects", "GET, POST"),
        ("get", "/v1/projects", "GET, POST"),
        ("GET", "/v1/projects/shop", "DELETE"),
        ("DELETE", "/v1/projects/shop/keys", "GET, POST"),
        ("GET", "/v1/projects/shop/keys/k", "DELETE"),
        ("PATCH", "/v1/projects/shop/integrations", "GET, POST"),
        ("POST", "/v1/projects/shop/integrations/i", "GET, PATCH, DELETE"),
        ("GET", "/v1/projects/shop/integrations/i/pause", "POST"),
        ("GET", "/v1/projects/shop/integrations/i/resume", "POST"),
        ("POST", "/v1/projects/shop/integrations/i/status", "GET"),
        ("GET", "/v1/projects/shop/integrations/i/deliveries/replay", "POST"),
        ("DELETE", "/v1/projects/shop/integrations/i/deliveries", "GET"),
    ] {
        let problem = find(method, path).unwrap_err();
        assert_eq!(problem.kind, Kind::MethodNotAllowed, "{method} {path}");
        assert_eq!(problem.headers, [("allow", allow.to_owned())], "{method} {path}");
    }
}

#[test]
fn every_line_of_the_table_is_found_and_carries_what_its_path_names() {
    for entry in TABLE {
        let path = entry.example();
        let route = find(entry.method, &path).unwrap();
        let told = format!("{route:?}");
        for (form, value) in entry.path.split('/').zip(path.split('/')) {
            let carried = !form.starts_with('{') || told.contains(&format!("\"{value}\""));
            assert!(carried, "{path}: {told}");
        }
    }
    let mut all: Vec<_> = TABLE.iter().map(|entry| (entry.path, entry.method)).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), TABLE.len());
}

#[test]
fn every_line_of_the_table_is_a_route_of_the_template() {
    let template = include_str!("../../../../../template.yaml");
    for Entry { method, path, .. } in TABLE {
        let key = format!("RouteKey: {method} {path}\n");
        assert!(template.contains(&key), "template.yaml has no `{}`", key.trim_end());
    }
}

#[test]
fn identifiers_are_slugs() {
    for good in ["a", "0", "a-", "shop-2", &"a".repeat(63)] {
        assert!(is_slug(good), "{good}");
    }
    for bad in ["", "-a", "A", "a_b", "a.b", "a b", "é", "a#b", &"a".repeat(64)] {
        assert!(!is_slug(bad), "{bad}");
    }
}
