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
        for chunk in notices.chunks(AT_ONCE) {
            let entries = chunk.iter().map(entry).collect();
            let call = self.client.put_events().set_entries(Some(entries));
            let output = call.send().await.map_err(|error| port_error(PUT, &error))?;
            if let Some(error) = output.entries().iter().find_map(refused) {
                return Err(error);
            }
        }
        Ok(())
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
