//! Reads of configuration.

use flagpost_domain::{
    id::{IntegrationId, KeyId, ProjectId},
    integration::{Environment, Integration},
    ports::{Found, KeyGrant, KeyHash, PortResult, Registry},
    secret::Secret,
};

use super::{
    DynamoDb, GET, QUERY, all,
    item::{Corrupt, Item, Reader},
};

pub(super) const KEY: &str = "KEY#";
pub(super) const KEY_SK: &str = "KEY";
pub(super) const INTEGRATION: &str = "INTEGRATION#";

pub(super) fn key_pk(hash: &KeyHash) -> String {
    format!("{KEY}{hash}")
}

pub(super) fn project_pk(project: &ProjectId) -> String {
    format!("PROJECT#{project}")
}

pub(super) fn integration_sk(id: &IntegrationId) -> String {
    format!("{INTEGRATION}{id}")
}

impl Registry for DynamoDb {
    /// Read consistently: a key that was made a moment ago must not be taken for unknown, and then
    /// kept in a cache as such.
    async fn key(&self, hash: &KeyHash) -> PortResult<Option<KeyGrant>> {
        let item = self.get(key_pk(hash), KEY_SK.to_owned()).await?;
        item.map(|item| grant(&item)).transpose().map_err(|error| error.during(GET))
    }

    async fn integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        // One that cannot be read (a newer version's, say) must not look like none: its events
        // would be acknowledged and forgotten.
        let items = all(self.under(project_pk(project), INTEGRATION)).await?;
        let read = items.iter().map(integration).collect::<Result<Vec<_>, _>>();
        Ok(read.map_err(|error| error.during(QUERY))?.into_iter().flatten().collect())
    }

    async fn integration(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Found> {
        let Some(item) = self.get(project_pk(project), integration_sk(id)).await? else {
            return Ok(Found::Unknown);
        };
        match integration(&item).map_err(|error| error.during(GET))? {
            Some(integration) => Ok(Found::Present(Box::new(integration))),
            None => Ok(Found::Deleted),
        }
    }
}

pub(super) fn grant(item: &Item) -> Result<KeyGrant, Corrupt> {
    let item = Reader(item);
    Ok(KeyGrant {
        id: KeyId::from(item.text("id")?),
        project: ProjectId::from(item.text("project")?),
        environment: Environment {
            id: item.text("environment_id")?.to_owned(),
            name: item.text("environment_name")?.to_owned(),
        },
        secret: item.optional_text("secret")?.map(Secret::new),
    })
}

/// `None` for a tombstone.
pub(super) fn integration(item: &Item) -> Result<Option<Integration>, Corrupt> {
    let item = Reader(item);
    if item.has("deleted_at") { Ok(None) } else { item.json("doc").map(Some) }
}
