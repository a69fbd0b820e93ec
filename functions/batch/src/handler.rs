//! From an SQS event to the use case's records, and to the partial batch response.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use flagpost_adapters::{metrics::MetricsLog, sqs::QueueUrls};
use flagpost_domain::{
    batch::{Batch, Record},
    ports::{Ports, Queue},
    time::Timestamp,
};
use lambda_runtime::{Error, LambdaEvent};

/// Delivers the records of one event. They are all of one queue.
pub(crate) async fn handle<P: Ports>(
    batch: &Batch<P>,
    queues: &QueueUrls,
    metrics: &MetricsLog,
    event: LambdaEvent<SqsEvent>,
) -> Result<SqsBatchResponse, Error> {
    let deadline = Timestamp(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
    let messages = event.payload.records;
    let records: Vec<_> = messages.iter().map(record).collect();
    let arn = messages.first().and_then(|first| first.event_source_arn.as_deref());
    let queue = queues.source(arn.unwrap_or_default());
    // Boxed: the calls of the SDKs make them large.
    let failed = match queue {
        Some(Queue::Events) => Box::pin(batch.fresh(&records, deadline)).await,
        Some(Queue::Retry) => Box::pin(batch.retries(&records, deadline)).await,
        // Nothing may be acknowledged that is not ours to read.
        Some(Queue::Wake) | None => {
            return Err("the records are of neither the EventsQueue nor the RetryQueue".into());
        }
    };
    metrics.print(batch.metrics());
    response(&messages, &failed)
}

fn record(message: &SqsMessage) -> Record<'_> {
    let receives = message.attributes.get("ApproximateReceiveCount");
    Record {
        body: message.body.as_deref().unwrap_or_default(),
        receipt: message.receipt_handle.as_deref().unwrap_or_default(),
        receives: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
    }
}

/// Names the records that are not done. One without an id cannot be named: then the whole batch
/// must come back, since an empty identifier would be taken for something else.
fn response(messages: &[SqsMessage], failed: &BTreeSet<usize>) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    for index in failed {
        let id = messages[*index].message_id.clone().filter(|id| !id.is_empty());
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id.ok_or("a record that is not done has no messageId")?;
        response.batch_item_failures.push(failure);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(ids: &[Option<&str>]) -> Vec<SqsMessage> {
        let message = |id: Option<&str>| {
            let mut message = SqsMessage::default();
            message.message_id = id.map(str::to_owned);
            message
        };
        ids.iter().copied().map(message).collect()
    }

    #[test]
    fn the_response_has_the_shape_that_lambda_documents() {
        let messages = messages(&[Some("a"), Some("b"), Some("c")]);
        let some = response(&messages, &[0, 2].into()).unwrap();
        let wanted =
            json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}]});
        assert_eq!(serde_json::to_value(some).unwrap(), wanted);
        let none = response(&messages, &BTreeSet::new()).unwrap();
        assert_eq!(serde_json::to_value(none).unwrap(), json!({"batchItemFailures": []}));
    }

    #[test]
    fn a_record_that_cannot_be_named_fails_the_whole_batch() {
        for id in [None, Some("")] {
            let messages = messages(&[Some("a"), id]);
            assert!(response(&messages, &[1].into()).is_err());
            assert!(response(&messages, &[0].into()).is_ok(), "it is done");
        }
    }

    #[test]
    fn receive_counts_are_read() {
        let mut message = SqsMessage::default();
        assert_eq!(record(&message).receives, 1);
        message.attributes.insert("ApproximateReceiveCount".into(), "7".into());
        assert_eq!(record(&message).receives, 7);
    }
}
