//! Product-analytics events in the form of Amplitude's Export API, without the fields that are
//! null there, and with keys in its order, which is the alphabet's. The same numbers give the same
//! events.
//!
//! Source: Amplitude, "Export API", the response schema.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// An event of each kind: its number, its type.
const TYPES: [(u32, &str); 6] = [
    (412, "Checkout Completed"),
    (87, "Product Viewed"),
    (103, "Product Added"),
    (256, "Subscription Renewed"),
    (311, "Invoice Downloaded"),
    (19, "Search Performed"),
];
/// As they are sold; an inch is a character that JSON has to escape.
const PRODUCTS: [&str; 5] =
    ["27\" Monitor", "Team Plan", "Desk Lamp", "Notebook A5", "Office Chair"];
const PLATFORMS: [(&str, &str, &str); 4] = [
    ("Web", "Chrome", "amplitude-ts/2.11.1"),
    ("Web", "Firefox", "amplitude-ts/2.11.1"),
    ("iOS", "ios", "amplitude-swift/1.10.2"),
    ("Android", "android", "amplitude-kt/1.16.8"),
];
const COUNTRIES: [&str; 5] = ["Germany", "Austria", "France", "Japan", "Brazil"];
const PLANS: [&str; 3] = ["free", "team", "business"];
const NOW_MS: u64 = 1_795_237_200_000;

/// So many events, each the text of one JSON object.
pub(super) fn events(count: usize) -> Vec<Vec<u8>> {
    let mut chance = Chance(0xA3B1);
    (0..count).map(|number| event(number, &mut chance).to_string().into_bytes()).collect()
}

fn event(number: usize, chance: &mut Chance) -> Value {
    let (kind, name) = chance.of(&TYPES);
    let (platform, os, library) = chance.of(&PLATFORMS);
    let plan = chance.of(&PLANS);
    let mut properties = json!({
        "currency": "EUR",
        "price": price(chance),
        "product": chance.of(&PRODUCTS),
        "quantity": 1 + chance.below(4),
        "trial": chance.below(8) == 0,
    });
    if chance.below(4) == 0 {
        properties["coupon"] = format!("WINTER{:02}", chance.below(30)).into();
    }
    let at = chance.next() % 3_600_000;
    let mut event = Map::new();
    let mut set = |field: &str, value: Value| event.insert(field.to_owned(), value);
    set("$insert_id", uuid(chance).into());
    set("country", chance.of(&COUNTRIES).into());
    set("device_id", uuid(chance).into());
    set("event_id", kind.into());
    set("event_properties", properties);
    set("event_time", time(at).into());
    set("event_type", name.into());
    set("library", library.into());
    set("os_name", os.into());
    set("platform", platform.into());
    set("session_id", (NOW_MS + at - chance.next() % 900_000).into());
    // Who has not signed in has no name and no address yet.
    if chance.below(5) > 0 {
        set("user_id", format!("user-{number:05}").into());
        set(
            "user_properties",
            json!({ "email": format!("u{number:05}@example.com"), "plan": plan }),
        );
    } else {
        set("user_properties", json!({ "referrer": "https://www.example.org/shop" }));
    }
    Value::Object(event)
}

/// 0.99 to 999.99.
fn price(chance: &mut Chance) -> f64 {
    let whole = u32::try_from(chance.below(1_000)).unwrap_or_default();
    f64::from(whole * 100 + 99) / 100.0
}

/// A point of time in the hour after [`NOW_MS`], as Amplitude writes it: UTC, to the microsecond.
fn time(ms: u64) -> String {
    let (minute, second, ms) = (ms / 60_000, ms / 1_000 % 60, ms % 1_000);
    format!("2026-11-21 09:{minute:02}:{second:02}.{ms:03}000")
}

fn uuid(chance: &mut Chance) -> String {
    let (a, b) = (chance.next(), chance.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xFFFF,
        a & 0xFFF,
        b >> 52,
        b & 0xFFFF_FFFF_FFFF
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_events_have_500_bytes_on_average() {
        let events = events(500);
        let sum: usize = events.iter().map(Vec::len).sum();
        assert_eq!((sum + 250) / 500, 500);
        assert!(events.iter().all(|event| (440..=560).contains(&event.len())));
    }

    #[test]
    fn the_events_vary_as_real_ones_do() {
        let events = events(500);
        let events: Vec<Value> =
            events.iter().map(|event| serde_json::from_slice(event).unwrap()).collect();
        let different = |field: &str| {
            events.iter().map(|event| event[field].to_string()).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(different("$insert_id"), 500);
        assert_eq!(different("event_type"), TYPES.len());
        let with = |field: &str| events.iter().filter(|event| event.get(field).is_some()).count();
        assert_eq!(with("event_properties"), 500);
        assert!((350..450).contains(&with("user_id")));
    }
}
