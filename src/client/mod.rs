//! A blocking transport: a request goes out, the deltas of its response come in as they arrive.
//!
//! ```
//! use deltawire::Delta;
//! use deltawire::client::{Client, Options, Provider, Request};
//!
//! let client = Client::new(Options::from_env(Provider::OpenAi))?;
//! # // A server whose reply has a malformed event.
//! # let server = deltawire_test_support::server::Server::malformed();
//! # let client = Client::compatible(&server.url, None)?;
//! # let mut printed = String::new();
//! let mut request = Request::chat("gpt-4o-mini");
//! request.push("user", "What's 1+1? Answer in one word.");
//! let mut stream = client.stream(&request)?;
//! while let Some(delta) = stream.next()? {
//!     if let Delta::Text { text, .. } = delta {
//!         print!("{text}");
//!         # printed.push_str(text);
//!     }
//! }
//! # assert_eq!((&*printed, stream.decoder().invalid()), ("before after", 1));
//! # Ok::<(), deltawire::client::Error>(())
//! ```
//!
//! A response can be read in four ways, each from the [`Call`] that asks for it:
//!
//! | | gives | for |
//! |---|---|---|
//! | [`Call::stream`] | deltas, borrowed | who reads a reply |
//! | [`Call::events`] | events, owned and reference-counted | who hands events on |
//! | [`Call::chunks`] | the bytes as they come, owned and reference-counted | who passes a stream through and watches it with a [`Decoder`](crate::Decoder) |
//! | [`Call::fetch`] | a whole [`Message`] | who does not stream |
//!
//! An [`EventSource`] is for what is not a reply: it reconnects, and goes on where it was.
//!
//! # What a network does
//!
//! - **Time.** Connecting, the first byte, silence and want of content have a limit each
//!   ([`Options`]); nothing limits a stream as a whole, since healthy ones last long.
//! - **Failure.** One [`Error`], whose [`Kind`] says what went wrong. What was received before it
//!   stays received; a body that was cut short never ends as
//!   [`Complete`](crate::End::Complete).
//! - **Other attempts** are made only where no connection came about, or the server refused with a
//!   status that asks for one ([`Options::retries`]). A completion whose response began is never asked
//!   for again: it would be paid for twice.
//! - **Redirects** of a request with a body are followed only where they keep it (307, 308) and
//!   stay with the same origin; those of a GET up to 10, and to another origin without any header
//!   that the caller set.
//! - **Cancelling** from another thread: [`Cancel`]. Dropping a stream closes its connection.
//!   Reading one to its end keeps it for the next request, for 15 s.
//! - **Behind the terminator** (`[DONE]` and its like) nothing is waited for but, for 50 ms, the end
//!   of the body.
//! - **TLS** is verified, against Mozilla's roots or [`Options::ca_file`]; that cannot be turned off.
//!
//! | file | has |
//! |---|---|
//! | `options.rs` | what a client is told, and what each provider is used to |
//! | `request.rs` | what is asked |
//! | `call.rs` | sending it: headers, redirects, other attempts |
//! | `line.rs` | how long a connection is waited for, and how it ended |
//! | `cancel.rs` | ending it from elsewhere |
//! | `body.rs`, `stream.rs`, `events.rs` | what is read while it comes: bytes, deltas, events |
//! | `event_source.rs` | reconnecting |
//! | `error.rs` | what can go wrong |

mod body;
mod call;
mod cancel;
mod error;
mod event_source;
mod events;
mod line;
mod options;
mod phase;
mod request;
mod stream;
mod url;

use std::fs;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub use body::Chunks;
pub use call::Call;
pub use cancel::Cancel;
pub use error::{Error, Kind, Status};
pub use event_source::{EventSource, Reconnect};
pub use events::{Event, Events};
pub use options::{Key, Options, Provider, Proxy};
pub use phase::Phase;
pub use request::{Input, Request, Turn};
pub use stream::Stream;

use self::call::Payload;
use self::line::{Limits, Line};
use crate::message::Message;

/// The longest head of a response that is accepted, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// What a connection reads at once, which a whole head has to fit in.
const INPUT_BYTES: usize = MAX_HEAD_BYTES + 4 * 1024;
const OUTPUT_BYTES: usize = 16 * 1024;
/// How many connections are kept for later requests.
const MAX_IDLE: usize = 16;

/// Asks one provider. Keeps its connections for the next request; clones share them. May be used by
/// several threads at once.
///
/// ```no_run
/// use std::time::Duration;
///
/// use deltawire::client::{Client, Options, Provider, Request};
///
/// let mut options = Options::from_env(Provider::OpenAi);
/// options.timeout_first_byte = Some(Duration::from_secs(60));
/// let client = Client::new(options)?;
/// let mut request = Request::chat("gpt-4o-mini");
/// request.push("user", "What's 1+1? Answer in one word.");
/// // Whole, for who does not stream.
/// let message = client.ask(&request).fetch()?;
/// println!("{}", message.text());
/// # Ok::<(), deltawire::client::Error>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    options: Options,
    config: ureq::config::Config,
    /// Those that no request uses.
    idle: Mutex<Vec<Lease>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.0.options).finish()
    }
}

/// One connection with all that belongs to it. ureq can interrupt no single request, only an agent
/// with all of its own, so each request has an agent to itself.
struct Lease {
    agent: ureq::Agent,
    line: Line,
    home: Weak<Shared>,
}

impl Lease {
    /// Gives it back for another request.
    fn give_back(self) {
        let Some(home) = self.home.upgrade() else {
            return;
        };
        let mut idle = home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(self);
        }
    }
}

