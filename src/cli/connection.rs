//! How a server is reached: the arguments that `chat` and `listen` share, and Ctrl-C.

use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

use deltawire::client::{Cancel, Error, Key, Options, Proxy};
use deltawire::frame::MAX_EVENT_BYTES;

use crate::cli::outcome::{Failure, INTERRUPTED};

/// What ends the printing of a response before the response ends.
pub(crate) enum Trouble {
    Client(Error),
    Output(Failure),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Client(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Output(failure)
    }
}

/// The arguments that say how to connect.
#[derive(Debug, clap::Args)]
// Its group would bear the same name as that of the command it is part of.
#[group(skip)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Args {
    /// A header to send besides; may be given more than once
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// How often a request is sent again where no connection came about, or the server refused with
    /// 408, 409, 429 or 5xx
    #[arg(long, value_name = "N", default_value_t = 2)]
    retries: u32,

    /// How long to wait for a connection, in milliseconds; 0 for as long as the system does
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    connect_timeout: u64,

    /// How long to wait for the first byte of the response's body, in milliseconds; 0 for ever
    #[arg(long, value_name = "MS", default_value_t = 600_000)]
    first_byte_timeout: u64,

    /// How long to wait for the next bytes, in milliseconds; 0 for ever
    #[arg(long, value_name = "MS", default_value_t = 300_000)]
    idle_timeout: u64,

    /// How long to wait for content, which keep-alive comments and pings are not, in milliseconds;
    /// 0 for ever
    #[arg(long, value_name = "MS", default_value_t = 0)]
    content_timeout: u64,

    /// The largest event that is accepted, in bytes
    #[arg(long, value_name = "N", default_value_t = MAX_EVENT_BYTES)]
    max_event_bytes: usize,

    /// The certificates that are trusted, in PEM, in place of Mozilla's
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,

    /// The proxy; `direct` for none [default: ALL_PROXY, HTTPS_PROXY or HTTP_PROXY, but for the hosts
    /// of NO_PROXY]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Cancel after so many milliseconds
    #[arg(long, value_name = "MS")]
    cancel_after: Option<u64>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("there is no colon in it")?;
    Ok((name.trim().into(), value.trim().into()))
}

impl Args {
    /// Puts what was said into the client's options.
    pub(crate) fn apply(&self, options: &mut Options) {
        let limit = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
        let headers = self.headers.iter();
        options
            .headers
            .extend(headers.map(|(name, value)| (name.clone(), Key::from(value.as_str()))));
        options.retries = self.retries;
        options.timeout_connect = limit(self.connect_timeout);
        options.timeout_first_byte = limit(self.first_byte_timeout);
        options.timeout_idle = limit(self.idle_timeout);
        options.timeout_content = limit(self.content_timeout);
        options.decoder.max_event_bytes = self.max_event_bytes;
        options.ca_file.clone_from(&self.ca_file);
        options.proxy = match self.proxy.as_deref() {
            None => Proxy::Environment,
            Some("direct") => Proxy::Direct,
            Some(url) => Proxy::Url(url.into()),
        };
    }

    /// What ends the requests: Ctrl-C, and the time that was set.
    pub(crate) fn cancel(&self) -> Result<Interrupt, Failure> {
        let interrupt = Interrupt {
            by_time: Cancel::new(),
            by_user: Cancel::new(),
        };
        if let Some(ms) = self.cancel_after {
            let cancel = interrupt.by_time.clone();
            // Ends with the process.
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(ms));
                cancel.cancel();
            });
        }
        let (cancel, is_pressed) = (interrupt.by_time.clone(), interrupt.by_user.clone());
        ctrlc::set_handler(move || {
            // Who presses it twice does not want to wait for what was received.
            if is_pressed.is_cancelled() {
                process::exit(INTERRUPTED);
            }
            is_pressed.cancel();
            cancel.cancel();
        })
        .map_err(|error| Failure::Usage(format!("Ctrl-C cannot be caught: {error}")))?;
        Ok(interrupt)
    }
}

/// What ends a request before its time.
pub(crate) struct Interrupt {
    /// What requests are given; Ctrl-C cancels it too.
    by_time: Cancel,
    by_user: Cancel,
}

impl Interrupt {
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.by_time
    }

    /// Ctrl-C was pressed.
    pub(crate) fn is_by_user(&self) -> bool {
        self.by_user.is_cancelled()
    }
}
