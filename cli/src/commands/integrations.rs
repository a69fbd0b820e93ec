//! `flagpost integrations`

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::{Desk, text};
use crate::{api::Ask, fault::Fault, place};

pub(super) async fn list(desk: &Desk<'_>) -> Result<(), Fault> {
    let project = desk.project().await?;
    let list = place::integrations(desk.api, &project).await?;
    if desk.screen.json() {
        return desk.screen.document(&list);
    }
    let rows: Vec<_> = list
        .values()
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
    let one = desk.api.answer(&Ask::get(place.path(&[]))).await?;
    if desk.screen.json() {
        return desk.screen.payload(one.text.trim_end());
    }
    let Members(members) = serde_json::from_str(&one.text)
        .map_err(|error| Fault::Failed(format!("the answer is not an integration: {error}")))?;
    let width = members.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<_> = members
        .iter()
        .map(|(name, value)| {
            let shown =
                serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
            // A template goes on over several lines.
            let shown = shown.replace('\n', &format!("\n{:width$}  ", ""));
            format!("{name:<width$}  {shown}")
        })
        .collect();
    desk.screen.text(&lines.join("\n"))
}

/// An object as it was written: its members in their order, its numbers with all their digits.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}
