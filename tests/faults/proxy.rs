//! A reverse proxy in front of the local AWS that spoils the calls it is told to spoil.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use crate::call;

/// What a call gets in place of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The service's own way of asking for fewer calls.
    Throttled,
    /// 500.
    Failed,
    /// The connection is reset before the service has the request.
    Reset,
    /// The connection is reset when the service has done what was asked.
    Lost,
}

pub(crate) const FAULTS: [Fault; 4] = [Fault::Throttled, Fault::Failed, Fault::Reset, Fault::Lost];

/// Which calls come through, and which of them are spoiled.
#[derive(Default)]
pub(crate) struct Faults(Mutex<State>);

#[derive(Default)]
struct State {
    seen: BTreeMap<String, usize>,
    armed: Option<(String, Fault)>,
    left: usize,
    injected: usize,
}

impl Faults {
    /// From now on the next `times` calls of this name get this fault; nothing else does.
    pub(crate) fn arm(&self, call: &str, fault: Fault, times: usize) {
        let mut state = self.0.lock().unwrap();
        (state.armed, state.left) = (Some((call.to_owned(), fault)), times);
        state.injected = 0;
    }

    /// From now on nothing gets a fault.
    pub(crate) fn disarm(&self) {
        self.0.lock().unwrap().armed = None;
    }

    /// How many calls were spoiled since it was armed.
    pub(crate) fn injected(&self) -> usize {
        self.0.lock().unwrap().injected
    }

    /// Every call by its name, and how often it came.
    pub(crate) fn seen(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().seen.clone()
    }

    /// How often this call came.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.0.lock().unwrap().seen.get(call).copied().unwrap_or(0)
    }

    fn take(&self, call: String) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        let fault = match &state.armed {
            Some((armed, fault)) if *armed == call && state.left > 0 => Some(*fault),
            _ => None,
        };
        *state.seen.entry(call).or_default() += 1;
        if fault.is_some() {
            state.left -= 1;
            state.injected += 1;
        }
        fault
    }
}

/// The way of one function to AWS.
pub(crate) struct Proxy {
    port: u16,
    task: AbortHandle,
}

impl Proxy {
    pub(crate) async fn start(function: &'static str, aws: u16, faults: &Arc<Faults>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::clone(faults);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let faults = Arc::clone(&faults);
                tokio::spawn(async move {
                    // Where either side goes away, so does the other.
                    let _ = serve(stream, function, aws, &faults).await;
                });
            }
        });
        Self { port, task: task.abort_handle() }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    function: &str,
    aws: u16,
    faults: &Faults,
) -> std::io::Result<()> {
    let mut aws = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], aws))).await?;
    client.set_nodelay(true)?;
    aws.set_nodelay(true)?;
    let (mut from_client, mut from_aws) = (Vec::new(), Vec::new());
    while let Some(request) = read_message(&mut client, &mut from_client).await {
        let name = call::name(function, &request);
        match faults.take(name.clone()) {
            Some(Fault::Throttled) => client.write_all(&throttled(&name)).await?,
            Some(Fault::Failed) => client.write_all(&failed(&name)).await?,
            // With zero to linger for, what is dropped is reset.
            Some(Fault::Reset) => return client.set_zero_linger(),
            fault => {
                aws.write_all(&request.bytes).await?;
                let Some(answer) = read_message(&mut aws, &mut from_aws).await else { break };
                if fault.is_some() {
                    return client.set_zero_linger();
                }
                client.write_all(&answer.bytes).await?;
            }
        }
    }
    Ok(())
}

fn throttled(call: &str) -> Vec<u8> {
    if call.contains(" s3:") {
        return xml(503, "SlowDown", "Please reduce your request rate.");
    }
    if call.contains(" sqs:") {
        return json(400, "com.amazonaws.sqs#RequestThrottled", "The request was denied.");
    }
    let code = if call.contains("Query") {
        "com.amazonaws.dynamodb.v20120810#ThrottlingException"
    } else {
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    };
    json(400, code, "The level of configured provisioned throughput was exceeded.")
}

fn failed(call: &str) -> Vec<u8> {
    if call.contains(" s3:") {
        xml(500, "InternalError", "We encountered an internal error. Please try again.")
    } else if call.contains(" sqs:") {
        json(500, "com.amazonaws.sqs#InternalFailure", "It failed for an unknown reason.")
    } else {
        json(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error")
    }
}

fn json(status: u16, code: &str, message: &str) -> Vec<u8> {
    let body = serde_json::json!({ "__type": code, "message": message }).to_string();
    let more = match code.split_once("sqs#") {
        Some((_, code)) => {
            let whose = if status < 500 { "Sender" } else { "Receiver" };
            format!("x-amzn-query-error: {code};{whose}\r\n")
        }
        None => String::new(),
    };
    answer(status, &format!("content-type: application/x-amz-json-1.0\r\n{more}"), &body)
}

fn xml(status: u16, code: &str, message: &str) -> Vec<u8> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>0</RequestId><HostId>0</HostId></Error>"
    );
    answer(status, "content-type: application/xml\r\n", &body)
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}x-amzn-requestid: 0\r\n");
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A request or an answer as it came.
pub(crate) struct Message {
    bytes: Vec<u8>,
    head: usize,
}

impl Message {
    /// The first line.
    pub(crate) fn start(&self) -> &str {
        self.text().lines().next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text().lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    /// What follows the head; in chunks if that is how it came.
    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.bytes[..self.head]).unwrap()
    }
}

/// The next message, whole; `None` when the connection ends. What came beyond it stays in `buffer`.
pub(crate) async fn read_message<R: AsyncRead + Unpin>(
    from: &mut R,
    buffer: &mut Vec<u8>,
) -> Option<Message> {
    let head = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        more(from, buffer).await?;
    };
    let mut message = Message { bytes: buffer[..head].to_vec(), head };
    assert!(message.header("expect").is_none(), "{}", message.text());
    let end = if message.header("transfer-encoding").is_some() {
        let mut at = head;
        loop {
            let line = loop {
                match find(&buffer[at..], b"\r\n") {
                    Some(length) => break at..at + length,
                    None => more(from, buffer).await?,
                }
            };
            let size = str::from_utf8(&buffer[line.clone()]).unwrap();
            let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16).unwrap();
            // The chunk and the end of its line; the last one has no trailers here.
            at = line.end + 2 + size + 2;
            while buffer.len() < at {
                more(from, buffer).await?;
            }
            if size == 0 {
                break at;
            }
        }
    } else {
        let length = message.header("content-length").map_or(0, |length| length.parse().unwrap());
        while buffer.len() < head + length {
            more(from, buffer).await?;
        }
        head + length
    };
    message.bytes = buffer.drain(..end).collect();
    Some(message)
}

async fn more<R: AsyncRead + Unpin>(from: &mut R, buffer: &mut Vec<u8>) -> Option<()> {
    let read = from.read_buf(buffer).await.unwrap_or(0);
    (read > 0).then_some(())
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|part| part == what)
}
