//! Expressions to values.

use crate::{
    ast::{Args, Expr, ExprKind, LoopFact, Piece, RangeKind},
    context::Context,
    cut,
    error::{Outcome, Pos, RenderErrorKind},
    number::Number,
    operators,
    value::{Hash, Maybe, Range, Sequence, Text, Value},
};

impl<'e> Context<'e> {
    /// The value of an expression; absent when it is missing or null.
    pub(crate) fn eval(&mut self, expr: &'e Expr) -> Outcome<Maybe<'e>> {
        let pos = expr.pos;
        self.spend(1, pos)?;
        Ok(Some(match &expr.kind {
            ExprKind::Text(text) => Value::text(text),
            ExprKind::Pieces(pieces) => self.pieces(pieces, pos)?,
            ExprKind::Number(number) => Value::Number(number.clone()),
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Sequence(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(Some(self.required(item)?));
                }
                self.sequence(list, pos)?
            }
            ExprKind::Hash(entries) => self.hash_literal(entries, pos)?,
            ExprKind::Variable(name) => return Ok(self.variable(name)),
            ExprKind::Member(target, name) => {
                let target = self.required(target)?;
                return Self::member(&target, name, pos);
            }
            ExprKind::Index(target, key) => {
                let lazy = crate::builtins::is_lazy(target);
                let target = match self.required(target) {
                    // FreeMarker may not come to the item that fails.
                    Err(failure) if lazy => return lazy_part(Err(failure), pos),
                    other => other?,
                };
                let key = self.required(key)?;
                let ranged = matches!(key, Value::Sequence(_));
                let part = self.index(&target, key, pos);
                if lazy && ranged {
                    return lazy_part(part, pos);
                }
                return part;
            }
            ExprKind::Builtin(call) => return self.builtin(expr, call),
            ExprKind::Loop(name, fact, args) => return self.loop_fact(name, *fact, args, pos),
            ExprKind::Default(target, fallback) => match (self.lenient(target)?, fallback) {
                (Some(value), _) => value,
                (None, Some(fallback)) => return self.eval(fallback),
                (None, None) => Value::Nothing,
            },
            ExprKind::Exists(target) => Value::Bool(self.lenient(target)?.is_some()),
            ExprKind::Parens(inner) => return self.eval(inner),
            ExprKind::Not(operand) => Value::Bool(!self.condition(operand)?),
            ExprKind::Plus(operand) => Value::Number(self.number(operand)?),
            ExprKind::Minus(operand) => {
                Value::Number(self.number(operand)?.negate().map_err(|error| error.at(pos))?)
            }
            ExprKind::Add(left, right) => {
                let a = self.eval(left)?;
                let b = self.eval(right)?;
                match (a, b) {
                    (Some(a), Some(b)) => self.add(a, b, pos)?,
                    (None, _) => return Err(missing(left)),
                    (Some(a), None) => {
                        // What cannot be printed is worse than what is missing.
                        self.part_of(&a, left.pos)?;
                        return Err(missing(right));
                    }
                }
            }
            ExprKind::Arithmetic(how, left, right) => {
                let left = self.number(left)?;
                let right = self.number(right)?;
                Value::Number(operators::arithmetic(*how, &left, &right, pos)?)
            }
            ExprKind::Compare(how, left, right) => {
                let left = self.required(left)?;
                let right = self.required(right)?;
                Value::Bool(self.compare(*how, &left, &right, pos)?)
            }
            ExprKind::And(left, right) => {
                Value::Bool(self.condition(left)? && self.condition(right)?)
            }
            ExprKind::Or(left, right) => {
                Value::Bool(self.condition(left)? || self.condition(right)?)
            }
            ExprKind::Range(kind, left, right) => {
                let begin = self.index_number(left)?;
                let end = match right {
                    Some(right) => Some(self.index_number(right)?),
                    None => None,
                };
                Value::Sequence(Sequence::Range(Self::range(*kind, begin, end, pos)?))
            }
        }))
    }

