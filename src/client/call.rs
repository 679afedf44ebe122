//! Sending a request, and the head of its response.

use std::borrow::Cow;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::BodyReader;
use ureq::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
};
use ureq::http::response::Parts;
use ureq::http::{HeaderMap, Method};

use super::body::{Body, Chunks};
use super::cancel::{Cancel, Running, Sent};
use super::error::{Context, Error, Kind, MAX_BODY_BYTES, Status};
use super::events::Events;
use super::options::{Key, Secrets};
use super::phase::Phase;
use super::request::Request;
use super::stream::Stream;
use super::{Client, Lease, url};
use crate::frame::Framing;
use crate::message::Message;

/// How many redirects of a GET are followed.
const MAX_REDIRECTS: u32 = 10;
/// The wait before the first further attempt; each later one is twice as long, up to the second.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload<'c> {
    Request(&'c Request),
    Post { path: &'c str, body: &'c str },
    Get { path: &'c str },
}

/// A request that is about to be sent. What it is asked for last sends it.
///
/// ```no_run
/// use deltawire::client::{Cancel, Client};
///
/// let client = Client::openai("key")?;
/// let cancel = Cancel::new();
/// let call = client.post("/responses", r#"{"model":"gpt-4o-mini","input":"Hi","stream":true}"#);
/// let stream = call.cancel(&cancel).stream()?;
/// # Ok::<(), deltawire::client::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before it is asked for a stream, events, chunks or a message"]
pub struct Call<'c> {
    client: &'c Client,
    payload: Payload<'c>,
    headers: Vec<(String, Key)>,
    cancel: Cancel,
}

/// A request, ready to be sent as often as it takes.
pub(super) struct Ready {
    method: Method,
    url: String,
    /// Those of the client itself, which go wherever the request goes.
    own: HeaderMap,
    /// The key and those that the caller set, which stay with the origin.
    private: HeaderMap,
    /// What of these must not be shown.
    secrets: Secrets,
    body: Vec<u8>,
}

/// A response, of which the head is there.
pub(super) struct Answer {
    pub(super) body: Body,
    /// When the request was sent that was answered.
    pub(super) sent: Instant,
    status: u16,
    headers: HeaderMap,
}

/// Content types of which no body is a reply.
const FOREIGN: &[&str] = &[
    "text/html",
    "application/xhtml+xml",
    "application/pdf",
    "application/zip",
    "image/",
    "audio/",
    "video/",
    "font/",
    "multipart/",
];

impl Answer {
    fn content_type(&self) -> Cow<'_, str> {
        let content_type = self.headers.get(CONTENT_TYPE);
        content_type
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .unwrap_or_default()
    }

    /// The error of a success that is no stream, with what it is instead.
    fn into_foreign(mut self) -> Error {
        let body = self.take_body();
        let context = self.body.context();
        let described = context.secrets.describe(&body);
        let content_type = context.secrets.redact(&self.content_type());
        let what = if content_type.is_empty() {
            format!("expected a stream but got a body without a content type: {described}")
        } else {
            format!("expected a stream but got {content_type:?}: {described}")
        };
        let status = status_of(self.status, &self.headers, &body, context);
        let error = context.error(Kind::ContentType, what);
        error.with_status(status)
    }

    /// The error of a success that is none for whoever asked.
    pub(super) fn into_refusal(mut self) -> Error {
        let body = self.take_body();
        let context = self.body.context();
        let status = status_of(self.status, &self.headers, &body, context);
        Error::refused(&context.url, status)
    }

    /// The beginning of the body, and no more of it.
    fn take_body(&mut self) -> Vec<u8> {
        // What can be had of it will do.
        let body = self.body.read_up_to(MAX_BODY_BYTES).unwrap_or_default();
        self.body.close();
        body
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Whether the body can be no reply. Servers that forget the type, or give one that fits no
    /// stream, are many, so only what is surely something else counts.
    fn is_foreign(&self) -> bool {
        let content_type = self.content_type().to_ascii_lowercase();
        FOREIGN.iter().any(|start| content_type.starts_with(start))
    }

    /// Whether it calls itself an event stream, whatever parameters follow.
    fn is_event_stream(&self) -> bool {
        Framing::of_content_type(&self.content_type()) == Some(Framing::Sse)
    }
}

impl<'c> Call<'c> {
    pub(super) fn new(client: &'c Client, payload: Payload<'c>) -> Self {
        Call {
            client,
            payload,
            headers: Vec::new(),
            cancel: Cancel::new(),
        }
    }

