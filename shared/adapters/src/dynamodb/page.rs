//! Parts of a list, by a query that begins where the part before ended.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use flagpost_domain::{
    page::{Page, Part},
    ports::PortResult,
};

use super::{
    DynamoDb, QUERY,
    item::{Corrupt, Item, Reader, SK},
    key, readable,
};
use crate::failure::port_error;

impl DynamoDb {
    /// A part of what `query` finds under `pk`. A place is an item's `sk` without `prefix`.
    pub(super) async fn page<T>(
        &self,
        query: QueryFluentBuilder,
        pk: &str,
        prefix: &str,
        part: &Part,
        read: impl Fn(&Item) -> Result<T, Corrupt>,
    ) -> PortResult<Page<T>> {
        let after = part.after.as_ref().map(|after| key(pk.to_owned(), format!("{prefix}{after}")));
        // One more than is asked for tells whether there is more.
        let limit = i32::try_from(part.limit.saturating_add(1)).unwrap_or(i32::MAX);
        let output = query
            .consistent_read(true)
            .set_exclusive_start_key(after)
            .limit(limit)
            .send()
            .await
            .map_err(|error| port_error(QUERY, &error))?;
        let found = output.items.unwrap_or_default();
        let shown = &found[..found.len().min(part.limit)];
        // A page of DynamoDB ends at 1 MB too.
        let more = found.len() > part.limit || output.last_evaluated_key.is_some();
        let last = shown.last().filter(|_| more).map(|last| Reader(last).text(SK)).transpose();
        let last = last.map_err(|error| error.during(QUERY))?;
        Ok(Page {
            items: readable(shown, |item| read(item).map(Some)),
            next: last.map(|sk| sk.strip_prefix(prefix).unwrap_or(sk).to_owned()),
        })
    }
}
