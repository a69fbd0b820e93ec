//! What is wrong with a field of an event.

use crate::problem::Fault;

/// What is said of a field that is not there. Some vendors tell these from others.
pub const REQUIRED: &str = "is required";

/// What is wrong with one field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Which field, by its path; `None` when it is the event as a whole.
    pub field: Option<String>,
    /// What is wrong, and what is allowed.
    pub detail: String,
}

impl FieldFault {
    /// A field with a fault.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), detail: detail.into() }
    }

    /// An event that has one as a whole.
    pub fn whole(detail: impl Into<String>) -> Self {
        Self { field: None, detail: detail.into() }
    }

    /// A field that is missing.
    pub fn required(field: impl Into<String>) -> Self {
        Self::new(field, REQUIRED)
    }

    /// The same fault of a request's event.
    #[must_use]
    pub fn at(self, index: usize) -> Fault {
        Fault { index: Some(index), field: self.field, detail: self.detail }
    }
}
