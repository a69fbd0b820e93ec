//! A small HTTP/1.1 server on 127.0.0.1.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use crate::Outcome;

/// A request, read to its end.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Serves with `answer` until the end of the program. The server's URL, without a `/` at its end.
pub(crate) async fn serve<F>(answer: F) -> Outcome<String>
where
    F: Fn(Asked) -> Response<Full<Bytes>> + Clone + Send + Sync + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let answer = answer.clone();
            let service = service_fn(move |request| one(request, answer.clone()));
            // A client that leaves in the middle is seen at its own end.
            connections
                .spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            while connections.try_join_next().is_some() {}
        }
    });
    Ok(url)
}

async fn one<F: Fn(Asked) -> Response<Full<Bytes>>>(
    request: Request<Incoming>,
    answer: F,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // What breaks off on its way counts for nothing, as everything that is not well formed.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let path = head.uri.path().to_owned();
    Ok(answer(Asked { method: head.method, path, headers: head.headers, body }))
}

/// An answer.
pub(crate) fn answer(
    status: u16,
    content_type: &'static str,
    body: String,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    if let Ok(status) = status.try_into() {
        *response.status_mut() = status;
    }
    let content_type = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, content_type);
    response
}
