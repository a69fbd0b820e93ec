//! Who may do what: decided here, and nowhere else.

use subtle::ConstantTimeEq;

use super::route::Route;
use crate::{
    id::ProjectId,
    key::{bearer, hash},
    ports::KeyHash,
    problem::{Kind, Problem},
};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Anybody at all: no key was looked at.
    Anyone,
    /// The holder of the root key, whose hash is a parameter of the stack.
    Root,
    /// The holder of an admin key of one project.
    Project(ProjectId),
}

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs<'a> {
    /// Nothing: what it shows is public.
    Nothing,
    /// Any admin key.
    AnyKey,
    /// A key of this project, or the root key.
    Project(&'a ProjectId),
    /// The root key.
    Root,
}

/// Every route is named, so that a new one cannot be forgotten.
fn needs(route: &Route) -> Needs<'_> {
    match route {
        Route::ReadOpenApi => Needs::Nothing,
        // The list of projects is cut to those that its caller may see.
        Route::ListPresets | Route::ListProjects => Needs::AnyKey,
        Route::CreateProject
        | Route::DeleteProject(_)
        | Route::CreateAdminKey
        | Route::ListAdminKeys
        | Route::DeleteAdminKey(_) => Needs::Root,
        Route::CreateKey(project)
        | Route::ListKeys(project)
        | Route::RevokeKey(project, _)
        | Route::CreateIntegration(project)
        | Route::ListIntegrations(project)
        | Route::ReadIntegration(project, _)
        | Route::ChangeIntegration(project, _)
        | Route::DeleteIntegration(project, _)
        | Route::Pause(project, _)
        | Route::Resume(project, _)
        | Route::Status(project, _)
        | Route::TestSend(project, _)
        | Route::Preview(project, _)
        | Route::RotateSecret(project, _)
        | Route::ListAttempts(project, _)
        | Route::ListDeliveries(project, _)
        | Route::ReadDelivery(project, ..)
        | Route::ReplayDelivery(project, ..)
        | Route::ReplayDeliveries(project, _)
        | Route::PurgeDeliveries(project, _) => Needs::Project(project),
    }
}

/// Whether `who` may use the route: 401 without a key, 403 with the key of another project.
pub(super) fn check(who: &Who, route: &Route) -> Result<(), Problem> {
    match (who, needs(route)) {
        (_, Needs::Nothing) | (Who::Root, _) | (Who::Project(_), Needs::AnyKey) => Ok(()),
        (Who::Project(own), Needs::Project(project)) if own == project => Ok(()),
        (Who::Project(own), _) => {
            let detail = format!("this admin key is limited to the project `{own}`");
            Err(Problem::new(Kind::Forbidden, detail))
        }
        (Who::Anyone, _) => Err(missing()),
    }
}

/// The key of an `Authorization` header.
pub(super) fn key(authorization: Option<&str>) -> Result<&str, Problem> {
    bearer(authorization).ok_or_else(missing)
}

/// Whether this is the root key, by its SHA-256. The time it takes tells nothing of how much of a
/// guess was right.
pub(super) fn is_root(key: &str, root: &KeyHash) -> bool {
    bool::from(hash(key).as_bytes().ct_eq(root.as_bytes()))
}

/// 401 for a key that is none.
pub(super) fn unknown() -> Problem {
    Problem::unauthorized("this is no admin key, or one that was deleted")
}

fn missing() -> Problem {
    Problem::unauthorized("Authorization must be `Bearer` and an admin key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::route::{TABLE, find};

    /// Every route, with `shop` as its project.
    fn routes() -> impl Iterator<Item = (&'static str, Route)> {
        TABLE.iter().map(|entry| (entry.path, find(entry.method, &entry.example()).unwrap()))
    }

    #[test]
    fn only_the_root_key_itself_is_root() {
        let root = hash("s3cret");
        for header in ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret", " Bearer s3cret "] {
            assert!(is_root(key(Some(header)).unwrap(), &root), "{header:?}");
        }
        for wrong in ["Bearer S3cret", "Bearer s3cret2", "Bearer s3cre"] {
            assert!(!is_root(key(Some(wrong)).unwrap(), &root), "{wrong:?}");
        }
        for none in
            ["", "Bearer", "Bearer ", "s3cret", "Basic s3cret"].map(Some).into_iter().chain([None])
        {
            let problem = key(none).unwrap_err();
            assert_eq!(problem.kind, Kind::Unauthorized, "{none:?}");
            assert_eq!(problem.headers, [("www-authenticate", "Bearer".to_owned())]);
            assert!(!problem.body().contains("s3cret"));
        }
    }

    #[test]
    fn the_root_key_opens_every_route_and_no_key_only_what_is_public() {
        for (path, route) in routes() {
            assert_eq!(check(&Who::Root, &route), Ok(()), "{route:?}");
            let anyone = check(&Who::Anyone, &route).map_err(|problem| problem.kind);
            let public = path == "/openapi.json";
            assert_eq!(anyone, if public { Ok(()) } else { Err(Kind::Unauthorized) }, "{route:?}");
        }
    }

    #[test]
    fn a_projects_key_opens_what_is_under_its_project_and_no_more() {
        for (path, route) in routes() {
            let of = |project: &str| check(&Who::Project(project.into()), &route).is_ok();
            let shared =
                ["/openapi.json", "/v1/presets"].contains(&path) || route == Route::ListProjects;
            assert_eq!(of("other"), shared, "{route:?}");
            assert_eq!(
                of("shop"),
                shared || path.starts_with("/v1/projects/{project}/"),
                "{route:?}"
            );
        }
    }
}
