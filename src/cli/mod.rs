//! `deltawire`: shows and uses the library from a terminal.
//!
//! Standard output carries the result and nothing else. Exit status: 0 done, 1 the stream carried
//! an error, was truncated or not understood, or lost an event, 2 wrong usage, 3 network or server error, 130 Ctrl-C.
#![allow(
    clippy::field_reassign_with_default,
    reason = "written as a program outside of the library is, where no other form works"
)]

/// Prints on standard error, or into what `capture` returns.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::cli::output::print_error(format!($($words)*)) };
}

mod chat;
mod collect;
mod connection;
mod deltas;
mod demo;
mod events;
mod guide;
mod http;
mod input;
mod listen;
mod outcome;
mod output;
mod packaging;
mod picture;
pub mod recording;
mod screen;
mod serve;
mod server;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::outcome::{Failure, Outcome};
pub use self::output::Captured;

/// What `--help` says below the commands.
const DETAILS: &str = "\
Start with `deltawire demo`, which needs no API key. `deltawire COMMAND --help` lists a command's options.";

/// Parse streaming LLM responses into events, deltas or one complete reply
#[derive(Debug, Parser)]
#[command(name = "deltawire", version, max_term_width = 100, after_help = DETAILS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the events of an event stream as JSON lines
    Events(events::Args),
    /// Print the deltas of a provider's stream as JSON lines
    Deltas(deltas::Args),
    /// Combine a provider's stream into one JSON object
    Collect(collect::Args),
    /// Send a prompt to a provider and print the reply as it arrives
    Chat(chat::Args),
    /// Print the events of a URL as they arrive, and reconnect when the stream ends
    Listen(listen::Args),
    /// Serve recorded streams as an OpenAI-compatible API on this machine
    Serve(serve::Args),
    /// Run the examples of OpenAI's streaming guide locally, without key or network
    Demo(demo::Args),
    /// Print a completion script for a shell
    Completions(packaging::CompletionsArgs),
    /// Print a manual page in troff format
    Man(packaging::ManArgs),
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(failure) => {
            if let Failure::Usage(message) | Failure::Transport(message) = &failure {
                screen::say(message);
            }
            ExitCode::from(failure.status())
        }
    }
}

/// Runs `events`, `deltas` or `collect`, and returns the exit status and what was written. Arguments
/// begin with the program's name. The other commands write elsewhere too.
pub fn capture<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<(u8, Captured), clap::Error> {
    let command = Cli::try_parse_from(args)?.command;
    let (result, captured) = output::capture(|| run(command));
    let status = result.map_or_else(|failure| failure.status(), |outcome| outcome as u8);
    Ok((status, captured))
}

fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Events(args) => events::run(&args),
        Command::Deltas(args) => deltas::run(&args),
        Command::Collect(args) => collect::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions(args) => packaging::completions(Cli::command(), &args),
        Command::Man(args) => packaging::man(Cli::command(), &args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_arguments_of_all_commands_are_sound() {
        Cli::command().debug_assert();
    }
}
