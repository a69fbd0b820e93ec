//! The tables of `docs/templates.md` are those of the code, and its examples do what it says.

#![expect(clippy::unwrap_used, reason = "what is broken is to be seen")]

use std::fmt::Write as _;

use flagpost_template::{
    DIRECTIVES, MAX_ALLOCATED, MAX_CALLS, MAX_DIGITS, MAX_EVENT, MAX_EVENT_DEPTH, MAX_EVENT_VALUES,
    MAX_FUEL, MAX_ITEMS, MAX_NESTING, MAX_NODES, MAX_OUTPUT, MAX_SOURCE, SETTINGS, Template,
    builtins,
};

const PAGE: &str = include_str!("../../../docs/templates.md");

/// What stands between `<!-- name -->` and `<!-- /name -->`.
fn section(name: &str) -> &'static str {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    PAGE.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).unwrap().0
}

#[test]
fn the_table_of_directives_is_that_of_the_code() {
    let mut table = String::from("| directive | written | what it does |\n|---|---|---|\n");
    for (name, written, summary) in DIRECTIVES {
        writeln!(table, "| `#{name}` | `{written}` | {summary} |").unwrap();
    }
    assert_eq!(section("directives"), table, "the table should be:\n{table}");
}

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let mut table = String::from("| setting | values |\n|---|---|\n");
    for (name, values) in SETTINGS {
        writeln!(table, "| `{name}` | {values} |").unwrap();
    }
    assert_eq!(section("settings"), table, "the table should be:\n{table}");
}

#[test]
fn the_table_of_built_ins_is_that_of_the_code() {
    let mut table = String::from("| built-in | of | arguments | gives |\n|---|---|---|---|\n");
    for one in builtins() {
        writeln!(
            table,
            "| `?{}` | {} | {} | {} |",
            one.name, one.group, one.arguments, one.summary
        )
        .unwrap();
    }
    assert_eq!(section("built-ins"), table, "the table should be:\n{table}");
    assert!(builtins().count() >= 60);
}

#[test]
fn the_table_of_budgets_is_that_of_the_code() {
    let mut table = String::from("| bound | most |\n|---|---|\n");
    for (what, most) in [
        ("source of a template, bytes", MAX_SOURCE),
        (
            "nesting of directives, expressions and made values; each operator of a chain is a level",
            MAX_NESTING,
        ),
        ("expressions and directives, with those of `#escape`", MAX_NODES),
        ("output, and any one text, bytes", MAX_OUTPUT),
        ("items of a sequence, hash, range or list", MAX_ITEMS),
        (
            "fuel: one for each node evaluated and for every 16 bytes read or written",
            usize::try_from(MAX_FUEL).unwrap(),
        ),
        ("bytes allocated for values, in all", MAX_ALLOCATED),
        ("macro calls within each other", MAX_CALLS),
        ("digits of a number, and its exponent", MAX_DIGITS),
        ("event, bytes", MAX_EVENT),
        ("levels of an event", MAX_EVENT_DEPTH),
        ("values of an event", MAX_EVENT_VALUES),
    ] {
        writeln!(table, "| {what} | {most} |").unwrap();
    }
    assert_eq!(section("budgets"), table, "the table should be:\n{table}");
}

#[test]
fn the_examples_render_as_the_page_says() {
    let event = fenced("event");
    let mut examples = 0;
    for part in PAGE.split("```ftl\n").skip(1) {
        let (template, rest) = part.split_once("```").unwrap();
        let (_, rest) = rest.split_once("```text\n").unwrap();
        let (wanted, _) = rest.split_once("```").unwrap();
        let got = Template::compile(template.trim_end())
            .map_err(|error| error.to_string())
            .and_then(|compiled| {
                compiled.render_json(event.as_bytes()).map_err(|error| error.to_string())
            });
        assert_eq!(
            got.unwrap_or_else(|error| error).trim_end(),
            wanted.trim_end(),
            "of {template}"
        );
        examples += 1;
    }
    assert!(examples >= 5);
}

fn fenced(name: &str) -> &'static str {
    section(name).trim().trim_start_matches("```json").trim_end_matches("```")
}
