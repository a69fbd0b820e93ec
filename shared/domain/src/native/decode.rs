//! From a body as received to JSON: what it says of itself, and what it is.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;

use super::{Post, Route};
use crate::{
    gzip::{GunzipError, gunzip},
    integration::Stream,
    problem::{Kind, Problem},
};

/// A body may grow to this at most when decompressed, by whatever ratio: equal events in one upload
/// compress to a two-hundredth.
const GUNZIP_BYTES: usize = 32 * 1024 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The body with every encoding undone.
pub(crate) fn decode(route: Route, post: &Post) -> Result<Bytes, Problem> {
    let mut is_gzip = is_gzip(post.header("content-encoding"))?;
    let mut body = post.body.clone();
    match route {
        Route::Own(_) => check_media_type(post.header("content-type"), is_gzip)?,
        // Statsig's browser SDK says in the query what other clients say in headers.
        Route::StatsigLog => {
            let says = |name| post.parameter(name).as_deref() == Some("1");
            if says("se") {
                body = reversed_base64(&body)?;
            }
            is_gzip = is_gzip || (says("gz") && body.starts_with(&GZIP_MAGIC));
        }
        // Beacons are text/plain, so that no browser asks for leave before; the others' clients
        // say what they like.
        _ => {}
    }
    if !is_gzip || (is_vendors(route) && is_undone(&body)) {
        return Ok(body);
    }
    decompress(&body, route.body_limit().unwrap_or(GUNZIP_BYTES))
}

fn is_vendors(route: Route) -> bool {
    !matches!(route, Route::Own(Stream::Impressions | Stream::Events))
}

/// Whether gzip was undone on the way and the header left as it was, as a REST API of API Gateway
/// and some proxies do it: no gzip begins like JSON.
fn is_undone(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

fn reversed_base64(body: &[u8]) -> Result<Bytes, Problem> {
    let forward: Vec<_> = body.trim_ascii().iter().rev().copied().collect();
    let decoded = BASE64_STANDARD.decode(forward);
    decoded.map(Bytes::from).map_err(|_| {
        Problem::new(Kind::InvalidJson, "se=1 in the query says reversed base64, and it is not")
    })
}

/// Whether the body is JSON by its type. Compressed bodies may also say that they are binary: a
/// gateway may pass `application/json` on as text, which ends any gzip.
fn check_media_type(content_type: Option<&str>, is_gzip: bool) -> Result<(), Problem> {
    let Some(content_type) = content_type else {
        return Ok(());
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = ["application/json", "text/json"].contains(&essence.as_str())
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    let binary = ["application/gzip", "application/x-gzip", "application/octet-stream"];
    if json || (is_gzip && binary.contains(&essence.as_str())) {
        return Ok(());
    }
    let detail = "Content-Type must be application/json, or, with Content-Encoding: gzip, \
                  application/gzip";
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// Whether the body is compressed, by its `Content-Encoding`.
fn is_gzip(content_encoding: Option<&str>) -> Result<bool, Problem> {
    match content_encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(_) => Err(Problem::new(
            Kind::UnsupportedMediaType,
            "Content-Encoding must be gzip, identity or absent",
        )),
    }
}

fn decompress(body: &Bytes, limit: usize) -> Result<Bytes, Problem> {
    gunzip(body, limit).map(Bytes::from).map_err(|error| match error {
        GunzipError::NotGzip(_) => Problem::new(
            Kind::InvalidGzip,
            "Content-Encoding says gzip, and the body is not; if it was when it was sent, send it \
             with Content-Type: application/gzip, since a gateway may pass JSON on as text",
        ),
        GunzipError::TooLarge(limit) => Problem::new(
            Kind::DecompressionLimit,
            format!("the body has more than the {limit} bytes that it may have when decompressed"),
        ),
    })
}
