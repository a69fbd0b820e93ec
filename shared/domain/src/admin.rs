//! The operator's API: projects, ingest keys, integrations, pauses and their status.
//!
//! [`Admin::serve`] is the whole of it, from a request's parts to a reply; the function around it
//! only translates to and from API Gateway.

mod access;
mod fields;
mod given;
mod integrations;
mod keys;
#[cfg(test)]
mod memory;
mod pausing;
mod precondition;
mod presets;
mod preview;
mod projects;
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
    destination::Allowed,
    ports::{AdminStore, KeyHash, PortError, Ports, Services},
    problem::{Kind, Problem},
};

use fields::Fields;
use route::Route;

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
}

/// What of an HTTP request counts.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, from its first slash, without the query.
    pub path: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `If-Match` header.
    pub if_match: Option<&'a str>,
    /// The body, decoded; empty if there is none.
    pub body: &'a [u8],
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

impl<P: AdminPorts> Admin<P> {
    /// The API over `ports`, for whoever holds the key with this SHA-256; `allowed` exempts
    /// endpoints from the checks of an integration's URL.
    pub fn new(ports: P, key_hash: KeyHash, allowed: Allowed) -> Self {
        Self { ports, key_hash, allowed }
    }

    /// What it works with.
    pub fn ports(&self) -> &P {
        &self.ports
    }

    /// Serves one request. Without the admin's key nothing is told, not even which paths exist.
    pub async fn serve(&self, request: &Request<'_>) -> Served {
        let route = route::find(request.method, request.path);
        let name = route.as_ref().map_or("none", Route::name);
        let outcome = match access::check(request.authorization, &self.key_hash) {
            Err(problem) => Err(problem.into()),
            Ok(()) => match route {
                Err(problem) => Err(problem.into()),
                Ok(route) => self.answer(route, request).await,
            },
        };
        Served { route: name, outcome }
    }

    async fn answer(&self, route: Route, request: &Request<'_>) -> Result<Reply, Failure> {
        let most = route.max_body_bytes();
        if request.body.len() > most {
            let detail = format!("the body may have at most {most} bytes");
            return Err(Problem::new(Kind::ContentTooLarge, detail).into());
        }
        let body = || Fields::parse(request.body);
        let if_match = request.if_match;
        match route {
            Route::CreateProject => self.create_project(body()?).await,
            Route::ListProjects => self.list_projects().await,
            Route::DeleteProject(project) => self.delete_project(&project).await,
            Route::CreateKey(project) => self.create_key(project, body()?).await,
            Route::ListKeys(project) => self.list_keys(&project).await,
            Route::RevokeKey(project, key) => self.revoke_key(&project, &key).await,
            Route::CreateIntegration(project) => self.create_integration(project, body()?).await,
            Route::ListIntegrations(project) => self.list_integrations(&project).await,
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
            Route::TestSend(project, id) => {
                self.test_send(&project, &id, body()?, request.body).await
            }
            Route::Preview(project, id) => self.preview(&project, &id, body()?, request.body).await,
            Route::RotateSecret(project, id) => self.rotate_secret(&project, &id, body()?).await,
            Route::ListPresets => presets::list(),
        }
    }
}

#[cfg(test)]
mod tests;
