//! Who stands beside whom.

use super::{Kind, MAX_STEPS, Node, Tree};
use crate::error::{Compiled, Pos};

impl Tree {
    pub(super) fn node(&self, id: usize) -> Option<&Node> {
        self.nodes.get(id)
    }

    fn sibling(&self, id: usize, step: isize) -> Option<usize> {
        let node = self.node(id)?;
        let siblings = &self.node(node.parent?)?.children;
        siblings.get(node.index.checked_add_signed(step)?).copied()
    }

    pub(super) fn previous_sibling(&self, id: usize) -> Option<usize> {
        self.sibling(id, -1)
    }

    pub(super) fn next_sibling(&self, id: usize) -> Option<usize> {
        self.sibling(id, 1)
    }

    /// The last part without children before this one, in order of the template.
    pub(super) fn previous_leaf(&mut self, id: usize) -> Compiled<Option<usize>> {
        self.leaf(id, -1)
    }

    pub(super) fn next_leaf(&mut self, id: usize) -> Compiled<Option<usize>> {
        self.leaf(id, 1)
    }

    fn leaf(&mut self, id: usize, step: isize) -> Compiled<Option<usize>> {
        let mut at = id;
        let mut found = loop {
            self.step(id)?;
            if let Some(sibling) = self.sibling(at, step) {
                break sibling;
            }
            match self.node(at).and_then(|node| node.parent) {
                Some(parent) => at = parent,
                None => return Ok(None),
            }
        };
        loop {
            self.step(id)?;
            let Some(node) = self.node(found) else { return Ok(None) };
            let child = if step < 0 { node.children.last() } else { node.children.first() };
            match child {
                // A macro and a captured block stand for themselves.
                Some(child) if !matches!(node.kind, Kind::Macro | Kind::Captured) => found = *child,
                _ => return Ok(Some(found)),
            }
        }
    }

    fn step(&mut self, id: usize) -> Compiled<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            let pos = self.node(id).map_or(Pos::START, |node| node.begin);
            return Err(pos.refuse("too many directives stand on one line; break it"));
        }
        Ok(())
    }

    /// Whether this stands directly in a template of several parts.
    pub(super) fn at_top(&self, id: usize) -> bool {
        match self.node(id).and_then(|node| node.parent) {
            None => true,
            Some(parent) => self
                .node(parent)
                .is_some_and(|node| node.kind == Kind::Mixed && node.parent.is_none()),
        }
    }

    fn quiet(&self, id: Option<usize>) -> bool {
        id.and_then(|id| self.node(id))
            .is_some_and(|node| matches!(node.kind, Kind::Quiet | Kind::Macro | Kind::Comment))
    }

    /// Whether nothing is left of a part that stands between these two.
    pub(super) fn ignorable(&self, id: usize, strip: bool, beside: [Option<usize>; 2]) -> bool {
        let Some(node) = self.node(id) else { return false };
        match node.kind {
            Kind::Trim { .. } => true,
            Kind::Text => self.ignorable_text(id, strip, beside),
            _ => false,
        }
    }

    fn ignorable_text(&self, id: usize, strip: bool, beside: [Option<usize>; 2]) -> bool {
        let Some(node) = self.node(id) else { return false };
        if node.text.is_empty() {
            return true;
        }
        if !strip || node.text.iter().any(|character| *character > ' ') {
            return false;
        }
        let top = self.at_top(id);
        let [previous, next] = beside;
        ((previous.is_none() && top) || self.quiet(previous))
            && ((next.is_none() && top) || self.quiet(next))
    }

    /// Whether white space before this, on its line, is printed.
    pub(super) fn heeds_before(&self, id: usize) -> bool {
        self.heeds(id, |text| text.iter().find(|character| decides(**character)).copied())
    }

    /// Whether white space after this, on its line, is printed.
    pub(super) fn heeds_after(&self, id: usize) -> bool {
        self.heeds(id, |text| text.iter().rev().find(|character| decides(**character)).copied())
    }

    fn heeds(&self, id: usize, nearest: impl Fn(&[char]) -> Option<char>) -> bool {
        let Some(node) = self.node(id) else { return false };
        match node.kind {
            Kind::Output => true,
            Kind::Text => {
                let beside = [self.previous_sibling(id), self.next_sibling(id)];
                !self.ignorable_text(id, true, beside)
                    && !matches!(nearest(&node.text), Some('\n' | '\r'))
            }
            _ => false,
        }
    }
}

/// A line break, or something printed.
fn decides(character: char) -> bool {
    matches!(character, '\n' | '\r') || !crate::text::is_space(character)
}
