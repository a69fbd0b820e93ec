//! Reading a JSON array of bounded length, however long the text is.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The first `limit` values of a JSON array as raw text, and how many it has in all. The others
/// are read and not kept.
pub fn first_values(
    text: &[u8],
    limit: usize,
) -> Result<(Vec<&RawValue>, usize), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = First(limit).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(read)
}

struct First(usize);

impl<'de> DeserializeSeed<'de> for First {
    type Value = (Vec<&'de RawValue>, usize);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for First {
    type Value = (Vec<&'de RawValue>, usize);

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while values.len() < self.0 {
            match seq.next_element()? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        let mut count = values.len();
        // After the end there is nothing more to ask for.
        while count >= self.0 && seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((values, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_counted_and_not_kept() {
        let read = |text: &'static str, limit| {
            let (values, count) = first_values(text.as_bytes(), limit).unwrap();
            (values.into_iter().map(RawValue::get).collect::<Vec<_>>(), count)
        };
        assert_eq!(read("[]", 2), (vec![], 0));
        assert_eq!(read("[1]", 2), (vec!["1"], 1));
        assert_eq!(read(" [1, {} ] ", 2), (vec!["1", "{}"], 2));
        assert_eq!(read("[1,2,[3],4]", 2), (vec!["1", "2"], 4));
        assert_eq!(read("[1]", 0), (vec![], 1));
    }

    #[test]
    fn what_is_no_array_or_broken_anywhere_is_an_error() {
        for text in ["", "{}", "[", "[1,]", "[1] 2", "[1,2,3,x]", "[1,2,3"] {
            assert!(first_values(text.as_bytes(), 2).is_err(), "{text}");
        }
    }
}
