//! `flagpost status` of all integrations, in a line each.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{
    Desk, number,
    status::{age, left, why},
    text,
};
use crate::{
    api::Ask,
    fault::{Fault, verdict},
    place::{self, Place},
    screen::grouped,
};

/// How many are asked about at a time.
const AT_A_TIME: usize = 8;
/// The state of one that could not be looked at.
const UNKNOWN: &str = "unknown";

/// All integrations of the project, or of all projects. One that cannot be looked at hides no other.
pub(super) async fn show(desk: &Desk<'_>, all_projects: bool) -> Result<(), Fault> {
    let projects =
        if all_projects { place::projects(desk.api).await? } else { vec![desk.project().await?] };
    let lists: Vec<_> = stream::iter(projects)
        .map(|project| list(desk, project, all_projects))
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let (mut places, mut unlisted) = (Vec::new(), Vec::new());
    for list in lists {
        match list {
            Ok(found) => places.extend(found),
            Err(reason) => unlisted.push(reason),
        }
    }
    let seen: Vec<Seen> = stream::iter(places)
        .map(|place| look(desk, place))
        .buffered(AT_A_TIME)
        .try_filter_map(async |seen| Ok::<_, Fault>(seen))
        .try_collect()
        .await?;
    let written = if desk.screen.json() {
        desk.screen.document(&Summaries { integrations: seen.iter().map(Seen::summary).collect() })
    } else {
        table(desk, all_projects, seen.iter().collect())
    };
    verdict(all_known(&unlisted, &seen), written)
}

/// One that was looked at, or why it could not be.
struct Seen {
    place: Place,
    /// As it came, and what it says.
    status: Result<(Box<RawValue>, Value), Fault>,
}

/// The integrations of a project, or why they could not be listed; of one of many that hides no other.
async fn list(
    desk: &Desk<'_>,
    project: String,
    of_many: bool,
) -> Result<Result<Vec<Place>, String>, Fault> {
    let list = match place::integrations(desk.api, &project).await {
        Ok(list) => list,
        Err(Fault::Refused { status: 404, .. }) if of_many => {
            desk.screen.note(&format!("project {project} was deleted meanwhile"));
            return Ok(Ok(Vec::new()));
        }
        Err(fault) if !of_many || is_of_all(&fault) => return Err(fault),
        Err(fault) => return Ok(Err(reason(&format!("project {project}"), &fault))),
    };
    let place = |one| Place {
        project: project.clone(),
        id: text(one, "/id").to_owned(),
        name: text(one, "/name").to_owned(),
    };
    Ok(Ok(list.values().map(place).collect()))
}

/// `None` for one that is gone.
async fn look(desk: &Desk<'_>, place: Place) -> Result<Option<Seen>, Fault> {
    let answer = desk.api.answer(&Ask::get(place.path(&["status"]))).await;
    match answer.and_then(|answer| Ok((answer.raw()?, answer.value()?))) {
        Ok(status) => Ok(Some(Seen { place, status: Ok(status) })),
        Err(Fault::Refused { status: 404, .. }) => {
            desk.screen.note(&format!("{} was deleted meanwhile", place.name));
            Ok(None)
        }
        Err(fault) if is_of_all(&fault) => Err(fault),
        Err(fault) => Ok(Some(Seen { place, status: Err(fault) })),
    }
}

/// Whether the next would fare no better: the key is no longer taken, or the API does not answer.
fn is_of_all(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { status: 401, .. } | Fault::Unreachable { .. })
}

/// That of some the state is not known, and why.
fn all_known(unlisted: &[String], seen: &[Seen]) -> Result<(), Fault> {
    let unknown = seen.iter().filter_map(|one| {
        let Place { project, name, .. } = &one.place;
        Some(reason(&format!("{name} (project {project})"), one.status.as_ref().err()?))
    });
    let unknown: Vec<_> = unknown.collect();
    let mut told = Vec::new();
    if !unlisted.is_empty() {
        told.push(format!("projects that could not be listed:{}", unlisted.concat()));
    }
    if !unknown.is_empty() {
        let (some, all, why) = (unknown.len(), seen.len(), unknown.concat());
        told.push(format!("the state of {some} of {all} integrations is not known{why}"));
    }
    if told.is_empty() { Ok(()) } else { Err(Fault::Failed(told.join("\n"))) }
}

fn reason(of: &str, fault: &Fault) -> String {
    format!("\n  {of}: {}", fault.to_string().replace('\n', "\n  "))
}

/// What waits for longest comes first, then what could not be looked at, then the others as they are listed.
fn table(desk: &Desk<'_>, all_projects: bool, mut seen: Vec<&Seen>) -> Result<(), Fault> {
    seen.sort_by_key(|one| match &one.status {
        Ok((_, status)) => match number(status, "/backlog/oldest_at") {
            Some(oldest) => (0, oldest),
            None => (2, 0),
        },
        Err(_) => (1, 0),
    });
    let from = usize::from(!all_projects);
    let headings = [
        "PROJECT",
        "NAME",
        "STATE",
        "PARKED",
        "EVENTS",
        "AGE",
        "DEAD",
        "EXPIRED",
        "DELIVERED",
        "WHY",
    ];
    let rows: Vec<_> =
        seen.into_iter().map(|one| one.row(desk.now).into_iter().skip(from).collect()).collect();
    desk.screen.table(headings.get(from..).unwrap_or_default(), &rows)
}

impl Seen {
    fn row(&self, now: i64) -> [String; 10] {
        let Place { project, name, .. } = &self.place;
        let Ok((_, status)) = &self.status else {
            let mut row = [const { String::new() }; 10];
            let known = [project.as_str(), name, UNKNOWN];
            row.iter_mut().zip(known).for_each(|(cell, known)| known.clone_into(cell));
            return row;
        };
        let count = |pointer| grouped(number(status, pointer).unwrap_or_default());
        [
            project.clone(),
            name.clone(),
            text(status, "/state").to_owned(),
            count("/backlog/deliveries"),
            count("/backlog/events"),
            age(status, now).unwrap_or_default(),
            grouped(left(status, "dead")),
            count("/ledger/total/expired"),
            count("/ledger/total/delivered"),
            why(status, now),
        ]
    }

    fn summary(&self) -> Summary<'_> {
        let Place { project, id, name } = &self.place;
        let status = match &self.status {
            Ok((status, _)) => Told::Known(status),
            Err(_) => Told::Unknown { state: UNKNOWN },
        };
        Summary { project, id, name, status }
    }
}

#[derive(Serialize)]
struct Summaries<'a> {
    integrations: Vec<Summary<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    project: &'a str,
    id: &'a str,
    name: &'a str,
    status: Told<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    /// As it came.
    Known(&'a RawValue),
    Unknown {
        state: &'static str,
    },
}
