//! The built command line against a server that plays the API's answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do ends it")]

mod changing;
mod connection;
mod following;
mod program;
mod reading;
mod server;
mod waiting;
