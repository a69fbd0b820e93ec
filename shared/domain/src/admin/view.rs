//! An integration as the API shows it: everything but what is secret, of which it says only that
//! it is set.

use serde_json::{Map, Value, json};

use crate::integration::Integration;

/// What stands in the place of a secret. Sent back, it leaves the secret as it is.
pub(super) fn set() -> Value {
    json!({"set": true})
}

/// Whether this stands in the place of a secret.
pub(super) fn is_set(value: &Value) -> bool {
    value.get("set") == Some(&Value::Bool(true))
}

/// The integration without its secrets.
pub(super) fn view(integration: &Integration) -> Value {
    let Ok(Value::Object(mut shown)) = serde_json::to_value(integration) else {
        // Not reachable: a struct is an object.
        return Value::Null;
    };
    shown.remove("old_secret");
    if shown.contains_key("secret") {
        let mut secret = set();
        if let Some(old) = &integration.own.old_secret {
            secret["old_until"] = json!(old.until);
        }
        shown.insert("secret".to_owned(), secret);
    }
    if let Some(Value::Object(headers)) = shown.get_mut("headers") {
        let names: Map<_, _> = headers.keys().map(|name| (name.clone(), set())).collect();
        *headers = names;
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        admin::memory::integration,
        integration::{OldSecret, Own},
        secret::Secret,
        time::Timestamp,
    };

    #[test]
    fn of_secrets_it_is_shown_that_they_are_set() {
        let secret = |text: &str| Secret::new(text);
        let own = Own {
            headers: [("X-Key".to_owned(), secret("hunter2"))].into(),
            secret: Some(secret("hunter22")),
            old_secret: Some(OldSecret { secret: secret("hunter222"), until: Timestamp(7) }),
            ..Own::default()
        };
        let shown = view(&Integration { own, ..integration() });
        assert!(!shown.to_string().contains("hunter"), "{shown}");
        assert_eq!(shown["secret"], json!({"set": true, "old_until": 7}));
        assert_eq!(shown["headers"], json!({"X-Key": {"set": true}}));
        let plain = view(&integration());
        assert!(plain.get("secret").is_none() && plain.get("headers").is_none());
    }
}
