//! Projects: created, listed, and deleted once they are empty.

use serde::Serialize;

use super::{Admin, AdminPorts, Failure, Reply, fields::Fields, route::is_slug};
use crate::{
    id::ProjectId,
    ports::{AdminStore, Clock, Project, Written},
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
}

impl<'a> From<&'a Project> for Shown<'a> {
    fn from(project: &'a Project) -> Self {
        let Project { id, name, created_at } = project;
        Self { id, name, created_at: *created_at }
    }
}

impl<P: AdminPorts> Admin<P> {
    pub(super) async fn create_project(&self, mut fields: Fields) -> Result<Reply, Failure> {
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

        let id = id.unwrap_or_else(|| format!("{:032x}", u128::from_be_bytes(self.half())));
        let created_at = self.ports.clock().now();
        let project = Project { id: ProjectId(id), name, created_at };
        match self.ports.store().create_project(&project).await? {
            Written::Taken | Written::Stale => Err(taken("id", "another project has this id")),
            Written::Done => Ok(Reply::json(201, &Shown::from(&project))?
                .with_header("location", format!("/v1/projects/{}", project.id))),
        }
    }

    pub(super) async fn list_projects(&self) -> Result<Reply, Failure> {
        let projects = self.ports.store().projects().await?;
        Reply::json(200, &List { projects: projects.iter().map(Shown::from).collect() })
    }

    pub(super) async fn delete_project(&self, id: &ProjectId) -> Result<Reply, Failure> {
        self.require_project(id).await?;
        let store = self.ports.store();
        let integrations = store.list_integrations(id).await?.len();
        let keys = store.keys(id).await?.len();
        if integrations + keys > 0 {
            let detail =
                format!("it has {integrations} integrations and {keys} keys: delete them first");
            return Err(Problem::new(Kind::NotEmpty, detail).into());
        }
        match store.delete_project(id).await? {
            Written::Done => Ok(Reply::empty()),
            Written::Stale => Err(Failure::not_found("project")),
            // One that came meanwhile, or that could not be listed.
            Written::Taken => {
                let detail = "it has integrations or keys: delete them first";
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
