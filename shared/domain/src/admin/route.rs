//! Which use case a method and a path mean.

use crate::{
    id::{IntegrationId, KeyId, ProjectId},
    parked::{ParkedKey, Place},
    problem::{Kind, Problem},
};

/// One use case, with the identifiers from the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    CreateProject,
    ListProjects,
    DeleteProject(ProjectId),
    CreateKey(ProjectId),
    ListKeys(ProjectId),
    RevokeKey(ProjectId, KeyId),
    CreateIntegration(ProjectId),
    ListIntegrations(ProjectId),
    ReadIntegration(ProjectId, IntegrationId),
    ChangeIntegration(ProjectId, IntegrationId),
    DeleteIntegration(ProjectId, IntegrationId),
    Pause(ProjectId, IntegrationId),
    Resume(ProjectId, IntegrationId),
    Status(ProjectId, IntegrationId),
    RotateSecret(ProjectId, IntegrationId),
    ListDeliveries(ProjectId, IntegrationId),
    ReadDelivery(ProjectId, ParkedKey),
    ReplayDelivery(ProjectId, ParkedKey),
    ReplayDeliveries(ProjectId, IntegrationId),
    PurgeDeliveries(ProjectId, IntegrationId),
    ListPresets,
}

impl Route {
    /// Its name in the log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::CreateProject => "create_project",
            Self::ListProjects => "list_projects",
            Self::DeleteProject(..) => "delete_project",
            Self::CreateKey(..) => "create_key",
            Self::ListKeys(..) => "list_keys",
            Self::RevokeKey(..) => "revoke_key",
            Self::CreateIntegration(..) => "create_integration",
            Self::ListIntegrations(..) => "list_integrations",
            Self::ReadIntegration(..) => "read_integration",
            Self::ChangeIntegration(..) => "change_integration",
            Self::DeleteIntegration(..) => "delete_integration",
            Self::Pause(..) => "pause",
            Self::Resume(..) => "resume",
            Self::Status(..) => "status",
            Self::RotateSecret(..) => "rotate_secret",
            Self::ListDeliveries(..) => "list_deliveries",
            Self::ReadDelivery(..) => "read_delivery",
            Self::ReplayDelivery(..) => "replay_delivery",
            Self::ReplayDeliveries(..) => "replay_deliveries",
            Self::PurgeDeliveries(..) => "purge_deliveries",
            Self::ListPresets => "list_presets",
        }
    }
}

/// Finds the use case: 404 if there is no such path, 405 with `Allow` if it has no such method.
pub(super) fn find(method: &str, path: &str) -> Result<Route, Problem> {
    let segments: Vec<&str> = path.split('/').collect();
    let nowhere = || Problem::new(Kind::NotFound, "there is no such path");
    if segments == ["", "v1", "presets"] {
        return choose(method, &[("GET", Route::ListPresets)]);
    }
    // The path starts with a slash, and so the list with an empty text.
    let ["", "v1", "projects", rest @ ..] = segments.as_slice() else {
        return Err(nowhere());
    };
    // An identifier that could not have been given out is not looked up.
    let (&project, rest) = match rest {
        [] => {
            return choose(method, &[("GET", Route::ListProjects), ("POST", Route::CreateProject)]);
        }
        [project, rest @ ..] if is_slug(project) => (project, rest),
        _ => return Err(nowhere()),
    };
    let project = ProjectId::from(project);
    match rest {
        [] => choose(method, &[("DELETE", Route::DeleteProject(project))]),
        ["keys"] => choose(
            method,
            &[("GET", Route::ListKeys(project.clone())), ("POST", Route::CreateKey(project))],
        ),
        ["keys", key] if is_slug(key) => {
            choose(method, &[("DELETE", Route::RevokeKey(project, (*key).into()))])
        }
        ["integrations"] => choose(
            method,
            &[
                ("GET", Route::ListIntegrations(project.clone())),
                ("POST", Route::CreateIntegration(project)),
            ],
        ),
        ["integrations", id, rest @ ..] if is_slug(id) => {
            let id = IntegrationId::from(*id);
            match rest {
                [] => choose(
                    method,
                    &[
                        ("GET", Route::ReadIntegration(project.clone(), id.clone())),
                        ("PATCH", Route::ChangeIntegration(project.clone(), id.clone())),
                        ("DELETE", Route::DeleteIntegration(project, id)),
                    ],
                ),
                ["pause"] => choose(method, &[("POST", Route::Pause(project, id))]),
                ["resume"] => choose(method, &[("POST", Route::Resume(project, id))]),
                ["secret"] => choose(method, &[("POST", Route::RotateSecret(project, id))]),
                ["status"] => choose(method, &[("GET", Route::Status(project, id))]),
                ["deliveries", rest @ ..] => deliveries(method, project, id, rest),
                _ => Err(nowhere()),
            }
        }
        _ => Err(nowhere()),
    }
}

