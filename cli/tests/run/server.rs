//! A small HTTP server that plays the API's answers, on a port of its own.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method, path and query: `GET /v1/projects?limit=100`.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// `null` without a body.
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }
}

/// Stands for no answer at all.
const CUT: u16 = 0;

/// Status, headers (each with its line's end), body.
type Answer = (u16, String, String);

#[derive(Default)]
struct Script {
    asked: Vec<Asked>,
    /// For a request whose line starts so, these answers in turn; the last stays.
    answers: Vec<(String, VecDeque<Answer>)>,
}

/// The server; it ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    address: std::net::SocketAddr,
    script: Arc<Mutex<Script>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let played = Arc::clone(&script);
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if !serve(stream, &played) {
                    break;
                }
            }
        });
        Self { url: format!("http://{address}"), address, script, thread: Some(thread) }
    }

    /// The next answer to requests whose line starts with `line`.
    pub(crate) fn answer(&self, line: &str, status: u16, body: &Value) -> &Self {
        self.answer_with(line, status, "", &body.to_string())
    }

    /// The same with headers (each with its line's end) and any text.
    pub(crate) fn answer_with(&self, line: &str, status: u16, headers: &str, body: &str) -> &Self {
        let answer = (status, headers.to_owned(), body.to_owned());
        let mut script = self.script.lock().unwrap();
        match script.answers.iter_mut().find(|(start, _)| start == line) {
            Some((_, answers)) => answers.push_back(answer),
            None => script.answers.push((line.to_owned(), [answer].into())),
        }
        self
    }

    /// The next such request has its connection cut, without an answer.
    pub(crate) fn cut(&self, line: &str) -> &Self {
        self.answer_with(line, CUT, "", "")
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let _ = stream.write_all(b"END / HTTP/1.1\r\n\r\n");
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One request on each connection; `false` ends the server.
fn serve(mut stream: TcpStream, script: &Mutex<Script>) -> bool {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    if first.starts_with("END ") || first.is_empty() {
        return first.is_empty();
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let line = first.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };

    let mut script = script.lock().unwrap();
    let answer =
        script
            .answers
            .iter_mut()
            .filter(|(start, _)| line.starts_with(start.as_str()))
            .max_by_key(|(start, _)| start.len())
            .and_then(|(_, answers)| {
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
            });
    script.asked.push(Asked { line, headers, body });
    drop(script);
    let (status, headers, body) =
        answer.unwrap_or((404, String::new(), r#"{"message":"Not Found"}"#.to_owned()));
    if status == CUT {
        return true;
    }
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Any\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    let _ = stream.shutdown(Shutdown::Write);
    true
}
