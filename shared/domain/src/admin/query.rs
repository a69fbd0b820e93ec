//! The query of a request, and the part of a list that it asks for.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use url::form_urlencoded;

use super::fields::Fields;
use crate::{page::Part, problem::Problem, time::Timestamp};

/// So many are listed where nothing is said.
const LIMIT: usize = 50;
/// And at most.
const LIMIT_MAX: usize = 100;
/// Bytes of a place in a list: an integration's name may have 128 characters.
const PLACE_MAX: usize = 512;

/// Names and values of a query, decoded.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Reads `limit` and `cursor`, for a list that takes no other parameter.
pub(super) fn part(query: &[(String, String)]) -> Result<Part, Problem> {
    let mut fields = Fields::query(query);
    let limit = limit(&mut fields);
    let after = after(&mut fields, |place| Some(place.to_owned()));
    fields.finish()?;
    Ok(Part { after, limit })
}

/// Reads `limit`: how many are listed at most.
pub(super) fn limit(fields: &mut Fields) -> usize {
    fields.number("limit", &(1..=LIMIT_MAX)).unwrap_or(LIMIT)
}

/// Reads `from` and `to`: a span of time, which ends before `to`.
pub(super) fn times(fields: &mut Fields) -> (Timestamp, Option<Timestamp>) {
    let from = fields.time("from").unwrap_or_default();
    let to = fields.time("to");
    if to.is_some_and(|to| to <= from) {
        fields.fault("to", "must be later than `from`");
    }
    (from, to)
}

/// Reads `cursor`: the place after which the list goes on, which `read` finds valid.
pub(super) fn after<T>(fields: &mut Fields, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let cursor = fields.take("cursor")?;
    let after = cursor.as_str().and_then(place).and_then(|place| read(&place));
    if after.is_none() {
        fields.fault("cursor", "must be the `next` of an answer before");
    }
    after
}

/// The cursor for what comes after a place. It is opaque: clients send it back as it is.
pub(super) fn cursor(place: Option<&String>) -> Option<String> {
    place.map(|place| BASE64_URL_SAFE_NO_PAD.encode(place))
}

fn place(cursor: &str) -> Option<String> {
    let place = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (1..=PLACE_MAX).contains(&place.len()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;

    fn faults(query: &str) -> Vec<String> {
        let problem = part(&pairs(query)).unwrap_err();
        assert_eq!(problem.kind, Kind::InvalidField);
        problem.errors.into_iter().map(|fault| fault.field.unwrap()).collect()
    }

    #[test]
    fn a_query_is_decoded() {
        let decoded = pairs("a=b%20c&d=%C3%A9+f&g&=h");
        let decoded: Vec<_> = decoded.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(decoded, [("a", "b c"), ("d", "é f"), ("g", ""), ("", "h")]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn without_a_word_it_is_the_beginning() {
        assert_eq!(part(&[]), Ok(Part { after: None, limit: 50 }));
    }

    #[test]
    fn a_cursor_is_what_was_given_out() {
        for name in ["shop", "Ünï ✓ % /", "\u{4cf}0", &"é".repeat(128)] {
            let cursor = cursor(Some(&name.to_owned())).unwrap();
            assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            let found = part(&pairs(&format!("limit=100&cursor={cursor}")));
            assert_eq!(found, Ok(Part { after: Some(name.to_owned()), limit: 100 }));
        }
        assert_eq!(cursor(None), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for wrong in ["0", "101", "-1", "1.5", "", "ten", "99999999999999999999"] {
            assert_eq!(faults(&format!("limit={wrong}")), ["limit"], "{wrong}");
        }
        let long = BASE64_URL_SAFE_NO_PAD.encode("x".repeat(513));
        for wrong in ["", "!", "Zg==", "_w", long.as_str()] {
            assert_eq!(faults(&format!("cursor={wrong}")), ["cursor"], "{wrong}");
        }
        assert_eq!(faults("limit=1&limit=2&page=3&cursor=~"), ["limit", "cursor", "page"]);
    }
}
