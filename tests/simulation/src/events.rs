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

/// Operational events have numbers from here on.
const OPERATIONS: u32 = 1 << 31;

/// Whether it is an operational event: of no kind, and nothing for the template.
pub fn is_operational(number: u32) -> bool {
    number >= OPERATIONS
}

/// The kind of an event.
pub fn kind(number: u32) -> &'static str {
    // Not by the remainder alone: what follows each other is of one kind for a while.
    KINDS[(number / 2 % 3) as usize]
}

/// Whether the template cannot be applied to an event.
pub fn lacks(number: u32) -> bool {
    is_operational(number) || number % LACKING == 5
}

/// The text of an event.
pub fn text(number: u32) -> String {
    let kind = kind(number);
    if lacks(number) {
        return format!("{{\"n\":{number},\"kind\":\"{kind}\"}}");
    }
    format!("{{\"n\":{number},\"kind\":\"{kind}\",\"s\":\"{number}\"}}")
}

/// The number of an event, by its text or by what the template made of it; that of an operational event
/// is made from its id.
pub fn number(text: &[u8]) -> Option<u32> {
    let Some(at) = after(text, b"\"n\":") else {
        let id = text.get(after(text, b"\"id\":\"")?..)?.get(..32)?;
        let chance = u32::from_str_radix(str::from_utf8(&id[24..]).ok()?, 16).ok()?;
        return Some(chance | OPERATIONS);
    };
    let digits: Vec<u8> = text[at..].iter().copied().take_while(u8::is_ascii_digit).collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

/// Where the text goes on after the first of these.
fn after(text: &[u8], name: &[u8]) -> Option<usize> {
    Some(text.windows(name.len()).position(|some| some == name)? + name.len())
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
    if is_operational(number) {
        return false;
    }
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
    fn an_operational_event_has_a_number_of_its_own() {
        let text =
            r#"{"data":{"by":"breaker","id":"01a1fd2a6c807a3b9c1d2e3f40516275"},"type":"t"}"#;
        assert_eq!(number(text.as_bytes()), Some(0xc051_6275));
        assert!(is_operational(0xc051_6275) && lacks(0xc051_6275));
        assert!(takes(None, 0xc051_6275) && !takes(Some(&filter(0)), 0xc051_6275));
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
