//! The operator's API: projects, ingest keys, integrations, pauses and their status.
//!
//! [`Admin::serve`] is the whole of it, from a request's parts to a reply; the function around it
//! only translates to and from API Gateway.

mod access;
mod admin_keys;
mod attempts;
mod creation;
mod deliveries;
mod fields;
mod given;
mod integrations;
mod keys;
#[cfg(test)]
mod memory;
pub mod openapi;
mod pausing;
mod precondition;
mod presets;
mod preview;
mod projects;
mod query;
mod route;
mod sample;
mod secret;
mod settings;
mod status;
mod test_send;
mod view;
mod wake;

use serde::Serialize;

use crate::{
    count::Uncounted,
    destination::Allowed,
    key::{hash, is_admin_key},
    ports::{AdminStore, KeyHash, PortError, Ports, Services},
    problem::{Kind, Problem},
    trace::TraceParent,
};

use access::Who;
use fields::Fields;
use route::Route;

pub use query::pairs;

/// The largest body that a request may have.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The same where it holds an event, and a template with all its escapes.
pub const MAX_TEST_BODY_BYTES: usize = 256 * 1024;

/// How often a write that lost a race is tried anew.
const TRIES: usize = 5;

/// Everything that the operator's API needs: the services with a store that takes configuration, and
/// a sender for tests.
pub trait AdminPorts: Ports + Services<Store: AdminStore> {}

impl<P: Ports + Services<Store: AdminStore>> AdminPorts for P {}

/// The operator's API over its ports.
pub struct Admin<P> {
    ports: P,
    key_hash: KeyHash,
    allowed: Allowed,
    uncounted: Uncounted,
}

/// What of an HTTP request counts.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, from its first slash, without the query.
    pub path: &'a str,
    /// Names and values of the query, decoded: see [`pairs`].
    pub query: &'a [(String, String)],
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `If-Match` header.
    pub if_match: Option<&'a str>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<&'a str>,
    /// The trace that it is of.
    pub trace: Option<&'a TraceParent>,
    /// The body, decoded; empty if there is none.
    pub body: &'a [u8],
}

/// A request whose caller is known.
struct Call<'a> {
    who: Who,
    /// The key that the caller gave; empty where none was asked for.
    key: &'a str,
    request: &'a Request<'a>,
}

/// A success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the content type; names are in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, if there is a body. It may hold a key or a URL: never to be logged.
    pub body: Option<String>,
    /// Why a wake-up was not sent. The change itself is done, and the sweep of overdue timers
    /// makes good for it within minutes.
    pub unsent: Option<PortError>,
}

