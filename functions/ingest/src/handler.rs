//! From API Gateway's request to the domain's, and back.

use std::collections::BTreeMap;

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::HeaderName,
};
use flagpost_adapters::{
    gateway::{body, body_size, header_text, response, to_console},
    metrics::MetricsLog,
};
use flagpost_domain::{
    ingest::Ingest,
    native::{Answer, HEADERS, Post, answer, route},
    ports::{Clock, Queues, Registry, Seen},
    problem::Problem,
    time::millis,
    trace::{TRACEPARENT, TraceParent},
};
use lambda_runtime::{Error, LambdaEvent};

/// Serves one request.
pub(crate) async fn handle<Q: Queues, S: Registry + Seen, C: Clock>(
    ingest: &Ingest<Q, S, C>,
    clock: &impl Clock,
    metrics: &MetricsLog,
    event: LambdaEvent<ApiGatewayV2httpRequest>,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let began = clock.now();
    let mut request = event.payload;
    // What no route of the gateway takes comes here.
    if let Some(sent_on) = to_console(&request) {
        return Ok(sent_on);
    }
    let path = request.raw_path.clone().unwrap_or_default();
    let xray = event.context.xray_trace_id.as_deref().and_then(TraceParent::from_xray);
    let read =
        ingest.check_size(body_size(&request)).and_then(|()| post(&path, &mut request, xray));
    let (outcome, answer) = match read {
        // Boxed: the calls of the SDKs make it large.
        Ok(post) => Box::pin(ingest.serve(post)).await,
        Err(problem) => {
            ingest.metrics().rejected();
            let refused = Err(problem);
            let answer = answer(route(&path), &refused);
            (refused, answer)
        }
    };
    let duration_ms = millis(clock.now().since(began));
    let status = answer.status;
    match outcome {
        Ok(accepted) => tracing::info!(
            path,
            status,
            events = accepted.events,
            dropped = accepted.dropped,
            repeated = accepted.repeated,
            duration_ms,
            "request"
        ),
        Err(problem) => {
            tracing::info!(path, status, kind = problem.kind.slug(), duration_ms, "request");
        }
    }
    metrics.print(ingest.metrics());
    let Answer { status, content_type, headers, body } = answer;
    Ok(response(status, content_type, headers, Some(body)))
}

/// The caller's trace comes first; without one the events are of the trace that X-Ray has recorded, if it has.
fn post(
    path: &str,
    request: &mut ApiGatewayV2httpRequest,
    xray: Option<TraceParent>,
) -> Result<Post, Problem> {
    let headers = HEADERS.into_iter().filter_map(|name| {
        let value = header_text(request, &HeaderName::from_static(name))?;
        Some((name, value))
    });
    let mut headers: BTreeMap<_, _> = headers.collect();
    if let Some(xray) = xray {
        headers.entry(TRACEPARENT).or_insert_with(|| xray.to_string());
    }
    Ok(Post {
        method: request.request_context.http.method.to_string(),
        path: path.to_owned(),
        query: request.raw_query_string.clone().unwrap_or_default(),
        headers,
        body: body(request)?.into(),
    })
}
