//! Items of the table, and how their attributes are read.

use std::{collections::HashMap, fmt::Display, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use flagpost_domain::{ports::PortError, time::Timestamp};
use serde::de::DeserializeOwned;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A stored item that is not what was written. It never quotes what it found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("item {pk} / {sk}: {what}")]
pub(super) struct Corrupt {
    pk: String,
    sk: String,
    what: String,
}

impl Corrupt {
    pub(super) fn during(self, call: &'static str) -> PortError {
        PortError::Failed { call, reason: self.to_string() }
    }
}

/// Reads attributes, and says which item is at fault where one is missing or of the wrong kind.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a Item);

impl<'a> Reader<'a> {
    pub(super) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn text(self, name: &str) -> Result<&'a str, Corrupt> {
        self.optional_text(name)?.ok_or_else(|| self.corrupt(format!("`{name}` is missing")))
    }

    pub(super) fn optional_text(self, name: &str) -> Result<Option<&'a str>, Corrupt> {
        match self.0.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.corrupt(format!("`{name}` is not a string"))),
        }
    }

    pub(super) fn number<T: FromStr>(self, name: &str) -> Result<T, Corrupt> {
        self.optional_number(name)?.ok_or_else(|| self.corrupt(format!("`{name}` is missing")))
    }

    pub(super) fn optional_number<T: FromStr>(self, name: &str) -> Result<Option<T>, Corrupt> {
        let wrong = || self.corrupt(format!("`{name}` is not a number in range"));
        match self.0.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn time(self, name: &str) -> Result<Timestamp, Corrupt> {
        self.number(name).map(Timestamp)
    }

    pub(super) fn optional_time(self, name: &str) -> Result<Option<Timestamp>, Corrupt> {
        Ok(self.optional_number(name)?.map(Timestamp))
    }

    /// JSON text. The parser's own message may quote the text, so it is not passed on.
    pub(super) fn json<T: DeserializeOwned>(self, name: &str) -> Result<T, Corrupt> {
        serde_json::from_str(self.text(name)?).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "is JSON of another shape",
                _ => "is not JSON",
            };
            self.corrupt(format!("`{name}` {what}: line {line}, column {column}"))
        })
    }

    fn corrupt(self, what: String) -> Corrupt {
        let part = |name| match self.0.get(name) {
            Some(AttributeValue::S(text)) => text.clone(),
            _ => "?".to_owned(),
        };
        Corrupt { pk: part(PK), sk: part(SK), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, value: AttributeValue) -> Item {
        HashMap::from([
            (PK.to_owned(), text("HEALTH#i")),
            (SK.to_owned(), text("HEALTH")),
            (name.to_owned(), value),
        ])
    }

    #[test]
    fn a_fault_names_the_item_and_the_attribute() {
        let item = item("version", text("seven"));
        let error = Reader(&item).number::<u64>("version").unwrap_err();
        assert_eq!(error.to_string(), "item HEALTH#i / HEALTH: `version` is not a number in range");
        let error = Reader(&item).text("doc").unwrap_err();
        assert_eq!(error.to_string(), "item HEALTH#i / HEALTH: `doc` is missing");
    }

    #[test]
    fn a_number_out_of_range_is_a_fault() {
        let item = item("version", number(-1));
        assert!(Reader(&item).optional_number::<u64>("version").is_err());
        assert_eq!(Reader(&item).number::<i64>("version"), Ok(-1));
        assert_eq!(Reader(&item).optional_number::<i64>("other"), Ok(None));
    }

    #[test]
    fn broken_json_is_told_and_not_quoted() {
        for (json, what) in [("[\"secret", "is not JSON"), ("\"secret\"", "another shape")] {
            let item = item("doc", text(json));
            let error = Reader(&item).json::<Vec<String>>("doc").unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn keys_that_are_not_text_are_shown_as_unknown() {
        let item = Item::new();
        assert_eq!(
            Reader(&item).text("doc").unwrap_err().to_string(),
            "item ? / ?: `doc` is missing"
        );
    }
}
