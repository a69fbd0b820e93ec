//! A value with its past, for reads that are eventually consistent.

/// Older states than this are not kept: no index is behind by more.
const KEEP_MS: i64 = 120_000;

/// A value and what it was.
#[derive(Clone, Debug)]
pub struct Versioned<T>(Vec<(i64, T)>);

impl<T: Clone> Versioned<T> {
    /// A value that begins to exist at `now`.
    pub fn new(value: T, now: i64) -> Self {
        Self(vec![(now, value)])
    }

    /// What it is.
    pub fn latest(&self) -> &T {
        &self.0[self.0.len() - 1].1
    }

    /// When it became so.
    pub fn since(&self) -> i64 {
        self.0[self.0.len() - 1].0
    }

    /// What it was at a time; `None` before it existed.
    pub fn as_of(&self, at: i64) -> Option<&T> {
        self.0.iter().rev().find(|(since, _)| *since <= at).map(|(_, value)| value)
    }

    /// Whether all that it was since `from` is as `wanted`; not if nobody knows any more.
    pub fn throughout(&self, from: i64, wanted: impl Fn(&T) -> bool) -> bool {
        let known = self.0[0].0 <= from;
        let ends = self.0.iter().skip(1).map(|(since, _)| *since).chain([i64::MAX]);
        let mut since = self.0.iter().zip(ends).filter(|(_, end)| *end > from);
        known && since.all(|((_, value), _)| wanted(value))
    }

    /// Changes it.
    pub fn set(&mut self, value: T, now: i64) {
        self.0.push((now, value));
        while self.0.len() > 1 && self.0[1].0 < now - KEEP_MS {
            self.0.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_kept_for_a_while() {
        let mut value = Versioned::new('a', 10);
        value.set('b', 20);
        assert_eq!(value.as_of(9), None);
        assert!(value.throughout(20, |value| *value == 'b'));
        assert!(!value.throughout(19, |value| *value == 'b'));
        assert!(!value.throughout(9, |_| true), "nobody knows");
        assert_eq!([value.as_of(19), value.as_of(20)], [Some(&'a'), Some(&'b')]);
        value.set('c', 20 + KEEP_MS + 1);
        assert_eq!(value.as_of(25), Some(&'b'));
        assert_eq!(*value.latest(), 'c');
    }
}
