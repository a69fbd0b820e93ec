//! Escaping for JSON, Java, JavaScript, HTML, XML, RTF and URLs, character by character as FreeMarker does it.

use std::fmt::Write as _;

/// What a text goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Json,
    JavaScript,
    Java,
    Html,
    Xml,
    Rtf,
    Url,
    UrlPath,
}

/// The escaped text.
pub(crate) fn escape(text: &str, target: Target) -> String {
    match target {
        Target::Json => script(text, true),
        Target::JavaScript => script(text, false),
        Target::Java => java(text),
        Target::Html => markup(text, "&#39;"),
        Target::Xml => markup(text, "&apos;"),
        Target::Rtf => rtf(text),
        Target::Url => url(text, false),
        Target::UrlPath => url(text, true),
    }
}

/// The most bytes that one byte becomes.
pub(crate) const GROWTH: usize = 6;

fn hex(out: &mut String, json: bool, character: char) {
    let code = u32::from(character);
    // Writing to a String cannot fail.
    let _ = if json || code > 0xFF {
        write!(out, "\\u{code:04X}")
    } else {
        write!(out, "\\x{code:02X}")
    };
}

/// JSON and JavaScript, where what could end a script element is escaped too.
fn script(text: &str, json: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before: [Option<char>; 2] = [None, None];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let [last, last_but_one] = before;
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\'' if !json => out.push_str("\\'"),
            '/' if matches!(last, None | Some('<')) => out.push_str("\\/"),
            '>' => {
                let risky = match last {
                    None => true,
                    Some(']' | '-') => last_but_one.is_none() || last_but_one == last,
                    Some(_) => false,
                };
                match (risky, json) {
                    (true, true) => hex(&mut out, json, '>'),
                    (true, false) => out.push_str("\\>"),
                    (false, _) => out.push('>'),
                }
            }
            '<' if matches!(characters.peek(), None | Some('!' | '?')) => hex(&mut out, json, '<'),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                hex(&mut out, json, character);
            }
            other => out.push(other),
        }
        before = [Some(character), last];
    }
    out
}

fn java(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out
}

fn markup(text: &str, apostrophe: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str(apostrophe),
            other => out.push(other),
        }
    }
    out
}

fn rtf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if matches!(character, '\\' | '{' | '}') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn url(text: &str, path: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        let safe = byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'!' | b'~' | b'\''..=b'*')
            || (path && byte == b'/');
        if safe {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
