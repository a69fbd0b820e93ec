//! Directives to output.

use crate::{
    ast::{
        Assign, Assignment, Block, Branch, Element, ElementKind, ExprKind, List, Names, Setting,
        Switch,
    },
    compress::compress,
    context::{Context, Iteration, Local, Source},
    cut,
    error::{Outcome, Pos, RenderErrorKind},
    eval::missing,
    number::Number,
    number_format, operators,
    value::Value,
};

/// How a block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Break,
    Continue,
    Return,
}

impl<'e> Context<'e> {
    pub(crate) fn block(&mut self, block: &'e Block) -> Outcome<Flow> {
        for element in block {
            let flow = self.element(element)?;
            if flow != Flow::Done {
                return Ok(flow);
            }
        }
        Ok(Flow::Done)
    }

    fn element(&mut self, element: &'e Element) -> Outcome<Flow> {
        let pos = element.begin;
        self.spend(1, pos)?;
        match &element.kind {
            ElementKind::Text(text) => self.write(text, pos)?,
            ElementKind::Output(expr) => {
                let value = self.required(expr)?;
                match &value {
                    Value::Text(text) => self.write(text.as_str(), pos)?,
                    Value::Cut(text) => self.write_cut(text, pos)?,
                    other => {
                        let text = self.printed(other, expr.pos)?;
                        self.write(text.as_str(), pos)?;
                    }
                }
            }
            ElementKind::Digits(expr, digits) => {
                let number = self.number(expr)?;
                self.write(&number_format::fixed(&number, *digits), pos)?;
            }
            ElementKind::If(branches) => {
                for branch in branches {
                    let taken = match &branch.condition {
                        Some(condition) => self.condition(condition)?,
                        None => true,
                    };
                    if taken {
                        return self.block(&branch.body);
                    }
                }
            }
            ElementKind::List(list) => return self.list(list, pos),
            ElementKind::Items(names, body) => return self.items_of_list(names, body, pos),
            ElementKind::Sep(body) => {
                let more = self.locals.get(self.base..).unwrap_or_default().iter().rev().find_map(
                    |local| match local {
                        Local::Loop(iteration) => Some(iteration.has_next()),
                        _ => None,
                    },
                );
                if more == Some(true) {
                    return self.block(body);
                }
            }
            ElementKind::Assign(list) => {
                for assignment in list {
                    self.assignment(assignment)?;
                }
            }
            ElementKind::AssignBlock(scope, name, body) => {
                let cuts = self.cuts;
                let (flow, text) = self.capture(|cx| cx.block(body))?;
                if flow != Flow::Done {
                    // What leaves the block leaves the variable as it was, as in FreeMarker.
                    return Ok(flow);
                }
                if self.cuts > cuts {
                    return Err(cut::refused(pos));
                }
                let value = self.text(text, pos)?;
                self.assign(*scope, name, value, pos)?;
            }
            ElementKind::Switch(switch) => return self.switch(switch),
            ElementKind::Setting(setting, value) => {
                let at = value.pos;
                let value = self.required(value)?;
                let text = self.printed(&value, at)?;
                self.set(*setting, text.as_str(), at)?;
            }
            ElementKind::Break => return Ok(Flow::Break),
            ElementKind::Continue => return Ok(Flow::Continue),
            ElementKind::Return => return Ok(Flow::Return),
            ElementKind::Stop(why) => return Err(self.stop(why.as_ref(), pos)?),
            ElementKind::Comment | ElementKind::Flush | ElementKind::Trim { .. } => {}
            ElementKind::Compress(body) => {
                let (flow, text) = self.capture(|cx| cx.block(body))?;
                self.spend_bytes(text.len(), pos)?;
                self.write(&compress(&text), pos)?;
                return Ok(flow);
            }
            ElementKind::Attempt(body, recover) => return self.attempt(body, recover, pos),
            ElementKind::Group(body) => return self.block(body),
            ElementKind::Macro(one) => {
                self.assign(crate::ast::Scope::Template, &one.name, Value::Macro(one), pos)?;
            }
            ElementKind::Call(call) => return self.call(call, pos),
            ElementKind::Nested => return self.nested(pos),
        }
        Ok(Flow::Done)
    }

