//! A customer's endpoint that does harm, until it is told to be well.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt, BufStream},
    net::{TcpListener, TcpSocket, TcpStream},
};

use crate::{
    receiver::{Receiver, Reply},
    wait::let_pass,
};

/// What it does to each request.
#[derive(Clone, Debug)]
pub(crate) enum Harm {
    /// Nobody listens.
    Refuse,
    /// The connection is reset when the request is there.
    Reset,
    /// No answer.
    Hang,
    /// An answer of one byte a second.
    Drip,
    /// 200, with a body of 100 MB.
    Huge,
    /// 200, with headers that never end.
    EndlessHeaders,
    /// 200, later than an answer may come.
    Late,
    /// 307 to this place.
    Redirect(String),
}

/// An answer must be there within ten seconds.
const TOO_LATE: Duration = Duration::from_secs(11);
const HUGE: usize = 100_000_000;

pub(crate) struct Hostile {
    pub(crate) harm: Harm,
    pub(crate) address: SocketAddr,
    /// It reads the requests, and answers them once it is well.
    pub(crate) receiver: Receiver,
    /// Until then nobody listens.
    refusing: Option<TcpSocket>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    well: AtomicBool,
    /// Requests that were harmed.
    harmed: AtomicUsize,
    /// Bytes of huge answers that somebody took.
    written: AtomicUsize,
}

impl Hostile {
    pub(crate) async fn start(harm: Harm) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let receiver = Receiver::start().await;
        let state = Arc::default();
        let mut hostile = Self { harm, address, receiver, refusing: Some(socket), state };
        if !matches!(hostile.harm, Harm::Refuse) {
            hostile.listen();
        }
        hostile
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/impressions", self.address)
    }

    /// From now on it takes everything with 200.
    pub(crate) fn gets_well(&mut self) {
        self.state.well.store(true, Ordering::SeqCst);
        self.listen();
    }

    /// How often it did harm. Of connections that were refused nobody knows: one is made here.
    pub(crate) async fn harmed(&self) -> usize {
        if self.refusing.is_some() {
            let refused = TcpStream::connect(self.address).await.unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
            return 1;
        }
        self.state.harmed.load(Ordering::SeqCst)
    }

    /// Bytes of huge answers that went into the connection.
    pub(crate) fn written(&self) -> usize {
        self.state.written.load(Ordering::SeqCst)
    }

    /// The `key` of every impression that it took with a 200 that came in time, each once.
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        self.receiver.keys()
    }

    fn listen(&mut self) {
        let Some(socket) = self.refusing.take() else { return };
        let listener = socket.listen(128).unwrap();
        tokio::spawn(serve(
            listener,
            self.harm.clone(),
            self.receiver.clone(),
            Arc::clone(&self.state),
        ));
    }
}

async fn serve(listener: TcpListener, harm: Harm, receiver: Receiver, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (harm, receiver, state) = (harm.clone(), receiver.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let mut stream = BufStream::new(stream);
            while let Some(request) = crate::receiver::read(&mut stream).await {
                if state.well.load(Ordering::SeqCst) {
                    let reply = receiver.take(request);
                    if crate::receiver::write(&mut stream, reply).await.is_err() {
                        return;
                    }
                    continue;
                }
                state.harmed.fetch_add(1, Ordering::SeqCst);
                if matches!(harm, Harm::Huge) {
                    // The 200 counts: these are delivered.
                    receiver.take(request);
                }
                // However the harm ends, it ends the connection.
                let _ = do_harm(&harm, stream, &state).await;
                return;
            }
        });
    }
}

async fn do_harm(
    harm: &Harm,
    mut stream: BufStream<TcpStream>,
    state: &State,
) -> std::io::Result<()> {
    let ok = b"HTTP/1.1 200 OK\r\n";
    match harm {
        Harm::Refuse => {}
        Harm::Reset => stream.get_ref().set_zero_linger()?,
        Harm::Hang => std::future::pending().await,
        Harm::Drip => {
            for byte in ok.iter().chain(b"x: ").chain([b'x'; 1_000].iter()) {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                let_pass(Duration::from_secs(1)).await;
            }
        }
        Harm::Huge => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {HUGE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            let block = vec![b'x'; 10_000];
            for _ in 0..HUGE / block.len() {
                stream.write_all(&block).await?;
                state.written.fetch_add(block.len(), Ordering::SeqCst);
            }
        }
        Harm::EndlessHeaders => {
            stream.write_all(ok).await?;
            loop {
                stream
                    .write_all(b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")
                    .await?;
            }
        }
        Harm::Late => {
            let_pass(TOO_LATE).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
            stream.flush().await?;
        }
        Harm::Redirect(to) => {
            let reply = Reply::status(307).with("location", to.clone());
            crate::receiver::write(&mut stream, reply).await?;
        }
    }
    Ok(())
}
