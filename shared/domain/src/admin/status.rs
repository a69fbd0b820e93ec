//! How an integration fares: breaker, pause, backlog and ledger.

use futures_util::future::try_join3;
use serde::Serialize;

use super::{Admin, Failure, Reply};
use crate::{
    breaker::Cause,
    health::{Health, Pause, Route, Why},
    id::{IntegrationId, ProjectId},
    ledger::Counts,
    parked::{ParkedKey, Place},
    ports::{Found, HealthStore, LedgerStore, Objects, PortResult, Registry, Services},
    time::Timestamp,
};

/// So many parked deliveries are counted; of more it is only said that there are more.
const COUNTED: u64 = 20_000;
/// So many of the last hours are listed; the total is over all.
const HOURS: usize = 72;

#[derive(Serialize)]
struct Shown<'a> {
    state: State,
    breaker: ShownBreaker,
    pause: Option<&'a Pause>,
    next_probe_at: Option<Timestamp>,
    next_wake_at: Option<Timestamp>,
    backlog: Backlog,
    ledger: Ledger<'a>,
}

/// The one word for it. What comes first hides what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Deleted,
    Disabled,
    Paused,
    Open,
    Slow,
    Well,
}

#[derive(Serialize)]
struct ShownBreaker {
    open: bool,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    cause: Option<Cause>,
}

/// What is parked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Backlog {
    deliveries: u64,
    events: u64,
    /// Whether there is more than was counted.
    at_least: bool,
    /// Since when the oldest of those that were counted is parked.
    oldest_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Ledger<'a> {
    hours: Vec<Hour<'a>>,
    total: Counts,
    balances: bool,
}

#[derive(Serialize)]
struct Hour<'a> {
    hour: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

impl<P: Services> Admin<P> {
    pub(super) async fn status(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
    ) -> Result<Reply, Failure> {
        let store = self.ports.store();
        let hidden = match store.integration(project, id).await? {
            Found::Unknown => return Err(Failure::not_found("integration")),
            // What became of its events can still be asked.
            Found::Deleted => Some(State::Deleted),
            Found::Present(integration) if !integration.enabled => Some(State::Disabled),
            Found::Present(_) => None,
        };
        let (health, backlog, hours) = try_join3(
            store.health(project, id),
            backlog(self.ports.objects(), id),
            store.counts(id),
        )
        .await?;
        Reply::json(200, &show(hidden, &health, backlog, &hours))
    }
}

fn show<'a>(
    hidden: Option<State>,
    health: &'a Health,
    backlog: Backlog,
    hours: &'a [(String, Counts)],
) -> Shown<'a> {
    let state = hidden.unwrap_or(match health.route() {
        Route::Paced(Why::Paused) => State::Paused,
        Route::Paced(Why::Open(_)) => State::Open,
        Route::Paced(Why::Slow) => State::Slow,
        Route::Direct => State::Well,
    });
    let open = health.breaker.open;
    let recent = &hours[hours.len().saturating_sub(HOURS)..];
    let mut total = Counts::default();
    for (_, counts) in hours {
        total += *counts;
    }
    Shown {
        state,
        breaker: ShownBreaker {
            open: open.is_some(),
            since: open.map(|open| open.since),
            until: open.map(|open| open.until),
            cause: open.map(|open| open.cause),
        },
        pause: health.pause.as_ref(),
        // While it is paused or disabled, nothing is probed.
        next_probe_at: open.filter(|_| state == State::Open).map(|open| open.until),
        next_wake_at: health.next_wake_at,
        backlog,
        ledger: Ledger {
            hours: recent.iter().map(|(hour, counts)| Hour { hour, counts: *counts }).collect(),
            total,
            balances: total.balances(),
        },
    }
}

/// Counts by listing alone: the keys say how many events each delivery holds.
///
/// Since when one is parked is not in its key, which a replay keeps: as the metric of the backlog's age,
/// this goes by the object's own time.
async fn backlog(objects: &impl Objects, id: &IntegrationId) -> PortResult<Backlog> {
    let prefix = Place::Parked.prefix(id);
    let mut backlog = Backlog::default();
    let mut after: Option<String> = None;
    loop {
        let page = objects.list(&prefix, after.as_deref()).await?;
        let Some(last) = page.last() else { return Ok(backlog) };
        after = Some(last.key.clone());
        for listed in &page {
            let Some(key) = ParkedKey::parse(&listed.key) else { continue };
            if backlog.deliveries == COUNTED {
                return Ok(Backlog { at_least: true, ..backlog });
            }
            backlog.deliveries += 1;
            backlog.events += key.count;
            let oldest = backlog.oldest_at.map_or(listed.modified, |at| at.min(listed.modified));
            backlog.oldest_at = Some(oldest);
        }
    }
}

#[cfg(test)]
mod tests;
