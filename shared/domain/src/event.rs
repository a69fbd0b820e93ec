//! Events as they are carried: raw JSON, not parsed into trees where nobody looks inside.

use bytes::Bytes;
use serde_json::value::RawValue;

/// One event: the text of one JSON object. Cheap to clone: a slice of what it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event(Bytes);

impl Event {
    /// An event from text that is known to be one JSON object.
    pub fn from_object(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

/// Splits the text of a JSON array into its events, without copying them.
pub fn split(array: &Bytes) -> Result<Vec<Event>, serde_json::Error> {
    let raw: Vec<&RawValue> = serde_json::from_slice(array)?;
    Ok(raw.into_iter().map(|one| Event(array.slice_ref(one.get().as_bytes()))).collect())
}

/// The JSON array of these events.
pub fn join(events: &[Event]) -> Vec<u8> {
    let mut array = Vec::with_capacity(joined_size(events));
    array.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            array.push(b',');
        }
        array.extend_from_slice(event.as_bytes());
    }
    array.push(b']');
    array
}

/// The size of what [`join`] makes.
pub fn joined_size(events: &[Event]) -> usize {
    2 + events.iter().map(Event::size).sum::<usize>() + events.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn split_keeps_every_byte_of_each_event() {
        let text = r#"[ {"a": 1.0 , "b":"\u00e9"} ,{"c":12345678901234567890} ]"#;
        let events = split(&Bytes::from_static(text.as_bytes())).unwrap();
        let texts: Vec<_> =
            events.iter().map(|e| std::str::from_utf8(e.as_bytes()).unwrap()).collect();
        assert_eq!(texts, [r#"{"a": 1.0 , "b":"\u00e9"}"#, r#"{"c":12345678901234567890}"#]);
    }

    #[test]
    fn what_is_not_an_array_is_an_error() {
        assert!(split(&Bytes::from_static(b"{}")).is_err());
        assert!(split(&Bytes::from_static(b"[{}")).is_err());
    }

    proptest! {
        #[test]
        fn join_then_split_is_the_same(numbers in proptest::collection::vec(any::<i64>(), 0..50)) {
            let events: Vec<_> =
                numbers.iter().map(|n| Event::from_object(format!("{{\"n\":{n}}}"))).collect();
            let array = Bytes::from(join(&events));
            prop_assert_eq!(array.len(), joined_size(&events));
            prop_assert_eq!(split(&array).unwrap(), events);
        }
    }
}
