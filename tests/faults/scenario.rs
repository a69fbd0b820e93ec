//! What happens to a project's events in a run, so that the functions make all their calls.

use crate::endpoint::{Endpoint, Reply, Seen};

/// One of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// One endpoint takes them; one fails, and takes them at their next slot; one fails then too;
    /// one is new, and its first delivery comes scheduled by others. In each queue there is a record
    /// besides that is not Flagpost's.
    Direct,
    /// The endpoint asks for a pause, twice, and the operator makes another; what is parked is
    /// drained, and one delivery fails in that. With it lies an object that is not Flagpost's.
    Paced,
    /// The endpoint says that it is gone, and again when the operator resumes it.
    Gone,
}

impl Scenario {
    /// The endpoints of its integrations, with how many events they take at a time.
    pub(crate) async fn endpoints(self) -> Vec<(Endpoint, u32)> {
        // By the order of the requests: an attempt is two of them.
        match self {
            Self::Direct => vec![
                (Endpoint::start(|_| Reply::Status(200)).await, 500),
                (Endpoint::start(|seen| first(seen, 2, Reply::Status(500))).await, 500),
                (Endpoint::start(|seen| first(seen, 4, Reply::Status(500))).await, 500),
            ],
            Self::Paced => vec![(Endpoint::start(paced()).await, 1)],
            Self::Gone => {
                vec![(Endpoint::start(|seen| first(seen, 2, Reply::Status(410))).await, 500)]
            }
        }
    }
}

/// It wants to be left alone by `batch`, and by the first probe. Of what it is sent after the second
/// probe, the first delivery fails in its attempt.
fn paced() -> impl FnMut(&Seen) -> Reply + Send {
    let (mut poison, mut failures) = (None, 0);
    move |seen| match seen.number {
        0 => Reply::Later(4),
        1 => Reply::Later(1),
        2 => Reply::Status(200),
        _ if failures < 2 && *poison.get_or_insert_with(|| seen.id.clone()) == seen.id => {
            failures += 1;
            Reply::Status(500)
        }
        _ => Reply::Status(200),
    }
}

fn first(seen: &Seen, count: usize, reply: Reply) -> Reply {
    if seen.number < count { reply } else { Reply::Status(200) }
}
