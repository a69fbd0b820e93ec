//! The default event bus, seen by a rule whose target is a queue.

use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::{
    project::Project,
    stack::{Stack, unique},
    wait::until,
};

/// What a rule for one project was sent.
pub(crate) struct Bus {
    stack: Arc<Stack>,
    url: String,
}

impl Bus {
    /// A rule for what Flagpost says of a project, from here on.
    pub(crate) async fn of(project: &Project) -> Self {
        let stack = Arc::clone(&project.stack);
        let name = unique("notices");
        let made = stack.sqs().create_queue().queue_name(&name).send().await.unwrap();
        let url = made.queue_url.unwrap();
        let asked = stack.sqs().get_queue_attributes().queue_url(&url);
        let asked = asked.attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
        let arn = asked.attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
        let pattern = json!({"source": ["flagpost"], "detail": {"project": [project.id]}});
        let rule = stack.eventbridge().put_rule().name(&name).event_pattern(pattern.to_string());
        rule.send().await.unwrap();
        let target = Target::builder().id("queue").arn(arn).build().unwrap();
        stack.eventbridge().put_targets().rule(&name).targets(target).send().await.unwrap();
        Self { stack, url }
    }

    /// Everything that came since the last look.
    pub(crate) async fn received(&self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let asked = self.stack.sqs().receive_message().queue_url(&self.url);
            let answer = asked.max_number_of_messages(10).send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return events;
            }
            for message in messages {
                events.push(serde_json::from_str(&message.body.unwrap()).unwrap());
                let deleted = self.stack.sqs().delete_message().queue_url(&self.url);
                deleted.set_receipt_handle(message.receipt_handle).send().await.unwrap();
            }
        }
    }

    /// Waits until at least so many came, adding them to what is there.
    pub(crate) async fn until(&self, events: &mut Vec<Value>, count: usize) {
        let had = std::mem::take(events);
        let all = Mutex::new(had);
        until(&format!("{count} events on the bus"), async || {
            let more = self.received().await;
            let mut all = all.lock().unwrap();
            all.extend(more);
            if all.len() >= count { Ok(()) } else { Err(json!(*all).to_string()) }
        })
        .await;
        *events = all.into_inner().unwrap();
    }
}
