//! The ledger: one item of counters for each integration and hour.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use flagpost_domain::{
    id::IntegrationId,
    ledger::Counts,
    ports::{LedgerStore, PortError, PortResult},
};

use super::{
    DynamoDb, UPDATE, all,
    item::{Corrupt, Item, Reader, SK, number},
    key, readable,
};
use crate::failure::port_error;

/// How long an hour is kept.
const KEPT: Duration = Duration::from_hours(400 * 24);

fn pk(id: &IntegrationId) -> String {
    format!("LEDGER#{id}")
}

impl LedgerStore for DynamoDb {
    async fn add_counts(&self, id: &IntegrationId, hour: &str, counts: &Counts) -> PortResult<()> {
        let added: Vec<_> = counts.named().filter(|(_, count)| *count > 0).collect();
        if added.is_empty() {
            return Ok(());
        }
        let terms: Vec<_> = added.iter().map(|(name, _)| format!("#{name} :{name}")).collect();
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(pk(id), hour.to_owned())))
            .update_expression(format!("ADD {} SET expires_at = :expires_at", terms.join(", ")))
            .expression_attribute_values(":expires_at", number(expires_at(hour)?));
        for (name, count) in added {
            request = request
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), number(count));
        }
        request.send().await.map_err(|error| port_error(UPDATE, &error))?;
        Ok(())
    }

    async fn counts(&self, id: &IntegrationId) -> PortResult<Vec<(String, Counts)>> {
        let query = self.items_of(pk(id)).consistent_read(true);
        Ok(readable(&all(query).await?, |item| hour(item).map(Some)))
    }
}

fn hour(item: &Item) -> Result<(String, Counts), Corrupt> {
    let item = Reader(item);
    // Every counter is tried first: `from_named` has no way to say that one cannot be read.
    for (name, _) in Counts::default().named() {
        item.optional_number::<u64>(name)?;
    }
    let count = |name: &str| item.optional_number(name).ok().flatten().unwrap_or(0);
    Ok((item.text(SK)?.to_owned(), Counts::from_named(count)))
}

/// In seconds since the Unix epoch, as DynamoDB's time to live wants it.
fn expires_at(hour: &str) -> PortResult<i64> {
    let start = DateTime::from_str(&format!("{hour}:00:00Z"), DateTimeFormat::DateTime);
    let start = start.map_err(|_| PortError::Failed {
        call: UPDATE,
        reason: format!("`{hour}` is not an hour such as 2026-11-21T05"),
    })?;
    Ok(start.secs().saturating_add_unsigned(KEPT.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_for_400_days() {
        assert_eq!(expires_at("2026-11-21T05"), Ok(1_795_237_200 + 400 * 86_400));
        for senseless in ["", "2026-11-21", "2026-13-01T00", "x"] {
            assert!(expires_at(senseless).is_err(), "{senseless}");
        }
    }
}
