//! Flagpost as a whole, seen from outside: `e2e/` runs against the stack deployed from
//! `template.yaml`, `faults/` kills and freezes the built functions and lets AWS fail under them, `fixtures/`
//! is what is sent.
//!
//! The library is what tests need to run a built function by itself, without a local AWS around it.

pub mod runtime_api;
pub mod sqs_event;
