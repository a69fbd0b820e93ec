use flagpost_domain::{
    id::{AdminKeyId, ProjectId},
    page::Part,
    ports::{AdminKey, AdminStore, Project, Written},
};

use crate::stack::{Stack, now, unique};

fn project() -> Project {
    Project { id: ProjectId(unique()), name: "A project".to_owned(), created_at: now() }
}

fn key(project: &Project) -> AdminKey {
    AdminKey {
        id: AdminKeyId(unique()),
        project: project.id.clone(),
        name: "the web team ✓".to_owned(),
        created_at: now(),
    }
}

#[tokio::test]
async fn an_admin_key_is_found_by_hash_and_listed_until_it_is_deleted() {
    let stack = Stack::open().await;
    let (table, project) = (stack.table(), project());
    table.create_project(&project, None).await.unwrap();
    let (hash, one) = (unique(), key(&project));
    assert_eq!(table.admin_key(&hash).await, Ok(None));
    assert_eq!(table.create_admin_key(&hash, &one, None).await, Ok(Written::Done));
    assert_eq!(table.create_admin_key(&hash, &key(&project), None).await, Ok(Written::Taken));
    assert_eq!(table.create_admin_key(&unique(), &one, None).await, Ok(Written::Taken));
    assert_eq!(table.admin_key(&hash).await, Ok(Some(one.clone())));
    assert_eq!(table.delete_project(&project.id).await, Ok(Written::Taken), "it reaches it");

    // Other tests' keys are listed too: it is found part by part.
    let mut part = Part { after: None, limit: 1 };
    let mut listed = Vec::new();
    loop {
        let page = table.admin_keys(&part).await.unwrap();
        assert!(page.items.len() <= 1);
        listed.extend(page.items);
        part.after = page.next;
        if part.after.is_none() {
            break;
        }
    }
    assert!(listed.contains(&one));
    assert!(listed.is_sorted_by(|a, b| a.id < b.id));

    assert_eq!(table.delete_admin_key(&one.id).await, Ok(Written::Done));
    assert_eq!(table.delete_admin_key(&one.id).await, Ok(Written::Stale));
    assert_eq!(table.admin_key(&hash).await, Ok(None));
    assert_eq!(table.delete_project(&project.id).await, Ok(Written::Done));
}

#[tokio::test]
async fn a_key_for_a_project_that_is_not_there_is_not_made() {
    let table = Stack::open().await.table();
    let (hash, one) = (unique(), key(&project()));
    assert_eq!(table.create_admin_key(&hash, &one, None).await, Ok(Written::Stale));
    assert_eq!(table.admin_key(&hash).await, Ok(None));
    assert_eq!(table.delete_admin_key(&one.id).await, Ok(Written::Stale));
}
