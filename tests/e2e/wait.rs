//! Waiting for what must come to be.

use std::time::Duration;

use flagpost_adapters::clock::SystemClock;
use flagpost_domain::ports::Clock;

use crate::stack::now;

/// Far more than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(150);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Looks until there is something to see: `Ok`. `Err` is what is there instead, for the message of
/// a test that waited in vain.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let began = now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if now().since(began) > DEADLINE => {
                panic!("waited {DEADLINE:?} for {what}; seen last: {seen}")
            }
            Err(_) => let_pass(LOOK_EVERY).await,
        }
    }
}

/// Lets at least this much time pass, where the point is that nothing happens in it, or that it is
/// over.
pub(crate) async fn let_pass(time: Duration) {
    SystemClock.sleep(time).await;
}
