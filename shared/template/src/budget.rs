//! The bounds of a template and of one rendering. All are constants, so that a template that was accepted stays so.

/// Bytes of a template's source.
pub const MAX_SOURCE: usize = 32 * 1024;
/// Levels of directives, and levels of one expression; each operator of a chain is a level.
pub const MAX_NESTING: usize = 64;
/// Expressions and directives of a compiled template, after `#escape` put its own into every interpolation.
pub const MAX_NODES: usize = 32 * 1024;
/// Units of work in one rendering: one for every node evaluated, and one for every 16 bytes read or written.
pub const MAX_FUEL: u64 = 500_000;
/// Bytes of one rendering's result; no string inside may be longer either.
pub const MAX_OUTPUT: usize = 256 * 1024;
/// Items of any one sequence, hash or range.
pub const MAX_ITEMS: usize = 10_000;
/// Bytes allocated for values in one rendering, counted without what was freed again.
pub const MAX_ALLOCATED: usize = 16 * 1024 * 1024;
/// Macro calls within each other.
pub const MAX_CALLS: usize = 8;
/// Digits of a number, and the largest power of ten of its exponent.
pub const MAX_DIGITS: usize = 200;
/// Bytes of an event.
pub const MAX_EVENT: usize = 1024 * 1024;
/// Levels of arrays and objects in an event.
pub const MAX_EVENT_DEPTH: usize = 128;
/// Values in an event, each element and each member counted.
pub const MAX_EVENT_VALUES: usize = 100_000;

/// Bytes that cost one unit of fuel.
pub(crate) const BYTES_PER_FUEL: usize = 16;