/// No success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The request is refused.
    #[error(transparent)]
    Refused(#[from] Problem),
    /// An outside system gave no answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// What became of a request.
#[derive(Debug)]
pub struct Served {
    /// The route's name, for the log; `none` if there is no such route.
    pub route: &'static str,
    /// The answer.
    pub outcome: Result<Reply, Failure>,
}

impl Reply {
    fn json(status: u16, body: &impl Serialize) -> Result<Self, Failure> {
        // Not reachable: everything shown is a plain tree with text for keys.
        let body = serde_json::to_string(body)
            .map_err(|error| Problem::new(Kind::Internal, error.to_string()))?;
        Ok(Self { status, headers: Vec::new(), body: Some(body), unsent: None })
    }

    fn empty() -> Self {
        Self { status: 204, headers: Vec::new(), body: None, unsent: None }
    }

    fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Failure {
    fn not_found(what: &str) -> Self {
        Problem::new(Kind::NotFound, format!("there is no such {what}")).into()
    }
}

impl<P> Admin<P> {
    /// The API over `ports`; who holds the key with this SHA-256 may do everything. `allowed`
    /// exempts endpoints from the checks of an integration's URL.
    pub fn new(ports: P, key_hash: KeyHash, allowed: Allowed) -> Self {
        Self { ports, key_hash, allowed, uncounted: Uncounted::default() }
    }

    /// What it works with.
    pub fn ports(&self) -> &P {
        &self.ports
    }
}

impl<P: AdminPorts> Admin<P> {
    /// Serves one request. Without a key nothing is told, not even which paths exist.
    pub async fn serve(&self, request: &Request<'_>) -> Served {
        let route = route::find(request.method, request.path);
        let name = route.as_ref().map_or("none", Route::name);
        Served { route: name, outcome: self.admit(route, request).await }
    }

    async fn admit(
        &self,
        route: Result<Route, Problem>,
        request: &Request<'_>,
    ) -> Result<Reply, Failure> {
        let public = route.as_ref().is_ok_and(|route| access::check(&Who::Anyone, route).is_ok());
        let (who, key) = if public {
            (Who::Anyone, "")
        } else {
            let key = access::key(request.authorization)?;
            (self.holder(key).await?, key)
        };
        let route = route?;
        access::check(&who, &route)?;
        self.answer(route, &Call { who, key, request }).await
    }

    /// Whose key this is: 401 if it is nobody's. It is looked up each time, so that a deleted one
    /// ends at once.
    async fn holder(&self, key: &str) -> Result<Who, Failure> {
        if access::is_root(key, &self.key_hash) {
            return Ok(Who::Root);
        }
        if !is_admin_key(key) {
            return Err(access::unknown().into());
        }
        match self.ports.store().admin_key(&hash(key)).await? {
            Some(found) => Ok(Who::Project(found.project)),
            None => Err(access::unknown().into()),
        }
    }

    async fn answer(&self, route: Route, call: &Call<'_>) -> Result<Reply, Failure> {
        let request = call.request;
        let most = route.max_body_bytes();
        if request.body.len() > most {
            let detail = format!("the body may have at most {most} bytes");
            return Err(Problem::new(Kind::ContentTooLarge, detail).into());
        }
        let body = || Fields::parse(request.body);
        let if_match = request.if_match;
        match route {
            Route::CreateProject => self.create_project(call, body()?).await,
            Route::ListProjects => self.list_projects(call).await,
            Route::DeleteProject(project) => self.delete_project(&project).await,
            Route::CreateKey(project) => self.create_key(call, project, body()?).await,
            Route::ListKeys(project) => self.list_keys(call, &project).await,
            Route::RevokeKey(project, key) => self.revoke_key(&project, &key).await,
            Route::CreateIntegration(project) => {
                self.create_integration(call, project, body()?).await
            }
            Route::ListIntegrations(project) => self.list_integrations(call, &project).await,
            Route::ReadIntegration(project, id) => self.read_integration(&project, &id).await,
            Route::ChangeIntegration(project, id) => {
                self.change_integration(&project, &id, if_match, body()?).await
            }
            Route::DeleteIntegration(project, id) => {
                self.delete_integration(&project, &id, if_match).await
            }
            Route::Pause(project, id) => self.pause(&project, &id, body()?).await,
            Route::Resume(project, id) => self.resume(&project, &id, body()?).await,
            Route::Status(project, id) => self.status(&project, &id).await,
            Route::TestSend(project, id) => self.test_send(&project, &id, body()?, request).await,
            Route::Preview(project, id) => self.preview(&project, &id, body()?, request.body).await,
            Route::RotateSecret(project, id) => {
                self.rotate_secret(call, &project, &id, body()?).await
            }
            Route::ListAttempts(project, id) => {
                self.list_attempts(&project, &id, Fields::query(request.query)).await
            }
            Route::ListDeliveries(project, id) => {
                self.list_deliveries(&project, &id, Fields::query(request.query)).await
            }
            Route::ReadDelivery(project, id, stored) => {
                self.read_delivery(&project, &stored.key(&id)?).await
            }
            Route::ReplayDelivery(project, id, stored) => {
                self.replay_delivery(&project, &stored.key(&id)?, body()?).await
            }
            Route::ReplayDeliveries(project, id) => {
                self.replay_deliveries(&project, &id, body()?).await
            }
            Route::PurgeDeliveries(project, id) => {
                self.purge_deliveries(&project, &id, body()?).await
            }
            Route::ListPresets => presets::list(),
            Route::CreateAdminKey => self.create_admin_key(call, body()?).await,
            Route::ListAdminKeys => self.list_admin_keys(call).await,
            Route::DeleteAdminKey(id) => self.delete_admin_key(&id).await,
            Route::ReadOpenApi => Ok(openapi::read()),
        }
    }
}

#[cfg(test)]
mod tests;
