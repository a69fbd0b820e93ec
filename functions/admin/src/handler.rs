//! From API Gateway's request to the domain's, and back.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::{HeaderName, header},
};
use flagpost_adapters::gateway::{body, header_text, json, refusal};
use flagpost_domain::{
    admin::{Admin, AdminPorts, Failure, Reply, Request, Served, pairs},
    ports::{Clock, PortError},
    problem::Problem,
    time::millis,
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
    if let Some(page) = console::page(&request) {
        return Ok(page);
    }
    let body = body(&mut request);
    let authorization = header_text(&request, &header::AUTHORIZATION);
    let if_match = header_text(&request, &header::IF_MATCH);
    let idempotency_key = request.headers.get(&IDEMPOTENCY_KEY);
    // Bytes that are no text make a key that is refused, and no creation without one.
    let idempotency_key = idempotency_key.map(|key| String::from_utf8_lossy(key.as_bytes()));
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
