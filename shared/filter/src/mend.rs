//! The text of an event that is JSON, and that serde_json refuses to read all the same.
//!
//! Two things are like that: an escape that is half of a surrogate pair, which JavaScript's
//! `JSON.stringify` writes for a text that was cut within an emoji, and a number beyond `f64`.
//! Neither is a reason for an event to match nothing. Such events are rare: they are read a second
//! time, with those places written over, and all others do not pay for it.

use serde::de::IgnoredAny;

/// What a number beyond `f64` is written over with. In a mended text it stands for nothing else: a
/// zero that had a sign has lost it.
const BEYOND: &[u8] = b"-0.0";

/// U+FFFD, which half of a pair is written over with.
const REPLACEMENT: &[u8] = br"\ufffd";

/// Whether a number read from a mended text stands for one beyond `f64`.
pub(crate) fn is_beyond(number: f64) -> bool {
    number == 0.0 && number.is_sign_negative()
}

/// The text with such places written over, each within its own length; nothing if it has none. A
/// text that is no JSON is none afterwards.
pub(crate) fn mend(text: &[u8]) -> Option<Vec<u8>> {
    let mut mended = text.to_vec();
    let mut found = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at = match byte {
            b'"' => string(text, at + 1, &mut mended, &mut found),
            b'-' | b'+' | b'.' | b'0'..=b'9' => number(text, at, &mut mended, &mut found),
            _ => at + 1,
        };
    }
    found.then_some(mended)
}

/// Mends the rest of a string, and says where it ends.
fn string(text: &[u8], mut at: usize, mended: &mut [u8], found: &mut bool) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => match unit(text, at) {
                Some(0xD800..=0xDBFF) if matches!(unit(text, at + 6), Some(0xDC00..=0xDFFF)) => {
                    at += 12;
                }
                Some(0xD800..=0xDFFF) => {
                    write(mended, at, at + 6, REPLACEMENT);
                    *found = true;
                    at += 6;
                }
                _ => at += 2,
            },
            _ => at += 1,
        }
    }
    at
}

/// The UTF-16 unit that is escaped here, if one is.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix(br"\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Mends a number, and says where it ends. What fits and what does not is what serde_json takes
/// for it.
fn number(text: &[u8], from: usize, mended: &mut [u8], found: &mut bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let ends = |byte: &u8| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    let token = rest.get(..rest.iter().position(ends).unwrap_or(rest.len())).unwrap_or_default();
    let to = from + token.len();
    match serde_json::from_slice::<f64>(token) {
        Ok(value) if is_beyond(value) => write(mended, from, to, b"0"),
        Err(_) if serde_json::from_slice::<IgnoredAny>(token).is_ok() => {
            write(mended, from, to, BEYOND);
            *found = true;
        }
        _ => {}
    }
    to
}

/// Writes over a part of a text; what is left of the part becomes white space.
fn write(mended: &mut [u8], from: usize, to: usize, with: &[u8]) {
    let Some(part) = mended.get_mut(from..to) else { return };
    part.fill(b' ');
    for (place, byte) in part.iter_mut().zip(with) {
        *place = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> Option<String> {
        mend(text.as_bytes()).map(|mended| String::from_utf8(mended).unwrap())
    }

    #[test]
    fn halves_of_pairs_are_replaced() {
        for (text, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""a\uDE00b":"\uD83D""#, r#""a\ufffdb":"\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(mended(text).as_deref(), Some(expected), "{text}");
        }
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r"\ud83d", r#""\ud8"#, r#""\"#, r#""\u"#]
        {
            assert_eq!(mended(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_beyond_are_marked_and_no_other_is_like_the_mark() {
        assert_eq!(
            mended("[1e999,-0,-0.0,-1e-999,-1E+400,2]").unwrap(),
            "[-0.0 ,0 ,0   ,0      ,-0.0   ,2]"
        );
        assert_eq!(mended(&format!("9{}", "0".repeat(400))).unwrap().trim(), "-0.0");
        for text in [
            "[-0.0]",
            r#""1e999""#,
            "1.7976931348623157e308",
            "01e999",
            "1e999.",
            "+1e999",
            "1.e999",
        ] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
