//! `deltawire demo`: OpenAI's guide "How to stream completions", played on this machine.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anstyle::Style;
use deltawire::client::{Client, Input, Request};
use deltawire::{Delta, Message};

use crate::cli::guide::{self, Times};
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::picture;
use crate::cli::screen::{Bar, FAINT, REPLY, Screen, TITLE, seconds, visible};
use crate::cli::server::{Options, Server};

const PLAIN: Style = Style::new();

/// What `--help` says below the arguments.
const DETAILS: &str = "\
Sends the requests of OpenAI's guide \"How to stream completions\" to a server inside this \
process, streamed and not. The server replies at the speed that the guide recorded, which takes \
15 seconds in all.";

#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// Reply at once instead of at the recorded speed
    #[arg(long)]
    fast: bool,

    /// Write an SVG chart of when each piece of the first reply arrived
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let recordings = guide::recordings(!args.fast).map_err(Failure::Usage)?;
    let server = Server::bind("127.0.0.1", 0, recordings, Options::default())
        .map_err(|error| Failure::Transport(format!("127.0.0.1: {error}")))?;
    let mut demo = Demo {
        client: Client::compatible(&server.base_url(), None)?,
        screen: Screen::new(),
        fast: args.fast,
        svg: args.svg.clone(),
    };
    // Ends with the process.
    thread::spawn(move || server.run());
    demo.play()
}

struct Demo {
    client: Client,
    screen: Screen,
    fast: bool,
    svg: Option<PathBuf>,
}

/// What a streamed scenario left behind.
struct Streamed {
    message: Message,
    /// Without `[DONE]`, which is no chunk.
    chunks: u64,
}

impl Streamed {
    fn first(&self) -> Duration {
        self.message.timing.first_token().unwrap_or_default()
    }

    fn last(&self) -> Duration {
        self.message.timing.whole.unwrap_or_default()
    }
}

impl Demo {
    fn play(&mut self) -> Result<Outcome, Failure> {
        self.screen.text_at_margin(
            "deltawire demo: OpenAI's guide \"How to stream completions\"",
            TITLE,
        )?;
        let pace = if self.fast {
            "at once (--fast): times measured here are this machine's own, and the guide's stand \
             beside them"
        } else {
            "at the times that the guide recorded"
        };
        let introduction = format!(
            "A server inside this process, {}, answers {pace}. No key, no network.",
            self.client.options().base_url()
        );
        self.screen.text(&introduction, FAINT)?;

        let mut count = Request::chat(guide::CHAT_MODEL);
        count.push("user", guide::COUNT_TO_100);
        count.temperature = Some(0.0);
        let mut legacy = Request::completion(guide::LEGACY_MODEL, guide::ONE_TWO_THREE);
        legacy.max_tokens = Some(guide::LEGACY_MAX_TOKENS);
        legacy.temperature = Some(0.0);

        self.screen.title("1  A chat completion, whole")?;
        let whole = self.whole(&count, guide::COUNT_TO_100, &guide::COUNT_TIMES)?;

        self.screen
            .title("2  A chat completion, streamed: each delta as it arrives")?;
        self.each_delta()?;

        self.screen.title("3  The first request, streamed")?;
        let streamed = self.streamed(&count, guide::COUNT_TO_100)?;
        self.time_saved(&whole, &streamed, &guide::COUNT_TIMES)?;
        self.draw(&whole, &streamed)?;

        self.screen
            .title("4  A legacy completion, whole and streamed")?;
        let legacy_whole = self.whole(&legacy, guide::ONE_TWO_THREE, &guide::LEGACY_TIMES)?;
        self.screen.blank()?;
        let legacy_streamed = self.streamed(&legacy, guide::ONE_TWO_THREE)?;
        self.time_saved(&legacy_whole, &legacy_streamed, &guide::LEGACY_TIMES)?;

        self.screen.title("What streaming costs")?;
        self.costs(&mut legacy)?;

        self.screen.title("Next")?;
        self.screen
            .row("deltawire chat PROMPT", 21, "asks a real provider")?;
        self.screen
            .row("deltawire serve FILE", 21, "replays streams of your own")?;

        let is_right = whole.is_complete()
            && streamed.message.is_complete()
            && whole.text() == streamed.message.text()
            && legacy_whole.text() == legacy_streamed.message.text();
        Ok(if is_right {
            Outcome::Done
        } else {
            Outcome::Faulty
        })
    }

