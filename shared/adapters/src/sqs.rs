//! The queues, on SQS.

use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry},
};
use flagpost_domain::ports::{
    BATCH_BYTES, DELAY_MAX, Outgoing, PortError, PortResult, Queue, Queues, VISIBILITY_MAX,
};

use crate::failure::{coded, port_error};

const SEND_BATCH: &str = "sqs:SendMessageBatch";
const SEND: &str = "sqs:SendMessage";
const HIDE: &str = "sqs:ChangeMessageVisibility";

/// The longest reason that goes along with a message that no code can read, in characters.
const LONGEST_REASON: usize = 256;

/// The URLs of the queues that a function uses; the others are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueUrls {
    /// Fresh events.
    pub events: Option<String>,
    /// Failed deliveries.
    pub retry: Option<String>,
    /// Timers.
    pub wake: Option<String>,
    /// What of the fresh events no code could read.
    pub events_dead: Option<String>,
    /// What of the failed deliveries no code could read.
    pub retry_dead: Option<String>,
    /// What of the timers no code could read.
    pub wake_dead: Option<String>,
}

impl QueueUrls {
    /// Which queue a record came from: the one whose URL ends in the name that its
    /// `eventSourceARN` ends in.
    pub fn source(&self, arn: &str) -> Option<Queue> {
        let name = arn.rsplit(':').next().filter(|name| !name.is_empty())?;
        [Queue::Events, Queue::Retry, Queue::Wake]
            .into_iter()
            .find(|queue| self.live(*queue).is_some_and(|url| url.rsplit('/').next() == Some(name)))
    }

    fn live(&self, queue: Queue) -> Option<&str> {
        match queue {
            Queue::Events => self.events.as_deref(),
            Queue::Retry => self.retry.as_deref(),
            Queue::Wake => self.wake.as_deref(),
        }
    }

    fn dead(&self, queue: Queue) -> Option<&str> {
        match queue {
            Queue::Events => self.events_dead.as_deref(),
            Queue::Retry => self.retry_dead.as_deref(),
            Queue::Wake => self.wake_dead.as_deref(),
        }
    }
}

/// The queues of one stack, as far as a function uses them. Using another is an error.
#[derive(Clone, Debug)]
pub struct Sqs {
    client: Client,
    urls: QueueUrls,
}

impl Sqs {
    /// Uses the queues at `urls`.
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    async fn try_batch(&self, queue: Queue, batch: &[Outgoing]) -> PortResult<Vec<PortResult<()>>> {
        let url = known(SEND_BATCH, queue, self.urls.live(queue))?;
        let entries = batch.iter().enumerate().map(entry).collect::<PortResult<_>>()?;
        let request = self.client.send_message_batch().queue_url(url).set_entries(Some(entries));
        let output = request.send().await.map_err(|error| port_error(SEND_BATCH, &error))?;
        let sent = output.successful.into_iter().map(|entry| (entry.id, Ok(())));
        let failed = output.failed.into_iter().map(|entry| {
            let error = coded(SEND_BATCH, &entry.code, entry.message.as_deref());
            (entry.id, Err(error))
        });
        Ok(by_position(batch.len(), sent.chain(failed)))
    }
}

impl Queues for Sqs {
    async fn send_batch(&self, queue: Queue, batch: &[Outgoing]) -> Vec<PortResult<()>> {
        if batch.is_empty() {
            return Vec::new();
        }
        match self.try_batch(queue, batch).await {
            Ok(results) => results,
            Err(error) => vec![Err(error); batch.len()],
        }
    }

    async fn hide(&self, queue: Queue, receipt: &str, wait: Duration) -> PortResult<()> {
        let url = known(HIDE, queue, self.urls.live(queue))?;
        self.client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(receipt)
            .visibility_timeout(whole_seconds(wait.min(VISIBILITY_MAX)))
            .send()
            .await
            .map_err(|error| port_error(HIDE, &error))?;
        Ok(())
    }

    async fn bury(&self, queue: Queue, body: &str, reason: &str) -> PortResult<()> {
        let url = known(SEND, queue, self.urls.dead(queue))?;
        let (body, reason) = burial(body, reason);
        let attributes = reason.map(attribute).transpose()?;
        self.client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .set_message_attributes(attributes)
            .send()
            .await
            .map_err(|error| port_error(SEND, &error))?;
        Ok(())
    }
}

fn known<'a>(call: &'static str, queue: Queue, url: Option<&'a str>) -> PortResult<&'a str> {
    url.ok_or_else(|| PortError::Failed {
        call,
        reason: format!("this function has no URL for it: {queue:?}"),
    })
}

fn entry((index, message): (usize, &Outgoing)) -> PortResult<SendMessageBatchRequestEntry> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&message.body)
        .delay_seconds(whole_seconds(message.delay.min(DELAY_MAX)))
        .set_message_group_id(message.group.clone())
        .build()
        .map_err(|error| PortError::Failed { call: SEND_BATCH, reason: error.to_string() })
}