    /// Makes it end when `cancel` says so.
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Adds a header for this call alone; one that the client has too takes its place. The value
    /// is treated like a key.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Key>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends it and gives the response's deltas, as soon as its head is there. Whatever the
    /// response is, it is streamed: a request that was written by hand has to ask for that itself.
    ///
    /// # Errors
    ///
    /// [`Kind::Request`], [`Kind::Connect`], [`Kind::Tls`], [`Kind::Timeout`], [`Kind::Closed`],
    /// [`Kind::Reset`], [`Kind::Protocol`], [`Kind::Limit`] and [`Kind::Cancelled`] where no response
    /// came; [`Kind::Status`] and [`Kind::Redirect`] where it is no success, [`Kind::ContentType`] and
    /// [`Kind::Encoding`] where it cannot be read.
    pub fn stream(self) -> Result<Stream, Error> {
        let answer = self.send(true, "text/event-stream, application/json", "identity")?;
        if answer.is_foreign() {
            return Err(answer.into_foreign());
        }
        let options = self.client.options().decoder.clone();
        Ok(Stream::new(answer.body, answer.sent, options))
    }

    /// Sends it and gives the response's bytes as they come.
    ///
    /// # Errors
    ///
    /// As [`stream`](Self::stream), but for those of the content type.
    pub fn chunks(self) -> Result<Chunks, Error> {
        let answer = self.send(true, "text/event-stream, application/json", "identity")?;
        Ok(Chunks::new(answer.body))
    }

    /// Sends it and gives the events of the event stream that the response is.
    ///
    /// # Errors
    ///
    /// As [`stream`](Self::stream); [`Kind::ContentType`] for anything but `text/event-stream`.
    pub fn events(self) -> Result<Events, Error> {
        let answer = self.send(true, "text/event-stream", "identity")?;
        self.client.events(answer)
    }

    /// Sends it, waits for the whole response and reads it. The message's timing has only its end.
    ///
    /// # Errors
    ///
    /// As [`stream`](Self::stream), and those of reading a body; [`Kind::Decode`] for one that is no
    /// reply, [`Kind::Limit`] for one over [`max_response_bytes`](super::Options::max_response_bytes).
    pub fn fetch(self) -> Result<Message, Error> {
        // Nothing is read before all has come, so it may come in blocks.
        let answer = self.send(false, "application/json", "gzip")?;
        let (mut body, sent) = (answer.body, answer.sent);
        let limit = self.client.options().max_response_bytes;
        let bytes = body.read_up_to(limit)?;
        if bytes.len() > limit {
            let what = format!("the response is larger than {limit} bytes");
            return Err(body.context().error(Kind::Limit, what));
        }
        let mut message = Message::from_response(&bytes).map_err(|error| {
            let what = format!(
                "expected a reply but got {}",
                body.context().secrets.describe(&bytes)
            );
            Error::unread(&body.context().url, error, what)
        })?;
        message.timing.whole = Some(sent.elapsed());
        Ok(message)
    }

    /// Sends it, again where that is due, and takes a refusal apart.
    fn send(&self, stream: bool, accept: &str, encoding: &str) -> Result<Answer, Error> {
        let ready = self.ready(stream, accept, encoding)?;
        self.client.send(&ready, &self.cancel)
    }

    /// Puts it together.
    pub(super) fn ready(&self, stream: bool, accept: &str, encoding: &str) -> Result<Ready, Error> {
        let options = self.client.options();
        let fail = |what: &str| {
            let url = url::shown(options.base_url());
            Error::new(Kind::Request, &url, what)
        };
        let (method, path, body) = match self.payload {
            Payload::Request(request) => (
                Method::POST,
                request.path(options, stream),
                request
                    .to_json(options.provider, stream)
                    .map_err(|what| fail(&what))?,
            ),
            Payload::Post { path, body } => (Method::POST, path.into(), body.into()),
            Payload::Get { path } => (Method::GET, path.into(), String::new()),
        };
        let url = if path.contains("://") {
            path
        } else {
            format!("{}{path}", options.base_url())
        };
        let mut own = HeaderMap::new();
        let mut private = HeaderMap::new();
        let put = |map: &mut HeaderMap, name: &str, value: &str| {
            // Not even the name is shown where it is none: it may have been meant to be a value.
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| fail("a header name is malformed"))?;
            let value = header_value(&name, value.as_bytes()).map_err(|what| fail(&what))?;
            map.insert(name, value);
            Ok(())
        };
        put(&mut own, "accept", accept)?;
        put(&mut own, "accept-encoding", encoding)?;
        if method == Method::POST {
            put(&mut own, "content-type", "application/json")?;
        }
        let key = options.key.as_ref().map(Key::reveal);
        for (name, value) in options.provider.headers(key) {
            put(&mut private, name, &value)?;
        }
        for (name, value) in options.headers.iter().chain(&self.headers) {
            put(&mut private, name, value.reveal())?;
        }
        let secrets = options.headers.iter().chain(&self.headers);
        let secrets = secrets.map(|(_, value)| value).chain(&options.key);
        Ok(Ready {
            method,
            url,
            own,
            private,
            secrets: Secrets::new(secrets),
            body: body.into_bytes(),
        })
    }
}

