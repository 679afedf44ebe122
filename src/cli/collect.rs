//! `deltawire collect`: a stream put together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use deltawire::frame::Eof;
use deltawire::{Decoder, End, Message, ToolCall};

use crate::cli::deltas::{Decoding, News, complain_about_end, decode};
use crate::cli::input;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::output::{self, Object, Output, quoted};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    decoding: Decoding,

    /// How to treat a last event that lacks its blank line
    #[arg(long, value_enum, default_value_t = AtEof::Flush)]
    eof: AtEof,

    #[command(flatten)]
    input: input::Args,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AtEof {
    /// Keep it if its payload is complete
    Flush,
    /// Discard it, as the WHATWG standard requires
    Discard,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut options = args.decoding.options();
    options.eof = match args.eof {
        AtEof::Flush => Eof::Flush,
        AtEof::Discard => Eof::Discard,
    };
    let mut decoder = Decoder::with_options(options);
    let mut message = Message::new();
    decode(&args.input, &mut decoder, |news| {
        match news {
            News::Delta(delta) => message.push(&delta),
            News::ChunkEnd => {}
        }
        Ok(())
    })?;
    message.finish(decoder.end());
    complain_about_end(&args.input, &decoder);
    let mut output = Output::new();
    output.line(collected(&message, &decoder))?;
    output.flush()?;
    Ok(if message.is_complete() && message.invalid == 0 {
        Outcome::Done
    } else {
        Outcome::Faulty
    })
}

/// The keys of a recording's expected outcome, and what else is known.
fn collected(message: &Message, decoder: &Decoder) -> Object {
    let texts = |of: fn(&deltawire::Choice) -> &str| {
        message
            .choices
            .iter()
            .filter(|choice| !of(choice).is_empty())
            .fold(Object::new(), |object, choice| {
                object.text(&choice.index.to_string(), of(choice))
            })
    };
    let mut object = Object::new()
        .value("events", decoder.events())
        .object("text", texts(|choice| &choice.text))
        .object("reasoning", texts(|choice| &choice.reasoning))
        .object("refusal", texts(|choice| &choice.refusal))
        .value("tool_calls", calls(&message.tool_calls()))
        .object(
            "finish",
            texts(|choice| choice.finish.as_ref().map_or("", |finish| &finish.raw)),
        );
    object = if message.usage.is_empty() {
        object.value("usage", "null")
    } else {
        object.object("usage", output::usage(Object::new(), &message.usage))
    };
    object = object
        .value(
            "error",
            optional(message.error.as_ref().map(|error| &*error.message)),
        )
        .value("done", message.done)
        .value("id", optional(message.id.as_deref()))
        .value("model", optional(message.model.as_deref()))
        .value(
            "dialect",
            optional(decoder.dialect().map(|dialect| dialect.as_str())),
        )
        .value("complete", message.end == Some(End::Complete));
    let server_calls = message.server_tool_calls();
    if !server_calls.is_empty() {
        object = object.value("server_tool_calls", calls(&server_calls));
    }
    if decoder.comments() > 0 {
        object = object.value("comments", decoder.comments());
    }
    object
        .value("details", details(message))
        .value("invalid", message.invalid)
}

/// The latest value of each detail, by scope and name.
fn details(message: &Message) -> String {
    let mut latest: Vec<&deltawire::message::Detail> = Vec::new();
    let mut places = HashMap::new();
    for detail in &message.details {
        match places.entry((detail.scope, &detail.name)) {
            Entry::Occupied(place) => latest[*place.get()] = detail,
            Entry::Vacant(place) => {
                place.insert(latest.len());
                latest.push(detail);
            }
        }
    }
    let lines = latest.iter().map(|detail| {
        let object = output::scope(Object::new(), detail.scope).text("name", &detail.name);
        let object = output::value_of(object, &detail.value);
        object.end().trim_end().to_owned()
    });
    format!("[{}]", lines.collect::<Vec<_>>().join(","))
}

fn optional(text: Option<&str>) -> String {
    text.map_or("null".into(), quoted)
}

/// A JSON list of tool calls.
fn calls(calls: &[(u32, &ToolCall)]) -> String {
    let calls = calls.iter().map(|(choice, call)| {
        let object = Object::new()
            .value("choice", choice)
            .value("index", call.index)
            .value("id", optional(Some(&*call.id).filter(|id| !id.is_empty())))
            .value(
                "name",
                optional(Some(&*call.name).filter(|name| !name.is_empty())),
            )
            .text("arguments", &call.arguments);
        object.end().trim_end().to_owned()
    });
    format!("[{}]", calls.collect::<Vec<_>>().join(","))
}
