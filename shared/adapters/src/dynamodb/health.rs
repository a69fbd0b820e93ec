//! Health items. Every write is one conditional update.
//!
//! `unwell` puts an item into the index of that name, `timer` into the index of timers. Only
//! writes of the breaker and of the pause touch `unwell`.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder, types::ReturnValue,
};
use flagpost_domain::{
    breaker::Breaker,
    health::{Health, Lease, Pause},
    id::{IntegrationId, ProjectId},
    ports::{HealthStore, PortError, PortResult, Timer},
    time::Timestamp,
};

use super::{
    DynamoDb, EXISTS, GET, UPDATE, all,
    item::{Corrupt, Item, Reader, number, text},
    key, readable,
};
use crate::failure::conditional;

const SK: &str = "HEALTH";
/// The value of `unwell` and of `timer` wherever they are present.
const PRESENT: &str = "1";
/// How often parking goes round when the timer is set and cleared in between.
const ROUNDS: usize = 5;

fn pk(id: &IntegrationId) -> String {
    format!("HEALTH#{id}")
}

impl DynamoDb {
    fn update_health(&self, id: &IntegrationId) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(key(pk(id), SK.to_owned())))
    }

    /// An update that makes the item where it is absent: `changes` are what its `SET` does.
    fn upsert_health(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        changes: &str,
    ) -> UpdateItemFluentBuilder {
        self.update_health(id)
            .update_expression(format!(
                "SET #integration = :integration, #project = :project{changes}"
            ))
            .expression_attribute_names("#integration", "integration")
            .expression_attribute_names("#project", "project")
            .expression_attribute_values(":integration", text(id.as_str()))
            .expression_attribute_values(":project", text(project.as_str()))
    }
}

/// Sends an update; `None` if its condition did not hold, its new `wake_gen` otherwise.
async fn new_wake_gen(update: UpdateItemFluentBuilder) -> PortResult<Option<u64>> {
    let result = update.return_values(ReturnValue::AllNew).send().await;
    let Some(output) = conditional(UPDATE, result)? else {
        return Ok(None);
    };
    let item = output.attributes.unwrap_or_default();
    Reader(&item).number("wake_gen").map(Some).map_err(|error| error.during(UPDATE))
}

/// Sends an update; `false` if its condition did not hold.
async fn held(update: UpdateItemFluentBuilder) -> PortResult<bool> {
    Ok(conditional(UPDATE, update.send().await)?.is_some())
}

/// A condition on a counter, which is absent while it is 0.
fn still(name: &str, value: u64) -> String {
    if value == 0 {
        format!("(attribute_not_exists({name}) OR {name} = :{name})")
    } else {
        format!("{name} = :{name}")
    }
}

/// An item that cannot be read (a newer version's, after a rollback) must not look well: it counts
/// as paused. `None` if it does not even say whose it is.
fn health_or_pause(item: &Item) -> Option<Health> {
    let error = match health(item) {
        Ok(health) => return Some(health),
        Err(error) => error,
    };
    tracing::error!(%error, "health cannot be read: taken for paused");
    let item = Reader(item);
    let (project, id) = (item.text("project").ok()?, item.text("integration").ok()?);
    let mut health = Health::new(ProjectId::from(project), IntegrationId::from(id));
    let reason = "its health cannot be read".to_owned();
    health.pause = Some(Pause { at: Timestamp(0), reason });
    Some(health)
}