    fn ask(&mut self, request: &Request, prompt: &str, stream: bool) -> Result<(), Failure> {
        let path = match request.input {
            Input::Prompt(_) => "/completions",
            _ => "/chat/completions",
        };
        let mut what = format!("POST {path}, model {}", request.model);
        if let Some(temperature) = request.temperature {
            what.push_str(&format!(", temperature {temperature}"));
        }
        if let Some(max_tokens) = request.max_tokens {
            what.push_str(&format!(", max_tokens {max_tokens}"));
        }
        if stream {
            what.push_str(", stream true");
        }
        self.screen.text(&what, FAINT)?;
        self.screen.text(&format!("\"{prompt}\""), PLAIN)
    }

    /// A time that was measured, beside the guide's.
    fn beside(&self, measured: Duration, guide: Duration) -> String {
        format!(
            "{} measured, {} in the guide",
            seconds(measured),
            seconds(guide)
        )
    }

    fn whole(
        &mut self,
        request: &Request,
        prompt: &str,
        times: &Times,
    ) -> Result<Message, Failure> {
        self.ask(request, prompt, false)?;
        if !self.fast {
            self.screen.text("waiting for the whole reply ...", FAINT)?;
        }
        let message = self.client.fetch(request)?;
        self.screen.excerpt(message.text())?;
        let took = message.timing.whole.unwrap_or_default();
        self.screen.row(
            "the whole reply",
            15,
            &format!("after {}", self.beside(took, times.whole)),
        )?;
        self.end_of(&message)?;
        Ok(message)
    }

    /// Finish reason, model and usage.
    fn end_of(&mut self, message: &Message) -> Result<(), Failure> {
        let finish = message
            .choices
            .first()
            .and_then(|choice| choice.finish.as_ref());
        let finish = finish.map_or("none", |finish| &*finish.raw);
        self.screen.row("finish reason", 15, finish)?;
        let model = message.model.as_deref().unwrap_or("not said");
        self.screen.row("model", 15, model)?;
        self.screen.row("usage", 15, &usage(message))
    }

    fn each_delta(&mut self) -> Result<(), Failure> {
        let mut request = Request::chat(guide::CHAT_MODEL);
        request.push("user", guide::ONE_PLUS_ONE);
        self.ask(&request, guide::ONE_PLUS_ONE, true)?;
        let mut stream = self.client.stream(&request)?;
        let sent = stream.sent();
        let mut message = Message::new();
        while let Some(delta) = stream.next()? {
            let arrived = sent.elapsed();
            message.push_at(&delta, arrived);
            let what = match delta {
                Delta::Start { model, role, .. } => format!("start   role {role}, model {model}"),
                Delta::Text { text, .. } => format!("text    \"{}\"", visible(text)),
                Delta::Finish { raw, .. } => format!("finish  {raw}"),
                Delta::Done => "done    [DONE]".into(),
                _ => continue,
            };
            self.screen.row(&seconds(arrived), 6, &what)?;
        }
        let chunks = stream.decoder().events().saturating_sub(1);
        self.screen.text(
            &format!(
                "{chunks} chunks and [DONE]: a delta holds a role, content or nothing. Put \
                 together: \"{}\"",
                visible(message.text())
            ),
            PLAIN,
        )
    }

    fn streamed(&mut self, request: &Request, prompt: &str) -> Result<Streamed, Failure> {
        self.ask(request, prompt, true)?;
        let mut stream = self.client.stream(request)?;
        let sent = stream.sent();
        let mut message = Message::new();
        while let Some(delta) = stream.next()? {
            message.push_at(&delta, sent.elapsed());
            if let Delta::Text { text, .. } = delta {
                self.screen.flow(text)?;
            }
        }
        self.screen.end_flow()?;
        message.finish(stream.end());
        Ok(Streamed {
            message,
            chunks: stream.decoder().events().saturating_sub(1),
        })
    }

