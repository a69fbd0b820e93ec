//! Signatures, always over the body before it is compressed: receivers' frameworks undo
//! `Content-Encoding` before anybody sees the body.
//!
//! Sources: "Standard Webhooks" (standard-webhooks on GitHub, `spec/standard-webhooks.md`);
//! Flagsmith, "Webhook Analytics Integration"; Statsig, "Event Webhook", whose timestamps are
//! milliseconds.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{hex::hex, integration::Integration, preset::Scheme, secret::Secret, time::Timestamp};

/// What every secret of Standard Webhooks begins with.
pub const STANDARD_PREFIX: &str = "whsec_";
/// How many bytes such a secret has.
const STANDARD_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How many characters any other has.
const CHARACTERS: std::ops::RangeInclusive<usize> = 8..=256;

/// The headers that sign this body for an integration; none where it has no secret.
pub fn sign(
    integration: &Integration,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let own = &integration.own;
    let Some(secret) = &own.secret else {
        return Vec::new();
    };
    match integration.signature() {
        Scheme::None => Vec::new(),
        Scheme::StandardWebhooks => {
            let old = own.old_secret.as_ref().filter(|old| at < old.until).map(|old| &old.secret);
            let head = format!("{id}.{}.", at.seconds());
            let signatures: Vec<_> = [Some(secret), old]
                .into_iter()
                .flatten()
                .filter_map(standard_key)
                .map(|key| {
                    format!("v1,{}", BASE64_STANDARD.encode(mac(&key, &[head.as_bytes(), body])))
                })
                .collect();
            vec![("webhook-signature", signatures.join(" "))]
        }
        Scheme::Flagsmith => {
            vec![("x-flagsmith-signature", hex(&mac(secret.reveal().as_bytes(), &[body])))]
        }
        Scheme::Statsig => {
            let head = format!("v0:{}:", at.0);
            let signature = hex(&mac(secret.reveal().as_bytes(), &[head.as_bytes(), body]));
            vec![
                ("x-statsig-request-timestamp", at.0.to_string()),
                ("x-statsig-signature", format!("v0={signature}")),
            ]
        }
    }
}

/// What is wrong with a secret for a scheme, and what is allowed; it never quotes the secret.
pub fn fault(scheme: Scheme, secret: &Secret) -> Option<String> {
    match scheme {
        Scheme::StandardWebhooks => standard_key(secret).is_none().then(|| {
            let (from, to) = (STANDARD_BYTES.start(), STANDARD_BYTES.end());
            format!("must be `{STANDARD_PREFIX}` and the base64 of {from} to {to} bytes")
        }),
        Scheme::None | Scheme::Flagsmith | Scheme::Statsig => {
            let fits = CHARACTERS.contains(&secret.reveal().chars().count());
            let (from, to) = (CHARACTERS.start(), CHARACTERS.end());
            (!fits).then(|| format!("must be text of {from} to {to} characters"))
        }
    }
}

/// A new secret for a scheme, out of random bytes.
pub fn generate(scheme: Scheme, random: &[u8; 32]) -> Secret {
    Secret::new(match scheme {
        Scheme::StandardWebhooks => format!("{STANDARD_PREFIX}{}", BASE64_STANDARD.encode(random)),
        Scheme::None | Scheme::Flagsmith | Scheme::Statsig => hex(random),
    })
}

fn standard_key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.reveal().strip_prefix(STANDARD_PREFIX)?;
    BASE64_STANDARD.decode(text).ok().filter(|key| STANDARD_BYTES.contains(&key.len()))
}

/// HMAC-SHA256 (RFC 2104) of parts that follow each other.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
