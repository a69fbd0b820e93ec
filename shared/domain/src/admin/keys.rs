//! Ingest keys: shown once, stored as their SHA-256.

use serde::Serialize;

use super::{Admin, AdminPorts, Call, Failure, Reply, fields::Fields, query};
use crate::{
    id::{KeyId, ProjectId},
    integration::Environment,
    key::{INGEST_KEY_PREFIX, hash, make},
    ports::{AdminStore, KeyGrant, KeyListing, Written},
    problem::{Kind, Problem},
    time::Timestamp,
};

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a KeyId,
    /// The key itself: in the answer to its creation, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    project: &'a ProjectId,
    environment: &'a Environment,
    name: &'a str,
    /// That there is one; never which.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Set>,
    created_at: Timestamp,
}

/// What is said of a secret.
#[derive(Serialize)]
struct Set {
    set: bool,
}

#[derive(Serialize)]
struct List<'a> {
    keys: Vec<Shown<'a>>,
    next: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(listing: &'a KeyListing, key: Option<&'a str>) -> Self {
        let KeyListing { grant: KeyGrant { id, project, environment, secret }, name, created_at } =
            listing;
        let secret = secret.as_ref().map(|_| Set { set: true });
        Self { id, key, project, environment, name, secret, created_at: *created_at }
    }
}

impl<P: AdminPorts> Admin<P> {
    pub(super) async fn create_key(
        &self,
        call: &Call<'_>,
        project: ProjectId,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        self.require_project(&project).await?;
        let name = fields.text("name", 1..=128);
        let environment = fields.object("environment", |inner| Environment {
            id: inner.text("id", 1..=64),
            name: inner.text("name", 1..=128),
        });
        let secret = fields.secret("secret");
        fields.finish()?;

        let creation = self.creation(call).await?;
        let key = make(INGEST_KEY_PREFIX, &creation.bytes("key"));
        let grant = KeyGrant { id: KeyId(creation.id()), project, environment, secret };
        let listing = KeyListing { grant, name, created_at: creation.at };
        let hash = hash(&key);
        let write = self.ports.store().create_key(&hash, &listing, creation.once.as_ref());
        let no_project = || Failure::not_found("project");
        self.make(call, &creation, write, not_made, no_project).await?;
        Reply::json(201, &Shown::new(&listing, Some(&key)))
    }

    pub(super) async fn list_keys(
        &self,
        call: &Call<'_>,
        project: &ProjectId,
    ) -> Result<Reply, Failure> {
        let part = query::part(call.request.query)?;
        self.require_project(project).await?;
        let page = self.ports.store().keys(project, &part).await?;
        let keys = page.items.iter().map(|key| Shown::new(key, None)).collect();
        Reply::json(200, &List { keys, next: query::cursor(page.next.as_ref()) })
    }

    pub(super) async fn revoke_key(
        &self,
        project: &ProjectId,
        key: &KeyId,
    ) -> Result<Reply, Failure> {
        match self.ports.store().delete_key(project, key).await? {
            Written::Done => Ok(Reply::empty()),
            Written::Stale | Written::Taken | Written::Repeated => Err(Failure::not_found("key")),
        }
    }
}

/// 32 random bytes that were given out before: the random source is broken.
pub(super) fn not_made() -> Failure {
    Problem::new(Kind::Internal, "the key could not be made").into()
}
