//! Statsig's event filtering as a pattern.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What Statsig logs when a gate, a dynamic config, an experiment or a layer is checked.
const EXPOSURES: [&str; 4] = [
    "statsig::gate_exposure",
    "statsig::config_exposure",
    "statsig::experiment_exposure",
    "statsig::layer_exposure",
];

/// What Statsig logs when someone changes the configuration in its console.
const CONFIG_CHANGE: &str = "statsig::config_change";

/// All of Statsig's own events.
const OWN: &str = "statsig::*";

/// The categories of the **Event Filtering** dialogue that Statsig's generic webhook has, see
/// <https://docs.statsig.com/integrations/event_webhook#filtering-events>.
///
/// ```json
/// {"exposures": true, "config_changes": false, "custom_events": {"all_except": ["page_view"]}}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsigCategories {
    /// Exposures of gates, dynamic configs, experiments and layers: `statsig::gate_exposure`,
    /// `statsig::config_exposure`, `statsig::experiment_exposure` and `statsig::layer_exposure`.
    pub exposures: bool,
    /// Changes made in the console: `statsig::config_change`.
    pub config_changes: bool,
    /// Which of the events that the customer logs. None if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_events: Option<CustomEvents>,
}

/// Custom events by name: those whose name does not start with `statsig::`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomEvents {
    /// These and no others: the dialogue with "include new events by default" off.
    Include(Vec<String>),
    /// All but these, and so every new one: the dialogue with "include new events by default" on.
    AllExcept(Vec<String>),
}

impl StatsigCategories {
    /// The equivalent pattern, which is one leaf: the values of `eventName`.
    ///
    /// With every category off it matches no event name. A long list of names may exceed the
    /// bounds of a pattern; [`Filter::compile`](crate::Filter::compile) says so.
    pub fn pattern(&self) -> Value {
        let mut names = Vec::new();
        if self.exposures {
            names.extend(EXPOSURES.map(Value::from));
        }
        if self.config_changes {
            names.push(Value::from(CONFIG_CHANGE));
        }
        match &self.custom_events {
            Some(CustomEvents::Include(included)) => {
                names.extend(included.iter().cloned().map(Value::from));
            }
            Some(CustomEvents::AllExcept(excluded)) => {
                let own = std::iter::once(OWN.to_owned());
                let excluded: Vec<String> =
                    own.chain(excluded.iter().map(|name| literal(name))).collect();
                names.push(json!({"anything-but": {"wildcard": excluded}}));
            }
            None => {}
        }
        if names.is_empty() {
            names.push(json!({"anything-but": {"wildcard": "*"}}));
        }
        json!({ "eventName": names })
    }
}

/// The wildcard that is this name and no other.
fn literal(name: &str) -> String {
    name.replace('\\', r"\\").replace('*', r"\*")
}

#[cfg(test)]
mod tests;
