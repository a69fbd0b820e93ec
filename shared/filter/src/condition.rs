//! What has to be found in an event for a pattern to match.
//!
//! A leaf is fulfilled either by *presence*, a value in the event that it asks for, or, with
//! `{"exists": false}`, by *absence*, no value in the event at all. The two are kept apart because
//! arrays treat them differently: presence in any element is enough, absence has to be in all. In
//! an object of the pattern some field's presence chooses the element, and the others' absence is
//! then judged within it.

use std::sync::Arc;

/// What has been found of a pattern in (a part of) an event: a bit for each leaf and for each
/// object. A pattern has fewer than 128 of either: 100 leaves, and of the objects that
/// [need a bit](Condition::Object), each of which branches, fewer than leaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    /// Leaves that asked for a value that is there.
    pub(crate) matched: u128,
    /// Leaves whose field is there, whatever its value.
    pub(crate) seen: u128,
    /// Objects of which one element, or the one object, fulfils all.
    pub(crate) objects: u128,
}

impl Found {
    /// Forgets what is known of these leaves and objects.
    pub(crate) fn forget(&mut self, below: &Found) {
        self.matched &= !below.matched;
        self.seen &= !below.seen;
        self.objects &= !below.objects;
    }

    /// Adds what was found in one element of an array.
    pub(crate) fn add(&mut self, element: &Found) {
        self.matched |= element.matched;
        self.seen |= element.seen;
        self.objects |= element.objects;
    }
}

/// What has to be found.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// A leaf.
    Leaf {
        /// The leaf's bit.
        bit: u128,
        /// Whether it has `{"exists": false}` among its values.
        may_be_absent: bool,
    },
    /// An object of more than one part below a field. Whether its parts are there together was
    /// found out where the object, or each object of an array, was read.
    Object {
        /// The object's bit.
        bit: u128,
        /// Its parts.
        parts: Arc<Condition>,
    },
    /// All of these: the fields of an object, and its `$or`.
    All(Vec<Condition>),
    /// Any of these: the alternatives of `$or`.
    Any(Vec<Condition>),
}

/// How a condition is fulfilled, if at all.
#[derive(Debug, Clone, Copy)]
struct Met {
    /// With something that is there.
    present: bool,
    /// With nothing that is there.
    absent: bool,
}

impl Condition {
    /// Whether it is fulfilled, by presence, by absence, or by some of each.
    pub(crate) fn is_met(&self, found: &Found) -> bool {
        let met = self.met(found);
        met.present || met.absent
    }

    /// Whether it is fulfilled with something that is there.
    pub(crate) fn is_present(&self, found: &Found) -> bool {
        self.met(found).present
    }

    /// Looks at each part once, since it is asked for every element of an array.
    fn met(&self, found: &Found) -> Met {
        match self {
            Self::Leaf { bit, may_be_absent } => Met {
                present: found.matched & bit != 0,
                absent: *may_be_absent && found.seen & bit == 0,
            },
            Self::Object { bit, parts } => {
                Met { present: found.objects & bit != 0, absent: parts.met(found).absent }
            }
            Self::All(parts) => {
                let mut all = Met { present: false, absent: true };
                for part in parts {
                    let met = part.met(found);
                    if !met.present && !met.absent {
                        return met;
                    }
                    all = Met {
                        present: all.present || met.present,
                        absent: all.absent && met.absent,
                    };
                }
                all
            }
            Self::Any(alternatives) => {
                let mut any = Met { present: false, absent: false };
                for alternative in alternatives {
                    let met = alternative.met(found);
                    any = Met {
                        present: any.present || met.present,
                        absent: any.absent || met.absent,
                    };
                }
                any
            }
        }
    }
}