    fn list(&mut self, list: &'e List, pos: Pos) -> Outcome<Flow> {
        let at = list.source.pos;
        let pair = list.pair;
        let source = match self.listed(&list.source)? {
            Value::Sequence(sequence) if !pair => Source::Sequence(sequence),
            Value::Matches(matches) if !pair => Source::Sequence(matches.items.clone()),
            Value::Hash(hash) if pair => Source::Hash(hash),
            Value::Nothing => Source::Sequence(crate::value::Sequence::Event(&[])),
            other => {
                let wanted = if pair { "a hash" } else { "a sequence" };
                return Err(
                    at.wrong_type(format!("#list needs {wanted} here, not {}", other.name()))
                );
            }
        };
        if source.size() == Some(0) {
            return match &list.otherwise {
                Some(branch) => self.block(&branch.body),
                None => Ok(Flow::Done),
            };
        }
        let iteration = Iteration { names: None, source, index: 0, first: None, second: None };
        self.locals.push(Local::Loop(iteration));
        let flow = match &list.names {
            Some(names) => self.repeat(names, &list.body.body, pos),
            None => self.block(&list.body.body),
        };
        self.locals.pop();
        flow
    }

    /// What a list goes through. Lambdas run before the list does; FreeMarker runs them with it, and may end sooner.
    fn listed(&mut self, source: &'e crate::ast::Expr) -> Outcome<Value<'e>> {
        self.required(source).map_err(|mut failure| {
            if crate::builtins::is_lazy(source) && failure.kind != RenderErrorKind::Budget {
                failure.kind = RenderErrorKind::Unsupported;
                failure
                    .message
                    .push_str("; an item that the list might not reach is not supported to fail");
            }
            failure
        })
    }

    fn items_of_list(&mut self, names: &'e Names, body: &'e Block, pos: Pos) -> Outcome<Flow> {
        let flow = self.repeat(names, body, pos)?;
        if let Some(Local::Loop(iteration)) = self.locals.last_mut() {
            iteration.names = None;
        }
        Ok(flow)
    }

    /// Runs the body for each item of the list on top.
    fn repeat(&mut self, names: &'e Names, body: &'e Block, pos: Pos) -> Outcome<Flow> {
        let place = self.locals.len().saturating_sub(1);
        let Some(Local::Loop(iteration)) = self.locals.get(place) else { return Ok(Flow::Done) };
        let source = iteration.source.clone();
        let mut index = 0;
        loop {
            if source.size().is_some_and(|size| index >= size) {
                return Ok(Flow::Done);
            }
            if index >= crate::budget::MAX_ITEMS {
                return Err(pos.over(format!("a list exceeds {} items", crate::budget::MAX_ITEMS)));
            }
            self.spend(1, pos)?;
            let (first, second) = match &source {
                Source::Sequence(sequence) if names.second.is_none() => {
                    (sequence.get(index, pos)?, None)
                }
                Source::Sequence(_) => return Err(pos.wrong_type("two loop variables need a hash")),
                Source::Hash(_) if names.second.is_none() => {
                    return Err(
                        pos.wrong_type("a hash needs two loop variables, as in `as key, value`")
                    );
                }
                Source::Hash(hash) => match hash.at(index, pos)? {
                    Some((key, value)) => (Some(Value::Text(key)), value),
                    None => (None, None),
                },
            };
            if let Some(Local::Loop(iteration)) = self.locals.get_mut(place) {
                iteration.names = Some(names);
                iteration.index = index;
                iteration.first = first;
                iteration.second = second;
            }
            match self.block(body)? {
                Flow::Done | Flow::Continue => index += 1,
                Flow::Break => return Ok(Flow::Done),
                Flow::Return => return Ok(Flow::Return),
            }
        }
    }

    fn assignment(&mut self, assignment: &'e Assignment) -> Outcome<()> {
        let pos = assignment.pos;
        self.spend(1, pos)?;
        let name = &*assignment.name;
        let old = |cx: &Self| {
            cx.variable_in(assignment.scope, name).ok_or_else(|| {
                pos.missing(format!("`{name}` is not assigned yet, so it cannot be changed"))
            })
        };
        let number = |value: Value<'e>| match value {
            Value::Number(number) => Ok(number),
            other => Err(pos.wrong_type(format!("`{name}` is {}, not a number", other.name()))),
        };
        let value = match &assignment.how {
            Assign::Set(expr) => self.required(expr)?,
            Assign::Add(expr) => {
                let old = old(self)?;
                let new = self.required(expr)?;
                self.add(old, new, pos)?
            }
            Assign::Arithmetic(how, expr) => {
                let old = number(old(self)?)?;
                let new = self.number(expr)?;
                Value::Number(operators::arithmetic(*how, &old, &new, pos)?)
            }
            Assign::Step(step) => {
                let old = number(old(self)?)?;
                Value::Number(old.add(&Number::Whole(*step)).map_err(|error| error.at(pos))?)
            }
        };
        self.assign(assignment.scope, name, value, pos)
    }

