//! Writes of configuration, and the operator's lists.
//!
//! What belongs to a project is added only where the project is there.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update, builders::UpdateBuilder};
use flagpost_domain::{
    id::{AdminKeyId, KeyId, ProjectId},
    integration::Integration,
    page::{Page, Part},
    ports::{
        AdminKey, AdminStore, KeyHash, KeyListing, Once, PortError, PortResult, Project,
        Remembered, Written,
    },
    time::Timestamp,
};

use super::{
    ABSENT, DELETE, DynamoDb, EXISTS, GET, TRANSACT, Transacted, all, incomplete,
    item::{Corrupt, Item, Reader, SK, number, text},
    key, readable,
    registry::{INTEGRATION, KEY, KEY_SK, grant, integration, integration_sk, key_pk, project_pk},
};
use crate::failure::conditional;

const PROJECTS: &str = "PROJECTS";

fn name_sk(name: &str) -> String {
    format!("NAME#{name}")
}

fn key_sk(id: &KeyId) -> String {
    format!("{KEY}{id}")
}

impl AdminStore for DynamoDb {
    async fn remember(
        &self,
        name: &str,
        new: &Remembered,
        expires: Timestamp,
    ) -> PortResult<Option<Remembered>> {
        self.remember_creation(name, new, expires).await
    }

    async fn admin_key(&self, hash: &KeyHash) -> PortResult<Option<AdminKey>> {
        self.find_admin_key(hash).await
    }

    async fn create_admin_key(
        &self,
        hash: &KeyHash,
        key: &AdminKey,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        self.add_admin_key(hash, key, once).await
    }

    async fn admin_keys(&self, part: &Part) -> PortResult<Page<AdminKey>> {
        self.list_admin_keys(part).await
    }

    async fn delete_admin_key(&self, id: &AdminKeyId) -> PortResult<Written> {
        self.remove_admin_key(id).await
    }

    async fn create_project(&self, project: &Project, once: Option<&Once>) -> PortResult<Written> {
        let mut item = key(PROJECTS.to_owned(), project.id.to_string());
        item.insert("name".to_owned(), text(&project.name));
        item.insert("created_at".to_owned(), number(project.created_at.0));
        self.create(once, vec![(self.put_new(item)?, Written::Taken)]).await
    }

    async fn project(&self, id: &ProjectId) -> PortResult<Option<Project>> {
        let item = self.get(PROJECTS.to_owned(), id.to_string()).await?;
        item.map(|item| project(&item)).transpose().map_err(|error| error.during(GET))
    }

    async fn projects(&self, part: &Part) -> PortResult<Page<Project>> {
        let query = self.items_of(PROJECTS.to_owned());
        self.page(query, PROJECTS, "", part, project).await
    }

    async fn delete_project(&self, id: &ProjectId) -> PortResult<Written> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete
            .set_key(Some(key(PROJECTS.to_owned(), id.to_string())))
            .condition_expression(format!(
                "{EXISTS} AND (attribute_not_exists(held) OR held = :none)"
            ))
            .expression_attribute_values(":none", number(0));
        if conditional(DELETE, delete.send().await)?.is_some() {
            return Ok(Written::Done);
        }
        let there = self.get(PROJECTS.to_owned(), id.to_string()).await?.is_some();
        Ok(if there { Written::Taken } else { Written::Stale })
    }

    async fn create_key(
        &self,
        hash: &KeyHash,
        listing: &KeyListing,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let grant = &listing.grant;
        let attributes = [
            ("id", text(grant.id.as_str())),
            ("project", text(grant.project.as_str())),
            ("environment_id", text(&grant.environment.id)),
            ("environment_name", text(&grant.environment.name)),
            ("name", text(&listing.name)),
            ("created_at", number(listing.created_at.0)),
        ];
        let secret = grant.secret.as_ref().map(|secret| ("secret", text(secret.reveal())));
        let attributes: Vec<_> = attributes
            .into_iter()
            .chain(secret)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let mut looked_up = key(key_pk(hash), KEY_SK.to_owned());
        looked_up.extend(attributes.clone());
        let mut listed = key(project_pk(&grant.project), key_sk(&grant.id));
        listed.extend(attributes);
        listed.insert("sha256".to_owned(), text(hash));
        let writes = vec![
            (self.project_holds(&grant.project, 1)?, Written::Stale),
            (self.put_new(looked_up)?, Written::Taken),
            (self.put_new(listed)?, Written::Taken),
        ];
        self.create(once, writes).await
    }

    async fn keys(&self, project: &ProjectId, part: &Part) -> PortResult<Page<KeyListing>> {
        let pk = project_pk(project);
        self.page(self.under(pk.clone(), KEY), &pk, KEY, part, key_listing).await
    }

    async fn delete_key(&self, project: &ProjectId, id: &KeyId) -> PortResult<Written> {
        let (pk, sk) = (project_pk(project), key_sk(id));
        let Some(listed) = self.get(pk.clone(), sk.clone()).await? else {
            return Ok(Written::Stale);
        };
        let hash = Reader(&listed).text("sha256").map_err(|error| error.during(GET))?.to_owned();
        let writes = vec![
            self.delete(pk, sk, Some(EXISTS))?,
            self.delete(key_pk(&hash), KEY_SK.to_owned(), None)?,
            self.project_holds(project, -1)?,
        ];
        Ok(written(self.transact(writes).await?))
    }

    async fn list_integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        let query = self.under(project_pk(project), INTEGRATION).consistent_read(true);
        let mut found = readable(&all(query).await?, integration);
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn create_integration(
        &self,
        integration: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let mut item = key(project_pk(&integration.project), integration_sk(&integration.id));
        item.insert("doc".to_owned(), text(document(integration)?));
        item.insert("version".to_owned(), number(integration.version));
        let writes = vec![
            (self.project_holds(&integration.project, 1)?, Written::Stale),
            (self.put_new(item)?, Written::Taken),
            (self.take_name(integration)?, Written::Taken),
        ];
        self.create(once, writes).await
    }

    async fn replace_integration(
        &self,
        old: &Integration,
        new: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let update = Update::builder()
            .update_expression("SET #doc = :doc, #version = :new")
            .expression_attribute_names("#doc", "doc")
            .expression_attribute_values(":doc", text(document(new)?))
            .expression_attribute_values(":new", number(new.version));
        let mut writes = vec![(self.if_same_version(old, update)?, Written::Stale)];
        if new.name != old.name {
            let names = [self.take_name(new)?, self.give_name_back(old)?];
            writes.extend(names.map(|name| (name, Written::Taken)));
        }
        self.create(once, writes).await
    }

    async fn delete_integration(
        &self,
        integration: &Integration,
        at: Timestamp,
    ) -> PortResult<Written> {
        // What a tombstone holds besides its key would only be kept for ever.
        let update = Update::builder()
            .update_expression("SET deleted_at = :at REMOVE #doc, #version")
            .expression_attribute_names("#doc", "doc")
            .expression_attribute_values(":at", number(at.0));
        let writes = vec![
            self.if_same_version(integration, update)?,
            self.give_name_back(integration)?,
            self.project_holds(&integration.project, -1)?,
        ];
        Ok(written(self.transact(writes).await?))
    }
}

