//! What can be typed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::moment::{self, Moment};

const AFTER_HELP: &str = "\
Flags come before the environment (FLAGPOST_URL, FLAGPOST_ADMIN_KEY, FLAGPOST_PROJECT), and that before the file \
~/.config/flagpost/config.toml (or FLAGPOST_CONFIG):

  url = \"https://abc123.execute-api.eu-west-1.amazonaws.com\"
  project = \"shop\"
  key_command = \"pass show flagpost\"      # or key_file = \"/path\"

An INTEGRATION is named by its id or its name. A TIME is RFC 3339 (2026-11-21T05:00:00Z), an age (2h, 90m, 3d) or \
milliseconds since the Unix epoch.

Exit status: 0 done, 1 refused or failed, 2 asked wrongly.";

/// Operates Flagpost: is an integration well, what did its endpoint say, what is waiting, and how to have it delivered.
#[derive(Debug, Parser)]
#[command(name = "flagpost", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// What would be read from standard input, which can be read once.
    pub(crate) fn standard_input(&self) -> Vec<&'static str> {
        let (event, filter, template) = match &self.command {
            Command::Test { event, .. } => (event.as_deref(), None, None),
            Command::Preview { event, filter, template, .. } => {
                (event.as_deref(), filter.as_deref(), template.as_deref())
            }
            _ => (None, None, None),
        };
        let named = [
            ("--key-file", self.connection.key_file.as_deref()),
            ("--event", event),
            ("--filter", filter),
            ("--template", template),
        ];
        let read = named.into_iter().filter(|(_, path)| *path == Some(Path::new("-")));
        read.map(|(name, _)| name).collect()
    }
}

