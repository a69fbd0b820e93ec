//! Faults for real: the built functions, each a process, against a local AWS that is slow, wrong, or
//! gone, while the functions themselves are killed and frozen.
//!
//! Every test has a MiniStack of its own, which it may stop, and its own table, bucket and queues;
//! the way from the queues to the functions is its own too ([`mapping`]), as the local AWS hides the
//! processes that it starts. `scripts/test` says where the tools and the functions are. Each test
//! asserts that its faults were injected, and then that no accepted event is lost.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do ends it")]
#![expect(clippy::print_stdout, reason = "what was injected, and what came of it, is told")]

mod call;
mod client;
mod endpoint;
mod fleet;
mod lane;
mod mapping;
mod ministack;
mod proxy;
mod scenario;
mod wait;
mod world;

mod aws;
mod frozen;
mod killed;
mod restarted;
