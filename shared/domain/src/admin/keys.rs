//! Ingest keys: shown once, stored as their SHA-256.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{Admin, AdminPorts, Failure, Reply, fields::Fields};
use crate::{
    id::{KeyId, ProjectId, unique},
    integration::Environment,
    key::hash,
    ports::{AdminStore, Clock, KeyGrant, KeyListing, Random, Services, Written},
    problem::{Kind, Problem},
    time::Timestamp,
};

/// What every ingest key starts with, so that secret scanners can tell one.
const PREFIX: &str = "fpk_";

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

        let created_at = self.ports.clock().now();
        let key = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(self.ports.random().bytes()));
        let hash = hash(&key);
        let id = KeyId(unique(created_at, self.half()));
        let listing =
            KeyListing { grant: KeyGrant { id, project, environment, secret }, name, created_at };
        match self.ports.store().create_key(&hash, &listing).await? {
            Written::Done => Reply::json(201, &Shown::new(&listing, Some(&key))),
            Written::Stale => Err(Failure::not_found("project")),
            // 32 random bytes that were given out before: the random source is broken.
            Written::Taken => Err(Problem::new(Kind::Internal, "the key could not be made").into()),
        }
    }

    pub(super) async fn list_keys(&self, project: &ProjectId) -> Result<Reply, Failure> {
        self.require_project(project).await?;
        let keys = self.ports.store().keys(project).await?;
        Reply::json(200, &List { keys: keys.iter().map(|key| Shown::new(key, None)).collect() })
    }

    pub(super) async fn revoke_key(
        &self,
        project: &ProjectId,
        key: &KeyId,
    ) -> Result<Reply, Failure> {
        match self.ports.store().delete_key(project, key).await? {
            Written::Done => Ok(Reply::empty()),
            Written::Stale | Written::Taken => Err(Failure::not_found("key")),
        }
    }
}

impl<P: Services> Admin<P> {
    /// Chance enough for an identifier.
    pub(super) fn half(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.ports.random().bytes()[..16]);
        half
    }
}
