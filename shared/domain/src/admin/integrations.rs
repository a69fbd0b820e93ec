//! Integrations: created, read, listed, changed and deleted.

use serde::Serialize;
use serde_json::Value;

use super::{
    Admin, AdminPorts, Call, Failure, Reply, TRIES, fields::Fields, precondition, projects::taken,
    query, settings, view::view,
};
use crate::{
    destination::without_path,
    id::{IntegrationId, ProjectId},
    integration::Integration,
    notice::{Change, tell},
    page::Page,
    ports::{AdminStore, Clock, Found, Registry, Services, Written},
    problem::Problem,
};

#[derive(Serialize)]
struct List {
    integrations: Vec<Value>,
    next: Option<String>,
}

impl<P: AdminPorts> Admin<P> {
    pub(super) async fn create_integration(
        &self,
        call: &Call<'_>,
        project: ProjectId,
        fields: Fields,
    ) -> Result<Reply, Failure> {
        self.require_project(&project).await?;
        let blank = settings::new(project, fields, &self.allowed)?;
        let creation = self.creation(call).await?;
        let new = Integration {
            id: IntegrationId(creation.id()),
            created_at: creation.at,
            updated_at: creation.at,
            ..blank
        };
        let write = self.ports.store().create_integration(&new, creation.once.as_ref());
        let no_project = || Failure::not_found("project");
        self.make(call, &creation, write, name_taken, no_project).await?;
        let location = format!("/v1/projects/{}/integrations/{}", new.project, new.id);
        Ok(shown(201, &new)?.with_header("location", location))
    }

    /// All are read, as a delivery reads them: a project has as many as people set up.
    pub(super) async fn list_integrations(
        &self,
        call: &Call<'_>,
        project: &ProjectId,
    ) -> Result<Reply, Failure> {
        let part = query::part(call.request.query)?;
        self.require_project(project).await?;
        let all = self.ports.store().list_integrations(project).await?;
        let Page { mut items, next } = Page::cut(all, &part, |integration| &integration.name);
        for integration in &mut items {
            integration.url = without_path(&integration.url);
        }
        let integrations = items.iter().map(view).collect();
        Reply::json(200, &List { integrations, next: query::cursor(next.as_ref()) })
    }

    pub(super) async fn read_integration(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
    ) -> Result<Reply, Failure> {
        shown(200, &self.find(project, id).await?)
    }

    pub(super) async fn change_integration(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        if_match: Option<&str>,
        fields: Fields,
    ) -> Result<Reply, Failure> {
        let if_match = if_match.ok_or_else(precondition::required)?;
        let patch = fields.into_left();
        for _ in 0..TRIES {
            let old = self.find(project, id).await?;
            precondition::check(if_match, &old)?;
            let now = self.ports.clock().now();
            let new = settings::patched(&old, patch.clone(), now, &self.allowed)?;
            if settings::same(&old, &new) {
                return shown(200, &old);
            }
            match self.ports.store().replace_integration(&old, &new, None).await? {
                Written::Done => {
                    let mut reply = shown(200, &new)?;
                    if new.enabled != old.enabled {
                        let change = if new.enabled { Change::Enabled } else { Change::Disabled };
                        tell(&self.ports, project, id, vec![change]).await;
                    }
                    if new.enabled && !old.enabled {
                        reply.unsent = self.wake(project, id).await.err();
                    }
                    return Ok(reply);
                }
                Written::Taken => return Err(name_taken()),
                // Read again: either `If-Match` no longer holds, or it holds for any version.
                Written::Stale | Written::Repeated => {}
            }
        }
        Err(crowded())
    }

    /// Puts a tombstone, and wakes the drainer to discard what is parked.
    pub(super) async fn delete_integration(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        if_match: Option<&str>,
    ) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            let old = self.find(project, id).await?;
            if let Some(if_match) = if_match {
                precondition::check(if_match, &old)?;
            }
            let now = self.ports.clock().now();
            if self.ports.store().delete_integration(&old, now).await? == Written::Done {
                let unsent = self.wake(project, id).await.err();
                return Ok(Reply { unsent, ..Reply::empty() });
            }
        }
        Err(crowded())
    }
}

impl<P: Services> Admin<P> {
    /// One integration, read consistently; 404 if there is none.
    pub(super) async fn find(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
    ) -> Result<Integration, Failure> {
        match self.ports.store().integration(project, id).await? {
            Found::Present(integration) => Ok(*integration),
            Found::Deleted | Found::Unknown => Err(Failure::not_found("integration")),
        }
    }
}

/// Whoever reads a single one sees its URL whole, though its path may be a secret: it could not be
/// checked otherwise. Lists show it without.
fn shown(status: u16, integration: &Integration) -> Result<Reply, Failure> {
    let tag = precondition::etag(integration);
    Ok(Reply::json(status, &view(integration))?.with_header("etag", tag))
}

fn name_taken() -> Failure {
    taken("name", "another integration of this project has this name")
}

pub(super) fn crowded() -> Failure {
    Problem::unavailable("others are changing it at the same time; try again", 1).into()
}
