//! Where in a pattern the compiler is, spelled out only when something is refused there.

use crate::pattern_error::PatternError;

/// A place in a pattern: the steps from its root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The pattern itself.
    Root,
    /// The value of a key.
    Key(&'a Place<'a>, &'a str),
    /// An element of a list.
    Element(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    /// The value of `name` in the object here.
    pub(crate) fn key(&'a self, name: &'a str) -> Place<'a> {
        Place::Key(self, name)
    }

    /// Element `index` of the list here.
    pub(crate) fn element(&'a self, index: usize) -> Place<'a> {
        Place::Element(self, index)
    }

    /// The error that what is here is not allowed.
    pub(crate) fn refuse(&self, detail: impl Into<String>) -> PatternError {
        PatternError { path: self.pointer(), detail: detail.into() }
    }

    fn pointer(&self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Key(parent, name) => {
                let mut pointer = parent.pointer();
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                pointer
            }
            Place::Element(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}
