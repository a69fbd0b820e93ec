//! The delivery log as an operator reads it: attempts, newest first.

use serde::Serialize;

use super::{
    Admin, Failure, Reply,
    fields::{Fields, LATEST},
    query,
};
use crate::{
    attempt_log::{self, Record},
    id::{IntegrationId, ProjectId},
    page::Page,
    ports::{AttemptRange, AttemptStore, PortResult, Services},
};

/// Records read at once where those of one outcome are looked for.
const AT_ONCE: usize = 100;
/// So often at most for one answer: the next goes on where this one stopped looking.
const READS: usize = 20;

const OUTCOMES: [(&str, attempt_log::Result); 7] = [
    ("delivered", attempt_log::Result::Delivered),
    ("failed", attempt_log::Result::Failed),
    ("waiting", attempt_log::Result::Waiting),
    ("gone", attempt_log::Result::Gone),
    ("too_large", attempt_log::Result::TooLarge),
    ("unanswered", attempt_log::Result::Unanswered),
    ("unfinished", attempt_log::Result::Unfinished),
];

/// A record, with its name.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Serialize)]
struct List<'a> {
    attempts: Vec<Shown<'a>>,
    next: Option<String>,
}

impl<P: Services> Admin<P> {
    pub(super) async fn list_attempts(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let (from, to) = query::times(&mut fields);
        let outcome = fields.word("outcome", &OUTCOMES);
        let limit = query::limit(&mut fields);
        let before = query::after(&mut fields, |id| is_id(id).then(|| id.to_owned()));
        fields.finish()?;
        self.find(project, id).await?;
        let range = AttemptRange { from, to: to.unwrap_or(LATEST), before, limit };
        let page = self.find_attempts(id, range, outcome).await?;
        let shown = |record| Shown { id: Record::id(record), record };
        let attempts = page.items.iter().map(shown).collect();
        Reply::json(200, &List { attempts, next: query::cursor(page.next.as_ref()) })
    }

    /// Reads until there are enough of this outcome, up to a bound. A page may then hold few, or
    /// none, and still have a next one.
    async fn find_attempts(
        &self,
        id: &IntegrationId,
        range: AttemptRange,
        outcome: Option<attempt_log::Result>,
    ) -> PortResult<Page<Record>> {
        let limit = range.limit;
        // One more tells whether there are more.
        let at_once = if outcome.is_some() { AT_ONCE } else { limit + 1 };
        let mut range = AttemptRange { limit: at_once, ..range };
        let mut items = Vec::new();
        for _ in 0..READS {
            let read = self.ports.store().attempts(id, &range).await?;
            // A page may be short of what this version cannot read.
            let ended = read.is_empty();
            range.before = read.last().map(Record::id).or(range.before);
            items.extend(read.into_iter().filter(|one| outcome.is_none_or(|it| one.outcome == it)));
            if items.len() > limit {
                items.truncate(limit);
                let next = items.last().map(Record::id);
                return Ok(Page { items, next });
            }
            if ended {
                return Ok(Page { items, next: None });
            }
        }
        Ok(Page { items, next: range.before })
    }
}

/// Whether a record could have this name; see [`Record::id`].
fn is_id(text: &str) -> bool {
    let time = text.split_once('-').map(|(time, _)| time);
    time.is_some_and(|time| time.len() == 13 && time.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
