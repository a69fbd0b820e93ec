//! `#assign`, `#global` and `#local`.

use std::sync::Arc;

use super::Parser;
use crate::{
    ast::{Arithmetic, Assign, Assignment, ElementKind, Scope},
    error::{Compiled, Pos},
    lexer::Token,
};

impl Parser<'_> {
    pub(super) fn assign(&mut self, tag: &str, scope: Scope, begin: Pos) -> Compiled<ElementKind> {
        self.open_with_expression(tag)?;
        if scope == Scope::Local && !self.in_macro {
            return Err(begin.refuse("#local stands outside a macro"));
        }
        let (mut name, mut pos) = self.variable_name()?;
        if *self.peek()? == Token::TagEnd {
            self.next()?;
            let block = self.block()?;
            self.close(tag, begin)?;
            return Ok(ElementKind::AssignBlock(scope, name, block));
        }
        let mut list = Vec::new();
        loop {
            let how = self.assigned()?;
            list.push(Assignment { scope, name, how, pos });
            if !self.another_assignment()? {
                break;
            }
            self.take_op(",")?;
            (name, pos) = self.variable_name()?;
        }
        if *self.peek()? == Token::In {
            return Err(self
                .peek_pos()?
                .refuse("#assign … in a namespace is not supported; there is one namespace"));
        }
        self.loose_tag_end()?;
        Ok(ElementKind::Assign(list))
    }

    fn variable_name(&mut self) -> Compiled<(Arc<str>, Pos)> {
        match self.next()? {
            (Token::Id(name) | Token::Text(name, _), pos) => Ok((name.into(), pos)),
            (_, pos) => Err(pos.refuse("the name of a variable is expected here")),
        }
    }

    fn assigned(&mut self) -> Compiled<Assign> {
        let Token::Op(operator) = *self.peek()? else { return self.unexpected("`=`") };
        let arithmetic = match operator {
            "=" => None,
            "+=" => {
                self.next()?;
                return Ok(Assign::Add(self.expression()?));
            }
            "-=" => Some(Arithmetic::Subtract),
            "*=" => Some(Arithmetic::Multiply),
            "/=" => Some(Arithmetic::Divide),
            "%=" => Some(Arithmetic::Modulo),
            "++" | "--" => {
                self.next()?;
                return Ok(Assign::Step(if operator == "++" { 1 } else { -1 }));
            }
            _ => return self.unexpected("`=`"),
        };
        self.next()?;
        let value = self.expression()?;
        Ok(arithmetic.map_or_else(
            || Assign::Set(value.clone()),
            |how| Assign::Arithmetic(how, value.clone()),
        ))
    }

    /// Whether `name =` follows.
    fn another_assignment(&mut self) -> Compiled<bool> {
        let saved = (self.lexer.clone(), self.peeked.clone(), self.end);
        self.take_op(",")?;
        let name = matches!(self.peek()?, Token::Id(_) | Token::Text(..));
        let follows = name && {
            self.next()?;
            matches!(
                self.peek(),
                Ok(Token::Op("=" | "+=" | "-=" | "*=" | "/=" | "%=" | "++" | "--"))
            )
        };
        (self.lexer, self.peeked, self.end) = saved;
        Ok(follows)
    }
}
