//! `flagpost integrations`

use serde_json::Value;

use super::{Desk, items, text};
use crate::{api::Ask, fault::Fault, place};

pub(super) async fn list(desk: &Desk<'_>) -> Result<(), Fault> {
    let project = desk.project().await?;
    let list = place::integrations(desk.api, &project).await?;
    if desk.screen.json() {
        return desk.screen.document(&list);
    }
    let rows: Vec<_> = items(&list, "integrations")
        .iter()
        .map(|one| {
            let enabled = one.get("enabled").and_then(Value::as_bool).unwrap_or(true);
            ["/name", "/id", "/preset", "/stream", "/url"]
                .map(|member| text(one, member).to_owned())
                .into_iter()
                .chain([if enabled { "yes" } else { "no" }.to_owned()])
                .collect()
        })
        .collect();
    desk.screen.table(&["NAME", "ID", "PRESET", "STREAM", "URL", "ENABLED"], &rows)
}

pub(super) async fn show(desk: &Desk<'_>, integration: &str) -> Result<(), Fault> {
    let place = desk.find(integration).await?;
    let one = desk.api.call(&Ask::get(place.path(&[]))).await?;
    if desk.screen.json() {
        return desk.screen.document(&one);
    }
    let members = one.as_object().into_iter().flatten();
    let width = members.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<_> = members
        .map(|(name, value)| {
            let shown = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            // A template goes on over several lines.
            let shown = shown.replace('\n', &format!("\n{:width$}  ", ""));
            format!("{name:<width$}  {shown}")
        })
        .collect();
    desk.screen.text(&lines.join("\n"))
}