    fn time_saved(
        &mut self,
        whole: &Message,
        streamed: &Streamed,
        guide: &Times,
    ) -> Result<(), Failure> {
        let timing = &streamed.message.timing;
        let millis = |gap: Option<Duration>| {
            let millis = gap.unwrap_or_default().as_secs_f64() * 1000.0;
            if self.fast {
                format!("{millis:.3} ms")
            } else {
                format!("{millis:.0} ms")
            }
        };
        let rows = [
            ("chunks", format!("{} and [DONE]", streamed.chunks)),
            ("first token", self.beside(streamed.first(), guide.first)),
            (
                "between pieces",
                format!(
                    "{} median, {} for 95 in 100; mostly 10 to 20 ms in the guide",
                    millis(timing.median_gap()),
                    millis(timing.p95_gap())
                ),
            ),
            ("last chunk", self.beside(streamed.last(), guide.last)),
            (
                "put together",
                if whole.text() == streamed.message.text() {
                    "the same text as the whole reply".into()
                } else {
                    "NOT the text of the whole reply".into()
                },
            ),
        ];
        for (name, text) in rows {
            self.screen.row(name, 15, &text)?;
        }
        self.screen.blank()?;
        // Without the waiting the bars would show nothing but noise.
        let measured = Times {
            whole: whole.timing.whole.unwrap_or_default(),
            first: streamed.first(),
            last: streamed.last(),
        };
        let (times, whose) = if self.fast {
            (guide, "as the guide recorded it")
        } else {
            (&measured, "as measured")
        };
        self.screen.bars(&[
            Bar {
                name: "whole",
                first: times.whole,
                last: times.whole,
            },
            Bar {
                name: "streamed",
                first: times.first,
                last: times.last,
            },
        ])?;
        let saved = times.whole.saturating_sub(times.first);
        self.screen.text(
            &format!("Reading begins {} sooner, {whose}.", seconds(saved)),
            REPLY,
        )
    }

    /// The picture of `--svg`.
    fn draw(&mut self, whole: &Message, streamed: &Streamed) -> Result<(), Failure> {
        let Some(path) = &self.svg else {
            return Ok(());
        };
        // Without the waiting there is nothing to see but noise.
        let (pieces, whole, whose) = if self.fast {
            let times = &guide::COUNT_TIMES;
            (
                guide::count_arrivals(),
                times.whole,
                "as the guide recorded it",
            )
        } else {
            let whole = whole.timing.whole.unwrap_or_default();
            (streamed.message.timing.pieces.clone(), whole, "as measured")
        };
        picture::write(
            path,
            &format!("\"Count to 100\", {whose}"),
            &pieces,
            Some(whole),
        )?;
        self.screen
            .text(&format!("Drawn in {}.", path.display()), FAINT)
    }

    fn costs(&mut self, request: &mut Request) -> Result<(), Failure> {
        self.screen.text(
            "Partial text is harder to moderate than a whole reply, and the streams above told no \
             usage. It comes where it is asked for, in one more chunk:",
            PLAIN,
        )?;
        self.screen
            .text("\"stream_options\": {\"include_usage\": true}", FAINT)?;
        request.include_usage = true;
        let mut stream = self.client.stream(request)?;
        let mut message = Message::new();
        stream.read_to_end(&mut message)?;
        let chunks = stream.decoder().events().saturating_sub(1);
        self.screen
            .row("chunks", 15, &format!("{chunks} and [DONE]"))?;
        self.screen.row("usage", 15, &usage(&message))?;
        self.screen.text(
            "The guide prints no usage of its legacy completion: this one counts its pieces.",
            FAINT,
        )
    }
}

fn usage(message: &Message) -> String {
    let counts = &message.usage;
    match (
        counts.input_tokens,
        counts.output_tokens,
        counts.total_tokens,
    ) {
        (Some(input), Some(output), Some(total)) => {
            format!("{input} prompt + {output} completion = {total} tokens")
        }
        _ => "not told".into(),
    }
}
