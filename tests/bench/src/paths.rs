//! The two paths without I/O, beside the naive way: processor time for each event.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use flagpost_domain::{gzip as product_gzip, message::Fresh, ports::Request};

use crate::{
    Outcome, naive,
    ports::{Endpoint, Texts},
    product::{self, Deliverer, Taker},
    rounds::{self, Series, ns_each},
    sample, say,
    target::Targets,
    usage::of_this_thread,
};

/// Messages in an invocation of `batch`, each of one request.
const MESSAGES: usize = 20;
/// Times that a contender does its work in one round.
const TIMES: usize = 20;
const EVENTS: usize = MESSAGES * sample::EVENTS;
/// Events in a message of a small request. As many events as above come in more messages.
const SMALL: usize = 20;
/// Batch, in per cent of the naive way.
const TARGET: f64 = 45.0;

/// What there is to work on.
struct Work {
    requests: Vec<Bytes>,
    texts: Vec<String>,
    /// The same with their events as they are.
    plain_texts: Vec<String>,
    /// The same events in small messages.
    small_texts: Vec<String>,
    /// The bodies of the deliveries before compression, and after it.
    bodies: Vec<Bytes>,
    packed: Vec<Vec<u8>>,
    encoded: Vec<String>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    Batch,
    NaiveBatch,
    NaiveBatchPlain,
    SmallBatch,
    NaiveSmallBatch,
    Ingest,
    NaiveIngest,
    Gunzip,
    Base64,
    Gzip1,
    Gzip6,
    Hmac,
}

const CONTENDERS: [(Contender, &str); 12] = [
    (Contender::Batch, "batch"),
    (Contender::NaiveBatch, "batch, the naive way"),
    (Contender::NaiveBatchPlain, "batch, the naive way, messages not compressed"),
    (Contender::SmallBatch, "batch, messages of 20 events"),
    (Contender::NaiveSmallBatch, "batch, the naive way, messages of 20 events"),
    (Contender::Ingest, "ingest"),
    (Contender::NaiveIngest, "ingest, the naive way"),
    (Contender::Gunzip, "  part: gunzip a message"),
    (Contender::Base64, "  part: base64 of a message decoded"),
    (Contender::Gzip1, "  part: gzip level 1, the product's"),
    (Contender::Gzip6, "  part: gzip level 6"),
    (Contender::Hmac, "  part: HMAC-SHA256"),
];

/// Measures and reports; whether the target was met.
pub(crate) async fn run(rounds: usize) -> Outcome<bool> {
    let rounds = rounds::enough(rounds)?;
    let work = Work::new().await?;
    work.check().await?;
    let mut series: Vec<Series> = vec![Series::default(); CONTENDERS.len()];
    let endpoint = Endpoint::default();
    let deliverer = Deliverer::new(endpoint.clone());
    // The first round only warms up.
    for round in 0..=rounds {
        for ((contender, _), series) in CONTENDERS.iter().zip(&mut series) {
            let before = of_this_thread()?;
            for _ in 0..TIMES {
                contender.work(&work, &deliverer).await?;
            }
            let taken = of_this_thread()?.saturating_sub(before);
            if round > 0 {
                series.push(ns_each(taken, TIMES * EVENTS));
            }
        }
    }
    let delivered = endpoint.requests();
    // Twenty messages or five hundred: the deliveries are as many.
    if delivered != 2 * (rounds + 1) * TIMES * MESSAGES {
        return Err(format!("{delivered} deliveries are not what was to be delivered").into());
    }
    Ok(report(rounds, &work, &series))
}

fn report(rounds: usize, work: &Work, series: &[Series]) -> bool {
    let size = work.bodies.iter().map(Bytes::len).sum::<usize>() / EVENTS;
    say(&format!(
        "ns of one processor for each event: {MESSAGES} messages of {} impressions, \
         {size} bytes each; medians of {rounds} rounds",
        sample::EVENTS
    ));
    for ((_, name), series) in CONTENDERS.iter().zip(series) {
        let (least, most) = series.range();
        say(&format!("  {name:<48} {:>7.0}   ({least:.0} to {most:.0})", series.median()));
    }
    let of = |wanted| {
        let found = CONTENDERS.iter().position(|(contender, _)| *contender == wanted);
        found.map_or(0.0, |at| series[at].median())
    };
    let (batch, naive) = (of(Contender::Batch), of(Contender::NaiveBatch));
    let plain = of(Contender::NaiveBatchPlain);
    let ingest = of(Contender::Ingest) / of(Contender::NaiveIngest);
    let small = of(Contender::SmallBatch) / of(Contender::NaiveSmallBatch);
    say(&format!("  ingest is {:.1} % of the naive way", 100.0 * ingest));
    say(&format!("  batch of small messages is {:.1} % of the naive way", 100.0 * small));
    say(&format!("  batch is {:.1} % of the naive way with plain messages", 100.0 * batch / plain));
    let mut targets = Targets::default();
    targets.at_most("batch, of the naive way", 100.0 * batch / naive, TARGET, " %");
    targets.all_met()
}

