use std::time::Duration;

use flagpost_adapters::dynamodb::DynamoDb;
use flagpost_domain::{
    breaker::{Breaker, Policy},
    health::{Health, Lease, Pause},
    id::{IntegrationId, ProjectId},
    ports::{HealthStore, PortError},
    time::Timestamp,
};

use crate::stack::{Stack, ids, now, text};

/// One integration's health, taken away at the end: the stack's functions look at every item that
/// is unwell or overdue.
struct Ward {
    stack: Stack,
    table: DynamoDb,
    project: ProjectId,
    id: IntegrationId,
}

impl Ward {
    async fn open() -> Self {
        let stack = Stack::open().await;
        let (project, id) = ids();
        Self { table: stack.table(), stack, project, id }
    }

    async fn health(&self) -> Health {
        self.table.health(&self.project, &self.id).await.unwrap()
    }

    async fn is_unwell(&self) -> bool {
        let unwell = self.table.unwell().await.unwrap();
        unwell.iter().any(|health| health.integration == self.id)
    }

    async fn swap(&self, health: &Health, breaker: &Breaker, calm: bool) -> bool {
        self.table.swap_breaker(health, breaker, calm).await.unwrap()
    }

    async fn pause(&self, pause: Option<&Pause>) {
        self.table.set_pause(&self.project, &self.id, pause).await.unwrap();
    }

    async fn mark(&self, wake_at: Timestamp) -> Option<u64> {
        self.table.mark_backlog(&self.project, &self.id, wake_at).await.unwrap()
    }

    async fn lease(&self, owner: &str, now: Timestamp, until: Timestamp) -> bool {
        self.table.take_lease(&self.project, &self.id, owner, now, until).await.unwrap()
    }

    async fn remove(self) {
        self.stack.remove(&format!("HEALTH#{}", self.id), "HEALTH").await;
    }
}

fn open_breaker() -> Breaker {
    Breaker::default().hold(&Policy::default(), now().plus(Duration::from_mins(30)), now())
}

fn pause() -> Pause {
    Pause { at: Timestamp(1_795_237_200_123), reason: "410 Gone".to_owned() }
}

/// Far enough away that no sweep takes it for overdue.
fn far() -> Timestamp {
    now().plus(Duration::from_hours(10))
}

#[tokio::test]
async fn an_integration_without_an_item_is_well() {
    let ward = Ward::open().await;
    assert_eq!(ward.health().await, Health::new(ward.project.clone(), ward.id.clone()));
    assert!(!ward.is_unwell().await);
}

#[tokio::test]
async fn a_breaker_is_swapped_once_for_each_version() {
    let ward = Ward::open().await;
    let fresh = ward.health().await;
    let breaker = open_breaker();
    assert!(ward.swap(&fresh, &breaker, false).await);
    assert!(ward.is_unwell().await);
    let first = ward.health().await;
    assert_eq!((&first.breaker, first.breaker_version), (&breaker, 1));

    assert!(!ward.swap(&fresh, &Breaker::default(), false).await, "the version is stale");
    assert_eq!(ward.health().await, first);

    let closed = breaker.close(now());
    assert!(ward.swap(&first, &closed, true).await);
    assert!(!ward.is_unwell().await, "calm");
    let second = ward.health().await;
    assert_eq!((&second.breaker, second.breaker_version), (&closed, 2));
    assert!(ward.swap(&second, &breaker, false).await);
    assert!(ward.is_unwell().await, "again");
    ward.remove().await;
}

#[tokio::test]
async fn of_two_that_swap_one_wins() {
    let ward = Ward::open().await;
    let (fresh, breaker) = (ward.health().await, open_breaker());
    let calm = Breaker::default();
    let (a, b) = tokio::join!(ward.swap(&fresh, &breaker, false), ward.swap(&fresh, &calm, false));
    assert!(a != b);
    assert_eq!(ward.health().await.breaker_version, 1);
    ward.remove().await;
}

