//! Text with `*` in it.

use memchr::memmem::Finder;

/// Text in which each `*` stands for any characters or none; `\*` and `\\` are `*` and `\`
/// themselves.
///
/// Kept as the pieces between the stars. The first has to stand at the start and the last at the
/// end; each in between is looked for once, from where the one before it ended, since the
/// leftmost place leaves the most room for the rest. Every search is linear, so that the whole is
/// linear in text and wildcard together, in time and, with no memory of its own, in space. What a
/// search needs to know of its piece is found out once, here, not for each text of each event.
#[derive(Debug, Clone)]
pub(crate) struct Wildcard {
    start: String,
    /// What follows the first star: the pieces in between and the one at the end. Nothing
    /// without a star, when the text has to be `start` itself.
    rest: Option<(Vec<Finder<'static>>, String)>,
    /// The bytes of all pieces together: a shorter text cannot match.
    least: usize,
}

impl Wildcard {
    /// Reads a wildcard, refusing what EventBridge refuses: two stars in a row, and a backslash
    /// before anything but `*` and `\`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = vec![];
        let mut piece = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => {
                    return Err(
                        "two * in a row are not allowed; one stands for any number of characters",
                    );
                }
                '*' => pieces.push(std::mem::take(&mut piece)),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => piece.push(escaped),
                    _ => return Err(r"\ is allowed only as \* for a star and \\ for a backslash"),
                },
                other => piece.push(other),
            }
        }
        let least = pieces.iter().map(String::len).sum::<usize>() + piece.len();
        if pieces.is_empty() {
            return Ok(Self { start: piece, rest: None, least });
        }
        let start = pieces.remove(0);
        let between = pieces.iter().map(|piece| Finder::new(piece).into_owned()).collect();
        Ok(Self { start, rest: Some((between, piece)), least })
    }

    /// Whether the whole of `text` is as the wildcard says.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((between, end)) = &self.rest else { return text == self.start };
        if text.len() < self.least {
            return false;
        }
        let Some(rest) = text.as_bytes().strip_prefix(self.start.as_bytes()) else { return false };
        let Some(mut rest) = rest.strip_suffix(end.as_bytes()) else { return false };
        // Pieces are whole characters, and so UTF-8 finds them at whole characters only.
        for piece in between {
            let Some(at) = piece.find(rest) else { return false };
            rest = rest.get(at + piece.needle().len()..).unwrap_or_default();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(wildcard: &str, text: &str) -> bool {
        Wildcard::parse(wildcard).unwrap().matches(text)
    }

    #[test]
    fn a_star_is_any_characters_or_none() {
        for (wildcard, text) in [
            ("dir/*.png", "dir/a.png"),
            ("dir/*.png", "dir/.png"),
            ("dir/*.png", "dir/sub/a.png"),
            ("*", ""),
            ("*", "anything"),
            ("*a*", "bab"),
            ("a*b*c", "abbc"),
            ("*ab*ab", "abab"),
            ("", ""),
            ("plain", "plain"),
            ("ü*ß", "üß"),
        ] {
            assert!(matches(wildcard, text), "{wildcard} {text}");
        }
        for (wildcard, text) in [
            ("dir/*.png", "dir.png"),
            ("dir/*.png", "dir/a.PNG"),
            ("a*a", "a"),
            ("*ab*ab", "aab"),
            ("ab*ba", "aba"),
            ("", "x"),
            ("plain", "plainer"),
            ("*a*b*", "ba"),
        ] {
            assert!(!matches(wildcard, text), "{wildcard} {text}");
        }
    }

    #[test]
    fn stars_and_backslashes_can_be_escaped() {
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
        assert!(matches(r"a\\*", r"a\anything") && matches(r"\\\**", r"\*x"));
        assert!(matches(r"*\**", "5*5") && !matches(r"*\**", "55"));
    }

    #[test]
    fn what_eventbridge_refuses_is_refused() {
        for wildcard in ["**", "a**b", r"a\", r"\a", r"\\\", r"\***"] {
            assert!(Wildcard::parse(wildcard).is_err(), "{wildcard}");
        }
        assert!(Wildcard::parse(r"\**").is_ok() && Wildcard::parse(r"*\*").is_ok());
    }
}
