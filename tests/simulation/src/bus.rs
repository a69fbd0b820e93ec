//! The event bus.

use flagpost_domain::{
    notice::Notice,
    ports::{Notices, PortResult},
};

use crate::{port::Port, trace::About};

impl Notices for Port {
    async fn publish(&self, notices: &[Notice]) -> PortResult<()> {
        let all = notices.to_vec();
        self.call("events:PutEvents", move |state, now| {
            for notice in &all {
                let integration = Some(state.witness.number(&notice.integration));
                let about = About { integration, ..About::default() };
                state.note(now, about.clone(), || format!("told of {:?}", notice.change));
                if let Err(what) = state.witness.told.published(notice) {
                    state.witness.violate(now, about, what);
                }
                // A call that is made twice publishes the same one, by its id.
                if !state.table.notices.iter().any(|known| known.id == notice.id) {
                    state.table.notices.push(notice.clone());
                }
            }
        })
        .await
    }
}
