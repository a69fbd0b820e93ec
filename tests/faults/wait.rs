//! Waiting for what must come to be, and chance that can be had again.

use std::time::Duration;

use flagpost_adapters::{clock::SystemClock, settings::environment};
use flagpost_domain::{ports::Clock, time::Timestamp};

/// Far more than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(200);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Looks until there is something to see: `Ok`. `Err` is what is there instead, for the message of
/// a test that waited in vain.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    in_time(look)
        .await
        .unwrap_or_else(|seen| panic!("waited in vain for {what}; seen last: {seen}"))
}

/// The same, where to wait in vain is not the end of the test.
pub(crate) async fn in_time<T>(
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, String> {
    let began = now();
    loop {
        match look().await {
            Err(_) if now().since(began) < DEADLINE => pass(LOOK_EVERY).await,
            seen => return seen,
        }
    }
}

/// Lets at least this much time pass.
pub(crate) async fn pass(time: Duration) {
    SystemClock.sleep(time).await;
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// A variable that `scripts/test` sets.
pub(crate) fn needed(name: &str) -> String {
    environment(name).unwrap_or_else(|| panic!("{name} is not set: run scripts/test"))
}

/// Numbers that are the same for the same seed (SplitMix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}
