//! What is configured, claimed and counted, in the table.

use flagpost_domain::{
    id::{IntegrationId, ProjectId},
    integration::Integration,
    ledger::Counts,
    ports::{Claim, EventHash, Found, KeyGrant, KeyHash, LedgerStore, PortResult, Registry, Seen},
    time::Timestamp,
};

use crate::trace::About;

use super::{Port, lock};

impl Seen for Port {
    async fn claim(
        &self,
        event: &EventHash,
        now: Timestamp,
        until: Timestamp,
        expires: Timestamp,
    ) -> PortResult<Claim> {
        let event = event.clone();
        self.call("dynamodb:PutItem claim", move |state, _| {
            state.table.claim(&event, now, until, expires)
        })
        .await
    }

    async fn confirm(&self, event: &EventHash, expires: Timestamp) -> PortResult<()> {
        let event = event.clone();
        self.call("dynamodb:PutItem confirm", move |state, _| {
            state.table.seen.insert(event.clone(), (None, expires));
        })
        .await
    }

    async fn release(&self, event: &EventHash, until: Timestamp) -> PortResult<()> {
        let event = event.clone();
        self.call("dynamodb:PutItem release", move |state, _| state.table.release(&event, until))
            .await
    }
}

impl Registry for Port {
    async fn key(&self, hash: &KeyHash) -> PortResult<Option<KeyGrant>> {
        let hash = hash.clone();
        self.call("dynamodb:GetItem key", move |state, _| state.table.key(&hash)).await
    }

    async fn integrations(&self, project: &ProjectId) -> PortResult<Vec<Integration>> {
        let wanted = project.clone();
        let lag = self.world.setting.lag_ms;
        let (read, as_of) = self
            .call("dynamodb:Query integrations", move |state, now| {
                let as_of = state.seen_as_of(now, lag);
                (state.table.integrations_as_of(&wanted, as_of), as_of)
            })
            .await?;
        lock(&self.who.known_since).insert(project.clone(), as_of);
        self.note(About::default(), || {
            let age = self.world.now() - as_of;
            format!("read {} integrations of {project} as of {age} ms ago", read.len())
        });
        Ok(read)
    }

    async fn integration(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Found> {
        let (project, id) = (project.clone(), id.clone());
        self.call("dynamodb:GetItem integration", move |state, _| {
            state.table.integration(&project, &id)
        })
        .await
    }
}

impl LedgerStore for Port {
    async fn add_counts(&self, id: &IntegrationId, hour: &str, counts: &Counts) -> PortResult<()> {
        let (id, hour, counts) = (id.clone(), hour.to_owned(), *counts);
        self.call("dynamodb:UpdateItem ledger", move |state, _| {
            let hours = state.table.ledger.entry(id.clone()).or_default();
            *hours.entry(hour.clone()).or_default() += counts;
        })
        .await
    }

    async fn counts(&self, id: &IntegrationId) -> PortResult<Vec<(String, Counts)>> {
        let id = id.clone();
        self.call("dynamodb:Query ledger", move |state, _| {
            let hours = state.table.ledger.get(&id).into_iter().flatten();
            hours.map(|(hour, counts)| (hour.clone(), *counts)).collect()
        })
        .await
    }
}
