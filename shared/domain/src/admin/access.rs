//! Who may use the operator's API: whoever holds the admin key.

use subtle::ConstantTimeEq;

use crate::{
    key::{bearer, hash},
    ports::KeyHash,
    problem::Problem,
};

/// Checks `Authorization: Bearer <admin key>` against the key's SHA-256. The time it takes tells
/// nothing of how much of a guess was right.
pub(super) fn check(authorization: Option<&str>, key_hash: &KeyHash) -> Result<(), Problem> {
    let key = bearer(authorization)
        .ok_or_else(|| Problem::unauthorized("Authorization must be `Bearer` and the admin key"))?;
    if bool::from(hash(key).as_bytes().ct_eq(key_hash.as_bytes())) {
        Ok(())
    } else {
        Err(Problem::unauthorized("this is not the admin key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;

    #[test]
    fn only_the_key_itself_opens() {
        let hash = hash("s3cret");
        for header in ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret", " Bearer s3cret "] {
            assert_eq!(check(Some(header), &hash), Ok(()), "{header:?}");
        }
        let wrong = ["", "Bearer", "Bearer ", "s3cret", "Basic s3cret", "Bearer S3cret"];
        let wrong = wrong.into_iter().map(Some).chain([None, Some("Bearer s3cret2")]);
        for header in wrong {
            let problem = check(header, &hash).unwrap_err();
            assert_eq!(problem.kind, Kind::Unauthorized, "{header:?}");
            assert_eq!(problem.headers, [("www-authenticate", "Bearer".to_owned())]);
            assert!(!problem.body().contains("s3cret"));
        }
    }
}
