use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    types::{Message, MessageSystemAttributeName, QueueAttributeName},
};
use flagpost_adapters::sqs::{QueueUrls, Sqs};
use flagpost_domain::ports::{BATCH_BYTES, Outgoing, PortError, Queue, Queues};

use crate::stack::{Stack, unique};

/// A queue of its own: those of the stack are emptied by its functions.
struct Own {
    client: Client,
    url: String,
    sqs: Sqs,
}

impl Own {
    async fn make() -> Self {
        let stack = Stack::open().await;
        let client = Client::new(&stack.config);
        let made = client.create_queue().queue_name(unique()).send().await.unwrap();
        let url = made.queue_url.unwrap();
        let urls = QueueUrls {
            retry: Some(url.clone()),
            retry_dead: Some(url.clone()),
            ..QueueUrls::default()
        };
        Self { client, url, sqs: stack.clients.queues(urls) }
    }

    async fn receive(&self) -> Vec<Message> {
        let output = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(600)
            .wait_time_seconds(0)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .unwrap();
        output.messages.unwrap_or_default()
    }

    async fn count(&self, name: QueueAttributeName) -> String {
        let get = self.client.get_queue_attributes().queue_url(&self.url);
        let output = get.attribute_names(name.clone()).send().await.unwrap();
        output.attributes.unwrap().remove(&name).unwrap()
    }

    async fn remove(self) {
        self.client.delete_queue().queue_url(&self.url).send().await.unwrap();
    }
}

fn message(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), delay: Duration::ZERO, group: None }
}

#[tokio::test]
async fn a_batch_arrives_with_groups_and_without_what_is_delayed() {
    let own = Own::make().await;
    let batch = [
        Outgoing { group: Some("project-1".to_owned()), ..message("first ✓") },
        Outgoing { delay: Duration::from_hours(2), ..message("later") },
        message("second"),
    ];
    assert_eq!(own.sqs.send_batch(Queue::Retry, &batch).await, vec![Ok(()); 3]);
    let mut received = own.receive().await;
    received.sort_by(|a, b| a.body.cmp(&b.body));
    let bodies: Vec<_> = received.iter().filter_map(Message::body).collect();
    assert_eq!(bodies, ["first ✓", "second"]);
    let group = MessageSystemAttributeName::MessageGroupId;
    assert_eq!(received[0].attributes.as_ref().unwrap()[&group], "project-1");
    let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
    assert_eq!(own.count(delayed).await, "1");
    own.remove().await;
}

#[tokio::test]
async fn an_empty_batch_is_no_call() {
    let own = Own::make().await;
    assert_eq!(own.sqs.send_batch(Queue::Retry, &[]).await, vec![]);
    own.remove().await;
}

#[tokio::test]
async fn a_message_that_is_refused_does_not_take_the_others_with_it() {
    let own = Own::make().await;
    let batch = [message("good"), message("bad \u{1}"), message("good too")];
    let results = own.sqs.send_batch(Queue::Retry, &batch).await;
    assert_eq!(results[0], Ok(()));
    assert!(matches!(results[1], Err(PortError::Failed { .. })), "{:?}", results[1]);
    assert_eq!(results[2], Ok(()));
    assert_eq!(own.receive().await.len(), 2);
    own.remove().await;
}

#[tokio::test]
async fn a_call_that_is_refused_is_one_error_for_each_message() {
    let own = Own::make().await;
    let half = message(&"x".repeat(BATCH_BYTES / 2 + 1));
    let results = own.sqs.send_batch(Queue::Retry, &[half.clone(), half]).await;
    assert_eq!(results.len(), 2);
    for result in results {
        let Err(PortError::Failed { call, reason }) = result else { panic!("{result:?}") };
        assert_eq!(call, "sqs:SendMessageBatch");
        assert!(reason.contains("BatchRequestTooLong"), "{reason}");
    }
    own.remove().await;
}

#[tokio::test]
async fn a_full_batch_of_the_largest_size_is_taken() {
    let own = Own::make().await;
    let tenth = message(&"x".repeat(BATCH_BYTES / 10));
    let results = own.sqs.send_batch(Queue::Retry, &vec![tenth; 10]).await;
    assert_eq!(results, vec![Ok(()); 10]);
    own.remove().await;
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_an_error() {
    let own = Own::make().await;
    let results = own.sqs.send_batch(Queue::Wake, &[message("x")]).await;
    assert!(matches!(&results[..], [Err(PortError::Failed { reason, .. })]
        if reason.contains("no URL")));
    assert!(own.sqs.hide(Queue::Events, "receipt", Duration::ZERO).await.is_err());
    assert!(own.sqs.bury(Queue::Wake, "body", "why").await.is_err());
    let url = own.url.clone();
    let sqs = own.sqs.clone();
    own.remove().await;
    let results = sqs.send_batch(Queue::Retry, &[message("x")]).await;
    assert!(matches!(&results[..], [Err(PortError::Failed { .. })]), "{url}: {results:?}");
}

#[tokio::test]
async fn a_message_is_hidden_and_shown() {
    let own = Own::make().await;
    assert_eq!(own.sqs.send_batch(Queue::Retry, &[message("x")]).await, vec![Ok(())]);
    let received = own.receive().await;
    let receipt = received[0].receipt_handle().unwrap();
    own.sqs.hide(Queue::Retry, receipt, Duration::ZERO).await.unwrap();
    let received = own.receive().await;
    assert_eq!(received.len(), 1, "shown at once");
    let receipt = received[0].receipt_handle().unwrap();
    own.sqs.hide(Queue::Retry, receipt, Duration::from_hours(100)).await.unwrap();
    assert_eq!(own.receive().await.len(), 0, "hidden for 12 hours");
    let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    assert_eq!(own.count(hidden).await, "1");
    let error = own.sqs.hide(Queue::Retry, "no receipt", Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, PortError::Failed { call: "sqs:ChangeMessageVisibility", .. }));
    own.remove().await;
}

#[tokio::test]
async fn what_is_buried_says_why() {
    let own = Own::make().await;
    own.sqs.bury(Queue::Retry, "what is this", "not\nJSON").await.unwrap();
    own.sqs.bury(Queue::Retry, "", "").await.unwrap();
    own.sqs.bury(Queue::Retry, "\u{0}", &"€".repeat(1_000)).await.unwrap();
    own.sqs.bury(Queue::Retry, &"x".repeat(BATCH_BYTES), "too long").await.unwrap();
    let mut received = own.receive().await;
    received.sort_by(|a, b| a.body.cmp(&b.body));
    let buried: Vec<_> = received
        .iter()
        .map(|message| {
            let attributes = message.message_attributes.as_ref();
            let reason = attributes.and_then(|all| all.get("reason")?.string_value());
            (message.body().unwrap(), reason)
        })
        .collect();
    assert_eq!(buried[0], ("(the message was empty)", Some("no reason given")));
    assert_eq!(buried[1], ("what is this", Some("not JSON")));
    assert_eq!((buried[2].0.len(), buried[2].1), (BATCH_BYTES, None));
    assert_eq!(buried[3].0, "\u{fffd}");
    assert_eq!(buried[3].1.unwrap().chars().count(), 256);
    own.remove().await;
}
