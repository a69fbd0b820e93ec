//! What a function remembers of configuration and health between invocations, and for how long.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::lock::Mutex as AsyncMutex;

use crate::{
    expiring::{Cached, Expiring},
    health::{Health, Route},
    id::{IntegrationId, ProjectId},
    integration::Integration,
    ports::{Clock, Found, HealthStore, PortResult, Registry, Services},
    time::Timestamp,
};

/// Configuration may be this old.
const CONFIGURATION_AGE: Duration = Duration::from_secs(30);
/// Health may be this old. No attempt starts later than 5 s after a pause: the index that it is read
/// from is a moment behind.
const HEALTH_AGE: Duration = Duration::from_secs(4);
/// The index may be behind by this much.
const INDEX_LAG: Duration = Duration::from_secs(10);
/// What could not be renewed serves on for this long before it is tried again.
const SERVE_ON: Duration = Duration::from_secs(5);
/// Projects whose integrations are remembered.
const PROJECTS: usize = 1_000;

/// What is remembered.
#[derive(Debug)]
pub struct Known {
    configuration: Expiring<ProjectId, Arc<Vec<Integration>>>,
    health: Mutex<Unwell>,
    /// Held while health is read: who comes meanwhile waits for it, and does not go by what is old.
    reading: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct Unwell {
    /// When the reading of it began, or when it failed.
    looked_at: Option<Timestamp>,
    /// When it was last read to the end.
    read_at: Option<Timestamp>,
    items: HashMap<IntegrationId, Health>,
    /// What was written here, and when: the index may not have it yet.
    learned: HashMap<IntegrationId, (Timestamp, Health)>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            configuration: Expiring::new(PROJECTS, CONFIGURATION_AGE),
            health: Mutex::default(),
            reading: AsyncMutex::default(),
        }
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
                let age = CONFIGURATION_AGE.saturating_sub(SERVE_ON);
                self.configuration.put(project.clone(), Arc::clone(&known), now.minus(age));
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

    /// How an integration is served, as known a few seconds ago, or longer if the table cannot be
    /// asked. `None` when it was never known: then nothing may be sent, since a pause may be in force.
    pub async fn route<P: Services>(&self, services: &P, id: &IntegrationId) -> Option<Route> {
        self.renew(services).await;
        self.with(|unwell| {
            unwell.read_at.map(|_| unwell.items.get(id).map_or(Route::Direct, Health::route))
        })
    }

    /// Whether anything but calm is known of an integration: then its successes are written too.
    pub fn is_unwell(&self, id: &IntegrationId) -> bool {
        self.with(|unwell| unwell.items.contains_key(id))
    }

    /// Remembers what was just written.
    pub fn learn(&self, health: Health, now: Timestamp) {
        self.with(|unwell| {
            let id = health.integration.clone();
            unwell.learned.insert(id.clone(), (now, health.clone()));
            unwell.items.insert(id, health);
        });
    }

    async fn renew<P: Services>(&self, services: &P) {
        let clock = services.clock();
        let came = clock.now();
        if self.is_young(came) {
            return;
        }
        let _reading = self.reading.lock().await;
        let now = clock.now();
        // What was read while this one waited is good enough, however long the reading took.
        if self.is_young(now) || self.with(|unwell| unwell.read_at.is_some_and(|at| at >= came)) {
            return;
        }
        match services.store().unwell().await {
            Ok(items) => self.with(|unwell| unwell.replace(items, now, clock.now())),
            Err(error) => {
                tracing::warn!(%error, "health not renewed, what is remembered serves on");
                // A table that cannot be asked is not asked again for each attempt.
                self.with(|unwell| unwell.looked_at = Some(clock.now()));
            }
        }
    }

    fn is_young(&self, now: Timestamp) -> bool {
        let young = |at: Timestamp| at <= now && now.since(at) < HEALTH_AGE;
        self.with(|unwell| unwell.looked_at.is_some_and(young))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Unwell) -> T) -> T {
        look(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Unwell {
    fn replace(&mut self, read: Vec<Health>, began: Timestamp, now: Timestamp) {
        self.looked_at = Some(began);
        self.read_at = Some(now);
        self.items = read.into_iter().map(|item| (item.integration.clone(), item)).collect();
        self.learned.retain(|_, (at, _)| now.since(*at) < INDEX_LAG);
        for (id, (_, learned)) in &self.learned {
            match self.items.get_mut(id) {
                Some(item) => {
                    if item.breaker_version < learned.breaker_version {
                        item.breaker = learned.breaker.clone();
                        item.breaker_version = learned.breaker_version;
                    }
                    item.pause = item.pause.take().or_else(|| learned.pause.clone());
                }
                None => {
                    self.items.insert(id.clone(), learned.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        breaker::Policy,
        health::Why,
        memory::{START, World, integration},
    };

    fn held(until: Timestamp) -> Health {
        let mut health = Health::new("web".into(), "a".into());
        health.breaker = health.breaker.hold(&Policy::default(), until, START);
        health.breaker_version = 1;
        health
    }

    #[tokio::test]
    async fn what_was_just_written_outlives_an_index_that_is_behind() {
        let world = World::with(vec![integration("a")]);
        let known = Known::default();
        let until = START.plus(Duration::from_mins(10));
        assert_eq!(known.route(&&world, &"a".into()).await, Some(Route::Direct));
        known.learn(held(until), START);
        let open = Some(Route::Paced(Why::Open(until)));
        world.pass(Duration::from_secs(5));
        assert_eq!(known.route(&&world, &"a".into()).await, open);
        world.pass(Duration::from_secs(6));
        assert_eq!(known.route(&&world, &"a".into()).await, Some(Route::Direct));
    }

    #[tokio::test]
    async fn health_that_was_never_known_is_not_taken_for_good() {
        let world = World::with(vec![integration("a")]);
        let known = Known::default();
        world.fail("unwell", 1);
        assert_eq!(known.route(&&world, &"a".into()).await, None);
        world.pass(Duration::from_secs(4));
        assert_eq!(known.route(&&world, &"a".into()).await, Some(Route::Direct));
        world.fail("unwell", 1);
        world.pass(Duration::from_secs(9));
        assert_eq!(known.route(&&world, &"a".into()).await, Some(Route::Direct), "it serves on");
    }

    #[tokio::test]
    async fn who_waits_for_a_slow_reading_does_not_read_again() {
        let world = World::with(vec![integration("a")]);
        world.state().unwell_takes = Duration::from_secs(5);
        let known = Known::default();
        let (services, id) = (&world, "a".into());
        let routes = (0..20).map(|_| known.route(&services, &id));
        let routes = futures_util::future::join_all(routes.collect::<Vec<_>>()).await;
        assert!(routes.iter().all(|route| *route == Some(Route::Direct)));
        assert_eq!(world.state().calls["unwell"], 1);
    }

    #[tokio::test]
    async fn configuration_that_cannot_be_renewed_is_not_asked_for_each_time() {
        let world = World::with(vec![integration("a")]);
        let known = Known::default();
        let read = async || known.integrations(&&world, &"web".into(), world.time()).await;
        read().await.unwrap();
        world.pass(Duration::from_secs(31));
        world.fail("integrations", 9);
        for _ in 0..5 {
            assert_eq!(read().await.unwrap().len(), 1);
        }
        assert_eq!(world.state().calls["integrations"], 2);
    }
}
