//! Going on with attempts while something else is waited for: an answer is looked at when it comes,
//! and a second request is due 300 ms after the first, however slow the calls of a service are.

use std::{collections::VecDeque, future::poll_fn, pin::pin, task::Poll};

use futures_util::{StreamExt, stream::FuturesUnordered};

/// Does `work`, and goes on with what is under way. What ends meanwhile is `done`, to be seen to.
pub(crate) async fn beside<F: Future, T: Future>(
    work: F,
    under_way: &mut FuturesUnordered<T>,
    done: &mut VecDeque<T::Output>,
) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        while let Poll::Ready(Some(tried)) = under_way.poll_next_unpin(context) {
            done.push_back(tried);
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[tokio::test]
    async fn what_is_under_way_goes_on_and_what_ends_is_kept() {
        let mut under_way: FuturesUnordered<_> = [1, 2].map(ready).into_iter().collect();
        let mut done = VecDeque::new();
        let work = async {
            tokio::task::yield_now().await;
            "worked"
        };
        assert_eq!(beside(work, &mut under_way, &mut done).await, "worked");
        assert_eq!((under_way.len(), done.len()), (0, 2));
    }
}
