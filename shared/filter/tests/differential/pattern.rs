//! Patterns from small pools of keys and values, so that events often meet them.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

/// The keys of patterns and events. The last is an operator's name, and so is refused in `$or`.
pub(crate) const KEYS: [&str; 4] = ["a", "b", "c.d", "prefix"];

/// Texts that the operators tell apart.
pub(crate) const TEXTS: [&str; 12] = [
    "",
    "a",
    "A",
    "ab",
    "aB",
    "abab",
    "b*a",
    "é",
    "É",
    "10.0.0.7",
    "2001:db8::7",
    "::ffff:10.0.0.9",
];

/// Numbers as they are written.
pub(crate) const NUMBERS: [&str; 14] = [
    "0",
    "-0.0",
    "1",
    "1.0",
    "10e-1",
    "1.5",
    "-2",
    "10",
    "9007199254740992",
    "9007199254740993",
    "9007199254740992.0",
    "18446744073709551615",
    "-9223372036854775808",
    "1e300",
];

const WILDCARDS: [&str; 13] = [
    "*", "a*", "*b", "a*b", "*a*", "*a*b", "*ab*ab", "*b*a*", r"b\*a", r"*\**", "10.*.7", "ab", "",
];

const AFFIXES: [&str; 6] = ["a", "A", "ab", "b", "é", "10."];

const NETWORKS: [&str; 6] =
    ["10.0.0.0/8", "10.0.0.7/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.0.0.9/29"];

/// One of them.
pub(crate) fn pick<T: Copy>(chance: &mut Pcg64Mcg, from: &[T]) -> T {
    from[chance.random_range(0..from.len())]
}

/// Whether something happens that does `times` in ten.
pub(crate) fn in_ten(chance: &mut Pcg64Mcg, times: u32) -> bool {
    chance.random_range(0..10) < times
}

/// A valid pattern of objects within each other up to `depth`.
pub(crate) fn pattern(chance: &mut Pcg64Mcg, depth: u32) -> Value {
    object(chance, &KEYS, depth)
}

fn object(chance: &mut Pcg64Mcg, keys: &[&str], depth: u32) -> Value {
    let mut fields = Map::new();
    let or = depth > 1 && in_ten(chance, 3);
    for _ in 0..chance.random_range(u32::from(!or)..=3) {
        let key = pick(chance, keys);
        let field = if depth > 1 && in_ten(chance, 5) {
            object(chance, keys, depth - 1)
        } else {
            leaf(chance)
        };
        fields.insert(key.to_owned(), field);
    }
    if or {
        let count = chance.random_range(2..=3);
        let alternatives: Vec<Value> =
            (0..count).map(|_| object(chance, &KEYS[..3], depth - 1)).collect();
        fields.insert("$or".to_owned(), alternatives.into());
    }
    fields.into()
}

fn leaf(chance: &mut Pcg64Mcg) -> Value {
    let count = chance.random_range(1..=3);
    (0..count).map(|_| leaf_value(chance)).collect()
}

fn leaf_value(chance: &mut Pcg64Mcg) -> Value {
    match chance.random_range(0..14) {
        0..3 => text(chance),
        3..5 => number(chance),
        5 => pick(chance, &[json!(null), json!(true), json!(false)].each_ref()).clone(),
        6 => json!({"prefix": affix(chance)}),
        7 => json!({"suffix": affix(chance)}),
        8 => json!({"equals-ignore-case": text(chance)}),
        9 => json!({"wildcard": pick(chance, &WILDCARDS)}),
        10 => json!({"anything-but": excluded(chance)}),
        11 => json!({"numeric": comparisons(chance)}),
        12 => json!({"exists": in_ten(chance, 3)}),
        _ => json!({"cidr": pick(chance, &NETWORKS)}),
    }
}

fn text(chance: &mut Pcg64Mcg) -> Value {
    pick(chance, &TEXTS).into()
}

fn number(chance: &mut Pcg64Mcg) -> Value {
    serde_json::from_str(pick(chance, &NUMBERS)).unwrap()
}

fn affix(chance: &mut Pcg64Mcg) -> Value {
    if in_ten(chance, 4) { json!({"equals-ignore-case": text(chance)}) } else { text(chance) }
}

fn excluded(chance: &mut Pcg64Mcg) -> Value {
    match chance.random_range(0..6) {
        0 => one_or_list(chance, text),
        1 => one_or_list(chance, number),
        2 => json!({"prefix": one_or_list(chance, |chance| pick(chance, &AFFIXES).into())}),
        3 => json!({"suffix": one_or_list(chance, |chance| pick(chance, &AFFIXES).into())}),
        4 => json!({"equals-ignore-case": one_or_list(chance, text)}),
        _ => json!({"wildcard": one_or_list(chance, |chance| pick(chance, &WILDCARDS).into())}),
    }
}

fn one_or_list(chance: &mut Pcg64Mcg, one: impl Fn(&mut Pcg64Mcg) -> Value) -> Value {
    if in_ten(chance, 5) {
        return one(chance);
    }
    (0..chance.random_range(1..=2)).map(|_| one(chance)).collect()
}

fn comparisons(chance: &mut Pcg64Mcg) -> Value {
    if in_ten(chance, 5) {
        return json!([pick(chance, &["=", "<", "<=", ">", ">="]), number(chance)]);
    }
    let from =
        pick(chance, &[json!(i64::MIN), json!(-2), json!(0), json!(1), json!(1.0)].each_ref())
            .clone();
    let to = pick(
        chance,
        &[json!(1.5), json!(10), json!(9_007_199_254_740_993_u64), json!(1e300)].each_ref(),
    )
    .clone();
    json!([pick(chance, &[">", ">="]), from, pick(chance, &["<", "<="]), to])
}
