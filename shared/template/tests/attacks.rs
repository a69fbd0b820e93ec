//! Templates and events that try to take time, memory or the stack: each must end in an error, within its bounds.
//!
//! Time is asserted by the fuel, which does not depend on the machine; the milliseconds are printed. Memory is measured
//! by an allocator that counts, for this binary alone; so everything is one test.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the figures are for whoever runs this"
)]

use std::fmt::Write as _;

use flagpost_template::{MAX_FUEL, Template};
use peak_alloc::PeakAlloc;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// The most that one compilation and rendering may hold at a time.
const MEGABYTES: f32 = 64.0;

/// Attacks that are the same whatever the event.
const SIMPLE: &[(&str, &str)] = &[
    ("a range of a billion", "<#list 1..1000000000 as i>${i}</#list>"),
    ("a range without an end", "<#list 1.. as i>x</#list>"),
    ("the size of a range", "${(1..2000000000)?size}"),
    ("a range mapped", "${(1..1000000000)?map(x -> x * x)?size}"),
    ("a range joined", "${(1..)?join(',')}"),
    (
        "nested lists",
        "<#list 1..10000 as a><#list 1..10000 as b><#list 1..10000 as c>x</#list></#list></#list>",
    ),
    (
        "nested lists that print nothing",
        "<#list 1..10000 as a><#list 1..10000 as b></#list></#list>",
    ),
    (
        "doubling a text",
        "<#assign x = 'xxxxxxxxxxxxxxxx'><#list 1..100 as i><#assign x = x + x></#list>",
    ),
    ("doubling a text by +=", "<#assign x = 'x'><#list 1..100 as i><#assign x += x></#list>"),
    (
        "doubling a captured text",
        "<#assign x>ab</#assign><#list 1..100 as i><#assign x>${x}${x}</#assign></#list>",
    ),
    (
        "doubling a literal",
        "<#assign x = 'ab'><#list 1..100 as i><#assign x = \"${x}${x}\"></#list>",
    ),
    ("doubling a sequence", "<#assign x = [1]><#list 1..100 as i><#assign x = x + x></#list>"),
    ("a sequence in a sequence", "<#assign x = []><#list 1..10000 as i><#assign x = [x]></#list>"),
    ("a hash in a hash", "<#assign x = {}><#list 1..10000 as i><#assign x = {'a': x}></#list>"),
    (
        "a growing hash",
        "<#assign h = {}><#list 1..10000 as i><#assign h = h + {'k${i}': i}></#list>",
    ),
    ("a growing sequence", "<#assign s = []><#list 1..10000 as i><#assign s = s + [i]></#list>"),
    (
        "keeping every version",
        "<#assign k = []><#assign s = 1..5000><#list 1..60 as i><#assign k = k + [s + [i]]></#list>",
    ),
    ("left_pad", "${'x'?left_pad(1000000000)}"),
    ("right_pad with a long filling", "${'x'?right_pad(2000000000, 'abc')}"),
    ("many pads", "<#list 1..10000 as i><#assign x = 'x'?left_pad(200000)></#list>"),
    ("replace of nothing", "<#assign x = 'a'?left_pad(1000)>${x?replace('', x)?replace('', x)}"),
    (
        "replace by more",
        "<#assign x = 'a'><#list 1..10 as i><#assign x = x?replace('a', 'aaaaaaaaaa')></#list>",
    ),
    (
        "replace by a pattern",
        "<#assign x = ''?left_pad(10000)><#list 1..100 as i>${x?replace('.', '$0$0$0$0', 'r')?length}</#list>",
    ),
    ("a long join", "<#assign x = ''?left_pad(10000)>${(1..10000)?join(x)}"),
    (
        "escaping that grows",
        "<#assign x = ''?left_pad(200000, '\"')><#list 1..100 as i><#assign x = x?json_string></#list>",
    ),
    (
        "quadratic index_of",
        "<#assign x = ''?left_pad(200000, 'a')><#assign y = ''?left_pad(100000, 'a') + 'b'><#list 1..1000 as i><#if x?index_of(y) == 0></#if></#list>",
    ),
    (
        "quadratic last_index_of",
        "<#assign x = ''?left_pad(200000, 'a')><#assign y = 'b' + ''?left_pad(100000, 'a')><#list 1..1000 as i><#if x?last_index_of(y) == 0></#if></#list>",
    ),
    (
        "contains",
        "<#assign x = ''?left_pad(200000, 'ab')><#list 1..10000 as i><#if x?contains('ba' + x)></#if></#list>",
    ),
    ("split into everything", "<#assign x = ''?left_pad(200000, 'a,')>${x?split(',')?size}"),
    ("words", "<#assign x = ''?left_pad(200000, 'a ')>${x?word_list?size}"),
    (
        "a pattern that backtracks",
        "<#assign x = ''?left_pad(60000, 'a')><#list 1..1000 as i><#if x?matches('(a*)*b')></#if></#list>",
    ),
    (
        "a large pattern",
        "<#list 1..1000 as i><#if 'x'?matches('(((a{99}){99}){99}){99}')></#if></#list>",
    ),
    ("many patterns", "<#list 1..10000 as i><#if 'x'?matches('a{${i}}b*(c|d)')></#if></#list>"),
    ("many empty matches", "<#assign x = ''?left_pad(60000, 'a')>${x?matches('b*')?size}"),
    ("large numbers", "<#assign n = 9999999999><#list 1..1000 as i><#assign n = n * n></#list>"),
    (
        "divisions",
        "<#assign n = 1><#list 1..10000 as i><#list 1..100 as j><#assign n = n / 7 + 1></#list></#list>",
    ),
    ("a number from text", "${'1e999999999'?number}"),
    ("a slice of a range", "${(1..)[0..1000000000]?size}"),
    ("an index beyond", "${input.a[0..2147483647]?size}"),
    ("sorting", "<#list 1..1000 as i><#assign x = (1..10000)?reverse?sort></#list>"),
    (
        "sorting texts",
        "<#assign x = ''?left_pad(9000, 'b,a,')?split(',')><#list 1..1000 as i><#assign y = x?sort></#list>",
    ),
    ("chunks", "<#list 1..10000 as i><#assign x = (1..10000)?chunk(1)></#list>"),
    ("one chunk filled up", "${(1..3)?chunk(2000000000, 0)?size}"),
    ("searching sequences", "<#list 1..10000 as i><#if (1..10000)?seq_contains(0)></#if></#list>"),
    ("a long number format", "${1?string(''?left_pad(100000, '0'))}"),
    (
        "many number formats",
        "<#list 1..10000 as i>${i?string('0.0' + ''?left_pad(1000, \"'x'\") + i?c)}</#list>",
    ),
    (
        "a long date format",
        "<#list 1..10000 as i>${0?number_to_datetime?string(''?left_pad(10000, 'y-'))}</#list>",
    ),
    (
        "lambdas in lambdas",
        "${(1..10000)?map(x -> (1..10000)?map(y -> (1..10000)?size)?size)?size}${(1..10000)?filter(x -> (1..10000)?filter(y -> true)?size > 0)?size}",
    ),
    (
        "attempts that go on",
        "<#list 1..10000 as i><#attempt><#list 1..10000 as j><#assign x = 'a' + j></#list><#recover></#attempt></#list>",
    ),
    ("an attempt around the end", "<#attempt>${'x'?left_pad(1000000000)}<#recover>fine</#attempt>"),
    (
        "macros that multiply",
        "<#macro a><#list 1..10000 as i><#nested></#list></#macro><@a><@a><@a>x</@></@></@>",
    ),
    (
        "nested content in macros",
        "<#macro m><@n><#nested></@></#macro><#macro n><#list 1..1000 as i><#nested></#list></#macro><@m><@m><@m>x</@></@></@>",
    ),
    ("recursion", "<#macro m><@m/></#macro><@m/>"),
    ("recursion by another", "<#macro m><@n/></#macro><#macro n><@m/></#macro><@m/>"),
    ("recursion by a variable", "<#macro m><@x/></#macro><#assign x = m><@m/>"),
    (
        "recursion by a variable in its content",
        "<#macro m><@x><#nested></@></#macro><#assign x = m><@m>a</@>",
    ),
    ("eval", "${'1+1'?eval}"),
    ("interpret", "<@'x'?interpret/>"),
    ("new", "${'freemarker.template.utility.Execute'?new()('id')}"),
    ("include", "<#include '/etc/passwd'>"),
    (
        "truncate",
        "<#assign x = ''?left_pad(200000, 'a ')><#list 1..1000 as i><#assign y = x?truncate(150000)></#list>",
    ),
    ("compress", "<#compress><#list 1..10000 as i>${''?left_pad(1000)}</#list></#compress>"),
    (
        "a million assignments",
        "<#list 1..10000 as i><#list 1..100 as j><#assign x = i></#list></#list>",
    ),
];

