use super::*;
use crate::{
    integration::{OldSecret, Own},
    memory::integration,
};

/// The example of the specification, "Signature scheme".
const SPEC_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn with(scheme: Scheme, secret: &str) -> Integration {
    let own = Own { signature: Some(scheme), secret: Some(Secret::new(secret)), ..Own::default() };
    Integration { own, ..integration("i") }
}

#[test]
fn standard_webhooks_signs_as_its_reference_does() {
    let integration = with(Scheme::StandardWebhooks, SPEC_SECRET);
    let body = br#"{"test": 2432232314}"#;
    let signed =
        sign(&integration, "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp(1_614_265_330_000), body);
    let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned();
    assert_eq!(signed, [("webhook-signature", expected)]);
}

#[test]
fn during_a_rotation_both_secrets_sign_until_its_end() {
    let mut integration = with(Scheme::StandardWebhooks, SPEC_SECRET);
    let secret = Secret::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    integration.own.old_secret = Some(OldSecret { secret, until: Timestamp(10_000) });
    let signatures = |at| sign(&integration, "id", Timestamp(at), b"{}")[0].1.clone();
    let during = signatures(9_999);
    assert_eq!(during.split(' ').count(), 2);
    assert!(during.split(' ').all(|one| one.starts_with("v1,")));
    assert!(during.starts_with(
        &sign(&with(Scheme::StandardWebhooks, SPEC_SECRET), "id", Timestamp(9_999), b"{}")[0].1
    ));
    assert_eq!(signatures(10_000).split(' ').count(), 1);
}

#[test]
fn flagsmiths_is_the_hex_of_the_body() {
    // Python: hmac.new(b"my shared secret", b'{"a": 1}', hashlib.sha256).hexdigest()
    let signed =
        sign(&with(Scheme::Flagsmith, "my shared secret"), "d", Timestamp(1), br#"{"a": 1}"#);
    let expected = "754b34fa59ffa91dd8558308f6139485ac2f25d2b4237e939aca30442dfd65eb".to_owned();
    assert_eq!(signed, [("x-flagsmith-signature", expected)]);
}

#[test]
fn statsigs_covers_the_time_in_milliseconds() {
    // Python: hmac.new(b"whatever it is", b"v0:1671672194836:[]", hashlib.sha256).hexdigest()
    let at = Timestamp(1_671_672_194_836);
    let signed = sign(&with(Scheme::Statsig, "whatever it is"), "d", at, b"[]");
    assert_eq!(
        signed,
        [
            ("x-statsig-request-timestamp", "1671672194836".to_owned()),
            (
                "x-statsig-signature",
                "v0=24785b906a7fce68f7bc808d474f4e8ef005b06c25c20d39d8d47f484ea395cb".to_owned()
            ),
        ]
    );
}

#[test]
fn without_a_secret_or_a_scheme_nothing_is_signed() {
    let mut integration = with(Scheme::None, "12345678");
    assert_eq!(sign(&integration, "d", Timestamp(1), b""), []);
    integration.own = Own { signature: Some(Scheme::Flagsmith), ..Own::default() };
    assert_eq!(sign(&integration, "d", Timestamp(1), b""), []);
}

#[test]
fn secrets_have_bounds() {
    let standard = |bytes: usize| {
        let text = format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        fault(Scheme::StandardWebhooks, &Secret::new(text)).is_none()
    };
    assert!(standard(24) && standard(64) && !standard(23) && !standard(65));
    for wrong in ["whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"] {
        let said = fault(Scheme::StandardWebhooks, &Secret::new(wrong)).unwrap();
        assert!(said.contains("24 to 64") && !said.contains("MfKQ"), "{said}");
    }
    let other = |length| fault(Scheme::Flagsmith, &Secret::new("é".repeat(length))).is_none();
    assert!(other(8) && other(256) && !other(7) && !other(257));
}

#[test]
fn what_is_generated_fits() {
    for scheme in [Scheme::StandardWebhooks, Scheme::Flagsmith, Scheme::Statsig] {
        assert_eq!(fault(scheme, &generate(scheme, &[9; 32])), None);
    }
}
