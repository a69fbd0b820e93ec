//! The sender: one POST to a customer's endpoint.
//!
//! Two things make this more than a call of reqwest. A webhook's URL is a customer's input, so the
//! addresses of its host are checked and the connection is made to just these ([`Lookup`]). And a
//! Lambda function is frozen between invocations, during which its idle connections die without
//! its knowing, so a connection that is lost before an answer is tried once more where it was not
//! new (`reuse.rs`).

mod client;
mod failure;
mod lookup;
mod reuse;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flagpost_domain::destination::{Allowed, Destination};
use flagpost_domain::ports::{Answer, Clock, Request, SendError, Sender, Sent};
use reqwest::header::{CONTENT_ENCODING, HeaderValue, RETRY_AFTER};
use rustls::pki_types::CertificateDer;
use tokio::task::JoinSet;

use crate::clock::SystemClock;
use failure::Failure;
pub use lookup::{Lookup, SystemLookup};

/// The longest `Retry-After` that is passed on, in bytes; the longest date of RFC 9110 has 33.
const RETRY_AFTER_BYTES: usize = 64;

/// How the sender is built.
pub struct Settings {
    /// The endpoints that are exempt from the guard.
    pub allowed: Allowed,
    /// The time to resolve a name, connect and shake hands.
    pub connect: Duration,
    /// The time for everything, to the last byte of the answer; a second try has what is left.
    pub whole: Duration,
    /// How much of an answer's body is read, in bytes. The rest is left, and its connection closed.
    pub body: usize,
    /// How long a connection is kept without use.
    pub idle: Duration,
    /// How many unused connections are kept to one host.
    pub idle_per_host: usize,
    /// Certificate authorities that are trusted besides Mozilla's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What resolves names.
    pub lookup: Arc<dyn Lookup>,
}

impl Settings {
    /// The settings of production: 3 s to connect, 10 s for everything, 16 KiB of the answer,
    /// Mozilla's authorities, the system's resolver.
    pub fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            connect: Duration::from_secs(3),
            whole: Duration::from_secs(10),
            body: 16 * 1024,
            // Below the 60 s after which load balancers commonly close what is idle.
            idle: Duration::from_secs(50),
            idle_per_host: 4,
            authorities: Vec::new(),
            lookup: Arc::new(SystemLookup),
        }
    }
}

/// The sender could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A certificate authority, or the TLS provider.
    #[error("the TLS configuration of the webhook sender")]
    Tls(#[from] rustls::Error),
    /// Anything else.
    #[error("the webhook sender's HTTP client")]
    Client(#[from] reqwest::Error),
}

/// Sends requests to customers' endpoints. Build it once for each process: it holds the pool of
/// connections.
#[derive(Clone)]
pub struct WebhookSender {
    allowed: Arc<Allowed>,
    whole: Duration,
    body: usize,
    pooled: reqwest::Client,
    /// Keeps no connection, so each of its requests has a new one.
    unpooled: reqwest::Client,
}

impl WebhookSender {
    /// Builds the sender.
    ///
    /// # Errors
    /// [`BuildError`] if an authority of the settings is not a certificate.
    pub fn new(settings: &Settings) -> Result<Self, BuildError> {
        let allowed = Arc::new(settings.allowed.clone());
        let tls = client::tls(&settings.authorities)?;
        let build = |idle_per_host| client::build(settings, &allowed, tls.clone(), idle_per_host);
        Ok(Self {
            pooled: build(settings.idle_per_host)?,
            unpooled: build(0)?,
            allowed,
            whole: settings.whole,
            body: settings.body,
        })
    }

    async fn bounded(&self, request: &Request) -> Result<Answer, SendError> {
        // An address in a URL reaches no resolver, and a destination may have been checked
        // against other exceptions than those of this process.
        Destination::parse(request.to.as_str(), &self.allowed)
            .map_err(|error| SendError::Refused(error.to_string()))?;
        #[expect(
            clippy::disallowed_methods,
            reason = "bounds a real exchange, which no decision waits for"
        )]
        let bounded = tokio::time::timeout(self.whole, self.attempt(request));
        bounded.await.unwrap_or(Err(SendError::Timeout))
    }

    async fn attempt(&self, request: &Request) -> Result<Answer, SendError> {
        let (first, made) = reuse::observe(self.exchange(&self.pooled, request)).await;
        match first {
            Err(failure) if failure.lost_kept(made) => {
                tracing::debug!(
                    delivery = request.id,
                    "a kept connection was dead; trying a new one"
                );
                Ok(self.exchange(&self.unpooled, request).await?)
            }
            other => Ok(other?),
        }
    }

    async fn exchange(
        &self,
        client: &reqwest::Client,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let mut post = client.post(request.to.url().clone());
        for (name, value) in request.headers.iter() {
            post = post.header(name, value);
        }
        if request.gzipped {
            post = post.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let unanswered = |error: reqwest::Error| Failure::unanswered(&error);
        let mut response = post.body(request.body.clone()).send().await.map_err(unanswered)?;

        let mut body = BytesMut::new();
        while body.len() < self.body {
            let cut = |error: reqwest::Error| Failure::answered(&error);
            let Some(chunk) = response.chunk().await.map_err(cut)? else {
                break;
            };
            body.extend_from_slice(&chunk[..chunk.len().min(self.body - body.len())]);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .filter(|value| value.len() <= RETRY_AFTER_BYTES)
                .map(ToOwned::to_owned),
            body: Bytes::from(body),
        })
    }
}

impl Sender for WebhookSender {
    /// Sends one request. Redirects are not followed: a 3xx is an answer like any other.
    ///
    /// An answer that began and whose body broke off or took too long is a [`SendError`] too.
    /// Texts name the host at most.
    async fn send(&self, request: Request) -> Sent {
        // A task of its own: an answer is read while the caller sees to other things, and its time
        // is not theirs. It ends with the set, if the caller gives up.
        let sender = self.clone();
        let mut exchange = JoinSet::new();
        exchange.spawn(async move {
            let began = SystemClock.now();
            let answer = sender.bounded(&request).await;
            Sent { answer, took: SystemClock.now().since(began) }
        });
        exchange.join_next().await.and_then(Result::ok).unwrap_or_else(|| Sent {
            // It was cancelled, or panicked: nothing is known of the request.
            answer: Err(SendError::Lost("the exchange was broken off".to_owned())),
            took: Duration::ZERO,
        })
    }
}