impl DynamoDb {
    /// Counts what a project holds, with the condition that the project is there: it is deleted
    /// only when it holds nothing.
    pub(super) fn project_holds(
        &self,
        project: &ProjectId,
        more: i64,
    ) -> PortResult<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(PROJECTS.to_owned(), project.to_string())))
            .update_expression("ADD held :more")
            .expression_attribute_values(":more", number(more))
            .condition_expression(EXISTS)
            .build()
            .map_err(|error| incomplete(TRANSACT, &error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    pub(super) fn put_new(&self, item: Item) -> PortResult<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(ABSENT)
            .build()
            .map_err(|error| incomplete(TRANSACT, &error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) fn delete(
        &self,
        pk: String,
        sk: String,
        condition: Option<&str>,
    ) -> PortResult<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .set_condition_expression(condition.map(str::to_owned))
            .build()
            .map_err(|error| incomplete(TRANSACT, &error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// `update` on an integration, with the condition that it is there in this version.
    fn if_same_version(
        &self,
        integration: &Integration,
        update: UpdateBuilder,
    ) -> PortResult<TransactWriteItem> {
        let update = update
            .table_name(&self.table)
            .set_key(Some(key(project_pk(&integration.project), integration_sk(&integration.id))))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":old", number(integration.version))
            .condition_expression("#version = :old")
            .build()
            .map_err(|error| incomplete(TRANSACT, &error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn take_name(&self, integration: &Integration) -> PortResult<TransactWriteItem> {
        let mut item = key(project_pk(&integration.project), name_sk(&integration.name));
        item.insert("integration".to_owned(), text(integration.id.as_str()));
        self.put_new(item)
    }

    fn give_name_back(&self, integration: &Integration) -> PortResult<TransactWriteItem> {
        self.delete(project_pk(&integration.project), name_sk(&integration.name), None)
    }
}

/// The end of a transaction whose first condition is that what it needs is there, and whose others
/// are that something is not.
pub(super) fn written(end: Transacted) -> Written {
    match end {
        Transacted::Done => Written::Done,
        Transacted::Refused(0) => Written::Stale,
        Transacted::Refused(_) => Written::Taken,
    }
}

fn document(integration: &Integration) -> PortResult<String> {
    serde_json::to_string(integration)
        .map_err(|error| PortError::Failed { call: TRANSACT, reason: error.to_string() })
}

fn project(item: &Item) -> Result<Project, Corrupt> {
    let item = Reader(item);
    Ok(Project {
        id: ProjectId::from(item.text(SK)?),
        name: item.text("name")?.to_owned(),
        created_at: item.time("created_at")?,
    })
}

fn key_listing(item: &Item) -> Result<KeyListing, Corrupt> {
    let reader = Reader(item);
    Ok(KeyListing {
        grant: grant(item)?,
        name: reader.text("name")?.to_owned(),
        created_at: reader.time("created_at")?,
    })
}
