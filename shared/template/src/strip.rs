//! White-space stripping, as FreeMarker's `TextBlock` does it after parsing.
//!
//! A line that holds only directives and white space is not printed; `#t`, `#lt`, `#rt` and `#nt` ask for more or less.
//! FreeMarker walks its tree of parts, looking at the neighbours of a text on the same line. Here the tree is copied
//! into a flat list of nodes, of which a part knows its place, and what is left of each text is copied back.

use std::sync::Arc;

use crate::{
    ast::{Block, Branch, Element, ElementKind, Macro},
    error::{Compiled, Pos},
    parser::Parsed,
};

/// Steps that looking at neighbours may take. Only thousands of parts on one line need more.
const MAX_STEPS: usize = 2_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Output,
    Trim {
        left: bool,
        right: bool,
    },
    Comment,
    /// Prints nothing itself: an assignment, a setting.
    Quiet,
    /// A macro: quiet, and its inside is not on the line.
    Macro,
    /// A block that is captured: its inside is not on the line.
    Captured,
    /// Several parts at the top.
    Mixed,
    Other,
}

struct Node {
    kind: Kind,
    parent: Option<usize>,
    /// The place among the parent's children.
    index: usize,
    children: Vec<usize>,
    begin: Pos,
    end: Pos,
    text: Vec<char>,
}

struct Tree {
    nodes: Vec<Node>,
    steps: usize,
}

/// Strips what a template prints of white space around its directives.
pub(crate) fn strip(parsed: Parsed) -> Compiled<(Block, Vec<Arc<Macro>>)> {
    let Parsed { mut root, macros, strip } = parsed;
    let mut tree = Tree { nodes: Vec::new(), steps: 0 };
    if root.len() == 1 {
        tree.add_all(&root, None);
    } else {
        let top = tree.add(Kind::Mixed, None, Pos::START, Pos::START);
        tree.add_all(&root, Some(top));
    }
    tree.clean(0, strip)?;
    let mut texts = tree.nodes.into_iter();
    let mut made = Vec::new();
    if root.len() != 1 {
        texts.next();
    }
    put_back(&mut root, &mut texts, &mut made);
    // The macros were made anew with their stripped bodies, in the same order.
    debug_assert_eq!(made.len(), macros.len(), "each macro is copied once");
    Ok((root, made))
}

impl Tree {
    fn add(&mut self, kind: Kind, parent: Option<usize>, begin: Pos, end: Pos) -> usize {
        let id = self.nodes.len();
        let index =
            parent.and_then(|parent| self.nodes.get(parent)).map_or(0, |node| node.children.len());
        self.nodes.push(Node {
            kind,
            parent,
            index,
            children: Vec::new(),
            begin,
            end,
            text: Vec::new(),
        });
        if let Some(node) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            node.children.push(id);
        }
        id
    }

    fn add_all(&mut self, block: &[Element], parent: Option<usize>) {
        for element in block {
            self.add_element(element, parent);
        }
    }

    fn add_branch(&mut self, branch: &Branch, parent: Option<usize>) {
        let id = self.add(Kind::Other, parent, branch.begin, branch.end);
        self.add_all(&branch.body, Some(id));
    }

    fn add_element(&mut self, element: &Element, parent: Option<usize>) {
        let (begin, end) = (element.begin, element.end);
        let kind = match &element.kind {
            ElementKind::Text(_) => Kind::Text,
            ElementKind::Output(_) | ElementKind::Digits(..) => Kind::Output,
            ElementKind::Comment => Kind::Comment,
            ElementKind::Trim { left, right } => Kind::Trim { left: *left, right: *right },
            ElementKind::Assign(_) | ElementKind::Setting(..) => Kind::Quiet,
            ElementKind::Macro(_) => Kind::Macro,
            ElementKind::AssignBlock(..) => Kind::Captured,
            _ => Kind::Other,
        };
        let id = self.add(kind, parent, begin, end);
        match &element.kind {
            ElementKind::Text(text) => {
                if let Some(node) = self.nodes.get_mut(id) {
                    node.text = text.chars().collect();
                }
            }
            ElementKind::If(branches) => match branches.as_slice() {
                // A lonely #if is its branch.
                [only] => self.add_all(&only.body, Some(id)),
                several => several.iter().for_each(|branch| self.add_branch(branch, Some(id))),
            },
            ElementKind::List(list) => match &list.otherwise {
                None => self.add_all(&list.body.body, Some(id)),
                Some(otherwise) => {
                    self.add_branch(&list.body, Some(id));
                    self.add_branch(otherwise, Some(id));
                }
            },
            ElementKind::Switch(switch) => {
                switch.cases.iter().for_each(|case| self.add_branch(case, Some(id)));
            }
            ElementKind::Attempt(block, recover) => {
                match block.as_slice() {
                    [only] => self.add_element(only, Some(id)),
                    several => {
                        let first = several.first().map_or(begin, |element| element.begin);
                        let last = several.last().map_or(begin, |element| element.end);
                        let mixed = self.add(Kind::Other, Some(id), first, last);
                        self.add_all(several, Some(mixed));
                    }
                }
                self.add_branch(recover, Some(id));
            }
            ElementKind::Items(_, block)
            | ElementKind::Sep(block)
            | ElementKind::AssignBlock(_, _, block)
            | ElementKind::Compress(block)
            | ElementKind::Group(block) => self.add_all(block, Some(id)),
            ElementKind::Macro(one) => self.add_all(&one.body, Some(id)),
            ElementKind::Call(call) => {
                self.add_all(call.body.as_deref().unwrap_or_default(), Some(id));
            }
            _ => {}
        }
    }

    /// Cleans a part and then its children, in their order; removes those of which nothing is left.
    fn clean(&mut self, id: usize, strip: bool) -> Compiled<()> {
        let Some(node) = self.nodes.get(id) else { return Ok(()) };
        if node.kind == Kind::Text {
            return self.clean_text(id, strip);
        }
        for child in node.children.clone() {
            self.clean(child, strip)?;
        }
        self.drop_ignorable(id, strip);
        Ok(())
    }

    /// Removes the children of which nothing is left, one after the other: what was removed is nobody's neighbour.
    fn drop_ignorable(&mut self, id: usize, strip: bool) {
        let Some(node) = self.nodes.get_mut(id) else { return };
        let children = std::mem::take(&mut node.children);
        let mut left: Vec<usize> = Vec::with_capacity(children.len());
        for (at, child) in children.iter().copied().enumerate() {
            let beside = [left.last().copied(), children.get(at + 1).copied()];
            let ignorable = self.ignorable(child, strip, beside);
            let Some(node) = self.nodes.get_mut(child) else { continue };
            if ignorable {
                node.text.clear();
            } else {
                node.index = left.len();
                left.push(child);
            }
        }
        if let Some(node) = self.nodes.get_mut(id) {
            node.children = left;
        }
    }
}

