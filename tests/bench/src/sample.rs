//! Impressions as SDKs report them: a few dozen flags' worth of variety, a fleet of hosts, several
//! SDKs. The same numbers give the same impressions.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// Events in one request, in one message and in one delivery.
pub(crate) const EVENTS: usize = 500;

type Flag = (&'static str, &'static [&'static str], &'static [&'static str]);

const FLAGS: [Flag; 10] = [
    ("checkout_redesign", &["on", "off"], &["default rule", "in segment beta_customers"]),
    ("search_ranking_v3", &["bm25", "semantic"], &["default rule", "country in list [DE, AT, CH]"]),
    ("onboarding-tour", &["on", "off"], &["default rule", "plan in list [\"trial\"]"]),
    ("pricing_page_experiment", &["a", "b", "c"], &["default rule", "not in split"]),
    ("mobile_push_optin", &["on", "off"], &["default rule", "app_version >= 4.12.0"]),
    ("kill_switch_exports", &["off"], &["killed"]),
    ("new_billing_backend", &["on", "off"], &["in segment billing_pilot", "default rule"]),
    ("dark_mode", &["on", "off"], &["default rule"]),
    ("recommendations_api", &["v1", "v2"], &["default rule", "bucketing by account"]),
    ("legacy_flag_cleanup", &["control"], &["definition not found"]),
];
const SDKS: [(&str, &str); 5] = [
    ("python", "10.7.0"),
    ("nodejs", "11.4.1"),
    ("java", "4.18.1"),
    ("go", "6.7.0"),
    ("javascript", "11.4.1"),
];
const TIERS: [&str; 3] = ["free", "team", "enterprise"];
const NOW_MS: u64 = 1_795_237_200_000;

/// The bodies of so many requests, each an array of so many impressions.
pub(crate) fn requests(count: usize, events: usize) -> Vec<Bytes> {
    let mut chance = Chance(0x5EED);
    let mut request = |first: usize| -> Bytes {
        let numbers = first..first + events;
        let events: Vec<_> = numbers.map(|number| impression(number, &mut chance)).collect();
        Value::from(events).to_string().into()
    };
    (0..count).map(|number| request(number * events)).collect()
}

fn impression(number: usize, chance: &mut Chance) -> Value {
    let flag = chance.below(FLAGS.len());
    let (name, treatments, labels) = FLAGS[flag];
    let (sdk, version) = chance.of(&SDKS);
    let mut impression = Map::new();
    let mut set = |field: &str, value: Value| impression.insert(field.to_owned(), value);
    set("key", format!("user-{number:06}-{:010x}", chance.next() >> 24).into());
    set("split", name.into());
    set("treatment", chance.of(treatments).into());
    set("time", (NOW_MS - chance.next() % 9_000).into());
    set("label", chance.of(labels).into());
    set("splitVersionNumber", (1_788_000_000_000 + flag as u64 * 86_400_123).into());
    set("sdk", sdk.into());
    set("sdkVersion", version.into());
    if chance.below(10) < 3 {
        set("bucketingKey", format!("account-{:05}", chance.below(4_000)).into());
    }
    // Browsers have no machine to name.
    if sdk != "javascript" {
        let host = chance.below(48);
        let (net, address) = (host / 16, host % 16 * 13 + 4);
        set("machineName", format!("ip-10-24-{net}-{address}").into());
        set("machineIp", format!("10.24.{net}.{address}").into());
    }
    if chance.below(10) == 0 {
        set("properties", json!({ "tier": chance.of(&TIERS) }).to_string().into());
    }
    Value::Object(impression)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn read(requests: &[Bytes]) -> Vec<Value> {
        let arrays = requests.iter().map(|body| serde_json::from_slice::<Vec<Value>>(body));
        arrays.collect::<Result<Vec<_>, _>>().unwrap().concat()
    }

    #[test]
    fn the_impressions_are_the_same_however_they_are_cut() {
        assert_eq!(read(&requests(2, 100)), read(&requests(10, 20)));
    }

    #[test]
    fn impressions_vary_as_real_ones_do() {
        let requests = requests(1, EVENTS);
        let events = read(&requests);
        assert_eq!(events.len(), EVENTS);
        let different = |field: &str| {
            let values = events.iter().map(|event| event[field].to_string());
            values.collect::<BTreeSet<_>>().len()
        };
        assert_eq!(different("key"), EVENTS);
        assert_eq!(different("split"), FLAGS.len());
        assert_eq!(different("machineIp"), 48 + 1, "one is none at all");
        assert!(events.iter().any(|event| event.get("properties").is_some()));
        let size = requests[0].len() / EVENTS;
        assert!((250..450).contains(&size), "{size}");
    }
}
