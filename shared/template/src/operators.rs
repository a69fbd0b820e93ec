//! `+`, arithmetic and comparisons.

use std::cmp::Ordering;

use crate::{
    ast::{Arithmetic, Comparison},
    collate,
    context::Context,
    cut,
    error::{Outcome, Pos},
    number::Number,
    value::{Hash, Maybe, Sequence, Text, Value},
};

/// `-`, `*`, `/` and `%`.
pub(crate) fn arithmetic(
    how: Arithmetic,
    left: &Number,
    right: &Number,
    pos: Pos,
) -> Outcome<Number> {
    match how {
        Arithmetic::Subtract => left.subtract(right),
        Arithmetic::Multiply => left.multiply(right),
        Arithmetic::Divide => left.divide(right),
        Arithmetic::Modulo => left.modulo(right),
    }
    .map_err(|error| error.at(pos))
}

impl<'e> Context<'e> {
    /// `+`: of numbers, of sequences, of hashes, else of texts.
    pub(crate) fn add(
        &mut self,
        left: Value<'e>,
        right: Value<'e>,
        pos: Pos,
    ) -> Outcome<Value<'e>> {
        if let (Value::Number(a), Value::Number(b)) = (&left, &right) {
            return Ok(Value::Number(a.add(b).map_err(|error| error.at(pos))?));
        }
        if let (Some(a), Some(b)) = (as_sequence(&left), as_sequence(&right)) {
            return self.concatenate(&a, &b, pos);
        }
        if is_hash(&left) && is_hash(&right) && !(is_textual(&left) && is_textual(&right)) {
            return self.merge(left, right, pos);
        }
        let (a, cut_left) = self.part_of(&left, pos)?;
        let (b, cut_right) = self.part_of(&right, pos)?;
        let length = a.as_str().len() + b.as_str().len();
        self.room(length, pos)?;
        let mut text = String::with_capacity(length);
        text.push_str(a.as_str());
        text.push_str(b.as_str());
        self.text_of_parts(text, cut_left + cut_right, pos)
    }

    fn concatenate(&mut self, a: &Sequence<'e>, b: &Sequence<'e>, pos: Pos) -> Outcome<Value<'e>> {
        let mut list = Vec::new();
        for part in [a, b] {
            list.extend(self.collect(part, pos)?);
        }
        self.sequence(list, pos)
    }

    /// The items of a sequence, in a list of their own.
    pub(crate) fn collect(&mut self, sequence: &Sequence<'e>, pos: Pos) -> Outcome<Vec<Maybe<'e>>> {
        let Some(size) = sequence.size() else {
            return Err(pos.over("a range without an end has too many items"));
        };
        self.room_for_items(size, pos)?;
        let mut list = Vec::with_capacity(size);
        for at in 0..size {
            list.push(sequence.get(at, pos)?);
        }
        Ok(list)
    }

    /// The entries of a hash, in a list of their own.
    pub(crate) fn entries(
        &mut self,
        hash: &Hash<'e>,
        pos: Pos,
    ) -> Outcome<Vec<(Text<'e>, Maybe<'e>)>> {
        self.room_for_items(hash.len(), pos)?;
        let mut list = Vec::with_capacity(hash.len());
        for at in 0..hash.len() {
            list.extend(hash.at(at, pos)?);
        }
        Ok(list)
    }

    fn merge(&mut self, left: Value<'e>, right: Value<'e>, pos: Pos) -> Outcome<Value<'e>> {
        match (left, right) {
            (Value::Hash(a), Value::Hash(b)) => {
                let mut entries = self.entries(&a, pos)?;
                // What is null on the right does not hide what is on the left.
                for (key, value) in self.entries(&b, pos)? {
                    if value.is_some() || a.get(key.as_str(), pos)?.is_none() {
                        entries.push((key, value));
                    }
                }
                self.hash(entries, pos)
            }
            (Value::Nothing, other) | (other, Value::Nothing) => Ok(other),
            (other, _) => Err(pos.wrong_type(format!("{} cannot be added", other.name()))),
        }
    }

    /// Compares two values of one type.
    pub(crate) fn compare(
        &mut self,
        how: Comparison,
        a: &Value<'e>,
        b: &Value<'e>,
        pos: Pos,
    ) -> Outcome<bool> {
        cut::refuse([a, b], pos)?;
        let equality = matches!(how, Comparison::Equal | Comparison::Unequal);
        let order = match (a, b) {
            (Value::Number(a), Value::Number(b)) => a.compare(b),
            (Value::Date(a), Value::Date(b)) => a.compare(*b, pos)?,
            _ => match (text_of(a), text_of(b), bool_of(a), bool_of(b)) {
                (Some(a), Some(b), ..) if equality => {
                    self.spend_bytes(a.len().min(b.len()), pos)?;
                    let same = collate::equal(a, b).map_err(|why| pos.unsupported(why))?;
                    if same { Ordering::Equal } else { Ordering::Less }
                }
                (_, _, Some(a), Some(b)) if equality => a.cmp(&b),
                (Some(_), Some(_), ..) => {
                    return Err(pos.wrong_type(
                        "texts can be compared by == and != only; ?number makes a number",
                    ));
                }
                (_, _, Some(_), Some(_)) => {
                    return Err(pos.wrong_type("booleans can be compared by == and != only"));
                }
                _ => {
                    return Err(pos.wrong_type(format!(
                        "{} cannot be compared with {}; both sides need the same type",
                        a.name(),
                        b.name()
                    )));
                }
            },
        };
        Ok(match how {
            Comparison::Equal => order == Ordering::Equal,
            Comparison::Unequal => order != Ordering::Equal,
            Comparison::Less => order == Ordering::Less,
            Comparison::LessOrEqual => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            Comparison::GreaterOrEqual => order != Ordering::Less,
        })
    }

    /// Equality where other types are just not equal.
    pub(crate) fn same(&mut self, a: &Value<'e>, b: &Value<'e>, pos: Pos) -> Outcome<bool> {
        cut::refuse([a, b], pos)?;
        let comparable = matches!(
            (a, b),
            (Value::Number(_), Value::Number(_)) | (Value::Date(_), Value::Date(_))
        ) || (text_of(a).is_some() && text_of(b).is_some())
            || (bool_of(a).is_some() && bool_of(b).is_some());
        if comparable { self.compare(Comparison::Equal, a, b, pos) } else { Ok(false) }
    }
}

fn text_of<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Text(text) => Some(text.as_str()),
        Value::Nothing => Some(""),
        _ => None,
    }
}

fn bool_of(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Matches(matches) => Some(matches.entire),
        _ => None,
    }
}

/// A sequence; nothing is an empty one.
fn as_sequence<'e>(value: &Value<'e>) -> Option<Sequence<'e>> {
    match value {
        Value::Sequence(sequence) => Some(sequence.clone()),
        Value::Matches(matches) => Some(matches.items.clone()),
        Value::Nothing => Some(Sequence::Event(&[])),
        _ => None,
    }
}

fn is_hash(value: &Value<'_>) -> bool {
    matches!(value, Value::Hash(_) | Value::Nothing)
}

fn is_textual(value: &Value<'_>) -> bool {
    !matches!(value, Value::Hash(_) | Value::Sequence(_) | Value::Macro(_))
}
