//! Passes over what is parked, oldest first.

use std::collections::{HashSet, VecDeque};

use crate::{
    integration::Integration,
    parked::Place,
    ports::{HealthStore, Objects, PortResult, Services},
};

/// A pass, and what is left out of it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    page: VecDeque<String>,
    after: Option<String>,
    /// The backlog's generation before the pass began; `None` before that.
    backlog_gen: Option<u64>,
    ended: bool,
    found: bool,
    /// Keys that stay where they are, whatever this slice does.
    pub(super) left: HashSet<String>,
}

impl Listing {
    /// Begins a new pass, after this key. Whether the last one found anything.
    pub(super) fn begin(&mut self, after: Option<String>) -> bool {
        let left = std::mem::take(&mut self.left);
        let last = std::mem::replace(self, Self { after, left, ..Self::default() });
        last.found
    }

    /// The backlog's generation before the pass began.
    pub(super) fn backlog_gen(&self) -> Option<u64> {
        self.backlog_gen
    }

    /// The next key, but for those that are left.
    pub(super) async fn next<P: Services>(
        &mut self,
        services: &P,
        integration: &Integration,
    ) -> PortResult<Option<String>> {
        let Integration { project, id, .. } = integration;
        loop {
            while let Some(key) = self.page.pop_front() {
                if !self.left.contains(&key) {
                    self.found = true;
                    return Ok(Some(key));
                }
            }
            if self.ended {
                return Ok(None);
            }
            if self.backlog_gen.is_none() {
                self.backlog_gen = Some(services.store().health(project, id).await?.backlog_gen);
            }
            let prefix = Place::Parked.prefix(id);
            let page = services.objects().list(&prefix, self.after.as_deref()).await?;
            self.ended = page.is_empty();
            self.after = page.last().map(|listed| listed.key.clone());
            self.page = page.into_iter().map(|listed| listed.key).collect();
        }
    }
}
