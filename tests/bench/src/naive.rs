//! The same work as it is first written: everything parsed into `serde_json::Value`, changed there,
//! written out again, and compressed with gzip's usual level.
//!
//! Compression is flate2 with the same backend as the product's, so that the difference is the way
//! of doing it and not the library.

use std::io::{Read, Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use flagpost_domain::integration::Integration;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    Outcome,
    product::{ENVIRONMENT, PROJECT},
};

/// What signs, here and in the product.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The level that gzip and zlib use unless told otherwise.
pub(crate) const USUAL: u32 = 6;

/// `webhook-signature` of Standard Webhooks: HMAC-SHA256 of the id, the time and the body before
/// compression.
pub(crate) fn sign(id: &str, timestamp: &str, body: &[u8]) -> Outcome<String> {
    let key = SECRET.strip_prefix("whsec_").ok_or("a secret of another kind")?;
    let mac = Hmac::<Sha256>::new_from_slice(&BASE64_STANDARD.decode(key)?)?;
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

/// gzip with a level.
pub(crate) fn gzip(bytes: &[u8], level: u32) -> Outcome<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// What gzip made.
pub(crate) fn gunzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Ingest: the request's events checked, the environment written into each, a message.
pub(crate) fn ingest(body: &[u8]) -> Outcome<String> {
    let mut events: Vec<Value> = serde_json::from_slice(body)?;
    for event in &mut events {
        for field in ["key", "split", "treatment"] {
            if !event[field].is_string() {
                return Err(format!("`{field}` must be a string").into());
            }
        }
        if !event["time"].is_i64() {
            return Err("`time` must be an integer".into());
        }
        if event.get("bucketingKey").is_none_or(Value::is_null) {
            event["bucketingKey"] = event["key"].clone();
        }
        event["environmentId"] = ENVIRONMENT.into();
        event["environmentName"] = "Production".into();
    }
    let array = serde_json::to_vec(&events)?;
    let message = json!({
        "v": 1,
        "head": {
            "project": PROJECT,
            "environment": { "id": ENVIRONMENT, "name": "Production" },
            "stream": "impressions",
            "accepted_at": 1_795_237_200_000_u64,
        },
        "count": events.len(),
        "bytes": array.len(),
        "gzip": BASE64_STANDARD.encode(gzip(&array, USUAL)?),
    });
    Ok(message.to_string())
}

/// The same message with its events as they are.
pub(crate) fn uncompressed(text: &str) -> Outcome<String> {
    let mut message: Value = serde_json::from_str(text)?;
    message["events"] = events(&mut message)?.into();
    Ok(message.to_string())
}

/// Batch: the events of these messages that the integration wants, signed and compressed, in
/// deliveries of its size. How many there were.
pub(crate) fn batch(texts: &[String], integration: &Integration) -> Outcome<usize> {
    let mut wanted = Vec::new();
    for text in texts {
        let mut message: Value = serde_json::from_str(text)?;
        wanted.extend(events(&mut message)?.into_iter().filter(|event| {
            let environment = event["environmentId"].as_str();
            integration.environments.iter().any(|id| Some(id.as_str()) == environment)
        }));
    }
    for delivery in wanted.chunks(integration.max_events) {
        let body = serde_json::to_vec(delivery)?;
        std::hint::black_box(sign("1d6f9f0e-5a5e-4b8e-9a2f-6f1c0e7a4b21", "1795237200", &body)?);
        std::hint::black_box(gzip(&body, USUAL)?);
    }
    Ok(wanted.len())
}

fn events(message: &mut Value) -> Outcome<Vec<Value>> {
    if let Value::Array(events) = message["events"].take() {
        return Ok(events);
    }
    let packed = message["gzip"].take();
    let packed = packed.as_str().ok_or("a message without events")?;
    Ok(serde_json::from_slice(&gunzip(&BASE64_STANDARD.decode(packed)?)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{product, sample};

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // As OpenSSL says: openssl dgst -sha256 -mac HMAC -macopt hexkey:31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0 -binary | base64
        let signature = sign("msg_1", "1795237200", b"[]").unwrap();
        assert_eq!(signature, "v1,OMcD4G1ygQA8eZF5QBjJE1qNdskLQPX9AEy4AiMZE48=");
    }

    #[test]
    fn the_naive_way_has_the_same_result_as_the_products() {
        let requests = sample::requests(1, sample::EVENTS);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ours = runtime.block_on(product::messages(&requests)).unwrap();
        let [ours] = <[String; 1]>::try_from(ours).unwrap();
        let theirs = ingest(&requests[0]).unwrap();
        let of = |text: &str| events(&mut serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(of(&ours), of(&theirs));
        assert_eq!(of(&uncompressed(&ours).unwrap()), of(&ours));
        let mut integration = product::integration("https://hooks.example.com/");
        assert_eq!(batch(&[ours.clone(), theirs.clone()], &integration).unwrap(), 1_000);
        integration.environments = vec!["staging".to_owned()];
        assert_eq!(batch(&[ours, theirs], &integration).unwrap(), 0);
    }
}
