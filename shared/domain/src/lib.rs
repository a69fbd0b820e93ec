//! What Flagpost decides, and the use cases that carry it out over ports.
//!
//! Nothing here reads a clock, the environment or a socket: `now`, chance and every outside
//! system are passed in, so that each decision can be tested, and whole days simulated, without
//! waiting for either.

pub mod admin;
pub mod answer_text;
pub mod array;
pub mod attempt;
pub mod attempt_log;
pub mod batch;
mod beside;
pub mod breaker;
pub mod compiled;
pub mod count;
pub mod delivery;
pub mod destination;
pub mod diagnose;
pub mod disposition;
pub mod drain;
pub mod event;
pub mod expiring;
pub mod fault;
pub mod gate;
pub mod gzip;
pub mod header;
pub mod health;
pub mod hex;
pub mod id;
pub mod immediate;
pub mod impression;
pub mod ingest;
pub mod integration;
pub mod key;
pub mod known;
pub mod ledger;
pub mod limits;
pub mod message;
pub mod metrics;
pub mod native;
pub mod notice;
mod object;
pub mod outcome;
pub mod pacing;
pub mod page;
pub mod park;
pub mod parked;
pub mod payload;
pub mod ports;
pub mod preset;
pub mod problem;
pub mod queueing;
mod request;
pub mod retry;
pub mod schedule;
pub mod secret;
pub mod signature;
mod step_aside;
pub mod time;
pub mod trace;
mod within;

#[cfg(test)]
mod memory;
