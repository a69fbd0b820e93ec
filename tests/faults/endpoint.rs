//! A customer's endpoint on 127.0.0.1: it counts what it took, and answers as it is told.

use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, Mutex},
    time::Duration,
};

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use crate::{proxy::read_message, wait::pass};

/// A request as the one who answers sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// How many came before it.
    pub(crate) number: usize,
    /// `webhook-id`: its delivery.
    pub(crate) id: String,
    /// The connection, from 0.
    pub(crate) connection: usize,
}

/// What it is answered.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// This status.
    Status(u16),
    /// 503, with this many seconds in `Retry-After`.
    Later(u32),
    /// 200 after this time.
    OkAfter(Duration),
    /// 200, after which the connection is closed when the endpoint is told to.
    OkThenClose,
}

type Answer = Box<dyn FnMut(&Seen) -> Reply + Send>;

#[derive(Default)]
struct State {
    requests: Vec<Seen>,
    connections: usize,
    /// Connections that were closed because the endpoint was told to.
    closed: usize,
    /// The `key` of each event that was taken, and how often.
    taken: BTreeMap<String, usize>,
}

pub(crate) struct Endpoint {
    port: u16,
    state: Arc<Mutex<State>>,
    answer: Arc<Mutex<Answer>>,
    close: tokio::sync::watch::Sender<usize>,
    task: AbortHandle,
}

impl Endpoint {
    pub(crate) async fn start(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let answer: Arc<Mutex<Answer>> = Arc::new(Mutex::new(Box::new(answer)));
        let close = tokio::sync::watch::Sender::new(0);
        let (states, answers, closing) = (Arc::clone(&state), Arc::clone(&answer), close.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut state = states.lock().unwrap();
                    state.connections += 1;
                    state.connections - 1
                };
                let (state, answer) = (Arc::clone(&states), Arc::clone(&answers));
                tokio::spawn(serve(stream, number, state, answer, closing.subscribe()));
            }
        });
        Self { port, state, answer, close, task: task.abort_handle() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/impressions", self.port)
    }

    pub(crate) fn answers(&self, answer: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Closes the connections below this number that wait for it.
    pub(crate) fn close_below(&self, connection: usize) {
        self.close.send_replace(connection);
    }

    pub(crate) fn closed(&self) -> usize {
        self.state.lock().unwrap().closed
    }

    /// The `key` of each event that was taken, and how often.
    pub(crate) fn taken(&self) -> BTreeMap<String, usize> {
        self.state.lock().unwrap().taken.clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    state: Arc<Mutex<State>>,
    answer: Arc<Mutex<Answer>>,
    mut close: tokio::sync::watch::Receiver<usize>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read_message(&mut stream, &mut buffer).await {
        let number = state.lock().unwrap().requests.len();
        let id = request.header("webhook-id").unwrap_or_default().to_owned();
        let seen = Seen { number, id, connection };
        state.lock().unwrap().requests.push(seen.clone());
        let reply = (answer.lock().unwrap())(&seen);
        let (status, more) = match reply {
            Reply::Status(status) => (status, String::new()),
            Reply::Later(seconds) => (503, format!("retry-after: {seconds}\r\n")),
            Reply::OkAfter(time) => {
                pass(time).await;
                (200, String::new())
            }
            Reply::OkThenClose => (200, String::new()),
        };
        if status == 200 {
            let mut state = state.lock().unwrap();
            for key in keys(request.header("content-encoding") == Some("gzip"), request.body()) {
                *state.taken.entry(key).or_default() += 1;
            }
        }
        let head = format!("HTTP/1.1 {status} X\r\n{more}content-length: 0\r\n\r\n");
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        if matches!(reply, Reply::OkThenClose) {
            close.wait_for(|below| *below > connection).await.unwrap();
            // Closed here; what came meanwhile is read by nobody.
            let _ = stream.shutdown().await;
            state.lock().unwrap().closed += 1;
            let _ = stream.read(&mut [0; 1]).await;
            return;
        }
    }
}

fn keys(gzipped: bool, body: &[u8]) -> Vec<String> {
    let mut plain = Vec::new();
    if gzipped {
        GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    } else {
        plain.extend_from_slice(body);
    }
    let events: Vec<Value> = serde_json::from_slice(&plain).unwrap();
    events.iter().map(|event| event["key"].as_str().unwrap().to_owned()).collect()
}
