//! The state of one rendering: budgets, output, variables and settings.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use crate::{
    ast::{Block, Macro, Names, Scope},
    budget::{BYTES_PER_FUEL, MAX_ALLOCATED, MAX_FUEL, MAX_ITEMS, MAX_NESTING, MAX_OUTPUT},
    cut,
    date::Zone,
    error::{Outcome, Pos},
    number_format::Format,
    ordered::Ordered,
    value::{Hash, Items, Made, Maybe, Sequence, Text, Value},
};

/// What one rendering works with.
pub(crate) struct Context<'e> {
    fuel: u64,
    allocated: usize,
    pub(crate) out: String,
    /// Times that a text that was cut within a character was written.
    pub(crate) cuts: usize,
    /// Bytes that wait in outer outputs.
    pub(crate) waiting: usize,
    event: Value<'e>,
    template: HashMap<&'e str, Value<'e>>,
    globals: HashMap<&'e str, Value<'e>>,
    pub(crate) locals: Vec<Local<'e>>,
    /// Where the variables of the running macro begin.
    pub(crate) base: usize,
    pub(crate) frames: Vec<Frame<'e>>,
    pub(crate) settings: Settings,
    patterns: HashMap<String, Rc<regex::Regex>>,
    formats: HashMap<String, Rc<Format>>,
}

/// A level of local variables.
pub(crate) enum Local<'e> {
    Loop(Iteration<'e>),
    /// A lambda's parameter.
    Lambda(&'e str, Maybe<'e>),
    /// A macro's parameters and what `#local` sets.
    Macro(HashMap<&'e str, Maybe<'e>>),
}

/// A list that is running.
pub(crate) struct Iteration<'e> {
    pub(crate) names: Option<&'e Names>,
    pub(crate) source: Source<'e>,
    pub(crate) index: usize,
    pub(crate) first: Maybe<'e>,
    pub(crate) second: Maybe<'e>,
}

/// What a list goes through.
#[derive(Clone)]
pub(crate) enum Source<'e> {
    Sequence(Sequence<'e>),
    Hash(Hash<'e>),
}

impl Source<'_> {
    /// The number of items; absent when there is no end.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::Sequence(sequence) => sequence.size(),
            Self::Hash(hash) => Some(hash.len()),
        }
    }
}

impl Iteration<'_> {
    pub(crate) fn has_next(&self) -> bool {
        self.source.size().is_none_or(|size| self.index + 1 < size)
    }
}

/// A macro that is running.
pub(crate) struct Frame<'e> {
    /// What stands between the tags of its call.
    pub(crate) body: Option<&'e Block>,
    pub(crate) caller_base: usize,
    pub(crate) caller_locals: usize,
}

/// What `#setting` sets.
pub(crate) struct Settings {
    pub(crate) number: Rc<Format>,
    pub(crate) boolean: Option<(Rc<str>, Rc<str>)>,
    pub(crate) date: Rc<str>,
    pub(crate) time: Rc<str>,
    pub(crate) datetime: Rc<str>,
    pub(crate) zone: Zone,
}

impl<'e> Context<'e> {
    pub(crate) fn new(event: Value<'e>, macros: &'e [Arc<Macro>]) -> Self {
        Self {
            fuel: MAX_FUEL,
            allocated: 0,
            out: String::new(),
            cuts: 0,
            waiting: 0,
            event,
            template: macros.iter().map(|one| (&*one.name, Value::Macro(one))).collect(),
            globals: HashMap::new(),
            locals: Vec::new(),
            base: 0,
            frames: Vec::new(),
            settings: Settings {
                number: Rc::new(Format::number()),
                boolean: None,
                date: "".into(),
                time: "".into(),
                datetime: "".into(),
                zone: Zone::UTC,
            },
            patterns: HashMap::new(),
            formats: HashMap::new(),
        }
    }

    /// Pays for work.
    pub(crate) fn spend(&mut self, units: usize, pos: Pos) -> Outcome<()> {
        if let Some(left) = self.fuel.checked_sub(units as u64) {
            self.fuel = left;
            Ok(())
        } else {
            self.fuel = 0;
            Err(pos.over(format!("the work of this template and event exceeds {MAX_FUEL} units")))
        }
    }

    /// Pays for reading or writing bytes.
    pub(crate) fn spend_bytes(&mut self, bytes: usize, pos: Pos) -> Outcome<()> {
        self.spend(bytes / BYTES_PER_FUEL, pos)
    }

