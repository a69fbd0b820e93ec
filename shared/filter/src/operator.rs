//! The values of a leaf: scalars, and objects of one operator.
//!
//! Names and forms are those of Amazon's [comparison operators for event patterns][docs]; where
//! the page is silent, those that Event Ruler's `JsonRuleCompiler` accepts.
//!
//! [docs]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

use ipnet::IpNet;
use serde_json::{Map, Value};

use crate::bounds::LeafCount;
use crate::letter_case::lower;
use crate::matcher::{End, Excluded, Form, Matcher, Range};
use crate::number::Number;
use crate::pattern_error::PatternError;
use crate::place::Place;
use crate::wildcard::Wildcard;

/// The operators of a leaf.
pub(crate) const OPERATORS: [&str; 8] = [
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
    "cidr",
];

/// The operators inside `anything-but`.
const EXCLUDING: [&str; 4] = ["prefix", "suffix", "equals-ignore-case", "wildcard"];

/// Reads one value of a leaf and counts it.
pub(crate) fn matcher(
    value: &Value,
    place: &Place<'_>,
    count: &mut LeafCount,
) -> Result<Matcher, PatternError> {
    if !matches!(value, Value::Object(operator) if operator.contains_key("anything-but")) {
        count.add(place)?;
    }
    match value {
        Value::Null => Ok(Matcher::Null),
        Value::Bool(value) => Ok(Matcher::Bool(*value)),
        Value::Number(value) => number(value, place).map(Matcher::Number),
        Value::String(value) => Ok(Matcher::Text(value.clone())),
        Value::Array(_) => Err(place.refuse("a list inside the list of a field is not allowed")),
        Value::Object(operator) => operator_matcher(operator, place, count),
    }
}

fn operator_matcher(
    operator: &Map<String, Value>,
    place: &Place<'_>,
    count: &mut LeafCount,
) -> Result<Matcher, PatternError> {
    let (name, operand) = only(operator, place)?;
    let place = place.key(name);
    match name {
        "prefix" | "suffix" => affix(name, operand, &place).map(Matcher::Form),
        "equals-ignore-case" | "wildcard" => form(name, operand, &place).map(Matcher::Form),
        "anything-but" => excluded(operand, &place, count).map(Matcher::AnythingBut),
        "numeric" => numeric(operand, &place),
        "exists" => match operand {
            Value::Bool(true) => Ok(Matcher::Exists),
            Value::Bool(false) => Ok(Matcher::Absent),
            _ => Err(place.refuse("exists takes true or false")),
        },
        "cidr" => cidr(operand, &place),
        _ => Err(place.refuse(format!(
            "there is no operator {name:?}; allowed are {}",
            OPERATORS.join(", ")
        ))),
    }
}

/// The one key of an operator object.
fn only<'a>(
    object: &'a Map<String, Value>,
    place: &Place<'_>,
) -> Result<(&'a str, &'a Value), PatternError> {
    let mut keys = object.iter();
    match (keys.next(), keys.next()) {
        (Some((name, operand)), None) => Ok((name, operand)),
        (None, _) => {
            Err(place
                .refuse(format!("an operator is missing; allowed are {}", OPERATORS.join(", "))))
        }
        (Some(_), Some(_)) => Err(place.refuse(
            "an object has one operator; write several as [{…}, {…}], of which any may match",
        )),
    }
}

fn number(value: &serde_json::Number, place: &Place<'_>) -> Result<Number, PatternError> {
    Number::of(value).ok_or_else(|| place.refuse("this number is too large"))
}

/// `prefix` and `suffix`: a string, or a string within `equals-ignore-case`.
fn affix(name: &str, operand: &Value, place: &Place<'_>) -> Result<Form, PatternError> {
    let Value::Object(object) = operand else { return form(name, operand, place) };
    let (inner, operand) = only(object, place)?;
    let place = place.key(inner);
    if inner != "equals-ignore-case" {
        return Err(place
            .refuse(format!("{name} takes a string, or an object of equals-ignore-case alone")));
    }
    let text = lower(string(inner, operand, &place)?);
    Ok(if name == "prefix" {
        Form::PrefixIgnoringCase(text)
    } else {
        Form::SuffixIgnoringCase(text)
    })
}

/// The form that the operator `name` gives with a string.
fn form(name: &str, operand: &Value, place: &Place<'_>) -> Result<Form, PatternError> {
    let text = string(name, operand, place)?;
    Ok(match name {
        "prefix" => Form::Prefix(text.to_owned()),
        "suffix" => Form::Suffix(text.to_owned()),
        "wildcard" => Form::Wildcard(Wildcard::parse(text).map_err(|detail| place.refuse(detail))?),
        _ => Form::EqualsIgnoringCase(lower(text)),
    })
}

fn string<'a>(name: &str, operand: &'a Value, place: &Place<'_>) -> Result<&'a str, PatternError> {
    operand.as_str().ok_or_else(|| place.refuse(format!("{name} takes a string")))
}

fn cidr(operand: &Value, place: &Place<'_>) -> Result<Matcher, PatternError> {
    let network = string("cidr", operand, place)?.parse::<IpNet>();
    network
        .map(Matcher::Cidr)
        .map_err(|_| place.refuse("cidr takes a network such as 10.0.0.0/24 or 2001:db8::/32"))
}

