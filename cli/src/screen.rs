//! Everything that is shown goes through here: lines, tables, JSON, notes and faults.
//!
//! What came over the network is not trusted: control characters, which can repaint a terminal, are shown as escapes.
//! Payloads and JSON that go to a file or another program are left as they are.
//! The admin key is replaced wherever it should turn up.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use crate::fault::Fault;

/// A shorter key is left alone: replacing it would mangle what has nothing to do with it.
const SHORTEST_HIDDEN: usize = 8;

/// Where a command writes.
#[derive(Debug)]
pub(crate) struct Screen {
    json: bool,
    hidden: Option<String>,
    /// Whether the result is seen by a person.
    terminal: bool,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, hidden: None, terminal: io::stdout().is_terminal() }
    }

    /// Never shows this.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.hidden = (secret.len() >= SHORTEST_HIDDEN).then(|| secret.to_owned());
    }

    /// Whether JSON was asked for.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Text, in lines as it has them.
    pub(crate) fn text(&self, text: &str) -> Result<(), Fault> {
        write(&self.clean(text))
    }

    /// What was stored, sent or answered: on a terminal like any text, otherwise byte for byte.
    pub(crate) fn payload(&self, text: &str) -> Result<(), Fault> {
        write(&self.as_it_came(text))
    }

    fn as_it_came(&self, text: &str) -> String {
        if self.terminal { self.clean(text) } else { self.without_key(text) }
    }

    /// A document, over several lines; what it has from an answer is in the answer's own words.
    pub(crate) fn document(&self, document: &impl Serialize) -> Result<(), Fault> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|error| Fault::Failed(error.to_string()))?;
        self.payload(&text)
    }

    /// Rows under their headings; columns of numbers are flush right.
    pub(crate) fn table(&self, headings: &[&str], rows: &[Vec<String>]) -> Result<(), Fault> {
        self.text(&layout(headings, rows))
    }

    /// Something beside the result, for the person and not for a pipe.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", self.clean(text));
    }

    /// Asks, and takes anything but `y` or `yes` for no.
    pub(crate) fn ask(&self, question: &str) -> bool {
        let mut error = io::stderr().lock();
        let _ = write!(error, "{} [y/N] ", self.clean(question));
        let _ = error.flush();
        matches!(crate::surroundings::line().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Whether a progress bar has somebody to see it.
    pub(crate) fn can_draw(&self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Tells a fault, and gives the exit status.
    pub(crate) fn end(&self, outcome: Result<(), Fault>) -> u8 {
        let Err(fault) = outcome else { return 0 };
        match &fault {
            Fault::Closed => {}
            fault if self.json => self.note(&format!("{:#}", fault.document())),
            fault => self.note(&format!("flagpost: {fault}")),
        }
        fault.status()
    }

    /// Bytes as they are: a completion script.
    pub(crate) fn raw(bytes: &[u8]) -> u8 {
        let mut out = io::stdout().lock();
        u8::from(
            out.write_all(bytes)
                .and_then(|()| out.flush())
                .is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe),
        )
    }

    fn without_key(&self, text: &str) -> String {
        match &self.hidden {
            Some(secret) => text.replace(secret, "[the admin key]"),
            None => text.to_owned(),
        }
    }

    fn clean(&self, text: &str) -> String {
        let text = self.without_key(text);
        let mut clean = String::with_capacity(text.len());
        for letter in text.chars() {
            // Also what turns the direction of text around, and so can make it read as something else.
            let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if turns || letter.is_control() && letter != '\n' && letter != '\t' {
                let _ = write!(clean, "\\u{:04x}", u32::from(letter));
            } else {
                clean.push(letter);
            }
        }
        clean
    }
}

fn write(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| closed(&error))
}

fn closed(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Fault::Closed,
        _ => Fault::Failed(format!("cannot write: {error}")),
    }
}

fn layout(headings: &[&str], rows: &[Vec<String>]) -> String {
    // One cell stays on one line.
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.replace(['\n', '\t'], " ")).collect())
        .collect();
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let columns: Vec<(usize, bool)> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let width = cells(column)
                .map(|cell| cell.chars().count())
                .chain([heading.chars().count()])
                .max();
            let number = |cell: &String| {
                let digits = cell.strip_prefix('-').unwrap_or(cell);
                digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
            };
            (width.unwrap_or_default(), cells(column).all(number))
        })
        .collect();
    let line = |row: &[&str]| {
        let mut line = String::new();
        for (cell, (width, number)) in row.iter().zip(&columns) {
            let _ = if *number {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(headings)];
    lines.extend(rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>())));
    lines.join("\n")
}

/// A count with its thousands set apart.
pub(crate) fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}

/// A count with what is counted: `1 event`, `5,400 events`.
pub(crate) fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_and_control_characters_are_not_shown() {
        let mut screen = Screen::new(false);
        screen.hide("sesame-open");
        assert_eq!(screen.clean("a sesame-open b"), "a [the admin key] b");
        assert_eq!(
            screen.clean("\u{1b}[2Jx\r\u{9b}\u{61c}\u{202e}\ty\n"),
            "\\u001b[2Jx\\u000d\\u009b\\u061c\\u202e\ty\n"
        );
        screen.hide("a");
        assert_eq!(screen.clean("banana"), "banana");
    }

    #[test]
    fn payloads_are_escaped_for_a_person_alone() {
        let mut screen = Screen { terminal: true, ..Screen::new(false) };
        screen.hide("sesame-open");
        let payload = "\u{1b}sesame-open\u{202e}";
        assert_eq!(screen.as_it_came(payload), "\\u001b[the admin key]\\u202e");
        screen.terminal = false;
        assert_eq!(screen.as_it_came(payload), "\u{1b}[the admin key]\u{202e}");
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [
            vec!["Warehouse".to_owned(), "1,200".to_owned()],
            vec!["a\nb".to_owned(), "7".to_owned()],
        ];
        assert_eq!(
            layout(&["NAME", "EVENTS"], &rows),
            "NAME       EVENTS\nWarehouse   1,200\na b             7"
        );
        assert_eq!(layout(&["NAME"], &[]), "NAME");
    }

    #[test]
    fn counts_are_grouped() {
        for (count, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")]
        {
            assert_eq!(grouped(count), expected);
        }
        assert_eq!(counted(1, "event", "events"), "1 event");
        assert_eq!(counted(5_400, "event", "events"), "5,400 events");
    }
}
