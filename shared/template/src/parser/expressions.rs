//! Operators, by binding power, and literals.

use std::sync::Arc;

use super::{
    Parser,
    checks::{Literal, not, only},
};
use crate::{
    ast::{Arithmetic, Comparison, Expr, ExprKind, Piece, RangeKind},
    error::{Compiled, Pos},
    lexer::{Lexer, Token},
    number::Number,
};

/// A binary operator.
#[derive(Clone, Copy)]
enum Binary {
    Or,
    And,
    Compare(Comparison),
    Range(RangeKind),
    Add,
    Arithmetic(Arithmetic),
}

/// Binding powers, weakest first.
const EQUALITY: u8 = 3;
const RELATION: u8 = 4;
const RANGE: u8 = 5;

impl Binary {
    fn of(operator: &str) -> Option<(Self, u8)> {
        Some(match operator {
            "||" => (Self::Or, 1),
            "&&" => (Self::And, 2),
            "==" | "=" => (Self::Compare(Comparison::Equal), EQUALITY),
            "!=" => (Self::Compare(Comparison::Unequal), EQUALITY),
            "<" => (Self::Compare(Comparison::Less), RELATION),
            "<=" => (Self::Compare(Comparison::LessOrEqual), RELATION),
            ">" => (Self::Compare(Comparison::Greater), RELATION),
            ">=" => (Self::Compare(Comparison::GreaterOrEqual), RELATION),
            ".." => (Self::Range(RangeKind::Inclusive), RANGE),
            "..<" => (Self::Range(RangeKind::Exclusive), RANGE),
            "..*" => (Self::Range(RangeKind::Limited), RANGE),
            "+" => (Self::Add, 6),
            "-" => (Self::Arithmetic(Arithmetic::Subtract), 6),
            "*" => (Self::Arithmetic(Arithmetic::Multiply), 7),
            "/" => (Self::Arithmetic(Arithmetic::Divide), 7),
            "%" => (Self::Arithmetic(Arithmetic::Modulo), 7),
            _ => return None,
        })
    }
}

