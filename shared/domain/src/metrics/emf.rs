//! CloudWatch's embedded metric format: lines of a log that CloudWatch makes metrics of.
//!
//! Source: AWS, "Specification: Embedded metric format" (CloudWatch User Guide). A metric's value is a
//! number, or an array of at most 100; a document is at most 1 MB.

use serde_json::{Map, Value, json};

use crate::time::Timestamp;

use super::{Measured, Metric};

/// Numbers in one array at most.
const VALUES: usize = 100;
/// Documents for one stream at most: what has more values than these hold is told by rank.
const DOCUMENTS: usize = 10;

/// Makes documents of what was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emf {
    /// The namespace of the metrics.
    pub namespace: String,
    /// The stack: a dimension of every metric.
    pub stack: String,
}

impl Emf {
    /// The documents, each a line of JSON without its end. One of them as a rule; more where there are
    /// more than a hundred values of one distribution.
    pub fn documents(&self, measured: &Measured, at: Timestamp) -> Vec<String> {
        let mut documents: Vec<Vec<(Metric, Value)>> = Vec::new();
        let counts = measured.counts.iter().map(|(metric, count)| (*metric, json!(count)));
        documents.push(counts.collect());
        for (metric, histogram) in &measured.distributions {
            let values = histogram.values(VALUES * DOCUMENTS);
            for (n, chunk) in values.chunks(VALUES).enumerate() {
                if documents.len() == n {
                    documents.push(Vec::new());
                }
                // It is there: chunks are counted from 0 without a gap.
                if let Some(document) = documents.get_mut(n) {
                    document.push((*metric, json!(chunk)));
                }
            }
        }
        let told = documents.into_iter().enumerate().filter(|(_, values)| !values.is_empty());
        told.map(|(n, values)| self.document(measured, at, n == 0, values)).collect()
    }

    fn document(
        &self,
        measured: &Measured,
        at: Timestamp,
        first: bool,
        values: Vec<(Metric, Value)>,
    ) -> String {
        let definitions: Vec<_> = values
            .iter()
            .map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()}))
            .collect();
        let dimensions = match measured.stream {
            Some(_) => json!([["Stack"], ["Stack", "Stream"]]),
            None => json!([["Stack"]]),
        };
        let directive =
            json!({"Namespace": self.namespace, "Dimensions": dimensions, "Metrics": definitions});
        let mut root = Map::new();
        root.insert("_aws".to_owned(), json!({"Timestamp": at, "CloudWatchMetrics": [directive]}));
        root.insert("Stack".to_owned(), json!(self.stack));
        if let Some(stream) = measured.stream {
            root.insert("Stream".to_owned(), json!(stream));
        }
        for (metric, value) in values {
            root.insert(metric.name().to_owned(), value);
        }
        if first && !measured.integrations.is_empty() {
            let each = measured.integrations.iter().map(|(id, share)| {
                json!({
                    "Integration": id,
                    "AttemptsFailed": share.failed,
                    "EventsDelivered": share.delivered,
                })
            });
            root.insert("Integrations".to_owned(), each.collect());
        }
        Value::Object(root).to_string()
    }
}
