//! `deltawire chat`: a reply from any provider.

use std::io::{self, IsTerminal, Write};

use anstyle::Style;
use deltawire::client::{Client, Error, Kind, Options, Provider, Request, Status, Stream};
use deltawire::delta::ErrorKind;
use deltawire::{Delta, Dialect, End, FinishReason, Message};

use crate::connection::{self, Interrupt};
use crate::output::{self, Object, Output};
use crate::screen::FAINT;
use crate::{Failure, Outcome};

/// What `--help` says below the arguments.
const DETAILS: &str = "\
The key is taken from the provider's variable: OPENAI_API_KEY, AZURE_OPENAI_API_KEY,
ANTHROPIC_API_KEY, GEMINI_API_KEY or OLLAMA_API_KEY. The reply goes to standard output, reasoning
and all else to standard error. Exit status: 0 done, 1 the reply is cut or carries an error, 2 wrong
usage, 3 no reply was to be had, 130 ended by Ctrl-C.";

#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// What to ask; standard input where it is absent or `-`
    prompt: Option<String>,

    /// Whose API is asked: openai (or whoever speaks like it), azure, anthropic, gemini, ollama
    #[arg(long, value_name = "NAME", default_value = "openai", value_parser = provider)]
    provider: Provider,

    /// Where the API is [default: the provider's variable, such as OPENAI_BASE_URL, else its own]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// The dialect of the reply's stream, as `deltas` takes it [default: recognised]
    #[arg(long, value_name = "D")]
    dialect: Option<Dialect>,

    /// The model that shall answer
    #[arg(long, default_value = "gpt-4o-mini")]
    model: String,

    /// A system message that precedes the prompt
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// How many choices to make; the first is printed, or all with --json
    #[arg(short, value_name = "N")]
    n: Option<u32>,

    /// The most tokens that a choice may have
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,

    /// How much chance there is in the reply: 0 for none, up to 2
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,

    /// Ask the stream for its token counts
    #[arg(long)]
    include_usage: bool,

    /// Wait for the whole reply
    #[arg(long)]
    no_stream: bool,

    /// Print the deltas, one JSON object a line, in place of the text
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: connection::Args,
}

fn provider(name: &str) -> Result<Provider, String> {
    let known = Provider::ALL
        .iter()
        .find(|provider| provider.name() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<_> = Provider::ALL
            .iter()
            .map(|provider| provider.name())
            .collect();
        format!("it has to be one of {}", names.join(", "))
    })
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut request = Request::chat(&args.model);
    if let Some(system) = &args.system {
        request.push("system", system);
    }
    request.push("user", prompt(args.prompt.as_deref())?);
    request.n = args.n;
    request.max_tokens = args.max_tokens;
    request.temperature = args.temperature;
    request.include_usage = args.include_usage;
    let mut options = Options::from_env(args.provider);
    if let Some(base_url) = &args.base_url {
        options.base_url.clone_from(base_url);
    }
    args.connection.apply(&mut options);
    options.decoder.dialect = args.dialect;
    let has_key = options.key.is_some();
    let interrupt = args.connection.cancel()?;
    let client = Client::new(options).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut printer: Box<dyn Print> = if args.json {
        Box::new(Lines(Output::new()))
    } else {
        Box::new(Text::new())
    };
    let result = if args.no_stream {
        whole(&client, &request, &interrupt, printer.as_mut())
    } else {
        streamed(&client, &request, &interrupt, printer.as_mut())
    };
    result.or_else(|trouble| match trouble {
        Trouble::Client(_) if interrupt.is_by_user() => Ok(Outcome::Interrupted),
        Trouble::Client(error) => Err(Failure::Transport(
            match advice(&error, args.provider, has_key) {
                Some(advice) => format!("{error}\n  {advice}"),
                None => error.to_string(),
            },
        )),
        Trouble::Output(failure) => Err(failure),
    })
}

fn prompt(argument: Option<&str>) -> Result<String, Failure> {
    let prompt = match argument {
        Some(prompt) if prompt != "-" => prompt.to_owned(),
        _ => {
            if io::stdin().is_terminal() {
                eprintln!("deltawire: what to ask, ended by Ctrl-D:");
            }
            io::read_to_string(io::stdin().lock())
                .map_err(|error| Failure::Usage(format!("standard input: {error}")))?
        }
    };
    if prompt.trim().is_empty() {
        return Err(Failure::Usage("the prompt is empty".into()));
    }
    Ok(prompt)
}

/// What ends a chat before its time.
enum Trouble {
    Client(Error),
    Output(Failure),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Client(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Output(failure)
    }
}

