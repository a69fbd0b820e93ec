//! Operational events on the account's default event bus.

use aws_sdk_eventbridge::{
    Client,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use flagpost_domain::{
    notice::Notice,
    ports::{Notices, PortError, PortResult},
};

use crate::failure::{coded, port_error};

const PUT: &str = "events:PutEvents";
/// Entries in one call.
const AT_ONCE: usize = 10;
/// Who says so: what rules match.
const SOURCE: &str = "flagpost";

/// The default bus.
#[derive(Clone, Debug)]
pub struct EventBridge {
    client: Client,
}

impl EventBridge {
    /// Uses this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Notices for EventBridge {
    async fn publish(&self, notices: &[Notice]) -> PortResult<()> {
        let mut refused = Vec::new();
        for chunk in notices.chunks(AT_ONCE) {
            // One that is refused is no reason to keep back the others; a bus that does not answer is.
            refused.extend(self.put(chunk.iter().map(entry).collect()).await?);
        }
        refused.into_iter().next().map_or(Ok(()), Err)
    }
}

impl EventBridge {
    /// Puts entries, and once more those that the bus has refused, which are not on it. Why it refused
    /// what it did not take then either.
    async fn put(&self, entries: Vec<PutEventsRequestEntry>) -> PortResult<Vec<PortError>> {
        let refused = self.try_put(&entries).await?;
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let again: Vec<_> = refused.into_iter().map(|(entry, _)| entry).collect();
        let refused = self.try_put(&again).await?;
        Ok(refused.into_iter().map(|(_, error)| error).collect())
    }

    /// The entries that were refused, with why.
    async fn try_put(
        &self,
        entries: &[PutEventsRequestEntry],
    ) -> PortResult<Vec<(PutEventsRequestEntry, PortError)>> {
        let call = self.client.put_events().set_entries(Some(entries.to_vec()));
        let output = call.send().await.map_err(|error| port_error(PUT, &error))?;
        let ends = entries.iter().zip(output.entries());
        Ok(ends.filter_map(|(entry, end)| Some((entry.clone(), refused(end)?))).collect())
    }
}

fn entry(notice: &Notice) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .source(SOURCE)
        .detail_type(notice.change.name())
        .resources(format!("flagpost:{}/{}", notice.project, notice.integration))
        .detail(notice.detail())
        .build()
}

fn refused(entry: &PutEventsResultEntry) -> Option<PortError> {
    entry.error_code().map(|code| coded(PUT, code, entry.error_message()))
}

#[cfg(test)]
mod tests {
    use flagpost_domain::{notice::Change, time::Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_says_who_what_and_about_which_integration() {
        let notice = Notice {
            id: "n1".to_owned(),
            at: Timestamp(7),
            project: "web".into(),
            integration: "i1".into(),
            change: Change::Dead { delivery: "d1".into(), events: 3 },
        };
        let entry = entry(&notice);
        assert_eq!(
            (entry.source(), entry.detail_type()),
            (Some("flagpost"), Some("delivery.dead"))
        );
        assert_eq!(entry.resources(), ["flagpost:web/i1"]);
        let detail: serde_json::Value = serde_json::from_str(entry.detail().unwrap()).unwrap();
        let expected = json!({"id": "n1", "at": 7, "project": "web", "integration": "i1",
            "type": "delivery.dead", "delivery": "d1", "events": 3});
        assert_eq!(detail, expected);
    }
}
