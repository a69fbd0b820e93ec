//! JSON as Python's `json.dumps(value, sort_keys=True)` writes it, which is how a Flagsmith server
//! does: keys sorted by code points, `", "` and `": "` between, everything beyond ASCII escaped.
//! Numbers keep their text.

use serde_json::value::RawValue;

use crate::{fault::FieldFault, object::Object};

/// Objects and arrays in each other at most. Each level is read once more than the one above.
const DEPTH: usize = 64;

/// A value in that form, or what is wrong with it: too deep, or half of a surrogate pair.
pub(crate) fn sorted(value: &RawValue) -> Result<String, FieldFault> {
    let mut text = String::with_capacity(value.get().len() * 5 / 4);
    write(value, DEPTH, &mut text)?;
    Ok(text)
}

fn write(value: &RawValue, depth: usize, text: &mut String) -> Result<(), FieldFault> {
    let raw = value.get();
    let broken = || FieldFault::whole("has a text that is not Unicode: half of a surrogate pair");
    let deep = || FieldFault::whole(format!("is nested deeper than {DEPTH} levels"));
    match raw.as_bytes().first() {
        Some(b'"') => string(&serde_json::from_str::<String>(raw).map_err(|_| broken())?, text),
        Some(b'[') => {
            let depth = depth.checked_sub(1).ok_or_else(deep)?;
            let values: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| broken())?;
            text.push('[');
            for (index, value) in values.into_iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write(value, depth, text)?;
            }
            text.push(']');
        }
        Some(b'{') => {
            let depth = depth.checked_sub(1).ok_or_else(deep)?;
            let mut members = Object::read(raw).ok_or_else(broken)?.0;
            // Of several with one name the last, as a dict has it: a stable sort keeps them in order.
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let mut members = members.into_iter().peekable();
            let mut first = true;
            text.push('{');
            while let Some((name, value)) = members.next() {
                if members.peek().is_some_and(|(next, _)| *next == name) {
                    continue;
                }
                text.push_str(if first { "" } else { ", " });
                first = false;
                string(&name, text);
                text.push_str(": ");
                write(value, depth, text)?;
            }
            text.push('}');
        }
        _ => text.push_str(raw),
    }
    Ok(())
}

fn string(value: &str, text: &mut String) {
    use std::fmt::Write;
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<String, String> {
        sorted(serde_json::from_str(text).unwrap()).map_err(|fault| fault.detail)
    }

    /// What `python3 -c 'import json; print(json.dumps(json.loads(...), sort_keys=True))'` prints.
    #[test]
    fn it_is_what_python_writes() {
        for (given, wanted) in [
            (
                r#"{"b":1,"a":[1.50,true,null,{}],"B":[]}"#,
                r#"{"B": [], "a": [1.50, true, null, {}], "b": 1}"#,
            ),
            ("\"é€😀\u{7f}/\"", r#""\u00e9\u20ac\ud83d\ude00\u007f/""#),
            (r#""\u0000\n\r\t\b\f\\\"\u001f""#, r#""\u0000\n\r\t\b\f\\\"\u001f""#),
            (
                r#"{"é":1,"z":2,"😀":3,"\uffff":4,"a":0,"a":9}"#,
                r#"{"a": 9, "z": 2, "\u00e9": 1, "\uffff": 4, "\ud83d\ude00": 3}"#,
            ),
            ("-1e5", "-1e5"),
        ] {
            assert_eq!(written(given).as_deref(), Ok(wanted));
            assert_eq!(written(wanted).as_deref(), Ok(wanted), "twice");
        }
    }

    #[test]
    fn what_cannot_be_written_says_why() {
        assert!(written(r#"["\ud800"]"#).unwrap_err().contains("surrogate"));
        assert!(written(r#"{"\ud800":1}"#).unwrap_err().contains("surrogate"));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(written(&deep).unwrap_err().contains("64"));
        assert!(written(&format!("{}{}", "[".repeat(64), "]".repeat(64))).is_ok());
    }
}
