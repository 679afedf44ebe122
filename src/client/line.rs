//! What lies between ureq and its connections: how long each read may wait, and how it ended.
//!
//! ureq takes its timeouts once, before a request. A stream needs them to change as it goes: the
//! first byte may take minutes, the next one seconds, and a ping is no content. It also hides from
//! the reader of a body that ends with its connection whether that end was a clean one. So a
//! connector stands behind ureq's own and wraps each connection; the [`Line`] is what it shares with
//! the stream.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

use super::phase::Phase;

/// How long is waited, by what for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) first_byte: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) content: Option<Duration>,
}

/// How a read or a write failed, in more detail than ureq passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Timeout(Phase, Duration),
    /// The connection was reset.
    Reset,
    /// It ended without saying so, as TLS demands.
    Cut,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    /// What is left of the wait for the first byte, or for content. The reader's own time is not
    /// counted: it is the server's that is limited.
    left: Option<Duration>,
    /// The body has begun.
    is_body: bool,
    /// A connection stands, TLS included.
    is_open: bool,
    /// The stream is complete, and so long is waited for what may still come.
    linger: Option<Duration>,
    fault: Option<Fault>,
}

impl State {
    /// How long the next read may take, and what is waited for.
    fn limit(&self) -> Option<(Duration, Phase)> {
        if let Some(linger) = self.linger {
            return Some((linger, Phase::Idle));
        }
        if !self.is_body {
            return self.left.map(|left| (left, Phase::FirstByte));
        }
        let idle = self.limits.idle.map(|idle| (idle, Phase::Idle));
        match (idle, self.left) {
            (Some((idle, _)), Some(left)) if left <= idle => Some((left, Phase::Content)),
            (None, Some(left)) => Some((left, Phase::Content)),
            (idle, _) => idle,
        }
    }

    /// What was configured for a phase, for a message.
    fn configured(&self, phase: Phase) -> Duration {
        let limit = match phase {
            Phase::FirstByte => self.limits.first_byte,
            Phase::Content => self.limits.content,
            Phase::Idle | Phase::Connect => self.limits.idle,
        };
        limit.unwrap_or_default()
    }
}

/// What a stream and its connection know of each other.
#[derive(Debug, Clone)]
pub(super) struct Line(Arc<Mutex<State>>);

impl Line {
    pub(super) fn new(limits: Limits) -> Self {
        Line(Arc::new(Mutex::new(State {
            limits,
            left: limits.first_byte,
            is_body: false,
            is_open: false,
            linger: None,
            fault: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another request begins.
    pub(super) fn begin(&self) {
        let mut state = self.state();
        state.left = state.limits.first_byte;
        state.is_body = false;
        state.is_open = false;
        state.linger = None;
        state.fault = None;
    }

    /// The first byte of the body came.
    pub(super) fn body_began(&self) {
        let mut state = self.state();
        if !state.is_body {
            state.is_body = true;
            state.left = state.limits.content;
        }
    }

    /// Something came that is content.
    pub(super) fn content_came(&self) {
        let mut state = self.state();
        state.left = state.limits.content;
    }

    /// All that was asked for came; what may still come is waited for so long.
    pub(super) fn linger(&self, wait: Duration) {
        self.state().linger = Some(wait);
    }

    /// Whether the request came as far as a connection.
    pub(super) fn is_open(&self) -> bool {
        self.state().is_open
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    /// Runs a read or a write within its limit.
    fn within<T>(
        &self,
        mut timeout: NextTimeout,
        is_read: bool,
        act: impl FnOnce(NextTimeout) -> Result<T, ureq::Error>,
    ) -> Result<T, ureq::Error> {
        let limit = {
            let state = self.state();
            if is_read {
                state.limit()
            } else {
                state.limits.idle.map(|idle| (idle, Phase::Idle))
            }
        };
        let out = |(_, phase)| {
            let mut state = self.state();
            let configured = state.configured(phase);
            state.fault = Some(Fault::Timeout(phase, configured));
            ureq::Error::Timeout(ureq::Timeout::PerRead)
        };
        let Some(limit) = limit else {
            return self.noted(act(timeout));
        };
        if limit.0.is_zero() {
            return Err(out(limit));
        }
        if limit.0 < *timeout.after {
            timeout.after = limit.0.into();
        }
        let began = Instant::now();
        let result = act(timeout);
        if is_read {
            let mut state = self.state();
            state.left = state.left.map(|left| left.saturating_sub(began.elapsed()));
        }
        match result {
            Err(ureq::Error::Timeout(_)) => Err(out(limit)),
            result => self.noted(result),
        }
    }

    /// Keeps what ureq does not tell of an error.
    fn noted<T>(&self, result: Result<T, ureq::Error>) -> Result<T, ureq::Error> {
        if let Err(ureq::Error::Io(error)) = &result {
            let fault = match error.kind() {
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Some(Fault::Reset),
                io::ErrorKind::UnexpectedEof => Some(Fault::Cut),
                _ => None,
            };
            let mut state = self.state();
            state.fault = fault.or(state.fault);
        }
        result
    }

    /// ureq's connections, watched.
    pub(super) fn connector(&self) -> impl Connector {
        DefaultConnector::new().chain(Watch(self.clone()))
    }
}

/// The last link of the chain that makes a connection.
#[derive(Debug)]
struct Watch(Line);

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| Watched {
            inner,
            line: self.0.clone(),
        }))
    }
}

/// A connection whose reads and writes are limited and whose failures are kept.
#[derive(Debug)]
struct Watched<T> {
    inner: T,
    line: Line,
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        // The first bytes that are sent are the request's: the connection, or one that was kept,
        // is there.
        self.line.state().is_open = true;
        let Watched { inner, line } = self;
        line.within(timeout, false, |timeout| {
            inner.transmit_output(amount, timeout)
        })
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let Watched { inner, line } = self;
        line.within(timeout, true, |timeout| inner.await_input(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