    /// The value of an expression that may not be missing.
    pub(crate) fn required(&mut self, expr: &'e Expr) -> Outcome<Value<'e>> {
        match self.eval(expr)? {
            Some(value) => Ok(value),
            None => Err(missing(expr)),
        }
    }

    /// For `!` and `??`: with brackets, whatever is missing on the way is missing; without, only the last step.
    pub(crate) fn lenient(&mut self, expr: &'e Expr) -> Outcome<Maybe<'e>> {
        match self.eval(expr) {
            Err(failure)
                if failure.kind == RenderErrorKind::Missing
                    && matches!(expr.kind, ExprKind::Parens(_)) =>
            {
                Ok(None)
            }
            other => other,
        }
    }

    pub(crate) fn condition(&mut self, expr: &'e Expr) -> Outcome<bool> {
        match self.required(expr)? {
            Value::Bool(value) => Ok(value),
            Value::Matches(matches) => Ok(matches.entire),
            other => Err(expr
                .pos
                .wrong_type(format!("a boolean is expected here, not {}", other.name()))),
        }
    }

    pub(crate) fn number(&mut self, expr: &'e Expr) -> Outcome<Number> {
        match self.required(expr)? {
            Value::Number(number) => Ok(number),
            other => {
                Err(expr.pos.wrong_type(format!("a number is expected here, not {}", other.name())))
            }
        }
    }

    fn index_number(&mut self, expr: &'e Expr) -> Outcome<i32> {
        self.number(expr)?.to_i32().map_err(|error| error.at(expr.pos))
    }

    fn hash_literal(&mut self, entries: &'e [(Expr, Expr)], pos: Pos) -> Outcome<Value<'e>> {
        let mut list = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let at = key.pos;
            let key = self.required(key)?;
            let key = self.printed(&key, at)?;
            list.push((key, Some(self.required(value)?)));
        }
        self.hash(list, pos)
    }

    fn pieces(&mut self, pieces: &'e [Piece], pos: Pos) -> Outcome<Value<'e>> {
        let mut text = String::new();
        let mut halves = 0;
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Output(expr) => {
                    let value = self.required(expr)?;
                    let (part, cut) = self.part_of(&value, expr.pos)?;
                    text.push_str(part.as_str());
                    halves += cut;
                }
                Piece::Digits(expr, digits) => {
                    let number = self.number(expr)?;
                    text.push_str(&crate::number_format::fixed(&number, *digits));
                }
            }
            self.room(text.len(), pos)?;
        }
        self.text_of_parts(text, halves, pos)
    }

    fn member(target: &Value<'e>, name: &str, pos: Pos) -> Outcome<Maybe<'e>> {
        match target {
            Value::Hash(hash) => hash.get(name, pos),
            Value::Nothing => Ok(None),
            other => {
                Err(pos
                    .wrong_type(format!("a hash is expected before .{name}, not {}", other.name())))
            }
        }
    }

    pub(crate) fn index(
        &mut self,
        target: &Value<'e>,
        key: Value<'e>,
        pos: Pos,
    ) -> Outcome<Maybe<'e>> {
        match key {
            Value::Number(number) => {
                let at = number.to_i32().map_err(|error| error.at(pos))?;
                self.at(target, at, pos)
            }
            Value::Text(key) => match target {
                Value::Hash(hash) => hash.get(key.as_str(), pos),
                Value::Nothing => Ok(None),
                other => Err(pos.wrong_type(format!(
                    "a hash is expected before [\"…\"], not {}",
                    other.name()
                ))),
            },
            Value::Nothing => Err(pos.wrong_type("an empty default is no key")),
            Value::Cut(_) => Err(cut::refused(pos)),
            Value::Sequence(Sequence::Range(range)) => self.slice(target, range, pos).map(Some),
            other => Err(pos.wrong_type(format!(
                "a number, a range or a text is expected in [ ], not {}",
                other.name()
            ))),
        }
    }

    fn at(&mut self, target: &Value<'e>, at: i32, pos: Pos) -> Outcome<Maybe<'e>> {
        let sequence = match target {
            Value::Sequence(sequence) => sequence,
            Value::Matches(matches) => &matches.items,
            Value::Nothing => return Ok(None),
            other => {
                let text = self.printed(other, pos)?;
                return self.character(&text, at, pos).map(Some);
            }
        };
        match (usize::try_from(at), sequence) {
            (Ok(at), sequence) => sequence.get(at, pos),
            (Err(_), Sequence::Range(_)) => Err(pos.bad("a range has no items before its first")),
            (Err(_), _) => Ok(None),
        }
    }

    fn range(kind: RangeKind, begin: i32, end: Option<i32>, pos: Pos) -> Outcome<Range> {
        let adaptive = kind == RangeKind::Limited;
        let inclusive = kind == RangeKind::Inclusive;
        let Some(end) = end else {
            return Ok(Range {
                begin,
                size: None,
                ascending: true,
                adaptive: true,
                inclusive: false,
            });
        };
        let distance = if adaptive { i64::from(end) } else { i64::from(end) - i64::from(begin) };
        let size = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
        let size = if inclusive { size.saturating_add(1) } else { size };
        if size > crate::budget::MAX_ITEMS {
            return Err(pos.over(format!("a range exceeds {} items", crate::budget::MAX_ITEMS)));
        }
        Ok(Range { begin, size: Some(size), ascending: distance >= 0, adaptive, inclusive })
    }

    fn loop_fact(
        &mut self,
        name: &str,
        fact: LoopFact,
        args: &'e [Expr],
        pos: Pos,
    ) -> Outcome<Maybe<'e>> {
        let Some(iteration) = self.iteration_of(name) else {
            return Err(pos.bad(format!("there is no loop variable {name} here")));
        };
        let index = iteration.index;
        let odd = index % 2 == 0;
        Ok(Some(match fact {
            LoopFact::Index => Value::whole(index),
            LoopFact::Counter => Value::whole(index + 1),
            LoopFact::HasNext => Value::Bool(iteration.has_next()),
            LoopFact::IsFirst => Value::Bool(index == 0),
            LoopFact::IsLast => Value::Bool(!iteration.has_next()),
            LoopFact::IsOdd => Value::Bool(odd),
            LoopFact::IsEven => Value::Bool(!odd),
            LoopFact::Parity => Value::text(if odd { "odd" } else { "even" }),
            LoopFact::ParityCapital => Value::text(if odd { "Odd" } else { "Even" }),
            LoopFact::Cycle => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(self.eval(arg)?);
                }
                return Ok(values.into_iter().nth(index % args.len().max(1)).flatten());
            }
        }))
    }

    /// The text that a value prints as.
    pub(crate) fn printed(&mut self, value: &Value<'e>, pos: Pos) -> Outcome<Text<'e>> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::Number(number) => {
                let text = self.settings.number.format(number);
                self.shared(text, pos)
            }
            Value::Date(date) => {
                let text = self.format_date(*date, pos)?;
                self.shared(text, pos)
            }
            Value::Bool(value) => self.boolean_text(*value, pos),
            Value::Matches(matches) => self.boolean_text(matches.entire, pos),
            Value::Nothing => Ok(Text::Borrowed("")),
            Value::Cut(_) => Err(cut::refused(pos)),
            Value::Sequence(_) | Value::Hash(_) | Value::Macro(_) => Err(pos.wrong_type(format!(
                "{} cannot be printed; a text, number, date or boolean can",
                value.name()
            ))),
        }
    }

    fn boolean_text(&mut self, value: bool, pos: Pos) -> Outcome<Text<'e>> {
        match &self.settings.boolean {
            Some((yes, no)) => Ok(Text::Shared(if value { yes.clone() } else { no.clone() })),
            None => Err(pos.wrong_type(
                "a boolean is printed by ?c or ?string(\"yes\", \"no\"), or after <#setting boolean_format=\"c\">",
            )),
        }
    }

    /// The arguments of a built-in; a missing one is absent.
    pub(crate) fn arguments(&mut self, args: &'e Args) -> Outcome<Vec<Maybe<'e>>> {
        let Args::List(list) = args else { return Ok(Vec::new()) };
        let mut values = Vec::with_capacity(list.len());
        for arg in list {
            let value = self.eval(arg)?;
            cut::refuse(&value, arg.pos)?;
            values.push(value);
        }
        Ok(values)
    }
}