#[tokio::test]
async fn a_calm_breaker_does_not_take_a_paused_integration_out_of_the_index() {
    let ward = Ward::open().await;
    let before = ward.health().await;
    ward.pause(Some(&pause())).await;
    assert!(ward.is_unwell().await);
    assert_eq!(ward.health().await.pause, Some(pause()));
    assert!(!ward.swap(&before, &Breaker::default(), true).await);
    assert!(ward.swap(&before, &Breaker::default(), false).await, "the breaker itself is free");
    assert!(ward.is_unwell().await);

    ward.pause(None).await;
    let health = ward.health().await;
    assert_eq!(health.pause, None);
    assert!(ward.is_unwell().await, "until its breaker is written");
    assert!(ward.swap(&health, &Breaker::default(), true).await);
    assert!(!ward.is_unwell().await);
    ward.remove().await;
}

#[tokio::test]
async fn a_pause_and_a_breaker_leave_each_other_alone() {
    let ward = Ward::open().await;
    let breaker = open_breaker();
    assert!(ward.swap(&ward.health().await, &breaker, false).await);
    ward.pause(Some(&pause())).await;
    let other = Pause { reason: "maintenance".to_owned(), ..pause() };
    ward.pause(Some(&other)).await;
    let health = ward.health().await;
    assert_eq!((health.breaker, health.breaker_version), (breaker.clone(), 1));
    assert_eq!(health.pause, Some(other));
    ward.pause(None).await;
    assert_eq!(ward.health().await.breaker, breaker);
    ward.remove().await;
}

#[tokio::test]
async fn lifting_a_pause_that_never_was_makes_no_item() {
    let ward = Ward::open().await;
    ward.pause(None).await;
    assert_eq!(ward.stack.item(&format!("HEALTH#{}", ward.id), "HEALTH").await, None);
}

#[tokio::test]
async fn parking_sets_the_timer_once() {
    let ward = Ward::open().await;
    let (first, later) = (far(), far().plus(Duration::from_hours(1)));
    assert_eq!(ward.mark(first).await, Some(1));
    assert_eq!(ward.mark(later).await, None, "the timer is set");
    let health = ward.health().await;
    assert_eq!(health.next_wake_at, Some(first));
    assert_eq!((health.wake_gen, health.backlog_gen), (1, 2));
    assert!(!ward.is_unwell().await, "a backlog is no ill health");
    ward.remove().await;
}

#[tokio::test]
async fn a_later_timer_is_brought_forward_unless_somebody_drains() {
    let ward = Ward::open().await;
    let (soon, later) = (far(), far().plus(Duration::from_hours(1)));
    assert_eq!(ward.mark(later).await, Some(1));
    assert!(ward.lease("drainer", now(), far()).await);
    assert_eq!(ward.mark(soon).await, None, "it sets the timer itself");
    assert!(ward.table.release_lease(&ward.id, "drainer").await.unwrap());
    assert_eq!(ward.mark(soon).await, Some(2));
    let health = ward.health().await;
    assert_eq!((health.next_wake_at, health.backlog_gen), (Some(soon), 3));
    ward.remove().await;
}

#[tokio::test]
async fn of_many_that_park_one_sets_the_timer() {
    let ward = Ward::open().await;
    let at = far();
    let marks = (0..8).map(|_| ward.mark(at));
    let set: Vec<_> = futures_util::future::join_all(marks).await;
    assert_eq!(set.iter().flatten().collect::<Vec<_>>(), [&1]);
    let health = ward.health().await;
    assert_eq!((health.wake_gen, health.backlog_gen), (1, 8));
    ward.remove().await;
}

