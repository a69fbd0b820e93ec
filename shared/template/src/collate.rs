//! Comparing texts as FreeMarker does: by Java's collation rules for `en_US`, at its default strength.
//!
//! To them control characters do not count, letters come in order of the alphabet with capitals after small ones, and
//! white space counts only between texts that are otherwise alike. The weights are those that Java 17 gives to the
//! characters of ASCII. Beyond ASCII, texts are only compared where Java's rules cannot differ from comparing
//! characters, and not ordered at all: an error rather than another order.

use std::cmp::Ordering;

/// Characters that do not count.
fn ignorable(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

/// Characters that may be equal to others, alone or combined: found by comparing the weights of all.
fn ambiguous(character: char) -> bool {
    matches!(
        u32::from(character),
        // Marks, which with a letter are the letter that has the mark.
        0x0300..=0x036F
            // Two characters for one sign.
            | 0x037E | 0x0385 | 0x0387 | 0x1FC1 | 0x1FED..=0x1FEF | 0x1FFD | 0x2000..=0x2003 | 0x212A | 0x212B
            // Vowels that are written before the consonant they follow.
            | 0x0E40..=0x0E44 | 0x0EC0..=0x0EC4
    )
}

/// Whether two texts are equal.
pub(crate) fn equal(a: &str, b: &str) -> Result<bool, String> {
    if a == b {
        return Ok(true);
    }
    if a.bytes()
        .chain(b.bytes())
        .all(|byte| (b' '..0x7F).contains(&byte) || (0x9..=0xD).contains(&byte))
    {
        return Ok(false);
    }
    if a.chars().filter(|c| !ignorable(*c)).eq(b.chars().filter(|c| !ignorable(*c))) {
        return Ok(true);
    }
    if a.chars().chain(b.chars()).any(ambiguous) {
        return Err("these texts hold characters that may be written in several ways, and cannot be compared".to_owned());
    }
    Ok(false)
}

/// A text's weights, strongest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    primary: Vec<u8>,
    secondary: Vec<u8>,
    tertiary: Vec<u8>,
}

/// Where a text stands in order.
pub(crate) fn key(text: &str) -> Result<Key, String> {
    let mut key = Key { primary: Vec::new(), secondary: Vec::new(), tertiary: Vec::new() };
    for character in text.chars() {
        let byte = u8::try_from(character).ok().filter(u8::is_ascii);
        let Some(byte) = byte else {
            return Err("only texts of ASCII characters can be sorted".to_owned());
        };
        let (primary, secondary, tertiary) = weights(byte);
        if primary != 0 {
            key.primary.push(primary);
            key.secondary.push(1);
            key.tertiary.push(1 + tertiary);
        } else {
            if secondary != 0 {
                key.secondary.push(1 + secondary);
            }
            if tertiary != 0 {
                key.tertiary.push(3 + tertiary);
            }
        }
    }
    Ok(key)
}

impl Key {
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }
}

/// Punctuation in Java's order; the number is the first weight of a run.
const PUNCTUATION: &[(u8, u8)] = &[
    (b'_', 0x01),
    (b',', 0x03),
    (b';', 0x04),
    (b':', 0x05),
    (b'!', 0x06),
    (b'?', 0x08),
    (b'/', 0x0A),
    (b'.', 0x0B),
    (b'`', 0x0D),
    (b'^', 0x0E),
    (b'~', 0x10),
    (b'\'', 0x13),
    (b'"', 0x14),
    (b'(', 0x17),
    (b')', 0x18),
    (b'[', 0x19),
    (b']', 0x1A),
    (b'{', 0x1B),
    (b'}', 0x1C),
    (b'@', 0x21),
    (b'$', 0x27),
    (b'*', 0x34),
    (b'\\', 0x35),
    (b'&', 0x36),
    (b'#', 0x37),
    (b'%', 0x38),
    (b'+', 0x39),
    (b'<', 0x3D),
    (b'=', 0x3E),
    (b'>', 0x3F),
    (b'|', 0x41),
];

/// The three weights of an ASCII character.
fn weights(byte: u8) -> (u8, u8, u8) {
    match byte {
        b'0'..=b'9' => (0x45 + byte - b'0', 0, 0),
        b'a'..=b'd' => (0x52 + byte - b'a', 0, 0),
        b'e'..=b'z' => (0x57 + byte - b'e', 0, 0),
        b'A'..=b'Z' => (weights(byte.to_ascii_lowercase()).0, 0, 1),
        b' ' => (0, 0x01, 0),
        b'\r' => (0, 0x0E, 0),
        b'\t' => (0, 0x0F, 0),
        b'\n' => (0, 0x10, 0),
        0x0C => (0, 0x11, 0),
        0x0B => (0, 0x12, 0),
        b'-' => (0, 0x6D, 1),
        _ => (
            PUNCTUATION.iter().find(|(known, _)| *known == byte).map_or(0, |(_, weight)| *weight),
            0,
            0,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_java() {
        let mut words = vec!["b", "a b", "A", "ab", "a", "C", "a-b", "_z", "10", "9", ""];
        words.sort_by_key(|word| key(word).unwrap());
        assert_eq!(words, ["", "_z", "10", "9", "a", "A", "ab", "a b", "a-b", "b", "C"]);
    }

    #[test]
    fn control_characters_do_not_count() {
        assert_eq!(equal("a\u{1}b", "ab"), Ok(true));
        assert_eq!(equal("a\u{1}b", "ac"), Ok(false));
        assert_eq!(equal("é", "e"), Ok(false));
        assert!(equal("é", "e\u{301}").is_err());
    }
}
