//! The ports of the domain on AWS and HTTP, and what the functions start with.
//!
//! No other crate uses the SDKs of AWS or reqwest, reads a clock or the environment.

pub mod clock;
pub mod dynamodb;
pub mod eventbridge;
mod failure;
pub mod gateway;
pub mod metrics;
pub mod runtime;
pub mod s3;
pub mod settings;
pub mod sqs;
pub mod telemetry;
pub mod webhook;
