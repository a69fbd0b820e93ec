use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use flagpost_domain::{
    id::ProjectId,
    ports::{AdminStore, Once, Project, Remembered, Written},
    time::Timestamp,
};

use crate::stack::{Stack, now, unique};

const DAY: Duration = Duration::from_hours(24);

fn begun(at: Timestamp) -> Remembered {
    Remembered { salt: unique(), body: "a fingerprint".to_owned(), at, done: false }
}

fn once(name: &str, remembered: &Remembered) -> Once {
    Once { name: name.to_owned(), salt: remembered.salt.clone() }
}

fn project() -> Project {
    Project { id: ProjectId(unique()), name: "A project".to_owned(), created_at: now() }
}

#[tokio::test]
async fn a_creation_is_remembered_until_it_expires() {
    let stack = Stack::open().await;
    let (table, name, at) = (stack.table(), unique(), now());
    let first = begun(at);
    let remember = async |new: &Remembered| table.remember(&name, new, new.at.plus(DAY)).await;
    assert_eq!(remember(&first).await, Ok(None));
    assert_eq!(remember(&first).await, Ok(None), "a second try of the same call");
    let later = begun(at.plus(DAY).minus(Duration::from_secs(1)));
    assert_eq!(remember(&later).await, Ok(Some(first)));
    let last = begun(at.plus(DAY));
    assert_eq!(remember(&last).await, Ok(None), "it is still stored, and has expired");
    assert_eq!(remember(&begun(at.plus(DAY))).await, Ok(Some(last)));

    let item = stack.item(&format!("IDEMPOTENCY#{name}"), "CREATION").await.unwrap();
    let expires = AttributeValue::N(at.plus(DAY).plus(DAY).seconds().to_string());
    assert_eq!(item["expires_at"], expires, "in seconds, as the time to live wants it");
}

#[tokio::test]
async fn a_creation_is_made_once() {
    let table = Stack::open().await.table();
    let (name, first) = (unique(), begun(now()));
    table.remember(&name, &first, first.at.plus(DAY)).await.unwrap();
    let this = once(&name, &first);
    let (one, two) = (project(), project());
    assert_eq!(table.create_project(&one, Some(&this)).await, Ok(Written::Done));
    assert_eq!(table.create_project(&one, Some(&this)).await, Ok(Written::Repeated));
    assert_eq!(table.create_project(&two, Some(&this)).await, Ok(Written::Repeated));
    assert_eq!(table.project(&two.id).await, Ok(None), "both or neither");
    let found = table.remember(&name, &begun(now()), first.at.plus(DAY)).await;
    assert_eq!(found, Ok(Some(Remembered { done: true, ..first })));
}

#[tokio::test]
async fn one_that_is_refused_is_still_to_be_made() {
    let table = Stack::open().await.table();
    let (name, first, taken) = (unique(), begun(now()), project());
    table.remember(&name, &first, first.at.plus(DAY)).await.unwrap();
    table.create_project(&taken, None).await.unwrap();
    let this = once(&name, &first);
    assert_eq!(table.create_project(&taken, Some(&this)).await, Ok(Written::Taken));
    let other = Once { salt: unique(), ..this.clone() };
    assert_eq!(table.create_project(&project(), Some(&other)).await, Ok(Written::Repeated));
    assert_eq!(table.create_project(&project(), Some(&this)).await, Ok(Written::Done));
}

#[tokio::test]
async fn of_two_at_once_one_is_made() {
    let table = Stack::open().await.table();
    let (name, first) = (unique(), begun(now()));
    table.remember(&name, &first, first.at.plus(DAY)).await.unwrap();
    let (this, one, two) = (once(&name, &first), project(), project());
    let ends = tokio::join!(
        table.create_project(&one, Some(&this)),
        table.create_project(&two, Some(&this))
    );
    let there = [
        table.project(&one.id).await.unwrap().is_some(),
        table.project(&two.id).await.unwrap().is_some(),
    ];
    assert_eq!(there.iter().filter(|there| **there).count(), 1, "{ends:?}");
}
