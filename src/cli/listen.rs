//! `deltawire listen`: the events of a URL, as they come.

use std::str::FromStr;
use std::time::Duration;

use deltawire::client::{
    Client, Error, Event, EventSource, Events, Key, Kind, Options, Provider, Reconnect,
};

use crate::cli::connection::{self, Interrupt, Trouble};
use crate::cli::input;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::output::{Object, Output, quoted};
use crate::cli::screen::say;

/// What `--help` says below the arguments.
const DETAILS: &str = "\
Prints each event as `deltawire events` does. The last line has the last event ID, the \
reconnection time set by the server, and the error if there was one: \
{\"last_event_id\",\"retry\",\"error\"}.

A GET reconnects as browsers do: whenever the response ends or the connection is lost, until the \
server returns 204 or an error. A POST is sent once, because sending a completion again costs again.

Exit status: 0 success, 2 wrong usage, 3 network or server error, 130 Ctrl-C.";

#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// The URL to read, with http:// or https://
    url: String,

    /// The request method: GET or POST [default: GET, or POST with --data]
    #[arg(long, value_name = "METHOD", value_parser = Method::from_str)]
    method: Option<Method>,

    /// The request body, sent as JSON unless --header sets another type; `-` reads standard input
    #[arg(long, value_name = "BODY")]
    data: Option<String>,

    /// Send this Last-Event-ID with the first request
    #[arg(long, value_name = "ID", default_value = "")]
    last_event_id: String,

    /// When to reconnect [default: auto for GET, never for POST]
    #[arg(long, value_name = "WHEN")]
    reconnect: Option<When>,

    /// Wait N milliseconds before reconnecting, unless the server sets another time
    #[arg(long, value_name = "N", default_value_t = 3000)]
    retry_ms: u64,

    /// Make at most N connections
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,

    /// Stop after N events
    #[arg(long, value_name = "N")]
    max_events: Option<u64>,

    #[command(flatten)]
    connection: connection::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

impl FromStr for Method {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_uppercase().as_str() {
            "GET" => Ok(Method::Get),
            "POST" => Ok(Method::Post),
            _ => Err("expected GET or POST".into()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum When {
    /// When the response ends or the connection is lost
    Auto,
    /// Read one response
    Never,
}

/// What events come from.
enum Source {
    Once(Box<Events>),
    Again(Box<EventSource>),
}

impl Source {
    fn next(&mut self) -> Result<Option<Event>, Error> {
        match self {
            Source::Once(events) => events.next(),
            Source::Again(source) => source.next(),
        }
    }

    fn last_event_id(&self) -> &[u8] {
        match self {
            Source::Once(events) => events.last_event_id(),
            Source::Again(source) => source.last_event_id(),
        }
    }

    fn retry(&self) -> Option<Duration> {
        match self {
            Source::Once(events) => events.retry(),
            Source::Again(source) => source.retry(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let default = match args.data {
        Some(_) => Method::Post,
        None => Method::Get,
    };
    let method = args.method.unwrap_or(default);
    let usage = |what: &str| Err(Failure::Usage(what.into()));
    if args.url.is_empty() {
        return usage("the URL is empty");
    }
    if method == Method::Get && args.data.is_some() {
        return usage("--data cannot be used with --method GET");
    }
    if method == Method::Post && args.reconnect == Some(When::Auto) {
        return usage("--reconnect auto cannot be used with POST: a POST is sent once");
    }
    let mut options = Options::new(Provider::OpenAi);
    options.base_url.clone_from(&args.url);
    args.connection.apply(&mut options);
    let data = match args.data.as_deref() {
        Some("-") => input::text()?,
        data => data.unwrap_or_default().into(),
    };
    let interrupt = args.connection.cancel()?;
    let client = Client::new(options).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut output = Output::new();
    let mut source = None;
    let result = open(args, method, &data, &client, &interrupt)
        .map(|opened| source.insert(opened))
        .map_err(Trouble::Client)
        .and_then(|source| print_all(source, args.max_events, &mut output));
    let error = match result {
        Ok(()) => None,
        Err(Trouble::Client(error)) => Some(error),
        Err(Trouble::Output(failure)) => return Err(failure),
    };
    let last_event_id = match &source {
        Some(source) => String::from_utf8_lossy(source.last_event_id()).into_owned(),
        None => args.last_event_id.clone(),
    };
    let retry = source.as_ref().and_then(Source::retry);
    let retry = retry.map(|retry| retry.as_millis());
    output.line(
        Object::new()
            .text("last_event_id", &last_event_id)
            .value("retry", or_null(retry))
            .value("error", error.as_ref().map_or("null".into(), describe)),
    )?;
    output.flush()?;
    match error {
        None => Ok(Outcome::Done),
        Some(_) if interrupt.is_by_user() => Ok(Outcome::Interrupted),
        // As asked, by --cancel-after.
        Some(error) if error.kind() == Kind::Cancelled => Ok(Outcome::Done),
        Some(error) => {
            let hint = connection::not_a_url(&args.url).filter(|_| error.kind() == Kind::Request);
            Err(Failure::Transport(
                hint.unwrap_or_else(|| error.to_string()),
            ))
        }
    }
}

fn open(
    args: &Args,
    method: Method,
    data: &str,
    client: &Client,
    interrupt: &Interrupt,
) -> Result<Source, Error> {
    let call = match method {
        Method::Get if args.reconnect != Some(When::Never) => {
            let mut reconnect = Reconnect::default();
            reconnect.retry = Duration::from_millis(args.retry_ms);
            reconnect.max_attempts = args.max_attempts;
            reconnect.last_event_id = args.last_event_id.clone().into_bytes();
            let source = EventSource::new(client, &args.url, reconnect);
            let source = source.with_cancel(interrupt.cancel());
            return Ok(Source::Again(Box::new(source)));
        }
        Method::Get => client.get(&args.url),
        Method::Post => client.post(&args.url, data),
    };
    let call = match args.last_event_id.as_str() {
        "" => call,
        id => call.header("last-event-id", Key::from(id)),
    };
    call.cancel(interrupt.cancel())
        .events()
        .map(|events| Source::Once(Box::new(events)))
}

fn print_all(
    source: &mut Source,
    max_events: Option<u64>,
    output: &mut Output,
) -> Result<(), Trouble> {
    let mut events = 0;
    while max_events.is_none_or(|max| events < max) {
        match source.next() {
            Ok(Some(event)) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let line = Object::new()
                    .text("event", &text(&event.event))
                    .text("data", &text(&event.data))
                    .text("id", &text(&event.id));
                output.line(line)?;
                output.flush()?;
                events += 1;
            }
            Ok(None) => break,
            Err(error) if !error.is_final() => say(&error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn describe(error: &Error) -> String {
    let status = error.status();
    let retry_after = status.and_then(|status| status.retry_after);
    let body = status.map(|status| quoted(&status.body));
    let object = Object::new()
        .text("kind", error.kind().as_str())
        .value("status", or_null(status.map(|status| status.status)))
        .value(
            "retry_after_ms",
            or_null(retry_after.map(|wait| wait.as_millis())),
        )
        .value("body", or_null(body));
    object.end().trim_end().into()
}

fn or_null(value: Option<impl std::fmt::Display>) -> String {
    value.map_or("null".into(), |value| value.to_string())
}
