//! Every example of `docs/filters.md` does what the page says.
#![cfg(test)]

use flagpost_filter::{Filter, MAX_BYTES, MAX_DEPTH, MAX_LEAVES, StatsigCategories};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/filters.md");

/// The fenced blocks: what follows `json` on the fence, and the text within.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = vec![];
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```json") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind.trim(), text.join("\n")));
        }
    }
    blocks
}

/// The rows of the table whose head starts like this, as cells.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let rows = PAGE
        .lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands in backticks in a cell, one after the other.
fn quoted(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn compile(pattern: &Value) -> Filter {
    Filter::compile(pattern).unwrap_or_else(|error| panic!("{error}: {pattern}"))
}

#[test]
fn blocks_of_patterns_and_events() {
    let mut filter = None;
    let mut counts = [0; 3];
    for (kind, text) in blocks() {
        let matches = match kind {
            "filter" => {
                filter = Some(compile(&json(&text)));
                counts[0] += 1;
                continue;
            }
            "matches" => true,
            "does-not-match" => false,
            "statsig" | "is" => continue,
            other => panic!("{other:?} means nothing here"),
        };
        for event in text.lines() {
            let filter = filter.as_ref().expect("a filter before the events");
            assert_eq!(filter.matches(event.as_bytes()).unwrap(), matches, "{event}");
            counts[1 + usize::from(matches)] += 1;
        }
    }
    assert!(counts[0] >= 7 && counts[1] >= 10 && counts[2] >= 9, "{counts:?}");
}

#[test]
fn table_of_operators() {
    let rows = table("| | value in the list |");
    assert!(rows.len() >= 25, "{}", rows.len());
    for row in rows {
        let [_, value, matching, others] = row[..] else { panic!("{row:?}") };
        let filter = compile(&json(&format!(r#"{{"x": [{}]}}"#, quoted(value)[0])));
        for (cell, matches) in [(matching, true), (others, false)] {
            assert!(!quoted(cell).is_empty(), "{row:?}");
            for found in quoted(cell) {
                let event = format!(r#"{{"x": {found}}}"#);
                assert_eq!(filter.matches(event.as_bytes()).unwrap(), matches, "{value} {event}");
            }
        }
    }
}

#[test]
fn table_of_errors() {
    let rows = table("| pattern | place |");
    assert!(rows.len() >= 9, "{}", rows.len());
    for row in rows {
        let [pattern, place, detail] = row[..] else { panic!("{row:?}") };
        let error = Filter::compile(&json(quoted(pattern)[0])).expect_err(pattern);
        assert_eq!((error.path.as_str(), error.detail.as_str()), (quoted(place)[0], detail));
    }
}

#[test]
fn statsig_categories_and_their_patterns() {
    let blocks = blocks();
    let pairs: Vec<_> = blocks.windows(2).filter(|pair| pair[0].0 == "statsig").collect();
    assert_eq!(pairs.len(), 2);
    for pair in pairs {
        let categories: StatsigCategories = serde_json::from_str(&pair[0].1).unwrap();
        assert_eq!(pair[1].0, "is");
        assert_eq!(categories.pattern(), json(&pair[1].1));
        compile(&categories.pattern());
    }
}

#[test]
fn table_of_bounds() {
    let bounds: Vec<&str> = table("| | at most |").iter().map(|row| row[1]).collect();
    assert_eq!(
        bounds,
        [MAX_DEPTH.to_string(), MAX_LEAVES.to_string(), format!("{MAX_BYTES} bytes")]
    );
}
