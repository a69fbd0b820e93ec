//! What was asked of an endpoint, and what it answered, as text that can be shown.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;

use crate::{destination::Destination, integration::Integration};

/// So much of an answer is kept.
const KEPT: usize = 1024;
/// Parts of a URL's path that are so long, and its query, may be secrets.
const SECRET_PART: usize = 12;
/// Pieces of a secret that are shorter may be any word.
const SECRET_PIECE: usize = 5;
/// And so may values of a query's parameters.
const SECRET_VALUE: usize = 8;
/// What stands before credentials in a header. Behind another word they may be secret too, where they are long.
const SCHEMES: [&str; 8] =
    ["basic", "bearer", "token", "apikey", "api-key", "key", "splunk", "geniekey"];
/// In the place of a secret.
pub(crate) const MASK: &str = "***";

/// How an answer begins, up to 1 KiB: `None` where there is none, or it is no text. Control
/// characters become spaces, and what of the integration's own secrets it repeats is masked: many
/// endpoints show the request that they got.
pub fn answer_text(body: &[u8], integration: &Integration, to: &Destination) -> Option<String> {
    let text = beginning(body)?;
    let masked =
        secrets(integration, to).iter().fold(text, |text, secret| text.replace(secret, MASK));
    let clean = masked.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c });
    let clean: String = clean.collect::<String>().trim().chars().collect();
    let end = clean.floor_char_boundary(KEPT);
    (!clean.is_empty()).then(|| clean[..end].to_owned())
}

/// The URL that a request was sent to, without what of it may be a secret.
pub fn shown_url(to: &Destination) -> String {
    let url = to.url();
    let parts: Vec<_> =
        url.path().split('/').map(|part| if may_be_secret(part) { MASK } else { part }).collect();
    let query = url.query().map_or_else(String::new, |_| format!("?{MASK}"));
    format!("{}{}{query}", url.origin().ascii_serialization(), parts.join("/"))
}

/// A path may be a capability, as Slack's are; a short part of one is none.
fn may_be_secret(part: &str) -> bool {
    part.len() >= SECRET_PART
}

/// The text that a body begins with; a character that was cut off at its end is left out.
fn beginning(body: &[u8]) -> Option<String> {
    match std::str::from_utf8(body) {
        Ok(text) => Some(text.to_owned()),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok().map(str::to_owned)
        }
        Err(_) => None,
    }
}

/// Longer ones first, so that none hides the rest of another.
fn secrets(integration: &Integration, to: &Destination) -> Vec<String> {
    let own = &integration.own;
    let old = own.old_secret.as_ref().map(|old| &old.secret);
    let kept = own.headers.values().chain(&own.secret).chain(old);
    let url = to.url();
    let parts = url.path().split('/').filter(|part| may_be_secret(part));
    let mut whole: Vec<_> = kept.map(|secret| secret.reveal().to_owned()).collect();
    whole.extend(parts.chain(url.query()).map(str::to_owned));
    whole.retain(|secret| !secret.is_empty());
    // An endpoint may show less than it was sent: the token alone, or the value of a parameter.
    let mut pieces: Vec<_> = whole.iter().flat_map(|secret| pieces(secret)).collect();
    pieces.retain(|piece| piece.len() >= SECRET_PIECE);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    pieces.extend(values.filter(|value| value.len() >= SECRET_VALUE));
    let mut all: BTreeSet<_> = whole.into_iter().chain(pieces).collect();
    // As it is written within a text of JSON.
    all.extend(all.iter().flat_map(|secret| within_json(secret)).collect::<Vec<_>>());
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all
}

/// What of a secret an endpoint may show by itself: the credentials after their scheme, name and
/// password of `Basic` ones, the key behind its prefix, and all of it without percent-encoding.
fn pieces(secret: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let known = |scheme: &str| SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let long = |text: &str| text.len() >= SECRET_PART && !text.contains(' ');
    if let Some((scheme, credentials)) = secret.split_once(' ')
        && let credentials = credentials.trim()
        && (known(scheme) || long(credentials))
    {
        pieces.push(credentials.to_owned());
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = BASE64_STANDARD.decode(credentials)
            && let Ok(decoded) = String::from_utf8(decoded)
        {
            pieces.extend(decoded.split_once(':').map(|(_, password)| password.to_owned()));
            pieces.push(decoded);
        }
    }
    pieces.extend(secret.strip_prefix("whsec_").map(str::to_owned));
    pieces.push(percent_decode_str(secret).decode_utf8_lossy().into_owned());
    pieces
}

/// As it may be written in a JSON string: some escape slashes too.
fn within_json(secret: &str) -> Vec<String> {
    let written = serde_json::to_string(secret).unwrap_or_default();
    let inner = written.trim_matches('"').to_owned();
    let slashes = inner.replace('/', "\\/");
    vec![inner, slashes]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        destination::Allowed, integration::Own, memory::integration, preset::Preset, secret::Secret,
    };

    fn shown(body: &[u8]) -> Option<String> {
        let basic = BASE64_STANDARD.encode("me:pass w\"rd");
        let basic = ("X-Basic".to_owned(), Secret::new(format!("Basic {basic}")));
        let own = Own {
            headers: [("Authorization".to_owned(), Secret::new("Bearer t0p-t0ken")), basic].into(),
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
            b"POST /services/T0123456/abcdefghijkl?token=abc Authorization: Bearer t0p-t0ken hunter2-hunter2";
        let masked = "POST /services/T0123456/***?*** Authorization: *** ***";
        assert_eq!(shown(echo), Some(masked.to_owned()));
        let pieces =
            br#"{"error": "invalid token t0p-t0ken", "user": "me:pass w\"rd"} value pass w"rd"#;
        assert_eq!(
            shown(pieces),
            Some(r#"{"error": "invalid token ***", "user": "***"} value ***"#.to_owned())
        );
        // Whatever the scheme is called; and what is short may be any word.
        for (header, body, masked) in [
            ("Klaviyo-API-Key pk_0123456789abcdef", "bad key pk_0123456789abcdef", "bad key ***"),
            ("please try again", "try again", "try again"),
            ("Region eu-central", "no eu-central", "no eu-central"),
        ] {
            let own = Own {
                headers: [("Authorization".to_owned(), Secret::new(header))].into(),
                ..Own::default()
            };
            let integration = Integration { own, ..integration("i") };
            let to = Destination::parse(&integration.url, &Allowed::default()).unwrap();
            assert_eq!(answer_text(body.as_bytes(), &integration, &to).as_deref(), Some(masked));
        }
        // However late it ends, and with slashes as some write them.
        let long = "k/".repeat(900);
        let own = Own { secret: Some(Secret::new(long.as_str())), ..Own::default() };
        let integration = Integration { own, preset: Preset::Standard, ..integration("i") };
        let to = Destination::parse(&integration.url, &Allowed::default()).unwrap();
        for echo in [long.clone(), long.replace('/', "\\/")] {
            let body = format!("{}{echo}", "x".repeat(1_000));
            let shown = answer_text(body.as_bytes(), &integration, &to);
            assert_eq!(shown, Some(format!("{}***", "x".repeat(1_000))));
        }
        let late = [b"x".repeat(1_020), b"hunter2-hunter2".to_vec()].concat();
        assert_eq!(shown(&late), Some(format!("{}***", "x".repeat(1_020))));
    }
}
