//! Sends an empty JSON array to each URL of its standard input, as the functions would, and says
//! what came of it. The argument names allowed endpoints, as `FLAGPOST_ALLOWED_ENDPOINTS` does.
//!
//! For trying an endpoint by hand, and for tests that need a sender in a process of its own.

use std::io::{self, Write};

use bytes::Bytes;
use flagpost_adapters::webhook::{Settings, WebhookSender};
use flagpost_domain::{
    destination::{Allowed, Destination},
    ports::{Headers, Request, Sender},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let allowed: Allowed = std::env::args().nth(1).unwrap_or_default().parse()?;
    let sender = WebhookSender::new(&Settings::new(allowed.clone()))?;
    for url in io::stdin().lines() {
        let request = Request {
            to: Destination::parse(&url?, &allowed)?,
            id: "example".to_owned(),
            headers: Headers::default(),
            body: Bytes::from_static(b"[]"),
            gzipped: false,
        };
        let mut out = io::stdout();
        match sender.send(request).await.answer {
            Ok(answer) => writeln!(out, "answered {}", answer.status)?,
            Err(error) => writeln!(out, "failed: {error}")?,
        }
        out.flush()?;
    }
    Ok(())
}
