//! What the real FreeMarker made of 390 templates, and what this makes of them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the counts are for whoever runs this"
)]

use std::collections::BTreeMap;

use flagpost_template::Template;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Case<'a> {
    name: String,
    template: String,
    #[serde(borrow)]
    input: &'a RawValue,
    expected: Option<String>,
    expected_error: Option<String>,
    expected_parse_error: Option<String>,
}

/// Cases where this gives a clear error and FreeMarker an output, each with what the error must say.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "date_setting",
        "time_zone",
        "time zones are fixed offsets: rules of daylight saving change with the machine",
    ),
    ("eval", "?eval", "text is never run as a template"),
    ("interpret", "?interpret", "text is never run as a template"),
    ("function_json", "#function", "a macro or an assignment does it"),
    ("num_locale_de", "locale", "payloads are for programs: en_US is the only locale"),
    ("outputformat", "#outputformat", "escaping is asked for, by ?json_string, ?html or #escape"),
];

fn render(case: &Case<'_>) -> Result<String, String> {
    let template = Template::compile(&case.template).map_err(|error| error.to_string())?;
    template.render_json(case.input.get().as_bytes()).map_err(|error| error.to_string())
}

/// Checks every case; how many are the same byte for byte, errors on both sides, and exceptions.
fn check(file: &str, text: &str) -> (usize, usize, usize) {
    let (mut same, mut errors, mut excepted) = (0, 0, 0);
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let case: Case<'_> = serde_json::from_str(line).unwrap();
        let exception = EXCEPTIONS.iter().find(|(name, ..)| *name == case.name);
        let error = case.expected_error.as_ref().or(case.expected_parse_error.as_ref());
        let got = render(&case);
        match (&case.expected, error, &got) {
            (Some(expected), None, Ok(got)) if expected == got && exception.is_none() => same += 1,
            (None, Some(_), Err(_)) => errors += 1,
            (Some(_), None, Err(error))
                if exception.is_some_and(|(_, says, _)| error.contains(says)) =>
            {
                excepted += 1;
            }
            _ => {
                wrong.insert(
                    case.name.clone(),
                    format!("wanted {:?}{error:?}\n   got {got:?}", case.expected),
                );
            }
        }
    }
    println!(
        "{file}: {same} byte for byte, {errors} errors on both sides, {excepted} exceptions, {} wrong",
        wrong.len()
    );
    for (name, what) in &wrong {
        println!("{name}:\n{what}");
    }
    assert!(wrong.is_empty(), "{} cases differ", wrong.len());
    (same, errors, excepted)
}

#[test]
fn the_corpus_renders_as_freemarker_renders_it() {
    // 76 outputs, of which the six exceptions are outside of the subset, and 14 errors.
    assert_eq!(check("corpus", include_str!("fixtures/corpus.jsonl")), (70, 14, EXCEPTIONS.len()));
}

#[test]
fn generated_templates_render_as_freemarker_renders_them() {
    assert_eq!(check("generated", include_str!("fixtures/generated.jsonl")), (154, 146, 0));
}
