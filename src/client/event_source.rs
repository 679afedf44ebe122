//! An event stream that outlives its connections.

use std::time::Duration;

use ureq::http::header::{CACHE_CONTROL, HeaderName};

use super::call::Payload;
use super::cancel::Cancel;
use super::error::{Error, Kind};
use super::events::{Event, Events};
use super::{Call, Client};

/// However short the reconnection time is, so long is waited: a server that closes at once must not
/// make its clients spin.
const MIN_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between attempts that fail, where the reconnection time is not longer.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How an [`EventSource`] comes back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reconnect {
    /// The reconnection time until the server sets one: 3 s unless set. It is doubled with every
    /// connection in a row that brought no event, up to 30 s.
    pub retry: Duration,
    /// How many connections are made at most, the first among them; `None`, unless set, for no end.
    pub max_attempts: Option<u32>,
    /// The last event ID to begin with; empty for none.
    pub last_event_id: Vec<u8>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect {
            retry: Duration::from_secs(3),
            max_attempts: None,
            last_event_id: Vec::new(),
        }
    }
}

/// An event stream that outlives its connections, by HTML, sections 9.2.2 and 9.2.3.
///
/// It is got (never posted), with `Accept: text/event-stream`. When the response ends or is lost, it
/// waits for the reconnection time and gets it again, naming the last event ID; an event that was
/// cut is dropped, so that the server sends it again. A status of 204 ends it, as the server wishes;
/// every other one but 200, and a content type that is none of an event stream, are errors and end
/// it too.
///
/// ```no_run
/// use deltawire::client::{Client, EventSource, Reconnect};
///
/// let client = Client::compatible("https://example.com", None)?;
/// let mut source = EventSource::new(&client, "/updates", Reconnect::default());
/// while let Some(event) = source.next()? {
///     println!("{}", event.text().unwrap_or_default());
/// }
/// # Ok::<(), deltawire::client::Error>(())
/// ```
#[derive(Debug)]
pub struct EventSource {
    client: Client,
    path: String,
    reconnect: Reconnect,
    cancel: Cancel,
    events: Option<Events>,
    last_event_id: Vec<u8>,
    /// What the server set.
    retry: Option<Duration>,
    attempts: u32,
    /// Connections in a row that brought no event.
    fruitless: u32,
    lost: Option<Error>,
    at_end: bool,
}

impl EventSource {
    /// Nothing is sent before the first [`next`](Self::next). `path` is one below the client's base
    /// URL, or a whole URL.
    #[must_use]
    pub fn new(client: &Client, path: &str, reconnect: Reconnect) -> Self {
        EventSource {
            client: client.clone(),
            path: path.into(),
            last_event_id: reconnect.last_event_id.clone(),
            reconnect,
            cancel: Cancel::new(),
            events: None,
            retry: None,
            attempts: 0,
            fruitless: 0,
            lost: None,
            at_end: false,
        }
    }

    /// Makes it end when `cancel` says so, which is then what [`cancel`](Self::cancel) gives.
    #[must_use]
    pub fn with_cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// The next event, over as many connections as it takes. `None`: the server wants no more of
    /// them, or [`Reconnect::max_attempts`] are made and the last one ended without an error.
    ///
    /// # Errors
    ///
    /// [`Kind::Limit`] for an event over the limit: go on calling, what is behind it comes. All
    /// others are final: [`Kind::Status`], [`Kind::ContentType`], [`Kind::Redirect`],
    /// [`Kind::Request`], [`Kind::Tls`], [`Kind::Encoding`], [`Kind::Protocol`], [`Kind::Cancelled`];
    /// and what the last attempt failed with, where no more of them may be made.
    #[expect(
        clippy::should_implement_trait,
        reason = "one shape with streams, which lend"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, Error> {
        while !self.at_end {
            let Some(events) = &mut self.events else {
                if let Err(error) = self.connect() {
                    self.lose(error)?;
                }
                continue;
            };
            let next = events.next();
            self.retry = events.retry().or(self.retry);
            match next {
                Ok(Some(event)) => {
                    self.fruitless = 0;
                    return Ok(Some(event));
                }
                Ok(None) => {
                    self.disconnect();
                    self.lost = None;
                    self.at_end = !self.may_connect();
                }
                Err(error) if !error.is_final() => return Err(error),
                Err(error) => {
                    self.disconnect();
                    self.lose(error)?;
                }
            }
        }
        Ok(None)
    }

    /// Another attempt is still allowed.
    fn may_connect(&self) -> bool {
        let max_attempts = self.reconnect.max_attempts;
        max_attempts.is_none_or(|max_attempts| self.attempts < max_attempts)
    }

    fn connect(&mut self) -> Result<(), Error> {
        if !self.may_connect() {
            self.at_end = true;
            return Ok(());
        }
        let call = Call::new(&self.client, Payload::Get { path: &self.path });
        let mut ready = call.ready(true, "text/event-stream", "identity")?;
        ready.set(CACHE_CONTROL, b"no-store")?;
        if !self.last_event_id.is_empty() {
            ready.set(
                HeaderName::from_static("last-event-id"),
                &self.last_event_id,
            )?;
        }
        if self.attempts > 0 && !self.client.pause(self.delay(), &self.cancel) {
            return Err(Error::cancelled(&ready.shown_url()));
        }
        self.attempts += 1;
        self.fruitless = self.fruitless.saturating_add(1);
        let answer = self.client.send(&ready, &self.cancel)?;
        match answer.status() {
            200 => {}
            204 => {
                self.at_end = true;
                return Ok(());
            }
            _ => return Err(answer.into_refusal()),
        }
        let mut events = self.client.events(answer)?;
        events.set_last_event_id(&self.last_event_id);
        self.events = Some(events);
        Ok(())
    }

    fn disconnect(&mut self) {
        if let Some(events) = self.events.take() {
            self.last_event_id = events.last_event_id().to_vec();
        }
    }

    /// A connection failed: for good, or so that another one may do better.
    fn lose(&mut self, error: Error) -> Result<(), Error> {
        let is_network = matches!(
            error.kind(),
            Kind::Connect | Kind::Timeout(_) | Kind::Closed | Kind::Reset | Kind::Truncated
        );
        if is_network && self.may_connect() {
            self.lost = Some(error);
            return Ok(());
        }
        self.at_end = true;
        Err(error)
    }

    /// How long to wait before the next connection.
    fn delay(&self) -> Duration {
        let retry = self.retry.unwrap_or(self.reconnect.retry);
        let doubled = 1 << self.fruitless.saturating_sub(1).min(16);
        let retry = retry.max(MIN_WAIT);
        retry.saturating_mul(doubled).min(MAX_WAIT.max(retry))
    }

    /// The last event ID, which the next connection names; empty where none was set.
    #[must_use]
    pub fn last_event_id(&self) -> &[u8] {
        match &self.events {
            Some(events) => events.last_event_id(),
            None => &self.last_event_id,
        }
    }

    /// The reconnection time that the server set.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// How many connections were made, or tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How the last connection was lost, where an error ended it and another attempt follows.
    #[must_use]
    pub fn lost(&self) -> Option<&Error> {
        self.lost.as_ref()
    }

    /// Ends it from another thread, also while it waits.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}
