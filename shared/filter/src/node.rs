//! The keys that a pattern names, as a tree: what the scan of an event is led by.
//!
//! A key that several alternatives of `$or` name is one node, so that one pass over the event
//! answers all of them.

use std::sync::Arc;

use crate::condition::{Condition, Found};
use crate::matcher::{Matcher, Scalar};

/// A place in an event that the pattern says something about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    children: Vec<(String, Node)>,
    leaves: Vec<Leaf>,
    objects: Vec<(u128, Arc<Condition>)>,
    /// The bits of everything here and below.
    pub(crate) below: Found,
}

/// The values one leaf of the pattern asks for.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// Its bit.
    pub(crate) bit: u128,
    /// Any of these will do.
    pub(crate) matchers: Vec<Matcher>,
}

impl Node {
    /// The child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    /// The child of this name, made if it is not there.
    pub(crate) fn child_mut(&mut self, name: &str) -> &mut Node {
        let index =
            self.children.iter().position(|(key, _)| key == name).unwrap_or(self.children.len());
        if index == self.children.len() {
            self.children.push((name.to_owned(), Node::default()));
        }
        &mut self.children[index].1
    }

    /// Adds a leaf of the pattern.
    pub(crate) fn add_leaf(&mut self, leaf: Leaf) {
        self.leaves.push(leaf);
    }

    /// Adds an object of the pattern with what has to be found in it.
    pub(crate) fn add_object(&mut self, bit: u128, parts: Arc<Condition>) {
        self.objects.push((bit, parts));
    }

    /// Collects the bits of everything below, here and in each child, once the tree is whole.
    pub(crate) fn gather(&mut self) {
        let mut below = Found::default();
        for leaf in &self.leaves {
            below.matched |= leaf.bit;
            below.seen |= leaf.bit;
        }
        for (bit, _) in &self.objects {
            below.objects |= bit;
        }
        for (_, child) in &mut self.children {
            child.gather();
            below.add(&child.below);
        }
        self.below = below;
    }

    /// Whether the pattern names keys below this place.
    pub(crate) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// A scalar was found here.
    pub(crate) fn meet_scalar(&self, scalar: Scalar<'_>, found: &mut Found) {
        for leaf in &self.leaves {
            found.seen |= leaf.bit;
            if found.matched & leaf.bit == 0
                && leaf.matchers.iter().any(|matcher| matcher.matches(scalar))
            {
                found.matched |= leaf.bit;
            }
        }
    }

    /// An object was found here and has been read.
    pub(crate) fn meet_object(&self, found: &mut Found) {
        for (bit, parts) in &self.objects {
            if parts.is_present(found) {
                found.objects |= bit;
            }
        }
    }
}
