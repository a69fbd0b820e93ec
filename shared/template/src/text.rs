//! Texts as Java has them: places counted in UTF-16 units, and Java's notions of white space.

/// The length in UTF-16 units.
pub(crate) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// The byte at which a UTF-16 unit begins; absent when it is the second half of a character, or beyond the end.
pub(crate) fn at_unit(text: &str, unit: usize) -> Option<usize> {
    if text.is_ascii() {
        return (unit <= text.len()).then_some(unit);
    }
    let mut seen = 0;
    for (at, character) in text.char_indices() {
        if seen == unit {
            return Some(at);
        }
        seen += character.len_utf16();
    }
    (seen == unit).then_some(text.len())
}

/// The UTF-16 unit at which a byte stands.
pub(crate) fn unit_at(text: &str, byte: usize) -> usize {
    units(text.get(..byte).unwrap_or_default())
}

/// Whether every character is one UTF-16 unit.
pub(crate) fn is_basic(text: &str) -> bool {
    text.is_ascii() || text.chars().all(|character| character.len_utf16() == 1)
}

/// `Character.isWhitespace`: not the no-break spaces, but the separators of files and groups.
pub(crate) fn is_space(character: char) -> bool {
    match character {
        '\t'..='\r' | '\u{1c}'..='\u{1f}' | ' ' => true,
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}' => false,
        other => !other.is_ascii() && other.is_whitespace(),
    }
}

/// `String.trim`: everything up to the space.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|character| character <= ' ')
}

/// `Character.toUpperCase`, which maps one character to one.
pub(crate) fn upper(character: char) -> char {
    single(character, character.to_uppercase())
}

/// `Character.toLowerCase`, which maps one character to one.
pub(crate) fn lower(character: char) -> char {
    if character == 'İ' { 'i' } else { single(character, character.to_lowercase()) }
}

fn single(character: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) if character.len_utf16() == 1 => one,
        _ => character,
    }
}
