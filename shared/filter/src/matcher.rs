//! One value of a leaf, asked about one scalar of an event.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::letter_case;
use crate::number::Number;
use crate::wildcard::Wildcard;

/// A scalar found in an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A number beyond `f64`, which is not compared with any: a value that is there.
    Beyond,
    /// A string.
    Text(&'a str),
}

/// One value of a leaf.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    /// `null` itself.
    Null,
    /// This boolean.
    Bool(bool),
    /// This number.
    Number(Number),
    /// This string.
    Text(String),
    /// A string of this form.
    Form(Form),
    /// Anything but these.
    AnythingBut(Excluded),
    /// A number within this range.
    Numeric(Range),
    /// Any scalar: the field is there.
    Exists,
    /// No scalar: the field is not there. It matches nothing that was found, see
    /// [`crate::condition::Condition`].
    Absent,
    /// A string with an address in this network.
    Cidr(IpNet),
}

/// What a string looks like. The text of those that ignore case is in lower case.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// It starts with this.
    Prefix(String),
    /// It starts with this, but for case.
    PrefixIgnoringCase(String),
    /// It ends with this.
    Suffix(String),
    /// It ends with this, but for case.
    SuffixIgnoringCase(String),
    /// It is this, but for case.
    EqualsIgnoringCase(String),
    /// It is as this wildcard says.
    Wildcard(Wildcard),
}

/// What `anything-but` excludes. Any scalar of another type is not excluded.
#[derive(Debug, Clone)]
pub(crate) enum Excluded {
    /// These strings.
    Texts(Vec<String>),
    /// These numbers.
    Numbers(Vec<Number>),
    /// Strings of these forms.
    Forms(Vec<Form>),
}

/// A range of numbers, of which at least one end is given.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    /// The lower end, if there is one.
    pub(crate) lower: Option<End>,
    /// The upper end, if there is one.
    pub(crate) upper: Option<End>,
}

/// An end of a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    /// The number.
    pub(crate) number: Number,
    /// Whether it belongs to the range.
    pub(crate) inclusive: bool,
}

impl Matcher {
    /// Whether a scalar of the event is what this value asks for.
    pub(crate) fn matches(&self, scalar: Scalar<'_>) -> bool {
        match (self, scalar) {
            (Self::Exists, _) | (Self::Null, Scalar::Null) => true,
            (Self::Bool(wanted), Scalar::Bool(found)) => *wanted == found,
            (Self::Number(wanted), Scalar::Number(found)) => *wanted == found,
            (Self::Text(wanted), Scalar::Text(found)) => wanted == found,
            (Self::Form(form), Scalar::Text(found)) => form.fits(found),
            (Self::AnythingBut(excluded), found) => !excluded.contain(found),
            (Self::Numeric(range), Scalar::Number(found)) => range.contains(found),
            (Self::Cidr(network), Scalar::Text(found)) => holds(network, found),
            _ => false,
        }
    }
}

impl Form {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::PrefixIgnoringCase(prefix) => letter_case::starts_with(text, prefix),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::SuffixIgnoringCase(suffix) => letter_case::ends_with(text, suffix),
            Self::EqualsIgnoringCase(whole) => letter_case::equals(text, whole),
            Self::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

impl Excluded {
    fn contain(&self, scalar: Scalar<'_>) -> bool {
        match (self, scalar) {
            (Self::Texts(texts), Scalar::Text(found)) => texts.iter().any(|text| text == found),
            (Self::Numbers(numbers), Scalar::Number(found)) => numbers.contains(&found),
            (Self::Forms(forms), Scalar::Text(found)) => forms.iter().any(|form| form.fits(found)),
            _ => false,
        }
    }
}

impl Range {
    fn contains(&self, number: Number) -> bool {
        let above =
            |end: &End| if end.inclusive { number >= end.number } else { number > end.number };
        let below =
            |end: &End| if end.inclusive { number <= end.number } else { number < end.number };
        self.lower.as_ref().is_none_or(above) && self.upper.as_ref().is_none_or(below)
    }

    /// Whether no number lies in it.
    pub(crate) fn is_empty(&self) -> bool {
        let (Some(lower), Some(upper)) = (self.lower, self.upper) else { return false };
        lower.number > upper.number
            || (lower.number == upper.number && !(lower.inclusive && upper.inclusive))
    }
}

/// Whether `text` is an address in `network`. An IPv4 address written as an IPv6 one
/// (`::ffff:10.0.0.1`) is both.
fn holds(network: &IpNet, text: &str) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    network.contains(&address) || network.contains(&address.to_canonical())
}
