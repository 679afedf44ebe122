//! What can go wrong between a request and the end of its response.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use ureq::http::HeaderMap;

use super::line::{Fault, Line};
use super::options::Secrets;
use super::phase::Phase;
use crate::decoder;
use crate::delta;
use crate::frame;
use crate::reply::error::{ProviderError, kind_of_status};

/// How much of the body of a refusal is kept, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The request is malformed: its URL, a header, a certificate file or a proxy. Nothing was sent.
    Request,
    /// The server, or the proxy before it, could not be reached. It has not seen the request.
    Connect,
    /// TLS handshake failed: the certificate is untrusted, expired or for another host, or the server
    /// does not use TLS. The server has not seen the request.
    Tls,
    /// Timed out waiting for data.
    Timeout(Phase),
    /// The server refused: an HTTP status other than 2xx. [`Error::status`] has it.
    Status,
    /// The response is not an event stream (for example an HTML page).
    ContentType,
    /// The body has an encoding that is not known, or is no valid gzip.
    Encoding,
    /// A redirect that is not followed: of a request with a body to another origin or to a GET, one
    /// without a place, or too many of them.
    Redirect,
    /// What came is not HTTP.
    Protocol,
    /// The server closed the connection before it answered.
    Closed,
    /// The connection was reset: the server, or somebody between, went away.
    Reset,
    /// The body ended before its length, before its last chunk, or without TLS's end.
    Truncated,
    /// More than the limit: an event, a whole response, or the head of a response.
    Limit,
    /// [`Cancel::cancel`](super::Cancel::cancel) was called.
    Cancelled,
    /// A whole response could not be decoded. [`Error::decode`] has more. In a stream of deltas an event
    /// that cannot be decoded is not an error but a [`Delta::Invalid`](crate::Delta::Invalid).
    Decode,
}

impl Kind {
    /// The kind's name, as the command prints it: `content-type`, `timeout`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Request => "request",
            Kind::Connect => "connect",
            Kind::Tls => "tls",
            Kind::Timeout(_) => "timeout",
            Kind::Status => "status",
            Kind::ContentType => "content-type",
            Kind::Encoding => "encoding",
            Kind::Redirect => "redirect",
            Kind::Protocol => "protocol",
            Kind::Closed => "closed",
            Kind::Reset => "reset",
            Kind::Truncated => "truncated",
            Kind::Limit => "limit",
            Kind::Cancelled => "cancelled",
            Kind::Decode => "decode",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request was not answered, or not to its end. No key is in it, whoever said it.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    url: String,
    /// The error text, shown after the URL and a colon.
    what: String,
    status: Option<Status>,
    decode: Option<decoder::Error>,
    source: Option<Source>,
    is_final: bool,
}

/// A refusal, taken out of whatever shape the provider gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The HTTP status, such as 429.
    pub status: u16,
    /// What went wrong, in the vocabulary of errors inside a stream.
    pub kind: delta::ErrorKind,
    /// The provider's code, else its type; empty where there is neither.
    pub code: String,
    /// The provider's message; empty where the body has none.
    pub message: String,
    /// Whether the same request may succeed later.
    pub transient: bool,
    /// How long the server asks to wait before another attempt: `Retry-After` in either of its forms
    /// (RFC 9110, section 10.2.3), or the finer `retry-after-ms`.
    pub retry_after: Option<Duration>,
    /// What the provider calls the request, for its support: `x-request-id` or its like.
    pub request_id: Option<String>,
    /// The body as text, up to 64 KiB of it, what is no UTF-8 replaced by U+FFFD.
    pub body: String,
}

impl Status {
    /// Whether another attempt of the client's own is due.
    pub(super) fn is_retried(&self) -> bool {
        // An account without credit is told so with 429; waiting does not fill it.
        matches!(self.status, 408 | 409 | 429 | 500..=599)
            && self.kind != delta::ErrorKind::Permission
    }

    /// Reads a refusal's body.
    pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8], secrets: &Secrets) -> Self {
        let body = secrets.redact(&String::from_utf8_lossy(body));
        let mut refusal = Status {
            status,
            retry_after: retry_after(headers),
            request_id: request_id(headers).map(|id| secrets.redact(&id)),
            kind: delta::ErrorKind::Other,
            code: String::new(),
            message: String::new(),
            transient: false,
            body: String::new(),
        };
        let mut note = |error: ProviderError<'_>| {
            let kind = error.kind();
            // `invalid_request_error` is said of a missing key too; the status is more precise.
            refusal.kind = match kind {
                delta::ErrorKind::InvalidRequest | delta::ErrorKind::Other => {
                    kind_of_status(status.into()).unwrap_or(kind)
                }
                kind => kind,
            };
            let code = [error.code, error.name].into_iter();
            let code = code.into_iter().find(|code| !code.is_empty());
            refusal.code = code.unwrap_or_default().to_string();
            refusal.message = error.message.to_string();
        };
        decoder::read_error_body(body.trim_ascii(), |error| note(error.unwrap_or_default()));
        refusal.transient = refusal.kind.is_transient();
        refusal.body = body;
        refusal
    }
}

