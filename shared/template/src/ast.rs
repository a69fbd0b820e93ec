//! A compiled template.

use std::sync::Arc;

use crate::{builtins::Builtin, error::Pos, number::Number};

/// An expression and where it began.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) pos: Pos,
    /// Levels of this expression.
    pub(crate) depth: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum ExprKind {
    Text(Arc<str>),
    /// A string literal with interpolations inside.
    Pieces(Vec<Piece>),
    Number(Number),
    Bool(bool),
    Sequence(Vec<Expr>),
    Hash(Vec<(Expr, Expr)>),
    Variable(Arc<str>),
    Member(Box<Expr>, Arc<str>),
    Index(Box<Expr>, Box<Expr>),
    Builtin(Box<Call>),
    /// `?index` and the like, of the loop variable of this name.
    Loop(Arc<str>, LoopFact, Vec<Expr>),
    Default(Box<Expr>, Option<Box<Expr>>),
    Exists(Box<Expr>),
    Parens(Box<Expr>),
    Not(Box<Expr>),
    Plus(Box<Expr>),
    Minus(Box<Expr>),
    Add(Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Range(RangeKind, Box<Expr>, Option<Box<Expr>>),
}

/// A built-in with its operand and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) target: Expr,
    pub(crate) builtin: &'static Builtin,
    pub(crate) args: Args,
    /// Where its name stands.
    pub(crate) pos: Pos,
}

#[derive(Debug, Clone)]
pub(crate) enum Args {
    /// No brackets followed.
    None,
    List(Vec<Expr>),
    Lambda(Arc<str>, Box<Expr>),
    /// `?string.short`
    Name(Arc<str>),
    /// `?string["0.00"]`
    Key(Box<Expr>),
}

#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(Arc<str>),
    Output(Expr),
    Digits(Expr, Option<Digits>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopFact {
    Index,
    Counter,
    HasNext,
    IsFirst,
    IsLast,
    IsEven,
    IsOdd,
    Parity,
    ParityCapital,
    Cycle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeKind {
    /// `a..b`, or `a..` without a right end.
    Inclusive,
    /// `a..<b`
    Exclusive,
    /// `a..*n`
    Limited,
}

/// `#{x; m2M4}`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// A part of a template, and its first and last place.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) kind: ElementKind,
    pub(crate) begin: Pos,
    pub(crate) end: Pos,
}

pub(crate) type Block = Vec<Element>;

#[derive(Debug, Clone)]
pub(crate) enum ElementKind {
    Text(String),
    Output(Expr),
    Digits(Expr, Option<Digits>),
    If(Vec<Branch>),
    List(Box<List>),
    Items(Names, Block),
    Sep(Block),
    Assign(Vec<Assignment>),
    AssignBlock(Scope, Arc<str>, Block),
    Switch(Box<Switch>),
    Setting(Setting, Expr),
    Break,
    Continue,
    Return,
    Stop(Option<Expr>),
    Comment,
    Flush,
    Trim {
        left: bool,
        right: bool,
    },
    Compress(Block),
    Attempt(Block, Branch),
    /// `#escape` and `#noescape`: what they do is done when compiling.
    Group(Block),
    Macro(Arc<Macro>),
    Call(Box<MacroCall>),
    Nested,
}

#[derive(Debug, Clone)]
pub(crate) struct Branch {
    /// Absent for `#else`, `#default` and `#recover`.
    pub(crate) condition: Option<Expr>,
    pub(crate) body: Block,
    pub(crate) begin: Pos,
    pub(crate) end: Pos,
}

#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) source: Expr,
    /// Absent when `#items` has them.
    pub(crate) names: Option<Names>,
    /// Whether there is a key and a value, here or in `#items`.
    pub(crate) pair: bool,
    pub(crate) body: Branch,
    pub(crate) otherwise: Option<Branch>,
}

/// The loop variables: one, or a key and a value.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) first: Arc<str>,
    pub(crate) second: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Switch {
    pub(crate) subject: Expr,
    pub(crate) cases: Vec<Branch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Template,
    Global,
    Local,
}

#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) scope: Scope,
    pub(crate) name: Arc<str>,
    pub(crate) how: Assign,
    pub(crate) pos: Pos,
}

#[derive(Debug, Clone)]
pub(crate) enum Assign {
    Set(Expr),
    Add(Expr),
    Arithmetic(Arithmetic, Expr),
    Step(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    NumberFormat,
    BooleanFormat,
    DateFormat,
    TimeFormat,
    DatetimeFormat,
    TimeZone,
    Locale,
    UrlEscapingCharset,
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: Arc<str>,
    pub(crate) parameters: Vec<(Arc<str>, Option<Expr>)>,
    pub(crate) body: Block,
}

#[derive(Debug, Clone)]
pub(crate) struct MacroCall {
    pub(crate) name: Arc<str>,
    pub(crate) args: CallArgs,
    /// Absent for `<@m/>`.
    pub(crate) body: Option<Block>,
}

#[derive(Debug, Clone)]
pub(crate) enum CallArgs {
    Named(Vec<(Arc<str>, Expr)>),
    Positional(Vec<Expr>),
}