fn attribute(reason: String) -> PortResult<HashMap<String, MessageAttributeValue>> {
    let value = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(reason)
        .build()
        .map_err(|error| PortError::Failed { call: SEND, reason: error.to_string() })?;
    Ok(HashMap::from([("reason".to_owned(), value)]))
}

/// One result for each of `count` entries. What the answer does not mention was not sent, as far
/// as anybody knows.
fn by_position(
    count: usize,
    answered: impl Iterator<Item = (String, PortResult<()>)>,
) -> Vec<PortResult<()>> {
    let missing = PortError::Failed {
        call: SEND_BATCH,
        reason: "the answer says nothing about this entry".to_owned(),
    };
    let mut results = vec![Err(missing); count];
    for (id, result) in answered {
        if let Some(slot) = id.parse().ok().and_then(|index: usize| results.get_mut(index)) {
            *slot = result;
        }
    }
    results
}

/// Rounded up: a message must not be seen before its time.
fn whole_seconds(wait: Duration) -> i32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// What SQS takes of a body and a reason that may be anything: no empty text and no character that
/// XML 1.0 forbids. Where both together are too large the body is worth more.
fn burial(body: &str, reason: &str) -> (String, Option<String>) {
    let printable = |c: char| if c.is_control() { ' ' } else { sendable(c) };
    let reason: String = reason.chars().map(printable).take(LONGEST_REASON).collect();
    let reason = match reason.trim() {
        "" => "no reason given",
        reason => reason,
    };
    if body.is_empty() {
        return ("(the message was empty)".to_owned(), Some(reason.to_owned()));
    }
    let mut body: String = body.chars().map(sendable).collect();
    body.truncate(body.floor_char_boundary(BATCH_BYTES));
    // The attribute's name, its type and its value count towards the size of the message.
    let attribute = "reason".len() + "String".len() + reason.len();
    let fits = body.len() + attribute <= BATCH_BYTES;
    (body, fits.then(|| reason.to_owned()))
}

fn sendable(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => c,
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> QueueUrls {
        QueueUrls {
            events: Some("https://sqs.eu-west-1.amazonaws.com/1/flagpost-events".to_owned()),
            retry: Some("https://sqs.eu-west-1.amazonaws.com/1/flagpost-retry".to_owned()),
            ..QueueUrls::default()
        }
    }

    #[test]
    fn a_record_is_known_by_the_name_of_its_queue() {
        let urls = urls();
        let source = |name: &str| urls.source(&format!("arn:aws:sqs:eu-west-1:1:{name}"));
        assert_eq!(source("flagpost-events"), Some(Queue::Events));
        assert_eq!(source("flagpost-retry"), Some(Queue::Retry));
        assert_eq!(source("retry"), None);
        assert_eq!(source("flagpost-wake"), None);
        assert_eq!(source(""), None);
        assert_eq!(urls.source("flagpost-events/"), None);
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(61)), 61);
        assert_eq!(whole_seconds(Duration::from_millis(60_001)), 61);
        assert_eq!(whole_seconds(VISIBILITY_MAX), 43_200);
    }

    #[test]
    fn an_entry_that_the_answer_leaves_out_has_failed() {
        let refused = coded(SEND_BATCH, "RequestThrottled", None);
        let answered = [
            ("2".to_owned(), Ok(())),
            ("0".to_owned(), Err(refused.clone())),
            ("9".to_owned(), Ok(())),
            ("nonsense".to_owned(), Ok(())),
        ];
        let results = by_position(3, answered.into_iter());
        assert_eq!(results.len(), 3);
        assert_eq!(results[0], Err(refused));
        assert!(matches!(&results[1], Err(PortError::Failed { reason, .. })
            if reason.contains("nothing about this entry")));
        assert_eq!(results[2], Ok(()));
    }

    #[test]
    fn what_is_buried_is_what_sqs_takes() {
        assert_eq!(burial("body", " why "), ("body".to_owned(), Some("why".to_owned())));
        assert_eq!(burial("", "\u{0}\n").1.as_deref(), Some("no reason given"));
        assert!(!burial("", "").0.is_empty());
        let (body, reason) = burial("a\u{0}\t\u{ffff}b", "line\nbreak\u{7}");
        assert_eq!(body, "a\u{fffd}\t\u{fffd}b");
        assert_eq!(reason.as_deref(), Some("line break"));
        let (_, reason) = burial("body", &"€".repeat(5_000));
        assert_eq!(reason.unwrap().chars().count(), LONGEST_REASON);
    }

    #[test]
    fn the_body_is_worth_more_than_the_reason() {
        let whole = "x".repeat(BATCH_BYTES);
        assert_eq!(burial(&whole, "why"), (whole.clone(), None));
        let (body, reason) = burial(&"é".repeat(BATCH_BYTES), "why");
        assert_eq!((body.len(), reason), (BATCH_BYTES, None));
        let room = BATCH_BYTES - "reasonStringwhy".len();
        let (body, reason) = burial(&whole[..room], "why");
        assert_eq!((body.len(), reason.as_deref()), (room, Some("why")));
    }
}
