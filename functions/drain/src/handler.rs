//! From an SQS event of wake-ups, or a schedule's input, to the use case.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use flagpost_adapters::metrics::MetricsLog;
use flagpost_domain::{drain::Drain, ports::Ports, time::Timestamp};
use lambda_runtime::{Error, LambdaEvent};
use serde::Deserialize;
use serde_json::{Value, json};

/// What starts the function.
#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Wakes(SqsEvent),
    Schedule { task: Task },
}

/// A schedule's input.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    /// New wake-ups for overdue timers.
    Sweep,
    /// Deletion of what is past its retention time.
    Expire,
}

/// Serves one event.
pub(crate) async fn handle<P: Ports>(
    drain: &Drain<P>,
    metrics: &MetricsLog,
    event: LambdaEvent<Value>,
) -> Result<Value, Error> {
    let deadline = Timestamp(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
    let event = serde_json::from_value(event.payload)
        .map_err(|_| "neither an SQS event nor {\"task\": \"sweep\" | \"expire\"}")?;
    // Boxed: the calls of the SDKs make them large.
    let end = Box::pin(follow(drain, event, deadline)).await;
    // Also where it failed: what was done until then was done.
    metrics.print(drain.metrics());
    end
}

async fn follow<P: Ports>(
    drain: &Drain<P>,
    event: Event,
    deadline: Timestamp,
) -> Result<Value, Error> {
    match event {
        Event::Wakes(event) => wakes(drain, event.records, deadline).await,
        Event::Schedule { task: Task::Sweep } => {
            let sent = drain.sweep(deadline).await?;
            drain.metrics().swept();
            Ok(json!({ "sent": sent }))
        }
        Event::Schedule { task: Task::Expire } => {
            let deliveries = drain.expire(deadline).await?;
            Ok(json!({ "expired": deliveries }))
        }
    }
}

async fn wakes<P: Ports>(
    drain: &Drain<P>,
    messages: Vec<SqsMessage>,
    deadline: Timestamp,
) -> Result<Value, Error> {
    let mut response = SqsBatchResponse::default();
    for message in messages {
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        let body = message.body.as_deref().unwrap_or_default();
        if drain.receive(body, receipt, deadline).await {
            continue;
        }
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message
            .message_id
            .filter(|id| !id.is_empty())
            .ok_or("a record that is not done has no messageId")?;
        response.batch_item_failures.push(failure);
    }
    Ok(serde_json::to_value(response)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_ups_and_schedules_are_told_apart_and_nothing_else_is_taken() {
        let read = |value| serde_json::from_value::<Event>(value).ok();
        let sqs = json!({"Records": [{"messageId": "a", "body": "{}"}]});
        assert!(matches!(read(sqs), Some(Event::Wakes(event)) if event.records.len() == 1));
        let sweep = read(json!({"task": "sweep"}));
        assert!(matches!(sweep, Some(Event::Schedule { task: Task::Sweep })));
        let expire = read(json!({"task": "expire"}));
        assert!(matches!(expire, Some(Event::Schedule { task: Task::Expire })));
        assert!(read(json!({"task": "explode"})).is_none());
        assert!(read(json!([])).is_none());
    }
}
