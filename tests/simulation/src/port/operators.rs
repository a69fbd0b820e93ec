//! What operators read and write.

use flagpost_domain::{
    id::{AdminKeyId, KeyId, ProjectId},
    integration::{Integration, Stream},
    page::{Page, Part},
    ports::{
        AdminKey, AdminStore, KeyHash, KeyListing, Once, PortResult, Project, Remembered, Written,
    },
    time::Timestamp,
};

use crate::{owner::Owner, told::What, trace::About, world::State};

use super::Port;

impl AdminStore for Port {
    async fn remember(
        &self,
        name: &str,
        new: &Remembered,
        expires: Timestamp,
    ) -> PortResult<Option<Remembered>> {
        let (name, new) = (name.to_owned(), new.clone());
        self.call("dynamodb:PutItem creation", move |state, _| {
            match state.table.creations.get(&name) {
                Some((earlier, until)) if *until > new.at => Some(earlier.clone()),
                _ => {
                    state.table.creations.insert(name.clone(), (new.clone(), expires));
                    None
                }
            }
        })
        .await
    }

    async fn admin_key(&self, hash: &KeyHash) -> PortResult<Option<AdminKey>> {
        let hash = hash.clone();
        self.call("dynamodb:GetItem admin key", move |state, _| {
            state.table.admin_keys.get(&hash).cloned()
        })
        .await
    }