/// What is done with deliveries that are laid aside.
fn deliveries(
    method: &str,
    project: ProjectId,
    id: IntegrationId,
    rest: &[&str],
) -> Result<Route, Problem> {
    let nowhere = || Problem::new(Kind::NotFound, "there is no such path");
    let key = |state: &str, name: &str| {
        let place = Place::from_name(state).ok_or_else(nowhere)?;
        // What could not be a key is not looked up.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let plain = name.len() <= 256 && name.bytes().all(plain);
        let key = ParkedKey::named(place, &id, name).filter(|_| plain);
        key.ok_or_else(|| Problem::new(Kind::NotFound, "there is no such delivery"))
    };
    match rest {
        [] => choose(method, &[("GET", Route::ListDeliveries(project, id))]),
        ["replay"] => choose(method, &[("POST", Route::ReplayDeliveries(project, id))]),
        ["purge"] => choose(method, &[("POST", Route::PurgeDeliveries(project, id))]),
        [state, name] => {
            choose(method, &[("GET", Route::ReadDelivery(project, key(state, name)?))])
        }
        [state, name, "replay"] => {
            choose(method, &[("POST", Route::ReplayDelivery(project, key(state, name)?))])
        }
        _ => Err(nowhere()),
    }
}

/// Whether a text is an identifier: `^[a-z0-9][a-z0-9-]{0,62}$`.
pub(super) fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn choose(method: &str, routes: &[(&'static str, Route)]) -> Result<Route, Problem> {
    if let Some((_, route)) = routes.iter().find(|(name, _)| *name == method) {
        return Ok(route.clone());
    }
    let allow: Vec<_> = routes.iter().map(|(name, _)| *name).collect();
    let allow = allow.join(", ");
    let detail = format!("this path takes {allow}");
    Err(Problem::new(Kind::MethodNotAllowed, detail).with_header("allow", allow))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "1795237200000-01a1fd2a.a-12";

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
            ("GET", &format!("{integration}/deliveries"), "list_deliveries"),
            ("POST", &format!("{integration}/deliveries/replay"), "replay_deliveries"),
            ("POST", &format!("{integration}/deliveries/purge"), "purge_deliveries"),
            ("GET", &format!("{integration}/deliveries/dead/{NAME}"), "read_delivery"),
            ("GET", &format!("{integration}/deliveries/parked/{NAME}"), "read_delivery"),
            ("POST", &format!("{integration}/deliveries/dead/{NAME}/replay"), "replay_delivery"),
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
        let key = ParkedKey::named(Place::Dead, &"i1".into(), NAME).unwrap();
        assert_eq!(
            find("POST", &format!("{integration}/deliveries/dead/{NAME}/replay")),
            Ok(Route::ReplayDelivery("shop".into(), key))
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
            "/v1/projects/",
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
    fn identifiers_are_slugs() {
        for good in ["a", "0", "a-", "shop-2", &"a".repeat(63)] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a.b", "a b", "é", "a#b", &"a".repeat(64)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }
}
