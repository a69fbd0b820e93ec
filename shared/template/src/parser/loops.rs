//! `#list`, `#items` and `#sep`.

use super::{Loop, Parser, tags::Mark};
use crate::{
    ast::{ElementKind, List, Names},
    error::{Compiled, Pos},
    lexer::Token,
};

impl Parser<'_> {
    /// `as x` or `as k, v`, if it stands here.
    fn loop_names(&mut self) -> Compiled<Option<Names>> {
        if *self.peek()? != Token::As {
            return Ok(None);
        }
        self.next()?;
        let (first, _) = self.expect_id("the name of a loop variable")?;
        let mut second = None;
        if self.take_op(",")? {
            let (name, pos) = self.expect_id("the name of a loop variable")?;
            if name == first {
                return Err(pos.refuse("the two loop variables have the same name"));
            }
            second = Some(name.into());
        }
        Ok(Some(Names { first: first.into(), second }))
    }

    pub(super) fn list(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_with_expression("list")?;
        let source = self.expression()?;
        let names = self.loop_names()?;
        self.tag_end()?;
        let context = Loop { names: listed(names.as_ref()), waits: names.is_none(), items: None };
        self.loops.push(context);
        self.breakable += usize::from(names.is_some());
        let body = self.branch(None, begin);
        self.breakable -= usize::from(names.is_some());
        let context = self.loops.pop();
        let body = body?;
        let pair = match (&names, context.and_then(|context| context.items)) {
            (Some(names), _) => names.second.is_some(),
            (None, Some(pair)) => pair,
            (None, None) => {
                return Err(
                    begin.refuse("#list needs `as` and a loop variable, or an #items inside")
                );
            }
        };
        let at = self.lexer.pos();
        let mut otherwise = None;
        if self.mark() == Mark::Open("else".to_owned()) {
            self.open_alone("else", true)?;
            otherwise = Some(self.branch(None, at)?);
        }
        self.close("list", begin)?;
        Ok(ElementKind::List(Box::new(List { source, names, pair, body, otherwise })))
    }

    pub(super) fn items(&mut self, begin: Pos) -> Compiled<ElementKind> {
        self.open_with_expression("items")?;
        let Some(names) = self.loop_names()? else { return self.unexpected("`as`") };
        self.tag_end()?;
        match self.loops.last_mut() {
            Some(context) if context.waits && context.names.is_empty() => {
                let pair = names.second.is_some();
                if context.items.is_some_and(|known| known != pair) {
                    return Err(begin
                        .refuse("the #items of one #list have the same number of loop variables"));
                }
                context.items = Some(pair);
                context.names = listed(Some(&names));
            }
            Some(_) => {
                return Err(begin.refuse("#items belongs to a #list without `as`, once at a time"));
            }
            None => return Err(begin.refuse("#items stands outside a #list")),
        }
        self.breakable += 1;
        let block = self.block();
        self.breakable -= 1;
        if let Some(context) = self.loops.last_mut() {
            context.names.clear();
        }
        let block = block?;
        self.close("items", begin)?;
        Ok(ElementKind::Items(names, block))
    }

    pub(super) fn sep(&mut self) -> Compiled<ElementKind> {
        let begin = self.lexer.pos();
        self.open_alone("sep", false)?;
        if self.loops.is_empty() {
            return Err(begin.refuse("#sep stands outside a #list"));
        }
        let body = self.branch(None, begin)?;
        if self.mark() == Mark::Close("sep".to_owned()) {
            self.close("sep", begin)?;
        } else {
            self.end = body.end;
        }
        Ok(ElementKind::Sep(body.body))
    }
}

fn listed(names: Option<&Names>) -> Vec<String> {
    names.map_or_else(Vec::new, |names| {
        std::iter::once(names.first.to_string())
            .chain(names.second.as_ref().map(ToString::to_string))
            .collect()
    })
}