/// `Retry-After` as seconds or as a date, or in milliseconds as OpenAI and Azure send it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name| text(name)?.parse::<f64>().ok();
    let positive = |seconds| Duration::try_from_secs_f64(seconds).ok();
    if let Some(duration) = number("retry-after-ms").and_then(|ms| positive(ms / 1000.0)) {
        return Some(duration);
    }
    if let Some(duration) = number("retry-after").and_then(positive) {
        return Some(duration);
    }
    let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
    // A date that is over is no reason to wait.
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let names = [
        "x-request-id",
        "request-id",
        "apim-request-id",
        "x-amzn-requestid",
        "x-goog-request-id",
        "cf-ray",
    ];
    let id = names.into_iter().find_map(|name| headers.get(name))?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

impl Error {
    pub(super) fn new(kind: Kind, url: &str, what: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            url: url.into(),
            what: what.into(),
            status: None,
            decode: None,
            source: None,
            is_final: true,
        }))
    }

    fn caused(kind: Kind, url: &str, what: &str, source: impl Into<Source>) -> Self {
        let source = source.into();
        // ureq's own word for an error of I/O says nothing to a reader.
        let said = source.to_string();
        let said = said.strip_prefix("io: ").unwrap_or(&said);
        let mut error = Error::new(kind, url, format!("{what}: {said}"));
        error.0.source = Some(source);
        error
    }

    pub(super) fn refused(url: &str, status: Status) -> Self {
        let mut what = format!("HTTP status {}", status.status);
        if status.message.is_empty() {
            what.push_str(" with ");
            what.push_str(&decoder::describe_body(status.body.as_bytes()));
        } else {
            what.push_str(": ");
            what.push_str(&status.message);
        }
        let mut error = Error::new(Kind::Status, url, what);
        error.0.status = Some(status);
        error
    }

    pub(crate) fn decoding(url: &str, decode: decoder::Error) -> Self {
        let kind = match decode {
            decoder::Error::Frame(frame::Error::EventTooLarge { .. }) => Kind::Limit,
            _ => Kind::Decode,
        };
        let mut error = Error::new(kind, url, format!("could not decode an event: {decode}"));
        error.0.decode = Some(decode);
        error.0.is_final = false;
        error
    }

    /// A whole response that is no reply.
    pub(super) fn unread(url: &str, decode: decoder::Error, what: String) -> Self {
        let mut error = Error::new(Kind::Decode, url, what);
        error.0.decode = Some(decode);
        error
    }

    pub(super) fn cancelled(url: &str) -> Self {
        Error::new(Kind::Cancelled, url, "cancelled")
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The URL that was asked, without what is secret in it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The refusal, of the kind [`Kind::Status`], and of [`Kind::Redirect`] and
    /// [`Kind::ContentType`], which have a status and a body too.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }

    /// Where and why a whole response could not be decoded, of the kind [`Kind::Decode`]; and where an
    /// event of [`Events`](super::Events) was over the limit, of the kind [`Kind::Limit`].
    #[must_use]
    pub fn decode(&self) -> Option<&decoder::Error> {
        self.0.decode.as_ref()
    }

    /// Whether nothing more comes. Only an event of [`Events`](super::Events) that is over the limit is an
    /// error after which more comes.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.0.is_final
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            Kind::Connect | Kind::Timeout(_) | Kind::Closed | Kind::Reset | Kind::Truncated => true,
            Kind::Status => self.status().is_some_and(|status| status.transient),
            _ => false,
        }
    }

    /// Whether another attempt cannot do twice what was asked, since the server has not begun it.
    pub(super) fn is_retried(&self) -> bool {
        match self.0.kind {
            Kind::Connect | Kind::Timeout(Phase::Connect) => true,
            Kind::Status => self.status().is_some_and(Status::is_retried),
            _ => false,
        }
    }

    pub(super) fn with_status(mut self, status: Status) -> Self {
        self.0.status = Some(status);
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.url.is_empty() {
            write!(f, "{}: ", self.0.url)?;
        }
        f.write_str(&self.0.what)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Some(decode) = &self.0.decode {
            return Some(decode);
        }
        self.0.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// What is known of a request when ureq fails.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// For messages: nothing in it is secret.
    pub(super) url: String,
    pub(super) secrets: Secrets,
    pub(super) is_https: bool,
    pub(super) timeout_connect: Option<Duration>,
    pub(super) line: Line,
}

