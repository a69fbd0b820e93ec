//! EventBridge event patterns as an integration's filter: which events it is sent.
//!
//! A pattern is compiled and checked once, when the integration is saved, and then asked about
//! each event. It parses of an event only what it names; the rest is skipped over unread. An
//! integration without a filter needs no [`Filter`], and its events are not parsed at all.
//!
//! The semantics are those of Amazon's [comparison operators for event patterns][docs] and, where
//! that page is silent, of Amazon's own matcher, [Event Ruler][ruler]. What differs is listed with
//! its reason in `docs/filters.md`; the short of it: keys are literal (a dot is a character, not a
//! path), integers are compared exactly, and everything is bounded.
//!
//! Arrays in an event are followed as Event Ruler follows them: a field matches if any element
//! does, and the fields of one object in the pattern have to match within one element. A field
//! that must be absent must be absent from whatever that choice of elements leaves in view, which
//! is every element when nothing beside it chose one.
//!
//! [docs]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
//! [ruler]: https://github.com/aws/event-ruler

mod bounds;
mod compile;
mod condition;
mod filter;
mod letter_case;
mod matcher;
mod mend;
mod node;
mod number;
mod operator;
mod pattern_error;
mod place;
mod scan;
mod statsig;
mod wildcard;

pub use bounds::{MAX_BYTES, MAX_DEPTH, MAX_LEAVES};
pub use filter::Filter;
pub use pattern_error::PatternError;
pub use statsig::{CustomEvents, StatsigCategories};
