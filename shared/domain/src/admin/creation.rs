//! What a creation is made of, so that it can be repeated: with an `Idempotency-Key`, the same
//! request has the same answer for 24 hours, down to a key that is shown once and stored nowhere.
//!
//! Everything that a creation makes up comes out of a seed, and the seed out of the caller's admin
//! key and a salt. Only the salt is stored: whoever reads the table learns nothing from it.
//!
//! Source: "The Idempotency-Key HTTP Header Field" (IETF, draft-ietf-httpapi-idempotency-key-header).

use std::time::Duration;

use super::{Admin, AdminPorts, Call, Failure, integrations::crowded};
use crate::{
    hex::hex,
    id::unique,
    ports::{AdminStore, Clock, Once, PortResult, Random, Remembered, Written},
    problem::{Fault, Kind, Problem},
    signature::mac,
    time::Timestamp,
};

/// How long a creation can be repeated.
const KEPT: Duration = Duration::from_hours(24);
/// Characters of an `Idempotency-Key` at most.
const KEY_MAX: usize = 255;
/// The header's name, where a fault names it.
const HEADER: &str = "Idempotency-Key";

/// A creation: when, and out of what.
// No `Debug`: the seed makes keys.
pub(super) struct Creation {
    /// When it was asked for, the first time.
    pub(super) at: Timestamp,
    seed: [u8; 32],
    /// Which creation the write completes, where there is an idempotency key.
    pub(super) once: Option<Once>,
    /// Whether it was made before: the answer is told again, and nothing is written.
    pub(super) done: bool,
}

impl Creation {
    /// Bytes that nobody can guess, different ones for each purpose.
    pub(super) fn bytes(&self, purpose: &str) -> [u8; 32] {
        mac(&self.seed, &[purpose.as_bytes()])
    }

    /// Chance enough for an identifier.
    pub(super) fn half(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.bytes("id")[..16]);
        half
    }

    /// An identifier that sorts by time.
    pub(super) fn id(&self) -> String {
        unique(self.at, self.half())
    }
}

impl<P: AdminPorts> Admin<P> {
    /// Begins a creation, or finds the one that the request repeats. It comes after all checks of
    /// the request itself: what is refused uses up no idempotency key.
    pub(super) async fn creation(&self, call: &Call<'_>) -> Result<Creation, Failure> {
        let at = self.ports.clock().now();
        let chance = self.ports.random().bytes();
        let Some(given) = call.request.idempotency_key else {
            return Ok(Creation { at, seed: chance, once: None, done: false });
        };
        check(given)?;
        let (path, body) = (call.request.path.as_bytes(), call.request.body);
        let name = hex(&call.derive(&[b"name", path, given.as_bytes()]));
        let salt = hex(&chance);
        let fingerprint = |salt: &str| hex(&call.derive(&[b"body", salt.as_bytes(), body]));
        let new = Remembered { body: fingerprint(&salt), salt, at, done: false };
        let store = self.ports.store();
        let found = match store.remember(&name, &new, at.plus(KEPT)).await? {
            None => new,
            Some(earlier) if fingerprint(&earlier.salt) == earlier.body => earlier,
            Some(_) => {
                let detail = "this idempotency key was used with another body: take a new one";
                return Err(Problem::new(Kind::IdempotencyKeyReused, detail).into());
            }
        };
        let Remembered { salt, at, done, .. } = found;
        let seed = call.derive(&[b"seed", salt.as_bytes()]);
        Ok(Creation { at, seed, once: Some(Once { name, salt }), done })
    }

    /// Makes it by this write, unless it was made before. What is made is `taken` by something else, or
    /// `stale` where what it belongs to is gone.
    pub(super) async fn make(
        &self,
        call: &Call<'_>,
        creation: &Creation,
        write: impl Future<Output = PortResult<Written>>,
        taken: impl FnOnce() -> Failure,
        stale: impl FnOnce() -> Failure,
    ) -> Result<(), Failure> {
        if creation.done {
            return Ok(());
        }
        match write.await? {
            Written::Done => Ok(()),
            Written::Taken => Err(taken()),
            Written::Stale => Err(stale()),
            // The same request, sent twice at once: the other one was faster. Whatever it made is what
            // this one would have made, once it is certain that it is done.
            Written::Repeated if self.creation(call).await?.done => Ok(()),
            Written::Repeated => Err(crowded()),
        }
    }
}

/// Checks the header: 1 to 255 visible ASCII characters.
fn check(given: &str) -> Result<(), Problem> {
    if (1..=KEY_MAX).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let detail = format!("must be 1 to {KEY_MAX} visible ASCII characters");
    let fault = Fault { index: None, field: Some(HEADER.to_owned()), detail };
    Err(Problem::new(Kind::InvalidField, format!("not valid: {HEADER}")).with_errors(vec![fault]))
}

impl Call<'_> {
    /// HMAC of parts under the caller's own key. No part but the last holds a NUL, so that no two
    /// lists of parts are the same bytes.
    fn derive(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(self.key.as_bytes(), &[parts.join(&0).as_slice()])
    }
}
