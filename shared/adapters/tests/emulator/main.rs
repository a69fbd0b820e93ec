//! The adapters against an emulator of AWS: every method of every port that they implement, and
//! above all the conditions of their writes.
//!
//! `scripts/test` starts the emulator, deploys the stack to it and says where both are. Nothing
//! here takes from a queue of the stack or leaves an item behind that its functions would act on.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do ends it")]

mod admin;
mod admin_keys;
mod attempts;
mod creations;
mod health;
mod ledger;
mod objects;
mod queues;
mod seen;
mod stack;
