//! Admin keys of one project: by hash for the look-up, and in one list for the operator.

use flagpost_domain::{
    id::{AdminKeyId, ProjectId},
    page::{Page, Part},
    ports::{AdminKey, KeyHash, Once, PortResult, Written},
};

use super::{
    DynamoDb, EXISTS, GET,
    admin::written,
    item::{Corrupt, Item, Reader, number, text},
    key,
    registry::KEY_SK,
};

const LIST: &str = "ADMINKEYS";

fn pk(hash: &str) -> String {
    format!("ADMINKEY#{hash}")
}

impl DynamoDb {
    pub(super) async fn find_admin_key(&self, hash: &KeyHash) -> PortResult<Option<AdminKey>> {
        let item = self.get(pk(hash), KEY_SK.to_owned()).await?;
        item.map(|item| admin_key(&item)).transpose().map_err(|error| error.during(GET))
    }

    pub(super) async fn add_admin_key(
        &self,
        hash: &KeyHash,
        new: &AdminKey,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let attributes = [
            ("id", text(new.id.as_str())),
            ("project", text(new.project.as_str())),
            ("name", text(&new.name)),
            ("created_at", number(new.created_at.0)),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let mut looked_up = key(pk(hash), KEY_SK.to_owned());
        looked_up.extend(attributes.clone());
        let mut listed = key(LIST.to_owned(), new.id.to_string());
        listed.extend(attributes);
        listed.insert("sha256".to_owned(), text(hash));
        let writes = vec![
            (self.project_holds(&new.project, 1)?, Written::Stale),
            (self.put_new(looked_up)?, Written::Taken),
            (self.put_new(listed)?, Written::Taken),
        ];
        self.create(once, writes).await
    }

    pub(super) async fn list_admin_keys(&self, part: &Part) -> PortResult<Page<AdminKey>> {
        self.page(self.items_of(LIST.to_owned()), LIST, "", part, admin_key).await
    }

    pub(super) async fn remove_admin_key(&self, id: &AdminKeyId) -> PortResult<Written> {
        let Some(listed) = self.get(LIST.to_owned(), id.to_string()).await? else {
            return Ok(Written::Stale);
        };
        let reader = Reader(&listed);
        let (hash, project) = reader
            .text("sha256")
            .and_then(|hash| Ok((hash, ProjectId::from(reader.text("project")?))))
            .map_err(|error| error.during(GET))?;
        let writes = vec![
            self.delete(LIST.to_owned(), id.to_string(), Some(EXISTS))?,
            self.delete(pk(hash), KEY_SK.to_owned(), None)?,
            self.project_holds(&project, -1)?,
        ];
        Ok(written(self.transact(writes).await?))
    }
}

fn admin_key(item: &Item) -> Result<AdminKey, Corrupt> {
    let item = Reader(item);
    Ok(AdminKey {
        id: AdminKeyId::from(item.text("id")?),
        project: ProjectId::from(item.text("project")?),
        name: item.text("name")?.to_owned(),
        created_at: item.time("created_at")?,
    })
}
