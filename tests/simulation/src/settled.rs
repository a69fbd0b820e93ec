//! What must be true once all was well for long enough.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use flagpost_domain::{id::IntegrationId, ledger::Counts, parked::Place, time::Timestamp};

use crate::{
    events,
    fault::{Fault, Weather},
    owner::Owner,
    table::{Configured, Item},
    trace::About,
    versioned::Versioned,
    witness::SetAside,
    world::{State, World},
};

/// What was set up so long before the first event came is known to everybody.
const FOUNDED: Duration = Duration::from_secs(1);

/// Whether nothing is under way any more that an endpoint could still get. What it got already, and
/// cannot take once more, may be left: of that alone the drainer cannot tell that the endpoint is well.
pub(crate) fn is_at_rest(state: &mut State, now: i64) -> bool {
    let [events, retry, _] = &state.queues;
    let idle = |item: &Versioned<Item>| {
        let health = &item.latest().health;
        let prefix = Place::Parked.prefix(&health.integration);
        let parked = state.objects.range(prefix.clone()..).next();
        let left = parked.is_some_and(|(key, _)| key.starts_with(&prefix));
        // Who still drains may not have counted yet.
        let drains = health.lease.as_ref().is_some_and(|lease| lease.until.0 > now);
        (health.next_wake_at.is_none() || left) && !drains
    };
    events.is_empty()
        && retry.is_empty()
        && state.table.health.values().all(idle)
        && waiting(state).is_empty()
}

/// What waits, but for what an endpoint cannot take while its breaker is open and nothing else comes:
/// of that alone nobody can tell that the endpoint is well. It is tried at each pause's end.
fn waiting(state: &mut State) -> BTreeMap<u32, (usize, usize)> {
    let mut poisons = HashMap::new();
    for (host, Owner { id, .. }) in &state.hosts {
        let open = |item: &Versioned<Item>| item.latest().health.breaker.open.is_some();
        let endpoint = state.endpoints.get(host).filter(|endpoint| !endpoint.mended);
        let Some(endpoint) = endpoint else { continue };
        if state.table.health.get(id).is_some_and(open) {
            poisons.insert(state.witness.number(id), endpoint.poisons.clone());
        }
    }
    let hopeless = |integration: u32, events: &[u32]| {
        let poisons = poisons.get(&integration).map(Vec::as_slice).unwrap_or_default();
        poisons.iter().any(|poison| events.contains(poison))
    };
    state.witness.waiting(hopeless)
}

/// What must be true when all was well for long enough.
pub(crate) fn check_end(world: &World) {
    let now = world.now();
    world.with(|state| {
        if state.witness.violation.is_some() {
            return;
        }
        if !is_at_rest(state, now) {
            let left: Vec<usize> = state.queues.iter().map(crate::queue::Queue::len).collect();
            let waiting = waiting(state);
            let about = About {
                integration: waiting.keys().next().copied(),
                ..About::default()
            };
            let timers: Vec<_> = state
                .table
                .health
                .values()
                .filter_map(|item| item.latest().health.next_wake_at)
                .map(|at| at.0 - now)
                .collect();
            let what = format!(
                "not at rest: messages {left:?}, scheduled and parked {waiting:?}, timers {timers:?}"
            );
            state.witness.violate(now, about, what);
            return;
        }
        if state.plan.weather < Weather::Storm {
            check_ledger(state, now);
            if state.tally.of(Fault::OutOfTime) == 0 {
                check_told(state, now);
            }
        }
        if state.plan.weather == Weather::Calm {
            check_dead(state, now);
        }
        if state.plan.weather == Weather::Calm && state.witness.repeated > 0 {
            let what = format!("{} repeated deliveries in calm weather", state.witness.repeated);
            state.witness.violate(now, About::default(), what);
        }
    });
}

/// Without crashes, duplicates and lost answers the ledger is right to the event.
fn check_ledger(state: &mut State, now: i64) {
    let ids: Vec<_> = state.table.ledger.keys().cloned().collect();
    for id in ids {
        let mut sum = Counts::default();
        for counts in state.table.ledger.get(&id).into_iter().flat_map(|hours| hours.values()) {
            sum += *counts;
        }
        let number = state.witness.number(&id);
        let stored = i128::try_from(state.witness.stored(number)).unwrap_or(i128::MAX);
        let [scheduled, parked, dead] = sum.waiting();
        if let Some([matched, filtered]) = expected(state, &id)
            && [matched, filtered] != [sum.matched, sum.filtered]
        {
            let about = About { integration: Some(number), ..About::default() };
            let what =
                format!("{matched} matched and {filtered} filtered, but the ledger: {sum:?}");
            state.witness.violate(now, about, what);
        }
        let aside = state.witness.aside.get(&number).copied().unwrap_or_default();
        let said = SetAside {
            dead: sum.dead,
            undead: sum.undead,
            expired: sum.expired,
            discarded: sum.discarded,
        };
        if said != aside && !state.witness.is_deleted(number) {
            let about = About { integration: Some(number), ..About::default() };
            let what = format!("{aside:?}, but the ledger: {sum:?}");
            state.witness.violate(now, about, what);
        }
        if !sum.balances() || scheduled != 0 || parked + dead != stored {
            let about = About { integration: Some(number), ..About::default() };
            let what = format!("the ledger is off: {sum:?}, and {stored} events are stored");
            state.witness.violate(now, about, what);
        }
    }
}

/// Without crashes and calls that fail, every change is told once.
fn check_told(state: &mut State, now: i64) {
    if let Some((id, what)) = state.witness.told.fault() {
        let integration = Some(state.witness.number(&id));
        state.witness.violate(now, About { integration, ..About::default() }, what);
    }
}

/// What an integration was sent and what its filter did not want, if it was never changed.
fn expected(state: &State, id: &IntegrationId) -> Option<[u64; 2]> {
    let owner = state.hosts.values().find(|owner| owner.id == *id)?;
    let mut configured = state.table.integrations.values().filter_map(|project| project.get(id));
    let Configured::Present(integration) = configured.next()?.latest() else { return None };
    let begins = Timestamp(*state.witness.accepted.values().min()?);
    owner.is_as_made(begins.minus(FOUNDED)).then(|| state.witness.wanted(integration))
}

/// Where each event is a request of its own, one that the endpoint cannot take hinders no other.
fn check_dead(state: &mut State, now: i64) {
    let dead: Vec<_> = state.witness.all_dead().collect();
    for (host, owner) in &state.hosts {
        let number = state.witness.number(&owner.id);
        let Some(endpoint) = state.endpoints.get(host).filter(|_| owner.is_always_single()) else {
            continue;
        };
        let innocent = |(of, event): &&(u32, u32)| {
            *of == number && !endpoint.poisons.contains(event) && !events::lacks(*event)
        };
        if let Some((_, event)) = dead.iter().find(innocent) {
            let about = About { integration: Some(number), events: vec![*event] };
            let what = format!("event {event} is dead, and nothing was wrong with it");
            state.witness.violate(now, about, what);
        }
    }
}

/// What was replayed, and what nothing is wrong with any more, is delivered.
pub(crate) fn check_replayed(world: &World) {
    let now = world.now();
    world.with(|state| {
        let dead: Vec<_> = state.witness.all_dead().collect();
        for (integration, event) in dead {
            let witness = &state.witness;
            if witness.is_deleted(integration)
                || witness.is_making(integration)
                || witness.has_expired(integration, event)
            {
                continue;
            }
            let about = About { integration: Some(integration), events: vec![event] };
            let what = format!("event {event} was replayed, and is dead");
            state.witness.violate(now, about, what);
        }
    });
}
