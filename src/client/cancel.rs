//! Ending a request from another thread.

use std::fmt;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Ends requests from any thread, at once and in every phase: a blocked read, a wait before another
/// attempt, a connection that does not come about.
///
/// A clone ends the same requests. Once cancelled it stays so, and a request that is given it then
/// does not begin.
///
/// ```no_run
/// use deltawire::client::{Cancel, Client, Request};
///
/// let client = Client::openai("key")?;
/// let cancel = Cancel::new();
/// let elsewhere = cancel.clone();
/// std::thread::spawn(move || elsewhere.cancel());
/// let request = Request::chat("gpt-4o-mini");
/// let stream = client.ask(&request).cancel(&cancel).stream()?;
/// # Ok::<(), deltawire::client::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_cancelled: bool,
    running: Vec<Entry>,
    next_id: u64,
}

/// A request that runs.
struct Entry {
    id: u64,
    /// Its connections are closed.
    agent: ureq::Agent,
    /// Who waits for it is woken.
    wake: Sender<Woken>,
}

pub(super) type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// What ends a wait.
enum Woken {
    Answer(Box<Answer>),
    Cancelled,
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}

impl Cancel {
    /// One that nothing was given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends what was given this, now and later. Connections are closed; a blocked call returns with
    /// an error of the kind [`Cancelled`](super::Kind::Cancelled).
    pub fn cancel(&self) {
        let running = {
            let mut state = self.state();
            state.is_cancelled = true;
            std::mem::take(&mut state.running)
        };
        for Entry { agent, wake, .. } in running {
            // Nobody waits any more where this fails.
            let _ = wake.send(Woken::Cancelled);
            agent.shutdown();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state().is_cancelled
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a request with `agent` cancellable; `None` where it is too late.
    pub(super) fn begin(&self, agent: &ureq::Agent) -> Option<Running> {
        let (wake, woken) = mpsc::channel();
        let mut state = self.state();
        if state.is_cancelled {
            return None;
        }
        state.next_id += 1;
        let id = state.next_id;
        state.running.push(Entry {
            id,
            agent: agent.clone(),
            wake: wake.clone(),
        });
        Some(Running {
            cancel: self.clone(),
            id,
            wake,
            woken,
        })
    }
}

/// A request that can be cancelled, until this is dropped.
pub(super) struct Running {
    cancel: Cancel,
    id: u64,
    wake: Sender<Woken>,
    woken: Receiver<Woken>,
}

impl Running {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    pub(super) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Sends a request and waits for the head of its response; `None` where it was cancelled.
    ///
    /// It has a thread of its own, since neither a name that is looked up nor a connection that is
    /// made can be interrupted. Cancelled, the thread is left to the timeout for that, and sends
    /// nothing.
    pub(super) fn send(
        &self,
        agent: &ureq::Agent,
        request: ureq::http::Request<Vec<u8>>,
    ) -> Option<Answer> {
        let (agent, wake) = (agent.clone(), self.wake.clone());
        let worker = thread::Builder::new().name("deltawire".into());
        let spawned = worker.spawn(move || {
            let (parts, body) = request.into_parts();
            // ureq announces a body, an empty one too, wherever it is given bytes.
            let answer = if body.is_empty() {
                agent.run(ureq::http::Request::from_parts(parts, ()))
            } else {
                agent.run(ureq::http::Request::from_parts(parts, body))
            };
            // Nobody waits any more where this fails.
            let _ = wake.send(Woken::Answer(Box::new(answer)));
        });
        let answer = match spawned {
            Err(error) => Err(error.into()),
            Ok(_) => match self.woken.recv() {
                Ok(Woken::Answer(answer)) => *answer,
                Ok(Woken::Cancelled) => return None,
                // The sender that is held here keeps the channel open.
                Err(error) => Err(io::Error::other(error).into()),
            },
        };
        (!self.is_cancelled()).then_some(answer)
    }

    /// Waits; false where it was cancelled.
    pub(super) fn sleep(&self, duration: Duration) -> bool {
        match self.woken.recv_timeout(duration) {
            Err(RecvTimeoutError::Timeout) => !self.is_cancelled(),
            _ => false,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.cancel.state();
        state.running.retain(|entry| entry.id != self.id);
    }
}
