//! What simulated events say: their number and kind, and the filters and the template that
//! simulated operators know.
//!
//! What a filter takes is decided here by other means than the code that is tested.

use serde_json::{Value, json};

/// The kinds of events, of which a filter takes some.
const KINDS: [&str; 3] = ["click", "view", "purchase"];
/// One event in so many lacks what the template needs.
const LACKING: u32 = 11;
/// A template that makes of an event what can still be told apart.
pub const TEMPLATE: &str = r#"{"kind":"${input.kind}","n":${input.s}}"#;

/// The kind of an event.
pub fn kind(number: u32) -> &'static str {
    // Not by the remainder alone: what follows each other is of one kind for a while.
    KINDS[(number / 2 % 3) as usize]
}

/// Whether the template cannot be applied to an event.
pub fn lacks(number: u32) -> bool {
    number % LACKING == 5
}

/// The text of an event.
pub fn text(number: u32) -> String {
    let kind = kind(number);
    if lacks(number) {
        return format!("{{\"n\":{number},\"kind\":\"{kind}\"}}");
    }
    format!("{{\"n\":{number},\"kind\":\"{kind}\",\"s\":\"{number}\"}}")
}

/// The number of an event, by its text or by what the template made of it.
pub fn number(text: &[u8]) -> Option<u32> {
    let at = text.windows(4).position(|four| four == b"\"n\":")? + 4;
    let digits: Vec<u8> = text[at..].iter().copied().take_while(u8::is_ascii_digit).collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

/// A filter that takes the events of one kind, or of two.
pub fn filter(roll: usize) -> Value {
    let first = KINDS[roll % 3];
    if roll < 3 {
        json!({"kind": [first]})
    } else {
        json!({"kind": [first, KINDS[(roll + 1) % 3]]})
    }
}

/// Whether such a filter takes an event.
pub fn takes(filter: Option<&Value>, number: u32) -> bool {
    let Some(filter) = filter else { return true };
    let kinds = filter["kind"].as_array().map(Vec::as_slice).unwrap_or_default();
    kinds.iter().any(|one| one.as_str() == Some(kind(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_tells_its_number() {
        for n in 0..40 {
            assert_eq!(number(text(n).as_bytes()), Some(n));
            assert_eq!(text(n).contains("\"s\""), !lacks(n));
        }
    }

    #[test]
    fn a_filter_takes_a_third_or_two_thirds() {
        for (roll, of) in [(0, 20), (1, 20), (2, 20), (3, 40), (4, 40), (5, 40)] {
            let filter = filter(roll);
            assert_eq!((0..60).filter(|n| takes(Some(&filter), *n)).count(), of, "{filter}");
        }
        assert!(takes(None, 3));
    }
}