impl Work {
    async fn new() -> Outcome<Self> {
        let requests = sample::requests(MESSAGES, sample::EVENTS);
        let texts = product::messages(&requests).await?;
        let small = sample::requests(EVENTS / SMALL, SMALL);
        let small_texts = product::messages(&small).await?;
        let mut bodies = Vec::new();
        let mut packed = Vec::new();
        for text in &texts {
            let events = Fresh::decode(text)?.events()?;
            let body = flagpost_domain::event::join(&events);
            packed.push(product_gzip::gzip(&body));
            bodies.push(Bytes::from(body));
        }
        let plain_texts = texts.iter().map(|text| naive::uncompressed(text));
        let plain_texts = plain_texts.collect::<Outcome<_>>()?;
        let encoded = packed.iter().map(|packed| BASE64_STANDARD.encode(packed)).collect();
        Ok(Self { requests, texts, plain_texts, small_texts, bodies, packed, encoded })
    }

    /// What the contenders do is what it is said to be, down to the bytes.
    async fn check(&self) -> Outcome<()> {
        let mut wanted: Vec<_> = self.bodies.iter().map(|body| body.to_vec()).collect();
        wanted.sort_unstable();
        for texts in [&self.texts, &self.small_texts] {
            let endpoint = Endpoint::keeping();
            Deliverer::new(endpoint.clone()).deliver(texts).await?;
            let sent = endpoint.sent();
            let mut sent = sent.iter().map(signed_body).collect::<Outcome<Vec<_>>>()?;
            sent.sort_unstable();
            if sent != wanted {
                return Err("what batch sent is not what ingest took".into());
            }
        }
        let integration = product::integration("https://hooks.example.com/");
        for texts in [&self.texts, &self.plain_texts, &self.small_texts] {
            if naive::batch(texts, &integration)? != EVENTS {
                return Err("the naive way delivers another number of events".into());
            }
        }
        Ok(())
    }
}

impl Contender {
    /// Does its work on all [`EVENTS`] once.
    async fn work(self, work: &Work, deliverer: &Deliverer) -> Outcome<()> {
        match self {
            Self::Batch => deliverer.deliver(&work.texts).await?,
            Self::SmallBatch => deliverer.deliver(&work.small_texts).await?,
            Self::NaiveBatch => naive_batch(&work.texts)?,
            Self::NaiveSmallBatch => naive_batch(&work.small_texts)?,
            Self::NaiveBatchPlain => naive_batch(&work.plain_texts)?,
            Self::Ingest => {
                let texts = Texts::default();
                let taker = Taker::new(&texts);
                for request in &work.requests {
                    taker.accept(request).await?;
                }
            }
            Self::NaiveIngest => {
                let texts = work.requests.iter().map(|request| naive::ingest(request));
                std::hint::black_box(texts.collect::<Outcome<Vec<_>>>()?);
            }
            Self::Gunzip => {
                for (packed, body) in work.packed.iter().zip(&work.bodies) {
                    std::hint::black_box(product_gzip::gunzip(packed, body.len())?);
                }
            }
            Self::Base64 => {
                for encoded in &work.encoded {
                    std::hint::black_box(BASE64_STANDARD.decode(encoded)?);
                }
            }
            Self::Gzip1 => work.bodies.iter().for_each(|body| {
                std::hint::black_box(product_gzip::gzip(body));
            }),
            Self::Gzip6 => {
                for body in &work.bodies {
                    std::hint::black_box(naive::gzip(body, naive::USUAL)?);
                }
            }
            Self::Hmac => {
                for body in &work.bodies {
                    std::hint::black_box(naive::sign("id", "1795237200", body)?);
                }
            }
        }
        Ok(())
    }
}

/// The body of a request before compression, which its signature is of.
fn signed_body(request: &Request) -> Outcome<Vec<u8>> {
    let header = |name: &str| request.headers.get(name).unwrap_or_default();
    let body = naive::gunzip(&request.body)?;
    let wanted = naive::sign(header("webhook-id"), header("webhook-timestamp"), &body)?;
    if header("webhook-signature") == wanted {
        Ok(body)
    } else {
        Err("a delivery is not signed as it should be".into())
    }
}

fn naive_batch(texts: &[String]) -> Outcome<()> {
    let integration = product::integration("https://hooks.example.com/");
    std::hint::black_box(naive::batch(texts, &integration)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_contender_does_its_work() {
        let work = Work::new().await.unwrap();
        work.check().await.unwrap();
        let endpoint = Endpoint::default();
        let deliverer = Deliverer::new(endpoint.clone());
        for (contender, _) in CONTENDERS {
            contender.work(&work, &deliverer).await.unwrap();
        }
        assert_eq!(endpoint.requests(), 2 * MESSAGES, "two of them are batch");
    }
}
