//! What can be wrong with a template, and with rendering it.

use std::fmt;

use thiserror::Error;

/// Why a template was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct CompileError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is refused, and what is allowed instead.
    pub message: String,
}

/// Why an event could not be rendered, and at which place of the template. It never holds values of the event.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct RenderError {
    /// What kind of failure it is.
    pub kind: RenderErrorKind,
    /// The line of the template, from 1; of the event, when `kind` is [`RenderErrorKind::Event`].
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What failed.
    pub message: String,
}

/// The kinds of failure of a rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenderErrorKind {
    /// The event is not JSON, or exceeds the bounds of an event.
    Event,
    /// A value is missing or null and has no default.
    Missing,
    /// A value has the wrong type.
    Type,
    /// An argument, an index, a format or a number is not possible.
    Argument,
    /// FreeMarker may have a result here, and this does not: `#attempt` does not hide it.
    Unsupported,
    /// A bound was exceeded; `#attempt` does not hide it.
    Budget,
    /// `#stop`.
    Stopped,
}

impl fmt::Display for RenderErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event => "event",
            Self::Missing => "missing",
            Self::Type => "type",
            Self::Argument => "argument",
            Self::Unsupported => "unsupported",
            Self::Budget => "budget",
            Self::Stopped => "stopped",
        })
    }
}

/// A place in the source, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pos {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Pos {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    pub(crate) fn refuse(self, message: impl Into<String>) -> Box<CompileError> {
        Box::new(CompileError {
            line: self.line as usize,
            column: self.column as usize,
            message: message.into(),
        })
    }

    pub(crate) fn fail(self, kind: RenderErrorKind, message: impl Into<String>) -> Failure {
        Box::new(RenderError {
            kind,
            line: self.line as usize,
            column: self.column as usize,
            message: message.into(),
        })
    }

    pub(crate) fn missing(self, what: impl Into<String>) -> Failure {
        self.fail(RenderErrorKind::Missing, what)
    }

    pub(crate) fn wrong_type(self, message: impl Into<String>) -> Failure {
        self.fail(RenderErrorKind::Type, message)
    }

    pub(crate) fn bad(self, message: impl Into<String>) -> Failure {
        self.fail(RenderErrorKind::Argument, message)
    }

    pub(crate) fn unsupported(self, message: impl Into<String>) -> Failure {
        self.fail(RenderErrorKind::Unsupported, message)
    }

    pub(crate) fn over(self, message: impl Into<String>) -> Failure {
        self.fail(RenderErrorKind::Budget, message)
    }
}

/// Boxed, so that a `Result` on the hot path stays small.
pub(crate) type Failure = Box<RenderError>;
/// What compiling returns inside.
pub(crate) type Compiled<T> = Result<T, Box<CompileError>>;
/// What evaluating returns inside.
pub(crate) type Outcome<T> = Result<T, Failure>;
