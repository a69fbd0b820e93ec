//! Events that were accepted: one item each, for as long as a repeated upload is to be known.
//!
//! An item with `held_until` is a claim, one without is confirmed. Each is written whole by one
//! `PutItem`, a write unit as long as it is below 1 KiB, and it has 200 bytes.

use aws_sdk_dynamodb::{
    operation::put_item::{PutItemError, builders::PutItemFluentBuilder},
    types::ReturnValuesOnConditionCheckFailure,
};
use flagpost_domain::{
    ports::{Claim, EventHash, PortError, PortResult, Seen},
    time::Timestamp,
};

use super::{
    ABSENT, DynamoDb, PUT,
    item::{Reader, number},
    key,
};
use crate::failure::{conditional, port_error};

const SK: &str = "SEEN";
const HELD: &str = "held_until";
const EXPIRES: &str = "expires_at";

impl DynamoDb {
    fn put_seen(
        &self,
        event: &EventHash,
        held: Option<Timestamp>,
        expires: Timestamp,
    ) -> PutItemFluentBuilder {
        let mut item = key(format!("SEEN#{event}"), SK.to_owned());
        item.insert(EXPIRES.to_owned(), number(expires.seconds()));
        if let Some(held) = held {
            item.insert(HELD.to_owned(), number(held.0));
        }
        self.client.put_item().table_name(&self.table).set_item(Some(item))
    }
}

impl Seen for DynamoDb {
    /// DynamoDB deletes what has expired within days, not at once: what it still has counts as gone.
    async fn claim(
        &self,
        event: &EventHash,
        now: Timestamp,
        until: Timestamp,
        expires: Timestamp,
    ) -> PortResult<Claim> {
        let put = self
            .put_seen(event, Some(until), expires)
            .condition_expression(format!("{ABSENT} OR {HELD} <= :now OR {EXPIRES} <= :seconds"))
            .expression_attribute_values(":now", number(now.0))
            .expression_attribute_values(":seconds", number(now.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(Claim::Taken);
        };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
        else {
            return Err(port_error(PUT, &error));
        };
        let item = failed.item().ok_or_else(|| PortError::Failed {
            call: PUT,
            reason: "a failed condition came without the item".to_owned(),
        })?;
        Ok(if Reader(item).has(HELD) { Claim::Held } else { Claim::Seen })
    }

    async fn confirm(&self, event: &EventHash, expires: Timestamp) -> PortResult<()> {
        let put = self.put_seen(event, None, expires).send().await;
        put.map_err(|error| port_error(PUT, &error))?;
        Ok(())
    }

    /// The claim is replaced by one that has ended: so the function needs no right to delete.
    async fn release(&self, event: &EventHash, until: Timestamp) -> PortResult<()> {
        let put = self
            .put_seen(event, Some(Timestamp(0)), until)
            .condition_expression(format!("{HELD} = :until"))
            .expression_attribute_values(":until", number(until.0));
        conditional(PUT, put.send().await)?;
        Ok(())
    }
}
