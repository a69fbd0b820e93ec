//! Letting others run between two pieces of computing.

use std::{future::poll_fn, task::Poll};

/// Ready at the second look: whatever else the task has to do comes first.
pub(crate) async fn step_aside() {
    let mut looked_at = false;
    poll_fn(move |context| {
        if looked_at {
            return Poll::Ready(());
        }
        looked_at = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
