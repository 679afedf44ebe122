//! `deltawire serve`: recorded streams, served again.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use deltawire::Dialect;

use crate::cli::outcome::{Failure, Outcome};
use crate::cli::recording::{Pace, Recording};
use crate::cli::screen::say;
use crate::cli::server::{Options, Server};

/// What `--help` says below the arguments.
const DETAILS: &str = "\
Answers POST on /v1/chat/completions and /v1/completions, also without /v1: streamed where the \
request has \"stream\": true, put together where it has not. A stream has the chunk with its \
usage only where the request has \"stream_options\": {\"include_usage\": true}.

Each FILE answers on the path of its kind. The request's \"model\" chooses: the FILE of that \
name, without folder and extension; else those recorded from that model; else any. Of several, \
each answers in turn.";

#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// The recorded responses
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The address to listen on; only this machine reaches the default
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 takes a free one, which is told on standard error
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The time between events, in milliseconds; a whole response takes as long as its stream
    #[arg(long, value_name = "N", default_value_t = 0)]
    interval_ms: u64,

    /// Answer only requests that carry this key, others with 401
    #[arg(long)]
    key: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let recordings = args
        .files
        .iter()
        .map(|file| {
            let fail = |what: String| Failure::Usage(format!("{}: {what}", file.display()));
            let bytes = fs::read(file).map_err(|error| fail(error.to_string()))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let mut recording = Recording::read(&name, &bytes)
                .map_err(|what| fail(format!("no stream of OpenAI's kind but {what}")))?;
            recording.pace = Pace::Interval(Duration::from_millis(args.interval_ms));
            if !recording.is_complete() {
                say(&format!(
                    "{}: cut, or carries an error; replayed as it is",
                    file.display()
                ));
            }
            Ok(recording)
        })
        .collect::<Result<Vec<Recording>, Failure>>()?;
    for recording in &recordings {
        say(&describe(recording));
    }
    let options = Options {
        key: args.key.clone(),
        verbose: true,
    };
    let fail = |error| Failure::Transport(format!("{}:{}: {error}", args.host, args.port));
    let server = Server::bind(&args.host, args.port, recordings, options).map_err(fail)?;
    say(&format!("listening on {}", server.base_url()));
    server.run()
}

fn describe(recording: &Recording) -> String {
    let path = match recording.dialect {
        Dialect::OpenAiCompletions => "/completions",
        _ => "/chat/completions",
    };
    format!("{} on {path}", recording.name)
}
