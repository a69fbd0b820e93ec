//! Mutated templates: whatever the template and the event, rendering ends in a text or an error, within the bounds.
//!
//! `FLAGPOST_FUZZ_SECONDS` runs it for a time, as `scripts/fuzz-template` does; without it, for a fixed number of
//! cases from a fixed seed.

#![expect(clippy::unwrap_used, reason = "what is broken is to be seen")]

use std::time::Duration;

use flagpost_template::{MAX_NESTING, MAX_OUTPUT, RenderErrorKind, Template};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

/// Cases of a run without a time.
const CASES: u32 = 3_000;

/// Words of the language, to be put anywhere.
const TOKENS: &[&str] = &[
    "${",
    "}",
    "#{",
    "<#if ",
    "<#list ",
    " as x>",
    "</#list>",
    "</#if>",
    "<#else>",
    "<#sep>",
    "<#assign x = ",
    ">",
    "/>",
    "<#switch ",
    "<#case ",
    "<#default>",
    "<#break>",
    "<#continue>",
    "</#switch>",
    "<#macro m a b=1>",
    "</#macro>",
    "<@m",
    "<@m/>",
    "</@m>",
    "<#nested>",
    "<#attempt>",
    "<#recover>",
    "</#attempt>",
    "<#compress>",
    "</#compress>",
    "<#escape x as x?html>",
    "</#escape>",
    "<#t>",
    "<#lt>",
    "<#rt>",
    "<#nt>",
    "<#--",
    "-->",
    "<#noparse>",
    "</#noparse>",
    "<#setting number_format=\"0.0\">",
    "<#items as i>",
    "</#items>",
    "input",
    "input.a",
    "?",
    "??",
    "!",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "..",
    "..<",
    "..*",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "&&",
    "||",
    "->",
    ",",
    ":",
    ";",
    ".",
    "\"",
    "'",
    "r\"",
    "\\",
    "1",
    "0",
    "10000",
    "2147483647",
    "-1",
    "0.1",
    "99999999999999999999",
    "?size",
    "?map(x -> x)",
    "?filter(x -> true)",
    "?left_pad(100000)",
    "?replace('', 'xx')",
    "?split('')",
    "?join(',')",
    "?matches('.*')",
    "?string",
    "?datetime('yyyy')",
    "?number",
    "?sort",
    "?keys",
    "?chunk(2)",
    "?c",
    "?eval",
    "?new",
    "é",
    "😀",
    "\u{0}",
    "\r\n",
    "\n",
    "\t",
    " ",
    "x_index",
    "x?index",
    "true",
    "false",
    "in",
    "as",
];

const EVENTS: &[&str] = &[
    "{}",
    r#"{"event_type":"click event","user_id":null,"a":[1,2.5,"x",null,true,{"k":[]}],"n":-0.5,"s":"é😀 \u0000 text","h":{"a":1,"b":{}}}"#,
    r#"{"event_type":"x","user_properties":{"email":"a@b","age":41,"tags":["a","b"]},"event_properties":{"price":1e300,"neg":-0,"paid":true}}"#,
    "[1,2,3]",
    "\"text\"",
    "null",
];

#[derive(Debug, Clone)]
enum Mutation {
    Cut(Index, usize),
    Double(Index, usize),
    Insert(Index, &'static str),
    Splice(Index, Index, Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), 0..30_usize).prop_map(|(at, length)| Mutation::Cut(at, length)),
        (any::<Index>(), 0..60_usize).prop_map(|(at, length)| Mutation::Double(at, length)),
        (any::<Index>(), select(TOKENS)).prop_map(|(at, token)| Mutation::Insert(at, token)),
        (any::<Index>(), select(TOKENS)).prop_map(|(at, token)| Mutation::Insert(at, token)),
        (any::<Index>(), any::<Index>(), any::<Index>(), 0..80_usize)
            .prop_map(|(at, other, from, length)| Mutation::Splice(at, other, from, length)),
    ]
}

fn known() -> Vec<Vec<char>> {
    [include_str!("fixtures/corpus.jsonl"), include_str!("fixtures/generated.jsonl")]
        .into_iter()
        .flat_map(str::lines)
        .map(|line| {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            case["template"].as_str().unwrap().chars().collect()
        })
        .collect()
}