impl Client {
    /// A client with these options.
    ///
    /// # Errors
    ///
    /// [`Kind::Request`] where the base URL is missing, a proxy is malformed, or a file of
    /// certificates cannot be read or has none.
    pub fn new(options: Options) -> Result<Self, Error> {
        let base_url = options.base_url();
        let shown = url::shown(base_url);
        let fail = |what: String| Error::new(Kind::Request, &shown, what);
        if base_url.is_empty() {
            return Err(fail(format!("{} needs a base URL", options.provider)));
        }
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .timeout_resolve(options.timeout_connect)
            .timeout_connect(options.timeout_connect)
            .accept_encoding("identity")
            .user_agent(concat!("deltawire/", env!("CARGO_PKG_VERSION")));
        match &options.proxy {
            Proxy::Environment if !url::is_loopback(base_url) => {}
            Proxy::Environment | Proxy::Direct => config = config.proxy(None),
            Proxy::Url(proxy) => {
                let proxy = ureq::Proxy::new(proxy.reveal())
                    .map_err(|error| fail(format!("cannot use the proxy: {error}")))?;
                config = config.proxy(Some(proxy));
            }
        }
        if let Some(file) = &options.ca_file {
            let cannot = |why: String| {
                fail(format!(
                    "cannot use the certificates in {}: {why}",
                    file.display()
                ))
            };
            let pem = fs::read(file).map_err(|error| cannot(error.to_string()))?;
            let mut certificates = Vec::new();
            for item in ureq::tls::parse_pem(&pem) {
                match item.map_err(|error| cannot(error.to_string()))? {
                    ureq::tls::PemItem::Certificate(certificate) => certificates.push(certificate),
                    _ => return Err(cannot("the file has more than certificates".into())),
                }
            }
            if certificates.is_empty() {
                return Err(cannot("the file has no certificates".into()));
            }
            let roots = ureq::tls::RootCerts::new_with_certs(&certificates);
            config = config.tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Client(Arc::new(Shared {
            config: config.build(),
            options,
            idle: Mutex::default(),
        })))
    }

    /// A client of OpenAI.
    ///
    /// # Errors
    ///
    /// None: as [`new`](Self::new), whose reasons do not apply.
    pub fn openai(key: impl Into<Key>) -> Result<Self, Error> {
        Self::of(Provider::OpenAi, "", Some(key.into()))
    }

    /// A client of any server that speaks OpenAI's API. `base_url` is what precedes
    /// `/chat/completions`, with or without a slash at its end.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn compatible(base_url: &str, key: Option<Key>) -> Result<Self, Error> {
        Self::of(Provider::OpenAi, base_url, key)
    }

    /// A client of OpenAI's models on Azure. `endpoint` is the resource's,
    /// `https://NAME.openai.azure.com`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn azure(endpoint: &str, key: impl Into<Key>) -> Result<Self, Error> {
        Self::of(Provider::Azure, endpoint, Some(key.into()))
    }

    /// A client of Anthropic.
    ///
    /// # Errors
    ///
    /// None: as [`new`](Self::new), whose reasons do not apply.
    pub fn anthropic(key: impl Into<Key>) -> Result<Self, Error> {
        Self::of(Provider::Anthropic, "", Some(key.into()))
    }

    /// A client of Google's Gemini.
    ///
    /// # Errors
    ///
    /// None: as [`new`](Self::new), whose reasons do not apply.
    pub fn gemini(key: impl Into<Key>) -> Result<Self, Error> {
        Self::of(Provider::Gemini, "", Some(key.into()))
    }

    /// A client of Ollama on this machine.
    ///
    /// # Errors
    ///
    /// None: as [`new`](Self::new), whose reasons do not apply.
    pub fn ollama() -> Result<Self, Error> {
        Self::of(Provider::Ollama, "", None)
    }

    fn of(provider: Provider, base_url: &str, key: Option<Key>) -> Result<Self, Error> {
        let mut options = Options::new(provider);
        options.base_url = base_url.into();
        options.key = key.filter(|key| !key.reveal().is_empty());
        Self::new(options)
    }

    /// What it was told.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// A call with a request for a reply.
    pub fn ask<'c>(&'c self, request: &'c Request) -> Call<'c> {
        Call::new(self, Payload::Request(request))
    }

    /// A call that posts JSON made elsewhere to a path below the base URL, such as
    /// `/chat/completions`, or to a whole URL.
    pub fn post<'c>(&'c self, path: &'c str, json: &'c str) -> Call<'c> {
        Call::new(self, Payload::Post { path, body: json })
    }

    /// A call that gets a path below the base URL, or a whole URL.
    pub fn get<'c>(&'c self, path: &'c str) -> Call<'c> {
        Call::new(self, Payload::Get { path })
    }

    /// Asks for a stream: [`ask`](Self::ask) and [`Call::stream`] in one.
    ///
    /// # Errors
    ///
    /// As [`Call::stream`].
    pub fn stream(&self, request: &Request) -> Result<Stream, Error> {
        self.ask(request).stream()
    }

    /// Asks for a whole response: [`ask`](Self::ask) and [`Call::fetch`] in one.
    ///
    /// # Errors
    ///
    /// As [`Call::fetch`].
    pub fn fetch(&self, request: &Request) -> Result<Message, Error> {
        self.ask(request).fetch()
    }

    /// A connection for one request: the one that was used last, if any is kept.
    fn lease(&self) -> Lease {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = idle.pop() {
            return lease;
        }
        let options = &self.0.options;
        let line = Line::new(Limits {
            first_byte: options.timeout_first_byte,
            idle: options.timeout_idle,
            content: options.timeout_content,
        });
        let agent = ureq::Agent::with_parts(
            self.0.config.clone(),
            line.connector(),
            ureq::unversioned::resolver::DefaultResolver::default(),
        );
        Lease {
            agent,
            line,
            home: Arc::downgrade(&self.0),
        }
    }
}
