//! The Runtime API of one container.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header::HeaderValue,
    server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot, watch},
    task::{AbortHandle, JoinSet},
};

const RUNTIME: &str = "/2018-06-01/runtime/";

/// What a function is asked to do.
pub(super) struct Invocation {
    pub(super) payload: Bytes,
    pub(super) deadline_ms: u128,
}

type Answer = Result<Bytes, Bytes>;

pub(super) struct Server {
    state: Arc<State>,
    task: AbortHandle,
}

struct State {
    first_next: watch::Sender<Option<Instant>>,
    waiting: Mutex<Option<Invocation>>,
    came: Notify,
    /// The invocation that is under way: its id, and who waits for its answer.
    under_way: Mutex<UnderWay>,
}

#[derive(Default)]
struct UnderWay {
    number: u64,
    answer: Option<oneshot::Sender<Answer>>,
}

impl Server {
    pub(super) fn start(listener: TcpListener) -> Self {
        let state = Arc::new(State {
            first_next: watch::Sender::new(None),
            waiting: Mutex::default(),
            came: Notify::new(),
            under_way: Mutex::default(),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Self { state, task }
    }

    /// When the process first asked for an invocation.
    pub(super) async fn first_next(&self) -> Instant {
        let mut first = self.state.first_next.subscribe();
        loop {
            if let Some(at) = *first.borrow_and_update() {
                return at;
            }
            if first.changed().await.is_err() {
                // The sender is ours: it is there for as long as we are.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Hands an invocation out, and waits for its answer.
    pub(super) async fn invoke(&self, invocation: Invocation) -> Answer {
        let (sender, answer) = oneshot::channel();
        {
            let mut under_way = lock(&self.state.under_way);
            under_way.number += 1;
            under_way.answer = Some(sender);
        }
        *lock(&self.state.waiting) = Some(invocation);
        self.state.came.notify_one();
        match answer.await {
            Ok(answer) => answer,
            // Nobody else takes its place while it is under way.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A process that was killed leaves in the middle of anything.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix(RUNTIME).unwrap_or_default();
    let steps: Vec<_> = path.split('/').collect();
    Ok(match (head.method, steps.as_slice()) {
        (Method::GET, ["invocation", "next"]) => state.next().await,
        (Method::POST, ["invocation", id, kind @ ("response" | "error")]) => {
            match body.collect().await {
                Ok(body) if *kind == "response" => state.done(id, Ok(body.to_bytes())),
                Ok(body) => state.done(id, Err(body.to_bytes())),
                Err(_) => status(StatusCode::BAD_REQUEST, "the body broke off"),
            }
        }
        // What follows is the end of the process.
        (Method::POST, ["init", "error"]) => status(StatusCode::ACCEPTED, "OK"),
        _ => status(StatusCode::NOT_FOUND, "no such path"),
    })
}

impl State {
    async fn next(&self) -> Response<Full<Bytes>> {
        self.first_next.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert_with(super::now);
            is_first
        });
        loop {
            let waiting = lock(&self.waiting).take();
            if let Some(Invocation { payload, deadline_ms }) = waiting {
                let id = id(lock(&self.under_way).number);
                let mut response = Response::new(Full::new(payload));
                let mut header = |name, value: &str| {
                    if let Ok(value) = HeaderValue::from_str(value) {
                        response.headers_mut().insert(name, value);
                    }
                };
                header("content-type", "application/json");
                header("lambda-runtime-aws-request-id", &id);
                header("lambda-runtime-deadline-ms", &deadline_ms.to_string());
                header(
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:us-east-1:000000000000:function:flagpost",
                );
                header(
                    "lambda-runtime-trace-id",
                    "Root=1-00000000-000000000000000000000000;Sampled=0",
                );
                return response;
            }
            self.came.notified().await;
        }
    }

    fn done(&self, done: &str, answer: Answer) -> Response<Full<Bytes>> {
        let mut under_way = lock(&self.under_way);
        if done != id(under_way.number) {
            return status(StatusCode::BAD_REQUEST, "no invocation of this id is under way");
        }
        match under_way.answer.take().map(|waiting| waiting.send(answer)) {
            Some(_) => status(StatusCode::ACCEPTED, "OK"),
            None => status(StatusCode::BAD_REQUEST, "it was answered before"),
        }
    }
}

/// The id of the invocation with this number, a UUID as Lambda's are.
fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

fn status(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "status": text }).to_string();
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
