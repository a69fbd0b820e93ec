//! Operational events: what an operator wants to be told, at most once for each change.
//!
//! Each goes to the account's event bus and, as fresh events of the stream `operations`, to whatever
//! integrations of the project take that stream. Whoever made the change tells of it. A crash right after
//! the change, or a bus that takes nothing, costs the notice; the change is seen in the status.

use futures_util::future::join;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    breaker::{Breaker, Cause},
    event::Event,
    id::{DeliveryId, IntegrationId, ProjectId, unique},
    integration::{Environment, Integration, Origin, Stream},
    message::Fresh,
    ports::{Clock, Notices, Outgoing, Queue, Random, Services},
    queueing::send_all,
    time::Timestamp,
};

/// Who paused an integration, or let it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An operator.
    Operator,
    /// The endpoint, by answering 410 Gone.
    Endpoint,
    /// The breaker.
    Breaker,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Change {
    /// Deliveries wait.
    #[serde(rename = "integration.paused")]
    Paused {
        /// Who did it.
        by: By,
        /// Why.
        reason: String,
        /// When the endpoint is looked at again, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Deliveries go out again, what waits first.
    #[serde(rename = "integration.resumed")]
    Resumed {
        /// Who did it.
        by: By,
    },
    /// It takes nothing new.
    #[serde(rename = "integration.disabled")]
    Disabled,
    /// It takes new events again.
    #[serde(rename = "integration.enabled")]
    Enabled,
    /// A delivery's schedule ran out: it is kept, and can be replayed.
    #[serde(rename = "delivery.dead")]
    Dead {
        /// Which.
        delivery: DeliveryId,
        /// How many events it has.
        events: u64,
    },
    /// What is parked has been so for long.
    #[serde(rename = "backlog.old")]
    BacklogOld {
        /// Since when the oldest delivery is.
        since: Timestamp,
    },
}

impl Change {
    /// The `type`; EventBridge's `detail-type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Paused { .. } => "integration.paused",
            Self::Resumed { .. } => "integration.resumed",
            Self::Disabled => "integration.disabled",
            Self::Enabled => "integration.enabled",
            Self::Dead { .. } => "delivery.dead",
            Self::BacklogOld { .. } => "backlog.old",
        }
    }

    /// What the breaker's own change is to an operator; extending a pause is none.
    pub fn of_breaker(before: &Breaker, after: &Breaker) -> Option<Self> {
        match (before.open, after.open) {
            (None, Some(open)) => {
                let reason = match open.cause {
                    Cause::FailuresInARow => "every attempt failed",
                    Cause::FailureRate => "too many attempts failed",
                    Cause::RetryAfter => "the endpoint asked for it by Retry-After",
                };
                let (by, reason) = (By::Breaker, reason.to_owned());
                Some(Self::Paused { by, reason, until: Some(open.until) })
            }
            (Some(_), None) => Some(Self::Resumed { by: By::Breaker }),
            _ => None,
        }
    }
}

/// One operational event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its own identifier.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// In which project.
    pub project: ProjectId,
    /// To which integration.
    pub integration: IntegrationId,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

impl Notice {
    /// As an event of the event bus has it.
    pub fn detail(&self) -> String {
        // Not reachable that it fails: everything in it is text and numbers.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As a webhook has it: `type`, `timestamp` and `data`, as Standard Webhooks recommends.
    pub fn webhook(&self) -> String {
        let timestamp = jiff::Timestamp::from_millisecond(self.at.0).unwrap_or_default();
        let mut data = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = data.as_object_mut() {
            fields.remove("type");
            fields.remove("at");
        }
        let timestamp = timestamp.to_string();
        json!({"type": self.change.name(), "timestamp": timestamp, "data": data}).to_string()
    }
}

/// Tells of changes to one integration. Nothing waits for it to succeed.
pub async fn tell<P: Services>(
    services: &P,
    project: &ProjectId,
    integration: &IntegrationId,
    changes: Vec<Change>,
) {
    if !changes.is_empty() {
        // Boxed: it is large, and seldom.
        Box::pin(tell_both(services, project, notices(services, project, integration, changes)))
            .await;
    }
}

/// Both at once: the end of an invocation is near, or a drain goes on.
async fn tell_both<P: Services>(services: &P, project: &ProjectId, notices: Vec<Notice>) {
    join(publish(services, &notices), send(services, project, &notices)).await;
}

/// Tells of deliveries that are dead now. Those of the stream of operations are told on the bus alone: as
/// webhooks they would be dead in their turn, and be told of, without an end.
pub async fn tell_of_dead<P: Services>(
    services: &P,
    integration: &Integration,
    changes: Vec<Change>,
) {
    let Integration { project, id, .. } = integration;
    if integration.stream != Stream::Operations {
        tell(services, project, id, changes).await;
    } else if !changes.is_empty() {
        let notices = notices(services, project, id, changes);
        Box::pin(publish(services, &notices)).await;
    }
}

fn notices<P: Services>(
    services: &P,
    project: &ProjectId,
    integration: &IntegrationId,
    changes: Vec<Change>,
) -> Vec<Notice> {
    let at = services.clock().now();
    let notices: Vec<_> = changes
        .into_iter()
        .map(|change| {
            let mut random = [0; 16];
            random.copy_from_slice(&services.random().bytes()[..16]);
            let (project, integration) = (project.clone(), integration.clone());
            Notice { id: unique(at, random), at, project, integration, change }
        })
        .collect();
    for notice in &notices {
        tracing::info!(id = notice.id, %project, %integration, change = ?notice.change, "notice");
    }
    notices
}

/// Tells the event bus.
async fn publish<P: Services>(services: &P, notices: &[Notice]) {
    if let Err(error) = services.notices().publish(notices).await {
        tracing::warn!(%error, "notices not published");
    }
}

/// Tells who takes the stream of operations.
async fn send<P: Services>(services: &P, project: &ProjectId, notices: &[Notice]) {
    let at = notices.first().map_or_else(|| services.clock().now(), |first| first.at);
    let messages = [message(project, at, notices)];
    let sent = send_all(services.queues(), Queue::Events, &messages).await;
    for error in sent.into_iter().filter_map(Result::err) {
        tracing::warn!(%error, %project, "notices not sent to the stream of operations");
    }
}

fn message(project: &ProjectId, at: Timestamp, notices: &[Notice]) -> Outgoing {
    let fresh = Fresh {
        project: project.clone(),
        environment: Environment { id: "operations".to_owned(), name: "Operations".to_owned() },
        stream: Stream::Operations,
        origin: Origin::Api,
        accepted_at: at,
        trace: None,
    };
    let events: Vec<_> = notices.iter().map(|n| Event::from_object(n.webhook())).collect();
    let group = Some(project.to_string());
    Outgoing { body: fresh.encode(&events), delay: std::time::Duration::ZERO, group }
}

#[cfg(test)]
mod tests;
