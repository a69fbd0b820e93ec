//! Creations: each write of one completes it in the same transaction, so that it is made once.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use flagpost_domain::{
    ports::{Once, PortError, PortResult, Remembered, Written},
    time::Timestamp,
};

use super::{
    ABSENT, DynamoDb, PUT, TRANSACT, Transacted, incomplete,
    item::{Corrupt, Item, Reader, number, text},
    key,
};
use crate::failure::port_error;

const SK: &str = "CREATION";

fn pk(name: &str) -> String {
    format!("IDEMPOTENCY#{name}")
}

impl DynamoDb {
    /// DynamoDB deletes what has expired within days, not at once: what it still has counts as gone.
    pub(super) async fn remember_creation(
        &self,
        name: &str,
        new: &Remembered,
        expires: Timestamp,
    ) -> PortResult<Option<Remembered>> {
        let mut item = key(pk(name), SK.to_owned());
        item.insert("salt".to_owned(), text(&new.salt));
        item.insert("body".to_owned(), text(&new.body));
        item.insert("begun_at".to_owned(), number(new.at.0));
        item.insert("expires_at".to_owned(), number(expires.seconds()));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(format!("{ABSENT} OR expires_at <= :seconds"))
            .expression_attribute_values(":seconds", number(new.at.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(None);
        };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
        else {
            return Err(port_error(PUT, &error));
        };
        let item = failed.item().ok_or_else(|| PortError::Failed {
            call: PUT,
            reason: "a failed condition came without the item".to_owned(),
        })?;
        let found = remembered(item).map_err(|error| error.during(PUT))?;
        // The SDK's second try may find what its first one wrote.
        Ok(Some(found).filter(|found| found != new))
    }

    /// Carries out the writes of a creation, each with what it means if its condition fails. The
    /// mark that the creation is made goes first: its refusal says more than any other.
    pub(super) async fn create(
        &self,
        once: Option<&Once>,
        writes: Vec<(TransactWriteItem, Written)>,
    ) -> PortResult<Written> {
        let mark = once.map(|once| self.complete(once)).transpose()?;
        let all = mark.map(|mark| (mark, Written::Repeated)).into_iter().chain(writes);
        let (writes, means): (Vec<_>, Vec<_>) = all.unzip();
        match self.transact(writes).await? {
            Transacted::Done => Ok(Written::Done),
            Transacted::Refused(position) => {
                means.get(position).copied().ok_or_else(|| PortError::Failed {
                    call: TRANSACT,
                    reason: format!("write {position} was refused, and there is none"),
                })
            }
        }
    }

    fn complete(&self, once: &Once) -> PortResult<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(pk(&once.name), SK.to_owned())))
            .update_expression("SET made = :made")
            .condition_expression("salt = :salt AND attribute_not_exists(made)")
            .expression_attribute_values(":made", number(1))
            .expression_attribute_values(":salt", text(&once.salt))
            .build()
            .map_err(|error| incomplete(TRANSACT, &error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn remembered(item: &Item) -> Result<Remembered, Corrupt> {
    let item = Reader(item);
    Ok(Remembered {
        salt: item.text("salt")?.to_owned(),
        body: item.text("body")?.to_owned(),
        at: item.time("begun_at")?,
        done: item.has("made"),
    })
}