fn attacks() -> Vec<(&'static str, String, String)> {
    let event = r#"{"s":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab","n":5,"a":[1,2,3]}"#.to_owned();
    let mut all: Vec<(&str, String, String)> = SIMPLE
        .iter()
        .map(|(name, template)| (*name, (*template).to_owned(), event.clone()))
        .collect();
    let made: &[(&str, String)] = &[
        ("10,000-fold +", format!("${{1{}}}", "+1".repeat(10_000))),
        ("a chain of members", format!("${{input{}}}", ".a".repeat(10_000))),
        ("a chain of built-ins", format!("${{'x'{}}}", "?trim".repeat(5_000))),
        ("a chain of defaults", format!("${{a{}}}", "!a".repeat(10_000))),
        ("defaults in defaults", format!("${{{}", "a!!(".repeat(60))),
        ("a chain of bangs", format!("${{a{}}}", "!".repeat(30_000))),
        ("32,000 bangs", format!("${{a{}}}", "!".repeat(32_000))),
        ("32,000 bangs before a name", format!("${{a{}a}}", "!".repeat(32_000))),
        (
            "many chains of bangs",
            format!("${{[{}]?size}}", format!("a{},", "!".repeat(54)).repeat(560)),
        ),
        ("a chain of nots", format!("${{({}true)?c}}", "!".repeat(20_000))),
        ("a chain of ands", format!("${{(true{})?c}}", "&&true".repeat(5_000))),
        ("brackets", format!("${{{}1{}}}", "(".repeat(10_000), ")".repeat(10_000))),
        ("brackets without an end", format!("${{{}", "(".repeat(30_000))),
        (
            "sequences in sequences",
            format!("${{{}{}?size}}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        ("hashes in hashes", format!("${{{}1{}?size}}", "{'a':".repeat(5_000), "}".repeat(5_000))),
        ("ifs in ifs", format!("{}x{}", "<#if true>".repeat(1_500), "</#if>".repeat(1_500))),
        ("ifs without an end", "<#if true>".repeat(3_000)),
        ("literals in literals", {
            let mut inner = "1".to_owned();
            for depth in 0..12 {
                inner = if depth % 2 == 0 {
                    format!("\"${{{inner}}}\"")
                } else {
                    format!("'${{{inner}}}'")
                };
            }
            format!("${{{}{inner}{}?foo}}", "(".repeat(60), ")".repeat(60))
        }),
        (
            "escapes in escapes",
            format!("{}${{1}}{}", "<#escape x as x+x>".repeat(40), "</#escape>".repeat(40)),
        ),
        ("a long template", "x".repeat(40_000)),
        ("a trim on each line", format!("{}${{input.nope}}", "<#t>\n".repeat(6_500))),
        ("trims on one line", format!("${{input.nope}}{}", "<#t>x ".repeat(5_000))),
        (
            "lists of a long template",
            format!("{}${{input.nope}}", "<#list 1..9 as i><#sep></#list>".repeat(900)),
        ),
        ("many macros", {
            let mut text = String::new();
            for at in 0..800 {
                write!(text, "<#macro m{at}><@m{}/></#macro>", (at + 1) % 800).unwrap();
            }
            text
        }),
    ];
    all.extend(made.iter().map(|(name, template)| (*name, template.clone(), event.clone())));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(500_000));
    let mut keys = String::new();
    for at in 0..90_000 {
        write!(keys, "\"k{at}\":1,").unwrap();
    }
    all.push(("a deep event", "x".to_owned(), deep));
    all.push(("a wide event", "x".to_owned(), wide));
    all.push((
        "many keys",
        "<#list 1..10000 as i>${input['k' + i?c]}${input?keys?size}</#list>".to_owned(),
        format!("{{{keys}\"z\":1}}"),
    ));
    all.push(("a large number", "${input.n + 1}".to_owned(), "{\"n\":1e999999999}".to_owned()));
    all.push((
        "a long number",
        "${input.n * input.n}".to_owned(),
        format!("{{\"n\":{}}}", "9".repeat(100_000)),
    ));
    all.push((
        "a long text",
        "<#list 1..1000 as i>${input.s?length}</#list>".to_owned(),
        format!("{{\"s\":\"{}\"}}", "é".repeat(400_000)),
    ));
    all.push((
        "escaping a long text",
        "${input.s?json_string}".to_owned(),
        format!("{{\"s\":\"{}\"}}", "\\u0001".repeat(150_000)),
    ));
    all
}

#[test]
fn every_attack_ends_in_an_error_within_its_bounds() {
    // Threads of the async runtime have 2 MiB of stack; half of that must do, without optimisation.
    let run = std::thread::Builder::new().stack_size(1024 * 1024).spawn(run_all).unwrap();
    run.join().unwrap();
}

fn run_all() {
    let mut survivors = Vec::new();
    let (mut most_memory, mut most_time) = ((0.0, ""), (0, ""));
    let attacks = attacks();
    for (name, template, event) in &attacks {
        let before = PEAK.current_usage_as_mb();
        PEAK.reset_peak_usage();
        let clock = stopwatch();
        let result =
            Template::compile(template).map_err(|error| error.to_string()).and_then(|template| {
                template.render_json(event.as_bytes()).map_err(|error| error.to_string())
            });
        let micros = clock();
        let memory = PEAK.peak_usage_as_mb() - before;
        if memory > most_memory.0 {
            most_memory = (memory, name);
        }
        if micros > most_time.0 {
            most_time = (micros, name);
        }
        assert!(memory < MEGABYTES, "{name} held {memory} MB");
        match result {
            Ok(_) => survivors.push(*name),
            Err(error) => println!("{name}: {micros} µs, {memory:.1} MB: {error:.120}"),
        }
    }
    println!(
        "{} attacks, fuel {MAX_FUEL}; most memory {most_memory:?} MB, most time {most_time:?} µs",
        attacks.len()
    );
    assert!(survivors.is_empty(), "these ended without an error: {survivors:?}");
}

#[expect(clippy::disallowed_methods, reason = "the time is printed, and decides nothing")]
fn stopwatch() -> impl Fn() -> u128 {
    let began = std::time::Instant::now();
    move || began.elapsed().as_micros()
}
