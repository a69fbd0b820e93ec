//! Text compared without regard to case.
//!
//! Two texts are alike if their characters, each in Unicode's lower case, are the same. (Not the
//! case folding of whole words: `ß` and `SS` differ, as in EventBridge.)

/// `text` in lower case, character by character.
pub(crate) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether `text` is `lowered` but for case.
pub(crate) fn equals(text: &str, lowered: &str) -> bool {
    text.chars().flat_map(char::to_lowercase).eq(lowered.chars())
}

/// Whether `text` starts with `lowered` but for case.
pub(crate) fn starts_with(text: &str, lowered: &str) -> bool {
    let mut rest = text.chars().flat_map(char::to_lowercase);
    lowered.chars().all(|wanted| rest.next() == Some(wanted))
}

/// Whether `text` ends with `lowered` but for case.
pub(crate) fn ends_with(text: &str, lowered: &str) -> bool {
    let mut rest = text.chars().rev().flat_map(|c| c.to_lowercase().rev());
    lowered.chars().rev().all(|wanted| rest.next() == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count() {
        assert!(equals("ALICE", &lower("alice")) && equals("ÄÖ", &lower("äö")) && equals("", ""));
        assert!(
            !equals("alice", &lower("alic"))
                && !equals("alic", &lower("alice"))
                && !equals("ss", &lower("ß"))
        );
        assert!(
            starts_with("EVENTBridge", &lower("EventB")) && !starts_with("Event", &lower("EventB"))
        );
        assert!(ends_with("photo.PNG", &lower(".png")) && !ends_with("PNG", &lower(".png")));
        assert!(starts_with("x", "") && ends_with("x", ""));
    }

    #[test]
    fn a_letter_whose_lower_case_is_two_is_read_from_both_ends() {
        assert_eq!(lower("İ"), "i\u{307}");
        assert!(
            equals("İ", &lower("İ")) && ends_with("aİ", &lower("İ")) && ends_with("aİ", "\u{307}")
        );
    }
}
