//! Configuration, health and the ledger, in one DynamoDB table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | project | `PROJECTS` | project |
//! | key, by the hash that ingest looks up | `KEY#` hash | `KEY` |
//! | key, as a project lists it | `PROJECT#` project | `KEY#` key |
//! | admin key, by the hash that the API looks up | `ADMINKEY#` hash | `KEY` |
//! | admin key, as listed | `ADMINKEYS` | key |
//! | creation under an idempotency key | `IDEMPOTENCY#` name | `CREATION` |
//! | integration, or its tombstone | `PROJECT#` project | `INTEGRATION#` integration |
//! | name that an integration holds | `PROJECT#` project | `NAME#` name |
//! | health | `HEALTH#` integration | `HEALTH` |
//! | ledger | `LEDGER#` integration | hour |
//! | attempt of a delivery | `ATTEMPTS#` integration | time and delivery |
//! | event that was accepted, or is claimed | `SEEN#` hash | `SEEN` |
//!
//! Two sparse indexes: `unwell` holds the health items of integrations that have an uneasy breaker
//! or a pause, `timers` those that have a timer, by the time it is due.
//!
//! A stored item that cannot be read is an error that names it. In an operator's list it is logged
//! and left out, so that one does not hide the others; where events are matched it is an error, so
//! that none is forgotten.

mod admin;
mod admin_key;
mod attempts;
mod creation;
mod health;
mod item;
mod ledger;
mod page;
mod registry;
mod seen;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::{
        query::builders::QueryFluentBuilder, transact_write_items::TransactWriteItemsError,
    },
    types::{AttributeValue, TransactWriteItem},
};
use flagpost_domain::ports::{PortError, PortResult};

use crate::failure::{coded, port_error};
use item::{Corrupt, Item, PK, SK, text};

const GET: &str = "dynamodb:GetItem";
const PUT: &str = "dynamodb:PutItem";
const UPDATE: &str = "dynamodb:UpdateItem";
const DELETE: &str = "dynamodb:DeleteItem";
const QUERY: &str = "dynamodb:Query";
const TRANSACT: &str = "dynamodb:TransactWriteItems";

const EXISTS: &str = "attribute_exists(pk)";
const ABSENT: &str = "attribute_not_exists(pk)";

/// One table.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
}

/// The end of a transaction that could be carried out or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transacted {
    Done,
    /// The condition of the write at this position did not hold: nothing was written.
    Refused(usize),
}

impl DynamoDb {
    /// Uses the table of this name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    async fn get(&self, pk: String, sk: String) -> PortResult<Option<Item>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(GET, &error))?;
        Ok(output.item)
    }

    /// A query for all items of `pk`, in the order of their `sk`.
    fn items_of(&self, pk: String) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
    }

    /// A query for the items of `pk` whose `sk` starts with `prefix`.
    fn under(&self, pk: String, prefix: &str) -> QueryFluentBuilder {
        self.items_of(pk)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", text(prefix))
    }

    async fn transact(&self, writes: Vec<TransactWriteItem>) -> PortResult<Transacted> {
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        let Err(error) = request.send().await else {
            return Ok(Transacted::Done);
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
            error.as_service_error()
        else {
            return Err(port_error(TRANSACT, &error));
        };
        let reasons: Vec<(&str, Option<&str>)> = canceled
            .cancellation_reasons()
            .iter()
            .map(|reason| (reason.code().unwrap_or("None"), reason.message()))
            .collect();
        why_canceled(&reasons).unwrap_or_else(|| Err(port_error(TRANSACT, &error)))
    }
}

/// All items of a query, page by page.
async fn all(query: QueryFluentBuilder) -> PortResult<Vec<Item>> {
    query
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(|error| port_error(QUERY, &error))
}

/// What `read` makes of each item; those that it cannot read are logged and left out.
fn readable<T>(items: &[Item], read: impl Fn(&Item) -> Result<Option<T>, Corrupt>) -> Vec<T> {
    let one = |item| match read(item) {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(%error, "stored item cannot be read: left out");
            None
        }
    };
    items.iter().filter_map(one).collect()
}

/// A condition that failed says more than the conflicts that come with it.
fn why_canceled(reasons: &[(&str, Option<&str>)]) -> Option<PortResult<Transacted>> {
    let refused = reasons.iter().position(|(code, _)| *code == "ConditionalCheckFailed");
    if let Some(position) = refused {
        return Some(Ok(Transacted::Refused(position)));
    }
    let (code, message) = reasons.iter().find(|(code, _)| *code != "None")?;
    Some(Err(coded(TRANSACT, code, *message)))
}

fn key(pk: String, sk: String) -> HashMap<String, AttributeValue> {
    HashMap::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

/// A request that the SDK does not build: none of its required parts is missing here.
fn incomplete(call: &'static str, error: &aws_sdk_dynamodb::error::BuildError) -> PortError {
    PortError::Failed { call, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_condition_outweighs_a_conflict() {
        let none = ("None", None);
        let condition = ("ConditionalCheckFailed", Some("The conditional request failed"));
        let conflict = ("TransactionConflict", Some("Transaction is ongoing for the item"));
        assert_eq!(why_canceled(&[none, conflict, condition]), Some(Ok(Transacted::Refused(2))));
        assert!(matches!(why_canceled(&[none, conflict]), Some(Err(PortError::Throttled { .. }))));
        assert!(matches!(
            why_canceled(&[("ValidationError", None), none]),
            Some(Err(PortError::Failed { .. }))
        ));
        assert_eq!(why_canceled(&[none, none]), None);
    }
}
