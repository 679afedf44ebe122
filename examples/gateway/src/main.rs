//! A gateway between programs and a provider: what the provider streams passes untouched, and on its
//! way the finish reasons, the token counts and the length of the text are read out of it.
//!
//!     gateway --upstream https://api.openai.com --listen 127.0.0.1:8080
//!
//! A line for each request goes to standard error. `gateway measure` says what reading along costs.
#![deny(unsafe_code)]

mod log;
mod measure;
mod passing;
mod peer;
mod proxy;
mod watch;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;

use clap::{Parser, ValueEnum};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::proxy::Proxy;
use crate::watch::Reader;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Pass a provider's streams through, and read along
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    args: Option<Args>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Measure the processor time an event takes, with each reader and without
    Measure(measure::Args),
}

#[derive(Debug, clap::Args)]
struct Args {
    /// The provider: scheme, host and what goes before each path, such as https://api.openai.com
    #[arg(long, value_name = "URL")]
    upstream: hyper::Uri,

    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// What reads along
    #[arg(long, value_enum, default_value_t = Reader::Deltawire)]
    reader: Reader,

    /// Keep the text of each reply, as slices of what came, and print it when the reply is over
    #[arg(long)]
    text: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match (cli.command, cli.args) {
        (Some(Command::Measure(args)), _) => measure::run(&args),
        (None, Some(args)) => serve(args),
        (None, None) => Err("which --upstream?".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves for as long as the process lives, on one thread: its processor time is all there is.
#[tokio::main(flavor = "current_thread")]
async fn serve(args: Args) -> Result<(), AnyError> {
    let proxy = Rc::new(Proxy::new(args.upstream, args.reader, args.text)?);
    let listener = TcpListener::bind(args.listen).await?;
    eprintln!("listening on {}", listener.local_addr()?);
    let connections = tokio::task::LocalSet::new();
    let accepting = async {
        loop {
            // One connection that could not be accepted is no reason to refuse all others.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let proxy = Rc::clone(&proxy);
            tokio::task::spawn_local(async move {
                let service = service_fn(move |request| {
                    let proxy = Rc::clone(&proxy);
                    async move { Ok::<_, AnyError>(proxy.forward(request).await) }
                });
                // A client that hangs up ends its connection with an error, and nobody else's. What
                // it asked for is dropped with it, and so the connection to the provider.
                let _ = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    };
    connections.run_until(accepting).await
}

impl std::fmt::Display for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