mod neighbours;
mod texts;

/// Copies the texts back, and drops the empty ones; the nodes come in the order in which they were made.
fn put_back(block: &mut Block, nodes: &mut std::vec::IntoIter<Node>, macros: &mut Vec<Arc<Macro>>) {
    block.retain_mut(|element| {
        let Some(node) = nodes.next() else { return true };
        match &mut element.kind {
            ElementKind::Text(text) => {
                *text = node.text.into_iter().collect();
                return !text.is_empty();
            }
            ElementKind::If(branches) => match branches.as_mut_slice() {
                [only] => put_back(&mut only.body, nodes, macros),
                several => {
                    for branch in several {
                        put_back_branch(branch, nodes, macros);
                    }
                }
            },
            ElementKind::List(list) => match &mut list.otherwise {
                None => put_back(&mut list.body.body, nodes, macros),
                Some(otherwise) => {
                    put_back_branch(&mut list.body, nodes, macros);
                    put_back_branch(otherwise, nodes, macros);
                }
            },
            ElementKind::Switch(switch) => {
                switch.cases.iter_mut().for_each(|case| put_back_branch(case, nodes, macros));
            }
            ElementKind::Attempt(block, recover) => {
                if block.len() != 1 {
                    nodes.next();
                }
                put_back(block, nodes, macros);
                put_back_branch(recover, nodes, macros);
            }
            ElementKind::Items(_, block)
            | ElementKind::Sep(block)
            | ElementKind::AssignBlock(_, _, block)
            | ElementKind::Compress(block)
            | ElementKind::Group(block) => put_back(block, nodes, macros),
            ElementKind::Macro(one) => {
                let mut body = one.body.clone();
                put_back(&mut body, nodes, macros);
                let made = Arc::new(Macro {
                    name: one.name.clone(),
                    parameters: one.parameters.clone(),
                    body,
                });
                macros.push(Arc::clone(&made));
                *one = made;
            }
            ElementKind::Call(call) => {
                if let Some(body) = &mut call.body {
                    put_back(body, nodes, macros);
                }
            }
            _ => {}
        }
        !matches!(
            element.kind,
            ElementKind::Comment | ElementKind::Trim { .. } | ElementKind::Flush
        )
    });
}

fn put_back_branch(
    branch: &mut Branch,
    nodes: &mut std::vec::IntoIter<Node>,
    macros: &mut Vec<Arc<Macro>>,
) {
    nodes.next();
    put_back(&mut branch.body, nodes, macros);
}
