//! Parts of a list: what is asked for, and what is found.

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What comes after this place; the beginning, if none is given.
    pub after: Option<String>,
    /// So many at most; never 0.
    pub limit: usize,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is in it: at most what was asked for, and less where something could not be read.
    pub items: Vec<T>,
    /// The place after which the next part begins; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a part out of a whole list that is sorted by `place`.
    pub fn cut(
        sorted: impl IntoIterator<Item = T>,
        part: &Part,
        place: impl Fn(&T) -> &str,
    ) -> Self {
        let is_past = |item: &T| part.after.as_deref().is_none_or(|after| place(item) > after);
        let mut rest = sorted.into_iter().filter(is_past);
        let items: Vec<T> = rest.by_ref().take(part.limit).collect();
        let more = rest.next().is_some();
        let next = items.last().filter(|_| more).map(|last| place(last).to_owned());
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(after: Option<&str>, limit: usize) -> (Vec<&'static str>, Option<String>) {
        let part = Part { after: after.map(str::to_owned), limit };
        let Page { items, next } = Page::cut(["a", "b", "c", "d"], &part, |item| item);
        (items, next)
    }

    #[test]
    fn parts_follow_each_other_and_the_last_says_that_it_is() {
        assert_eq!(cut(None, 2), (vec!["a", "b"], Some("b".to_owned())));
        assert_eq!(cut(Some("b"), 2), (vec!["c", "d"], None));
        assert_eq!(cut(Some("b"), 1), (vec!["c"], Some("c".to_owned())));
        assert_eq!(cut(None, 4), (vec!["a", "b", "c", "d"], None));
        assert_eq!(cut(Some("bb"), 9), (vec!["c", "d"], None), "what was there may be gone");
        assert_eq!(cut(Some("d"), 1), (vec![], None));
    }
}
