//! The event that Lambda makes of messages of a queue.

use bytes::Bytes;
use serde_json::json;

/// One message of an event.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// `messageId`, which a partial batch response names.
    pub id: &'a str,
    /// Its text.
    pub body: &'a str,
    /// `ApproximateReceiveCount`.
    pub receives: u32,
}

/// The event for these messages of the queue with this ARN. Its receipt handles are
/// `receipt-{id}`.
pub fn event(queue_arn: &str, messages: &[Message<'_>]) -> Bytes {
    let record = |message: &Message<'_>| {
        json!({
            "messageId": message.id,
            "receiptHandle": format!("receipt-{}", message.id),
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": message.receives.to_string(),
                "ApproximateFirstReceiveTimestamp": "1795237200000",
                "SentTimestamp": "1795237200000",
                "SenderId": "AIDAEXAMPLE",
            },
            "messageAttributes": {},
            "md5OfBody": "00000000000000000000000000000000",
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<_> = messages.iter().map(record).collect();
    json!({ "Records": records }).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_record() {
        let messages = [Message { id: "m-1", body: "{\"v\":1}", receives: 2 }];
        let event = event("arn:aws:sqs:us-east-1:000000000000:events", &messages);
        let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
        let record = &event["Records"][0];
        assert_eq!(record["messageId"], "m-1");
        assert_eq!(record["receiptHandle"], "receipt-m-1");
        assert_eq!(record["body"], "{\"v\":1}");
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "2");
        assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:events");
    }
}