    fn switch(&mut self, switch: &'e Switch) -> Outcome<Flow> {
        // The subject is not looked at before there is a case to compare it with.
        let mut subject = None;
        let mut running = false;
        for case in &switch.cases {
            if !running && let Some(condition) = &case.condition {
                let wanted = match subject.take() {
                    Some(value) => value,
                    None => self.required(&switch.subject)?,
                };
                let value = self.required(condition)?;
                running =
                    self.compare(crate::ast::Comparison::Equal, &wanted, &value, condition.pos)?;
                subject = Some(wanted);
            }
            if running {
                match self.block(&case.body)? {
                    Flow::Done => {}
                    // FreeMarker's #continue ends a switch like #break.
                    Flow::Break | Flow::Continue => return Ok(Flow::Done),
                    Flow::Return => return Ok(Flow::Return),
                }
            }
        }
        if running {
            return Ok(Flow::Done);
        }
        match switch.cases.iter().find(|case| case.condition.is_none()) {
            Some(default) => match self.block(&default.body)? {
                Flow::Return => Ok(Flow::Return),
                _ => Ok(Flow::Done),
            },
            None => Ok(Flow::Done),
        }
    }

    fn attempt(&mut self, body: &'e Block, recover: &'e Branch, pos: Pos) -> Outcome<Flow> {
        match self.capture(|cx| cx.block(body)) {
            Ok((Flow::Done, text)) => {
                self.write(&text, pos)?;
                Ok(Flow::Done)
            }
            // What leaves the block takes its output away, as in FreeMarker.
            Ok((flow, _)) => Ok(flow),
            // A budget that is used up is not given back, and what FreeMarker might render is not replaced.
            Err(failure)
                if matches!(
                    failure.kind,
                    RenderErrorKind::Budget | RenderErrorKind::Unsupported
                ) =>
            {
                Err(failure)
            }
            Err(_) => self.block(&recover.body),
        }
    }

    /// The failure that `#stop` asks for. Its message may be made of the event, so only a literal is shown.
    fn stop(
        &mut self,
        why: Option<&'e crate::ast::Expr>,
        pos: Pos,
    ) -> Outcome<crate::error::Failure> {
        let Some(why) = why else {
            return Ok(pos.fail(RenderErrorKind::Stopped, "stopped by #stop"));
        };
        let Some(value) = self.eval(why)? else { return Err(missing(why)) };
        self.printed(&value, why.pos)?;
        Ok(pos.fail(
            RenderErrorKind::Stopped,
            match &why.kind {
                ExprKind::Text(text) => format!("stopped by #stop: {text}"),
                _ => "stopped by #stop".to_owned(),
            },
        ))
    }

    fn set(&mut self, setting: Setting, text: &str, pos: Pos) -> Outcome<()> {
        match setting {
            Setting::NumberFormat => self.settings.number = self.number_format(text, pos)?,
            Setting::BooleanFormat => {
                self.settings.boolean = match text {
                    "c" => Some(("true".into(), "false".into())),
                    "true,false" => None,
                    _ => match text.split_once(',') {
                        Some((yes, no)) => Some((yes.into(), no.into())),
                        None => {
                            return Err(pos.bad(
                                "boolean_format needs `c` or two texts with a comma between",
                            ));
                        }
                    },
                };
            }
            Setting::DateFormat => self.settings.date = text.into(),
            Setting::TimeFormat => self.settings.time = text.into(),
            Setting::DatetimeFormat => self.settings.datetime = text.into(),
            Setting::TimeZone => {
                self.settings.zone = crate::date::offset(text)
                    .ok_or_else(|| pos.unsupported("another time_zone is not supported: it needs UTC, GMT, or an offset such as GMT+02:00"))?;
            }
            Setting::Locale if text == "en_US" => {}
            Setting::Locale => {
                return Err(pos.unsupported("another locale than en_US is not supported"));
            }
            Setting::UrlEscapingCharset if text.eq_ignore_ascii_case("UTF-8") => {}
            Setting::UrlEscapingCharset => {
                return Err(pos.unsupported("another charset than UTF-8 is not supported"));
            }
        }
        Ok(())
    }
}
