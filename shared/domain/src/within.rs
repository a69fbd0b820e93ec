//! A bound on how long something may take.

use std::{future::Future, pin::pin};

use futures_util::future::{Either, select};

use crate::{ports::Clock, time::Timestamp};

/// What comes of `work` if it is done by `deadline`. What is not done by then is dropped where it
/// stands.
pub(crate) async fn within<C: Clock, F: Future>(
    clock: &C,
    deadline: Timestamp,
    work: F,
) -> Option<F::Output> {
    let wait = deadline.since(clock.now());
    match select(pin!(work), pin!(clock.sleep(wait))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
