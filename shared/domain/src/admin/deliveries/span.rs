//! Which deliveries: a span of time, and a cursor within it.

use std::collections::VecDeque;

use super::Stored;
use crate::{
    admin::{fields::Fields, query},
    id::IntegrationId,
    parked::{ParkedKey, Place},
    ports::{Objects, PortResult},
    time::Timestamp,
};

/// A span of the times at which deliveries were laid aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// From then on.
    from: Timestamp,
    /// Before then.
    to: Option<Timestamp>,
    /// After the delivery of this name.
    after: Option<String>,
}

impl Span {
    /// Reads the fields `from`, `to` and `cursor`.
    pub(super) fn read(fields: &mut Fields) -> Self {
        let (from, to) = query::times(fields);
        let after = query::after(fields, |name| Stored::is_name(name).then(|| name.to_owned()));
        Self { from, to, after }
    }

    /// What of it is there now. What comes in meanwhile is left to another call, so that there is
    /// an end. That end can be sent as `to` again: it is later than `from`, whatever that is.
    pub(super) fn until(self, now: Timestamp) -> Self {
        let end = Timestamp(now.max(self.from).0.saturating_add(1));
        Self { to: Some(self.to.map_or(end, |to| to.min(end))), ..self }
    }

    /// Its end.
    pub(super) fn to(&self) -> Option<Timestamp> {
        self.to
    }
}

/// The cursor behind a delivery.
pub(super) fn cursor(key: &ParkedKey) -> Option<String> {
    query::cursor(Some(&key.name()))
}

/// A way over the deliveries of a span, oldest first. What has no name of ours is passed over.
pub(super) struct Walk {
    prefix: String,
    after: String,
    to: Option<Timestamp>,
    ended: bool,
    page: VecDeque<ParkedKey>,
}

impl Walk {
    pub(super) fn new(place: Place, id: &IntegrationId, span: &Span) -> Self {
        let prefix = place.prefix(id);
        let from = format!("{prefix}{:013}", span.from.0);
        let behind = span.after.as_ref().and_then(|name| ParkedKey::named(place, id, name));
        let after = behind.map_or(from.clone(), |key| from.max(key.text()));
        Self { prefix, after, to: span.to, ended: false, page: VecDeque::new() }
    }

    /// The next of them, at most `most`; none at the end.
    pub(super) async fn next(
        &mut self,
        objects: &impl Objects,
        most: usize,
    ) -> PortResult<Vec<ParkedKey>> {
        while self.page.is_empty() && !self.ended {
            self.list(objects).await?;
        }
        let most = most.min(self.page.len());
        Ok(self.page.drain(..most).collect())
    }

    async fn list(&mut self, objects: &impl Objects) -> PortResult<()> {
        let page = objects.list(&self.prefix, Some(&self.after)).await?;
        self.ended = page.is_empty();
        for listed in page {
            let key = ParkedKey::parse(&listed.key).filter(|key| key.text() == listed.key);
            self.after = listed.key;
            let Some(key) = key else { continue };
            if self.to.is_some_and(|to| key.at >= to) {
                self.ended = true;
                return Ok(());
            }
            self.page.push_back(key);
        }
        Ok(())
    }
}
