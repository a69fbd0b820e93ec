//! What an endpoint answered, as text that can be shown.

use crate::{destination::Destination, integration::Integration};

/// So much of an answer is kept.
const KEPT: usize = 1024;
/// Parts of a URL's path that are so long, and its query, may be secrets.
const SECRET_PART: usize = 12;
/// In the place of a secret.
pub(crate) const MASK: &str = "***";

/// How an answer begins, up to 1 KiB: `None` where there is none, or it is no text. Control
/// characters become spaces, and what of the integration's own secrets it repeats is masked: many
/// endpoints show the request that they got.
pub fn answer_text(body: &[u8], integration: &Integration, to: &Destination) -> Option<String> {
    let text = beginning(body)?;
    let masked = secrets(integration, to).fold(text, |text, secret| text.replace(&secret, MASK));
    let clean = masked.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c });
    let clean: String = clean.collect::<String>().trim().chars().collect();
    let end = clean.floor_char_boundary(KEPT);
    (!clean.is_empty()).then(|| clean[..end].to_owned())
}

/// The text that a body begins with; a character that was cut off at its end is left out.
fn beginning(body: &[u8]) -> Option<String> {
    // More than is kept: a secret that crosses the end must be found.
    let body = &body[..body.len().min(2 * KEPT)];
    match std::str::from_utf8(body) {
        Ok(text) => Some(text.to_owned()),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok().map(str::to_owned)
        }
        Err(_) => None,
    }
}

/// Longer ones first, so that none hides the rest of another.
fn secrets(integration: &Integration, to: &Destination) -> impl Iterator<Item = String> {
    let own = &integration.own;
    let old = own.old_secret.as_ref().map(|old| &old.secret);
    let kept = own.headers.values().chain(&own.secret).chain(old);
    let url = to.url();
    let mut all: Vec<_> = kept.map(|secret| secret.reveal().to_owned()).collect();
    // A path may be a capability, as Slack's are; a short part of one is none.
    let parts = url.path().split('/').filter(|part| part.len() >= SECRET_PART);
    all.extend(parts.chain(url.query()).map(str::to_owned));
    all.retain(|secret| !secret.is_empty());
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        destination::Allowed, integration::Own, memory::integration, preset::Preset, secret::Secret,
    };

    fn shown(body: &[u8]) -> Option<String> {
        let own = Own {
            headers: [("Authorization".to_owned(), Secret::new("Bearer t0p"))].into(),
            secret: Some(Secret::new("hunter2-hunter2")),
            ..Own::default()
        };
        let url = "https://hooks.example.com/services/T0123456/abcdefghijkl?token=abc".to_owned();
        let integration = Integration { own, url, preset: Preset::Standard, ..integration("i") };
        let to = Destination::parse(&integration.url, &Allowed::default()).unwrap();
        answer_text(body, &integration, &to)
    }

    #[test]
    fn an_answer_is_shown_as_text_of_1_kib() {
        assert_eq!(shown(b" no such\tkey\r\n"), Some("no such key".to_owned()));
        assert_eq!(shown("\u{e4}".repeat(600).as_bytes()).unwrap().len(), 1024);
        let cut = [b"x".repeat(2047), vec![0xc3, 0xa4]].concat();
        assert_eq!(shown(&cut), Some("x".repeat(1024)));
        for nothing in [&b""[..], b"  \n", b"\x1f\x8b\x08", b"ok \xff\xfe"] {
            assert_eq!(shown(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn what_it_repeats_of_the_integrations_secrets_is_masked() {
        let echo =
            b"POST /services/T0123456/abcdefghijkl?token=abc Authorization: Bearer t0p hunter2-hunter2";
        let masked = "POST /services/T0123456/***?*** Authorization: *** ***";
        assert_eq!(shown(echo), Some(masked.to_owned()));
        let late = [b"x".repeat(1_020), b"hunter2-hunter2".to_vec()].concat();
        assert_eq!(shown(&late), Some(format!("{}***", "x".repeat(1_020))));
    }
}
