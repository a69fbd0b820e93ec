//! The table of presets in `docs/presets.md` is what the code has.

use flagpost_domain::preset::{Defaults, PRESETS};
use serde_json::{Map, Value};

const PAGE: &str = include_str!("../../../docs/presets.md");

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "to be chosen".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn settings(defaults: &Defaults) -> Vec<(String, String)> {
    let settings: Map<String, Value> =
        serde_json::from_value(serde_json::to_value(defaults).unwrap_or_default())
            .unwrap_or_default();
    // The version changes with each release.
    let cell = |value: &Value| cell(value).replace(env!("CARGO_PKG_VERSION"), "{version}");
    settings.iter().map(|(name, value)| (name.clone(), cell(value))).collect()
}

#[test]
fn the_table_is_made_from_the_code() {
    let names: Vec<_> = PRESETS.iter().map(|(name, _, _)| format!("`{name}`")).collect();
    let mut rows = vec![format!("| setting | {} |", names.join(" | "))];
    rows.push(format!("|---|{}", "---|".repeat(names.len())));
    let all = settings(&PRESETS[0].2);
    assert!(!all.is_empty());
    for (at, (setting, _)) in all.iter().enumerate() {
        let cells = PRESETS.iter().map(|(_, _, defaults)| settings(defaults)[at].1.clone());
        rows.push(format!("| `{setting}` | {} |", cells.collect::<Vec<_>>().join(" | ")));
    }
    let table = rows.join("\n");
    assert!(PAGE.contains(&table), "docs/presets.md should have this table:\n\n{table}\n");
}
