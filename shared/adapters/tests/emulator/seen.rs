use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use flagpost_domain::{
    ports::{Claim, Seen},
    time::Timestamp,
};

use crate::stack::{Stack, now, unique};

const CLAIM: Duration = Duration::from_secs(5);
const WEEK: Duration = Duration::from_hours(7 * 24);

#[tokio::test]
async fn an_event_is_claimed_once_and_known_when_it_is_confirmed() {
    let stack = Stack::open().await;
    let (table, event, at) = (stack.table(), unique(), now());
    let claim = async |at: Timestamp| table.claim(&event, at, at.plus(CLAIM), at.plus(WEEK)).await;
    assert_eq!(claim(at).await, Ok(Claim::Taken));
    assert_eq!(claim(at.plus(Duration::from_secs(1))).await, Ok(Claim::Held));
    table.confirm(&event, at.plus(WEEK)).await.unwrap();
    assert_eq!(claim(at.plus(CLAIM)).await, Ok(Claim::Seen));
    assert_eq!(claim(at.plus(WEEK)).await, Ok(Claim::Taken), "what has expired is forgotten");

    let item = stack.item(&format!("SEEN#{event}"), "SEEN").await.unwrap();
    let expires = AttributeValue::N(at.plus(WEEK).plus(WEEK).seconds().to_string());
    assert_eq!(item["expires_at"], expires, "in seconds, as the time to live wants it");
}

#[tokio::test]
async fn a_claim_ends_by_itself() {
    let table = Stack::open().await.table();
    let (event, at) = (unique(), now());
    let later = at.plus(CLAIM);
    assert_eq!(table.claim(&event, at, later, at.plus(WEEK)).await, Ok(Claim::Taken));
    let again = table.claim(&event, later, later.plus(CLAIM), later.plus(WEEK)).await;
    assert_eq!(again, Ok(Claim::Taken));
}

#[tokio::test]
async fn only_ones_own_claim_is_released() {
    let table = Stack::open().await.table();
    let (event, at) = (unique(), now());
    let until = at.plus(CLAIM);
    let claim = async || table.claim(&event, at, until, at.plus(WEEK)).await;
    assert_eq!(claim().await, Ok(Claim::Taken));
    table.release(&event, until.plus(CLAIM)).await.unwrap();
    assert_eq!(claim().await, Ok(Claim::Held), "it is another's");
    table.release(&event, until).await.unwrap();
    assert_eq!(claim().await, Ok(Claim::Taken));
    table.confirm(&event, at.plus(WEEK)).await.unwrap();
    table.release(&event, until).await.unwrap();
    assert_eq!(claim().await, Ok(Claim::Seen), "what is confirmed stays so");
}
