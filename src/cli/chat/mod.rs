//! `deltawire chat`: a reply from any provider.

mod advice;
mod check;
mod print;
mod report;
mod spinner;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Instant;

use anstyle::Style;
use deltawire::client::{Client, Input, Kind as ErrorKind, Options, Provider, Request, Stream};
use deltawire::delta::StreamError;
use deltawire::message::{Choice, PartKind, ToolCall};
use deltawire::moderation::Unit;
use deltawire::tokens::Counter;
use deltawire::{Delta, Dialect, End, Message};

use self::advice::advice;
use self::check::{Checks, Verdict};
use self::print::{Lines, Print, Text};
use self::report::Tokens;
use self::spinner::Spinner;
use crate::cli::connection::{self, Interrupt, Trouble};
use crate::cli::input;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::output::Output;
use crate::cli::screen::{FAINT, say, stderr_width};

/// What `--help` says below the arguments.
const DETAILS: &str = "\
Set the API key in an environment variable: OPENAI_API_KEY, AZURE_OPENAI_API_KEY, ANTHROPIC_API_KEY, \
GEMINI_API_KEY or OLLAMA_API_KEY. The reply goes to standard output. Reasoning, tool calls, notes and a \
closing line with times and tokens go to standard error.

Exit status: 0 success, 1 the reply is truncated or has an error, 2 wrong usage, 3 network or server \
error, 130 Ctrl-C.";

#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// The prompt; standard input if omitted or `-`
    prompt: Option<String>,

    /// The provider: openai (and OpenAI-compatible servers), azure, anthropic, gemini, ollama
    #[arg(long, value_name = "NAME", default_value = "openai", value_parser = provider)]
    provider: Provider,

    /// The URL of the API [default: a variable such as OPENAI_BASE_URL, or the provider's own URL]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// The wire format of the reply, as for `deltas --dialect` [default: detected]
    #[arg(long, value_name = "D")]
    dialect: Option<Dialect>,

    /// The model
    #[arg(long, default_value = "gpt-4o-mini")]
    model: String,

    /// Send this system message before the prompt
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// Request N choices; prints the first, or all with --json
    #[arg(short, value_name = "N")]
    n: Option<u32>,

    /// Limit each choice to N tokens
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,

    /// The sampling temperature, from 0 to 2
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,

    /// Request token counts, which OpenAI streams include only on request
    #[arg(long)]
    include_usage: bool,

    /// Request a complete reply instead of a stream
    #[arg(long)]
    no_stream: bool,

    /// Print the deltas as JSON lines instead of the text
    #[arg(long)]
    json: bool,

    /// Print a table of response times on standard error
    #[arg(long)]
    timing: bool,

    /// Write an SVG chart of when each piece arrived
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Count tokens locally if the provider reports none (OpenAI models only)
    #[arg(long)]
    tokens: bool,

    /// Check each piece with this command before printing it. The command reads the piece on standard
    /// input; a nonzero exit status stops the reply
    #[arg(long, value_name = "COMMAND")]
    moderate: Option<String>,

    /// The size of a piece: sentence, paragraph, or a number of characters
    #[arg(long, value_name = "UNIT", default_value = "sentence", value_parser = check::unit)]
    moderate_by: Unit,

    #[command(flatten)]
    connection: connection::Args,
}

