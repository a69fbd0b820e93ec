//! From API Gateway's request to the domain's, and back.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::{HeaderName, header},
};
use flagpost_adapters::gateway::{body, header_text, json, refusal, to_console};
use flagpost_domain::{
    admin::{Admin, AdminPorts, Failure, Reply, Request, Served, pairs},
    ports::{Clock, PortError},
    problem::Problem,
    time::millis,
    trace::{TRACEPARENT, TraceParent},
};
use lambda_runtime::{Error, LambdaEvent};
use tracing::{error, info, warn};

use crate::console;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Serves one request. A failure of an AWS service is an answer like others, logged here.
pub(crate) async fn handle<P: AdminPorts>(
    admin: &Admin<P>,
    event: LambdaEvent<ApiGatewayV2httpRequest>,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let clock = admin.ports().clock();
    let began = clock.now();
    let mut request = event.payload;
    if let Some(page) = console::page(&request).or_else(|| to_console(&request)) {
        return Ok(page);
    }
    let body = body(&mut request);
    let authorization = header_text(&request, &header::AUTHORIZATION);
    let if_match = header_text(&request, &header::IF_MATCH);
    let idempotency_key = request.headers.get(&IDEMPOTENCY_KEY);
    // Bytes that are no text make a key that is refused, and no creation without one.
    let idempotency_key = idempotency_key.map(|key| String::from_utf8_lossy(key.as_bytes()));
    let trace = trace(&request, event.context.xray_trace_id.as_deref());
    let query = pairs(request.raw_query_string.as_deref().unwrap_or_default());
    let method = request.request_context.http.method.as_str();
    let served = match body {
        Ok(body) => {
            let request = Request {
                method,
                path: request.raw_path.as_deref().unwrap_or_default(),
                query: &query,
                authorization: authorization.as_deref(),
                if_match: if_match.as_deref(),
                idempotency_key: idempotency_key.as_deref(),
                trace: trace.as_ref(),
                body: &body,
            };
            // Boxed: the calls of the SDKs make it large.
            Box::pin(admin.serve(&request)).await
        }
        Err(problem) => Served { route: "none", outcome: Err(problem.into()) },
    };
    let (response, cause) = respond(served.outcome);
    let (route, status) = (served.route, response.status_code);
    let duration_ms = millis(clock.now().since(began));
    match cause {
        Some(error) if status >= 500 => {
            error!(method, route, status, duration_ms, %error, "request");
        }
        Some(unsent) => warn!(method, route, status, duration_ms, %unsent, "request"),
        None => info!(method, route, status, duration_ms, "request"),
    }
    Ok(response)
}

/// The caller's trace comes first, as it does for events; without one it is what X-Ray has recorded.
fn trace(request: &ApiGatewayV2httpRequest, xray: Option<&str>) -> Option<TraceParent> {
    let given = header_text(request, &HeaderName::from_static(TRACEPARENT));
    let given = given.and_then(|text| text.parse().ok());
    given.or_else(|| xray.and_then(TraceParent::from_xray))
}

/// The response, and what went wrong at an outside system on the way to it.
fn respond(outcome: Result<Reply, Failure>) -> (ApiGatewayV2httpResponse, Option<PortError>) {
    match outcome {
        Ok(reply) => (json(reply.status, reply.headers, reply.body), reply.unsent),
        Err(Failure::Refused(problem)) => (refusal(problem), None),
        Err(Failure::Port(error)) => {
            let detail = "an AWS service throttled or failed; what was asked for may have been \
                          done all the same: read before you try again";
            (refusal(Problem::unavailable(detail, 1)), Some(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::encodings::Body;

    use super::*;

    #[test]
    fn the_callers_trace_comes_before_that_of_xray() {
        let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let recorded = "5759e988bd862e3fe1be46a994272793";
        for (header, xray, expected) in [
            (Some(given), Some(xray), Some(&given[3..35])),
            (Some("nonsense"), Some(xray), Some(recorded)),
            (None, Some(xray), Some(recorded)),
            (None, None, None),
        ] {
            let mut request = ApiGatewayV2httpRequest::default();
            if let Some(header) = header {
                request.headers.insert(TRACEPARENT, header.parse().unwrap());
            }
            let found = trace(&request, xray);
            assert_eq!(found.as_ref().map(TraceParent::trace_id), expected);
        }
    }

    #[test]
    fn what_was_not_sent_is_told_beside_the_reply() {
        let unsent = PortError::Failed { call: "sqs:SendMessageBatch", reason: "x".into() };
        let reply =
            Reply { status: 204, headers: vec![], body: None, unsent: Some(unsent.clone()) };
        let (response, cause) = respond(Ok(reply));
        assert_eq!((response.status_code, response.body), (204, None));
        assert_eq!(cause, Some(unsent));
    }

    #[test]
    fn a_failure_of_aws_is_503_and_its_reason_is_for_the_log_only() {
        let error =
            PortError::Throttled { call: "dynamodb:Query", reason: "ThrottlingException".into() };
        let (response, cause) = respond(Err(error.clone().into()));
        assert_eq!((response.status_code, cause), (503, Some(error)));
        assert_eq!(response.headers["retry-after"], "1");
        let Some(Body::Text(body)) = response.body else { panic!("a text") };
        assert!(!body.contains("Throttling") && !body.contains("dynamodb"));
    }
}
