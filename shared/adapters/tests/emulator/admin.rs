use flagpost_adapters::dynamodb::DynamoDb;
use flagpost_domain::{
    id::{IntegrationId, KeyId, ProjectId},
    integration::{Environment, Integration, Stream},
    page::Part,
    ports::{AdminStore, Found, KeyGrant, KeyListing, PortError, Project, Registry, Written},
    preset::Preset,
    secret::Secret,
};

use crate::stack::{Stack, now, text, unique};

/// A project of its own.
struct Own {
    stack: Stack,
    table: DynamoDb,
    project: Project,
}

impl Own {
    async fn make() -> Self {
        let stack = Stack::open().await;
        let project =
            Project { id: ProjectId(unique()), name: "A project".to_owned(), created_at: now() };
        let table = stack.table();
        assert_eq!(table.create_project(&project, None).await, Ok(Written::Done));
        Self { stack, table, project }
    }

    fn integration(&self, name: &str) -> Integration {
        Integration {
            id: IntegrationId(unique()),
            project: self.project.id.clone(),
            name: name.to_owned(),
            url: "https://example.com/hook?token=s3cret".to_owned(),
            stream: Stream::Impressions,
            preset: Preset::Split,
            environments: vec!["prod ✓".to_owned()],
            enabled: true,
            own: flagpost_domain::integration::Own::default(),
            max_events: 500,
            max_bytes: 1 << 20,
            created_at: now(),
            updated_at: now(),
            version: 1,
        }
    }

    fn key(&self, id: &str) -> KeyListing {
        KeyListing {
            grant: KeyGrant {
                id: KeyId::from(id),
                project: self.project.id.clone(),
                environment: Environment { id: "e-1".to_owned(), name: "Prod".to_owned() },
                secret: Some(Secret::new("a secret of theirs")),
            },
            name: "the web site".to_owned(),
            created_at: now(),
        }
    }

    async fn found(&self, id: &IntegrationId) -> Found {
        self.table.integration(&self.project.id, id).await.unwrap()
    }
}

#[tokio::test]
async fn a_project_is_made_listed_and_deleted() {
    let own = Own::make().await;
    let (table, project) = (&own.table, &own.project);
    let other = Project { name: "Another".to_owned(), ..project.clone() };
    assert_eq!(table.create_project(&other, None).await, Ok(Written::Taken));
    assert_eq!(table.project(&project.id).await, Ok(Some(project.clone())));
    let whole = Part { after: None, limit: 1_000 };
    let all = table.projects(&whole).await.unwrap().items;
    assert!(all.contains(project));
    assert!(all.is_sorted_by(|a, b| a.id < b.id));
    let (integration, key) = (own.integration("hook"), own.key("k"));
    assert_eq!(table.create_integration(&integration, None).await, Ok(Written::Done));
    assert_eq!(table.create_key(&unique(), &key, None).await, Ok(Written::Done));
    assert_eq!(table.delete_project(&project.id).await, Ok(Written::Taken), "it holds two");
    let at = integration.created_at;
    assert_eq!(table.delete_integration(&integration, at).await, Ok(Written::Done));
    assert_eq!(table.delete_project(&project.id).await, Ok(Written::Taken), "it holds one");
    assert_eq!(table.delete_key(&project.id, &key.grant.id).await, Ok(Written::Done));
    assert_eq!(table.delete_project(&project.id).await, Ok(Written::Done));
    assert_eq!(table.delete_project(&project.id).await, Ok(Written::Stale));
    assert_eq!(table.project(&project.id).await, Ok(None));
}

