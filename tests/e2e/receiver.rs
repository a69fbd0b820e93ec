//! A customer's endpoint: an HTTP server on 127.0.0.1 that keeps what it is sent, and answers as
//! it is told.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Read,
    sync::{Arc, Mutex},
    time::Duration,
};

use flagpost_domain::time::Timestamp;
use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

use crate::{stack::now, wait::let_pass};

/// `batch` waits for an answer for 2 s.
const TOGETHER_MAX: Duration = Duration::from_millis(1_500);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// When it was there whole.
    pub(crate) at: Timestamp,
    pub(crate) path: String,
    headers: HashMap<String, String>,
    /// The body after gunzip.
    pub(crate) body: Vec<u8>,
    /// What it was answered.
    pub(crate) status: u16,
}

/// What a request is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    together: Option<Arc<Barrier>>,
}

type Answer = Box<dyn FnMut(&Received) -> Reply + Send>;

struct State {
    answer: Answer,
    received: Vec<Received>,
}

/// It answers 200 until it is told otherwise, and ends with the test.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl Received {
    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// All headers but those of HTTP itself and of the delivery, which must be there: names in small letters, in their
    /// order.
    pub(crate) fn own_headers(&self) -> BTreeMap<&str, &str> {
        let mut own: BTreeMap<_, _> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let length = own.remove("content-length").unwrap();
        assert!(self.is_gzipped() || length == self.body.len().to_string(), "{length}");
        assert!(own.remove("host").is_some_and(|host| !host.is_empty()));
        assert!(own.remove("webhook-id").is_some_and(|id| !id.is_empty()));
        assert!(own.remove("accept").is_some_and(|accepted| accepted == "*/*"));
        let at: i64 = own.remove("webhook-timestamp").unwrap().parse().unwrap();
        assert!((0..3_600).contains(&(self.at.seconds() - at)), "{at}");
        own
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The delivery.
    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn is_gzipped(&self) -> bool {
        self.header("content-encoding") == "gzip"
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), together: None }
    }

    /// Given to as many requests as the barrier has room for at the same time; not later than the
    /// sender waits for it.
    pub(crate) fn together(self, barrier: &Arc<Barrier>) -> Self {
        Self { together: Some(Arc::clone(barrier)), ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { answer: Box::new(|_| Reply::status(200)), received: Vec::new() };
        let receiver = Self { port, state: Arc::new(Mutex::new(state)) };
        let server = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/impressions", self.port)
    }

    /// From now on it answers what the closure says. It is called once for each request, in the
    /// order in which they are all there.
    pub(crate) fn answers(&self, answer: impl FnMut(&Received) -> Reply + Send + 'static) {
        self.state.lock().unwrap().answer = Box::new(answer);
    }

    pub(crate) fn answers_always(&self, status: u16) {
        self.answers(move |_| Reply::status(status));
    }

    /// Everything that came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().received.len()
    }

    /// Events of the requests that were answered with success.
    pub(crate) fn accepted(&self) -> Vec<Value> {
        let received = self.received();
        let accepted = received.iter().filter(|request| (200..300).contains(&request.status));
        accepted.flat_map(Received::events).collect()
    }

    /// The `key` of every impression that was taken, each once.
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        self.accepted().iter().map(|event| event["key"].as_str().unwrap().to_owned()).collect()
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufStream::new(stream);
        while let Some(request) = read(&mut stream).await {
            let reply = self.take(request);
            if let Some(barrier) = &reply.together {
                tokio::select! {
                    _ = barrier.wait() => {}
                    () = let_pass(TOGETHER_MAX) => {}
                }
            }
            if write(&mut stream, reply).await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn take(&self, mut request: Received) -> Reply {
        let mut state = self.state.lock().unwrap();
        let reply = (state.answer)(&request);
        request.status = reply.status;
        state.received.push(request);
        reply
    }
}

/// One request; `None` when the connection ends.
pub(crate) async fn read(stream: &mut BufStream<TcpStream>) -> Option<Received> {
    let start = line(stream).await?;
    let [method, path, _] = start.split(' ').collect::<Vec<_>>()[..] else {
        panic!("not a request: {start}")
    };
    assert_eq!(method, "POST");
    let mut headers = HashMap::new();
    loop {
        let line = line(stream).await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or_else(|| panic!("no content-length: {headers:?}"))];
    stream.read_exact(&mut body).await.ok()?;
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        let mut decoded = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut decoded).unwrap();
        body = decoded;
    }
    Some(Received { at: now(), path: path.to_owned(), headers, body, status: 0 })
}

async fn line(stream: &mut BufStream<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

pub(crate) async fn write(stream: &mut BufStream<TcpStream>, reply: Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Told So\r\n", reply.status);
    if reply.status != 204 {
        head += "content-length: 0\r\n";
    }
    for (name, value) in reply.headers {
        head.extend([name, ": ", &value, "\r\n"]);
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await
}
