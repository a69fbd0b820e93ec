//! From source to a compiled template.

mod assignments;
mod blocks;
mod checks;
mod directives;
mod expressions;
mod loops;
mod macros;
mod postfix;
mod settings;
mod tags;

use std::sync::Arc;

pub use directives::DIRECTIVES;
pub use settings::SETTINGS;

use crate::{
    ast::{Block, Expr, ExprKind, Macro},
    budget::{MAX_NESTING, MAX_NODES, MAX_SOURCE},
    error::{Compiled, Pos},
    lexer::{Lexer, Token},
};

/// What parsing found.
pub(crate) struct Parsed {
    pub(crate) root: Block,
    pub(crate) macros: Vec<Arc<Macro>>,
    pub(crate) strip: bool,
}

/// A loop that the parser is in.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    names: Vec<String>,
    /// `#list` without `as` waits for its `#items`.
    waits: bool,
    /// Whether its `#items` has a key and a value, when it came.
    items: Option<bool>,
}

pub(crate) struct Parser<'s> {
    lexer: Lexer<'s>,
    peeked: Option<(Token, Pos)>,
    /// Where the last consumed token ended.
    end: Pos,
    levels: usize,
    nodes: usize,
    loops: Vec<Loop>,
    breakable: usize,
    in_macro: bool,
    escapes: Vec<(Arc<str>, Expr)>,
    macros: Vec<Arc<Macro>>,
    strip: bool,
}

/// Parses a whole template.
pub(crate) fn parse(source: &str) -> Compiled<Parsed> {
    if source.len() > MAX_SOURCE {
        return Err(Pos::START.refuse(format!(
            "the template has {} bytes; at most {MAX_SOURCE} are allowed",
            source.len()
        )));
    }
    let mut parser = Parser::new(Lexer::new(source, None));
    parser.header()?;
    let root = parser.whole()?;
    macros::refuse_recursion(&parser.macros)?;
    Ok(Parsed { root, macros: parser.macros, strip: parser.strip })
}

impl<'s> Parser<'s> {
    fn new(lexer: Lexer<'s>) -> Self {
        Self {
            lexer,
            peeked: None,
            end: Pos::START,
            levels: 0,
            nodes: 0,
            loops: Vec::new(),
            breakable: 0,
            in_macro: false,
            escapes: Vec::new(),
            macros: Vec::new(),
            strip: true,
        }
    }

    /// Runs a step one level deeper.
    fn deeper<T>(&mut self, pos: Pos, step: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        if self.levels >= MAX_NESTING {
            return Err(too_deep(pos));
        }
        self.levels += 1;
        let result = step(self);
        self.levels -= 1;
        result
    }

    fn count(&mut self, pos: Pos, nodes: usize) -> Compiled<()> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(pos.refuse(format!(
                "the template has more than {MAX_NODES} expressions and directives"
            )));
        }
        Ok(())
    }

    /// Makes an expression over others, one level above the deepest of them.
    fn make(&mut self, pos: Pos, kind: ExprKind) -> Compiled<Expr> {
        self.count(pos, 1)?;
        let depth = 1 + checks::depth_below(&kind);
        if depth > MAX_NESTING {
            return Err(too_deep(pos));
        }
        Ok(Expr { kind, pos, depth })
    }

    fn peek(&mut self) -> Compiled<&Token> {
        if self.peeked.is_none() {
            self.peeked = Some(self.lexer.token()?);
        }
        Ok(self.peeked.as_ref().map_or(&Token::End, |(token, _)| token))
    }

    fn peek_pos(&mut self) -> Compiled<Pos> {
        self.peek()?;
        Ok(self.peeked.as_ref().map_or(self.lexer.pos(), |(_, pos)| *pos))
    }

    fn next(&mut self) -> Compiled<(Token, Pos)> {
        self.peek()?;
        let next = self.peeked.take().unwrap_or((Token::End, self.lexer.pos()));
        self.end = before(self.lexer.pos());
        Ok(next)
    }

    fn at_op(&mut self, operator: &str) -> Compiled<bool> {
        Ok(matches!(self.peek()?, Token::Op(found) if *found == operator))
    }

    fn take_op(&mut self, operator: &str) -> Compiled<bool> {
        let found = self.at_op(operator)?;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn expect_op(&mut self, operator: &str) -> Compiled<()> {
        if self.take_op(operator)? { Ok(()) } else { self.unexpected(&format!("`{operator}`")) }
    }

    fn expect_id(&mut self, what: &str) -> Compiled<(String, Pos)> {
        if let Token::Id(_) = self.peek()?
            && let (Token::Id(name), pos) = self.next()?
        {
            return Ok((name, pos));
        }
        self.unexpected(what)
    }

    fn unexpected<T>(&mut self, wanted: &str) -> Compiled<T> {
        let pos = self.peek_pos()?;
        let found = match self.peek()? {
            Token::Id(name) => format!("`{name}`"),
            Token::Text(..) => "a text".to_owned(),
            Token::Number(digits) => format!("`{digits}`"),
            Token::True => "`true`".to_owned(),
            Token::False => "`false`".to_owned(),
            Token::In => "`in`".to_owned(),
            Token::As => "`as`".to_owned(),
            Token::Using => "`using`".to_owned(),
            Token::Op(operator) => format!("`{operator}`"),
            Token::TagEnd => "`>`".to_owned(),
            Token::EmptyTagEnd => "`/>`".to_owned(),
            Token::LastBang => "`!`".to_owned(),
            Token::End => "the end of the template".to_owned(),
        };
        Err(pos.refuse(format!("{wanted} is expected here, not {found}")))
    }

    /// The end of a tag that may not be empty.
    fn tag_end(&mut self) -> Compiled<()> {
        if *self.peek()? == Token::TagEnd {
            self.next()?;
            return Ok(());
        }
        self.unexpected("`>`, the end of the tag,")
    }

    /// The end of a tag that has no content, `>` or `/>`.
    fn loose_tag_end(&mut self) -> Compiled<()> {
        if *self.peek()? == Token::EmptyTagEnd {
            self.next()?;
            return Ok(());
        }
        self.tag_end()
    }
}

fn before(pos: Pos) -> Pos {
    Pos { line: pos.line, column: pos.column.saturating_sub(1).max(1) }
}

fn too_deep(pos: Pos) -> Box<crate::error::CompileError> {
    pos.refuse(format!("nesting is deeper than {MAX_NESTING} levels; each operator of a chain is one, so assign parts"))
}
