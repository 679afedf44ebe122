//! `deltawire`: shows and uses the library from a terminal.
//!
//! Standard output carries the result and nothing else. Exit status: 0 done, 1 the stream carried
//! an error or was truncated, 2 wrong usage, 3 network or server error, 130 Ctrl-C.

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
mod output;
mod packaging;
mod picture;
mod recording;
mod screen;
mod serve;
mod server;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

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

/// How a command ended; the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All went well.
    Done = 0,
    /// The stream carried an error or was truncated.
    Faulty = 1,
    /// Ctrl-C ended it.
    Interrupted = INTERRUPTED as isize,
}

/// The exit status of what Ctrl-C ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Why a command could not do its work: a message for a person, and the exit status.
#[derive(Debug)]
enum Failure {
    /// Wrong usage, a file that cannot be read among it.
    Usage(String),
    /// A connection failed, or the server refused.
    Transport(String),
    /// Standard output is gone; there is nobody to tell.
    OutputClosed,
}

impl Failure {
    fn status(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Transport(_) => 3,
            Failure::OutputClosed => 1,
        }
    }
}

impl From<deltawire::client::Error> for Failure {
    fn from(error: deltawire::client::Error) -> Self {
        Failure::Transport(error.to_string())
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Events(args) => events::run(&args),
        Command::Deltas(args) => deltas::run(&args),
        Command::Collect(args) => collect::run(&args),
        Command::Chat(args) => chat::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions(args) => packaging::completions(Cli::command(), &args),
        Command::Man(args) => packaging::man(Cli::command(), &args),
    };
    match result {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(failure) => {
            if let Failure::Usage(message) | Failure::Transport(message) = &failure {
                screen::say(message);
            }
            ExitCode::from(failure.status())
        }
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
