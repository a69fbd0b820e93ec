//! Rotating the secret that signs an integration's requests.

use std::time::Duration;

use serde::Serialize;

use super::{
    Admin, AdminPorts, Call, Failure, Reply, TRIES, fields::Fields, integrations::crowded,
    precondition,
};
use crate::{
    id::{IntegrationId, ProjectId},
    integration::{Integration, OldSecret, Own},
    ports::{AdminStore, Clock, Written},
    preset::Scheme,
    problem::{Kind, Problem},
    secret::Secret,
    signature,
    time::Timestamp,
};

/// How long the old secret signs too, in hours, where nothing is said.
const OVERLAP: usize = 24;
/// And at most.
const OVERLAP_MAX: usize = 30 * 24;

#[derive(Serialize)]
struct Rotated<'a> {
    /// In this answer, and never again.
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_until: Option<Timestamp>,
}

impl<P: AdminPorts> Admin<P> {
    /// Sets a new secret, the one given or a random one, and shows it once.
    pub(super) async fn rotate_secret(
        &self,
        call: &Call<'_>,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let integration = self.find(project, id).await?;
        let scheme = integration.signature();
        let given = match fields.take("secret") {
            None => None,
            Some(value) => {
                let secret = value.as_str().map(Secret::new);
                let fault = match &secret {
                    Some(secret) => signature::fault(scheme, secret),
                    None => Some("must be text; without it a random one is made".to_owned()),
                };
                if let Some(fault) = fault {
                    fields.fault("secret", fault);
                }
                secret
            }
        };
        let overlap = fields.number("overlap_hours", &(0..=OVERLAP_MAX));
        if scheme == Scheme::None {
            fields.fault("signature", "is `none`: choose a scheme first");
        } else if scheme != Scheme::StandardWebhooks && overlap.is_some_and(|hours| hours > 0) {
            let detail = "must be 0: this signature has room for one secret";
            fields.fault("overlap_hours", detail);
        }
        fields.finish()?;
        let hours = match scheme {
            Scheme::StandardWebhooks => overlap.unwrap_or(OVERLAP),
            _ => 0,
        };
        let overlap = Duration::from_secs(hours as u64 * 3600);
        let mut creation = self.creation(call).await?;
        let secret =
            given.unwrap_or_else(|| signature::generate(scheme, &creation.bytes("secret")));
        for _ in 0..TRIES {
            let old = self.find(project, id).await?;
            if creation.done {
                return if knows(&old, &secret) { shown(&old, &secret) } else { Err(replaced()) };
            }
            if old.signature() != scheme {
                return Err(precondition::failed(&old).into());
            }
            let new = rotated(&old, &secret, self.ports.clock().now(), overlap);
            let once = creation.once.as_ref();
            match self.ports.store().replace_integration(&old, &new, once).await? {
                Written::Done => return shown(&new, &secret),
                // The same request, sent twice at once: the other one was faster.
                Written::Repeated => creation = self.creation(call).await?,
                Written::Stale | Written::Taken => {}
            }
        }
        Err(crowded())
    }
}

/// Whether it is the present secret, or the one before.
fn knows(integration: &Integration, secret: &Secret) -> bool {
    let old = integration.own.old_secret.as_ref().map(|old| &old.secret);
    integration.own.secret.iter().chain(old).any(|one| one == secret)
}

/// 409: what this request set is told to nobody who would sign or verify by it.
fn replaced() -> Failure {
    let detail = "what this request has set was replaced since: rotate anew, under another key";
    Problem::new(Kind::Conflict, detail).into()
}

fn shown(present: &Integration, secret: &Secret) -> Result<Reply, Failure> {
    let old =
        present.own.old_secret.as_ref().filter(|_| present.own.secret.as_ref() == Some(secret));
    let shown = Rotated { secret: secret.reveal(), old_until: old.map(|old| old.until) };
    Ok(Reply::json(200, &shown)?.with_header("etag", precondition::etag(present)))
}

/// The next version of an integration, with another secret; the present one goes on for `overlap`. Where the
/// present one is set again, what goes on beside it does so as long as it would have: it may be the same
/// request once more.
fn rotated(old: &Integration, secret: &Secret, now: Timestamp, overlap: Duration) -> Integration {
    let own = &old.own;
    let old_secret = match &own.secret {
        _ if overlap.is_zero() => None,
        Some(present) if present == secret => own.old_secret.clone(),
        present => present.clone().map(|secret| OldSecret { secret, until: now.plus(overlap) }),
    };
    let own = Own { secret: Some(secret.clone()), old_secret, ..old.own.clone() };
    Integration { own, version: old.version + 1, updated_at: now, ..old.clone() }
}