fn provider(name: &str) -> Result<Provider, String> {
    let known = Provider::ALL
        .iter()
        .find(|provider| provider.as_str() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<_> = Provider::ALL
            .iter()
            .map(|provider| provider.as_str())
            .collect();
        format!("expected one of {}", names.join(", "))
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
    if args.tokens && !Counter::is_known(&args.model) {
        let model = &args.model;
        let what = format!("--tokens: no known encoding for {model}; only OpenAI models have one");
        return Err(Failure::Usage(what));
    }
    let interrupt = args.connection.cancel()?;
    let client = Client::new(options).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut reply = Reply::new(args);
    let result = if args.no_stream {
        reply.whole(&client, &request, &interrupt)
    } else {
        reply.streamed(&client, &request, &interrupt)
    };
    reply.printer.stop_waiting();
    let outcome = result.or_else(|trouble| match trouble {
        Trouble::Client(_) if interrupt.is_by_user() => Ok(Outcome::Interrupted),
        Trouble::Client(error) => {
            let base_url = client.options().base_url();
            let hint =
                connection::not_a_url(base_url).filter(|_| error.kind() == ErrorKind::Request);
            Err(Failure::Transport(hint.unwrap_or_else(|| {
                match advice(&error, args.provider, has_key) {
                    Some(advice) => format!("{error}\n  {advice}"),
                    None => error.to_string(),
                }
            })))
        }
        Trouble::Output(failure) => Err(failure),
    })?;
    // Of what Ctrl-C ended before it began there is nothing to tell.
    if outcome != Outcome::Interrupted || reply.has_begun() {
        reply.report(args, &request)?;
    }
    Ok(outcome)
}

fn prompt(argument: Option<&str>) -> Result<String, Failure> {
    let prompt = match argument {
        Some(prompt) if prompt != "-" => prompt.to_owned(),
        _ => {
            if io::stdin().is_terminal() {
                say("type a prompt, then Ctrl-D:");
            }
            input::text()?
        }
    };
    if prompt.trim().is_empty() {
        return Err(Failure::Usage("the prompt is empty".into()));
    }
    Ok(prompt)
}

/// A reply on its way to whoever reads it.
struct Reply {
    printer: Box<dyn Print>,
    checks: Option<Checks>,
    /// The reply put together, where something is to be said of it.
    message: Option<Message>,
}

impl Reply {
    fn new(args: &Args) -> Self {
        let is_reported = !args.json || args.timing || args.tokens || args.svg.is_some();
        let spinner = Spinner::start(&format!("waiting for {}", args.model));
        let printer: Box<dyn Print> = if args.json {
            let output = Output::new();
            Box::new(Lines { output, spinner })
        } else {
            Box::new(Text::new(spinner))
        };
        let checks = args.moderate.as_deref();
        Reply {
            printer,
            checks: checks.map(|command| Checks::new(command, args.moderate_by)),
            message: is_reported.then(Message::new),
        }
    }

    fn streamed(
        &mut self,
        client: &Client,
        request: &Request,
        interrupt: &Interrupt,
    ) -> Result<Outcome, Trouble> {
        let mut stream = client.ask(request).cancel(interrupt.cancel()).stream()?;
        let mut outcome = Outcome::Done;
        let result = self.print_all(&mut stream, &mut outcome);
        let is_complete = matches!(result, Ok(Verdict::Fine)) && stream.end() == End::Complete;
        if let Some(message) = &mut self.message {
            message.finish(stream.end());
        }
        self.printer.end(is_complete, stream.decoder().invalid())?;
        if let Verdict::Refused = result? {
            self.say_refused();
            return Ok(Outcome::Faulty);
        }
        if !is_complete {
            if outcome == Outcome::Done {
                say("the reply is truncated: the stream ended without its terminator");
            }
            outcome = Outcome::Faulty;
        }
        Ok(outcome)
    }

    fn print_all(
        &mut self,
        stream: &mut Stream,
        outcome: &mut Outcome,
    ) -> Result<Verdict, Trouble> {
        let sent = stream.sent();
        loop {
            // What is there is written at once, and before anything is waited for.
            if !stream.is_ready() {
                self.printer.flush()?;
            }
            match stream.next() {
                Ok(Some(delta)) => {
                    match &delta {
                        Delta::Error(_) => *outcome = Outcome::Faulty,
                        Delta::Invalid { error, .. } => {
                            self.printer.note(&error.to_string())?;
                            *outcome = Outcome::Faulty;
                        }
                        _ => {}
                    }
                    if let Some(message) = &mut self.message {
                        message.push_at(&delta, sent.elapsed());
                    }
                    if let Verdict::Refused = self.delta(&delta, sent)? {
                        return Ok(Verdict::Refused);
                    }
                }
                Ok(None) => return Ok(self.finish(sent)?),
                Err(error) => {
                    // What came is still to be had.
                    self.finish(sent)?;
                    return Err(error.into());
                }
            }
        }
    }

    fn delta(&mut self, delta: &Delta<'_>, sent: Instant) -> Result<Verdict, Failure> {
        match &mut self.checks {
            Some(checks) => checks.push(delta, sent, &mut *self.printer),
            None => self.printer.delta(delta).map(|()| Verdict::Fine),
        }
    }

    /// No more comes.
    fn finish(&mut self, sent: Instant) -> Result<Verdict, Failure> {
        match &mut self.checks {
            Some(checks) => checks.finish(sent, &mut *self.printer),
            None => Ok(Verdict::Fine),
        }
    }

    fn say_refused(&self) {
        if let Some(checks) = &self.checks {
            let command = checks.command();
            say(&format!(
                "reply stopped: `{command}` refused the next piece"
            ));
        }
    }

    /// Prints a whole response as the few deltas that it amounts to.
    fn whole(
        &mut self,
        client: &Client,
        request: &Request,
        interrupt: &Interrupt,
    ) -> Result<Outcome, Trouble> {
        let sent = Instant::now();
        let message = client.ask(request).cancel(interrupt.cancel()).fetch()?;
        let mut verdict = Verdict::Fine;
        for delta in deltas_of(&message) {
            if let Verdict::Refused = self.delta(&delta, sent)? {
                verdict = Verdict::Refused;
                break;
            }
        }
        if let Verdict::Fine = verdict {
            verdict = self.finish(sent)?;
        }
        let is_fine = matches!(verdict, Verdict::Fine);
        self.printer
            .end(is_fine && message.is_complete(), message.invalid)?;
        if !is_fine {
            self.say_refused();
        }
        let is_complete = message.is_complete();
        self.message = self.message.take().map(|_| message);
        Ok(if is_fine && is_complete {
            Outcome::Done
        } else {
            Outcome::Faulty
        })
    }

    fn has_begun(&self) -> bool {
        let message = self.message.as_ref();
        message.is_some_and(|message| message.timing.first_token().is_some())
    }

    /// What the reply cost, on standard error; and its picture.
    fn report(&self, args: &Args, request: &Request) -> Result<(), Failure> {
        let Some(message) = &self.message else {
            return Ok(());
        };
        let tokens = if args.tokens {
            Tokens::counted(message, &args.model, &conversation(request))
        } else {
            Tokens::said(message)
        };
        let width = stderr_width();
        if args.timing {
            let table = report::table(message, &tokens, self.checks.as_ref(), width);
            print::aside(&table, Style::new());
        } else {
            let line = report::line(message, &tokens, width);
            print::aside(&format!("{line}\n"), FAINT);
        }
        match &args.svg {
            Some(path) => report::draw(path, message),
            None => Ok(()),
        }
    }
}

/// The request's messages: roles and contents.
fn conversation(request: &Request) -> Vec<(&str, &str)> {
    match &request.input {
        Input::Messages(messages) => messages
            .iter()
            .map(|it| (&*it.role, &*it.content))
            .collect(),
        _ => Vec::new(),
    }
}

/// The deltas that a complete reply amounts to, in the order of its parts.
fn deltas_of(message: &Message) -> Vec<Delta<'_>> {
    let mut deltas = Vec::new();
    let [id, model, role] = [&message.id, &message.model, &message.role]
        .map(|text| text.as_deref().unwrap_or_default());
    if [id, model, role] != [""; 3] {
        deltas.push(Delta::Start { id, model, role });
    }
    for choice in &message.choices {
        let mut pieces = pieces_of(choice);
        pieces.sort_by_key(|(part, _)| *part);
        deltas.extend(pieces.into_iter().flat_map(|(_, deltas)| deltas));
        if let Some(finish) = &choice.finish {
            deltas.push(Delta::Finish {
                choice: choice.index,
                reason: finish.reason,
                raw: &finish.raw,
            });
        }
    }
    if !message.usage.is_empty() {
        deltas.push(Delta::Usage(message.usage));
    }
    if let Some(error) = &message.error {
        deltas.push(Delta::Error(StreamError {
            kind: error.kind,
            code: &error.code,
            message: &error.message,
            transient: error.transient,
            raw: b"",
        }));
    }
    deltas.extend(message.details.iter().map(|detail| Delta::Detail {
        scope: detail.scope,
        name: &detail.name,
        value: &detail.value,
    }));
    if message.done {
        deltas.push(Delta::Done);
    }
    deltas
}

