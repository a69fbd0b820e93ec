//! The bucket, and whether a drain takes what is oldest.

use bytes::Bytes;
use flagpost_domain::{
    health::Lease,
    parked::{ParkedKey, Place},
    ports::{Listed, Objects, PortResult},
    time::{Timestamp, millis},
};
use rand::RngExt;

use crate::{
    fault::{Fault, Weather},
    trace::About,
};

use super::Port;

impl Objects for Port {
    async fn put(&self, key: &str, body: Bytes) -> PortResult<()> {
        let (key, invocation) = (key.to_owned(), self.invocation());
        let asked = self.asked().is_some();
        self.call("s3:PutObject", move |state, now| {
            let about = state.witness.put(&key, &body, invocation, asked, now);
            state.note(now, about, || format!("object put: {key}"));
            state.objects.insert(key.clone(), (now, body.clone()));
        })
        .await
    }

    async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        self.check_order(key);
        let key = key.to_owned();
        self.call("s3:GetObject", move |state, _| {
            state.objects.get(&key).map(|(_, body)| body.clone())
        })
        .await
    }

    async fn delete(&self, key: &str) -> PortResult<()> {
        let key = key.to_owned();
        let invocation = self.invocation();
        self.world.with(|state| state.slices.sees_to(invocation, &key));
        self.check_turn(&key);
        let retention = self.world.setting.retention;
        let keep = match ParkedKey::parse(&key).map(|parsed| parsed.place) {
            Some(Place::Dead) => retention.dead,
            _ => retention.parked,
        };
        let asked = self.asked();
        let call_ms = self.world.setting.call_ms;
        self.call("s3:DeleteObject", move |state, now| {
            let storm = state.plan.weather == Weather::Storm;
            let way_ms = if storm { i64::MAX / 4 } else { call_ms };
            // A container's clock may be ahead.
            state.delete_object(&key, now - millis(keep) + 5_000, asked, way_ms, now);
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> PortResult<Vec<Listed>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let (invocation, drains) = (self.invocation(), self.drains());
        self.call("s3:ListObjectsV2", move |state, now| {
            if drains {
                state.slices.listed(invocation, after.as_deref(), now);
            }
            let short = state.happens(Fault::ShortPage);
            let most = if short { state.chance.random_range(1..=5) } else { 1_000 };
            let from = after.as_ref().map_or(prefix.clone(), |after| after.max(&prefix).clone());
            let listed = state.objects.range(from..).take_while(|(key, _)| {
                key.starts_with(&prefix) || after.as_ref().is_some_and(|after| *key <= after)
            });
            listed
                .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
                .take(most)
                .map(|(key, (at, _))| Listed { key: key.clone(), modified: Timestamp(*at) })
                .collect()
        })
        .await
    }
}

impl Port {
    /// A drain takes what is oldest.
    fn check_order(&self, key: &str) {
        let Some(parsed) = ParkedKey::parse(key) else { return };
        if !self.drains() || parsed.place != Place::Parked {
            return;
        }
        let (now, invocation) = (self.world.now(), self.invocation());
        self.world.with(|state| {
            let Some(item) = state.table.health.get(&parsed.integration) else { return };
            let health = &item.latest().health;
            // Expiry reads too, and drains nothing.
            let holds = |lease: &Lease| state.slices.is_owner(&lease.owner, invocation);
            if !health.lease.as_ref().is_some_and(holds) {
                return;
            }
            // Who reads the past may take it for open still.
            let lately = now - health.breaker.uneasy_at.0 < 20_000;
            let probes =
                health.breaker.open.is_some() || (lately && state.plan.has(Fault::StaleRead));
            let prefix = Place::Parked.prefix(&parsed.integration);
            let older = state.slices.takes(invocation, key, &prefix, probes, &state.objects);
            if let Some(older) = older {
                let integration = Some(state.witness.number(&parsed.integration));
                let about = About { integration, ..About::default() };
                let what = format!("not oldest first: {key} before {older}");
                state.witness.violate(now, about, what);
            }
        });
    }
}
