//! A blocking transport: a request goes out, the deltas of its response come in as they arrive.
//!
//! ```no_run
//! use deltawire::Delta;
//! use deltawire::client::{Client, Request};
//!
//! let client = Client::new("https://api.openai.com/v1", std::env::var("OPENAI_API_KEY").ok());
//! let mut request = Request::chat("gpt-4o-mini");
//! request.push("user", "What's 1+1? Answer in one word.");
//! let mut stream = client.stream(&request)?;
//! while let Some(delta) = stream.next()? {
//!     if let Delta::Text { text, .. } = delta {
//!         print!("{text}");
//!     }
//! }
//! # Ok::<(), deltawire::client::Error>(())
//! ```
//!
//! | file | has |
//! |---|---|
//! | `request.rs` | what is asked |
//! | `stream.rs` | what is read while it comes |
//! | `error.rs` | what can go wrong |
//!
//! A redirect is not followed but reported as the status that it is: it would turn a POST into a
//! GET, or hand the key to another host. A proxy is taken from the environment (`ALL_PROXY`,
//! `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), though never on the way to this machine itself.

mod error;
mod request;
mod stream;

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

pub use error::{Error, Phase, Status};
pub use request::{Input, Request, Turn};
pub use stream::Stream;

use self::error::{Context, MAX_BODY_BYTES};
use crate::decoder::{self, describe_body};
use crate::frame::MAX_EVENT_BYTES;
use crate::message::Message;

/// What a client is told before it begins.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long to wait for a connection, 10 s unless set; `None` for as long as the system does.
    pub timeout_connect: Option<Duration>,
    /// How long to wait for the next bytes of a response, its head among them, 300 s unless set;
    /// `None` for ever. Some models are silent for minutes before they answer.
    pub timeout_idle: Option<Duration>,
    /// How streams are decoded.
    pub decoder: decoder::Options,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timeout_connect: Some(Duration::from_secs(10)),
            timeout_idle: Some(Duration::from_secs(300)),
            decoder: decoder::Options::default(),
        }
    }
}

/// A secret that does not show itself.
#[derive(Clone)]
struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Asks one provider. Keeps its connections for the next request; clones share them.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base_url: String,
    key: Option<Key>,
    options: Options,
}

impl Client {
    /// A client with the default options. `base_url` is what precedes `/chat/completions`, with or
    /// without a slash at its end; the key, if there is one, is sent as `Authorization: Bearer`.
    #[must_use]
    pub fn new(base_url: &str, key: Option<String>) -> Self {
        Self::with_options(base_url, key, Options::default())
    }

    /// A client with these options; see [`new`](Self::new).
    #[must_use]
    pub fn with_options(base_url: &str, key: Option<String>, options: Options) -> Self {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(options.timeout_connect)
            .timeout_per_read(options.timeout_idle)
            .user_agent(concat!("deltawire/", env!("CARGO_PKG_VERSION")));
        if is_loopback(base_url) {
            config = config.proxy(None);
        }
        Client {
            agent: config.build().new_agent(),
            base_url: base_url.trim_end_matches('/').into(),
            key: key.filter(|key| !key.is_empty()).map(Key),
            options,
        }
    }

    /// What precedes a request's path, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Asks for a stream. Returns as soon as the response's head is there.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub fn stream(&self, request: &Request) -> Result<Stream, Error> {
        self.post(request.path(), &request.to_json(true))
    }

    /// Asks for a whole response and waits for its end. The message's timing has only that.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post), and [`Error::Protocol`] for a response that is no reply, or larger
    /// than 16 MiB.
    pub fn fetch(&self, request: &Request) -> Result<Message, Error> {
        let (context, sent) = (self.context(request.path()), Instant::now());
        // Any encoding will do, since nothing is read before all has come.
        let response = self.send(&context, &request.to_json(false), None)?;
        let body = read_up_to(
            &mut response.into_body().into_reader(),
            MAX_EVENT_BYTES,
            &context,
        )?;
        let mut message = match Message::from_response(&body) {
            Ok(message) => message,
            Err(_) => return Err(context.protocol(describe_body(&body))),
        };
        message.timing.whole = Some(sent.elapsed());
        Ok(message)
    }

    /// Posts JSON that was made elsewhere to a path below the base URL, such as
    /// `/chat/completions`, and streams the response whatever it is.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`], [`Error::Timeout`], [`Error::Status`] for anything but a success,
    /// [`Error::Lost`], [`Error::Protocol`], [`Error::Request`].
    pub fn post(&self, path: &str, json: &str) -> Result<Stream, Error> {
        let (context, sent) = (self.context(path), Instant::now());
        // A compressed stream comes in blocks, and so too late.
        let response = self.send(&context, json, Some("identity"))?;
        let reader = response.into_body().into_reader();
        Ok(Stream::new(
            reader,
            self.options.decoder.clone(),
            sent,
            context,
        ))
    }

    fn context(&self, path: &str) -> Context {
        Context {
            url: format!("{}{path}", self.base_url),
            timeout_connect: self.options.timeout_connect,
            timeout_idle: self.options.timeout_idle,
        }
    }

    /// Sends a request and takes a refusal apart.
    fn send(
        &self,
        context: &Context,
        json: &str,
        encoding: Option<&str>,
    ) -> Result<ureq::http::Response<ureq::Body>, Error> {
        let mut request = self
            .agent
            .post(&context.url)
            .header("content-type", "application/json")
            .header("accept", "text/event-stream, application/json");
        if let Some(encoding) = encoding {
            request = request.header("accept-encoding", encoding);
        }
        if let Some(Key(key)) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let response = request.send(json).map_err(|error| context.error(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        // What can be had of the reason will do: the refusal counts, whatever follows it.
        let mut body = Vec::new();
        let _ = response
            .into_body()
            .into_reader()
            .take(MAX_BODY_BYTES as u64)
            .read_to_end(&mut body);
        let redact = |text: &str| match &self.key {
            Some(Key(key)) => text.replace(key.as_str(), "(hidden)"),
            None => text.into(),
        };
        let refusal = Status::read(&context.url, status, &body, redact);
        Err(Error::Status(Box::new(refusal)))
    }
}

/// Reads a body that may have so many bytes.
fn read_up_to(reader: &mut impl Read, limit: usize, context: &Context) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    reader
        .take(limit as u64 + 1)
        .read_to_end(&mut body)
        .map_err(|error| context.read(error))?;
    if body.len() > limit {
        return Err(context.protocol(format!("more than {limit} bytes")));
    }
    Ok(body)
}

/// Whether a URL is this machine's own.
fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<ureq::http::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
