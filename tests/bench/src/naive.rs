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

const SECRET: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The level that gzip and zlib use unless told otherwise.
pub(crate) const USUAL: u32 = 6;

/// HMAC-SHA256.
pub(crate) fn sign(body: &[u8]) -> [u8; 32] {
    // A key of any length is taken.
    Hmac::<Sha256>::new_from_slice(SECRET)
        .map(|mac| mac.chain_update(body).finalize().into_bytes().into())
        .unwrap_or_default()
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
        std::hint::black_box(sign(&body));
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
    use std::fmt::Write as _;

    use super::*;
    use crate::{product, sample};

    #[test]
    fn the_signature_is_hmac_sha256() {
        // As OpenSSL says: openssl dgst -sha256 -hmac.
        let hex = sign(b"[]").iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        assert_eq!(hex, "de6cd57c02f47190dda53248aeb497eee7efa0694057c5b6994d94a7ff760eed");
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