fn mutated(known: &[Vec<char>], start: Index, mutations: &[Mutation]) -> String {
    let mut text = start.get(known).clone();
    for mutation in mutations {
        let place = |at: &Index, text: &[char]| at.index(text.len() + 1);
        match mutation {
            Mutation::Cut(at, length) => {
                let from = place(at, &text);
                text.drain(from..(from + length).min(text.len()));
            }
            Mutation::Double(at, length) => {
                let from = place(at, &text);
                let part = text[from..(from + length).min(text.len())].to_vec();
                text.splice(from..from, part);
            }
            Mutation::Insert(at, token) => {
                let from = place(at, &text);
                text.splice(from..from, token.chars());
            }
            Mutation::Splice(at, other, from, length) => {
                let other = other.get(known);
                let begin = place(from, other);
                let part = other[begin..(begin + length).min(other.len())].to_vec();
                let to = place(at, &text);
                text.splice(to..to, part);
            }
        }
    }
    text.into_iter().collect()
}

fn check(template: &str, event: &str) -> Result<(), TestCaseError> {
    let compiled = match Template::compile(template) {
        Ok(compiled) => compiled,
        Err(error) => {
            let lines = template.matches(['\n', '\r']).count() + 1;
            prop_assert!((1..=lines).contains(&error.line), "{error}");
            prop_assert!(error.column >= 1 && !error.message.is_empty());
            return Ok(());
        }
    };
    let first = compiled.render_json(event.as_bytes());
    match &first {
        Ok(text) => prop_assert!(text.len() <= MAX_OUTPUT),
        Err(error) => {
            prop_assert!(!error.message.is_empty());
            prop_assert!(error.kind != RenderErrorKind::Event, "the event is fine: {error}");
        }
    }
    prop_assert_eq!(first, compiled.render_json(event.as_bytes()), "rendering again is the same");
    Ok(())
}

#[test]
fn mutated_templates_end_in_a_text_or_an_error() {
    let known = known();
    let strategy = (any::<Index>(), prop::collection::vec(mutation(), 0..8), select(EVENTS));
    let test = |(start, mutations, event): (Index, Vec<Mutation>, &str)| {
        check(&mutated(&known, start, &mutations), event)
    };
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let Some(time) = seconds() else {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        return TestRunner::new_with_rng(config, rng).run(&strategy, test).unwrap();
    };
    let over = timer(time);
    let mut rounds = 0;
    while !over() {
        // A new seed each round; proptest prints the template of a failure, made small.
        TestRunner::new(config.clone()).run(&strategy, test).unwrap();
        rounds += 1;
    }
    println!("{} mutated templates in {} s: none failed", rounds * CASES, time.as_secs());
}

proptest! {
    #[test]
    fn tokens_in_any_order_end_in_a_text_or_an_error(
        tokens in prop::collection::vec(select(TOKENS), 0..60),
        event in select(EVENTS),
    ) {
        check(&tokens.concat(), event)?;
    }

    #[test]
    fn any_text_ends_in_a_text_or_an_error(template in any::<String>(), event in any::<Vec<u8>>()) {
        if let Ok(compiled) = Template::compile(&template) {
            let _ = compiled.render_json(&event);
        }
    }

    #[test]
    fn nesting_ends_at_its_bound(depth in 1..200_usize) {
        let template = format!("{}x{}", "<#if true>".repeat(depth), "</#if>".repeat(depth));
        prop_assert_eq!(Template::compile(&template).is_ok(), depth < MAX_NESTING);
    }
}

#[expect(clippy::disallowed_methods, reason = "how long to run is asked for from outside")]
fn seconds() -> Option<Duration> {
    std::env::var("FLAGPOST_FUZZ_SECONDS")
        .ok()
        .map(|text| Duration::from_secs(text.parse().unwrap()))
}

#[expect(clippy::disallowed_methods, reason = "the test runs for a time")]
fn timer(time: Duration) -> impl Fn() -> bool {
    let began = std::time::Instant::now();
    move || began.elapsed() >= time
}
