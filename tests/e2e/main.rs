//! The functions as they are deployed from `template.yaml`, seen from both ends: a client of the
//! API on one side, a customer's endpoint on the other.
//!
//! `scripts/test` starts the emulator, deploys the stack and says where it is. The stack runs with
//! seconds in place of hours (see [`stack::FIRST_SLOT`] and what stands beside it). Every test makes
//! a project, keys, integrations and receivers of its own and ends with the ledger, so that all of
//! them run at once. Waiting has generous deadlines; of time, only lower bounds are checked.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do ends it")]
#![expect(clippy::print_stdout, reason = "what was sent, and what came of it, is told")]

mod api;
mod bus;
mod command;
mod containers;
mod front;
mod hostile;
mod project;
mod python;
mod receiver;
mod sample;
mod stack;
mod wait;

mod admin_keys;
mod answers;
mod attempts;
mod breaker;
mod command_line;
mod deletion;
mod delivery;
mod flagsmith;
mod limits;
mod misbehaving;
mod notices;
mod operator;
mod presets;
mod refusals;
mod replay;
mod retry;
mod schedules;
mod sdks;
mod secrets;
mod selection;
mod settings;
mod signatures;
mod standard;
mod strangers;
mod templates;
mod test_send;