#[tokio::test]
async fn a_key_is_looked_up_by_hash_until_it_is_revoked() {
    let own = Own::make().await;
    let (table, project) = (&own.table, &own.project.id);
    let (first, second) = (own.key("k-1"), own.key("k-2"));
    let (hash, other) = (unique(), unique());
    assert_eq!(table.key(&hash).await, Ok(None));
    assert_eq!(table.create_key(&other, &second, None).await, Ok(Written::Done));
    assert_eq!(table.create_key(&hash, &first, None).await, Ok(Written::Done));
    assert_eq!(table.create_key(&hash, &own.key("k-3"), None).await, Ok(Written::Taken));
    assert_eq!(table.create_key(&unique(), &first, None).await, Ok(Written::Taken));
    assert_eq!(table.key(&hash).await, Ok(Some(first.grant.clone())));
    let keys = async |after: Option<&str>, limit| {
        let part = Part { after: after.map(str::to_owned), limit };
        let page = table.keys(project, &part).await.unwrap();
        (page.items, page.next)
    };
    assert_eq!(keys(None, 2).await, (vec![first.clone(), second.clone()], None));
    assert_eq!(keys(None, 1).await, (vec![first.clone()], Some("k-1".to_owned())));
    assert_eq!(keys(Some("k-1"), 1).await, (vec![second.clone()], None));
    assert_eq!(keys(Some("k-11"), 1).await, (vec![second.clone()], None), "it need not be there");
    assert_eq!(keys(Some("z"), 1).await, (vec![], None));

    assert_eq!(table.delete_key(project, &first.grant.id).await, Ok(Written::Done));
    assert_eq!(table.key(&hash).await, Ok(None), "revoked");
    assert_eq!(table.key(&other).await, Ok(Some(second.grant.clone())));
    assert_eq!(keys(None, 50).await, (vec![second], None));
    assert_eq!(table.delete_key(project, &first.grant.id).await, Ok(Written::Stale));
}

#[tokio::test]
async fn nothing_is_added_to_a_project_that_is_not_there() {
    let own = Own::make().await;
    let integration = own.integration("hook");
    let hash = unique();
    own.table.delete_project(&own.project.id).await.unwrap();
    assert_eq!(own.table.create_key(&hash, &own.key("k"), None).await, Ok(Written::Stale));
    assert_eq!(own.table.key(&hash).await, Ok(None));
    assert_eq!(own.table.create_integration(&integration, None).await, Ok(Written::Stale));
    assert_eq!(own.found(&integration.id).await, Found::Unknown);
}

#[tokio::test]
async fn an_integration_is_made_changed_and_deleted() {
    let own = Own::make().await;
    let (table, project) = (&own.table, &own.project.id);
    let first = own.integration("hook");
    assert_eq!(own.found(&first.id).await, Found::Unknown);
    assert_eq!(table.create_integration(&first, None).await, Ok(Written::Done));
    assert_eq!(own.found(&first.id).await, Found::Present(Box::new(first.clone())));
    assert_eq!(table.integrations(project).await, Ok(vec![first.clone()]));

    let second = Integration { enabled: false, version: 2, ..first.clone() };
    assert_eq!(table.replace_integration(&first, &second, None).await, Ok(Written::Done));
    assert_eq!(table.replace_integration(&first, &second, None).await, Ok(Written::Stale));
    assert_eq!(table.delete_integration(&first, now()).await, Ok(Written::Stale));
    assert_eq!(own.found(&first.id).await, Found::Present(Box::new(second.clone())));

    assert_eq!(table.delete_integration(&second, now()).await, Ok(Written::Done));
    assert_eq!(own.found(&first.id).await, Found::Deleted);
    assert_eq!(table.integrations(project).await, Ok(vec![]));
    assert_eq!(table.list_integrations(project).await, Ok(vec![]));
    assert_eq!(table.replace_integration(&second, &second, None).await, Ok(Written::Stale));
    assert_eq!(table.delete_integration(&second, now()).await, Ok(Written::Stale));
    let tombstone =
        own.stack.item(&format!("PROJECT#{project}"), &format!("INTEGRATION#{}", first.id)).await;
    let mut names: Vec<_> = tombstone.unwrap().into_keys().collect();
    names.sort();
    assert_eq!(names, ["deleted_at", "pk", "sk"]);
}

