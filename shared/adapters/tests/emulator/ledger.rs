use aws_sdk_dynamodb::types::AttributeValue;
use flagpost_domain::{
    ledger::Counts,
    ports::{LedgerStore, PortError},
};

use crate::stack::{Stack, ids, text};

const HOUR: &str = "2026-11-21T05";

#[tokio::test]
async fn counts_add_up_by_hour() {
    let stack = Stack::open().await;
    let (table, (_, id)) = (stack.table(), ids());
    assert_eq!(table.counts(&id).await, Ok(vec![]));
    let first = Counts { matched: 500, delivered: 400, scheduled: 100, ..Counts::default() };
    let second = Counts { unscheduled: 100, dead: 100, ..Counts::default() };
    table.add_counts(&id, HOUR, &first).await.unwrap();
    table.add_counts(&id, "2026-11-21T04", &first).await.unwrap();
    table.add_counts(&id, HOUR, &second).await.unwrap();
    let mut sum = first;
    sum += second;
    assert_eq!(
        table.counts(&id).await,
        Ok(vec![("2026-11-21T04".to_owned(), first), (HOUR.to_owned(), sum)])
    );

    let item = stack.item(&format!("LEDGER#{id}"), HOUR).await.unwrap();
    let kept = AttributeValue::N((1_795_237_200 + 400 * 86_400).to_string());
    assert_eq!(item["expires_at"], kept);
    assert!(!item.contains_key("parked"), "what is 0 is not written");
}

#[tokio::test]
async fn every_counter_is_kept() {
    let (table, (_, id)) = (Stack::open().await.table(), ids());
    let names: Vec<_> = Counts::default().named().map(|(name, _)| name).collect();
    let position = |wanted: &str| names.iter().position(|name| *name == wanted).unwrap() as u64;
    let counts = Counts::from_named(|name| position(name) + 1);
    table.add_counts(&id, HOUR, &counts).await.unwrap();
    assert_eq!(table.counts(&id).await, Ok(vec![(HOUR.to_owned(), counts)]));
}

#[tokio::test]
async fn nothing_to_add_is_no_write() {
    let (table, (_, id)) = (Stack::open().await.table(), ids());
    table.add_counts(&id, HOUR, &Counts::default()).await.unwrap();
    assert_eq!(table.counts(&id).await, Ok(vec![]));
    let one = Counts { matched: 1, ..Counts::default() };
    let error = table.add_counts(&id, "yesterday", &one).await.unwrap_err();
    assert!(matches!(error, PortError::Failed { reason, .. } if reason.contains("yesterday")));
}

#[tokio::test]
async fn an_hour_that_cannot_be_read_does_not_hide_the_others() {
    let stack = Stack::open().await;
    let (table, (_, id)) = (stack.table(), ids());
    let one = Counts { matched: 1, ..Counts::default() };
    table.add_counts(&id, HOUR, &one).await.unwrap();
    stack.spoil(&format!("LEDGER#{id}"), "2026-11-21T06", "matched", text("many")).await;
    assert_eq!(table.counts(&id).await, Ok(vec![(HOUR.to_owned(), one)]));
}
