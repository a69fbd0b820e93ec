//! The event that a test send or a preview is given.

use super::fields::Fields;
use crate::{event::Event, object::Object};

/// The largest event, in bytes.
const MAX_EVENT_BYTES: usize = 64 * 1024;

/// The event of a request, if it has one: byte for byte as it stands in the body, since templates
/// see the order of its keys and the digits of its numbers.
pub(super) fn event(fields: &mut Fields, body: &[u8]) -> Option<Event> {
    let value = fields.take("event")?;
    let object = std::str::from_utf8(body).ok().and_then(Object::read);
    let text = object.as_ref().and_then(|object| object.get("event")).unwrap_or_default();
    if !value.is_object() {
        fields.fault("event", "must be an object; without it a sample is made");
    } else if text.len() > MAX_EVENT_BYTES {
        let bytes = text.len();
        fields.fault("event", format!("has {bytes} bytes; at most {MAX_EVENT_BYTES} are allowed"));
    }
    Some(Event::from_object(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<Event>, Result<(), String>) {
        let mut fields = Fields::parse(body.as_bytes()).ok().unwrap();
        let event = event(&mut fields, body.as_bytes());
        (event, fields.finish().map_err(|problem| problem.errors[0].detail.clone()))
    }

    #[test]
    fn an_event_keeps_its_bytes() {
        let event = r#"{"b": 1.0, "a" : 12345678901234567890,  "t": "\u00e9é"}"#;
        let body = format!("{{ \"event\" :  {event} }}");
        assert_eq!(read(&body), (Some(Event::from_object(event)), Ok(())));
        let twice = r#"{"event": {"n": 1}, "event": {"n": 2}}"#;
        assert_eq!(read(twice).0, Some(Event::from_object(r#"{"n": 2}"#)), "as in any object");
        for none in ["", "{}", r#"{"event": null}"#] {
            assert_eq!(read(none), (None, Ok(())), "{none}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for bad in ["[]", "[{}]", "7", "\"{}\"", "true"] {
            let fault = read(&format!("{{\"event\": {bad}}}")).1.unwrap_err();
            assert!(fault.starts_with("must be an object"), "{bad}: {fault}");
        }
        let of_size = |size: usize| format!("{{\"event\":{{\"a\":\"{}\"}}}}", "x".repeat(size - 8));
        assert_eq!(read(&of_size(MAX_EVENT_BYTES)).1, Ok(()));
        let fault = read(&of_size(MAX_EVENT_BYTES + 1)).1.unwrap_err();
        assert_eq!(fault, "has 65537 bytes; at most 65536 are allowed");
    }
}