#[tokio::test]
async fn a_name_is_held_by_one_integration() {
    let own = Own::make().await;
    let (table, project) = (&own.table, &own.project.id);
    let (b, a) = (own.integration("b"), own.integration("a"));
    assert_eq!(table.create_integration(&b, None).await, Ok(Written::Done));
    assert_eq!(table.create_integration(&a, None).await, Ok(Written::Done));
    let same_name = own.integration("a");
    assert_eq!(table.create_integration(&same_name, None).await, Ok(Written::Taken));
    assert_eq!(own.found(&same_name.id).await, Found::Unknown, "both or neither");
    assert_eq!(table.list_integrations(project).await, Ok(vec![a.clone(), b.clone()]), "by name");

    let named = |name: &str| Integration { name: name.to_owned(), version: 2, ..b.clone() };
    assert_eq!(table.replace_integration(&b, &named("a"), None).await, Ok(Written::Taken));
    assert_eq!(own.found(&b.id).await, Found::Present(Box::new(b.clone())), "as it was");
    assert_eq!(table.replace_integration(&b, &named("c"), None).await, Ok(Written::Done));
    assert_eq!(table.create_integration(&own.integration("c"), None).await, Ok(Written::Taken));
    assert_eq!(
        table.create_integration(&own.integration("b"), None).await,
        Ok(Written::Done),
        "free"
    );
    assert_eq!(table.delete_integration(&named("c"), now()).await, Ok(Written::Done));
    assert_eq!(
        table.create_integration(&own.integration("c"), None).await,
        Ok(Written::Done),
        "free"
    );
    // A stale change does not touch names.
    let stale = Integration { name: "d".to_owned(), version: 9, ..b.clone() };
    assert_eq!(table.replace_integration(&b, &stale, None).await, Ok(Written::Stale));
    assert_eq!(table.create_integration(&own.integration("d"), None).await, Ok(Written::Done));
}

#[tokio::test]
async fn of_two_that_take_a_name_one_has_it() {
    let own = Own::make().await;
    let (a, b) = (own.integration("hook"), own.integration("hook"));
    let (first, second) = tokio::join!(
        own.table.create_integration(&a, None),
        own.table.create_integration(&b, None)
    );
    let done = [&first, &second].iter().filter(|end| ***end == Ok(Written::Done)).count();
    // On AWS the other one may also hear that a transaction is under way.
    assert_eq!(done, 1, "{first:?} {second:?}");
    assert_eq!(own.table.integrations(&own.project.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn lists_longer_than_a_page_are_whole() {
    let own = Own::make().await;
    let environments: Vec<_> = (0..1_000).map(|n| format!("{n:0>100}")).collect();
    for n in 0..14 {
        let name = format!("hook {n:02}");
        let large = Integration { environments: environments.clone(), ..own.integration(&name) };
        assert_eq!(own.table.create_integration(&large, None).await, Ok(Written::Done));
    }
    // 14 times 100 KB: DynamoDB ends a page at 1 MB.
    let listed = own.table.list_integrations(&own.project.id).await.unwrap();
    assert_eq!(listed.len(), 14);
    assert!(listed.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(own.table.integrations(&own.project.id).await.unwrap().len(), 14);
}

#[tokio::test]
async fn an_integration_that_cannot_be_read_is_not_taken_for_none() {
    let own = Own::make().await;
    let (sick, well) = (own.integration("sick"), own.integration("well"));
    for integration in [&sick, &well] {
        own.table.create_integration(integration, None).await.unwrap();
    }
    let (pk, sk) = (format!("PROJECT#{}", own.project.id), format!("INTEGRATION#{}", sick.id));
    own.stack.spoil(&pk, &sk, "doc", text("{\"url\":\"https://secret")).await;
    assert_eq!(own.table.list_integrations(&own.project.id).await, Ok(vec![well]));
    let by_name = own.table.integration(&own.project.id, &sick.id).await.unwrap_err();
    let by_project = own.table.integrations(&own.project.id).await.unwrap_err();
    for error in [by_name, by_project] {
        let PortError::Failed { reason, .. } = error else { panic!("{error}") };
        assert!(reason.contains(&pk) && reason.contains(&sk), "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
}