impl HealthStore for DynamoDb {
    async fn unwell(&self) -> PortResult<Vec<Health>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("unwell")
            .key_condition_expression("#unwell = :present")
            .expression_attribute_names("#unwell", "unwell")
            .expression_attribute_values(":present", text(PRESENT));
        Ok(all(query).await?.iter().filter_map(health_or_pause).collect())
    }

    async fn health(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<Health> {
        match self.get(pk(id), SK.to_owned()).await? {
            Some(item) => health(&item).map_err(|error| error.during(GET)),
            None => Ok(Health::new(project.clone(), id.clone())),
        }
    }

    async fn swap_breaker(
        &self,
        health: &Health,
        breaker: &Breaker,
        calm: bool,
    ) -> PortResult<bool> {
        let breaker = serde_json::to_string(breaker)
            .map_err(|error| PortError::Failed { call: UPDATE, reason: error.to_string() })?;
        let version = health.breaker_version;
        let same = still("breaker_version", version);
        let changes = ", #breaker = :breaker, breaker_version = :next";
        let update = if calm {
            self.upsert_health(
                &health.project,
                &health.integration,
                &format!("{changes} REMOVE #unwell"),
            )
            .condition_expression(format!("{same} AND attribute_not_exists(paused_at)"))
        } else {
            self.upsert_health(
                &health.project,
                &health.integration,
                &format!("{changes}, #unwell = :present"),
            )
            .expression_attribute_values(":present", text(PRESENT))
            .condition_expression(same)
        };
        held(
            update
                .expression_attribute_names("#breaker", "breaker")
                .expression_attribute_names("#unwell", "unwell")
                .expression_attribute_values(":breaker", text(breaker))
                .expression_attribute_values(":breaker_version", number(version))
                .expression_attribute_values(":next", number(version.saturating_add(1))),
        )
        .await
    }

    async fn set_pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        pause: Option<&Pause>,
    ) -> PortResult<bool> {
        let update = match pause {
            Some(pause) => self
                .upsert_health(
                    project,
                    id,
                    ", paused_at = :at, pause_reason = :reason, #unwell = :present",
                )
                .expression_attribute_names("#unwell", "unwell")
                .expression_attribute_values(":present", text(PRESENT))
                .expression_attribute_values(":at", number(pause.at.0))
                .expression_attribute_values(":reason", text(&pause.reason)),
            // An integration without an item has no pause either.
            None => self
                .update_health(id)
                .update_expression("REMOVE paused_at, pause_reason")
                .condition_expression(EXISTS),
        };
        let result = update.return_values(ReturnValue::UpdatedOld).send().await;
        let Some(output) = conditional(UPDATE, result)? else {
            return Ok(false);
        };
        let was_paused = output.attributes.is_some_and(|old| old.contains_key("paused_at"));
        Ok(was_paused != pause.is_some())
    }

    async fn mark_backlog(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        wake_at: Timestamp,
    ) -> PortResult<Option<u64>> {
        for _ in 0..ROUNDS {
            let with_timer = self
                .upsert_health(
                    project,
                    id,
                    ", next_wake_at = :at, #timer = :present ADD backlog_gen :one, wake_gen :one",
                )
                .expression_attribute_names("#timer", "timer")
                .expression_attribute_values(":at", number(wake_at.0))
                .expression_attribute_values(":present", text(PRESENT))
                .expression_attribute_values(":one", number(1))
                .condition_expression(
                    "attribute_not_exists(next_wake_at) \
                     OR (next_wake_at > :at AND attribute_not_exists(lease_owner))",
                );
            if let Some(wake_gen) = new_wake_gen(with_timer).await? {
                return Ok(Some(wake_gen));
            }
            let beside_timer = self
                .update_health(id)
                .update_expression("ADD backlog_gen :one")
                .expression_attribute_values(":one", number(1))
                .condition_expression("attribute_exists(next_wake_at)");
            if held(beside_timer).await? {
                return Ok(None);
            }
        }
        Err(PortError::Failed {
            call: UPDATE,
            reason: format!("the timer of {id} was set and cleared {ROUNDS} times meanwhile"),
        })
    }

    async fn set_timer(
        &self,
        id: &IntegrationId,
        expected: u64,
        wake_at: Timestamp,
        owner: Option<&str>,
    ) -> PortResult<Option<u64>> {
        let same = format!("{EXISTS} AND {}", still("wake_gen", expected));
        let changes = "SET next_wake_at = :at, #timer = :present, wake_gen = :next";
        let update = self
            .update_health(id)
            .expression_attribute_names("#timer", "timer")
            .expression_attribute_values(":at", number(wake_at.0))
            .expression_attribute_values(":present", text(PRESENT))
            .expression_attribute_values(":wake_gen", number(expected))
            .expression_attribute_values(":next", number(expected.saturating_add(1)));
        let update = match owner {
            Some(owner) => update
                .update_expression(format!("{changes} REMOVE lease_owner, lease_until"))
                .expression_attribute_values(":owner", text(owner))
                .condition_expression(format!("{same} AND lease_owner = :owner")),
            None => update.update_expression(changes).condition_expression(same),
        };
        new_wake_gen(update).await
    }

    async fn take_lease(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        held(
            self.upsert_health(project, id, ", lease_owner = :owner, lease_until = :until")
                .expression_attribute_values(":owner", text(owner))
                .expression_attribute_values(":until", number(until.0))
                .expression_attribute_values(":now", number(now.0))
                .condition_expression(
                    "attribute_not_exists(lease_owner) OR lease_owner = :owner OR lease_until <= :now",
                ),
        )
        .await
    }

    async fn release_lease(&self, id: &IntegrationId, owner: &str) -> PortResult<bool> {
        held(
            self.update_health(id)
                .update_expression("REMOVE lease_owner, lease_until")
                .expression_attribute_values(":owner", text(owner))
                .condition_expression("lease_owner = :owner"),
        )
        .await
    }

    async fn finish(&self, id: &IntegrationId, owner: &str, backlog_gen: u64) -> PortResult<bool> {
        held(
            self.update_health(id)
                .update_expression(
                    "REMOVE next_wake_at, #timer, lease_owner, lease_until, told_old_at",
                )
                .expression_attribute_names("#timer", "timer")
                .expression_attribute_values(":owner", text(owner))
                .expression_attribute_values(":backlog_gen", number(backlog_gen))
                .condition_expression(format!(
                    "lease_owner = :owner AND {}",
                    still("backlog_gen", backlog_gen)
                )),
        )
        .await
    }

    async fn mark_told(&self, id: &IntegrationId, at: Timestamp) -> PortResult<bool> {
        held(
            self.update_health(id)
                .update_expression("SET told_old_at = :at")
                .expression_attribute_values(":at", number(at.0))
                .condition_expression(
                    "attribute_exists(next_wake_at) AND attribute_not_exists(told_old_at)",
                ),
        )
        .await
    }

    async fn overdue(&self, before: Timestamp) -> PortResult<Vec<Timer>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("timers")
            .key_condition_expression("#timer = :present AND next_wake_at < :before")
            .expression_attribute_names("#timer", "timer")
            .expression_attribute_values(":present", text(PRESENT))
            .expression_attribute_values(":before", number(before.0));
        Ok(readable(&all(query).await?, |item| timer(item).map(Some)))
    }
}