#[tokio::test]
async fn a_timer_is_set_anew_for_one_generation_only() {
    let ward = Ward::open().await;
    let set = |expected, at, owner| ward.table.set_timer(&ward.id, expected, at, owner);
    assert_eq!(set(0, far(), None).await, Ok(None), "there is no item");
    assert_eq!(ward.mark(far()).await, Some(1));
    let later = far().plus(Duration::from_hours(1));
    assert_eq!(set(1, later, None).await, Ok(Some(2)));
    assert_eq!(ward.health().await.next_wake_at, Some(later));
    assert_eq!(set(1, far(), None).await, Ok(None), "an older generation");
    let health = ward.health().await;
    assert_eq!((health.next_wake_at, health.wake_gen), (Some(later), 2));
    ward.remove().await;
}

#[tokio::test]
async fn a_timer_of_an_item_that_never_had_one_can_be_set() {
    let ward = Ward::open().await;
    ward.pause(Some(&pause())).await;
    assert_eq!(ward.table.set_timer(&ward.id, 0, far(), None).await, Ok(Some(1)));
    ward.remove().await;
}

#[tokio::test]
async fn setting_the_timer_releases_the_lease_of_its_holder_only() {
    let ward = Ward::open().await;
    assert_eq!(ward.mark(far()).await, Some(1));
    assert!(ward.lease("me", now(), far()).await);
    let set = |expected, owner| ward.table.set_timer(&ward.id, expected, far(), Some(owner));
    assert_eq!(set(1, "other").await, Ok(None));
    assert_eq!(set(9, "me").await, Ok(None));
    assert_eq!(ward.health().await.wake_gen, 1);
    assert!(ward.health().await.lease.is_some());
    assert_eq!(set(1, "me").await, Ok(Some(2)));
    assert_eq!(ward.health().await.lease, None);
    assert_eq!(set(2, "me").await, Ok(None), "the lease is gone");
    ward.remove().await;
}

#[tokio::test]
async fn a_lease_is_one_owners_until_it_ends() {
    let ward = Ward::open().await;
    let at = |ms: i64| Timestamp(1_795_237_200_000 + ms);
    assert!(ward.lease("a", at(0), at(100)).await);
    assert!(!ward.lease("b", at(99), at(200)).await);
    assert!(ward.lease("a", at(99), at(300)).await, "its own again, longer");
    assert!(!ward.lease("b", at(299), at(400)).await);
    assert!(ward.lease("b", at(300), at(400)).await, "it has ended");
    let lease = Lease { owner: "b".to_owned(), until: at(400) };
    assert_eq!(ward.health().await.lease, Some(lease));
    let release = |owner| ward.table.release_lease(&ward.id, owner);
    assert_eq!(release("a").await, Ok(false));
    assert_eq!(release("b").await, Ok(true));
    assert_eq!(release("b").await, Ok(false));
    assert!(ward.lease("a", at(301), at(400)).await);
    assert!(!ward.is_unwell().await);
    ward.remove().await;
}

#[tokio::test]
async fn of_two_that_race_for_a_lease_exactly_one_has_it() {
    let ward = Ward::open().await;
    for round in 0..10 {
        let at = |ms: i64| Timestamp(1_795_237_200_000 + round * 1_000 + ms);
        let (a, b) =
            tokio::join!(ward.lease("a", at(0), at(1_000)), ward.lease("b", at(0), at(1_000)),);
        assert!(a != b, "round {round}: {a} {b}");
        let owner = ward.health().await.lease.unwrap().owner;
        assert_eq!(owner, if a { "a" } else { "b" });
    }
    ward.remove().await;
}