/// Where, as whom, and how to answer.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection and output")]
pub(crate) struct Connection {
    /// The deployment's address: the stack's output ApiUrl
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The admin key; a shell keeps it in its history, so rather use --key-file or the environment
    #[arg(long, global = true, value_name = "KEY", conflicts_with = "key_file")]
    pub(crate) key: Option<String>,
    /// A file that holds the admin key; `-` reads it from standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The project; not needed where the key reaches only one
    #[arg(long, short, global = true, value_name = "ID")]
    pub(crate) project: Option<String>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A header for every request, for a gateway in front of Flagpost that wants one; can be repeated
    #[arg(long = "header", global = true, value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// Answers in JSON: one document, or for `tail` one line each
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Projects
    #[command(subcommand)]
    Projects(Projects),
    /// Integrations: the webhooks of a project
    #[command(subcommand)]
    Integrations(Integrations),
    /// Health, backlog and ledger: of one integration, or in a line each of all, what waits for longest first
    Status {
        /// Its id or name; all of the project without it
        #[arg(conflicts_with = "all_projects")]
        integration: Option<String>,
        /// Those of every project that the key reaches, whichever is set
        #[arg(long)]
        all_projects: bool,
    },
    /// What was tried, and what the endpoint answered; newest first
    Attempts {
        /// Its id or name
        integration: String,
        #[command(flatten)]
        period: Period,
        /// Only those that ended so
        #[arg(long, value_enum)]
        outcome: Option<Outcome>,
        #[command(flatten)]
        part: Part,
        /// What the endpoint answered, in full
        #[arg(long)]
        answers: bool,
    },
    /// Follows attempts as they are made, until Ctrl-C
    Tail {
        /// Its id or name
        integration: String,
        /// Since when; without it, from now on
        #[arg(long, value_name = "TIME")]
        from: Option<Moment>,
        /// Only those that ended so
        #[arg(long, value_enum)]
        outcome: Option<Outcome>,
        /// Seconds between looks
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
        every: u64,
        /// What the endpoint answered, in full
        #[arg(long)]
        answers: bool,
    },
    /// Sends one event now, past queues, health and ledger; status 1 unless the endpoint takes it
    Test {
        /// Its id or name
        integration: String,
        /// The event, as JSON: a file, or `-` for standard input; a sample of the stream without it
        #[arg(long, value_name = "FILE")]
        event: Option<PathBuf>,
    },
    /// What filter and template make of an event, without sending it; status 1 if one of them is faulty
    Preview {
        /// Its id or name
        integration: String,
        /// The event, as JSON: a file, or `-` for standard input; a sample of the stream without it
        #[arg(long, value_name = "FILE")]
        event: Option<PathBuf>,
        /// A filter to try in place of the integration's, as JSON
        #[arg(long, value_name = "FILE")]
        filter: Option<PathBuf>,
        /// A template to try in place of the integration's
        #[arg(long, value_name = "FILE")]
        template: Option<PathBuf>,
        /// What that template makes
        #[arg(long, value_enum, requires = "template")]
        template_result: Option<TemplateResult>,
    },
    /// Sends nothing more, and lays everything aside, until `resume`
    Pause {
        /// Its id or name
        integration: String,
        /// Why: shown in the status
        #[arg(long)]
        reason: Option<String>,
    },
    /// Lifts a pause, whoever set it
    Resume {
        /// Its id or name
        integration: String,
        /// `backlog` delivers what is parked, `now` drops it for good
        #[arg(long, value_enum, default_value_t = Start::Backlog)]
        from: Start,
        /// Says what `--from now` would drop, and changes nothing
        #[arg(long)]
        dry_run: bool,
        /// Drops without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Dead and parked deliveries
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Has dead deliveries sent again, oldest first, at the pace that the endpoint takes
    Replay {
        /// Its id or name
        integration: String,
        /// One delivery, by the id that `deliveries list` shows; all of the period without it
        #[arg(conflicts_with_all = ["from", "to"])]
        delivery: Option<String>,
        #[command(flatten)]
        period: Period,
        /// Counts, and changes nothing
        #[arg(long, conflicts_with = "delivery")]
        dry_run: bool,
        /// Waits until nothing of it is parked any more
        #[arg(long, conflicts_with = "dry_run")]
        wait: bool,
        /// How long to wait at most, such as 30s, 10m or 2h; as long as it takes without it
        #[arg(long, value_name = "TIME", requires = "wait", value_parser = moment::duration)]
        timeout: Option<Duration>,
    },
    /// Deletes dead or parked deliveries for good
    Purge {
        /// Its id or name
        integration: String,
        /// Which
        #[arg(long, value_enum)]
        state: DeliveryState,
        #[command(flatten)]
        period: Period,
        /// Counts, and changes nothing
        #[arg(long)]
        dry_run: bool,
        /// Deletes without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Prints a completion script for a shell
    Completions {
        /// For which
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Projects {
    /// Lists them
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Integrations {
    /// Lists them by name
    List,
    /// All settings of one
    Show {
        /// Its id or name
        integration: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Deliveries {
    /// Lists them, oldest first
    List {
        /// Its id or name
        integration: String,
        /// Which
        #[arg(long, value_enum, default_value_t = DeliveryState::Dead)]
        state: DeliveryState,
        #[command(flatten)]
        period: Period,
        #[command(flatten)]
        part: Part,
    },
    /// Shows one with its events
    Show {
        /// Its id or name
        integration: String,
        /// The id that `deliveries list` shows
        delivery: String,
        /// Where it lies
        #[arg(long, value_enum, default_value_t = DeliveryState::Dead)]
        state: DeliveryState,
    },
}

/// A stretch of time.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(crate) struct Period {
    /// At or after
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Moment>,
    /// Before
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Moment>,
}

/// How much of a list, and from where.
#[derive(Debug, Clone, Args)]
pub(crate) struct Part {
    /// How many at most
    #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Goes on where a list ended: its `next`, with the same arguments otherwise
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

impl Part {
    /// How many at most.
    pub(crate) fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    Backlog,
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeliveryState {
    Dead,
    Parked,
}

impl DeliveryState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Parked => "parked",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TemplateResult {
    Json,
    Text,
}

impl TemplateResult {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// How an attempt ended, as the API names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Delivered,
    Failed,
    Waiting,
    Gone,
    TooLarge,
    Unanswered,
    Unfinished,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Gone => "gone",
            Self::TooLarge => "too_large",
            Self::Unanswered => "unanswered",
            Self::Unfinished => "unfinished",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_agree_with_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn outcomes_are_typed_as_the_api_names_them() {
        for outcome in Outcome::value_variants() {
            let typed = outcome.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(typed.as_deref(), Some(outcome.name()));
        }
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for line in [
            &["replay", "w", "some-id", "--from", "2h"][..],
            &["replay", "w", "--dry-run", "--wait"],
            &["purge", "w"],
            &["preview", "w", "--template-result", "text"],
            &["attempts", "w", "--limit", "0"],
            &["status", "--key", "k", "--key-file", "f"],
            &["status", "w", "--all-projects"],
            &["resume", "w", "--from", "yesterday"],
            &["replay", "w", "--timeout", "10m"],
            &["replay", "w", "--wait", "--timeout", "soon"],
        ] {
            let line = ["flagpost"].into_iter().chain(line.iter().copied());
            assert!(
                Arguments::try_parse_from(line.clone()).is_err(),
                "{:?}",
                line.collect::<Vec<_>>()
            );
        }
    }
}
