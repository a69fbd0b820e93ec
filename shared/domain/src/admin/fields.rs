//! Reading a JSON object, or a query's parameters, field by field, collecting every fault on the
//! way.
//!
//! What a reader gives back after a fault is a placeholder; [`Fields::finish`] is called before
//! any of it is used, and refuses the request.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::{
    problem::{Fault, Kind, Problem},
    secret::Secret,
    time::Timestamp,
};

/// The latest time that can be asked for, in milliseconds: thirteen digits, as keys have.
pub(super) const LATEST: Timestamp = Timestamp(9_999_999_999_999);

/// An object that is being read.
pub(super) struct Fields {
    left: Map<String, Value>,
    /// What stands before each field's name, `environment.`.
    prefix: String,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
    /// Whether these are a query's parameters.
    query: bool,
}

impl Fields {
    /// Reads a body; an empty one is an object without fields.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Problem> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::new(Map::new()));
        }
        // The error's own text would quote the body.
        let value = serde_json::from_slice(body).map_err(|error| {
            let what = if error.is_eof() { "ends too early" } else { "is not JSON" };
            let (line, column) = (error.line(), error.column());
            let detail = format!("the body {what} at line {line}, column {column}");
            Problem::new(Kind::InvalidJson, detail)
        })?;
        match value {
            Value::Object(map) => Ok(Self::new(map)),
            _ => Err(Problem::new(Kind::InvalidJson, "the body must be a JSON object")),
        }
    }

    /// Reads a map.
    pub(super) fn new(map: Map<String, Value>) -> Self {
        let (known, faults) = (Vec::new(), Vec::new());
        Self { left: map, prefix: String::new(), known, faults, query: false }
    }

    /// Reads a query's parameters, each of them text: a number is made of digits only.
    pub(super) fn query(pairs: &[(String, String)]) -> Self {
        let mut fields = Self { query: true, ..Self::new(Map::new()) };
        for (name, text) in pairs {
            if fields.left.insert(name.clone(), Value::from(text.as_str())).is_some() {
                // A name is the client's own text, of any length.
                let name: String = name.chars().take(64).collect();
                fields.fault(&name, "is there twice");
            }
        }
        fields
    }

    /// What has not been read yet.
    pub(super) fn into_left(self) -> Map<String, Value> {
        self.left
    }

    /// A field's value; `null` is the same as none.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Whether a field is there and not `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether a field is there, `null` or not.
    pub(super) fn names(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Records what is wrong with a field.
    pub(super) fn fault(&mut self, name: &str, detail: impl Into<String>) {
        let field = format!("{}{name}", self.prefix);
        self.faults.push(Fault { index: None, field: Some(field), detail: detail.into() });
    }

    /// Text with a length within `length`, in characters.
    pub(super) fn text(&mut self, name: &'static str, length: RangeInclusive<usize>) -> String {
        match self.take(name) {
            Some(value) => self.check_text(name, &value, length),
            None => self.missing(name, &format!("text of {} characters", span(&length))),
        }
    }

    /// A secret of 8 to 256 characters, if given. No fault quotes it.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let value = self.take(name)?;
        let fits = |text: &&str| (8..=256).contains(&text.chars().count());
        let secret = value.as_str().filter(fits).map(Secret::new);
        if secret.is_none() {
            self.fault(name, "must be text of 8 to 256 characters");
        }
        secret
    }

    /// The same for a field that may be absent.
    pub(super) fn optional_text(
        &mut self,
        name: &'static str,
        length: RangeInclusive<usize>,
    ) -> Option<String> {
        self.take(name).map(|value| self.check_text(name, &value, length))
    }

    /// A list of different texts, empty by default.
    pub(super) fn texts(
        &mut self,
        name: &'static str,
        count: usize,
        length: RangeInclusive<usize>,
    ) -> Vec<String> {
        let values = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) if values.len() <= count => values,
            Some(_) => {
                self.fault(name, format!("must be an array of at most {count} texts"));
                return Vec::new();
            }
        };
        let mut texts: Vec<String> = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let name = format!("{name}[{index}]");
            let text = self.check_text(&name, value, length.clone());
            if !text.is_empty() && texts.contains(&text) {
                self.fault(&name, "is there twice");
            }
            texts.push(text);
        }
        texts
    }

    /// `true` or `false`, if given.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.fault(name, "must be true or false");
        }
        flag
    }

    /// A whole number within `range`, if given.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        range: &RangeInclusive<usize>,
    ) -> Option<usize> {
        let value = self.take(name)?;
        let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if self.query {
            value.as_str().filter(digits).and_then(|text| text.parse().ok())
        } else {
            value.as_u64().and_then(|number| usize::try_from(number).ok())
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.fault(name, format!("must be a whole number, {}", span(range)));
        }
        number
    }

    /// A point in time, if given: milliseconds of the Unix epoch.
    pub(super) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let latest = usize::try_from(LATEST.0).unwrap_or(usize::MAX);
        let number = self.number(name, &(0..=latest))?;
        i64::try_from(number).ok().map(Timestamp)
    }

    /// One of some words, if given.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let value = self.take(name)?;
        let found = words.iter().find(|(word, _)| value.as_str() == Some(word));
        if found.is_none() {
            self.fault(name, format!("must be {}", alternatives(words)));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// Some of some words, if given.
    pub(super) fn words<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<Vec<T>> {
        let value = self.take(name)?;
        let meaning = |value: &Value| {
            let found = words.iter().find(|(word, _)| value.as_str() == Some(word));
            found.map(|(_, meaning)| *meaning)
        };
        let twice = |list: &[Value]| (1..list.len()).any(|n| list[..n].contains(&list[n]));
        let found = value.as_array().filter(|list| !list.is_empty() && !twice(list));
        let found = found.and_then(|list| list.iter().map(meaning).collect());
        if found.is_none() {
            let detail = format!("must be an array of one or more of {}", alternatives(words));
            self.fault(name, format!("{detail}, each once"));
        }
        found
    }

    /// Reads an object within this one.
    pub(super) fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        let map = match self.take(name) {
            Some(Value::Object(map)) => map,
            Some(_) => {
                self.fault(name, "must be an object");
                return read(&mut Self::new(Map::new()));
            }
            None => Map::new(),
        };
        let mut inner = Self::new(map);
        inner.prefix = format!("{}{name}.", self.prefix);
        let result = read(&mut inner);
        self.faults.append(&mut inner.into_faults());
        result
    }

    /// Records that a required field is missing.
    pub(super) fn missing<T: Default>(&mut self, name: &str, what: &str) -> T {
        self.fault(name, format!("is required: {what}"));
        T::default()
    }

    /// Refuses the request if anything was wrong, or if a field was never asked for.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let query = self.query;
        let faults = self.into_faults();
        if faults.is_empty() {
            return Ok(());
        }
        let mut names: Vec<_> = faults.iter().filter_map(|fault| fault.field.as_deref()).collect();
        names.dedup();
        let place = if query { " in the query" } else { "" };
        let detail = format!("not valid{place}: {}", names.join(", "));
        Err(Problem::new(Kind::InvalidField, detail).with_errors(faults))
    }

    fn into_faults(mut self) -> Vec<Fault> {
        let (cannot, all) =
            if self.query { ("is not known", "parameters") } else { ("cannot be set", "fields") };
        let known = match self.known.as_slice() {
            [] => "no field is taken here".to_owned(),
            known => format!("the {all} are {}", known.join(", ")),
        };
        for name in std::mem::take(&mut self.left).keys() {
            // A name is the client's own text, of any length.
            let name: String = name.chars().take(64).collect();
            self.fault(&name, format!("{cannot}: {known}"));
        }
        self.faults
    }

    fn check_text(&mut self, name: &str, value: &Value, length: RangeInclusive<usize>) -> String {
        let fault = match value.as_str() {
            Some(text) if !length.contains(&text.chars().count()) => None,
            Some(text) if text.chars().any(char::is_control) => Some("without control characters"),
            // SQS refuses messages with these.
            Some(text) if text.contains(['\u{FFFE}', '\u{FFFF}']) => {
                Some("without the characters U+FFFE and U+FFFF")
            }
            Some(text) if text.trim() != text => Some("without spaces at its ends"),
            Some(text) => return text.to_owned(),
            None => None,
        };
        let what = fault.map_or_else(|| format!("of {} characters", span(&length)), str::to_owned);
        self.fault(name, format!("must be text {what}"));
        String::new()
    }
}

