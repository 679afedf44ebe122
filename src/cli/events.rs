//! `deltawire events`: an event stream by the letter of the standard.

use deltawire::frame::{self, Eof, Item, MAX_EVENT_BYTES, sse};

use crate::cli::input;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::output::{Object, Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Report and skip events larger than N bytes
    #[arg(long, value_name = "N", default_value_t = MAX_EVENT_BYTES)]
    max_event_bytes: usize,

    #[command(flatten)]
    input: input::Args,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut parser = sse::Parser::new();
    parser.set_max_event_bytes(args.max_event_bytes);
    let mut output = Output::new();
    let mut retry = None;
    let mut outcome = Outcome::Done;
    args.input.for_each_chunk(|chunk| {
        let mut input = chunk;
        loop {
            match parser.next(&mut input) {
                Ok(Some(Item::Event(event))) => output.line(line(&event))?,
                Ok(Some(Item::Retry(item))) => retry = Some(item.millis),
                Ok(Some(_)) => {}
                Ok(None) => return output.flush(),
                Err(error) => outcome = complain(args, &error),
            }
        }
    })?;
    // The standard drops what lacks its blank line.
    while parser.finish(Eof::Discard).is_ok_and(|item| item.is_some()) {}
    let retry = retry.map_or("null".into(), |millis| millis.to_string());
    let last = Object::new()
        .text("last_event_id", &parser.last_event_id().to_str())
        .value("retry", retry);
    output.line(last)?;
    output.flush()?;
    Ok(outcome)
}

fn line(event: &frame::Event<'_>) -> Object {
    Object::new()
        .text("event", &event.event.to_str())
        .text("data", &event.data.to_str())
        .text("id", &event.id.to_str())
}

fn complain(args: &Args, error: &frame::Error) -> Outcome {
    eprintln!("deltawire: {}: {error}", args.input.name());
    Outcome::Faulty
}
