//! Exposures of Statsig's gates, experiments and layers, in two forms.
//!
//! Statsig's page on its webhook ("Event Webhook", "Feature Gate Exposure Format") has the details
//! of an exposure in `statsigMetadata`, `gateValue` a boolean; that form is stored. Current SDKs send
//! them in `metadata`, all of them strings; that form can be had back.

use crate::object::{Object, Writer, quoted};

/// Events that are exposures.
const NAMES: [&str; 4] = [
    "statsig::gate_exposure",
    "statsig::config_exposure",
    "statsig::experiment_exposure",
    "statsig::layer_exposure",
];
/// The details of an exposure, in the page's order; the last three are a layer's.
pub(crate) const DETAILS: [&str; 9] = [
    "gate",
    "gateValue",
    "gateGroupName",
    "config",
    "experimentGroupName",
    "ruleID",
    "allocatedExperiment",
    "parameterName",
    "isExplicitParameter",
];
const VALUE: &str = "gateValue";

/// Whether events of this name are exposures.
pub(crate) fn is_exposure(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether this is a detail of an exposure.
pub(crate) fn is_detail(name: &str) -> bool {
    DETAILS.contains(&name)
}

/// A detail's raw text as it is stored.
pub(crate) fn stored<'a>(name: &str, raw: &'a str) -> &'a str {
    match raw {
        r#""true""# if name == VALUE => "true",
        r#""false""# if name == VALUE => "false",
        _ => raw,
    }
}

/// An exposure with its details in `metadata`, all of them strings; `None` when the event is none,
/// which is found out without parsing it. An event whose name is written with escapes is taken for
/// none.
pub fn in_metadata(event: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(event).ok()?;
    if !text.contains("_exposure\"") {
        return None;
    }
    let event = Object::read(text)?;
    if !is_exposure(&event.text("eventName")?) {
        return None;
    }
    let about = event.get("statsigMetadata").and_then(Object::read).unwrap_or_default();
    let metadata = event.get("metadata").and_then(Object::read).unwrap_or_default();
    let mut shown = Writer::with_capacity(text.len());
    let mut rest = Writer::with_capacity(text.len());
    let mut taken = Vec::new();
    for name in DETAILS {
        if let Some(raw) = about.get(name) {
            shown.raw(name, &as_string(raw));
            taken.push(name);
        }
    }
    for (name, value) in &metadata.0 {
        if !taken.contains(&name.as_ref()) {
            shown.raw(name, value.get());
        }
    }
    for (name, value) in &about.0 {
        if !is_detail(name) {
            rest.raw(name, value.get());
        }
    }
    let (mut shown, mut rest) = (Some(shown.end()), Some(rest.end()));
    let mut whole = Writer::with_capacity(text.len() + 16);
    for (name, value) in &event.0 {
        match name.as_ref() {
            "metadata" => shown.take().into_iter().for_each(|text| whole.raw(name, &text)),
            "statsigMetadata" => rest.take().into_iter().for_each(|text| whole.raw(name, &text)),
            _ => whole.raw(name, value.get()),
        }
    }
    if let Some(text) = shown {
        whole.raw("metadata", &text);
    }
    Some(whole.end().into_bytes())
}

fn as_string(raw: &str) -> String {
    if raw.starts_with('"') { raw.to_owned() } else { quoted(raw) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shown(event: &Value) -> Option<Value> {
        let bytes = in_metadata(event.to_string().as_bytes())?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn details_go_into_metadata_as_strings() {
        let event = json!({
            "eventName": "statsig::gate_exposure",
            "metadata": {"reason": "Network"},
            "statsigMetadata": {"gate": "g", "gateValue": true, "ruleID": "r", "sdkType": "py"},
            "timeUUID": "u",
        });
        let wanted = json!({
            "eventName": "statsig::gate_exposure",
            "metadata": {"gate": "g", "gateValue": "true", "ruleID": "r", "reason": "Network"},
            "statsigMetadata": {"sdkType": "py"},
            "timeUUID": "u",
        });
        assert_eq!(shown(&event), Some(wanted.clone()));
        assert_eq!(shown(&wanted), Some(wanted), "doing it twice changes nothing");
    }

    #[test]
    fn other_events_are_left_alone() {
        for name in ["page_view", "my_exposure", "statsig::diagnostics"] {
            assert_eq!(shown(&json!({"eventName": name, "x": "gate_exposure"})), None, "{name}");
        }
        for text in ["", "[]", "\"_exposure\"", "{\"eventName\":7,\"a\":\"_exposure\"}"] {
            assert_eq!(in_metadata(text.as_bytes()), None, "{text}");
        }
        assert_eq!(in_metadata(b"\xff_exposure\""), None);
    }

    #[test]
    fn an_exposure_without_metadata_gets_it() {
        let event =
            json!({"eventName": "statsig::layer_exposure", "statsigMetadata": {"config": "l"}});
        assert_eq!(shown(&event).unwrap()["metadata"], json!({"config": "l"}));
    }
}
