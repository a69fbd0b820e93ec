//! The sender against real receivers on 127.0.0.1, most of them ill-behaved.
//!
//! Time becomes virtual where a receiver never does what is waited for, and limits are long where it
//! does, so that no test depends on how fast the machine is.

#![expect(
    clippy::disallowed_methods,
    reason = "real receivers are slow in real time, or in tokio's virtual one"
)]

#[cfg(test)]
mod answers;
#[cfg(test)]
mod child;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod frozen;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod tls;