/// A part of what a lambda makes: at its ends FreeMarker does other than with other sequences.
fn lazy_part(part: Outcome<Maybe<'_>>, pos: Pos) -> Outcome<Maybe<'_>> {
    let empty = matches!(&part, Ok(Some(Value::Sequence(sequence))) if sequence.size() == Some(0));
    match part {
        Err(failure) if failure.kind != RenderErrorKind::Budget => Err(pos.unsupported(
            "a part of what a lambda makes is not supported where an item or the range fails",
        )),
        _ if empty => Err(pos.unsupported("an empty part of what a lambda makes is not supported")),
        other => other,
    }
}

/// Says what is missing, in the template's words.
pub(crate) fn missing(expr: &Expr) -> crate::error::Failure {
    let mut name = String::new();
    let what = if path(expr, &mut name) { format!("`{name}`") } else { "a value".to_owned() };
    expr.pos.missing(format!(
        "{what} is missing or null; give a default, such as {what}!\"\" or ({what})!\"\""
    ))
}

fn path(expr: &Expr, name: &mut String) -> bool {
    match &expr.kind {
        ExprKind::Variable(variable) => {
            name.push_str(variable);
            true
        }
        ExprKind::Member(target, member) => {
            let known = path(target, name);
            name.push('.');
            name.push_str(member);
            known
        }
        ExprKind::Index(target, key) => {
            let ExprKind::Text(key) = &key.kind else { return false };
            let known = path(target, name);
            name.push_str("[\"");
            name.push_str(key);
            name.push_str("\"]");
            known
        }
        ExprKind::Parens(inner) => path(inner, name),
        _ => false,
    }
}

/// What goes through hashes and sequences alike.
pub(crate) fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.as_str().is_empty(),
        Value::Sequence(sequence) => sequence.size() == Some(0),
        Value::Hash(hash) => hash_is_empty(hash),
        Value::Nothing => true,
        Value::Matches(matches) => matches.items.size() == Some(0),
        Value::Cut(_) | Value::Number(_) | Value::Bool(_) | Value::Date(_) | Value::Macro(_) => {
            false
        }
    }
}

fn hash_is_empty(hash: &Hash<'_>) -> bool {
    hash.len() == 0
}
