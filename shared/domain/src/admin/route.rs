//! Which use case a method and a path mean.

use super::{MAX_BODY_BYTES, MAX_TEST_BODY_BYTES, deliveries::Stored};
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
    TestSend(ProjectId, IntegrationId),
    Preview(ProjectId, IntegrationId),
    RotateSecret(ProjectId, IntegrationId),
    ListAttempts(ProjectId, IntegrationId),
    ListDeliveries(ProjectId, IntegrationId),
    ReadDelivery(ProjectId, IntegrationId, Stored),
    ReplayDelivery(ProjectId, IntegrationId, Stored),
    ReplayDeliveries(ProjectId, IntegrationId),
    PurgeDeliveries(ProjectId, IntegrationId),
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
            Self::TestSend(..) => "test_send",
            Self::Preview(..) => "preview",
            Self::RotateSecret(..) => "rotate_secret",
            Self::ListAttempts(..) => "list_attempts",
            Self::ListDeliveries(..) => "list_deliveries",
            Self::ReadDelivery(..) => "read_delivery",
            Self::ReplayDelivery(..) => "replay_delivery",
            Self::ReplayDeliveries(..) => "replay_deliveries",
            Self::PurgeDeliveries(..) => "purge_deliveries",
            Self::ListPresets => "list_presets",
            Self::CreateAdminKey => "create_admin_key",
            Self::ListAdminKeys => "list_admin_keys",
            Self::DeleteAdminKey(..) => "delete_admin_key",
            Self::ReadOpenApi => "read_openapi",
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
    entry("POST", "/v1/projects/{project}/integrations/{integration}/test", |c| {
        Route::TestSend(c.id("project"), c.id("integration"))
    }),
    entry("POST", "/v1/projects/{project}/integrations/{integration}/preview", |c| {
        Route::Preview(c.id("project"), c.id("integration"))
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
    entry("GET", "/v1/projects/{project}/integrations/{integration}/attempts", |c| {
        Route::ListAttempts(c.id("project"), c.id("integration"))
    }),
    entry("GET", "/v1/projects/{project}/integrations/{integration}/deliveries", |c| {
        Route::ListDeliveries(c.id("project"), c.id("integration"))
    }),
    entry("POST", "/v1/projects/{project}/integrations/{integration}/deliveries/replay", |c| {
        Route::ReplayDeliveries(c.id("project"), c.id("integration"))
    }),
    entry("POST", "/v1/projects/{project}/integrations/{integration}/deliveries/purge", |c| {
        Route::PurgeDeliveries(c.id("project"), c.id("integration"))
    }),
    entry(
        "GET",
        "/v1/projects/{project}/integrations/{integration}/deliveries/{state}/{delivery}",
        |c| Route::ReadDelivery(c.id("project"), c.id("integration"), c.stored()),
    ),
    entry(
        "POST",
        "/v1/projects/{project}/integrations/{integration}/deliveries/{state}/{delivery}/replay",
        |c| Route::ReplayDelivery(c.id("project"), c.id("integration"), c.stored()),
    ),
];

/// What of a path stands in the place of parameters.
struct Captured<'a>(Vec<(&'static str, &'a str)>);

impl Captured<'_> {
    /// One of them; a name that the path does not have is empty, and no line of the table asks so.
    fn id<T: for<'a> From<&'a str>>(&self, name: &str) -> T {
        T::from(self.0.iter().find(|(found, _)| *found == name).map_or("", |(_, value)| *value))
    }

    /// A delivery that is laid aside.
    fn stored(&self) -> Stored {
        Stored { state: self.id("state"), name: self.id("delivery") }
    }
}

/// Whether a value could stand in the place of a parameter: what could not have been given out is
/// not looked up.
fn fits(parameter: &str, value: &str) -> bool {
    match parameter {
        "state" => Stored::is_state(value),
        "delivery" => Stored::is_name(value),
        _ => is_slug(value),
    }
}

/// Whether a path is of this form, and what of it stands in the place of parameters.
fn capture<'a>(form: &'static str, path: &'a str) -> Option<Captured<'a>> {
    let mut captured = Vec::new();
    let mut given = path.split('/');
    for segment in form.split('/') {
        let value = given.next()?;
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if fits(name, value) => captured.push((name, value)),
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
impl Entry {
    /// A path of this form.
    pub(super) fn example(&self) -> String {
        let path = self.path.replace("{state}", "dead").replace("{delivery}", EXAMPLE);
        path.replace("{project}", "shop").replace(['{', '}'], "")
    }
}

/// The name of a delivery that is laid aside, a half of another.
#[cfg(test)]
pub(super) const EXAMPLE: &str = "1795237200000-01a1fd2a.a-12";

#[cfg(test)]
mod tests;
