//! The query of a request, and the part of a list that it asks for.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use url::form_urlencoded;

use crate::{
    page::Part,
    problem::{Fault, Kind, Problem},
};

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
    let mut part = Part { after: None, limit: LIMIT };
    let mut faults = Vec::new();
    for (index, (name, value)) in query.iter().enumerate() {
        let mut fault = |detail: String| {
            // A name is the client's own text, of any length.
            let field = Some(name.chars().take(64).collect());
            faults.push(Fault { index: None, field, detail });
        };
        if query[..index].iter().any(|(other, _)| other == name) {
            fault("is there twice".to_owned());
            continue;
        }
        match name.as_str() {
            "limit" => match value.parse() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => part.limit = limit,
                _ => fault(format!("must be a whole number, 1 to {LIMIT_MAX}")),
            },
            "cursor" => match place(value) {
                Some(place) => part.after = Some(place),
                None => fault("must be the `next` of an answer before".to_owned()),
            },
            _ => fault("is not taken here: the parameters are limit, cursor".to_owned()),
        }
    }
    if faults.is_empty() {
        return Ok(part);
    }
    let mut names: Vec<_> = faults.iter().filter_map(|fault| fault.field.as_deref()).collect();
    names.dedup();
    let detail = format!("not valid in the query: {}", names.join(", "));
    Err(Problem::new(Kind::InvalidField, detail).with_errors(faults))
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
        for name in ["shop", "Ünï ✓ % /", &"é".repeat(128)] {
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
        assert_eq!(faults("limit=1&limit=2&page=3&cursor=~"), ["limit", "page", "cursor"]);
    }
}