fn timer(item: &Item) -> Result<Timer, Corrupt> {
    let due = Reader(item).time("next_wake_at")?;
    Ok(Timer { health: health(item)?, due })
}

fn health(item: &Item) -> Result<Health, Corrupt> {
    let item = Reader(item);
    let breaker = if item.has("breaker") { item.json("breaker")? } else { Breaker::default() };
    let pause = match item.optional_time("paused_at")? {
        Some(at) => Some(Pause { at, reason: item.text("pause_reason")?.to_owned() }),
        None => None,
    };
    let lease = match item.optional_text("lease_owner")? {
        Some(owner) => Some(Lease { owner: owner.to_owned(), until: item.time("lease_until")? }),
        None => None,
    };
    Ok(Health {
        integration: IntegrationId::from(item.text("integration")?),
        project: ProjectId::from(item.text("project")?),
        breaker,
        breaker_version: item.optional_number("breaker_version")?.unwrap_or(0),
        pause,
        lease,
        next_wake_at: item.optional_time("next_wake_at")?,
        wake_gen: item.optional_number("wake_gen")?.unwrap_or(0),
        backlog_gen: item.optional_number("backlog_gen")?.unwrap_or(0),
        told_old_at: item.optional_time("told_old_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::item::PK;

    fn item(extra: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) -> Item {
        let base = [("integration", text("i")), ("project", text("p")), (PK, text("HEALTH#i"))];
        let all = base.iter().chain(extra);
        all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn an_item_that_only_says_whose_it_is_is_a_new_one() {
        assert_eq!(health(&item(&[])), Ok(Health::new("p".into(), "i".into())));
    }

    #[test]
    fn half_a_lease_or_pause_is_a_fault_that_names_the_item() {
        for (name, value) in
            [("lease_owner", text("o")), ("paused_at", number(1)), ("breaker", text("{"))]
        {
            let error = health(&item(&[(name, value)])).unwrap_err().to_string();
            assert!(error.starts_with("item HEALTH#i"), "{error}");
        }
    }

    #[test]
    fn a_counter_of_zero_may_be_absent() {
        assert_eq!(
            still("wake_gen", 0),
            "(attribute_not_exists(wake_gen) OR wake_gen = :wake_gen)"
        );
        assert_eq!(still("wake_gen", 7), "wake_gen = :wake_gen");
    }
}