/// A header's value; or what is wrong with it, without showing it.
fn header_value(name: &HeaderName, value: &[u8]) -> Result<HeaderValue, String> {
    let fault = || format!("the value of the header {name} has an invalid character");
    let value = HeaderValue::from_bytes(value).map_err(|_| fault())?;
    // Bytes beyond ASCII, which others may have.
    if name == AUTHORIZATION && value.to_str().is_err() {
        return Err(fault());
    }
    Ok(value)
}

impl Ready {
    /// Where it goes, without what is secret in that.
    pub(super) fn shown_url(&self) -> String {
        url::shown(&self.url)
    }

    /// Sets a header that goes wherever the request goes.
    pub(super) fn set(&mut self, name: HeaderName, value: &[u8]) -> Result<(), Error> {
        let value = header_value(&name, value)
            .map_err(|what| Error::new(Kind::Request, &self.shown_url(), what))?;
        self.own.insert(name, value);
        Ok(())
    }

    fn to_request(
        &self,
        url: &str,
        is_private: bool,
    ) -> Result<ureq::http::Request<Vec<u8>>, ureq::http::Error> {
        let mut request = ureq::http::Request::builder()
            .method(&self.method)
            .uri(url)
            .body(self.body.clone())?;
        let headers = request.headers_mut();
        *headers = self.own.clone();
        if is_private {
            for (name, value) in &self.private {
                headers.insert(name, value.clone());
            }
        }
        Ok(request)
    }
}

impl Client {
    /// Sends a request, again where that is due.
    pub(super) fn send(&self, ready: &Ready, cancel: &Cancel) -> Result<Answer, Error> {
        let cancelled = || Error::cancelled(&ready.shown_url());
        let mut attempts = 0;
        loop {
            let lease = self.lease();
            let running = cancel.begin(&lease.agent).ok_or_else(cancelled)?;
            let error = match self.follow(ready, &lease, &running) {
                Ok(head) => return Ok(head.into_answer(lease, running)),
                Err(error) => error,
            };
            if running.end() {
                lease.give_back();
            }
            let wait = self.wait(&error, attempts);
            let Some(wait) = wait.filter(|_| attempts < self.options().retries) else {
                return Err(error);
            };
            if !self.pause(wait, cancel) {
                return Err(cancelled());
            }
            attempts += 1;
        }
    }

    /// Waits; false where it was cancelled.
    pub(super) fn pause(&self, duration: Duration, cancel: &Cancel) -> bool {
        let lease = self.lease();
        let Some(running) = cancel.begin(&lease.agent) else {
            return false;
        };
        let has_slept = running.sleep(duration);
        if running.end() {
            lease.give_back();
        }
        has_slept
    }

    /// How long to wait before another attempt; `None` where none may be made.
    fn wait(&self, error: &Error, attempts: u32) -> Option<Duration> {
        if !error.is_retried() {
            return None;
        }
        if let Some(asked) = error.status().and_then(|status| status.retry_after) {
            return (asked <= self.options().max_retry_after).then_some(asked);
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << attempts.min(16));
        // Less by up to a quarter, so that those who failed together do not come back together.
        Some(
            doubled
                .min(LONGEST_WAIT)
                .mul_f64(1.0 - fastrand::f64() / 4.0),
        )
    }

