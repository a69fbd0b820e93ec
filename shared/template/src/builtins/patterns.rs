//! Regular expressions: Java's, as far as they mean the same to an engine whose time grows with the text only.
//!
//! A pattern is read and written anew for the `regex` crate: `\d`, `\w`, `\s` and `.` as Java has them. What means
//! something else there, or nothing, is an error: look-around, back references, possessive quantifiers.

use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::Site;
use crate::{context::Context, error::Outcome};

/// Bytes of a pattern.
const MAX_PATTERN: usize = 512;
/// Bytes of a compiled pattern.
const MAX_COMPILED: usize = 48 * 1024;
/// Bytes of a text that a pattern is matched with.
const MAX_SEARCHED: usize = 64 * 1024;
/// Java's line terminators.
const TERMINATORS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// The flags of FreeMarker's regular expressions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "these are independent letters of one argument")]
pub(super) struct Flags {
    pub(super) regex: bool,
    pub(super) ignore_case: bool,
    pub(super) first_only: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
}

impl Flags {
    pub(super) fn parse(text: &str, site: Site) -> Outcome<Self> {
        let mut flags = Self::default();
        for letter in text.chars() {
            match letter {
                'r' => flags.regex = true,
                'i' => flags.ignore_case = true,
                'f' => flags.first_only = true,
                'm' => flags.multi_line = true,
                's' => flags.dot_all = true,
                'c' => {
                    return Err(site.pos.unsupported("the flag c, for comments, is not supported"));
                }
                _ => {
                    return Err(site
                        .pos
                        .unsupported("other flags than r, i, f, m and s are not supported"));
                }
            }
        }
        Ok(flags)
    }
}

/// A compiled pattern, and what a text must be for it to mean what it means in Java.
pub(super) struct Pattern {
    pub(super) regex: Rc<Regex>,
    /// The same, but matching the whole text only.
    ascii_only: bool,
    no_line_breaks: bool,
}

impl Pattern {
    /// Compiles; `whole` asks for matches of a whole text only.
    pub(super) fn compile(
        cx: &mut Context<'_>,
        text: &str,
        flags: Flags,
        whole: bool,
        site: Site,
    ) -> Outcome<Self> {
        let translated = Translated::of(text, flags).map_err(|why| {
            site.pos.unsupported(format!(
                "the regular expression is not possible, or not supported: {why}"
            ))
        })?;
        let source =
            if whole { format!(r"\A(?:{})\z", translated.source) } else { translated.source };
        let key =
            format!("{}{}{}", u8::from(flags.ignore_case), u8::from(flags.multi_line), source);
        let regex = cx.pattern(key, site.pos, || {
            RegexBuilder::new(&source)
                .case_insensitive(flags.ignore_case)
                .multi_line(flags.multi_line)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(4 * MAX_COMPILED)
                .nest_limit(32)
                .build()
                .map_err(|_| {
                    "the regular expression is not possible, or not supported, being too large"
                        .to_owned()
                })
        })?;
        Ok(Self {
            regex,
            ascii_only: translated.ascii_only,
            no_line_breaks: translated.no_line_breaks,
        })
    }

    /// Pays for searching a text, and checks that the pattern means there what it means in Java.
    pub(super) fn admit(&self, cx: &mut Context<'_>, text: &str, site: Site) -> Outcome<()> {
        if text.len() > MAX_SEARCHED {
            return Err(site
                .pos
                .over(format!("a regular expression searches at most {MAX_SEARCHED} bytes")));
        }
        // The engine may look at each byte once for each part of the pattern.
        let parts = self.regex.as_str().len();
        cx.spend(64 + text.len() * parts / 256, site.pos)?;
        if self.ascii_only && !text.is_ascii() {
            return Err(site.pos.unsupported(
                "this regular expression, with \\b or the flag i, is for ASCII texts only",
            ));
        }
        if self.no_line_breaks && text.contains(TERMINATORS) {
            return Err(site
                .pos
                .unsupported("`$` and `^` are not supported with a text that has line breaks"));
        }
        Ok(())
    }

    /// The matches in order, as Java's `Matcher.find` finds them: empty ones too, also just after another.
    pub(super) fn find_all(
        &self,
        cx: &mut Context<'_>,
        text: &str,
        first_only: bool,
        site: Site,
        mut each: impl FnMut(&mut Context<'_>, &regex::Captures<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        self.admit(cx, text, site)?;
        let mut at = 0;
        while at <= text.len() {
            let Some(captures) = self.regex.captures_at(text, at) else { break };
            let Some(whole) = captures.get(0) else { break };
            // Each search begins anew: it costs a part of the text again.
            cx.spend(4 + (whole.end() - at) / 16, site.pos)?;
            each(cx, &captures)?;
            if first_only {
                break;
            }
            at = whole.end();
            if whole.is_empty() {
                let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                if next.len_utf16() > 1 {
                    return Err(site.pos.unsupported(
                        "an empty match would cut a character that takes two places",
                    ));
                }
                at += next.len_utf8();
            }
        }
        Ok(())
    }
}

/// A pattern in the words of the `regex` crate.
struct Translated {
    source: String,
    ascii_only: bool,
    no_line_breaks: bool,
}

impl Translated {
    fn of(pattern: &str, flags: Flags) -> Result<Self, &'static str> {
        if pattern.len() > MAX_PATTERN {
            return Err("it is too long");
        }
        if flags.ignore_case && !pattern.is_ascii() {
            return Err("the flag i is for ASCII only");
        }
        let mut made =
            Self { source: String::new(), ascii_only: flags.ignore_case, no_line_breaks: false };
        let mut characters = pattern.chars().peekable();
        let mut quantified = false;
        while let Some(character) = characters.next() {
            let mut quantifier = false;
            match character {
                '\\' => made.escape(characters.next())?,
                '[' => made.class(&mut characters)?,
                '(' => made.group(&mut characters)?,
                '.' if flags.dot_all => made.source.push_str("(?s:.)"),
                '.' => made.source.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
                '$' | '^' => {
                    made.no_line_breaks |= character == '$' || flags.multi_line;
                    made.source.push(character);
                }
                '*' | '+' | '?' => {
                    if quantified {
                        return Err("two quantifiers stand beside each other");
                    }
                    made.source.push(character);
                    made.lazy(&mut characters)?;
                    quantifier = true;
                }
                '{' => {
                    if quantified {
                        return Err("two quantifiers stand beside each other");
                    }
                    made.count(&mut characters)?;
                    made.lazy(&mut characters)?;
                    quantifier = true;
                }
                '}' | ']' => {
                    made.source.push('\\');
                    made.source.push(character);
                }
                '&' | '~' | '#' | '-' | '<' | '>' | ' ' | '|' | ')' => made.source.push(character),
                other => made.source.push(other),
            }
            quantified = quantifier;
        }
        Ok(made)
    }

