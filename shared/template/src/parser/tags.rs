//! Where text ends and a tag begins.

use super::{Parser, before};
use crate::{
    error::{Compiled, Pos},
    lexer::continues_name,
};

/// What stands at a place of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// `${`
    Output,
    /// `#{`
    Digits,
    /// `<#--`
    Comment,
    /// `<#name`
    Open(String),
    /// `</#name`
    Close(String),
    /// `<sep>`, which FreeMarker takes for `<#sep>`.
    BareSep,
    /// `<@`
    Call,
    /// `</@name>`, and its length.
    CloseCall(String, usize),
    End,
}

fn name(text: &str) -> &str {
    let length =
        text.len() - text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_').len();
    text.get(..length).unwrap_or_default()
}

/// What stands at the beginning of some text, if it is not text.
fn mark(rest: &str) -> Option<Mark> {
    if rest.starts_with("${") {
        return Some(Mark::Output);
    }
    if rest.starts_with("#{") {
        return Some(Mark::Digits);
    }
    if rest.starts_with("<#--") {
        return Some(Mark::Comment);
    }
    if let Some(after) = rest.strip_prefix("<#") {
        let name = name(after);
        return (!name.is_empty()).then(|| Mark::Open(name.to_owned()));
    }
    if let Some(after) = rest.strip_prefix("</#") {
        let name = name(after);
        return (!name.is_empty()).then(|| Mark::Close(name.to_owned()));
    }
    if rest.starts_with("<@") {
        return Some(Mark::Call);
    }
    if let Some(after) = rest.strip_prefix("<sep") {
        let closed = after.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(['>', ']']);
        return closed.then_some(Mark::BareSep);
    }
    let after = rest.strip_prefix("</@")?;
    let blank =
        after.trim_start_matches(|c| continues_name(c) || matches!(c, '.' | '\\' | '-' | ':'));
    let name = after.get(..after.len() - blank.len()).unwrap_or_default();
    let end = blank.trim_start_matches([' ', '\t', '\n', '\r']);
    end.starts_with('>').then(|| Mark::CloseCall(name.to_owned(), rest.len() - end.len() + 1))
}

impl Parser<'_> {
    /// What stands here; the text before it is taken first.
    pub(super) fn mark(&self) -> Mark {
        let rest = self.lexer.rest();
        if rest.is_empty() { Mark::End } else { mark(rest).unwrap_or(Mark::End) }
    }

    /// Takes the text up to the next tag, if there is any.
    pub(super) fn text(&mut self) -> Option<String> {
        let rest = self.lexer.rest();
        let mut length = rest.len();
        for (at, _) in rest.match_indices(['$', '#', '<']) {
            if rest.get(at..).and_then(mark).is_some() {
                length = at;
                break;
            }
        }
        if length == 0 {
            return None;
        }
        let text = rest.get(..length).unwrap_or_default().to_owned();
        self.end = self.lexer.skip(length);
        Some(text)
    }

    /// Goes past `<#name` and the white space that must follow.
    pub(super) fn open_with_expression(&mut self, name: &str) -> Compiled<()> {
        let pos = self.lexer.pos();
        self.lexer.skip("<#".len() + name.len());
        self.lexer.brackets = 0;
        self.lexer.naming = false;
        if self.lexer.rest().starts_with([' ', '\t', '\n', '\r']) {
            return Ok(());
        }
        Err(pos.refuse(format!("#{name} needs white space and an expression after its name")))
    }

    /// Goes past `<#name>`, or past `<#name/>` where that is allowed.
    pub(super) fn open_alone(&mut self, name: &str, slash: bool) -> Compiled<()> {
        let pos = self.lexer.pos();
        self.lexer.skip("<#".len() + name.len());
        self.alone(pos, name, slash)
    }

    fn alone(&mut self, pos: Pos, name: &str, slash: bool) -> Compiled<()> {
        let rest = self.lexer.rest();
        let after = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let after = if slash { after.strip_prefix('/').unwrap_or(after) } else { after };
        if !after.starts_with('>') {
            return Err(pos.refuse(format!("`>` is expected after #{name}; it takes nothing here")));
        }
        self.end = self.lexer.skip(rest.len() - after.len() + 1);
        Ok(())
    }

    /// Goes past `</#name>`, or says which tag has no end.
    pub(super) fn close(&mut self, name: &str, opened: Pos) -> Compiled<()> {
        let pos = self.lexer.pos();
        match self.mark() {
            Mark::Close(found) if found == name => {
                self.lexer.skip("</#".len() + name.len());
                self.alone(pos, name, false)
            }
            Mark::End => Err(opened.refuse(format!("#{name} has no </#{name}>"))),
            other => Err(pos.refuse(format!(
                "</#{name}> is expected here for line {}, column {}, not {}",
                opened.line,
                opened.column,
                written(&other)
            ))),
        }
    }

    /// Goes past a comment or `#noparse`, to what comes after `end`; the text in between.
    pub(super) fn unparsed(&mut self, end: &str) -> Option<String> {
        let rest = self.lexer.rest();
        let at = rest.find(end)?;
        let text = rest.get(..at).unwrap_or_default().to_owned();
        self.end = self.lexer.skip(at + end.len());
        Some(text)
    }

    /// The place of the character just read.
    pub(super) fn last(&self) -> Pos {
        before(self.lexer.pos())
    }
}

/// A tag, for messages.
pub(super) fn written(mark: &Mark) -> String {
    match mark {
        Mark::Output => "`${`".to_owned(),
        Mark::Digits => "`#{`".to_owned(),
        Mark::Comment => "a comment".to_owned(),
        Mark::Open(name) => format!("<#{name}>"),
        Mark::Close(name) => format!("</#{name}>"),
        Mark::BareSep => "<sep>".to_owned(),
        Mark::Call => "<@…>".to_owned(),
        Mark::CloseCall(name, _) => format!("</@{name}>"),
        Mark::End => "the end of the template".to_owned(),
    }
}
