//! Calls of macros.

use std::{collections::HashMap, sync::Arc};

use crate::{
    ast::{CallArgs, Expr, MacroCall},
    budget::MAX_CALLS,
    context::{Context, Frame, Local},
    error::{Outcome, Pos, RenderErrorKind},
    render::Flow,
    value::{Maybe, Value},
};

impl<'e> Context<'e> {
    pub(crate) fn call(&mut self, call: &'e MacroCall, pos: Pos) -> Outcome<Flow> {
        let called = match self.variable(&call.name) {
            Some(Value::Macro(called)) => called,
            Some(other) => {
                return Err(pos.wrong_type(format!(
                    "`{}` is {}, not a macro",
                    call.name,
                    other.name()
                )));
            }
            None => return Err(pos.missing(format!("there is no macro `{}`", call.name))),
        };
        if self.frames.len() >= MAX_CALLS {
            return Err(pos.over(format!("macro calls nest deeper than {MAX_CALLS}")));
        }
        let mut given: HashMap<&'e str, Maybe<'e>> = HashMap::new();
        match &call.args {
            CallArgs::Named(args) => {
                for (name, value) in args {
                    if !called.parameters.iter().any(|(parameter, _)| parameter == name) {
                        return Err(value.pos.bad(format!(
                            "the macro `{}` has no parameter `{name}`",
                            called.name
                        )));
                    }
                    given.insert(name, self.eval(value)?);
                }
            }
            CallArgs::Positional(args) => {
                if args.len() > called.parameters.len() {
                    return Err(pos.bad(format!(
                        "the macro `{}` has {} parameters, and {} are given",
                        called.name,
                        called.parameters.len(),
                        args.len()
                    )));
                }
                for ((name, _), value) in called.parameters.iter().zip(args) {
                    given.insert(name, self.eval(value)?);
                }
            }
        }
        let frame = Frame {
            body: call.body.as_ref(),
            caller_base: self.base,
            caller_locals: self.locals.len(),
        };
        self.base = self.locals.len();
        self.locals.push(Local::Macro(given));
        self.frames.push(frame);
        let done = self.defaults(&called.parameters, pos).and_then(|()| self.block(&called.body));
        self.locals.truncate(self.base);
        if let Some(frame) = self.frames.pop() {
            self.base = frame.caller_base;
        }
        // What breaks in the body between the tags breaks the caller's list, when no list of the macro's own is around.
        done.map(|flow| if flow == Flow::Return { Flow::Done } else { flow })
    }

    /// Fills in the parameters that were not given. A default may use other parameters, also later ones: those that
    /// are missing are tried again as long as that helps.
    fn defaults(&mut self, parameters: &'e [(Arc<str>, Option<Expr>)], pos: Pos) -> Outcome<()> {
        loop {
            let mut helped = false;
            let mut failure = None;
            for (name, default) in parameters {
                if self.is_given(name) {
                    continue;
                }
                let Some(default) = default else {
                    return Err(
                        pos.bad(format!("the macro's parameter `{name}` is not given, or missing"))
                    );
                };
                match self.required(default) {
                    Ok(value) => {
                        helped = true;
                        if let Some(Local::Macro(variables)) = self.locals.get_mut(self.base) {
                            variables.insert(name, Some(value));
                        }
                    }
                    Err(missing) if missing.kind == RenderErrorKind::Missing => {
                        failure = Some(missing);
                    }
                    Err(other) => return Err(other),
                }
            }
            match failure {
                None => return Ok(()),
                Some(failure) if !helped => return Err(failure),
                Some(_) => {}
            }
        }
    }

    fn is_given(&self, name: &str) -> bool {
        match self.locals.get(self.base) {
            Some(Local::Macro(variables)) => variables.get(name).is_some_and(Option::is_some),
            _ => true,
        }
    }

    /// `#nested`: what stands between the tags of the call, with the variables of the caller.
    pub(crate) fn nested(&mut self, pos: Pos) -> Outcome<Flow> {
        let Some(frame) = self.frames.pop() else { return Ok(Flow::Done) };
        let Some(body) = frame.body else {
            self.frames.push(frame);
            return Ok(Flow::Done);
        };
        self.spend(1, pos)?;
        let mine = self.locals.split_off(frame.caller_locals.min(self.locals.len()));
        let my_base = self.base;
        self.base = frame.caller_base;
        let done = self.block(body);
        self.locals.truncate(frame.caller_locals);
        self.locals.extend(mine);
        self.base = my_base;
        self.frames.push(frame);
        done
    }
}
