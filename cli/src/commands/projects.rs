//! `flagpost projects`

use super::{Desk, number, text};
use crate::{api::Ask, fault::Fault, moment};

pub(super) async fn list(desk: &Desk<'_>) -> Result<(), Fault> {
    let list = desk.api.list(Ask::get(["v1", "projects"]), "projects", usize::MAX, None).await?;
    if desk.screen.json() {
        return desk.screen.document(&list);
    }
    let rows: Vec<_> = list
        .values()
        .map(|one| {
            let created = number(one, "/created_at").map(moment::shown).unwrap_or_default();
            vec![text(one, "/id").to_owned(), text(one, "/name").to_owned(), created]
        })
        .collect();
    desk.screen.table(&["ID", "NAME", "CREATED"], &rows)
}
