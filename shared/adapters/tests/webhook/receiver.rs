//! A receiver whose every byte is the test's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    log: watch::Sender<Vec<Received>>,
    accepted: Arc<Mutex<usize>>,
}

impl Receiver {
    /// Serves each connection with `serve`, until the test's runtime ends.
    pub(crate) async fn start<S, F>(serve: S) -> Self
    where
        S: Fn(Connection<TcpStream>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = watch::Sender::new(Vec::new());
        let accepted = Arc::new(Mutex::new(0));
        let (to_log, to_accepted) = (log.clone(), Arc::clone(&accepted));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = {
                    let mut accepted = to_accepted.lock().unwrap();
                    *accepted += 1;
                    *accepted - 1
                };
                let connection =
                    Connection { stream, number, log: to_log.clone(), buffer: Vec::new() };
                tokio::spawn(serve(connection));
            }
        });
        Self { address, log, accepted }
    }

    /// Answers every request on every connection with `answer`.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = Arc::from(answer.into());
        Self::start(move |mut connection| {
            let answer = Arc::clone(&answer);
            async move {
                while connection.request().await.is_some() {
                    connection.write(&answer).await;
                }
            }
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/SECRET?token=SECRET", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.log.borrow().clone()
    }

    /// Waits until so many requests have arrived.
    pub(crate) async fn until(&self, requests: usize) {
        self.log.subscribe().wait_for(|log| log.len() >= requests).await.unwrap();
    }

    /// The connection of each request, in the order of the requests.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.received().iter().map(|request| request.connection).collect()
    }

    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.lock().unwrap()
    }
}

pub(crate) struct Connection<S> {
    pub(crate) stream: S,
    pub(crate) number: usize,
    log: watch::Sender<Vec<Received>>,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Puts another layer on the connection; `None` if that fails.
    pub(crate) async fn over<T, E, F: Future<Output = Result<T, E>>>(
        self,
        layer: impl FnOnce(S) -> F,
    ) -> Option<Connection<T>> {
        let Self { stream, number, log, buffer } = self;
        let stream = layer(stream).await.ok()?;
        Some(Connection { stream, number, log, buffer })
    }

    /// The next request, whole; `None` when the client has closed the connection.
    pub(crate) async fn request(&mut self) -> Option<Received> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers: BTreeMap<_, _> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length: usize =
            headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < length {
            self.more().await?;
        }
        let body = self.buffer.drain(..length).collect();
        let received = Received { connection: self.number, line, headers, body };
        self.log.send_modify(|log| log.push(received.clone()));
        Some(received)
    }

    /// Whether all of it could be written.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    async fn more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.buffer).await.unwrap_or(0);
        (read > 0).then_some(())
    }
}
