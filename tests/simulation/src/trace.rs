//! What happened, line by line, and the part of it that matters to one event.

use std::fmt::Write;

/// What a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Number of an integration.
    pub integration: Option<u32>,
    /// Numbers of events; empty where they do not matter.
    pub events: Vec<u32>,
}

/// Lines, if anybody wants them.
#[derive(Debug, Default)]
pub struct Trace {
    on: bool,
    start: i64,
    lines: Vec<(i64, About, String)>,
}

impl Trace {
    /// A trace whose clock begins at `start`; one that is off keeps nothing.
    pub fn new(on: bool, start: i64) -> Self {
        Self { on, start, lines: Vec::new() }
    }

    /// Whether anybody wants it: what a line costs need not be spent otherwise.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Notes a line.
    pub fn note(&mut self, now: i64, about: About, text: impl FnOnce() -> String) {
        if self.on {
            self.lines.push((now - self.start, about, text()));
        }
    }

    /// All of it.
    pub fn whole(&self) -> String {
        self.select(|_| true)
    }

    /// What concerns these: lines about another integration, or about other events only, are left
    /// out.
    pub fn about(&self, wanted: &About) -> String {
        self.select(|about| {
            let integration = about.integration.is_none()
                || wanted.integration.is_none()
                || about.integration == wanted.integration;
            let events = about.events.is_empty()
                || wanted.events.is_empty()
                || about.events.iter().any(|event| wanted.events.contains(event));
            integration && events
        })
    }

    fn select(&self, wanted: impl Fn(&About) -> bool) -> String {
        let mut text = String::new();
        for (at, _, line) in self.lines.iter().filter(|(_, about, _)| wanted(about)) {
            let (seconds, millis) = (at.div_euclid(1_000), at.rem_euclid(1_000));
            // Writing to a string does not fail.
            let _ = writeln!(text, "{seconds:>7}.{millis:03} {line}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_it_is_what_concerns_an_event() {
        let mut trace = Trace::new(true, 1_000);
        let about = |integration, events: &[u32]| About { integration, events: events.to_vec() };
        trace.note(1_500, about(Some(1), &[7]), || "one".to_owned());
        trace.note(2_000, about(Some(2), &[7]), || "two".to_owned());
        trace.note(3_000, about(Some(1), &[8]), || "three".to_owned());
        trace.note(4_000, About::default(), || "four".to_owned());
        assert_eq!(trace.about(&about(Some(1), &[7])), "      0.500 one\n      3.000 four\n");
        assert_eq!(trace.whole().lines().count(), 4);
    }
}
