//! From API Gateway's request to the domain's, and back.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::HeaderName,
};
use flagpost_adapters::gateway::{body, body_size, header_text, response};
use flagpost_domain::{
    ingest::Ingest,
    native::{Answer, HEADERS, Post, answer, route},
    ports::{Clock, Queues, Registry, Seen},
    problem::Problem,
    time::millis,
};
use lambda_runtime::{Error, LambdaEvent};

/// Serves one request.
pub(crate) async fn handle<Q: Queues, S: Registry + Seen, C: Clock>(
    ingest: &Ingest<Q, S, C>,
    clock: &impl Clock,
    event: LambdaEvent<ApiGatewayV2httpRequest>,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let began = clock.now();
    let mut request = event.payload;
    let path = request.raw_path.clone().unwrap_or_default();
    let read = ingest.check_size(body_size(&request)).and_then(|()| post(&path, &mut request));
    let (outcome, answer) = match read {
        // Boxed: the calls of the SDKs make it large.
        Ok(post) => Box::pin(ingest.serve(post)).await,
        Err(problem) => {
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
    let Answer { status, content_type, headers, body } = answer;
    Ok(response(status, content_type, headers, Some(body)))
}

fn post(path: &str, request: &mut ApiGatewayV2httpRequest) -> Result<Post, Problem> {
    let headers = HEADERS.into_iter().filter_map(|name| {
        let value = header_text(request, &HeaderName::from_static(name))?;
        Some((name, value))
    });
    Ok(Post {
        method: request.request_context.http.method.to_string(),
        path: path.to_owned(),
        query: request.raw_query_string.clone().unwrap_or_default(),
        headers: headers.collect(),
        body: body(request)?.into(),
    })
}
