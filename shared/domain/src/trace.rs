//! Trace context: which trace a request belongs to, from whoever sent an event to its endpoint.
//!
//! Sources: W3C Recommendation "Trace Context" of 23 November 2021, 3.2 (`traceparent`) and 4
//! (versions to come); AWS X-Ray, "Tracing header" (`Root=1-{8 hex}-{24 hex};Parent={16 hex};Sampled=1`).
//! `tracestate` is not passed on, as 3.3 allows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::hex::hex;

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";
/// Length of what version 00 defines.
const LENGTH: usize = 55;
/// The only flag that version 00 defines: the caller may have recorded the trace.
const SAMPLED: u8 = 1;

/// A `traceparent`: a trace, and the span in it that what follows belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceParent {
    /// 32 lower-case hexadecimal digits, not all of them 0.
    trace: String,
    /// 16 of the same kind.
    span: String,
    sampled: bool,
}

/// Text that is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NoTraceParent;

impl TraceParent {
    /// What X-Ray says of a function's invocation; `None` where nothing is recorded of it.
    pub fn from_xray(header: &str) -> Option<Self> {
        let part = |name: &str| {
            let mut parts = header.split(';').filter_map(|part| part.trim().split_once('='));
            parts.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let (time, unique) = part("Root")?.strip_prefix("1-")?.split_once('-')?;
        let (trace, span) = (format!("{time}{unique}"), part("Parent")?);
        let whole = part("Sampled") == Some("1") && time.len() == 8;
        (whole && is_id(&trace, 32) && is_id(span, 16)).then(|| Self {
            trace,
            span: span.to_owned(),
            sampled: true,
        })
    }

    /// A trace that begins here, of these random names; nobody records it so far.
    pub fn begin(trace: [u8; 16], span: [u8; 8]) -> Self {
        let trace = if trace == [0; 16] { [1; 16] } else { trace };
        Self { trace: hex(&trace), span: String::new(), sampled: false }.child(span)
    }

    /// The same trace, with a span of this name: never all 0, which would be none.
    #[must_use]
    pub fn child(&self, span: [u8; 8]) -> Self {
        let span = if span == [0; 8] { [1; 8] } else { span };
        Self { span: hex(&span), ..self.clone() }
    }

    /// The trace's id.
    pub fn trace_id(&self) -> &str {
        &self.trace
    }
}

/// Lower-case hexadecimal digits, so many, and not all of them 0.
fn is_id(text: &str, digits: usize) -> bool {
    text.len() == digits && is_hex(text) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    /// Reads a header's value. One of a later version is read as far as this one goes.
    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let (known, rest) = text.split_at_checked(LENGTH).ok_or(NoTraceParent)?;
        let mut parts = known.split('-');
        let mut part = || parts.next().ok_or(NoTraceParent);
        let (version, trace, span, flags) = (part()?, part()?, part()?, part()?);
        let flags_fit = flags.len() == 2 && is_hex(flags) && parts.next().is_none();
        let version_fits = version.len() == 2 && is_hex(version) && version != "ff";
        let rest_fits = rest.is_empty() || (version != "00" && rest.starts_with('-'));
        if !(version_fits && rest_fits && is_id(trace, 32) && is_id(span, 16) && flags_fit) {
            return Err(NoTraceParent);
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoTraceParent)?;
        let sampled = flags & SAMPLED == SAMPLED;
        Ok(Self { trace: trace.to_owned(), span: span.to_owned(), sampled })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, sampled } = self;
        write!(f, "00-{trace}-{span}-{:02x}", u8::from(*sampled))
    }
}

impl From<TraceParent> for String {
    fn from(parent: TraceParent) -> Self {
        parent.to_string()
    }
}

impl TryFrom<String> for TraceParent {
    type Error = NoTraceParent;

    fn try_from(text: String) -> Result<Self, NoTraceParent> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the recommendation, 3.2.4.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Option<String> {
        text.parse::<TraceParent>().ok().map(|parent| parent.to_string())
    }

    #[test]
    fn what_the_recommendation_allows_is_read() {
        assert_eq!(read(EXAMPLE).as_deref(), Some(EXAMPLE));
        let unsampled = EXAMPLE.replace("-01", "-00");
        assert_eq!(read(&unsampled), Some(unsampled));
        // Flags that this version does not define are set to 0.
        assert_eq!(read(&EXAMPLE.replace("-01", "-ff")).as_deref(), Some(EXAMPLE));
        // A later version is read as far as this one goes.
        let later = EXAMPLE.replacen("00", "cc", 1);
        assert_eq!(read(&later).as_deref(), Some(EXAMPLE));
        assert_eq!(read(&format!("{later}-what-comes")).as_deref(), Some(EXAMPLE));
    }

    #[test]
    fn what_it_forbids_is_not() {
        let zeros = |from: &str| EXAMPLE.replace(from, &"0".repeat(from.len()));
        for wrong in [
            String::new(),
            EXAMPLE[..54].to_owned(),
            format!("{EXAMPLE}-more"),
            format!("{EXAMPLE}x"),
            EXAMPLE.to_uppercase(),
            EXAMPLE.replacen("00", "ff", 1),
            EXAMPLE.replacen("00", "cc", 1) + ".x",
            EXAMPLE.replace("-01", "-0g"),
            EXAMPLE.replace("-00f0", "--0f0"),
            EXAMPLE.replace('-', "_"),
            zeros("4bf92f3577b34da6a3ce929d0e0e4736"),
            zeros("00f067aa0ba902b7"),
            format!("é{}", &EXAMPLE[1..]),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_invocation_that_xray_records_has_a_trace() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let read = |text: &str| TraceParent::from_xray(text).map(|parent| parent.to_string());
        let expected = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
        assert_eq!(read(header).as_deref(), Some(expected));
        let more = format!("{header};Lineage=1:a87bd80c:1");
        assert_eq!(read(&more).as_deref(), Some(expected));
        for none in [
            header.replace("Sampled=1", "Sampled=0"),
            header.replace(";Sampled=1", ""),
            header.replace("Parent=53995c3f42cd8ad8;", ""),
            header.replace("Root=1-", "Root=2-"),
            header.replace("5759e988-bd", "5759e98-8bd"),
            header.replace("bd862e3f", "zz862e3f"),
            String::new(),
        ] {
            assert_eq!(read(&none), None, "{none}");
        }
    }

    #[test]
    fn a_child_has_the_trace_and_a_span_of_its_own() {
        let parent: TraceParent = EXAMPLE.parse().unwrap();
        let child = parent.child([7; 8]);
        assert_eq!(child.to_string(), EXAMPLE.replace("00f067aa0ba902b7", &"07".repeat(8)));
        assert_eq!(child.trace_id(), parent.trace_id());
        assert!(read(&parent.child([0; 8]).to_string()).is_some(), "a span of zeros is none");
    }

    #[test]
    fn a_trace_that_begins_here_is_one_whatever_chance_gives() {
        let begun = |trace, span| TraceParent::begin([trace; 16], [span; 8]).to_string();
        assert_eq!(begun(0xab, 7), format!("00-{}-{}-00", "ab".repeat(16), "07".repeat(8)));
        assert!(read(&begun(0, 0)).is_some());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,80}", place in 0usize..55, one: char) {
            let _ = read(&text);
            let mut changed: Vec<_> = EXAMPLE.chars().collect();
            changed[place] = one;
            let _ = read(&changed.into_iter().collect::<String>());
            let _ = TraceParent::from_xray(&text);
        }
    }
}