/// The words in a sentence: `split` or `standard`.
pub(super) fn alternatives<T>(words: &[(&'static str, T)]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    words.join(" or ")
}

fn span(range: &RangeInclusive<usize>) -> String {
    format!("{} to {}", range.start(), range.end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        Fields::parse(value.to_string().as_bytes()).ok().unwrap()
    }

    fn faults(fields: Fields) -> Vec<(String, String)> {
        let problem = fields.finish().unwrap_err();
        assert_eq!(problem.kind, Kind::InvalidField);
        problem.errors.into_iter().map(|fault| (fault.field.unwrap(), fault.detail)).collect()
    }

    #[test]
    fn a_body_that_is_not_json_is_told_where() {
        for (body, expected) in [
            ("{\"a\":\n x}", "the body is not JSON at line 2, column 2"),
            ("{\"a\":", "the body ends too early at line 1, column 5"),
            ("{} {}", "the body is not JSON at line 1, column 4"),
            ("[]", "the body must be a JSON object"),
            ("null", "the body must be a JSON object"),
            ("\"hidden\"", "the body must be a JSON object"),
        ] {
            let problem = Fields::parse(body.as_bytes()).err().unwrap();
            assert_eq!((problem.kind, problem.detail.as_str()), (Kind::InvalidJson, expected));
        }
        assert!(Fields::parse(b"\xff").is_err());
        for empty in ["", "  \n", "{}"] {
            Fields::parse(empty.as_bytes()).ok().unwrap().finish().unwrap();
        }
    }

    #[test]
    fn every_fault_is_collected_with_its_path_and_what_is_allowed() {
        let mut fields = fields(&json!({
            "name": 7, "long": "abcd", "flag": "yes", "count": 501, "half": 1.5, "kind": "odd",
            "list": ["a", "a", "", 3], "many": ["a", "b", "c", "d", "e"],
            "inner": {"id": "\u{7}", "other": 1}, "flat": [], "new": null, "spaced": " a",
        }));
        fields.text("name", 1..=3);
        fields.text("long", 1..=3);
        fields.text("absent", 1..=3);
        fields.text("spaced", 1..=3);
        fields.flag("flag");
        fields.number("count", &(1..=500));
        fields.number("half", &(1..=500));
        fields.word("kind", &[("split", 1), ("standard", 2)]);
        fields.texts("list", 4, 1..=3);
        fields.texts("many", 4, 1..=3);
        fields.object("inner", |inner| {
            inner.text("id", 1..=3);
            inner.text("name", 1..=3);
        });
        fields.object("flat", |flat| flat.text("id", 1..=3));
        let expected = [
            ("name", "must be text of 1 to 3 characters"),
            ("long", "must be text of 1 to 3 characters"),
            ("absent", "is required: text of 1 to 3 characters"),
            ("spaced", "must be text without spaces at its ends"),
            ("flag", "must be true or false"),
            ("count", "must be a whole number, 1 to 500"),
            ("half", "must be a whole number, 1 to 500"),
            ("kind", "must be `split` or `standard`"),
            ("list[1]", "is there twice"),
            ("list[2]", "must be text of 1 to 3 characters"),
            ("list[3]", "must be text of 1 to 3 characters"),
            ("many", "must be an array of at most 4 texts"),
            ("inner.id", "must be text without control characters"),
            ("inner.name", "is required: text of 1 to 3 characters"),
            ("inner.other", "cannot be set: the fields are id, name"),
            ("flat", "must be an object"),
        ];
        let found = faults(fields);
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0.as_str(), found.1.as_str()), expected);
        }
        assert_eq!(found.len(), expected.len() + 1);
        assert_eq!(found.last().unwrap().0, "new", "an unknown field, though it is null");
    }

    #[test]
    fn a_query_is_read_as_an_object_is() {
        let query = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> =
                pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
            Fields::query(&pairs)
        };
        let mut good =
            query(&[("from", "0"), ("to", "9999999999999"), ("text", "a b"), ("n", "007")]);
        assert_eq!(good.time("from"), Some(Timestamp(0)));
        assert_eq!(good.time("to"), Some(Timestamp(9_999_999_999_999)));
        assert_eq!(good.text("text", 1..=3), "a b");
        assert_eq!(good.number("n", &(1..=9)), Some(7));
        good.finish().unwrap();

        let pairs = [
            ("to", "+5"),
            ("from", "10000000000000"),
            ("from", "1"),
            ("from", "-1"),
            ("odd", "1"),
            ("limit", ""),
        ];
        let mut bad = query(&pairs);
        bad.time("to");
        bad.time("from");
        bad.number("limit", &(1..=9));
        let range = "must be a whole number, 0 to 9999999999999";
        let expected = [
            ("from", "is there twice"),
            ("from", "is there twice"),
            ("to", range),
            ("from", range),
            ("limit", "must be a whole number, 1 to 9"),
            ("odd", "is not known: the parameters are to, from, limit"),
        ];
        assert_eq!(faults(bad), expected.map(|(name, detail)| (name.into(), detail.into())));
    }

    #[test]
    fn good_values_are_read_and_null_is_none() {
        let mut fields = fields(&json!({
            "name": "Ünï", "flag": false, "count": 500, "kind": "b", "list": ["x", "y"],
            "null": null, "inner": {"id": "i"},
        }));
        assert_eq!(fields.text("name", 1..=3), "Ünï", "characters, not bytes");
        assert_eq!(fields.flag("flag"), Some(false));
        assert_eq!(fields.number("count", &(1..=500)), Some(500));
        assert_eq!(fields.word("kind", &[("a", 1), ("b", 2)]), Some(2));
        assert_eq!(fields.texts("list", 2, 1..=1), ["x", "y"]);
        assert_eq!(fields.optional_text("null", 1..=3), None);
        assert_eq!(fields.object("inner", |inner| inner.text("id", 1..=3)), "i");
        fields.finish().unwrap();
    }
}
