//! Blocks of text, interpolations and directives.

use std::sync::Arc;

use super::{
    Parser,
    tags::{Mark, written},
};
use crate::{
    ast::{Args, Block, Call, Digits, Element, ElementKind, Expr, ExprKind, Piece},
    error::{Compiled, Pos},
    lexer::Token,
};

/// The width of a tab.
const TAB: u32 = 8;

impl Parser<'_> {
    /// The whole template.
    pub(super) fn whole(&mut self) -> Compiled<Block> {
        let block = self.block()?;
        match self.mark() {
            Mark::End => Ok(block),
            mark => {
                Err(self.lexer.pos().refuse(format!("{} does not belong here", written(&mark))))
            }
        }
    }

    /// Everything up to a tag that does not begin something itself.
    pub(super) fn block(&mut self) -> Compiled<Block> {
        let mut block = Block::new();
        loop {
            let mut begin = self.lexer.pos();
            if let Some(text) = self.text() {
                self.count(begin, 1)?;
                if text.starts_with('\t') && begin.column == 1 {
                    // To FreeMarker's reader a tab stands where it ends, which matters to white-space stripping.
                    begin.column = TAB;
                }
                block.push(Element { kind: ElementKind::Text(text), begin, end: self.end });
                continue;
            }
            let mark = self.mark();
            let kind = match mark {
                Mark::End | Mark::Close(_) | Mark::CloseCall(..) => return Ok(block),
                Mark::Open(name)
                    if matches!(
                        name.as_str(),
                        "else" | "elseif" | "case" | "default" | "recover"
                    ) =>
                {
                    return Ok(block);
                }
                Mark::BareSep => {
                    return Err(begin.refuse(
                        "<sep> is a directive to FreeMarker, which is not supported; write <#sep>",
                    ));
                }
                Mark::Output => {
                    self.open_interpolation();
                    let expr = self.output()?;
                    ElementKind::Output(self.escaped(expr)?)
                }
                Mark::Digits => {
                    self.open_interpolation();
                    let (expr, digits) = self.digits()?;
                    ElementKind::Digits(expr, digits)
                }
                Mark::Comment => {
                    self.lexer.skip("<#--".len());
                    if self.unparsed("-->").is_none() {
                        return Err(begin.refuse("the comment has no end"));
                    }
                    ElementKind::Comment
                }
                Mark::Call => self.deeper(begin, Self::call)?,
                Mark::Open(name) => self.deeper(begin, |parser| parser.directive(&name, begin))?,
            };
            self.count(begin, 1)?;
            block.push(Element { kind, begin, end: self.end });
        }
    }

    fn open_interpolation(&mut self) {
        self.lexer.skip(2);
        self.lexer.brackets = 0;
        self.lexer.naming = false;
    }

    /// What stands between `#{` and `}`.
    pub(super) fn digits(&mut self) -> Compiled<(Expr, Option<Digits>)> {
        let expr = self.expression()?;
        super::checks::only(&expr, super::checks::Literal::Number, "a number")?;
        let mut digits = None;
        if self.take_op(";")? {
            let (format, pos) = self.expect_id("a format such as m2M4")?;
            digits = Some(digit_format(&format, pos)?);
        }
        self.expect_op("}")?;
        Ok((expr, digits))
    }

    /// An interpolation's expression, put into that of the innermost `#escape`.
    fn escaped(&mut self, expr: Expr) -> Compiled<Expr> {
        let Some((variable, body)) = self.escapes.last().cloned() else { return Ok(expr) };
        self.replaced(&body, &variable, &expr)
    }

    /// `#escape x as …`
    pub(super) fn escape(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_with_expression("escape")?;
        let (variable, _) = self.expect_id("a name")?;
        if *self.peek()? != Token::As {
            return self.unexpected("`as`");
        }
        self.next()?;
        let body = self.expression()?;
        self.tag_end()?;
        let body = self.escaped(body)?;
        self.escapes.push((variable.into(), body));
        let block = self.block();
        self.escapes.pop();
        let block = block?;
        self.close("escape", begin)?;
        Ok(ElementKind::Group(block))
    }

    pub(super) fn no_escape(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_alone("noescape", false)?;
        let Some(escape) = self.escapes.pop() else {
            return Err(begin.refuse("#noescape stands outside #escape"));
        };
        let block = self.block();
        self.escapes.push(escape);
        let block = block?;
        self.close("noescape", begin)?;
        Ok(ElementKind::Group(block))
    }

    /// A copy of `expr` with `by` in place of the variable.
    fn replaced(&mut self, expr: &Expr, variable: &Arc<str>, by: &Expr) -> Compiled<Expr> {
        let mut one = |expr: &Expr| self.replaced(expr, variable, by);
        let mut boxed = |expr: &Expr| one(expr).map(Box::new);
        let kind = match &expr.kind {
            ExprKind::Variable(name) if name == variable => {
                self.count(by.pos, size(by))?;
                return Ok(by.clone());
            }
            ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Variable(_) => {
                expr.kind.clone()
            }
            ExprKind::Pieces(pieces) => {
                let mut list = Vec::new();
                for piece in pieces {
                    list.push(match piece {
                        Piece::Text(text) => Piece::Text(text.clone()),
                        Piece::Output(expr) => Piece::Output(*boxed(expr)?),
                        Piece::Digits(expr, digits) => Piece::Digits(*boxed(expr)?, *digits),
                    });
                }
                ExprKind::Pieces(list)
            }
            ExprKind::Sequence(items) => ExprKind::Sequence(
                items.iter().map(|item| boxed(item).map(|b| *b)).collect::<Compiled<_>>()?,
            ),
            ExprKind::Loop(name, fact, items) => ExprKind::Loop(
                name.clone(),
                *fact,
                items.iter().map(|item| boxed(item).map(|b| *b)).collect::<Compiled<_>>()?,
            ),
            ExprKind::Hash(entries) => ExprKind::Hash(
                entries
                    .iter()
                    .map(|(k, v)| Ok((*boxed(k)?, *boxed(v)?)))
                    .collect::<Compiled<_>>()?,
            ),
            ExprKind::Member(a, name) => ExprKind::Member(boxed(a)?, name.clone()),
            ExprKind::Index(a, b) => ExprKind::Index(boxed(a)?, boxed(b)?),
            ExprKind::Default(a, b) => {
                ExprKind::Default(boxed(a)?, b.as_ref().map(|b| boxed(b)).transpose()?)
            }
            ExprKind::Exists(a) => ExprKind::Exists(boxed(a)?),
            ExprKind::Parens(a) => ExprKind::Parens(boxed(a)?),
            ExprKind::Not(a) => ExprKind::Not(boxed(a)?),
            ExprKind::Plus(a) => ExprKind::Plus(boxed(a)?),
            ExprKind::Minus(a) => ExprKind::Minus(boxed(a)?),
            ExprKind::Add(a, b) => ExprKind::Add(boxed(a)?, boxed(b)?),
            ExprKind::Arithmetic(how, a, b) => ExprKind::Arithmetic(*how, boxed(a)?, boxed(b)?),
            ExprKind::Compare(how, a, b) => ExprKind::Compare(*how, boxed(a)?, boxed(b)?),
            ExprKind::And(a, b) => ExprKind::And(boxed(a)?, boxed(b)?),
            ExprKind::Or(a, b) => ExprKind::Or(boxed(a)?, boxed(b)?),
            ExprKind::Range(how, a, b) => {
                ExprKind::Range(*how, boxed(a)?, b.as_ref().map(|b| boxed(b)).transpose()?)
            }
            ExprKind::Builtin(call) => ExprKind::Builtin(Box::new(Call {
                target: *boxed(&call.target)?,
                builtin: call.builtin,
                pos: call.pos,
                args: match &call.args {
                    Args::None => Args::None,
                    Args::Name(name) => Args::Name(name.clone()),
                    Args::Key(key) => Args::Key(boxed(key)?),
                    Args::Lambda(name, body) if name == variable => {
                        Args::Lambda(name.clone(), body.clone())
                    }
                    Args::Lambda(name, body) => Args::Lambda(name.clone(), boxed(body)?),
                    Args::List(list) => Args::List(
                        list.iter().map(|item| boxed(item).map(|b| *b)).collect::<Compiled<_>>()?,
                    ),
                },
            })),
        };
        self.make(expr.pos, kind)
    }
}