    fn escape(&mut self, escaped: Option<char>) -> Result<(), &'static str> {
        match escaped {
            Some('b' | 'B') => {
                self.ascii_only = true;
                self.source.push_str(if escaped == Some('b') { r"(?-u:\b)" } else { r"\B" });
            }
            Some('A' | 'z') => {
                self.source.push('\\');
                self.source.extend(escaped);
            }
            other => {
                let class = one(other)?;
                self.source.push_str(&class);
            }
        }
        Ok(())
    }

    fn class(
        &mut self,
        characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ) -> Result<(), &'static str> {
        self.source.push('[');
        if characters.next_if_eq(&'^').is_some() {
            self.source.push('^');
        }
        let mut first = true;
        loop {
            match characters.next() {
                None => return Err("a class in [ ] has no end"),
                Some(']') if !first => break,
                Some('[' | ']') => return Err("a bracket within [ ] needs a backslash"),
                Some('&') if characters.peek() == Some(&'&') => {
                    return Err("&& in [ ] is not supported");
                }
                Some('\\') => {
                    let inner = one(characters.next())?;
                    self.source.push_str(&inner);
                }
                Some('-') if !first && characters.peek() != Some(&']') => self.source.push('-'),
                Some(character) => {
                    if character.is_ascii_punctuation() {
                        self.source.push('\\');
                    }
                    self.source.push(character);
                }
            }
            first = false;
        }
        self.source.push(']');
        Ok(())
    }

    fn group(
        &mut self,
        characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ) -> Result<(), &'static str> {
        self.source.push('(');
        if characters.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        if characters.next_if_eq(&':').is_some() {
            self.source.push_str("?:");
            return Ok(());
        }
        Err("of (?…) only (?:…) is supported")
    }

    fn lazy(
        &mut self,
        characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ) -> Result<(), &'static str> {
        if characters.next_if_eq(&'?').is_some() {
            self.source.push('?');
        }
        if characters.peek() == Some(&'+') {
            return Err("possessive quantifiers are not supported");
        }
        Ok(())
    }

    fn count(
        &mut self,
        characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ) -> Result<(), &'static str> {
        self.source.push('{');
        let mut inside = String::new();
        loop {
            match characters.next() {
                Some('}') => break,
                Some(character) if character.is_ascii_digit() || character == ',' => {
                    inside.push(character);
                }
                _ => return Err("a { begins a number of times, or needs a backslash"),
            }
        }
        let (least, most) = inside.split_once(',').unwrap_or((&inside, ""));
        let fine = |text: &str| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        if least.is_empty() || !fine(least) || !fine(most) {
            return Err("a number of times is not possible");
        }
        self.source.push_str(&inside);
        self.source.push('}');
        Ok(())
    }
}

/// An escape that stands for one character, inside a class or outside.
fn one(escaped: Option<char>) -> Result<String, &'static str> {
    Ok(match escaped {
        None => return Err("it ends with a backslash"),
        Some('d') => "[0-9]".to_owned(),
        Some('D') => "[^0-9]".to_owned(),
        Some('w') => "[a-zA-Z0-9_]".to_owned(),
        Some('W') => "[^a-zA-Z0-9_]".to_owned(),
        Some('s') => r"[ \t\n\x0B\f\r]".to_owned(),
        Some('S') => r"[^ \t\n\x0B\f\r]".to_owned(),
        Some(control @ ('t' | 'n' | 'r' | 'f')) => format!("\\{control}"),
        Some(character) if character.is_ascii_punctuation() => format!("\\{character}"),
        Some(_) => return Err("an escape is not supported"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pattern: &str) -> Result<String, &'static str> {
        Translated::of(pattern, Flags::default()).map(|made| made.source)
    }

    #[test]
    fn patterns_are_read_as_java_reads_them() {
        assert_eq!(source(r"a\d+?"), Ok("a[0-9]+?".to_owned()));
        assert_eq!(source("[^a-z_]{2,3}"), Ok(r"[^a-z\_]{2,3}".to_owned()));
        assert_eq!(source(r"[\w.-]"), Ok(r"[[a-zA-Z0-9_]\.\-]".to_owned()));
    }

    #[test]
    fn what_differs_is_refused() {
        for pattern in [
            "a++", "(?=a)", "(?i)a", r"\1", r"\p{L}", "[a&&b]", "[[a]]", "{2}{3}", r"\Qa\E", "a**",
            "a{1,2}+",
        ] {
            let refused =
                source(pattern).is_err() || Regex::new(&source(pattern).unwrap()).is_err();
            assert!(refused, "{pattern}");
        }
    }
}
