//! What follows a primary expression: members, indexes, built-ins, `!` and `??`.

use std::sync::Arc;

use super::{
    Parser,
    checks::{Literal, not},
};
use crate::{
    ast::{Args, Call, Expr, ExprKind, LoopFact},
    builtins::{self, Arguments, Builtin},
    error::{Compiled, Pos},
    lexer::{Token, continues_name},
};

impl Parser<'_> {
    pub(super) fn postfix(&mut self) -> Compiled<Expr> {
        let mut expr = self.primary()?;
        loop {
            let pos = expr.pos;
            let operator = match self.peek()? {
                Token::Op(operator) => *operator,
                Token::LastBang => {
                    self.next()?;
                    self.lexer.naming = false;
                    expr = self.make(pos, ExprKind::Default(Box::new(expr), None))?;
                    continue;
                }
                _ => return Ok(expr),
            };
            expr = match operator {
                "." => self.member(expr)?,
                "[" => self.index(expr)?,
                "?" => self.builtin(expr)?,
                "??" => {
                    self.next()?;
                    self.make(pos, ExprKind::Exists(Box::new(expr)))?
                }
                "!" => {
                    self.next()?;
                    let (fallback, bare) = self.fallback()?;
                    let fallback = fallback.map(Box::new);
                    let mut made = self.make(pos, ExprKind::Default(Box::new(expr), fallback))?;
                    for _ in 0..bare {
                        made = self.make(pos, ExprKind::Default(Box::new(made), None))?;
                    }
                    made
                }
                "(" => {
                    let pos = self.peek_pos()?;
                    return Err(pos.refuse(
                        "calling a value is not supported; only built-ins such as ?contains(…) take arguments",
                    ));
                }
                _ => return Ok(expr),
            };
        }
    }

    /// What follows `!`, if it is an expression: in `a!!` the second is not one that begins with "not". If it is none,
    /// as many more `!` as stand here are taken and counted; each would be looked at again for each before it.
    fn fallback(&mut self) -> Compiled<(Option<Expr>, usize)> {
        if !self.starts_expression()? {
            return Ok((None, 0));
        }
        let saved = (self.lexer.clone(), self.peeked.clone(), self.end);
        let mut bare = 0;
        while self.take_op("!")? {
            bare += 1;
        }
        if !self.starts_expression()? {
            return Ok((None, bare));
        }
        (self.lexer, self.peeked, self.end) = saved;
        Ok((Some(self.expression()?), 0))
    }

    fn member(&mut self, expr: Expr) -> Compiled<Expr> {
        self.next()?;
        let name: Arc<str> = match self.next()? {
            (Token::Id(name), _) => name.into(),
            (Token::True, _) => "true".into(),
            (Token::False, _) => "false".into(),
            (Token::In, _) => "in".into(),
            (Token::As, _) => "as".into(),
            (Token::Using, _) => "using".into(),
            (Token::Op(operator @ ("<" | "<=" | ">" | ">=")), pos) => {
                // `input.lt` is a member; the names are operators elsewhere.
                match (operator, self.previous_letter()) {
                    ("<", true) => "lt".into(),
                    ("<=", true) => "lte".into(),
                    (">", true) => "gt".into(),
                    (">=", true) => "gte".into(),
                    _ => return Err(pos.refuse("a name is expected after `.`")),
                }
            }
            (Token::Op("*" | "**"), pos) => {
                return Err(pos.refuse("`.*` is not supported; it is for XML"));
            }
            (_, pos) => return Err(pos.refuse("a name is expected after `.`")),
        };
        not(&expr, &[Literal::Sequence, Literal::Text, Literal::Bool], "a hash")?;
        let pos = expr.pos;
        self.make(pos, ExprKind::Member(Box::new(expr), name))
    }

    /// Whether the last token was written with letters.
    fn previous_letter(&self) -> bool {
        self.lexer.before().is_some_and(continues_name)
    }

    fn index(&mut self, expr: Expr) -> Compiled<Expr> {
        self.next()?;
        let key = self.expression()?;
        self.expect_op("]")?;
        not(&expr, &[Literal::Bool, Literal::Number], "a sequence or a hash")?;
        let pos = expr.pos;
        self.make(pos, ExprKind::Index(Box::new(expr), Box::new(key)))
    }

    fn builtin(&mut self, target: Expr) -> Compiled<Expr> {
        self.next()?;
        let (name, pos) = self.expect_id("the name of a built-in")?;
        if let Some(fact) = loop_fact(&name) {
            return self.loop_builtin(&target, fact, &name, pos);
        }
        let Some(builtin) = builtins::find(&name) else {
            return Err(builtins::refused(&name, pos));
        };
        let args = self.arguments(builtin, pos)?;
        let begin = target.pos;
        self.make(begin, ExprKind::Builtin(Box::new(Call { target, builtin, args, pos })))
    }

    fn arguments(&mut self, builtin: &'static Builtin, pos: Pos) -> Compiled<Args> {
        let operator = match self.peek()? {
            Token::Op(operator) => *operator,
            _ => "",
        };
        let name = builtin.name;
        let args = match (builtin.arguments, operator) {
            (Arguments::Format | Arguments::Pattern, ".") => {
                self.next()?;
                Args::Name(self.expect_id("the name of a format")?.0.into())
            }
            (Arguments::Format | Arguments::Pattern, "[") => {
                self.next()?;
                let key = self.expression()?;
                self.expect_op("]")?;
                Args::Key(Box::new(key))
            }
            (Arguments::Lambda, "(") => {
                self.next()?;
                let args = self.lambda(name, pos)?;
                self.expect_op(")")?;
                args
            }
            (Arguments::None, _) => Args::None,
            (_, "(") => {
                self.next()?;
                let list = self.positional(")")?;
                self.expect_op(")")?;
                Args::List(list)
            }
            _ => Args::None,
        };
        let (least, most) = builtin.arguments.counts();
        let given = match &args {
            Args::None => 0,
            Args::List(list) => list.len(),
            _ => 1,
        };
        let needs = least > 0 || (matches!(args, Args::List(_)) && most > 0);
        if given < least || given > most || (needs && matches!(args, Args::None)) {
            let wanted = match (least, most) {
                (0, 0) => "no arguments".to_owned(),
                (a, usize::MAX) => format!("at least {a} arguments"),
                (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
                (a, b) => format!("{a} to {b} arguments"),
            };
            return Err(pos.refuse(format!("?{name} takes {wanted}, and {given} are given")));
        }
        Ok(args)
    }

    fn lambda(&mut self, name: &str, pos: Pos) -> Compiled<Args> {
        let bracketed = self.take_op("(")?;
        let wanted = || {
            format!(
                "?{name} takes a lambda, such as ?{name}(x -> x.name); anything else is not supported"
            )
        };
        let (Token::Id(parameter), _) = self.next()? else { return Err(pos.refuse(wanted())) };
        if bracketed {
            self.expect_op(")")?;
        }
        if !self.take_op("->")? {
            return Err(pos.refuse(wanted()));
        }
        Ok(Args::Lambda(parameter.into(), Box::new(self.expression()?)))
    }

    fn loop_builtin(
        &mut self,
        target: &Expr,
        fact: LoopFact,
        name: &str,
        pos: Pos,
    ) -> Compiled<Expr> {
        let ExprKind::Variable(variable) = &target.kind else {
            return Err(pos.refuse(format!("?{name} works on a loop variable only")));
        };
        if !self.loops.iter().any(|context| context.names.iter().any(|known| **known == **variable))
        {
            return Err(pos.refuse(format!(
                "?{name} works on a loop variable only, and `{variable}` is none here"
            )));
        }
        let variable = variable.clone();
        let mut args = Vec::new();
        if fact == LoopFact::Cycle {
            self.expect_op("(")?;
            args = self.positional(")")?;
            self.expect_op(")")?;
            if args.is_empty() {
                return Err(pos.refuse("?item_cycle takes at least 1 argument"));
            }
        }
        self.make(pos, ExprKind::Loop(variable, fact, args))
    }
}

fn loop_fact(name: &str) -> Option<LoopFact> {
    builtins::LOOP_FACTS.iter().find(|(known, ..)| *known == name).map(|(_, fact, _)| *fact)
}
