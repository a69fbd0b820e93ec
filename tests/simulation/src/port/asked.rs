//! What operators ask for, at its beginning and its end, and whose turn it is.

use flagpost_domain::{
    id::IntegrationId,
    parked::{ParkedKey, Place},
};
use serde_json::Value;

use crate::{
    asked::{Act, Asked},
    fault::Weather,
    table::{Configured, Item},
    trace::About,
};

use super::Port;

impl Port {
    /// An operator asks for something.
    pub(crate) fn is_asked(&self, method: &str, path: &str, body: &Value) {
        let now = self.world.now();
        if let Some(asked) = Asked::read(method, path, body, now) {
            let invocation = self.invocation();
            self.world.with(|state| {
                let integration = Some(state.witness.number(&asked.integration));
                let about = About { integration, ..About::default() };
                state.note(now, about, || format!("admin#{invocation} is asked for {asked:?}"));
                state.witness.operated.begins(invocation, asked);
            });
        }
    }

    /// And gets this answer.
    pub(crate) fn has_answered(&self, answer: &Value) {
        let (now, invocation) = (self.world.now(), self.invocation());
        self.world.with(|state| {
            let Some(asked) = state.witness.operated.asked(invocation).cloned() else { return };
            let (place, id) = (asked.place(), asked.integration.clone());
            let integration = Some(state.witness.number(&id));
            let about = About { integration, ..About::default() };
            state.note(now, about.clone(), || format!("admin#{invocation} answers {answer}"));
            let put_at = |key: &str| state.objects.get(key).map_or(now, |(at, _)| *at);
            let there = state.witness.there(place, &id, put_at);
            let resumed = asked.act == Act::FromNow && !asked.dry_run && answer["done"] == true;
            let began = asked.began;
            let paused = state.table.health.get(&id).and_then(|item| item.latest().paused_at);
            if resumed && paused.is_some_and(|since| since < began) {
                state.witness.violate(now, about.clone(), "resumed, it says, and is paused");
            }
            let exact = state.plan.weather < Weather::Storm;
            let operated = &mut state.witness.operated;
            if let Err(what) = operated.answered(invocation, answer, &there, exact, now) {
                state.witness.violate(now, about, what);
            }
        });
    }

    /// An operator's function deletes an object: only who has the lease does, and what is parked is purged
    /// only from who is paused or disabled.
    pub(super) fn check_turn(&self, key: &str) {
        let (now, invocation) = (self.world.now(), self.invocation());
        let Some(key) = ParkedKey::parse(key).filter(|_| self.asked().is_some()) else { return };
        self.world.with(|state| {
            let Some(asked) = state.witness.operated.asked(invocation) else { return };
            let (of, id) = (asked.place(), &asked.integration);
            let lease = match of {
                Place::Dead => IntegrationId(format!("{id}.dead")),
                Place::Parked => id.clone(),
            };
            let lease =
                state.table.health.get(&lease).map(|item| item.latest().health.lease.clone());
            let mine =
                lease.flatten().is_some_and(|it| state.slices.is_owner(&it.owner, invocation));
            let goes_on = |item: &Item| item.health.pause.is_none();
            let enabled = |one: &Configured| matches!(one, Configured::Present(one) if one.enabled);
            let began = asked.began;
            let mut all = state.table.integrations.values();
            let configured = all.find_map(|project| project.get(id));
            let well = state.table.health.get(id).is_some_and(|it| it.throughout(began, goes_on))
                && configured.is_some_and(|one| one.throughout(began, enabled));
            let integration = Some(state.witness.number(&key.integration));
            let about = About { integration, ..About::default() };
            if !mine {
                let what = format!("{} is deleted by who has no lease", key.text());
                state.witness.violate(now, about, what);
            } else if of == Place::Parked && well {
                let what = format!("{} is purged, and its integration is well", key.text());
                state.witness.violate(now, about, what);
            }
        });
    }

    /// An operator's function lifts a pause: who wants no backlog has none by then.
    pub(super) fn check_lifted(&self, id: &IntegrationId) {
        let (now, invocation) = (self.world.now(), self.invocation());
        self.world.with(|state| {
            let asked = self.asked().and_then(|of| state.witness.operated.asked(of)).cloned();
            let Some(asked) = asked.filter(|asked| asked.act == Act::FromNow) else { return };
            let integration = Some(state.witness.number(id));
            let about = About { integration, ..About::default() };
            let put_at = |key: &str| state.objects.get(key).map_or(now, |(at, _)| *at);
            // A container's clock may be ahead of the operator's.
            let before =
                |(key, at): (&ParkedKey, i64)| at < asked.began && key.at.0 < asked.began - 6_000;
            let there = state.witness.there(Place::Parked, id, put_at);
            if asked.dry_run || there.iter().any(|(key, at, _)| before((key, *at))) {
                let what = format!("admin#{invocation} resumes, and there is a backlog");
                state.witness.violate(now, about, what);
            }
        });
    }
}
