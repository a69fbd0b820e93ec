//! The delivery log: one item for each attempt, for as long as the stack keeps them.
//!
//! All of an integration's are in one partition, by time. Each is one write unit up to 1 KiB, and two
//! with a long answer.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use flagpost_domain::{
    attempt_log::Record,
    id::IntegrationId,
    ports::{AttemptRange, AttemptStore, Clock, PortError, PortResult},
    time::Timestamp,
};
use futures_util::{StreamExt, stream};

use super::{
    DynamoDb, PK, QUERY, SK, incomplete,
    item::{Item, Reader, number, text},
    readable,
};
use crate::{clock::SystemClock, failure::port_error};

const WRITE: &str = "dynamodb:BatchWriteItem";
/// Puts in one `BatchWriteItem`.
const AT_ONCE: usize = 25;
/// Calls side by side.
const WIDTH: usize = 4;
/// Tries of what a throttled call left over.
const TRIES: u32 = 3;
/// Before the second; longer before each further one.
const AGAIN: Duration = Duration::from_millis(50);

const DOC: &str = "doc";
const EXPIRES: &str = "expires_at";

fn partition(id: &IntegrationId) -> String {
    format!("ATTEMPTS#{id}")
}

fn put_attempt(record: &Record, expires: Timestamp) -> PortResult<WriteRequest> {
    let doc = serde_json::to_string(record)
        .map_err(|error| PortError::Failed { call: WRITE, reason: error.to_string() })?;
    let put = PutRequest::builder()
        .item(PK, text(partition(&record.integration)))
        .item(SK, text(record.id()))
        .item(EXPIRES, number(expires.seconds()))
        .item(DOC, text(doc))
        .build()
        .map_err(|error| incomplete(WRITE, &error))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

impl DynamoDb {
    async fn write_attempts(&self, puts: Vec<WriteRequest>) -> PortResult<()> {
        let mut left = puts;
        for attempt in 0..TRIES {
            if attempt > 0 {
                SystemClock.sleep(AGAIN * attempt).await;
            }
            let call = self.client.batch_write_item().request_items(&self.table, left);
            let output = call.send().await.map_err(|error| port_error(WRITE, &error))?;
            left = output
                .unprocessed_items
                .and_then(|mut all| all.remove(&self.table))
                .unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
        }
        let reason = format!("{} items left over", left.len());
        Err(PortError::Throttled { call: WRITE, reason })
    }
}

impl AttemptStore for DynamoDb {
    async fn add_attempts(&self, records: &[Record], expires: Timestamp) -> PortResult<()> {
        // One call may not name an item twice.
        let named: BTreeMap<_, _> =
            records.iter().map(|record| ((&record.integration, record.id()), record)).collect();
        let puts: Vec<_> =
            named.values().map(|record| put_attempt(record, expires)).collect::<PortResult<_>>()?;
        let calls = puts.chunks(AT_ONCE).map(|chunk| self.write_attempts(chunk.to_vec()));
        let calls: Vec<_> = calls.collect();
        let ends: Vec<_> = stream::iter(calls).buffer_unordered(WIDTH).collect().await;
        ends.into_iter().collect()
    }

    async fn attempts(&self, id: &IntegrationId, range: &AttemptRange) -> PortResult<Vec<Record>> {
        let from = format!("{:013}", range.from.0.max(0));
        let to = format!("{:013}", range.to.0.max(0));
        let to = range.before.as_ref().filter(|before| **before < to).unwrap_or(&to);
        if *to <= from {
            return Ok(Vec::new());
        }
        let limit = i32::try_from(range.limit).unwrap_or(i32::MAX);
        // BETWEEN takes both ends: one more, and the end itself is left out.
        let query = self
            .items_of(partition(id))
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .scan_index_forward(false)
            .limit(limit.saturating_add(1));
        let mut found: Vec<Item> = Vec::new();
        let mut pages = query.into_paginator().send();
        while found.len() <= range.limit
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(|error| port_error(QUERY, &error))?;
            found.extend(page.items.unwrap_or_default());
        }
        found.retain(|item| Reader(item).text(SK).is_ok_and(|sk| sk < to.as_str()));
        found.truncate(range.limit);
        Ok(readable(&found, |item| Reader(item).json(DOC).map(Some)))
    }
}
