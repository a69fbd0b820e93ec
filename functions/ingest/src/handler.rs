//! From API Gateway's request to the domain's, and back.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::header,
};
use flagpost_adapters::gateway::{body, body_size, header_text, json, refusal};
use flagpost_domain::{
    ingest::{Ingest, Post},
    integration::Stream,
    ports::{Clock, Queues, Registry},
    problem::{Kind, Problem},
    time::millis,
};
use lambda_runtime::{Error, LambdaEvent};

/// Serves one request.
pub(crate) async fn handle<Q: Queues, S: Registry, C: Clock>(
    ingest: &Ingest<Q, S, C>,
    clock: &impl Clock,
    event: LambdaEvent<ApiGatewayV2httpRequest>,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let began = clock.now();
    let request = event.payload;
    let path = request.raw_path.clone().unwrap_or_default();
    // Boxed: the calls of the SDKs make it large.
    let accepted = Box::pin(accept(ingest, &path, request)).await;
    let duration_ms = millis(clock.now().since(began));
    Ok(match accepted {
        Ok(events) => {
            tracing::info!(path, status = 202, events, duration_ms, "request");
            json(202, Vec::new(), Some(format!("{{\"accepted\":{events}}}")))
        }
        Err(problem) => {
            let (status, kind) = (problem.status(), problem.kind.slug());
            tracing::info!(path, status, kind, duration_ms, "request");
            refusal(problem)
        }
    })
}

async fn accept<Q: Queues, S: Registry, C: Clock>(
    ingest: &Ingest<Q, S, C>,
    path: &str,
    mut request: ApiGatewayV2httpRequest,
) -> Result<usize, Problem> {
    let stream = stream(path)
        .ok_or_else(|| Problem::new(Kind::NotFound, "POST to /v1/impressions or /v1/events"))?;
    ingest.check_size(body_size(&request))?;
    let body = body(&mut request)?;
    let post = Post {
        stream,
        authorization: header_text(&request, &header::AUTHORIZATION),
        content_type: header_text(&request, &header::CONTENT_TYPE),
        content_encoding: header_text(&request, &header::CONTENT_ENCODING),
        body: body.into(),
    };
    ingest.accept(post).await
}

fn stream(path: &str) -> Option<Stream> {
    match path {
        "/v1/impressions" => Some(Stream::Impressions),
        "/v1/events" => Some(Stream::Events),
        _ => None,
    }
}
