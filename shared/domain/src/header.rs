//! The customer's own headers.
//!
//! Sources: RFC 9110, 5.1 (names), 5.5 (values) and 7.6.1 (hop-by-hop); Amplitude, "Send Events to
//! Webhooks": two preset headers that are always sent, and up to five more.

/// Headers of a customer's own, at most.
pub const MAX_HEADERS: usize = 5;
/// The longest name, in bytes.
const MAX_NAME: usize = 128;
/// The longest value, in bytes.
const MAX_VALUE: usize = 4096;

/// Names that are not a customer's to set, and why.
const REFUSED: [(&str, &str); 16] = [
    ("connection", HOP_BY_HOP),
    ("keep-alive", HOP_BY_HOP),
    ("proxy-authenticate", HOP_BY_HOP),
    ("proxy-authorization", HOP_BY_HOP),
    ("proxy-connection", HOP_BY_HOP),
    ("te", HOP_BY_HOP),
    ("trailer", HOP_BY_HOP),
    ("transfer-encoding", HOP_BY_HOP),
    ("upgrade", HOP_BY_HOP),
    ("expect", "is not supported"),
    ("host", "is made from the URL"),
    ("content-length", "is made from the body"),
    ("content-encoding", "is set by `gzip`"),
    ("x-flagsmith-signature", SIGNATURE),
    ("x-statsig-signature", SIGNATURE),
    ("x-statsig-request-timestamp", SIGNATURE),
];
const HOP_BY_HOP: &str = "is hop-by-hop: it is not for the endpoint";
const SIGNATURE: &str = "is set by `signature`";

/// What is wrong with a header's name.
pub fn name_fault(name: &str) -> Option<String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(token) {
        return Some(format!(
            "must be a name of 1 to {MAX_NAME} letters, digits and any of !#$%&'*+-.^_`|~"
        ));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("webhook-") {
        return Some("cannot be set: names that begin with `webhook-` are Flagpost's".to_owned());
    }
    let refused = REFUSED.iter().find(|(refused, _)| *refused == lower);
    refused.map(|(_, why)| format!("cannot be set: it {why}"))
}

/// What is wrong with a header's value; it never quotes the value.
pub fn value_fault(value: &str) -> Option<String> {
    let visible = |byte: u8| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic();
    let fits = (1..=MAX_VALUE).contains(&value.len())
        && value.bytes().all(visible)
        && value.trim() == value;
    (!fits).then(|| {
        format!(
            "must be text of 1 to {MAX_VALUE} visible ASCII characters, spaces and tabs, with \
             neither at its ends"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_that_are_not_ours() {
        for good in ["Authorization", "X-Api-Key", "content-type", "User-Agent", "a", "x_1.2~"] {
            assert_eq!(name_fault(good), None, "{good}");
        }
        for bad in ["", "a b", "a:", "é", "a\r\nb", &"a".repeat(129)] {
            assert!(name_fault(bad).is_some_and(|fault| fault.contains("letters")), "{bad:?}");
        }
        for ours in ["Host", "CONTENT-LENGTH", "Webhook-Id", "webhook-anything", "TE", "Upgrade"] {
            assert!(name_fault(ours).is_some_and(|fault| fault.contains("cannot")), "{ours}");
        }
    }

    #[test]
    fn values_are_visible_and_faults_do_not_quote_them() {
        assert_eq!(value_fault("Bearer abc\tdef"), None);
        for bad in ["", " s3cret", "s3cret ", "s3c\nret", "s3crét", &"s3cret".repeat(999)] {
            assert!(value_fault(bad).is_some_and(|fault| !fault.contains("s3c")), "{bad:?}");
        }
    }
}
