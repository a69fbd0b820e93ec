//! Projects: created, listed, and deleted once they are empty.

use serde::Serialize;

use super::{
    Admin, AdminPorts, Call, Failure, Reply, access::Who, fields::Fields, query, route::is_slug,
};
use crate::{
    id::ProjectId,
    page::Page,
    ports::{AdminStore, Project, Written},
    problem::{Fault, Kind, Problem},
    time::Timestamp,
};

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a ProjectId,
    name: &'a str,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct List<'a> {
    projects: Vec<Shown<'a>>,
    next: Option<String>,
}

impl<'a> From<&'a Project> for Shown<'a> {
    fn from(project: &'a Project) -> Self {
        let Project { id, name, created_at } = project;
        Self { id, name, created_at: *created_at }
    }
}

impl<P: AdminPorts> Admin<P> {
    pub(super) async fn create_project(
        &self,
        call: &Call<'_>,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let id = fields.take("id").map(|id| {
            let id = id.as_str().unwrap_or_default().to_owned();
            if !is_slug(&id) {
                let what = "must be 1 to 63 characters of a-z, 0-9 and `-`, not starting with `-`";
                fields.fault("id", what);
            }
            id
        });
        let name = match fields.optional_text("name", 1..=128) {
            Some(name) => name,
            None => match &id {
                Some(id) => id.clone(),
                None => {
                    fields.missing("name", "text of 1 to 128 characters, unless there is an id")
                }
            },
        };
        fields.finish()?;

        let creation = self.creation(call).await?;
        let id = id.unwrap_or_else(|| format!("{:032x}", u128::from_be_bytes(creation.half())));
        let project = Project { id: ProjectId(id), name, created_at: creation.at };
        let write = self.ports.store().create_project(&project, creation.once.as_ref());
        let taken = || taken("id", "another project has this id");
        self.make(call, &creation, write, taken, taken).await?;
        Ok(Reply::json(201, &Shown::from(&project))?
            .with_header("location", format!("/v1/projects/{}", project.id)))
    }

    /// All of them, or the one that the caller's key reaches.
    pub(super) async fn list_projects(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let part = query::part(call.request.query)?;
        let store = self.ports.store();
        let page = match &call.who {
            Who::Project(own) => Page::cut(store.project(own).await?, &part, |p| p.id.as_str()),
            Who::Root | Who::Anyone => store.projects(&part).await?,
        };
        let projects = page.items.iter().map(Shown::from).collect();
        Reply::json(200, &List { projects, next: query::cursor(page.next.as_ref()) })
    }

    pub(super) async fn delete_project(&self, id: &ProjectId) -> Result<Reply, Failure> {
        match self.ports.store().delete_project(id).await? {
            Written::Done => Ok(Reply::empty()),
            Written::Stale | Written::Repeated => Err(Failure::not_found("project")),
            Written::Taken => {
                let detail = "it has integrations, keys or admin keys: delete them first";
                Err(Problem::new(Kind::NotEmpty, detail).into())
            }
        }
    }

    /// 404 unless the project is there.
    pub(super) async fn require_project(&self, id: &ProjectId) -> Result<(), Failure> {
        match self.ports.store().project(id).await? {
            Some(_) => Ok(()),
            None => Err(Failure::not_found("project")),
        }
    }
}

/// 409, naming the field whose value is in use.
pub(super) fn taken(field: &str, detail: &str) -> Failure {
    let fault = Fault { index: None, field: Some(field.to_owned()), detail: detail.to_owned() };
    Problem::new(Kind::NameTaken, detail).with_errors(vec![fault]).into()
}
