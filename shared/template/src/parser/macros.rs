//! Macros and their calls.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Parser,
    tags::{Mark, written},
};
use crate::{
    ast::{CallArgs, Element, ElementKind, Macro, MacroCall},
    error::{Compiled, Pos},
    lexer::{Token, continues_name},
};

impl Parser<'_> {
    pub(super) fn definition(&mut self, begin: Pos) -> Compiled<ElementKind> {
        if self.in_macro {
            return Err(begin.refuse("a macro cannot stand inside a macro"));
        }
        self.open_with_expression("macro")?;
        let name: Arc<str> = match self.next()? {
            (Token::Id(name) | Token::Text(name, _), _) => name.into(),
            (_, pos) => return Err(pos.refuse("the name of the macro is expected here")),
        };
        self.in_macro = true;
        let made = self.definition_of(name, begin);
        self.in_macro = false;
        made
    }

    fn definition_of(&mut self, name: Arc<str>, begin: Pos) -> Compiled<ElementKind> {
        let mut parameters: Vec<(Arc<str>, Option<crate::ast::Expr>)> = Vec::new();
        self.take_op("(")?;
        while let Token::Id(_) = self.peek()? {
            let (parameter, pos) = self.expect_id("a parameter")?;
            if self.at_op("...")? {
                return Err(pos.refuse("a parameter for all the rest (`...`) is not supported"));
            }
            let default = if self.take_op("=")? { Some(self.expression()?) } else { None };
            if default.is_none() && parameters.iter().any(|(_, default)| default.is_some()) {
                return Err(pos.refuse("parameters without a default stand before those with one"));
            }
            self.take_op(",")?;
            parameters.push((parameter.into(), default));
        }
        self.take_op(")")?;
        self.tag_end()?;
        let loops = std::mem::take(&mut self.loops);
        let breakable = std::mem::take(&mut self.breakable);
        let body = self.block();
        self.loops = loops;
        self.breakable = breakable;
        let body = body?;
        self.close("macro", begin)?;
        let made = Arc::new(Macro { name, parameters, body });
        self.macros.push(Arc::clone(&made));
        Ok(ElementKind::Macro(made))
    }

    /// `<@name …>`
    pub(super) fn call(&mut self) -> Compiled<ElementKind> {
        let begin = self.lexer.pos();
        self.lexer.skip("<@".len());
        self.lexer.brackets = 0;
        self.lexer.naming = false;
        if !self.lexer.rest().starts_with(continues_name) {
            return Err(begin.refuse("the name of a macro is expected after `<@`"));
        }
        let (name, _) = self.expect_id("the name of a macro")?;
        let args = if self.named_follows()? { self.named()? } else { self.unnamed()? };
        if self.at_op(";")? {
            return Err(self.peek_pos()?.refuse("loop variables of a macro are not supported"));
        }
        if *self.peek()? == Token::EmptyTagEnd {
            self.next()?;
            return Ok(ElementKind::Call(Box::new(MacroCall {
                name: name.into(),
                args,
                body: None,
            })));
        }
        if *self.peek()? != Token::TagEnd {
            return self.unexpected("`>` or `/>`");
        }
        self.next()?;
        let body = self.block()?;
        match self.mark() {
            Mark::CloseCall(closed, length) if closed.is_empty() || closed == name => {
                self.end = self.lexer.skip(length);
            }
            Mark::End => return Err(begin.refuse(format!("<@{name}> has no </@{name}>"))),
            mark => {
                return Err(self
                    .lexer
                    .pos()
                    .refuse(format!("</@{name}> is expected here, not {}", written(&mark))));
            }
        }
        Ok(ElementKind::Call(Box::new(MacroCall { name: name.into(), args, body: Some(body) })))
    }

    fn named_follows(&mut self) -> Compiled<bool> {
        if !matches!(self.peek()?, Token::Id(_)) {
            return Ok(false);
        }
        let saved = (self.lexer.clone(), self.peeked.clone(), self.end);
        self.next()?;
        let follows = matches!(self.peek(), Ok(Token::Op("=")));
        (self.lexer, self.peeked, self.end) = saved;
        Ok(follows)
    }

    fn named(&mut self) -> Compiled<CallArgs> {
        let mut args: Vec<(Arc<str>, crate::ast::Expr)> = Vec::new();
        while let Token::Id(_) = self.peek()? {
            let (name, _) = self.expect_id("the name of a parameter")?;
            self.expect_op("=")?;
            self.lexer.naming = true;
            let value = self.expression()?;
            self.lexer.naming = false;
            let name: Arc<str> = name.into();
            args.retain(|(known, _)| *known != name);
            args.push((name, value));
        }
        Ok(CallArgs::Named(args))
    }

    fn unnamed(&mut self) -> Compiled<CallArgs> {
        let mut list = Vec::new();
        while self.starts_expression()? {
            list.push(self.expression()?);
            self.take_op(",")?;
        }
        Ok(CallArgs::Positional(list))
    }
}

/// Refuses macros that call themselves, directly or by way of others.
pub(super) fn refuse_recursion(macros: &[Arc<Macro>]) -> Compiled<()> {
    let mut calls: HashMap<&str, Vec<(Arc<str>, Pos)>> = HashMap::new();
    for one in macros {
        collect(&one.body, calls.entry(&one.name).or_default());
    }
    let mut done: HashSet<&str> = HashSet::new();
    for one in macros {
        // A walk with its path: a call of what is on the path is recursion.
        let mut path: Vec<(&str, usize)> = vec![(&one.name, 0)];
        let mut on_path: HashSet<&str> = HashSet::from([&*one.name]);
        while let Some((name, at)) = path.last_mut() {
            let next = calls.get(*name).and_then(|list| list.get(*at));
            *at += 1;
            let Some((called, pos)) = next else {
                on_path.remove(*name);
                done.insert(name);
                path.pop();
                continue;
            };
            if on_path.contains(&**called) {
                return Err(pos.refuse(format!(
                    "the macro {called} is recursive, which is not supported; use #list"
                )));
            }
            if !done.contains(&**called) && calls.contains_key(&**called) {
                on_path.insert(called);
                path.push((called, 0));
            }
        }
    }
    Ok(())
}

fn collect(block: &[Element], found: &mut Vec<(Arc<str>, Pos)>) {
    for element in block {
        match &element.kind {
            ElementKind::Call(call) => {
                found.push((call.name.clone(), element.begin));
                collect(call.body.as_deref().unwrap_or_default(), found);
            }
            ElementKind::If(branches) => {
                for branch in branches {
                    collect(&branch.body, found);
                }
            }
            ElementKind::Switch(switch) => {
                for case in &switch.cases {
                    collect(&case.body, found);
                }
            }
            ElementKind::List(list) => {
                collect(&list.body.body, found);
                if let Some(otherwise) = &list.otherwise {
                    collect(&otherwise.body, found);
                }
            }
            ElementKind::Attempt(block, recover) => {
                collect(block, found);
                collect(&recover.body, found);
            }
            ElementKind::Items(_, block)
            | ElementKind::Sep(block)
            | ElementKind::AssignBlock(_, _, block)
            | ElementKind::Compress(block)
            | ElementKind::Group(block) => collect(block, found),
            _ => {}
        }
    }
}