impl Parser<'_> {
    /// A whole expression.
    pub(super) fn expression(&mut self) -> Compiled<Expr> {
        let pos = self.peek_pos()?;
        self.deeper(pos, |parser| parser.binary(1))
    }

    fn binary(&mut self, least: u8) -> Compiled<Expr> {
        let mut left = self.unary()?;
        // Comparisons and ranges do not chain: after one, only weaker operators go on.
        let mut most = u8::MAX;
        loop {
            let Token::Op(operator) = *self.peek()? else { return Ok(left) };
            let Some((binary, power)) = Binary::of(operator) else { return Ok(left) };
            if power < least || power > most {
                return Ok(left);
            }
            self.next()?;
            if (EQUALITY..=RANGE).contains(&power) {
                most = power - 1;
            }
            left = self.combine(left, binary, power)?;
        }
    }

    fn combine(&mut self, left: Expr, binary: Binary, power: u8) -> Compiled<Expr> {
        let pos = left.pos;
        if let Binary::Range(RangeKind::Inclusive) = binary
            && !self.starts_expression()?
        {
            only(&left, Literal::Number, "a number")?;
            return self.make(pos, ExprKind::Range(RangeKind::Inclusive, Box::new(left), None));
        }
        let right = self.deeper(pos, |parser| parser.binary(power + 1))?;
        match binary {
            Binary::Or | Binary::And => {
                only(&left, Literal::Bool, "a boolean")?;
                only(&right, Literal::Bool, "a boolean")?;
            }
            Binary::Compare(comparison) => {
                let mut kinds = vec![Literal::Hash, Literal::Sequence];
                if !matches!(comparison, Comparison::Equal | Comparison::Unequal) {
                    kinds.push(Literal::Text);
                }
                not(&left, &kinds, "a value that can be compared")?;
                not(&right, &kinds, "a value that can be compared")?;
            }
            Binary::Range(_) | Binary::Arithmetic(_) => {
                only(&left, Literal::Number, "a number")?;
                only(&right, Literal::Number, "a number")?;
            }
            Binary::Add => {}
        }
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match binary {
            Binary::Or => ExprKind::Or(left, right),
            Binary::And => ExprKind::And(left, right),
            Binary::Compare(comparison) => ExprKind::Compare(comparison, left, right),
            Binary::Range(kind) => ExprKind::Range(kind, left, Some(right)),
            Binary::Add => ExprKind::Add(left, right),
            Binary::Arithmetic(arithmetic) => ExprKind::Arithmetic(arithmetic, left, right),
        };
        self.make(pos, kind)
    }

    /// Whether an expression may begin with the next token.
    pub(super) fn starts_expression(&mut self) -> Compiled<bool> {
        Ok(match self.peek()? {
            Token::Id(_) | Token::Text(..) | Token::Number(_) | Token::True | Token::False => true,
            Token::Op(operator) => matches!(*operator, "(" | "[" | "{" | "+" | "-" | "!" | "."),
            _ => false,
        })
    }

    fn unary(&mut self) -> Compiled<Expr> {
        let pos = self.peek_pos()?;
        let Token::Op(operator) = *self.peek()? else { return self.postfix() };
        match operator {
            "+" | "-" => {
                self.next()?;
                let operand = Box::new(self.postfix()?);
                self.make(
                    pos,
                    if operator == "+" {
                        ExprKind::Plus(operand)
                    } else {
                        ExprKind::Minus(operand)
                    },
                )
            }
            "!" => {
                let mut nots = Vec::new();
                while self.at_op("!")? {
                    nots.push(self.next()?.1);
                }
                let mut expr = self.postfix()?;
                while let Some(pos) = nots.pop() {
                    expr = self.make(pos, ExprKind::Not(Box::new(expr)))?;
                }
                Ok(expr)
            }
            _ => self.postfix(),
        }
    }

    /// A literal, a name or an expression in brackets.
    pub(super) fn primary(&mut self) -> Compiled<Expr> {
        let pos = self.peek_pos()?;
        if !self.starts_expression()? {
            return self.unexpected("an expression");
        }
        let (token, _) = self.next()?;
        match token {
            Token::Id(name) => self.make(pos, ExprKind::Variable(name.into())),
            Token::True => self.make(pos, ExprKind::Bool(true)),
            Token::False => self.make(pos, ExprKind::Bool(false)),
            Token::Number(digits) => {
                let number = Number::parse(&digits).map_err(|error| pos.refuse(error.text()))?;
                self.make(pos, ExprKind::Number(number))
            }
            Token::Text(text, false) => self.make(pos, ExprKind::Text(text.into())),
            Token::Text(text, true) => self.interpolated(&text, pos),
            Token::Op("(") => {
                let inner = Box::new(self.expression()?);
                self.expect_op(")")?;
                self.make(pos, ExprKind::Parens(inner))
            }
            Token::Op("[") => {
                let items = self.positional("]")?;
                self.expect_op("]")?;
                self.make(pos, ExprKind::Sequence(items))
            }
            Token::Op("{") => self.hash(pos),
            Token::Op(".") => {
                let (name, _) = self.expect_id("a name")?;
                Err(pos.refuse(format!(
                    "the special variable .{name} is not supported; `input` is the event"
                )))
            }
            _ => Err(pos.refuse("an expression is expected here")),
        }
    }

    /// Expressions up to a closing bracket; the commas between may be left out.
    pub(super) fn positional(&mut self, close: &str) -> Compiled<Vec<Expr>> {
        let mut list = Vec::new();
        if self.at_op(close)? {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if !self.take_op(",")? && !self.starts_expression()? {
                return Ok(list);
            }
        }
    }

    fn hash(&mut self, pos: Pos) -> Compiled<Expr> {
        let mut entries = Vec::new();
        if !self.at_op("}")? {
            loop {
                let key = self.expression()?;
                if !self.take_op(",")? {
                    self.expect_op(":")?;
                }
                let value = self.expression()?;
                only(&key, Literal::Text, "a text")?;
                entries.push((key, value));
                if !self.take_op(",")? {
                    break;
                }
            }
        }
        self.expect_op("}")?;
        self.make(pos, ExprKind::Hash(entries))
    }

    /// The text of a literal is itself a template of text and interpolations.
    fn interpolated(&mut self, text: &str, pos: Pos) -> Compiled<Expr> {
        let mut inner = Parser::new(Lexer::new(text, Some(pos)));
        inner.levels = self.levels;
        inner.nodes = self.nodes;
        inner.loops.clone_from(&self.loops);
        let pieces = inner.pieces()?;
        self.nodes = inner.nodes;
        self.make(pos, ExprKind::Pieces(pieces))
    }

    fn pieces(&mut self) -> Compiled<Vec<Piece>> {
        let mut pieces = Vec::new();
        loop {
            let rest = self.lexer.rest();
            let open = [rest.find("${"), rest.find("#{")].into_iter().flatten().min();
            let text = open.map_or(rest, |at| rest.get(..at).unwrap_or_default());
            if !text.is_empty() {
                pieces.push(Piece::Text(Arc::from(text)));
                self.lexer.skip(text.len());
            }
            if open.is_none() {
                return Ok(pieces);
            }
            let hash = self.lexer.rest().starts_with('#');
            self.lexer.skip(2);
            pieces.push(if hash {
                let (expr, digits) = self.digits()?;
                Piece::Digits(expr, digits)
            } else {
                Piece::Output(self.output()?)
            });
        }
    }

    /// What stands between `${` and `}`.
    pub(super) fn output(&mut self) -> Compiled<Expr> {
        let expr = self.expression()?;
        not(&expr, &[Literal::Hash, Literal::Sequence], "a text, a number, a date or a boolean")?;
        self.expect_op("}")?;
        Ok(expr)
    }
}