/// The texts and tool calls of a choice, each with the number of its part.
fn pieces_of(choice: &Choice) -> Vec<(u32, Vec<Delta<'_>>)> {
    let index = choice.index;
    let texts = choice.parts().map(|piece| {
        let (choice, part, text) = (index, piece.number, piece.text);
        let delta = match piece.kind {
            PartKind::Reasoning => Delta::Reasoning { choice, part, text },
            PartKind::Refusal => Delta::Refusal { choice, part, text },
            _ => Delta::Text { choice, part, text },
        };
        (part, vec![delta])
    });
    let own = choice.tool_calls.iter().map(|call| {
        let start = Delta::ToolCallStart {
            choice: index,
            part: call.part,
            index: call.index,
            id: &call.id,
            name: &call.name,
        };
        let arguments = Delta::ToolCallArguments {
            choice: index,
            part: call.part,
            index: call.index,
            fragment: &call.arguments,
            whole: false,
        };
        with_arguments(call, start, arguments)
    });
    let server = choice.server_tool_calls.iter().map(|call| {
        let start = Delta::ServerToolCallStart {
            choice: index,
            part: call.part,
            index: call.index,
            id: &call.id,
            name: &call.name,
        };
        let arguments = Delta::ServerToolCallArguments {
            choice: index,
            part: call.part,
            index: call.index,
            fragment: &call.arguments,
            whole: false,
        };
        with_arguments(call, start, arguments)
    });
    texts.chain(own).chain(server).collect()
}

/// The deltas of a call. Empty arguments make no delta.
fn with_arguments<'m>(
    call: &'m ToolCall,
    start: Delta<'m>,
    arguments: Delta<'m>,
) -> (u32, Vec<Delta<'m>>) {
    let mut deltas = vec![start];
    if !call.arguments.is_empty() {
        deltas.push(arguments);
    }
    (call.part, deltas)
}
