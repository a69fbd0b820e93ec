//! Payload templates: the part of Apache FreeMarker that people use in webhook payloads, with budgets.
//!
//! A [`Template`] is compiled once per configuration and rendered once per event. What it prints is, byte for byte,
//! what FreeMarker 2.3.31 prints with its own defaults (incompatible improvements 2.3.31, locale `en_US`, UTC), or an
//! error: never something else. Templates are customers' input, and so is the event; every bound is in [`budget`].
//! What the language has, and what it refuses, is in `docs/templates.md`.

#![expect(
    clippy::unnecessary_box_returns,
    reason = "a boxed error keeps every result on the hot path small"
)]

mod ast;
mod budget;
mod builtins;
mod collate;
mod compress;
mod context;
mod cut;
mod date;
mod error;
mod escape;
mod eval;
mod event;
mod lexer;
mod macros;
mod number;
mod number_format;
mod operators;
mod ordered;
mod parser;
mod render;
mod slice;
mod strip;
mod template;
mod text;
mod value;

pub use budget::{
    MAX_ALLOCATED, MAX_CALLS, MAX_DIGITS, MAX_EVENT, MAX_EVENT_DEPTH, MAX_EVENT_VALUES, MAX_FUEL,
    MAX_ITEMS, MAX_NESTING, MAX_NODES, MAX_OUTPUT, MAX_SOURCE,
};
pub use builtins::{Described, builtins};
pub use error::{CompileError, RenderError, RenderErrorKind};
pub use event::Input;
pub use parser::{DIRECTIVES, SETTINGS};
pub use template::Template;
