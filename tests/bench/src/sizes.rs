//! What is sent, stored and logged, in bytes: what AWS counts and charges for. `docs/costs/measured.json`
//! has these figures, and a test holds it to them.

use bytes::Bytes;
use flagpost_domain::{
    attempt_log::{Function, Record, Result, Then},
    delivery::{Delivery, Provenance},
    event::join,
    gzip::gzip,
    id::unique,
    message::{Aside, Fresh},
    metrics::{Emf, Measured, Metrics},
    time::Timestamp,
};

use crate::{
    Outcome,
    ports::{Endpoint, Texts},
    product::{Deliverer, PROJECT, Taker, messages},
    sample, say,
};

/// Events in a small request and in a large one.
const REQUESTS: [usize; 2] = [20, sample::EVENTS];
/// Deliveries of one invocation, to see what each adds to its metrics.
const MANY: usize = 20;
const AT: Timestamp = Timestamp(1_795_237_200_000);

/// A figure, by the name that it has in `measured.json`.
type Size = (String, f64);

/// Prints them.
pub(crate) async fn run() -> Outcome<bool> {
    for (name, bytes) in sizes().await? {
        say(&format!("{name:<40} {bytes:>10.1}"));
    }
    Ok(true)
}

async fn sizes() -> Outcome<Vec<Size>> {
    let mut sizes = Vec::new();
    let mut add = |name: String, value: usize| {
        u32::try_from(value).map(|value| sizes.push((name, f64::from(value))))
    };
    for events in REQUESTS {
        let request = sample::requests(1, events);
        let texts = messages(&request).await?;
        let text = texts.first().ok_or("a request made no message")?;
        add(format!("message_bytes_{events}"), text.len())?;
        add(format!("request_bytes_{events}"), request.iter().map(Bytes::len).sum())?;
        let endpoint = Endpoint::keeping();
        Deliverer::new(endpoint.clone()).deliver(&texts).await?;
        let sent = endpoint.sent();
        let one = sent.first().ok_or("a message made no delivery")?;
        let headers = one.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
        add(format!("sent_bytes_{events}"), one.body.len())?;
        add(format!("sent_headers_bytes_{events}"), headers.sum())?;
        let delivery = delivery(text)?;
        let body = join(&delivery.events);
        if gzip(&body) != one.body {
            return Err("what was sent is not what was accepted".into());
        }
        add(format!("sent_plain_bytes_{events}"), body.len())?;
        add(format!("parked_bytes_{events}"), Aside::new(delivery, AT).encode().len())?;
    }
    add("attempt_item_bytes".to_owned(), attempt_item()?)?;
    let (ingest, series) = ingest_metrics().await?;
    add("ingest_metrics_bytes".to_owned(), ingest)?;
    let (one, batch_series) = batch_metrics(1).await?;
    let (many, _) = batch_metrics(MANY).await?;
    add("batch_metrics_bytes".to_owned(), one)?;
    add("batch_metrics_bytes_each".to_owned(), (many - one) / (MANY - 1))?;
    add("metric_series_well".to_owned(), series + batch_series)?;
    let (sweep, _) = sweep_metrics()?;
    add("sweep_metrics_bytes".to_owned(), sweep)?;
    Ok(sizes)
}

/// What a message's events are as one delivery.
fn delivery(text: &str) -> Outcome<Delivery> {
    let packed = Fresh::decode(text)?;
    Ok(Delivery {
        id: unique(AT, [7; 16]).as_str().into(),
        project: PROJECT.into(),
        integration: unique(AT, [8; 16]).as_str().into(),
        began: AT,
        events: packed.events()?,
        numbers: Vec::new(),
        rest: false,
        provenance: Provenance { accepted_at: Some(AT), trace: None },
    })
}

/// A line of the delivery log, as DynamoDB counts it: the names and the values of its attributes.
///
/// Source: AWS, "DynamoDB item sizes and formats" (Developer Guide).
fn attempt_item() -> Outcome<usize> {
    let record = Record {
        integration: unique(AT, [8; 16]).as_str().into(),
        delivery: unique(AT, [7; 16]).as_str().into(),
        at: AT,
        from: Function::Batch,
        outcome: Result::Delivered,
        requests: 1,
        status: Some(200),
        error: None,
        duration_ms: 104,
        events: 500,
        delivered: 500,
        bytes: 169_000,
        bytes_sent: 19_753,
        answer: Some("ok".to_owned()),
        trace_id: None,
        then: Then::Delivered,
        next_at: None,
    };
    let names = ["pk", "sk", "expires_at", "doc"].map(str::len).iter().sum::<usize>();
    let pk = "ATTEMPTS#".len() + record.integration.as_str().len();
    let seconds = 10_usize.div_ceil(2) + 1;
    Ok(names + pk + record.id().len() + seconds + serde_json::to_string(&record)?.len())
}

/// Bytes of the metrics that ingest prints for a request that was accepted, and how many CloudWatch makes of them.
async fn ingest_metrics() -> Outcome<(usize, usize)> {
    let texts = Texts::default();
    let taker = Taker::new(&texts);
    for request in sample::requests(1, sample::EVENTS) {
        taker.accept(&request).await?;
    }
    printed(&taker.metrics().take())
}

/// The same of an invocation of batch in which all goes well.
async fn batch_metrics(deliveries: usize) -> Outcome<(usize, usize)> {
    let deliverer = Deliverer::new(Endpoint::default());
    let texts = messages(&sample::requests(deliveries, sample::EVENTS)).await?;
    deliverer.deliver(&texts).await?;
    printed(&deliverer.metrics().take())
}

/// The same of a sweep of an idle stack.
fn sweep_metrics() -> Outcome<(usize, usize)> {
    let metrics = Metrics::default();
    metrics.swept();
    printed(&metrics.take())
}

fn printed(measured: &[Measured]) -> Outcome<(usize, usize)> {
    let emf = Emf { namespace: "Flagpost".to_owned(), stack: "flagpost".to_owned() };
    let documents: Vec<_> =
        measured.iter().flat_map(|measured| emf.documents(measured, AT)).collect();
    let mut series = 0;
    for document in &documents {
        let document: serde_json::Value = serde_json::from_str(document)?;
        let directive = &document["_aws"]["CloudWatchMetrics"][0];
        let many = |name: &str| directive[name].as_array().map_or(0, Vec::len);
        series += many("Dimensions") * many("Metrics");
    }
    Ok((documents.iter().map(String::len).sum(), series))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const MEASURED: &str = include_str!("../../../docs/costs/measured.json");
    /// Latencies are times of a clock, and have more digits or fewer.
    const TOLERANCE: f64 = 0.05;

    #[tokio::test]
    async fn the_costs_are_computed_from_these_sizes() {
        let measured: Value = serde_json::from_str(MEASURED).unwrap();
        let figures = measured.as_object().unwrap();
        let sizes = sizes().await.unwrap();
        for (name, size) in &sizes {
            let written = figures[name]["value"].as_f64().unwrap();
            let off = (written - size).abs() / size;
            assert!(
                off <= TOLERANCE,
                "{name} is {written} in docs/costs/measured.json, and {size}"
            );
        }
        let from_here: Vec<_> = figures
            .iter()
            .filter(|(_, figure)| figure["from"] == "scripts/bench sizes")
            .map(|(name, _)| name.as_str())
            .collect();
        let mut names: Vec<_> = sizes.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(from_here, names, "all of them, and no others");
    }
}
