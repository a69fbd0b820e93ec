//! Admin keys that are limited to one project: shown once, stored as their SHA-256.

use serde::Serialize;

use super::{
    Admin, AdminPorts, Call, Failure, Reply, fields::Fields, keys::not_made, query, route::is_slug,
};
use crate::{
    id::{AdminKeyId, ProjectId},
    key::{ADMIN_KEY_PREFIX, hash, make},
    ports::{AdminKey, AdminStore, Written},
    problem::{Fault, Kind, Problem},
    time::Timestamp,
};

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a AdminKeyId,
    /// The key itself: in the answer to its creation, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    project: &'a ProjectId,
    name: &'a str,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct List<'a> {
    admin_keys: Vec<Shown<'a>>,
    next: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(admin_key: &'a AdminKey, key: Option<&'a str>) -> Self {
        let AdminKey { id, project, name, created_at } = admin_key;
        Self { id, key, project, name, created_at: *created_at }
    }
}

impl<P: AdminPorts> Admin<P> {
    pub(super) async fn create_admin_key(
        &self,
        call: &Call<'_>,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let name = fields.text("name", 1..=128);
        let project = fields.text("project", 1..=63);
        fields.finish()?;
        // An identifier that could not have been given out is not looked up.
        let project = ProjectId(project);
        if !is_slug(project.as_str()) || self.ports.store().project(&project).await?.is_none() {
            return Err(no_project());
        }

        let creation = self.creation(call).await?;
        let key = make(ADMIN_KEY_PREFIX, &creation.bytes("key"));
        let made =
            AdminKey { id: AdminKeyId(creation.id()), project, name, created_at: creation.at };
        let hash = hash(&key);
        let write = self.ports.store().create_admin_key(&hash, &made, creation.once.as_ref());
        self.make(call, &creation, write, not_made, no_project).await?;
        Reply::json(201, &Shown::new(&made, Some(&key)))
    }

    pub(super) async fn list_admin_keys(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let part = query::part(call.request.query)?;
        let page = self.ports.store().admin_keys(&part).await?;
        let admin_keys = page.items.iter().map(|key| Shown::new(key, None)).collect();
        Reply::json(200, &List { admin_keys, next: query::cursor(page.next.as_ref()) })
    }

    pub(super) async fn delete_admin_key(&self, id: &AdminKeyId) -> Result<Reply, Failure> {
        match self.ports.store().delete_admin_key(id).await? {
            Written::Done => Ok(Reply::empty()),
            Written::Stale | Written::Taken | Written::Repeated => {
                Err(Failure::not_found("admin key"))
            }
        }
    }
}

fn no_project() -> Failure {
    let detail = "there is no such project".to_owned();
    let fault = Fault { index: None, field: Some("project".to_owned()), detail };
    Problem::new(Kind::InvalidField, "not valid: project").with_errors(vec![fault]).into()
}
