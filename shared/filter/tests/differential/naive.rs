//! A matcher to compare with: written from the documentation, over trees, for nothing but to be
//! seen to be right.
//!
//! It shares nothing with the product: patterns are interpreted as they stand, wildcards and
//! addresses are done by hand, and whether a field is absent is found by collecting every value
//! at its path.

use std::net::IpAddr;

use serde_json::{Map, Value};

/// Whether `event` matches `pattern`, which has been found valid.
pub(crate) fn matches(pattern: &Value, event: &Value) -> bool {
    present(pattern, event) || absent(pattern, &[event])
}

/// Whether `value` has what `pattern` (an object of fields, or the list of a leaf) asks for, with
/// at least one field that is there.
fn present(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (_, Value::Array(elements)) => elements.iter().any(|element| present(pattern, element)),
        (Value::Object(fields), Value::Object(object)) => {
            let parts = || fields.iter().map(|(name, part)| part_of(name, part, object));
            parts().all(|(present, absent)| present || absent)
                && parts().any(|(present, _)| present)
        }
        (Value::Object(_), _) | (_, Value::Object(_)) => false,
        (leaf, scalar) => leaf.as_array().unwrap().iter().any(|wanted| asks_for(wanted, scalar)),
    }
}

/// Whether one field of a pattern, or its `$or`, is fulfilled in `object` by presence, by absence.
fn part_of(name: &str, part: &Value, object: &Map<String, Value>) -> (bool, bool) {
    let whole = Value::Object(object.clone());
    if name == "$or" {
        let alternatives = part.as_array().unwrap();
        return (
            alternatives.iter().any(|alternative| present(alternative, &whole)),
            alternatives.iter().any(|alternative| absent(alternative, &[&whole])),
        );
    }
    match object.get(name) {
        Some(value) => (present(part, value), absent(part, &[value])),
        None => (false, absent(part, &[])),
    }
}

/// Whether every leaf of `pattern` allows its field to be absent, and it is, in all of `values`.
fn absent(pattern: &Value, values: &[&Value]) -> bool {
    let values = flattened(values);
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, part)| {
            if name == "$or" {
                return part
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|alternative| absent(alternative, &values));
            }
            let below: Vec<&Value> = values.iter().filter_map(|value| value.get(name)).collect();
            absent(part, &below)
        }),
        leaf => {
            leaf.as_array()
                .unwrap()
                .iter()
                .any(|wanted| wanted.get("exists") == Some(&Value::Bool(false)))
                && values.iter().all(|value| value.is_object())
        }
    }
}

/// The values with those of arrays, and of arrays in arrays, in the arrays' place.
fn flattened<'a>(values: &[&'a Value]) -> Vec<&'a Value> {
    let mut flat = vec![];
    for value in values {
        match value {
            Value::Array(elements) => flat.extend(flattened(&elements.iter().collect::<Vec<_>>())),
            other => flat.push(*other),
        }
    }
    flat
}

/// Whether one value of a leaf asks for this scalar.
pub(crate) fn asks_for(wanted: &Value, scalar: &Value) -> bool {
    let Value::Object(operator) = wanted else { return same(wanted, scalar) };
    let (name, operand) = operator.iter().next().unwrap();
    match name.as_str() {
        "exists" => operand == &Value::Bool(true),
        "anything-but" => match operand {
            Value::Object(inner) => {
                let (name, operand) = inner.iter().next().unwrap();
                !listed(operand)
                    .iter()
                    .any(|one| scalar.as_str().is_some_and(|text| has_form(name, one, text)))
            }
            _ => !listed(operand).iter().any(|one| same(one, scalar)),
        },
        "numeric" => scalar.is_number() && compares(operand.as_array().unwrap(), scalar),
        "cidr" => scalar.as_str().is_some_and(|text| in_network(operand.as_str().unwrap(), text)),
        form => scalar.as_str().is_some_and(|text| has_form(form, operand, text)),
    }
}

fn listed(operand: &Value) -> Vec<Value> {
    operand.as_array().cloned().unwrap_or_else(|| vec![operand.clone()])
}

fn same(wanted: &Value, found: &Value) -> bool {
    if wanted.is_number() && found.is_number() {
        order(wanted, found).is_eq()
    } else {
        wanted == found
    }
}

fn order(left: &Value, right: &Value) -> std::cmp::Ordering {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_f64().unwrap().total_cmp(&(right.as_f64().unwrap() + 0.0)),
    }
}

fn whole(number: &Value) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| {
        // Written out in decimal, a whole number has no point.
        let text = format!("{}", number.as_f64().unwrap() + 0.0);
        text.parse().ok()
    })
}

fn compares(terms: &[Value], found: &Value) -> bool {
    terms.chunks(2).all(|term| {
        let order = order(found, &term[1]);
        match term[0].as_str().unwrap() {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            _ => order.is_eq(),
        }
    })
}

fn has_form(name: &str, operand: &Value, text: &str) -> bool {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    if let Some(inner) = operand.get("equals-ignore-case") {
        return has_form(name, &Value::from(lower(inner.as_str().unwrap())), &lower(text));
    }
    let operand = operand.as_str().unwrap();
    match name {
        "prefix" => text.starts_with(operand),
        "suffix" => text.ends_with(operand),
        "equals-ignore-case" => lower(text) == lower(operand),
        "wildcard" => glob(&operand.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>()),
        other => panic!("{other}"),
    }
}

/// By trying every length that a star can have.
fn glob(wildcard: &[char], text: &[char]) -> bool {
    match wildcard {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        ['\\', escaped, rest @ ..] => text.first() == Some(escaped) && glob(rest, &text[1..]),
        [plain, rest @ ..] => text.first() == Some(plain) && glob(rest, &text[1..]),
    }
}

/// By comparing the bits, one after the other.
fn in_network(network: &str, text: &str) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    let (base, length) = network.split_once('/').unwrap();
    let (base, length) = (bits(base.parse().unwrap()), length.parse::<usize>().unwrap());
    [address, address.to_canonical()]
        .into_iter()
        .map(bits)
        .any(|bits| bits.len() == base.len() && bits[..length] == base[..length])
}

fn bits(address: IpAddr) -> Vec<bool> {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect()
}
