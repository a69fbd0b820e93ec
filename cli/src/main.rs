//! `flagpost`: see, test, replay, from a terminal.
//!
//! `main` only wires: the arguments, the surroundings (environment, clock, terminal), one command, and an exit status:
//! 0 done, 1 refused or failed, 2 asked wrongly.

mod api;
mod arguments;
mod commands;
mod configuration;
mod fault;
mod moment;
mod place;
mod screen;
mod surroundings;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use fault::Fault;
use screen::Screen;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::Completions { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "flagpost", &mut script);
        return ExitCode::from(Screen::raw(&script));
    }
    let json = arguments.connection.json;
    let mut screen = Screen::new(json);
    let outcome = run(&arguments, &mut screen).await;
    ExitCode::from(screen.end(outcome))
}

async fn run(arguments: &Arguments, screen: &mut Screen) -> Result<(), Fault> {
    let read = arguments.standard_input();
    if let [_, _, ..] = read.as_slice() {
        let names = read.join(" and ");
        let told = format!("standard input can be read once, but {names} name it");
        return Err(Fault::Usage(told));
    }
    let environment = surroundings::environment();
    let configuration = configuration::find(&arguments.connection, environment)?;
    screen.hide(&configuration.key);
    let api = api::Api::new(&configuration)?;
    commands::run(&arguments.command, &api, configuration.project.as_deref(), screen).await
}
