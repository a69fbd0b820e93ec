//! Which use case a method and a path mean.

use super::{MAX_BODY_BYTES, MAX_TEST_BODY_BYTES};
use crate::{
    id::{IntegrationId, KeyId, ProjectId},
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
    TestSend(ProjectId, IntegrationId),
    Preview(ProjectId, IntegrationId),
    RotateSecret(ProjectId, IntegrationId),
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
            Self::TestSend(..) => "test_send",
            Self::Preview(..) => "preview",
            Self::RotateSecret(..) => "rotate_secret",
            Self::ListPresets => "list_presets",
        }
    }

    /// The largest body that it takes.
    pub(super) fn max_body_bytes(&self) -> usize {
        match self {
            Self::TestSend(..) | Self::Preview(..) => MAX_TEST_BODY_BYTES,
            _ => MAX_BODY_BYTES,
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
                ["test"] => choose(method, &[("POST", Route::TestSend(project, id))]),
                ["preview"] => choose(method, &[("POST", Route::Preview(project, id))]),
                ["status"] => choose(method, &[("GET", Route::Status(project, id))]),
                _ => Err(nowhere()),
            }
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
            ("POST", &format!("{integration}/test"), "test_send"),
            ("POST", &format!("{integration}/preview"), "preview"),
            ("GET", "/v1/presets", "list_presets"),
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
            ("GET", "/v1/projects/shop/integrations/i/test", "POST"),
            ("GET", "/v1/projects/shop/integrations/i/preview", "POST"),
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
