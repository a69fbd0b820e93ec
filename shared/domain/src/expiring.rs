//! A bounded cache whose entries grow old.

use std::{hash::Hash, num::NonZeroUsize, sync::Mutex, sync::PoisonError, time::Duration};

use lru::LruCache;

use crate::time::Timestamp;

/// A bounded cache, safe to share. What is old is still there to be served if it cannot be renewed.
#[derive(Debug)]
pub struct Expiring<K: Hash + Eq, V> {
    entries: Mutex<LruCache<K, (Timestamp, V)>>,
    age: Duration,
}

/// What a cache has under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cached<V> {
    /// Young enough.
    Fresh(V),
    /// Too old to be relied on.
    Stale(V),
    /// Nothing.
    Absent,
}

impl<V> Cached<V> {
    /// What is young enough.
    pub fn fresh(self) -> Option<V> {
        match self {
            Self::Fresh(value) => Some(value),
            Self::Stale(_) | Self::Absent => None,
        }
    }
}

impl<K: Hash + Eq, V: Clone> Expiring<K, V> {
    /// A cache of at most `size` entries (at least one), fresh for `age`.
    pub fn new(size: usize, age: Duration) -> Self {
        let size = NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        Self { entries: Mutex::new(LruCache::new(size)), age }
    }

    /// What is there under `key`. An entry from the future, by a clock that was set back, is stale.
    pub fn get(&self, key: &K, now: Timestamp) -> Cached<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(key) {
            Some((at, value)) if *at <= now && now.since(*at) < self.age => {
                Cached::Fresh(value.clone())
            }
            Some((_, value)) => Cached::Stale(value.clone()),
            None => Cached::Absent,
        }
    }

    /// Puts a value there, as known at `now`.
    pub fn put(&self, key: K, value: V, now: Timestamp) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.put(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_grow_stale_and_the_least_used_are_dropped() {
        let cache = Expiring::new(2, Duration::from_secs(60));
        cache.put("a", 1, Timestamp(0));
        cache.put("b", 2, Timestamp(0));
        assert_eq!(cache.get(&"a", Timestamp(59_999)), Cached::Fresh(1));
        cache.put("c", 3, Timestamp(0));
        assert_eq!(cache.get(&"b", Timestamp(0)), Cached::Absent);
        assert_eq!(cache.get(&"a", Timestamp(60_000)), Cached::Stale(1));
        assert_eq!(cache.get(&"a", Timestamp(-1)), Cached::Stale(1));
        assert_eq!(cache.get(&"c", Timestamp(0)).fresh(), Some(3));
        assert_eq!(cache.get(&"a", Timestamp(60_000)).fresh(), None);
    }
}