#[tokio::test]
async fn a_drain_is_finished_only_if_nothing_was_parked_meanwhile() {
    let ward = Ward::open().await;
    assert_eq!(ward.mark(far()).await, Some(1));
    assert!(ward.lease("me", now(), far()).await);
    let seen = ward.health().await.backlog_gen;
    assert_eq!(ward.mark(far()).await, None, "parked meanwhile");
    let finish = |owner, seen| ward.table.finish(&ward.id, owner, seen);
    assert_eq!(finish("me", seen).await, Ok(false));
    assert!(ward.health().await.next_wake_at.is_some());
    assert_eq!(finish("other", seen + 1).await, Ok(false));
    assert_eq!(finish("me", seen + 1).await, Ok(true));
    let health = ward.health().await;
    assert_eq!((health.next_wake_at, health.lease), (None, None));
    assert_eq!((health.wake_gen, health.backlog_gen), (1, 2), "generations only grow");
    assert_eq!(ward.table.overdue(far()).await.map(|all| holds(&all, &ward.id)), Ok(false));
    assert_eq!(ward.mark(far()).await, Some(2), "the next timer is another one");
    ward.remove().await;
}

#[tokio::test]
async fn a_drain_without_a_backlog_is_finished() {
    let ward = Ward::open().await;
    assert!(ward.lease("me", now(), far()).await);
    assert_eq!(ward.table.finish(&ward.id, "me", 1).await, Ok(false));
    assert_eq!(ward.table.finish(&ward.id, "me", 0).await, Ok(true));
    assert_eq!(ward.health().await.lease, None);
    ward.remove().await;
}

#[tokio::test]
async fn timers_are_found_once_they_are_due() {
    let ward = Ward::open().await;
    let due = far();
    ward.mark(due).await;
    let overdue = |before| ward.table.overdue(before);
    assert!(!holds(&overdue(due).await.unwrap(), &ward.id), "before means before");
    let found = overdue(due.plus(Duration::from_millis(1))).await.unwrap();
    let timer = found.iter().find(|timer| timer.health.integration == ward.id).unwrap();
    assert_eq!(timer.due, due);
    assert_eq!(timer.health, ward.health().await);
    ward.remove().await;
}

fn holds(timers: &[flagpost_domain::ports::Timer], id: &IntegrationId) -> bool {
    timers.iter().any(|timer| timer.health.integration == *id)
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_an_error_by_name_and_blinds_no_list() {
    let (sick, well) = (Ward::open().await, Ward::open().await);
    for ward in [&sick, &well] {
        assert!(ward.swap(&ward.health().await, &open_breaker(), false).await);
        ward.mark(far()).await;
    }
    let pk = format!("HEALTH#{}", sick.id);
    sick.stack.spoil(&pk, "HEALTH", "breaker", text("{\"open\":7}")).await;
    let error = sick.table.health(&sick.project, &sick.id).await.unwrap_err();
    let PortError::Failed { reason, .. } = error else { panic!("{error}") };
    assert!(reason.contains(&pk), "{reason}");
    let unwell = sick.table.unwell().await.unwrap();
    let of = |ward: &Ward| unwell.iter().find(|health| health.integration == ward.id).unwrap();
    assert!(of(&sick).pause.is_some(), "nothing is sent to what nobody can read");
    assert!(of(&well).pause.is_none() && of(&well).breaker.open.is_some());
    let overdue = well.table.overdue(far().plus(Duration::from_hours(1))).await.unwrap();
    assert!(!holds(&overdue, &sick.id));
    assert!(holds(&overdue, &well.id));
    sick.remove().await;
    well.remove().await;
}

#[tokio::test]
async fn a_table_that_is_not_there_is_an_error() {
    let ward = Ward::open().await;
    let table = ward.stack.clients.table("no-such-table");
    let error = table.health(&ward.project, &ward.id).await.unwrap_err();
    assert!(
        matches!(&error, PortError::Failed { call: "dynamodb:GetItem", reason }
        if reason.contains("ResourceNotFoundException")),
        "{error}"
    );
    let error = table.take_lease(&ward.project, &ward.id, "me", now(), far()).await;
    assert!(matches!(error, Err(PortError::Failed { call: "dynamodb:UpdateItem", .. })));
    assert!(matches!(table.unwell().await, Err(PortError::Failed { .. })));
}
