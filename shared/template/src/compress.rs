//! `#compress`: each run of white space becomes one line break, if it has one, else one space.

use crate::text::is_space;

pub(crate) fn compress(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run: Option<&'static str> = None;
    let mut before_all = true;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !is_space(character) {
            if let Some(run) = run.take()
                && !before_all
            {
                out.push_str(run);
            }
            before_all = false;
            out.push(character);
            continue;
        }
        let found = match character {
            '\r' if characters.peek() == Some(&'\n') => "\r\n",
            '\r' => "\r",
            '\n' => "\n",
            _ => " ",
        };
        // The first line break of a run counts.
        if run.is_none_or(|run| run == " ") {
            run = Some(found);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::compress;

    #[test]
    fn runs_become_one_character() {
        assert_eq!(compress("  a  b \t\n\n  c\r\n \r\nd "), "a b\nc\r\nd");
        assert_eq!(compress(" \n "), "");
    }
}