impl Context {
    pub(super) fn error(&self, kind: Kind, what: impl Into<String>) -> Error {
        Error::new(kind, &self.url, what)
    }

    /// What a read that ended the body without an error of its own hides: that it was no clean end.
    pub(super) fn hidden(&self) -> Option<Error> {
        match self.line.fault()? {
            Fault::Reset => Some(self.reset()),
            Fault::Cut => Some(self.truncated()),
            Fault::Timeout(..) => None,
        }
    }

    fn reset(&self) -> Error {
        self.error(Kind::Reset, "the server reset the connection")
    }

    fn truncated(&self) -> Error {
        self.error(
            Kind::Truncated,
            "the connection closed in the middle of the response body",
        )
    }

    pub(super) fn timeout(&self, phase: Phase, limit: Option<Duration>) -> Error {
        let what = match phase {
            Phase::Connect => "while connecting",
            Phase::FirstByte => "waiting for the response",
            Phase::Idle => "waiting for data",
            Phase::Content => "waiting for content: only keep-alives arrived",
        };
        let what = match limit {
            Some(limit) => format!("timed out after {} s {what}", limit.as_secs_f64()),
            None => format!("timed out {what}"),
        };
        self.error(Kind::Timeout(phase), what)
    }

    /// An error of reading the body; ureq wraps its own in those of I/O.
    pub(super) fn read(&self, error: io::Error) -> Error {
        match ureq::Error::from(error) {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.hidden().unwrap_or_else(|| self.truncated())
            }
            ureq::Error::Decompress(_, error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.hidden().unwrap_or_else(|| self.truncated())
            }
            // Bytes that make up no chunk are left, and no more come.
            ureq::Error::BodyStalled => self.hidden().unwrap_or_else(|| self.truncated()),
            error => self.failed(error),
        }
    }

    /// An error before the body.
    pub(super) fn failed(&self, error: ureq::Error) -> Error {
        if let Some(Fault::Timeout(phase, limit)) = self.line.fault() {
            return self.timeout(phase, Some(limit));
        }
        let (kind, what) = match &error {
            ureq::Error::Timeout(_) => return self.timeout(Phase::Connect, self.timeout_connect),
            ureq::Error::Io(source) => match source.kind() {
                _ if self.is_tls(source) => (Kind::Tls, "TLS handshake failed"),
                _ if !self.line.is_open() => (Kind::Connect, "could not connect"),
                io::ErrorKind::UnexpectedEof => match self.line.fault() {
                    Some(Fault::Reset) => return self.reset(),
                    _ => {
                        return self.error(
                            Kind::Closed,
                            "the server closed the connection without a response",
                        );
                    }
                },
                _ => match self.line.fault() {
                    Some(Fault::Reset) => return self.reset(),
                    _ => (Kind::Closed, "the connection failed"),
                },
            },
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::TlsRequired => {
                (Kind::Tls, "TLS handshake failed")
            }
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => (Kind::Request, "invalid URL"),
            ureq::Error::InvalidProxyUrl => (Kind::Request, "invalid proxy"),
            ureq::Error::Pem(_) => (Kind::Request, "invalid certificates"),
            ureq::Error::Decompress(..) => (Kind::Encoding, "the body is not valid gzip"),
            ureq::Error::LargeResponseHeader(..) => {
                (Kind::Limit, "the response headers are too large")
            }
            // ureq exports no names for its parser's errors.
            ureq::Error::Protocol(source) if source.to_string().contains("too many headers") => {
                (Kind::Limit, "the response headers are too large")
            }
            ureq::Error::Protocol(_) => (Kind::Protocol, "the response is not valid HTTP"),
            // What is left is about names and proxies.
            _ => (Kind::Connect, "could not connect"),
        };
        Error::caused(kind, &self.url, what, error)
    }

    /// Whether an error of I/O is one of TLS: what rustls says is invalid data, and what ends a
    /// connection that stands but is not yet open for a request ends its handshake.
    fn is_tls(&self, error: &io::Error) -> bool {
        let is_end = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        );
        let is_rustls = error.kind() == io::ErrorKind::InvalidData;
        self.is_https && (is_rustls || (is_end && !self.line.is_open()))
    }
}
