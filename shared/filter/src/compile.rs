//! From a pattern's JSON to the tree and the condition that a [`crate::Filter`] is made of.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::bounds::{LeafCount, check_bytes, check_depth};
use crate::condition::Condition;
use crate::matcher::Matcher;
use crate::node::{Leaf, Node};
use crate::operator::{self, OPERATORS};
use crate::pattern_error::PatternError;
use crate::place::Place;

/// The one key that is not a field's name.
const OR: &str = "$or";

/// Compiles a pattern. Depth and leaves are checked on the way, and so bound the way; the size of
/// the text comes last.
pub(crate) fn compile(pattern: &Value) -> Result<(Node, Condition), PatternError> {
    let place = Place::Root;
    let Value::Object(fields) = pattern else {
        return Err(place
            .refuse(r#"a pattern is an object of fields, such as {"eventName": ["purchase"]}"#));
    };
    let mut root = Node::default();
    let mut compiler = Compiler::default();
    let condition =
        compiler.object(fields, &mut root, &place, Level { depth: 1, inside_or: false })?;
    check_bytes(pattern)?;
    root.gather();
    Ok((root, condition))
}

/// What is counted while a pattern is compiled.
#[derive(Debug, Default)]
struct Compiler {
    values: LeafCount,
    leaves: u32,
    objects: u32,
}

/// How far into the pattern an object lies.
#[derive(Debug, Clone, Copy)]
struct Level {
    depth: usize,
    inside_or: bool,
}

impl Compiler {
    /// The condition of one object's fields, which are looked for at `node`.
    fn object(
        &mut self,
        fields: &Map<String, Value>,
        node: &mut Node,
        place: &Place<'_>,
        level: Level,
    ) -> Result<Condition, PatternError> {
        check_depth(level.depth, place)?;
        if fields.is_empty() {
            return Err(place.refuse("an empty object says nothing; leave it out, or name a field"));
        }
        let mut parts = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let place = place.key(name);
            if name == OR {
                parts.push(self.alternatives(value, node, &place, level)?);
                continue;
            }
            if level.inside_or && OPERATORS.contains(&name.as_str()) {
                return Err(place.refuse(format!(
                    "inside $or, {name} cannot be the name of a field, as in EventBridge; an operator goes into the \
                     list of a field: {{\"field\": [{{\"{name}\": …}}]}}"
                )));
            }
            parts.push(self.field(value, node.child_mut(name), &place, level)?);
        }
        Ok(Condition::All(parts))
    }

    /// The condition of one field, looked for at its own `node`.
    fn field(
        &mut self,
        value: &Value,
        node: &mut Node,
        place: &Place<'_>,
        level: Level,
    ) -> Result<Condition, PatternError> {
        match value {
            Value::Array(values) => self.leaf(values, node, place),
            Value::Object(fields) => {
                let parts =
                    self.object(fields, node, place, Level { depth: level.depth + 1, ..level })?;
                Ok(self.below(fields, parts, node))
            }
            _ => Err(place.refuse(format!(
                "a field takes a list of values, as in [{value}], or an object of fields"
            ))),
        }
    }

    /// Gives an object below a field a bit of its own, unless it is one field alone: then the
    /// object is there in some element if the field is.
    fn below(
        &mut self,
        fields: &Map<String, Value>,
        parts: Condition,
        node: &mut Node,
    ) -> Condition {
        if fields.len() == 1 && !fields.contains_key(OR) {
            return parts;
        }
        let bit = 1 << self.objects;
        self.objects += 1;
        let parts = Arc::new(parts);
        node.add_object(bit, Arc::clone(&parts));
        Condition::Object { bit, parts }
    }

    fn leaf(
        &mut self,
        values: &[Value],
        node: &mut Node,
        place: &Place<'_>,
    ) -> Result<Condition, PatternError> {
        if values.is_empty() {
            return Err(
                place.refuse("an empty list matches nothing; name a value, or leave the field out")
            );
        }
        let mut matchers = Vec::new();
        for (index, value) in values.iter().enumerate() {
            matchers.push(operator::matcher(value, &place.element(index), &mut self.values)?);
        }
        let bit = 1 << self.leaves;
        self.leaves += 1;
        let may_be_absent = matchers.iter().any(|matcher| matches!(matcher, Matcher::Absent));
        node.add_leaf(Leaf { bit, matchers });
        Ok(Condition::Leaf { bit, may_be_absent })
    }

    /// The alternatives of `$or`, all looked for at the `node` of the object that has it.
    fn alternatives(
        &mut self,
        value: &Value,
        node: &mut Node,
        place: &Place<'_>,
        level: Level,
    ) -> Result<Condition, PatternError> {
        let Value::Array(alternatives) = value else {
            return Err(place.refuse("$or takes a list of patterns: [{…}, {…}]"));
        };
        if alternatives.len() < 2 {
            return Err(place.refuse("$or takes at least two patterns, as in EventBridge"));
        }
        let mut conditions = Vec::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            let place = place.element(index);
            let Value::Object(fields) = alternative else {
                return Err(place.refuse("$or takes patterns, which are objects of fields"));
            };
            let level = Level { depth: level.depth + 1, inside_or: true };
            conditions.push(self.object(fields, node, &place, level)?);
        }
        Ok(Condition::Any(conditions))
    }
}
