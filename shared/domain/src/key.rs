//! Bearer keys: how they are read from a header, and stored.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{hex::hex, ports::KeyHash};

/// A key longer than this is none of ours.
const MAX_KEY: usize = 256;

/// The key of an `Authorization: Bearer` header (RFC 6750, 2.1); the scheme in any case.
pub fn bearer(authorization: Option<&str>) -> Option<&str> {
    let (scheme, key) = authorization?.trim().split_once(' ')?;
    let key = key.trim();
    let fits = !key.is_empty() && key.len() <= MAX_KEY;
    (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(key)
}

/// What every ingest key begins with, so that a leaked one is found by scanners.
pub const INGEST_KEY_PREFIX: &str = "fpk_";
/// What every admin key that is limited to a project begins with.
pub const ADMIN_KEY_PREFIX: &str = "fpa_";
/// 32 bytes in base64url.
const TAIL: usize = 43;

/// Whether this can be an ingest key at all: others cost no look-up.
pub fn is_ingest_key(key: &str) -> bool {
    has_shape(key, INGEST_KEY_PREFIX)
}

/// Whether this can be the admin key of a project.
pub fn is_admin_key(key: &str) -> bool {
    has_shape(key, ADMIN_KEY_PREFIX)
}

/// A key out of random bytes.
pub fn make(prefix: &str, random: &[u8; 32]) -> String {
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(random))
}

fn has_shape(key: &str, prefix: &str) -> bool {
    let tail = key.strip_prefix(prefix).unwrap_or_default();
    tail.len() == TAIL
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// SHA-256 in lower-case hex. Keys are 256 random bits, so that no slow hash is needed.
pub fn hash(key: &str) -> KeyHash {
    hex(&Sha256::digest(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_keys_are_read_strictly() {
        assert_eq!(bearer(Some("Bearer abc")), Some("abc"));
        assert_eq!(bearer(Some("bearer   abc ")), Some("abc"));
        for header in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer(Some(header)), None, "{header}");
        }
        assert_eq!(bearer(Some(&format!("Bearer {}", "x".repeat(257)))), None);
        assert_eq!(bearer(None), None);
    }

    #[test]
    fn ingest_keys_have_one_shape() {
        let tail = "aZ09-_".repeat(8);
        assert!(is_ingest_key(&format!("fpk_{}", &tail[..43])));
        for key in ["", "fpk_", "fpk_test", &tail, &format!("fpk_{tail}")] {
            assert!(!is_ingest_key(key), "{key}");
        }
        assert!(!is_ingest_key(&format!("fpk_{}ä", &tail[..41])));
        assert!(is_admin_key(&make(ADMIN_KEY_PREFIX, &[255; 32])));
        assert!(!is_admin_key(&make(INGEST_KEY_PREFIX, &[255; 32])), "the other kind");
        assert!(is_ingest_key(&make(INGEST_KEY_PREFIX, &[0; 32])));
    }

    #[test]
    fn hashes_are_those_of_sha256() {
        // FIPS 180-4's example "abc".
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
