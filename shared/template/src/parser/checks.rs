//! What FreeMarker refuses of literals when it parses, and the depth of an expression.

use crate::{
    ast::{Args, Expr, ExprKind, Piece},
    error::{CompileError, Compiled},
};

/// The levels of the deepest expression inside.
pub(super) fn depth_below(kind: &ExprKind) -> usize {
    fn most<'a>(list: impl IntoIterator<Item = &'a Expr>) -> usize {
        list.into_iter().map(|expr| expr.depth).max().unwrap_or(0)
    }
    match kind {
        ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Variable(_) => 0,
        ExprKind::Pieces(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(_) => 0,
                Piece::Output(expr) | Piece::Digits(expr, _) => expr.depth,
            })
            .max()
            .unwrap_or(0),
        ExprKind::Sequence(items) | ExprKind::Loop(_, _, items) => most(items),
        ExprKind::Hash(entries) => most(entries.iter().flat_map(|(key, value)| [key, value])),
        ExprKind::Member(a, _)
        | ExprKind::Exists(a)
        | ExprKind::Parens(a)
        | ExprKind::Not(a)
        | ExprKind::Plus(a)
        | ExprKind::Minus(a)
        | ExprKind::Default(a, None)
        | ExprKind::Range(_, a, None) => a.depth,
        ExprKind::Index(a, b)
        | ExprKind::Default(a, Some(b))
        | ExprKind::Range(_, a, Some(b))
        | ExprKind::Add(a, b)
        | ExprKind::Arithmetic(_, a, b)
        | ExprKind::Compare(_, a, b)
        | ExprKind::And(a, b)
        | ExprKind::Or(a, b) => a.depth.max(b.depth),
        ExprKind::Builtin(call) => call.target.depth.max(match &call.args {
            Args::None | Args::Name(_) => 0,
            Args::List(args) => most(args),
            Args::Lambda(_, body) | Args::Key(body) => body.depth,
        }),
    }
}

/// The kinds of literals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Literal {
    Text,
    Number,
    Bool,
    Sequence,
    Hash,
}

fn literal(expr: &Expr) -> Option<Literal> {
    match &expr.kind {
        ExprKind::Text(_) | ExprKind::Pieces(_) => Some(Literal::Text),
        ExprKind::Number(_) => Some(Literal::Number),
        ExprKind::Bool(_) => Some(Literal::Bool),
        ExprKind::Sequence(_) => Some(Literal::Sequence),
        ExprKind::Hash(_) => Some(Literal::Hash),
        _ => None,
    }
}

fn refused(expr: &Expr, found: Literal, wanted: &str) -> Box<CompileError> {
    let found = match found {
        Literal::Text => "a text",
        Literal::Number => "a number",
        Literal::Bool => "a boolean",
        Literal::Sequence => "a sequence",
        Literal::Hash => "a hash",
    };
    expr.pos.refuse(format!("{wanted} is expected here, not {found}"))
}

/// Refuses literals of these kinds.
pub(super) fn not(expr: &Expr, kinds: &[Literal], wanted: &str) -> Compiled<()> {
    match literal(expr) {
        Some(found) if kinds.contains(&found) => Err(refused(expr, found, wanted)),
        _ => Ok(()),
    }
}

/// Refuses every literal but those of one kind.
pub(super) fn only(expr: &Expr, kind: Literal, wanted: &str) -> Compiled<()> {
    match literal(expr) {
        Some(found) if found != kind => Err(refused(expr, found, wanted)),
        _ => Ok(()),
    }
}
