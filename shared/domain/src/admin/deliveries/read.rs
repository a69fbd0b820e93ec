//! One delivery with its events.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Shown, unreadable};
use crate::{
    admin::{Admin, Failure, Reply},
    event::join,
    id::ProjectId,
    message::Aside,
    parked::ParkedKey,
    ports::{Objects, Services},
};

/// The largest answer, in bytes.
const SHOWN_MAX: usize = 4 * 1024 * 1024;
/// The same as Lambda counts it: as a text within JSON, which is 6 MB at most with all that stands
/// around it ("Lambda quotas", invocation payload).
const QUOTED_MAX: usize = 5_900_000;

#[derive(Serialize)]
struct Read<'a> {
    #[serde(flatten)]
    shown: Shown,
    /// The events as they are stored, byte for byte.
    payload: &'a RawValue,
}

impl<P: Services> Admin<P> {
    pub(in crate::admin) async fn read_delivery(
        &self,
        project: &ProjectId,
        key: &ParkedKey,
    ) -> Result<Reply, Failure> {
        self.find(project, &key.integration).await?;
        let Some(object) = self.ports.objects().get(&key.text()).await? else {
            return Err(Failure::not_found("delivery"));
        };
        let aside = Aside::decode(&object).map_err(|error| unreadable(key, error))?;
        drop(object);
        let events = join(&aside.events);
        drop(aside);
        // Not reachable: it is made of texts that were parsed before.
        let payload: &RawValue =
            serde_json::from_slice(&events).map_err(|error| unreadable(key, error))?;
        let reply = Reply::json(200, &Read { shown: Shown::new(key), payload })?;
        match reply.body.as_deref().map_or(0, str::len) {
            size if size > SHOWN_MAX || quoted(&reply) > QUOTED_MAX => {
                let size = size.div_ceil(1024);
                Err(unreadable(key, format!("its {size} KiB are more than one answer can hold")))
            }
            _ => Ok(reply),
        }
    }
}

/// The size of the body as a text within JSON.
fn quoted(reply: &Reply) -> usize {
    let escaped = |byte: &u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t');
    let body = reply.body.as_deref().unwrap_or_default();
    body.len() + body.bytes().filter(escaped).count()
}