/// `anything-but`: a string or number, a list of either, or one operator with a string or a list
/// of strings.
fn excluded(
    operand: &Value,
    place: &Place<'_>,
    count: &mut LeafCount,
) -> Result<Excluded, PatternError> {
    match operand {
        Value::Object(object) => {
            let (name, operand) = only(object, place)?;
            let place = place.key(name);
            if !EXCLUDING.contains(&name) {
                let allowed = EXCLUDING.join(", ");
                return Err(place.refuse(format!(
                    "anything-but has no operator {name:?}; allowed are {allowed}"
                )));
            }
            let forms = each(operand, &place, count, |value, place| {
                let form = form(name, value, place)?;
                match &form {
                    Form::Prefix(text) | Form::Suffix(text) if text.is_empty() => Err(place
                        .refuse(format!(
                            "every string has the empty {name}, so that nothing would be left"
                        ))),
                    _ => Ok(form),
                }
            })?;
            Ok(Excluded::Forms(forms))
        }
        Value::String(_) => texts(operand, place, count),
        Value::Array(values) if values.first().is_some_and(Value::is_string) => {
            texts(operand, place, count)
        }
        _ => each(operand, place, count, |value, place| match value {
            Value::Number(value) => number(value, place),
            _ => {
                Err(place.refuse("anything-but takes strings or numbers, and not both in one list"))
            }
        })
        .map(Excluded::Numbers),
    }
}

fn texts(
    operand: &Value,
    place: &Place<'_>,
    count: &mut LeafCount,
) -> Result<Excluded, PatternError> {
    let texts = each(operand, place, count, |value, place| match value {
        Value::String(text) => Ok(text.clone()),
        _ => Err(place.refuse("anything-but takes strings or numbers, and not both in one list")),
    })?;
    Ok(Excluded::Texts(texts))
}

/// Reads and counts one value, or each of a list.
fn each<T>(
    operand: &Value,
    place: &Place<'_>,
    count: &mut LeafCount,
    read: impl Fn(&Value, &Place<'_>) -> Result<T, PatternError>,
) -> Result<Vec<T>, PatternError> {
    let Value::Array(values) = operand else {
        count.add(place)?;
        return Ok(vec![read(operand, place)?]);
    };
    if values.is_empty() {
        return Err(
            place.refuse("an empty list excludes nothing; name a value, or use {\"exists\": true}")
        );
    }
    let mut read_values = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let place = place.element(index);
        count.add(&place)?;
        read_values.push(read(value, &place)?);
    }
    Ok(read_values)
}

/// `numeric`: `=` with a number, or one or two comparisons.
fn numeric(operand: &Value, place: &Place<'_>) -> Result<Matcher, PatternError> {
    let shape =
        r#"numeric takes a comparison, such as ["<", 10], or two, such as [">", 0, "<=", 5]"#;
    let Value::Array(terms) = operand else { return Err(place.refuse(shape)) };
    let mut range = Range::default();
    let mut rest = terms.as_slice();
    let mut index = 0;
    while let [comparison, others @ ..] = rest {
        let comparison_place = place.element(index);
        let Some((bound, others)) = others.split_first() else {
            return Err(comparison_place.refuse(shape));
        };
        let Value::String(comparison) = comparison else {
            return Err(comparison_place.refuse(shape));
        };
        let bound_place = place.element(index + 1);
        let Value::Number(bound) = bound else {
            return Err(bound_place.refuse(format!("{comparison} takes a number")));
        };
        let bound = number(bound, &bound_place)?;
        add_end(&mut range, comparison, bound, &comparison_place)?;
        rest = others;
        index += 2;
    }
    if range.lower.is_none() && range.upper.is_none() {
        return Err(place.refuse(shape));
    }
    if range.is_empty() {
        return Err(place.refuse("no number lies in this range"));
    }
    Ok(Matcher::Numeric(range))
}

/// Adds one comparison to a range, in the order that EventBridge asks for: the lower end first.
fn add_end(
    range: &mut Range,
    comparison: &str,
    number: Number,
    place: &Place<'_>,
) -> Result<(), PatternError> {
    let end = Some(End { number, inclusive: comparison.ends_with('=') });
    let order = "a range has one lower end and then one upper end: [\">\", 0, \"<=\", 5]";
    match comparison {
        "=" if range.lower.is_none() && range.upper.is_none() => {
            *range = Range { lower: end, upper: end };
            Ok(())
        }
        "=" => Err(place.refuse("= stands alone")),
        ">" | ">=" if range.lower.is_none() && range.upper.is_none() => {
            range.lower = end;
            Ok(())
        }
        "<" | "<=" if range.upper.is_none() => {
            range.upper = end;
            Ok(())
        }
        ">" | ">=" | "<" | "<=" => Err(place.refuse(order)),
        "!=" => Err(place.refuse("there is no !=; use {\"anything-but\": …}")),
        _ => Err(place.refuse(format!(
            "there is no comparison {comparison:?}; allowed are =, <, <=, > and >="
        ))),
    }
}
