//! Arguments of built-ins, checked for their types.

use crate::{
    builtins::Site,
    context::Context,
    error::Outcome,
    value::{Hash, Maybe, Sequence, Text, Value},
};

impl Site {
    /// An argument that must be a text.
    pub(super) fn text<'v>(self, args: &'v [Maybe<'_>], at: usize) -> Outcome<&'v str> {
        match args.get(at) {
            Some(Some(Value::Text(text))) => Ok(text.as_str()),
            Some(Some(Value::Nothing)) => Ok(""),
            other => Err(self.wrong(at, "a text", other)),
        }
    }

    /// An argument that must be a whole number; fractions are cut off.
    pub(super) fn index(self, args: &[Maybe<'_>], at: usize) -> Outcome<i32> {
        match args.get(at) {
            Some(Some(Value::Number(number))) => {
                number.to_i32().map_err(|error| self.pos.bad(error.text()))
            }
            other => Err(self.wrong(at, "a number", other)),
        }
    }

    fn wrong(self, at: usize, wanted: &str, found: Option<&Maybe<'_>>) -> crate::error::Failure {
        let found = match found {
            Some(Some(value)) => value.name(),
            _ => "a missing value",
        };
        self.pos.wrong_type(format!(
            "argument {} of ?{} must be {wanted}, not {found}",
            at + 1,
            self.name
        ))
    }

    /// The operand, which must be a sequence.
    pub(super) fn sequence<'e>(self, target: &Value<'e>) -> Outcome<Sequence<'e>> {
        match target {
            Value::Sequence(sequence) => Ok(sequence.clone()),
            Value::Matches(matches) => Ok(matches.items.clone()),
            Value::Nothing => Ok(Sequence::Event(&[])),
            other => Err(self.pos.wrong_type(format!(
                "?{} needs a sequence, not {}",
                self.name,
                other.name()
            ))),
        }
    }

    /// The operand, which must be a hash; absent for an empty default.
    pub(super) fn hash<'e>(self, target: &Value<'e>) -> Outcome<Option<Hash<'e>>> {
        match target {
            Value::Hash(hash) => Ok(Some(hash.clone())),
            Value::Nothing => Ok(None),
            other => Err(self.pos.wrong_type(format!(
                "?{} needs a hash, not {}",
                self.name,
                other.name()
            ))),
        }
    }
}

impl<'e> Context<'e> {
    /// An argument that may be anything that prints.
    pub(super) fn printed_arg(
        &mut self,
        args: &[Maybe<'e>],
        at: usize,
        site: Site,
    ) -> Outcome<Text<'e>> {
        match args.get(at) {
            Some(Some(value)) => self.printed(value, site.pos),
            _ => Err(site.pos.missing(format!(
                "argument {} of ?{} is missing or null",
                at + 1,
                site.name
            ))),
        }
    }
}
