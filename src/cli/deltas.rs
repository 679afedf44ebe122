//! `deltawire deltas`: what a provider's stream says, one line a delta.

use deltawire::{Decoder, Delta, Dialect, End, Options};

use crate::cli::input;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::output::{self, Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) decoding: Decoding,

    #[command(flatten)]
    pub(crate) input: input::Args,
}

/// The arguments that say how to decode.
#[derive(Debug, clap::Args)]
pub(crate) struct Decoding {
    /// The provider's wire format, or `auto` to detect it
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = dialect)]
    dialect: Choice,

    /// Report and skip events larger than N bytes
    #[arg(long, value_name = "N", default_value_t = deltawire::frame::MAX_EVENT_BYTES)]
    max_event_bytes: usize,

    /// Also read text from this member of an OpenAI chat delta
    #[arg(long, value_name = "NAME")]
    text_field: Option<String>,

    /// Also read reasoning from this member of an OpenAI chat delta
    #[arg(long, value_name = "NAME")]
    reasoning_field: Option<String>,
}

/// A dialect, or none for `auto`; clap would read an `Option` as an argument that may be absent.
#[derive(Debug, Clone, Copy)]
struct Choice(Option<Dialect>);

fn dialect(name: &str) -> Result<Choice, String> {
    match name {
        "auto" => Ok(Choice(None)),
        name => name
            .parse()
            .map(|dialect| Choice(Some(dialect)))
            .map_err(|_| {
                let names: Vec<&str> = Dialect::ALL
                    .iter()
                    .map(|dialect| dialect.as_str())
                    .collect();
                format!("expected one of auto, {}", names.join(", "))
            }),
    }
}

impl Decoding {
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.dialect = self.dialect.0;
        options.max_event_bytes = self.max_event_bytes;
        options.fields.text = self.text_field.clone();
        options.fields.reasoning = self.reasoning_field.clone();
        options
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut decoder = Decoder::with_options(args.decoding.options());
    let mut output = Output::new();
    let mut faulty = false;
    decode(&args.input, &mut decoder, |news| {
        match news {
            News::Delta(delta) => {
                faulty |= matches!(delta, Delta::Error(_) | Delta::Invalid { .. });
                output.line(output::delta(&delta))?;
            }
            News::ChunkEnd => output.flush()?,
        }
        Ok(())
    })?;
    let complete = decoder.end() == End::Complete;
    output.line(output::end(complete, decoder.invalid()))?;
    output.flush()?;
    complain_about_end(&args.input, &decoder);
    Ok(if complete && !faulty {
        Outcome::Done
    } else {
        Outcome::Faulty
    })
}

/// What decoding has to tell.
pub(crate) enum News<'a> {
    Delta(Delta<'a>),
    /// Nothing more is known until the next chunk has come.
    ChunkEnd,
}

/// Decodes a whole input.
pub(crate) fn decode(
    input: &input::Args,
    decoder: &mut Decoder,
    mut tell: impl FnMut(News<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let complain = |delta: &Delta<'_>| {
        if let Delta::Invalid { error, .. } = delta {
            eprintln!("deltawire: {}: {error}", input.name());
        }
    };
    input.for_each_chunk(|chunk| {
        let mut rest = chunk;
        while let Some(delta) = decoder.next(&mut rest) {
            complain(&delta);
            tell(News::Delta(delta))?;
        }
        tell(News::ChunkEnd)
    })?;
    while let Some(delta) = decoder.finish() {
        complain(&delta);
        tell(News::Delta(delta))?;
    }
    Ok(())
}

/// Prints what is unusual about the stream as a whole: how it ended, or that the body was not a stream.
pub(crate) fn complain_about_end(input: &input::Args, decoder: &Decoder) {
    let name = input.name();
    match decoder.end() {
        End::Complete if is_complete_body(decoder) => {
            eprintln!("deltawire: {name}: a non-streaming response, read as one reply");
        }
        End::Complete => {}
        End::Unrecognised => {
            let what = deltawire::decoder::describe_body(decoder.unrecognised_body());
            match (decoder.events(), decoder.unrecognised_body().is_empty()) {
                (0, true) => eprintln!("deltawire: {name}: not a stream: no events found"),
                (0, false) => eprintln!("deltawire: {name}: not a stream: {what}"),
                (events, _) => {
                    eprintln!(
                        "deltawire: {name}: {events} events in an unknown format; try --dialect"
                    );
                }
            }
        }
        _ => eprintln!(
            "deltawire: {name}: truncated: the stream ends at byte {} without its terminator",
            decoder.offset()
        ),
    }
}

/// Returns true if the body was one JSON document in place of a stream.
fn is_complete_body(decoder: &Decoder) -> bool {
    decoder.events() == 0 && !decoder.unrecognised_body().is_empty()
}