    fn allocate(&mut self, bytes: usize, pos: Pos) -> Outcome<()> {
        self.allocated = self.allocated.saturating_add(bytes);
        if self.allocated > MAX_ALLOCATED {
            return Err(pos.over(format!(
                "the values of this template and event exceed {MAX_ALLOCATED} bytes"
            )));
        }
        Ok(())
    }

    /// Checks, before it is made, that a text may have this many bytes.
    pub(crate) fn room(&mut self, bytes: usize, pos: Pos) -> Outcome<()> {
        if bytes > MAX_OUTPUT {
            return Err(pos.over(format!("a text exceeds {MAX_OUTPUT} bytes")));
        }
        self.spend_bytes(bytes, pos)
    }

    /// A new text.
    pub(crate) fn text(&mut self, text: String, pos: Pos) -> Outcome<Value<'e>> {
        Ok(Value::Text(self.shared(text, pos)?))
    }

    pub(crate) fn shared(&mut self, text: String, pos: Pos) -> Outcome<Text<'e>> {
        if text.is_empty() {
            return Ok(Text::Borrowed(""));
        }
        self.room(text.len(), pos)?;
        // The text and, until it is copied, its buffer.
        self.allocate(2 * text.len() + 32, pos)?;
        Ok(Text::Shared(text.into()))
    }

    /// A part of a text: borrowed where the text is.
    pub(crate) fn part(
        &mut self,
        text: &Text<'e>,
        from: usize,
        to: usize,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        match text {
            Text::Borrowed(text) => Ok(Value::text(text.get(from..to).unwrap_or_default())),
            Text::Shared(text) | Text::Formatted(text) => {
                let part = text.get(from..to).unwrap_or_default().to_owned();
                self.text(part, pos)
            }
        }
    }

    /// Checks, before it is made, that a sequence may have this many items.
    pub(crate) fn room_for_items(&mut self, items: usize, pos: Pos) -> Outcome<()> {
        if items > MAX_ITEMS {
            return Err(pos.over(format!("a sequence or hash exceeds {MAX_ITEMS} items")));
        }
        self.allocate(items * size_of::<Maybe<'e>>() + 64, pos)?;
        self.spend(1 + items / 4, pos)
    }

    pub(crate) fn sequence(&mut self, list: Vec<Maybe<'e>>, pos: Pos) -> Outcome<Value<'e>> {
        Ok(Value::Sequence(self.items(list, pos)?))
    }

    pub(crate) fn items(&mut self, list: Vec<Maybe<'e>>, pos: Pos) -> Outcome<Sequence<'e>> {
        self.room_for_items(list.len(), pos)?;
        cut::refuse(list.iter().flatten(), pos)?;
        let depth = 1 + list.iter().flatten().map(Value::depth).max().unwrap_or(0);
        not_too_deep(depth, pos)?;
        Ok(Sequence::Items(Rc::new(Items { list, depth })))
    }

    pub(crate) fn hash(
        &mut self,
        entries: Vec<(Text<'e>, Maybe<'e>)>,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        self.room_for_items(2 * entries.len(), pos)?;
        cut::refuse(entries.iter().filter_map(|(_, value)| value.as_ref()), pos)?;
        let depth = 1 + entries
            .iter()
            .filter_map(|(_, value)| value.as_ref())
            .map(Value::depth)
            .max()
            .unwrap_or(0);
        not_too_deep(depth, pos)?;
        Ok(Value::Hash(Hash::Made(Rc::new(Made { map: Ordered::new(entries), depth }))))
    }

    /// Writes to the output.
    pub(crate) fn write(&mut self, text: &str, pos: Pos) -> Outcome<()> {
        self.spend_bytes(text.len(), pos)?;
        if self.waiting + self.out.len() + text.len() > MAX_OUTPUT {
            return Err(pos.over(format!("the output exceeds {MAX_OUTPUT} bytes")));
        }
        self.out.push_str(text);
        Ok(())
    }

    /// What a step writes, instead of writing it.
    pub(crate) fn capture<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<(T, String)> {
        let outer = std::mem::take(&mut self.out);
        self.waiting += outer.len();
        let result = step(self);
        self.waiting -= outer.len();
        let captured = std::mem::replace(&mut self.out, outer);
        result.map(|value| (value, captured))
    }

    /// A variable; absent when there is none.
    pub(crate) fn variable(&self, name: &str) -> Maybe<'e> {
        for local in self.locals.get(self.base..).unwrap_or_default().iter().rev() {
            match local {
                Local::Loop(iteration) => {
                    if let Some(found) = of_loop(iteration, name) {
                        return Some(found);
                    }
                }
                Local::Lambda(parameter, value) if *parameter == name => return value.clone(),
                Local::Macro(variables) => {
                    if let Some(Some(value)) = variables.get(name) {
                        return Some(value.clone());
                    }
                }
                Local::Lambda(..) => {}
            }
        }
        if let Some(value) = self.template.get(name).or_else(|| self.globals.get(name)) {
            return Some(value.clone());
        }
        (name == "input").then(|| self.event.clone())
    }

    /// What a compound assignment changes: the variable of that scope alone.
    pub(crate) fn variable_in(&self, scope: Scope, name: &str) -> Maybe<'e> {
        match scope {
            Scope::Template => self.template.get(name).cloned(),
            Scope::Global => self.globals.get(name).cloned(),
            Scope::Local => match self.locals.get(self.base) {
                Some(Local::Macro(variables)) => variables.get(name).cloned().flatten(),
                _ => None,
            },
        }
    }

    pub(crate) fn assign(
        &mut self,
        scope: Scope,
        name: &'e str,
        value: Value<'e>,
        pos: Pos,
    ) -> Outcome<()> {
        self.allocate(64, pos)?;
        match scope {
            Scope::Template => {
                self.template.insert(name, value);
            }
            Scope::Global => {
                self.globals.insert(name, value);
            }
            Scope::Local => {
                if let Some(Local::Macro(variables)) = self.locals.get_mut(self.base) {
                    variables.insert(name, Some(value));
                }
            }
        }
        Ok(())
    }

    /// The list whose loop variable this is.
    pub(crate) fn iteration_of(&self, name: &str) -> Option<&Iteration<'e>> {
        self.locals.get(self.base..).unwrap_or_default().iter().rev().find_map(
            |local| match local {
                Local::Loop(iteration)
                    if iteration.names.is_some_and(|names| {
                        *names.first == *name
                            || names.second.as_ref().is_some_and(|second| **second == *name)
                    }) =>
                {
                    Some(iteration)
                }
                _ => None,
            },
        )
    }

    /// A number format, compiled once per rendering.
    pub(crate) fn number_format(&mut self, pattern: &str, pos: Pos) -> Outcome<Rc<Format>> {
        if let Some(format) = self.formats.get(pattern) {
            return Ok(Rc::clone(format));
        }
        self.spend_bytes(64 + pattern.len(), pos)?;
        let format = Rc::new(Format::parse(pattern).map_err(|why| pos.fail(why.kind(), why.text))?);
        self.allocate(256 + pattern.len(), pos)?;
        self.formats.insert(pattern.to_owned(), Rc::clone(&format));
        Ok(format)
    }

    /// A regular expression, compiled once per rendering.
    pub(crate) fn pattern(
        &mut self,
        key: String,
        pos: Pos,
        compile: impl FnOnce() -> Result<regex::Regex, String>,
    ) -> Outcome<Rc<regex::Regex>> {
        if let Some(pattern) = self.patterns.get(&key) {
            return Ok(Rc::clone(pattern));
        }
        self.spend(COMPILING, pos)?;
        self.allocate(PATTERN_BYTES, pos)?;
        let pattern = Rc::new(compile().map_err(|why| pos.unsupported(why))?);
        self.patterns.insert(key, Rc::clone(&pattern));
        Ok(pattern)
    }
}

/// Units for compiling a regular expression.
const COMPILING: usize = 10_000;
/// Bytes that a compiled regular expression and its caches may have.
const PATTERN_BYTES: usize = 400_000;

fn not_too_deep(depth: usize, pos: Pos) -> Outcome<()> {
    if depth > MAX_NESTING {
        return Err(pos.over(format!("a value nests deeper than {MAX_NESTING} levels")));
    }
    Ok(())
}

/// `x`, `x_index` and `x_has_next` of a loop.
fn of_loop<'e>(iteration: &Iteration<'e>, name: &str) -> Maybe<'e> {
    let names = iteration.names?;
    if let Some(rest) = name.strip_prefix(&*names.first) {
        match rest {
            "" => return iteration.first.clone(),
            "_index" => return Some(Value::whole(iteration.index)),
            "_has_next" => return Some(Value::Bool(iteration.has_next())),
            _ => {}
        }
    }
    if names.second.as_ref().is_some_and(|second| **second == *name) {
        return iteration.second.clone();
    }
    None
}
