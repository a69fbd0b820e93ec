//! What is left of a text.

use super::{Kind, Tree};
use crate::{error::Compiled, text::is_space};

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r')
}

fn is_blank(text: &[char]) -> bool {
    text.iter().all(|character| *character <= ' ')
}

/// Just after the first line break of a text, if it has one.
fn after_first_break(text: &[char]) -> Option<usize> {
    let at = text.iter().position(|character| is_break(*character))?;
    let two = text.get(at) == Some(&'\r') && text.get(at + 1) == Some(&'\n');
    Some(at + if two { 2 } else { 1 })
}

/// Just after the last line break of a text, if it has one.
fn after_last_break(text: &[char]) -> Option<usize> {
    text.iter().rposition(|character| is_break(*character)).map(|at| at + 1)
}

impl Tree {
    pub(super) fn clean_text(&mut self, id: usize, strip: bool) -> Compiled<()> {
        if self.node(id).is_none_or(|node| node.text.is_empty()) {
            return Ok(());
        }
        let left = self.deliberate_left(id)?;
        let right = self.deliberate_right(id)?;
        if !strip || self.node(id).is_none_or(|node| node.text.is_empty()) {
            return Ok(());
        }
        if self.at_top(id) && self.previous_sibling(id).is_none() {
            return Ok(());
        }
        let trailing = if left { 0 } else { self.trailing(id)? };
        let opening = if right { 0 } else { self.opening(id)? };
        if let Some(node) = self.nodes.get_mut(id) {
            let to = node.text.len().saturating_sub(trailing);
            node.text = node.text.get(opening.min(to)..to).unwrap_or_default().to_vec();
            if opening > 0 {
                node.begin.line += 1;
                node.begin.column = 1;
            }
        }
        Ok(())
    }

    fn line_after(&mut self, id: usize) -> Compiled<Vec<usize>> {
        let Some(line) = self.node(id).map(|node| node.end.line) else { return Ok(Vec::new()) };
        let mut list = Vec::new();
        let mut at = self.next_leaf(id)?;
        while let Some(leaf) = at
            && self.node(leaf).is_some_and(|node| node.begin.line == line)
        {
            list.push(leaf);
            at = self.next_leaf(leaf)?;
        }
        Ok(list)
    }

    fn line_before(&mut self, id: usize) -> Compiled<Vec<usize>> {
        let Some(line) = self.node(id).map(|node| node.begin.line) else { return Ok(Vec::new()) };
        let mut list = Vec::new();
        let mut at = self.previous_leaf(id)?;
        while let Some(leaf) = at
            && self.node(leaf).is_some_and(|node| node.end.line == line)
        {
            list.push(leaf);
            at = self.previous_leaf(leaf)?;
        }
        Ok(list)
    }

    /// `#t`, `#lt` or `#nt` later on the line: what they do to this text's last line.
    fn deliberate_left(&mut self, id: usize) -> Compiled<bool> {
        let mut found = false;
        for leaf in self.line_after(id)? {
            let Some(Kind::Trim { left, right }) = self.node(leaf).map(|node| node.kind) else {
                continue;
            };
            found |= left || !right;
            if !left {
                continue;
            }
            let Some(node) = self.nodes.get_mut(id) else { continue };
            let last = after_last_break(&node.text);
            if last.is_none() && node.begin.column != 1 {
                continue;
            }
            let from = last.unwrap_or(0);
            let line = node.text.get(from..).unwrap_or_default();
            let blank = if is_blank(line) {
                line.len()
            } else {
                line.iter().take_while(|character| is_space(**character)).count()
            };
            node.text.drain(from..from + blank);
        }
        Ok(found)
    }

    /// `#t`, `#rt` or `#nt` earlier on the line: what they do to this text's first line.
    fn deliberate_right(&mut self, id: usize) -> Compiled<bool> {
        let mut found = false;
        for leaf in self.line_before(id)? {
            let Some(Kind::Trim { left, right }) = self.node(leaf).map(|node| node.kind) else {
                continue;
            };
            found |= right || !left;
            if !right {
                continue;
            }
            let Some(node) = self.node(id) else { continue };
            let Some(first) = after_first_break(&node.text) else { return Ok(false) };
            let opening: Vec<char> = node.text.get(..first).unwrap_or_default().to_vec();
            let mut rest: Vec<char> = node.text.get(first..).unwrap_or_default().to_vec();
            if is_blank(&opening) {
                if let Some(node) = self.nodes.get_mut(id) {
                    node.text = rest;
                    node.begin.line += 1;
                    node.begin.column = 1;
                }
                // The text begins on the next line now, on which nothing stands before it.
                return Ok(true);
            }
            let printed =
                opening.iter().rposition(|character| !is_space(*character)).map_or(0, |at| at + 1);
            if is_blank(&rest) && self.rest_is_trimmed(id)? {
                rest.clear();
            }
            if let Some(node) = self.nodes.get_mut(id) {
                node.text = opening.get(..printed).unwrap_or_default().to_vec();
                node.text.extend(rest);
            }
        }
        Ok(found)
    }

    fn rest_is_trimmed(&mut self, id: usize) -> Compiled<bool> {
        let mut trimmed = true;
        for leaf in self.line_after(id)? {
            if self.heeds_after(leaf) {
                trimmed = false;
            }
            if matches!(self.node(leaf).map(|node| node.kind), Some(Kind::Trim { left: true, .. }))
            {
                return Ok(true);
            }
        }
        Ok(trimmed)
    }

    /// Characters to strip at the beginning: the rest of a line that holds directives only.
    fn opening(&mut self, id: usize) -> Compiled<usize> {
        let Some(node) = self.node(id) else { return Ok(0) };
        let first = after_first_break(&node.text);
        if first.is_none() && node.begin.column != 1 {
            return Ok(0);
        }
        let length = first.unwrap_or(0);
        if !is_blank(node.text.get(..length).unwrap_or_default()) {
            return Ok(0);
        }
        let line = node.begin.line;
        let mut at = self.previous_leaf(id)?;
        while let Some(leaf) = at
            && self.node(leaf).is_some_and(|node| node.end.line == line)
        {
            if self.heeds_after(leaf) {
                return Ok(0);
            }
            at = self.previous_leaf(leaf)?;
        }
        Ok(length)
    }

    /// Characters to strip at the end: the indentation of a line that holds directives only.
    fn trailing(&mut self, id: usize) -> Compiled<usize> {
        let Some(node) = self.node(id) else { return Ok(0) };
        let last = after_last_break(&node.text);
        if last.is_none() && node.begin.column != 1 {
            return Ok(0);
        }
        let indentation = node.text.get(last.unwrap_or(0)..).unwrap_or_default();
        if !is_blank(indentation) {
            return Ok(0);
        }
        let length = indentation.len();
        let line = node.end.line;
        let mut at = self.next_leaf(id)?;
        while let Some(leaf) = at
            && self.node(leaf).is_some_and(|node| node.begin.line == line)
        {
            if self.heeds_before(leaf) {
                return Ok(0);
            }
            at = self.next_leaf(leaf)?;
        }
        Ok(length)
    }
}
