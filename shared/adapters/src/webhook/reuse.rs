//! Whether a request was lost on a new connection or on one that was kept.
//!
//! While a function is frozen its monotonic clock may stand still, so the pool cannot tell by age
//! that a server has closed a connection meanwhile. Hyper sends such a request again by itself only
//! where it knows that no byte of it was written. Where the request was written to a connection
//! that turned out dead, it is for us to decide, and that depends on whether the connection was
//! new: a new one that is lost is the endpoint's failure.
//!
//! Hyper-util knows, and does not say. But it makes a new connection in the task of the request
//! that needs it, handing it to a task of its own if a kept one comes free first, and its error
//! holds the addresses of the connection that was used. So a connector layer notes in a task-local
//! cell which connection the request made for itself, and a request that was lost on any other was
//! lost on a kept one.
//!
//! Hyper reports a connection that was lost after half of an answer's head like one that was lost
//! before all of it, so that case is tried again too: a second request with the same id.

use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;

use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use tower::util::MapResponseLayer;

/// The two ends of a connection; `None` where the system no longer knows them.
type Ends = Option<(SocketAddr, SocketAddr)>;

tokio::task_local! {
    static MADE: Cell<Option<Ends>>;
}

/// The connection that a request made for itself, if it made one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made(Option<Ends>);

impl Made {
    /// Whether a request that went over the connection `used` was not the first there.
    pub(super) fn other_than(self, used: Ends) -> bool {
        match (self.0, used) {
            (None, _) => true,
            (Some(Some(made)), Some(used)) => made != used,
            // One that was lost so early that it has no ends is the new one.
            (Some(_), _) => false,
        }
    }
}

/// Runs one request; also says which connection it made.
pub(super) async fn observe<F: Future>(request: F) -> (F::Output, Made) {
    MADE.scope(Cell::new(None), async {
        let output = request.await;
        (output, Made(MADE.with(Cell::get)))
    })
    .await
}

/// The layer around the client's connector that makes [`observe`] work.
pub(super) fn layer<C: Connection>() -> MapResponseLayer<fn(C) -> C> {
    MapResponseLayer::new(note)
}

/// The ends of a connection of the client.
pub(super) fn ends(connected: &Connected) -> Ends {
    let mut extras = hyper::http::Extensions::default();
    connected.get_extras(&mut extras);
    extras.get().map(|info: &HttpInfo| (info.local_addr(), info.remote_addr()))
}

fn note<C: Connection>(connection: C) -> C {
    // Outside `observe` (in a task of the pool) there is nobody to tell.
    let _ = MADE.try_with(|made| made.set(Some(ends(&connection.connected()))));
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_connection_that_the_request_made_is_new() {
        let ends =
            |port| Some(([127, 0, 0, 1], port).into()).zip(Some(([127, 0, 0, 1], 443).into()));
        assert!(Made(None).other_than(ends(1)));
        assert!(Made(None).other_than(None));
        assert!(!Made(Some(ends(1))).other_than(ends(1)));
        assert!(Made(Some(ends(1))).other_than(ends(2)), "a kept one came free while it was made");
        assert!(!Made(Some(ends(1))).other_than(None));
        assert!(!Made(Some(None)).other_than(None));
    }
}
