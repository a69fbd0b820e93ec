use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use flagpost_domain::{
    attempt_log::{Function, Record, Result, Then},
    id::IntegrationId,
    ports::{AttemptRange, AttemptStore},
    time::Timestamp,
};

use crate::stack::{Stack, now, unique};

fn record(id: &IntegrationId, at: Timestamp, n: usize) -> Record {
    Record {
        integration: id.clone(),
        delivery: format!("{n:032}").as_str().into(),
        at,
        from: Function::Drain,
        outcome: Result::Failed,
        requests: 2,
        status: Some(503),
        error: Some("status 503".to_owned()),
        duration_ms: 12,
        events: 500,
        delivered: 0,
        bytes: 100_000,
        bytes_sent: 9_000,
        answer: Some("try later: ü".to_owned()),
        trace_id: Some(format!("{n:032x}")),
        then: Then::Scheduled,
        next_at: Some(at.plus(Duration::from_mins(1))),
    }
}

#[tokio::test]
async fn more_than_one_call_takes_are_written_and_read_in_pages_from_new_to_old() {
    let stack = Stack::open().await;
    let (table, begin) = (stack.table(), now());
    let (id, other) = (IntegrationId(unique()), IntegrationId(unique()));
    let at = |n: u64| begin.plus(Duration::from_millis(n / 2));
    let all: Vec<_> = (0..60).map(|n| record(&id, at(n), usize::try_from(n).unwrap())).collect();
    let expires = begin.plus(Duration::from_hours(24));
    table.add_attempts(&all, expires).await.unwrap();
    table.add_attempts(&[record(&other, begin, 0)], expires).await.unwrap();

    let mut range = AttemptRange { from: begin, to: at(60), before: None, limit: 25 };
    let mut read = Vec::new();
    loop {
        let page = table.attempts(&id, &range).await.unwrap();
        assert!(page.len() <= 25);
        range.before = page.last().map(Record::id);
        let ends = page.len() < 25;
        read.extend(page);
        if ends {
            break;
        }
    }
    read.reverse();
    assert_eq!(read, all);

    let middle = AttemptRange { from: at(10), to: at(20), before: None, limit: 100 };
    let read = table.attempts(&id, &middle).await.unwrap();
    assert_eq!(read.len(), 10, "the end is not in the range, and the beginning is");
    let nothing = AttemptRange { from: at(20), to: at(20), before: None, limit: 100 };
    assert_eq!(table.attempts(&id, &nothing).await.unwrap(), []);

    let item = stack.item(&format!("ATTEMPTS#{id}"), &all[0].id()).await.unwrap();
    assert_eq!(item["expires_at"], AttributeValue::N(expires.seconds().to_string()));
}
