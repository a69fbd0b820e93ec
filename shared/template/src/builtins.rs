//! The built-ins: `value?name(…)`.

mod args;
mod choices;
mod dates;
mod escapes;
mod groups;
mod hashes;
mod lambdas;
mod numbers;
mod padding;
mod patterns;
mod search;
mod sequences;
mod sorting;
mod strings;
mod table;
mod types;

use crate::{
    ast::{Call, Expr, LoopFact},
    context::Context,
    cut,
    error::{CompileError, Outcome, Pos},
    eval::missing,
    value::{Maybe, Text, Value},
};
pub(crate) use lambdas::is_lazy;
pub(crate) use table::LOOP_FACTS;
use table::{BUILTINS, REFUSED};

/// One built-in.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) arguments: Arguments,
    run: Run,
    group: &'static str,
    summary: &'static str,
}

/// The arguments of a built-in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arguments {
    None,
    /// From one number of them to another.
    Some(usize, usize),
    /// `x -> …`
    Lambda,
    /// `?string`: a format in any of its forms, or two texts.
    Format,
    /// `?date`: a format in any of its forms.
    Pattern,
}

impl Arguments {
    /// The least and the most.
    pub(crate) fn counts(self) -> (usize, usize) {
        match self {
            Self::None => (0, 0),
            Self::Some(least, most) => (least, most),
            Self::Lambda => (1, 1),
            Self::Format => (0, 2),
            Self::Pattern => (0, 1),
        }
    }
}

/// Where a built-in stands, for its errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) pos: Pos,
    pub(crate) name: &'static str,
}

type OfText = for<'e> fn(&mut Context<'e>, &Text<'e>, &[Maybe<'e>], Site) -> Outcome<Maybe<'e>>;
type OfValue = for<'e> fn(&mut Context<'e>, &Value<'e>, &[Maybe<'e>], Site) -> Outcome<Maybe<'e>>;
type OfCall = for<'e> fn(&mut Context<'e>, &'e Call, Site) -> Outcome<Maybe<'e>>;

/// What a built-in takes.
#[derive(Debug, Clone, Copy)]
enum Run {
    /// Anything that prints, as text.
    Text(OfText),
    Value(OfValue),
    /// Everything unevaluated.
    Call(OfCall),
    /// A lambda for the items.
    Lambda,
}

/// A built-in of this name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// Says that a built-in is refused, and why or what is there instead.
pub(crate) fn refused(name: &str, pos: Pos) -> Box<CompileError> {
    if let Some((_, why)) = REFUSED.iter().find(|(known, _)| *known == name) {
        return pos.refuse(format!("?{name} is not supported; {why}"));
    }
    let snake: String = name
        .chars()
        .flat_map(
            |c| if c.is_ascii_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] },
        )
        .collect();
    if snake != name && find(&snake).is_some() {
        return pos.refuse(format!("?{name} is not supported; write ?{snake}"));
    }
    let known: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
    pos.refuse(format!("?{name} is not a built-in; these are: {}", known.join(", ")))
}

/// A built-in for readers of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// What it works on.
    pub group: &'static str,
    /// How many arguments it takes, for instance `1–2`.
    pub arguments: &'static str,
    /// What it does.
    pub summary: &'static str,
}

/// Every built-in, in the order of the documentation.
pub fn builtins() -> impl Iterator<Item = Described> {
    let ordinary = BUILTINS.iter().map(|builtin| Described {
        name: builtin.name,
        group: builtin.group,
        arguments: match builtin.arguments {
            Arguments::None => "",
            Arguments::Lambda => "x -> …",
            Arguments::Format => "format, or two texts",
            Arguments::Pattern => "format",
            Arguments::Some(0, 1) => "0–1",
            Arguments::Some(1, 1) => "1",
            Arguments::Some(1, 2) => "1–2",
            Arguments::Some(1, 3) => "1–3",
            Arguments::Some(2, 2) => "2",
            Arguments::Some(2, 3) => "2–3",
            Arguments::Some(0, _) => "any",
            Arguments::Some(1, _) => "1 or more",
            Arguments::Some(..) => "2 or more",
        },
        summary: builtin.summary,
    });
    let loops = LOOP_FACTS.iter().map(|(name, fact, summary)| Described {
        name,
        group: "loop variables",
        arguments: if *fact == LoopFact::Cycle { "1 or more" } else { "" },
        summary,
    });
    ordinary.chain(loops)
}

impl<'e> Context<'e> {
    /// A built-in: `expr` as a whole, and its call.
    pub(crate) fn builtin(&mut self, expr: &'e Expr, call: &'e Call) -> Outcome<Maybe<'e>> {
        let pos = call.pos;
        let site = Site { pos, name: call.builtin.name };
        match call.builtin.run {
            Run::Call(run) => run(self, call, site),
            Run::Text(run) => {
                let (target, is_cut) = match self.eval(&call.target)? {
                    Some(Value::Cut(text)) if cut::keeps(site.name) => (text, true),
                    Some(value) => (self.printed(&value, call.target.pos)?, false),
                    None => return Err(missing(&call.target)),
                };
                self.spend_bytes(target.as_str().len(), pos)?;
                let args = self.arguments(&call.args)?;
                let made = run(self, &target, &args, site)?;
                Ok(if is_cut { cut::kept(made) } else { made })
            }
            Run::Lambda => lambdas::all(self, expr, site),
            Run::Value(run) => {
                if let Some(result) = lambdas::shortened(self, call, site)? {
                    return Ok(result);
                }
                let target = self.whole(&call.target, pos)?;
                let args = self.arguments(&call.args)?;
                run(self, &target, &args, site)
            }
        }
    }
}