/// A lower bound of an expression's nodes: what a copy of it costs.
fn size(expr: &Expr) -> usize {
    expr.depth
}

fn digit_format(format: &str, pos: Pos) -> Compiled<Digits> {
    let refuse = || {
        pos.refuse(format!(
            "`{format}` is not a format such as m2, M4 or m2M4, with at most 50 digits"
        ))
    };
    let (mut least, mut most) = (None, None);
    let mut rest = format;
    while let Some(kind) = rest.chars().next() {
        let after = rest.get(kind.len_utf8()..).unwrap_or_default();
        let length = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let slot = match kind {
            'm' => &mut least,
            'M' => &mut most,
            _ => return Err(refuse()),
        };
        let digits = after.get(..length).and_then(|digits| digits.parse::<usize>().ok());
        if slot.is_some() {
            return Err(refuse());
        }
        *slot = Some(digits.ok_or_else(refuse)?);
        rest = after.get(length..).unwrap_or_default();
    }
    let digits = match (least, most) {
        (None, None) => return Err(refuse()),
        (Some(least), None) => Digits { least, most: least },
        (least, Some(most)) => Digits { least: least.unwrap_or(0), most },
    };
    if digits.least > digits.most || digits.most > 50 {
        return Err(refuse());
    }
    Ok(digits)
}
