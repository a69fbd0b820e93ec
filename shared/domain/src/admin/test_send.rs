//! Test sends: one event by the way of real ones, and nothing that remembers it. There is no
//! second try, and neither health, ledger nor delivery log hears of it.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{Admin, AdminPorts, Failure, Reply, fields::Fields, given};
use crate::{
    answer_text::{MASK, answer_text, shown_url},
    attempt_log,
    compiled::Compiled,
    destination::Destination,
    event::Event,
    id::{DeliveryId, IntegrationId, ProjectId, unique},
    integration::Integration,
    outcome::{Failure as Failed, Outcome, outcome},
    payload,
    ports::{Answer, Clock, Random, Request, Sender, Sent},
    request::Packed,
    time::millis,
    trace::TraceParent,
};

/// What a test's `webhook-id` begins with.
const PREFIX: &str = "test_";
/// Headers whose values are shown, unless the customer set them. All others may be secrets.
const SHOWN: [&str; 6] = [
    "content-type",
    "traceparent",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "x-statsig-request-timestamp",
];

/// What came of it.
#[derive(Default, Serialize)]
struct Tested {
    /// `None`: none was made.
    request: Option<ShownRequest>,
    answer: Option<ShownAnswer>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// As in the delivery log; `None` when the event is not wanted.
    outcome: Option<attempt_log::Result>,
    duration_ms: i64,
    /// Whether the filter does not want the event.
    filtered: bool,
}

#[derive(Serialize)]
struct ShownRequest {
    method: &'static str,
    /// Without what of it may be a secret.
    url: String,
    headers: BTreeMap<String, String>,
    /// Before compression.
    body: String,
    gzipped: bool,
}

#[derive(Serialize)]
struct ShownAnswer {
    status: u16,
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
}

impl<P: AdminPorts> Admin<P> {
    /// Sends one event, the one given or a sample, and tells what was sent and answered.
    pub(super) async fn test_send(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
        request: &super::Request<'_>,
    ) -> Result<Reply, Failure> {
        let integration = self.find(project, id).await?;
        let given = given::event(&mut fields, request.body);
        fields.finish()?;
        let event = match given {
            Some(event) => event,
            None => self.sample(&integration).await?,
        };
        let span = self.span(&integration, request.trace);
        Reply::json(200, &self.send_once(&integration, &event, span.as_ref()).await)
    }

    /// The span that the request is, where the integration wants to be told: of the trace of whoever asks
    /// for the test. Without one a trace begins here, so that the header is seen.
    fn span(&self, integration: &Integration, trace: Option<&TraceParent>) -> Option<TraceParent> {
        let random = self.ports.random().bytes();
        let (mut new, mut span) = ([0; 16], [0; 8]);
        new.copy_from_slice(&random[..16]);
        span.copy_from_slice(&random[16..24]);
        let told = || trace.map_or_else(|| TraceParent::begin(new, span), |it| it.child(span));
        integration.traces().then(told)
    }

    async fn send_once(
        &self,
        integration: &Integration,
        event: &Event,
        span: Option<&TraceParent>,
    ) -> Tested {
        let compiled = match Compiled::new(integration) {
            Ok(compiled) => compiled,
            Err(error) => return Tested::unsent(format!("filter: {error}")),
        };
        match compiled.wants(event) {
            Ok(true) => {}
            Ok(false) => return Tested { filtered: true, ..Tested::default() },
            Err(error) => return Tested::unsent(format!("filter: {error}")),
        }
        let to = match Destination::parse(&integration.url, &self.allowed) {
            Ok(to) => to,
            Err(error) => return Tested::unsent(error.to_string()),
        };
        let mut random = [0; 16];
        random.copy_from_slice(&self.ports.random().bytes()[..16]);
        let id = format!("{PREFIX}{}", unique(self.ports.clock().now(), random));
        let body = match payload::alone(integration, &compiled, event, DeliveryId(id)) {
            Ok(body) => body,
            Err(error) => return Tested::unsent(error.to_string()),
        };
        let packed = Packed::new(integration, &to, &body);
        let request = packed.request(self.ports.clock().now(), span);
        let shown = ShownRequest::new(integration, &request, &body.plain);
        let Sent { answer, took } = self.ports.sender().send(request).await;
        let outcome = outcome(integration, &answer, self.ports.clock().now());
        tracing::info!(
            delivery = body.id,
            integration = %integration.id,
            host = to.host(),
            ?outcome,
            plain_bytes = body.plain.len(),
            sent_bytes = packed.sent.len(),
            duration_ms = millis(took),
            "test send"
        );
        let error = answer.as_ref().err().map(ToString::to_string);
        let answer = answer.ok().map(|answer| ShownAnswer::new(integration, &to, &answer));
        Tested { request: Some(shown), answer, error, ..Tested::new(&outcome, took) }
    }
}

impl Tested {
    fn new(outcome: &Outcome, took: Duration) -> Self {
        let outcome = Some(attempt_log::result(outcome));
        Self { outcome, duration_ms: millis(took), ..Self::default() }
    }

    /// What a real delivery would fail by before a request is made.
    fn unsent(error: String) -> Self {
        let outcome = Outcome::Failed(Failed::ours(error.clone()));
        Self { error: Some(error), ..Self::new(&outcome, Duration::ZERO) }
    }
}

impl ShownRequest {
    fn new(integration: &Integration, request: &Request, plain: &[u8]) -> Self {
        let mut headers: BTreeMap<_, _> = request
            .headers
            .iter()
            .map(|(name, value)| {
                let name = name.to_ascii_lowercase();
                let ours = SHOWN.contains(&name.as_str()) && !integration.has_header(&name);
                let value = if ours { value } else { MASK };
                (name, value.to_owned())
            })
            .collect();
        if request.gzipped {
            headers.insert("content-encoding".to_owned(), "gzip".to_owned());
        }
        Self {
            method: "POST",
            url: shown_url(&request.to),
            headers,
            body: String::from_utf8_lossy(plain).into_owned(),
            gzipped: request.gzipped,
        }
    }
}

impl ShownAnswer {
    fn new(integration: &Integration, to: &Destination, answer: &Answer) -> Self {
        // An endpoint may repeat what it was sent wherever it likes.
        let clean = |bytes: &[u8]| answer_text(bytes, integration, to);
        Self {
            status: answer.status,
            body: clean(&answer.body),
            retry_after: answer.retry_after.as_ref().and_then(|text| clean(text.as_bytes())),
        }
    }
}
