//! One request to an endpoint: what an attempt sends and what a test sends are made here, so that
//! they cannot differ.

use bytes::Bytes;

use crate::{
    destination::Destination,
    gzip::gzip,
    integration::Integration,
    payload::{Body, content_type},
    ports::{Headers, Request},
    signature::sign,
    time::Timestamp,
    trace::{TRACEPARENT, TraceParent},
};

/// A body on its way to an endpoint, compressed if the integration wants that.
pub(crate) struct Packed<'a> {
    integration: &'a Integration,
    to: &'a Destination,
    body: &'a Body,
    /// The bytes as they are sent.
    pub(crate) sent: Bytes,
    gzipped: bool,
}

impl<'a> Packed<'a> {
    pub(crate) fn new(integration: &'a Integration, to: &'a Destination, body: &'a Body) -> Self {
        let gzipped = integration.wants_gzip(to);
        let sent = if gzipped { gzip(&body.plain) } else { body.plain.clone() };
        Self { integration, to, body, sent: sent.into(), gzipped }
    }

    /// The request as it is made at this time, which is signed with it, and the span that it is.
    pub(crate) fn request(&self, at: Timestamp, span: Option<&TraceParent>) -> Request {
        let mut headers = headers(self.integration, self.body, at);
        if let Some(span) = span {
            headers.set(TRACEPARENT, span.to_string());
        }
        Request {
            to: self.to.clone(),
            id: self.body.id.clone(),
            headers,
            body: self.sent.clone(),
            gzipped: self.gzipped,
        }
    }
}

/// All headers but those of HTTP itself. The customer's come in the place of the preset's.
fn headers(integration: &Integration, body: &Body, at: Timestamp) -> Headers {
    let mut headers = Headers::default();
    headers.set("content-type", content_type(integration));
    headers.set("user-agent", integration.preset.defaults().user_agent);
    for (name, value) in &integration.own.headers {
        headers.set(name, value.reveal());
    }
    headers.set("webhook-id", body.id.as_str());
    headers.set("webhook-timestamp", at.seconds().to_string());
    for (name, value) in sign(integration, &body.id, at, &body.plain) {
        headers.set(name, value);
    }
    headers
}
