//! The filters that are measured. All look at fields that lie before, between and behind what they
//! skip.

use flagpost_filter::{Filter, MAX_LEAVES};
use serde_json::{Value, json};

use crate::Outcome;

/// Filters, compiled.
#[derive(Debug)]
pub(super) struct Filters {
    /// One field; all events match it.
    pub(super) one: Filter,
    /// Three fields; all events match it.
    pub(super) three: Filter,
    /// The same three, and no event matches it, by the last of them.
    pub(super) unmatched: Filter,
    /// As many values as a filter may have; all events match it, mostly by the last of each list.
    pub(super) full: Filter,
}

impl Filters {
    pub(super) fn compile() -> Outcome<Self> {
        Ok(Self {
            one: Filter::compile(&json!({ "event_type": [no_own_event()] }))?,
            three: Filter::compile(&three(&json!([">", 0, "<", 1_000])))?,
            unmatched: Filter::compile(&three(&json!([">=", 1_000, "<", 10_000])))?,
            full: Filter::compile(&full())?,
        })
    }

    /// Each of them, and whether the events match it.
    pub(super) fn with_answers(&self) -> [(&Filter, bool); 4] {
        [(&self.one, true), (&self.three, true), (&self.unmatched, false), (&self.full, true)]
    }
}

/// Amplitude marks the events that its SDKs make by themselves.
fn no_own_event() -> Value {
    json!({ "anything-but": { "prefix": "[Amplitude] " } })
}

fn three(price: &Value) -> Value {
    json!({
        "event_type": [no_own_event()],
        "platform": ["Web", "iOS", "Android"],
        "event_properties": { "price": [{ "numeric": price }] },
    })
}

/// Six fields, and [`MAX_LEAVES`] values in all.
fn full() -> Value {
    let numbered = |count: usize, name: &str, last: &[&str]| {
        let others = (0..count - last.len()).map(|number| format!("{name} {number:02}"));
        others.chain(last.iter().map(|&name| name.to_owned())).collect::<Vec<_>>()
    };
    let prefixes = |all: Vec<String>| {
        all.into_iter().map(|prefix| json!({ "prefix": prefix })).collect::<Vec<_>>()
    };
    let types = [
        "Checkout Completed",
        "Product Viewed",
        "Product Added",
        "Subscription Renewed",
        "Invoice Downloaded",
        "Search Performed",
    ];
    let countries = ["Germany", "Austria", "France", "Japan", "Brazil"];
    let libraries = ["amplitude-ts/", "amplitude-swift/", "amplitude-kt/"];
    let products = ["27\" ", "Team", "Desk", "Note", "Office"];
    let beside = MAX_LEAVES - 40 - 30 - 10 - 4 - 1;
    json!({
        "event_type": numbered(40, "Campaign Opened", &types),
        "country": numbered(30, "Region", &countries),
        "library": prefixes(numbered(10, "library", &libraries)),
        "os_name": ["Chrome", "Firefox", "ios", "android"],
        "event_properties": {
            "price": [{ "numeric": [">", 0, "<", 1_000] }],
            "product": prefixes(numbered(beside, "Product", &products)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_one_is_as_large_as_it_may_be() {
        let mut pattern = full();
        Filter::compile(&pattern).unwrap();
        pattern["platform"] = json!(["Web"]);
        let refused = Filter::compile(&pattern).unwrap_err().to_string();
        assert!(refused.contains("at most 100 values"), "{refused}");
    }
}
