//! What can go wrong between a request and the end of its response.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::decoder;
use crate::delta::ErrorKind;
use crate::dialect::error::{Said, kind_of_status};
use crate::dialect::json;

/// How much of the body of a refusal is kept, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a request was not answered, or not to its end. No key is in it, whoever said it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server could not be reached, so it has not seen the request.
    Connect {
        /// The URL that was asked for.
        url: String,
        /// What the system or TLS said.
        source: Source,
    },
    /// Nothing came for too long.
    Timeout {
        /// The URL that was asked for.
        url: String,
        /// What was waited for.
        phase: Phase,
        /// How long was waited at most, where a limit is known.
        limit: Option<Duration>,
    },
    /// The server refused: an HTTP status other than 2xx.
    Status(Box<Status>),
    /// The connection broke after the request had been sent; the server may have acted on it.
    Lost {
        /// The URL that was asked for.
        url: String,
        /// What the system said.
        source: Source,
    },
    /// What came is not HTTP, or no reply of a known provider.
    Protocol {
        /// The URL that was asked for.
        url: String,
        /// What came instead.
        what: String,
    },
    /// The request cannot be sent as it is: its URL or a header is malformed.
    Request {
        /// The URL that was asked for.
        url: String,
        /// What is wrong with it.
        source: Source,
    },
    /// An event of the stream, or the whole response, could not be decoded. A stream goes on
    /// behind it.
    Decode(decoder::Error),
}

/// What was waited for when time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The connection, TLS among it.
    Connect,
    /// The response's next bytes, its head among them.
    Response,
}

/// A refusal, taken out of whatever shape the provider gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The URL that was asked for.
    pub url: String,
    /// The HTTP status, such as 429.
    pub status: u16,
    /// What went wrong, in the vocabulary of errors inside a stream.
    pub kind: ErrorKind,
    /// The provider's code, else its type; empty where there is neither.
    pub code: String,
    /// The provider's message; empty where the body has none.
    pub message: String,
    /// Whether the same request may succeed later.
    pub transient: bool,
    /// The body as text, up to 64 KiB of it, what is no UTF-8 replaced by U+FFFD.
    pub body: String,
}

impl Status {
    /// Reads a refusal's body. `redact` takes the key out, which some servers repeat.
    pub(super) fn read(
        url: &str,
        status: u16,
        body: &[u8],
        redact: impl Fn(&str) -> String,
    ) -> Self {
        let body = redact(&String::from_utf8_lossy(body));
        let mut refusal = Status {
            url: url.into(),
            status,
            kind: ErrorKind::Other,
            code: String::new(),
            message: String::new(),
            transient: false,
            body: String::new(),
        };
        let mut note = |said: Said<'_>| {
            let kind = said.kind();
            // `invalid_request_error` is said of a missing key too; the status is more precise.
            refusal.kind = match kind {
                ErrorKind::InvalidRequest | ErrorKind::Other => {
                    kind_of_status(status.into()).unwrap_or(kind)
                }
                kind => kind,
            };
            refusal.code = [said.code, said.name]
                .into_iter()
                .find(|code| !code.is_empty())
                .unwrap_or_default()
                .into();
            refusal.message = said.message.into();
        };
        let read = json::read(body.trim_ascii().as_bytes(), |doc| {
            note(Said::read(doc.root));
        });
        if read.is_err() {
            note(Said::default());
        }
        refusal.transient = refusal.kind.is_transient();
        refusal.body = body;
        refusal
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered with HTTP status {}", self.url, self.status)?;
        if self.message.is_empty() {
            let what = decoder::describe_body(self.body.as_bytes());
            write!(f, " and {what}")
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

impl Error {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Connect { .. } | Error::Timeout { .. } | Error::Lost { .. } => true,
            Error::Status(status) => status.transient,
            Error::Protocol { .. } | Error::Request { .. } | Error::Decode(_) => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Connect { url, source } => write!(f, "{url} cannot be reached: {source}"),
            Error::Timeout { url, phase, limit } => {
                let what = match phase {
                    Phase::Connect => "no connection to",
                    Phase::Response => "no answer from",
                };
                write!(f, "{what} {url}")?;
                match limit {
                    Some(limit) => write!(f, " for {} s", limit.as_secs_f64()),
                    None => f.write_str(" in time"),
                }
            }
            Error::Status(status) => status.fmt(f),
            Error::Lost { url, source } => write!(f, "the connection to {url} broke: {source}"),
            Error::Protocol { url, what } => write!(f, "{url} sent no reply: {what}"),
            Error::Request { url, source } => {
                write!(f, "no request can be made to {url}: {source}")
            }
            Error::Decode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Connect { source, .. }
            | Error::Lost { source, .. }
            | Error::Request { source, .. } => Some(source.as_ref()),
            Error::Decode(error) => Some(error),
            Error::Timeout { .. } | Error::Status(_) | Error::Protocol { .. } => None,
        }
    }
}

impl From<decoder::Error> for Error {
    fn from(error: decoder::Error) -> Self {
        Error::Decode(error)
    }
}

/// What is known of a request when ureq fails.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) url: String,
    pub(super) timeout_connect: Option<Duration>,
    pub(super) timeout_idle: Option<Duration>,
}

impl Context {
    pub(super) fn protocol(&self, what: impl Into<String>) -> Error {
        Error::Protocol {
            url: self.url.clone(),
            what: what.into(),
        }
    }

    /// An error of reading the body; ureq wraps its own in those of I/O.
    pub(super) fn read(&self, error: io::Error) -> Error {
        self.error(ureq::Error::from(error))
    }

    pub(super) fn error(&self, error: ureq::Error) -> Error {
        let url = self.url.clone();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Error::Timeout {
                    url,
                    phase: Phase::Connect,
                    limit: self.timeout_connect,
                }
            }
            ureq::Error::Timeout(_) => Error::Timeout {
                url,
                phase: Phase::Response,
                limit: self.timeout_idle,
            },
            ureq::Error::Io(source) if is_refusal_to_connect(source.kind()) => Error::Connect {
                url,
                source: source.into(),
            },
            ureq::Error::Io(source) => Error::Lost {
                url,
                source: source.into(),
            },
            error @ (ureq::Error::Http(_)
            | ureq::Error::BadUri(_)
            | ureq::Error::InvalidProxyUrl) => Error::Request {
                url,
                source: error.into(),
            },
            error @ (ureq::Error::Protocol(_)
            | ureq::Error::LargeResponseHeader(..)
            | ureq::Error::Decompress(..)
            | ureq::Error::BodyExceedsLimit(_)) => Error::Protocol {
                url,
                what: error.to_string(),
            },
            // What is left is about names, proxies and TLS.
            error => Error::Connect {
                url,
                source: error.into(),
            },
        }
    }
}

/// These come from connecting alone; a connection that is in use breaks in other ways.
fn is_refusal_to_connect(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied
    )
}
