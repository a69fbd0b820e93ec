//! The event bus.

use flagpost_domain::{
    notice::Notice,
    ports::{Notices, PortResult},
};

use crate::port::Port;

impl Notices for Port {
    async fn publish(&self, notices: &[Notice]) -> PortResult<()> {
        let all = notices.to_vec();
        self.call("events:PutEvents", move |state, _| {
            for notice in &all {
                // A call that is made twice publishes the same one, by its id.
                if !state.table.notices.iter().any(|known| known.id == notice.id) {
                    state.table.notices.push(notice.clone());
                }
            }
        })
        .await
    }
}
