//! Which use case a method and a path mean.

use crate::{
    id::{AdminKeyId, IntegrationId, KeyId, ProjectId},
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
    ListPresets,
    CreateAdminKey,
    ListAdminKeys,
    DeleteAdminKey(AdminKeyId),
    ReadOpenApi,
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
            Self::ListPresets => "list_presets",
            Self::CreateAdminKey => "create_admin_key",
            Self::ListAdminKeys => "list_admin_keys",
            Self::DeleteAdminKey(..) => "delete_admin_key",
            Self::ReadOpenApi => "read_openapi",
        }
    }
}

/// One line of the table: a method, a path with its parameters in braces, and what they mean.
pub(super) struct Entry {
    /// In upper case.
    pub(super) method: &'static str,
    /// `/v1/projects/{project}/keys`.
    pub(super) path: &'static str,
    route: fn(&Captured<'_>) -> Route,
}

const fn entry(
    method: &'static str,
    path: &'static str,
    route: fn(&Captured<'_>) -> Route,
) -> Entry {
    Entry { method, path, route }
}

/// Every route, once. What is not here cannot be reached; `access` decides who may, `openapi.json`
/// describes each, and `template.yaml` has a route of API Gateway for it: tests hold them together.
/// Methods of one path stand together, in the order in which `Allow` names them.
pub(super) const TABLE: &[Entry] = &[
    entry("GET", "/openapi.json", |_| Route::ReadOpenApi),
    entry("GET", "/v1/presets", |_| Route::ListPresets),
    entry("GET", "/v1/admin-keys", |_| Route::ListAdminKeys),
    entry("POST", "/v1/admin-keys", |_| Route::CreateAdminKey),
    entry("DELETE", "/v1/admin-keys/{key}", |c| Route::DeleteAdminKey(c.id("key"))),
    entry("GET", "/v1/projects", |_| Route::ListProjects),
    entry("POST", "/v1/projects", |_| Route::CreateProject),
    entry("DELETE", "/v1/projects/{project}", |c| Route::DeleteProject(c.id("project"))),
    entry("GET", "/v1/projects/{project}/keys", |c| Route::ListKeys(c.id("project"))),
    entry("POST", "/v1/projects/{project}/keys", |c| Route::CreateKey(c.id("project"))),
    entry("DELETE", "/v1/projects/{project}/keys/{key}", |c| {
        Route::RevokeKey(c.id("project"), c.id("key"))
    }),
    entry("GET", "/v1/projects/{project}/integrations", |c| {
        Route::ListIntegrations(c.id("project"))
    }),
    entry("POST", "/v1/projects/{project}/integrations", |c| {
        Route::CreateIntegration(c.id("project"))
    }),
    entry("GET", "/v1/projects/{project}/integrations/{integration}", |c| {
        Route::ReadIntegration(c.id("project"), c.id("integration"))
    }),
    entry("PATCH", "/v1/projects/{project}/integrations/{integration}", |c| {
        Route::ChangeIntegration(c.id("project"), c.id("integration"))
    }),
    entry("DELETE", "/v1/projects/{project}/integrations/{integration}", |c| {
        Route::DeleteIntegration(c.id("project"), c.id("integration"))
    }),
    entry("POST", "/v1/projects/{project}/integrations/{integration}/pause", |c| {
        Route::Pause(c.id("project"), c.id("integration"))
    }),
    entry("POST", "/v1/projects/{project}/integrations/{integration}/resume", |c| {
        Route::Resume(c.id("project"), c.id("integration"))
    }),
    entry("POST", "/v1/projects/{project}/integrations/{integration}/secret", |c| {
        Route::RotateSecret(c.id("project"), c.id("integration"))
    }),
    entry("GET", "/v1/projects/{project}/integrations/{integration}/status", |c| {
        Route::Status(c.id("project"), c.id("integration"))
    }),
];

/// What of a path stands in the place of parameters.
struct Captured<'a>(Vec<(&'static str, &'a str)>);

impl Captured<'_> {
    /// One of them; a name that the path does not have is empty, and no line of the table asks so.
    fn id<T: for<'a> From<&'a str>>(&self, name: &str) -> T {
        T::from(self.0.iter().find(|(found, _)| *found == name).map_or("", |(_, value)| *value))
    }
}

/// Whether a path is of this form. An identifier that could not have been given out is not looked up.
fn capture<'a>(form: &'static str, path: &'a str) -> Option<Captured<'a>> {
    let mut captured = Vec::new();
    let mut given = path.split('/');
    for segment in form.split('/') {
        let value = given.next()?;
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if is_slug(value) => captured.push((name, value)),
            None if segment == value => {}
            Some(_) | None => return None,
        }
    }
    given.next().is_none().then_some(Captured(captured))
}

/// Finds the line of the table and the use case: 404 if there is no such path, 405 with `Allow` if
/// it has no such method.
pub(super) fn find(method: &str, path: &str) -> Result<Route, Problem> {
    let mut allow = Vec::new();
    for entry in TABLE {
        let Some(captured) = capture(entry.path, path) else { continue };
        if entry.method == method {
            return Ok((entry.route)(&captured));
        }
        allow.push(entry.method);
    }
    if allow.is_empty() {
        return Err(Problem::new(Kind::NotFound, "there is no such path"));
    }
    let allow = allow.join(", ");
    let detail = format!("this path takes {allow}");
    Err(Problem::new(Kind::MethodNotAllowed, detail).with_header("allow", allow))
}

/// Whether a text is an identifier: `^[a-z0-9][a-z0-9-]{0,62}$`.
pub(super) fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
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
            ("GET", "/v1/presets", "list_presets"),
            ("GET", "/v1/admin-keys", "list_admin_keys"),
            ("POST", "/v1/admin-keys", "create_admin_key"),
            ("DELETE", "/v1/admin-keys/k1", "delete_admin_key"),
            ("GET", "/openapi.json", "read_openapi"),
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
        ] {
            let problem = find(method, path).unwrap_err();
            assert_eq!(problem.kind, Kind::MethodNotAllowed, "{method} {path}");
            assert_eq!(problem.headers, [("allow", allow.to_owned())], "{method} {path}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_found_and_carries_what_its_path_names() {
        for entry in TABLE {
            let path = entry.path.replace(['{', '}'], "");
            let route = find(entry.method, &path).unwrap();
            let told = format!("{route:?}");
            for name in entry.path.split('/').filter_map(|one| one.strip_prefix('{')) {
                let value = name.trim_end_matches('}');
                assert!(told.contains(&format!("\"{value}\"")), "{path}: {told}");
            }
        }
        let mut all: Vec<_> = TABLE.iter().map(|entry| (entry.path, entry.method)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), TABLE.len());
    }

    #[test]
    fn every_line_of_the_table_is_a_route_of_the_template() {
        let template = include_str!("../../../../template.yaml");
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
}