    async fn create_admin_key(
        &self,
        hash: &KeyHash,
        key: &AdminKey,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (hash, key, once) = (hash.clone(), key.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems admin key", move |state, _| {
            if !state.table.complete(once.as_ref()) {
                return Written::Repeated;
            }
            state.table.admin_keys.insert(hash.clone(), key.clone());
            Written::Done
        })
        .await
    }

    async fn admin_keys(&self, part: &Part) -> PortResult<Page<AdminKey>> {
        let part = part.clone();
        self.call("dynamodb:Query admin keys", move |state, _| {
            let mut keys: Vec<_> = state.table.admin_keys.values().cloned().collect();
            keys.sort_by(|a, b| a.id.cmp(&b.id));
            Page::cut(keys, &part, |key| key.id.as_str())
        })
        .await
    }

    async fn delete_admin_key(&self, id: &AdminKeyId) -> PortResult<Written> {
        let id = id.clone();
        self.call("dynamodb:TransactWriteItems admin key", move |state, _| {
            let before = state.table.admin_keys.len();
            state.table.admin_keys.retain(|_, key| key.id != id);
            if state.table.admin_keys.len() < before { Written::Done } else { Written::Stale }
        })
        .await
    }

    async fn create_project(&self, project: &Project, once: Option<&Once>) -> PortResult<Written> {
        let (project, once) = (project.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems project", move |state, _| {
            if state.table.is_complete(once.as_ref()) {
                return Written::Repeated;
            }
            if state.table.projects.contains_key(&project.id) {
                return Written::Taken;
            }
            state.table.complete(once.as_ref());
            state.table.projects.insert(project.id.clone(), project.clone());
            Written::Done
        })
        .await
    }

    async fn project(&self, id: &ProjectId) -> PortResult<Option<Project>> {
        let id = id.clone();
        self.call("dynamodb:GetItem project", move |state, _| {
            state.table.projects.get(&id).cloned()
        })
        .await
    }

    async fn projects(&self, part: &Part) -> PortResult<Page<Project>> {
        let part = part.clone();
        self.call("dynamodb:Query projects", move |state, _| {
            let all = state.table.projects.values().cloned();
            Page::cut(all, &part, |project| project.id.as_str())
        })
        .await
    }

    async fn delete_project(&self, id: &ProjectId) -> PortResult<Written> {
        let id = id.clone();
        self.call("dynamodb:DeleteItem project", move |state, _| {
            let keys = state.table.keys.values().any(|key| key.grant.project == id);
            let keys = keys || state.table.admin_keys.values().any(|key| key.project == id);
            if keys || state.table.integrations.contains_key(&id) {
                return Written::Taken;
            }
            state.table.projects.remove(&id).map_or(Written::Stale, |_| Written::Done)
        })
        .await
    }

    async fn create_key(
        &self,
        hash: &KeyHash,
        key: &KeyListing,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (hash, key, once) = (hash.clone(), key.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems key", move |state, _| {
            if !state.table.complete(once.as_ref()) {
                return Written::Repeated;
            }
            state.table.keys.insert(hash.clone(), key.clone());
            Written::Done
        })
        .await
    }

    async fn keys(&self, project: &ProjectId, part: &Part) -> PortResult<Page<KeyListing>> {
        let (project, part) = (project.clone(), part.clone());
        self.call("dynamodb:Query keys", move |state, _| {
            let keys = state.table.keys.values();
            let mut keys: Vec<_> =
                keys.filter(|key| key.grant.project == project).cloned().collect();
            keys.sort_by(|a, b| a.grant.id.cmp(&b.grant.id));
            Page::cut(keys, &part, |key| key.grant.id.as_str())
        })
        .await
    }

    async fn delete_key(&self, project: &ProjectId, key: &KeyId) -> PortResult<Written> {
        let (project, key) = (project.clone(), key.clone());
        self.call("dynamodb:TransactWriteItems key", move |state, _| {
            let before = state.table.keys.len();
            state.table.keys.retain(|_, one| one.grant.project != project || one.grant.id != key);
            if state.table.keys.len() < before { Written::Done } else { Written::Stale }
        })
        .await
    }

    async fn list_integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        let project = project.clone();
        self.call("dynamodb:Query integrations", move |state, now| {
            state.table.integrations_as_of(&project, now)
        })
        .await
    }

    async fn create_integration(
        &self,
        integration: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (new, once) = (integration.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems integration", move |state, now| {
            if state.table.is_complete(once.as_ref()) {
                return Written::Repeated;
            }
            let written = state.table.create_integration(&new, now);
            if written == Written::Done {
                state.table.complete(once.as_ref());
                state.know(&new, now);
            }
            written
        })
        .await
    }

    async fn replace_integration(
        &self,
        old: &Integration,
        new: &Integration,
        once: Option<&Once>,
    ) -> PortResult<Written> {
        let (old, new, once) = (old.clone(), new.clone(), once.cloned());
        self.call("dynamodb:TransactWriteItems integration", move |state, now| {
            if state.table.is_complete(once.as_ref()) {
                return Written::Repeated;
            }
            let written = state.table.replace_integration(&old, Some(&new), now);
            if written == Written::Done {
                state.table.complete(once.as_ref());
                if new.enabled != old.enabled {
                    let what = if new.enabled { What::Enabled } else { What::Disabled };
                    state.witness.told.changed(&new.id, what);
                }
                state.know(&new, now);
            }
            written
        })
        .await
    }

    async fn delete_integration(
        &self,
        integration: &Integration,
        _: Timestamp,
    ) -> PortResult<Written> {
        let old = integration.clone();
        self.call("dynamodb:TransactWriteItems integration", move |state, now| {
            let written = state.table.replace_integration(&old, None, now);
            if written == Written::Done {
                state.witness.deleted(&old.id);
                state.witness.told.deleted(&old.id);
                let about =
                    About { integration: Some(state.witness.number(&old.id)), ..About::default() };
                state.note(now, about, || format!("integration {} deleted", old.id));
            }
            written
        })
        .await
    }
}

impl State {
    /// An integration was written: its endpoint is its own.
    fn know(&mut self, integration: &Integration, now: i64) {
        let number = self.witness.number(&integration.id);
        let url = &integration.url;
        if let Some(host) = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()) {
            self.hosts
                .entry(host.to_owned())
                .and_modify(|owner| owner.changed(integration, now))
                .or_insert_with(|| Owner::new(integration, now));
        }
        if integration.stream == Stream::Operations {
            self.witness.told.takes_operations(&integration.id);
        }
        if integration.own.template.is_some() {
            self.witness.makes(number);
        }
        let about = About { integration: Some(number), ..About::default() };
        self.note(now, about, || {
            let Integration { id, version, enabled, environments, max_events, own, .. } =
                integration;
            format!(
                "integration {number} is {id} version {version}: enabled {enabled}, environments \
                 {environments:?}, at most {max_events} events, {:?}, payload {:?}, immediate \
                 retry {:?}, success {:?}, filter {:?}, template {:?}",
                integration.preset,
                own.payload,
                own.immediate_retry,
                own.success,
                own.filter,
                own.template,
            )
        });
    }
}
