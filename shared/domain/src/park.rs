//! Laying deliveries aside: object, then backlog mark and timer in one write, then the wake-up.
//!
//! In this order nothing is lost wherever it stops: a message is acknowledged only after the mark,
//! and a wake-up that was not sent is found by the sweep of overdue timers.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::{
    delivery::Delivery,
    id::{IntegrationId, ProjectId},
    message::{Aside, Wake},
    parked::{ParkedKey, Place},
    ports::{
        Clock, DELAY_MAX, HealthStore, Objects, Outgoing, PortResult, Ports, Queue, Queues,
        Services,
    },
    queueing::send_all,
    time::Timestamp,
};

/// Objects written at the same time.
pub const WIDTH: usize = 32;

/// Parks deliveries of one integration, to be looked at by the drainer at `wake_at`. One result for
/// each, in their order: whether it is safe now.
pub async fn park<P: Ports>(
    ports: &P,
    project: &ProjectId,
    id: &IntegrationId,
    deliveries: Vec<Delivery>,
    wake_at: Timestamp,
) -> Vec<PortResult<()>> {
    let puts: Vec<_> =
        deliveries.into_iter().map(|delivery| lay_aside(ports, Place::Parked, delivery)).collect();
    let results: Vec<_> = stream::iter(puts).buffered(WIDTH).collect().await;
    if results.iter().all(Result::is_err) {
        return results.into_iter().map(|result| result.map(drop)).collect();
    }
    let Err(error) = mark(ports, project, id, wake_at).await else {
        return results.into_iter().map(|result| result.map(drop)).collect();
    };
    // They stay where they came from, and no drainer may know of these: taken back, if that works,
    // so that they are not delivered from here as well.
    let undo: Vec<_> = results.iter().flatten().map(|key| ports.objects().delete(key)).collect();
    let undone: Vec<_> = stream::iter(undo).buffered(WIDTH).collect().await;
    let left = undone.iter().filter(|result| result.is_err()).count();
    if left > 0 {
        tracing::warn!(integration = %id, left, "objects parked without a mark");
    }
    results.into_iter().map(|_| Err(error.clone())).collect()
}

/// Writes a delivery to its place in the bucket: the object's key.
pub async fn lay_aside<P: Ports>(
    ports: &P,
    place: Place,
    delivery: Delivery,
) -> PortResult<String> {
    let now = ports.clock().now();
    let key = ParkedKey {
        place,
        integration: delivery.integration.clone(),
        at: now,
        delivery: delivery.id.clone(),
        count: delivery.count(),
    }
    .text();
    ports.objects().put(&key, Aside::new(delivery, now).encode()).await?;
    Ok(key)
}

/// Notes that something is parked, and wakes the drainer at `wake_at` if this set the timer.
pub async fn mark<P: Services>(
    ports: &P,
    project: &ProjectId,
    id: &IntegrationId,
    wake_at: Timestamp,
) -> PortResult<()> {
    if let Some(wake_gen) = ports.store().mark_backlog(project, id, wake_at).await? {
        let wake = Wake { integration: id.clone(), project: project.clone(), wake_gen, rate: None };
        // The timer stands: what is parked is safe without it.
        let _ = send_wake(ports.queues(), &wake, wake_at.since(ports.clock().now())).await;
    }
    Ok(())
}

/// Where nothing is parked any more, ends the lease of who took the last of it, the timer, and what was told of
/// the backlog; whether it did. What is parked meanwhile sets its own timer.
pub async fn finish_if_empty<P: Services>(
    ports: &P,
    project: &ProjectId,
    id: &IntegrationId,
    owner: &str,
) -> PortResult<bool> {
    let health = ports.store().health(project, id).await?;
    if health.next_wake_at.is_none()
        || !ports.objects().list(&Place::Parked.prefix(id), None).await?.is_empty()
    {
        return Ok(false);
    }
    ports.store().finish(id, owner, health.backlog_gen).await
}

/// Sends a wake-up. If that fails, the timer is overdue soon, and the sweep sends another.
pub async fn send_wake<Q: Queues>(queues: &Q, wake: &Wake, wait: Duration) -> PortResult<()> {
    let message = Outgoing {
        body: wake.encode(),
        delay: wait.min(DELAY_MAX),
        group: Some(wake.project.to_string()),
    };
    send_all(queues, Queue::Wake, &[message])
        .await
        .into_iter()
        .collect::<PortResult<_>>()
        .inspect_err(|error| {
            let integration = &wake.integration;
            tracing::warn!(%error, %integration, "wake-up not sent, the sweep will");
        })
}