    /// One attempt, redirects included.
    fn follow(&self, ready: &Ready, lease: &Lease, running: &Running) -> Result<Head, Error> {
        let mut url = ready.url.clone();
        let mut is_private = true;
        for _ in 0..=MAX_REDIRECTS {
            let head = self.exchange(ready, &url, is_private, lease, running)?;
            let status = head.response.status;
            if status.is_success() {
                return head.checked();
            }
            let location = head.response.headers.get(LOCATION).cloned();
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Err(head.into_refusal());
            }
            let target = location
                .map(|location| String::from_utf8_lossy(location.as_bytes()).into_owned())
                .and_then(|location| url::join(&url, &location));
            let Some(target) = target else {
                return Err(head.into_redirect("has no valid location"));
            };
            let is_same_origin = url::is_same_origin(&url, &target);
            if ready.method != Method::GET {
                let what = match status.as_u16() {
                    307 | 308 if is_same_origin => None,
                    307 | 308 => Some("leads to another origin"),
                    _ => Some("would turn the request into a GET"),
                };
                if let Some(what) = what {
                    let what = format!("{what}: {}", url::shown(&target));
                    return Err(head.into_redirect(&what));
                }
            }
            is_private &= is_same_origin;
            head.drain();
            url = target;
        }
        let what = format!("redirected more than {MAX_REDIRECTS} times");
        Err(Error::new(Kind::Redirect, &ready.shown_url(), what))
    }

    /// Sends a request once and waits for the head of its response.
    fn exchange(
        &self,
        ready: &Ready,
        url: &str,
        is_private: bool,
        lease: &Lease,
        running: &Running,
    ) -> Result<Head, Error> {
        lease.line.begin();
        let context = Context {
            url: url::shown(url),
            secrets: ready.secrets.clone(),
            is_https: url
                .get(..6)
                .is_some_and(|s| s.eq_ignore_ascii_case("https:")),
            timeout_connect: self.options().timeout_connect,
            line: lease.line.clone(),
        };
        let request = ready
            .to_request(url, is_private)
            .map_err(|error| context.failed(error.into()))?;
        let sent = Instant::now();
        let limit = context.timeout_connect;
        let response = match running.send(&lease.agent, request, limit, &context.line) {
            Sent::Answered(answer) => answer.map_err(|error| context.failed(error))?,
            Sent::NotConnected => return Err(context.timeout(Phase::Connect, limit)),
            Sent::Cancelled => return Err(Error::cancelled(&context.url)),
        };
        let (response, body) = response.into_parts();
        Ok(Head {
            response,
            reader: body.into_reader(),
            context,
            sent,
        })
    }

    /// The events of a response, if it has any.
    pub(super) fn events(&self, answer: Answer) -> Result<Events, Error> {
        if !answer.is_event_stream() {
            return Err(answer.into_foreign());
        }
        let max_event_bytes = self.options().decoder.max_event_bytes;
        Ok(Events::new(answer.body, max_event_bytes))
    }
}

fn status_of(status: u16, headers: &HeaderMap, body: &[u8], context: &Context) -> Status {
    let body = &body[..body.len().min(MAX_BODY_BYTES)];
    Status::read(status, headers, body, &context.secrets)
}

/// A response of which the body is not read yet.
pub(super) struct Head {
    response: Parts,
    reader: BodyReader<'static>,
    context: Context,
    sent: Instant,
}

impl Head {
    /// Refuses a body in an encoding that ureq has left as it was.
    fn checked(self) -> Result<Self, Error> {
        let encoding = self.response.headers.get(CONTENT_ENCODING);
        let encoding = encoding.map(|value| String::from_utf8_lossy(value.as_bytes()));
        match encoding {
            Some(encoding) if !encoding.eq_ignore_ascii_case("identity") => {
                let what = format!("unsupported content encoding {encoding:?}");
                Err(self.context.error(Kind::Encoding, what))
            }
            _ => Ok(self),
        }
    }

    fn into_refusal(self) -> Error {
        let url = self.context.url.clone();
        Error::refused(&url, self.into_status())
    }

    fn into_redirect(self, what: &str) -> Error {
        let what = self.context.secrets.redact(what);
        let what = format!("the redirect {what}");
        let error = self.context.error(Kind::Redirect, what);
        error.with_status(self.into_status())
    }

    /// Reads a refusal.
    fn into_status(self) -> Status {
        let mut body = Vec::new();
        // What can be had of the reason will do: the refusal counts, whatever follows it.
        let _ = self
            .reader
            .take(MAX_BODY_BYTES as u64)
            .read_to_end(&mut body);
        let Parts {
            status, headers, ..
        } = self.response;
        status_of(status.as_u16(), &headers, &body, &self.context)
    }

    /// Reads a redirect's body, if it is short, so that the connection can be used again.
    fn drain(self) {
        let mut rest = self.reader.take(MAX_BODY_BYTES as u64);
        let _ = io::copy(&mut rest, &mut io::sink());
    }

    fn into_answer(self, lease: Lease, running: Running) -> Answer {
        Answer {
            status: self.response.status.as_u16(),
            headers: self.response.headers,
            sent: self.sent,
            body: Body::new(self.reader, lease, running, self.context),
        }
    }
}
