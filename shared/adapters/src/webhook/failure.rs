//! What a failed request means, in the domain's words.

use std::error::Error;
use std::iter;
use std::net::SocketAddr;

use flagpost_domain::destination::Refused;
use flagpost_domain::ports::SendError;

use super::reuse::{self, Made};

/// The longest text of an error, in characters: an endpoint's certificate has a say in it.
const TEXT_CHARS: usize = 300;

/// A request that brought no whole answer.
#[derive(Debug)]
pub(super) struct Failure {
    error: SendError,
    lost: Option<Lost>,
}

/// A connection that was there, and was lost before it brought an answer.
#[derive(Debug, Clone, Copy)]
struct Lost {
    ends: Option<(SocketAddr, SocketAddr)>,
}

impl Failure {
    /// Before the head of an answer was there.
    pub(super) fn unanswered(error: &reqwest::Error) -> Self {
        let classified = classify(error);
        let used =
            find::<hyper_util::client::legacy::Error>(error).and_then(|error| error.connect_info());
        let lost = matches!(classified, SendError::Lost(_));
        Self { error: classified, lost: lost.then(|| Lost { ends: used.and_then(reuse::ends) }) }
    }

    /// After it.
    pub(super) fn answered(error: &reqwest::Error) -> Self {
        Self { error: classify(error), lost: None }
    }

    /// Whether a connection that was kept from an earlier request was lost without an answer.
    pub(super) fn lost_kept(&self, made: Made) -> bool {
        self.lost.is_some_and(|lost| made.other_than(lost.ends))
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

fn classify(error: &reqwest::Error) -> SendError {
    if let Some(refused) = find::<Refused>(error) {
        return match refused {
            Refused::NoAddress { .. } => SendError::Connect(refused.to_string()),
            Refused::Forbidden { .. } => SendError::Refused(refused.to_string()),
        };
    }
    if error.is_timeout() {
        return SendError::Timeout;
    }
    let text = text(error);
    if find::<rustls::Error>(error).is_some() {
        SendError::Tls(text)
    } else if error.is_connect() {
        SendError::Connect(text)
    } else if error.is_builder() || find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse)
    {
        SendError::Protocol(text)
    } else {
        SendError::Lost(text)
    }
}

/// The error and what caused it. The cause of an `io::Error` that wraps another is that other
/// one's cause, so the wrapped one is asked for.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The causes in words. Reqwest's own words hold the URL, so they are left out.
fn text(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes(error).filter(|cause| !cause.is::<reqwest::Error>()) {
        let text = cause.to_string();
        // A wrapper often repeats what it wraps.
        if !texts.last().is_some_and(|last| last.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ").chars().filter(|c| !c.is_control()).take(TEXT_CHARS).collect()
}
