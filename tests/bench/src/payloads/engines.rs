//! The two template engines, and what they render: the example of Amplitude's "Send Events to
//! Webhooks", and a larger template. Each is written as people write it in that language, and both
//! make the same bytes. For that one tag of the example has a `+` in minijinja's, which keeps the
//! spaces before it: FreeMarker keeps them there too, a habit of its own.

use flagpost_template::{Input, Template};
use minijinja::{Environment, UndefinedBehavior, context, syntax::SyntaxConfig};

use crate::Outcome;

/// One template in both languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    flagpost: &'static str,
    minijinja: &'static str,
    /// minijinja writes values as JSON into what is named `….json`, and as they are otherwise.
    name: &'static str,
}

/// Amplitude's example, which escapes nothing.
pub(super) const EXAMPLE: Pair = Pair {
    flagpost: include_str!("templates/example.ftl"),
    minijinja: include_str!("templates/example.jinja"),
    name: "example.txt",
};
/// Every value escaped, defaults, conditions, and a loop over the properties.
pub(super) const LARGER: Pair = Pair {
    flagpost: include_str!("templates/larger.ftl"),
    minijinja: include_str!("templates/larger.jinja"),
    name: "larger.json",
};

/// A pair, compiled.
#[derive(Debug)]
pub(super) struct Engines {
    flagpost: Template,
    minijinja: Environment<'static>,
    name: &'static str,
}

/// An event as minijinja sees it.
pub(super) fn minijinja_value(event: &[u8]) -> Outcome<minijinja::Value> {
    Ok(serde_json::from_slice(event)?)
}

impl Engines {
    pub(super) fn compile(pair: Pair) -> Outcome<Self> {
        let mut minijinja = Environment::new();
        // As FreeMarker has it: lines of nothing but tags leave nothing, the last line's end stays,
        // and what is missing is an error.
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?;
        minijinja.set_syntax(syntax);
        minijinja.set_undefined_behavior(UndefinedBehavior::Strict);
        minijinja.add_template(pair.name, pair.minijinja)?;
        Ok(Self { flagpost: Template::compile(pair.flagpost)?, minijinja, name: pair.name })
    }

    /// Flagpost, from the event's text.
    pub(super) fn ours(&self, event: &[u8]) -> Outcome<String> {
        Ok(self.flagpost.render_json(event)?)
    }

    /// Flagpost, from an event that is parsed.
    pub(super) fn ours_parsed(&self, event: &Input<'_>) -> Outcome<String> {
        Ok(self.flagpost.render(event)?)
    }

    /// minijinja, from the event's text.
    pub(super) fn theirs(&self, event: &[u8]) -> Outcome<String> {
        self.theirs_parsed(&minijinja_value(event)?)
    }

    /// minijinja, from an event that is parsed.
    pub(super) fn theirs_parsed(&self, event: &minijinja::Value) -> Outcome<String> {
        let template = self.minijinja.get_template(self.name)?;
        Ok(template.render(context! { input => event.clone() })?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::payloads::events::events;

    #[test]
    fn the_example_is_as_its_page_has_it() {
        let event = br#"{"user_id":"some user id","event_type":"click event",
            "event_time":"2022-10-24 20:07:32.123","user_properties":{"email":"some@email.com"}}"#;
        let wanted = json!({
            "external_id": "some user id",
            "name": "click event",
            "time": "2022-10-24 20:07:32.123",
            "properties": { "email": "some@email.com" },
        });
        let engines = Engines::compile(EXAMPLE).unwrap();
        for made in [engines.ours(event).unwrap(), engines.theirs(event).unwrap()] {
            assert_eq!(serde_json::from_str::<Value>(&made).unwrap(), wanted);
        }
    }

    #[test]
    fn the_larger_one_takes_every_branch() {
        let engines = Engines::compile(LARGER).unwrap();
        let made = events(100).iter().map(|event| engines.ours(event).unwrap()).collect::<String>();
        for part in ["userId", "anonymousId", "\"large\"", "\"small\"", "\"flag\": true", "27\\\""]
        {
            assert!(made.contains(part), "{part}");
        }
        let none = br#"{"$insert_id":"1","event_type":"a","event_time":"b","device_id":"c",
            "library":"d","session_id":1,"user_properties":{},"event_properties":{}}"#;
        for made in [engines.ours(none).unwrap(), engines.theirs(none).unwrap()] {
            let made: Value = serde_json::from_str(&made).unwrap();
            assert_eq!(made["segment"], "none");
            assert_eq!(made["context"]["country"], "UNKNOWN");
            assert_eq!(made["traits"], json!({ "email": "", "plan": "free" }));
        }
    }

    #[test]
    fn what_is_missing_is_an_error_in_both() {
        for pair in [EXAMPLE, LARGER] {
            let engines = Engines::compile(pair).unwrap();
            assert!(engines.ours(b"{}").is_err());
            assert!(engines.theirs(b"{}").is_err());
        }
    }
}
