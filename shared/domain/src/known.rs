//! What a function remembers of configuration and health between invocations, and for how long.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    expiring::{Cached, Expiring},
    health::{Health, Route},
    id::{IntegrationId, ProjectId},
    integration::Integration,
    ports::{Found, HealthStore, PortResult, Registry},
    time::Timestamp,
};

/// Configuration may be this old.
const CONFIGURATION_AGE: Duration = Duration::from_secs(30);
/// Health may be this old: no attempt starts later than this after a pause.
const HEALTH_AGE: Duration = Duration::from_secs(5);
/// Projects whose integrations are remembered.
const PROJECTS: usize = 1_000;

/// What is remembered.
#[derive(Debug)]
pub struct Known {
    configuration: Expiring<ProjectId, Arc<Vec<Integration>>>,
    health: Mutex<Unwell>,
}

#[derive(Debug, Default)]
struct Unwell {
    read_at: Option<Timestamp>,
    items: HashMap<IntegrationId, Health>,
}

impl Default for Known {
    fn default() -> Self {
        Self { configuration: Expiring::new(PROJECTS, CONFIGURATION_AGE), health: Mutex::default() }
    }
}

impl Known {
    /// The integrations of a project, at most 30 s old, or older if the table cannot be asked.
    pub async fn integrations<S: Registry>(
        &self,
        store: &S,
        project: &ProjectId,
        now: Timestamp,
    ) -> PortResult<Arc<Vec<Integration>>> {
        let stale = match self.configuration.get(project, now) {
            Cached::Fresh(known) => return Ok(known),
            Cached::Stale(known) => Some(known),
            Cached::Absent => None,
        };
        match (store.integrations(project).await, stale) {
            (Ok(read), _) => {
                let read = Arc::new(read);
                self.configuration.put(project.clone(), Arc::clone(&read), now);
                Ok(read)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(%error, %project, "configuration not renewed, the remembered one serves on");
                Ok(known)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// One integration. Absence from what is remembered is not deletion: then it is read.
    pub async fn integration<S: Registry>(
        &self,
        store: &S,
        project: &ProjectId,
        id: &IntegrationId,
        now: Timestamp,
    ) -> PortResult<Found> {
        let known = self.integrations(store, project, now).await?;
        match known.iter().find(|integration| integration.id == *id) {
            Some(integration) => Ok(Found::Present(Box::new(integration.clone()))),
            None => store.integration(project, id).await,
        }
    }

    /// How an integration is served, as known at most 5 s ago, or longer if the table cannot be
    /// asked.
    pub async fn route<S: HealthStore>(
        &self,
        store: &S,
        id: &IntegrationId,
        now: Timestamp,
    ) -> Route {
        self.renew(store, now).await;
        self.with(|unwell| unwell.items.get(id).map_or(Route::Direct, Health::route))
    }

    /// Whether anything but calm is known of an integration: then its successes are written too.
    pub fn is_unwell(&self, id: &IntegrationId) -> bool {
        self.with(|unwell| unwell.items.contains_key(id))
    }

    /// Remembers what was just written.
    pub fn learn(&self, health: Health) {
        self.with(|unwell| unwell.items.insert(health.integration.clone(), health));
    }

    async fn renew<S: HealthStore>(&self, store: &S, now: Timestamp) {
        let due = self.with(|unwell| {
            let young = unwell.read_at.is_some_and(|at| at <= now && now.since(at) < HEALTH_AGE);
            if !young {
                // One of those who come at the same time reads.
                unwell.read_at = Some(now);
            }
            !young
        });
        if !due {
            return;
        }
        match store.unwell().await {
            Ok(items) => self.with(|unwell| {
                unwell.items =
                    items.into_iter().map(|item| (item.integration.clone(), item)).collect();
            }),
            Err(error) => {
                tracing::warn!(%error, "health not renewed, what is remembered serves on");
            }
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Unwell) -> T) -> T {
        look(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