fn streamed(
    client: &Client,
    request: &Request,
    interrupt: &Interrupt,
    printer: &mut dyn Print,
) -> Result<Outcome, Trouble> {
    let mut stream = client.ask(request).cancel(interrupt.cancel()).stream()?;
    let mut outcome = Outcome::Done;
    let result = print_all(&mut stream, printer, &mut outcome);
    let is_complete = result.is_ok() && stream.end() == End::Complete;
    printer.end(is_complete)?;
    result?;
    if !is_complete {
        if outcome == Outcome::Done {
            eprintln!("deltawire: the reply is cut: its stream ended without its terminator");
        }
        outcome = Outcome::Faulty;
    }
    Ok(outcome)
}

fn print_all(
    stream: &mut Stream,
    printer: &mut dyn Print,
    outcome: &mut Outcome,
) -> Result<(), Trouble> {
    loop {
        // What is there is written at once, and before anything is waited for.
        if !stream.is_ready() {
            printer.flush()?;
        }
        match stream.next() {
            Ok(Some(delta)) => {
                if matches!(delta, Delta::Error(_)) {
                    *outcome = Outcome::Faulty;
                }
                printer.delta(&delta)?;
            }
            Ok(None) => return Ok(()),
            Err(error) if !error.is_final() => {
                eprintln!("deltawire: {error}");
                *outcome = Outcome::Faulty;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Prints a whole response as the few deltas that it amounts to.
fn whole(
    client: &Client,
    request: &Request,
    interrupt: &Interrupt,
    printer: &mut dyn Print,
) -> Result<Outcome, Trouble> {
    let message = client.ask(request).cancel(interrupt.cancel()).fetch()?;
    for delta in deltas_of(&message) {
        printer.delta(&delta)?;
    }
    printer.end(message.is_complete())?;
    if let Some(error) = &message.error {
        eprintln!("deltawire: the provider reports: {}", error.message);
    }
    Ok(if message.is_complete() {
        Outcome::Done
    } else {
        Outcome::Faulty
    })
}

fn deltas_of(message: &Message) -> Vec<Delta<'_>> {
    let said = |text: &'_ Option<String>| -> bool { text.is_some() };
    let mut deltas = Vec::new();
    if said(&message.id) || said(&message.model) || said(&message.role) {
        deltas.push(Delta::Start {
            id: message.id.as_deref().unwrap_or_default(),
            model: message.model.as_deref().unwrap_or_default(),
            role: message.role.as_deref().unwrap_or_default(),
        });
    }
    for reply in &message.choices {
        let choice = reply.index;
        let pieces = [
            Delta::Reasoning {
                choice,
                text: &reply.reasoning,
            },
            Delta::Text {
                choice,
                text: &reply.text,
            },
            Delta::Refusal {
                choice,
                text: &reply.refusal,
            },
        ];
        deltas.extend(pieces.into_iter().filter(|piece| !is_empty(piece)));
        for call in &reply.tool_calls {
            deltas.push(Delta::ToolCallStart {
                choice,
                index: call.index,
                id: &call.id,
                name: &call.name,
            });
            deltas.push(Delta::ToolCallArguments {
                choice,
                index: call.index,
                fragment: &call.arguments,
                whole: false,
            });
        }
        if let Some(finish) = &reply.finish {
            deltas.push(Delta::Finish {
                choice,
                reason: finish.reason,
                raw: &finish.raw,
            });
        }
    }
    if !message.usage.is_empty() {
        deltas.push(Delta::Usage(message.usage));
    }
    deltas
}

/// Empty pieces of text give no delta.
fn is_empty(delta: &Delta<'_>) -> bool {
    matches!(
        delta,
        Delta::Text { text: "", .. }
            | Delta::Reasoning { text: "", .. }
            | Delta::Refusal { text: "", .. }
    )
}

/// What becomes of a reply.
trait Print {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure>;

    /// Shows what was given so far.
    fn flush(&mut self) -> Result<(), Failure>;

    fn end(&mut self, is_complete: bool) -> Result<(), Failure>;
}

/// The lines of `deltawire deltas`.
struct Lines(Output);

impl Print for Lines {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure> {
        self.0.line(output::delta(delta))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush()
    }

    fn end(&mut self, is_complete: bool) -> Result<(), Failure> {
        let line = Object::of_type("end").value("complete", is_complete);
        self.0.line(line)?;
        self.0.flush()
    }
}

/// The reply for a person, or a pipe.
struct Text {
    out: io::BufWriter<io::StdoutLock<'static>>,
    is_terminal: bool,
    /// Something was printed, and its last line has no end.
    is_mid_line: bool,
    /// The same of reasoning, on standard error.
    is_mid_reasoning: bool,
}

impl Text {
    fn new() -> Self {
        let out = io::stdout().lock();
        Text {
            is_terminal: out.is_terminal(),
            out: io::BufWriter::new(out),
            is_mid_line: false,
            is_mid_reasoning: false,
        }
    }

    fn piece(&mut self, text: &str) -> Result<(), Failure> {
        self.end_reasoning();
        self.is_mid_line = !text.ends_with('\n');
        let written = if self.is_terminal {
            self.out.write_all(harmless(text).as_bytes())
        } else {
            self.out.write_all(text.as_bytes())
        };
        written.map_err(|_| Failure::OutputClosed)
    }

    fn reasoning(&mut self, text: &str) -> Result<(), Failure> {
        // Both end up on one terminal, in the order in which they came.
        self.flush()?;
        self.is_mid_reasoning = true;
        aside(text, FAINT);
        Ok(())
    }

    fn end_reasoning(&mut self) {
        if std::mem::take(&mut self.is_mid_reasoning) {
            aside("\n", Style::new());
        }
    }

    /// A line on standard error, on a line of its own on a terminal too.
    fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.flush()?;
        self.end_reasoning();
        let gap = if self.is_terminal && self.is_mid_line {
            "\n"
        } else {
            ""
        };
        aside(&format!("{gap}deltawire: {text}\n"), Style::new());
        Ok(())
    }
}

impl Print for Text {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure> {
        match *delta {
            Delta::Text { choice: 0, text } | Delta::Refusal { choice: 0, text } => {
                self.piece(text)?;
            }
            Delta::Reasoning { choice: 0, text } => self.reasoning(text)?,
            Delta::ToolCallStart { name, .. } => {
                self.note(&format!(
                    "the model calls a tool that it was not given: {name}"
                ))?;
            }
            Delta::Finish { reason, raw, .. } => match reason {
                FinishReason::Length => self.note("the reply is cut at the limit on tokens")?,
                FinishReason::ContentFilter => {
                    self.note("the provider's filter ended the reply")?;
                }
                FinishReason::Error => self.note(&format!("the provider failed: {raw}"))?,
                _ => {}
            },
            Delta::Error(error) => {
                self.note(&format!(
                    "the provider reports: {} ({})",
                    error.message, error.kind
                ))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|_| Failure::OutputClosed)
    }

    fn end(&mut self, _is_complete: bool) -> Result<(), Failure> {
        self.end_reasoning();
        if self.is_mid_line {
            self.piece("\n")?;
        }
        self.flush()
    }
}

/// Writes to standard error, which may be gone without anybody minding.
fn aside(text: &str, style: Style) {
    let mut err = anstream::stderr();
    let _ = write!(err, "{style}{}{style:#}", harmless(text)).and_then(|()| err.flush());
}

/// Text without the controls that would steer a terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// What to do next.
fn advice(error: &Error, provider: Provider, has_key: bool) -> Option<String> {
    let key = provider.key_variables()[0];
    let place = match provider.base_url_variables() {
        [variable, ..] => format!("--base-url or {variable} names it."),
        [] => "--base-url names it.".into(),
    };
    Some(match error.kind() {
        Kind::Connect => format!("Is the server running? {place}"),
        Kind::Tls => "Look at --base-url; --ca-file names certificates of your own.".into(),
        Kind::Timeout(_) | Kind::Closed | Kind::Reset | Kind::Truncated => "Try again.".into(),
        Kind::ContentType | Kind::Protocol | Kind::Redirect => {
            format!("Is this the API's address? {place}")
        }
        Kind::Request => format!("Look at --base-url and at {key}."),
        Kind::Status => refused(error.status()?, provider, has_key)?,
        _ => return None,
    })
}

fn refused(status: &Status, provider: Provider, has_key: bool) -> Option<String> {
    let key = provider.key_variables()[0];
    Some(match status.kind {
        ErrorKind::Authentication if has_key => format!("Is {key} this provider's key?"),
        ErrorKind::Authentication => format!("Set {key}."),
        ErrorKind::Permission => "Look at the account's credit and at what its key may do.".into(),
        ErrorKind::NotFound => {
            let end = match provider {
                Provider::OpenAi => ", which mostly ends in /v1",
                _ => "",
            };
            format!("Look at --model and at --base-url{end}.")
        }
        ErrorKind::ContextLength => "Shorten the prompt.".into(),
        _ if status.transient => match status.retry_after {
            Some(wait) => format!("Try again in {} s.", wait.as_secs().max(1)),
            None => "Try again in a while.".into(),
        },
        _ => return None,
    })
}
