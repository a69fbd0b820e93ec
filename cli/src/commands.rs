//! One file for each family of commands.

mod attempts;
mod deliveries;
mod drained;
mod integrations;
mod overview;
mod pausing;
mod projects;
mod purge;
mod replay;
mod status;
mod sweep;
mod tail;
mod trial;

use serde_json::Value;

use crate::{
    api::{Api, List},
    arguments::{Command, Deliveries, Integrations, Projects},
    fault::Fault,
    place::{self, Place},
    screen::Screen,
    surroundings,
};

/// What every command works with.
struct Desk<'a> {
    api: &'a Api,
    project: Option<&'a str>,
    screen: &'a Screen,
    /// When the command was typed, in milliseconds since the Unix epoch.
    now: i64,
}

impl Desk<'_> {
    async fn project(&self) -> Result<String, Fault> {
        place::project(self.api, self.project).await
    }

    async fn find(&self, integration: &str) -> Result<Place, Fault> {
        place::integration(self.api, self.project, integration).await
    }

    /// That a list goes on, and how to see it.
    fn tell_more(&self, list: &List) {
        if let Some(next) = &list.next {
            self.screen.note(&format!("there are more: see --limit, or --cursor {next}"));
        }
    }
}

/// Runs one command.
pub(crate) async fn run(
    command: &Command,
    api: &Api,
    project: Option<&str>,
    screen: &Screen,
) -> Result<(), Fault> {
    let desk = Desk { api, project, screen, now: surroundings::now() };
    match command {
        Command::Projects(Projects::List) => projects::list(&desk).await,
        Command::Integrations(Integrations::List) => integrations::list(&desk).await,
        Command::Integrations(Integrations::Show { integration }) => {
            integrations::show(&desk, integration).await
        }
        Command::Status { integration: Some(integration), .. } => {
            status::one(&desk, integration).await
        }
        Command::Status { integration: None, all_projects } => {
            overview::show(&desk, *all_projects).await
        }
        Command::Attempts { integration, period, outcome, part, answers } => {
            let asked = attempts::Asked { period: *period, outcome: *outcome, answers: *answers };
            attempts::list(&desk, integration, asked, part).await
        }
        Command::Tail { integration, from, outcome, every, answers } => {
            let tail =
                tail::Tail { from: *from, outcome: *outcome, every: *every, answers: *answers };
            tail::follow(&desk, integration, tail).await
        }
        Command::Test { integration, event } => {
            trial::test(&desk, integration, event.as_deref()).await
        }
        Command::Preview { integration, event, filter, template, template_result } => {
            let trial = trial::Preview {
                event: event.as_deref(),
                filter: filter.as_deref(),
                template: template.as_deref(),
                result: *template_result,
            };
            trial::preview(&desk, integration, trial).await
        }
        Command::Pause { integration, reason } => {
            pausing::pause(&desk, integration, reason.as_deref()).await
        }
        Command::Resume { integration, from, dry_run, yes } => {
            pausing::resume(&desk, integration, *from, *dry_run, *yes).await
        }
        Command::Deliveries(Deliveries::List { integration, state, period, part }) => {
            deliveries::list(&desk, integration, *state, *period, part).await
        }
        Command::Deliveries(Deliveries::Show { integration, delivery, state }) => {
            deliveries::show(&desk, integration, *state, delivery).await
        }
        Command::Replay { integration, delivery, period, dry_run, wait, timeout } => {
            let wait = wait.then_some(replay::Patience { timeout: *timeout });
            match delivery {
                Some(delivery) => replay::one(&desk, integration, delivery, wait).await,
                None => replay::all(&desk, integration, *period, *dry_run, wait).await,
            }
        }
        Command::Purge { integration, state, period, dry_run, yes } => {
            purge::run(&desk, integration, *state, *period, *dry_run, *yes).await
        }
        // Answered before anything else is looked at.
        Command::Completions { .. } => Ok(()),
    }
}

/// A member that is text; empty where it is not there.
fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is a whole number.
fn number(document: &Value, pointer: &str) -> Option<i64> {
    document.pointer(pointer).and_then(Value::as_i64)
}

/// A member that is an array.
fn items<'a>(document: &'a Value, field: &str) -> &'a [Value] {
    document.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn flag(document: &Value, pointer: &str) -> bool {
    document.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}
