//! How a server is reached: the arguments that `chat` and `listen` share, and Ctrl-C.

use std::net::Ipv4Addr;
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
    /// Send this header too; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// Retry up to N times if the connection fails or the server returns 408, 409, 429 or 5xx
    #[arg(long, value_name = "N", default_value_t = 2)]
    retries: u32,

    /// Time limit for connecting, in milliseconds; 0 uses the system's limit
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    connect_timeout: u64,

    /// Time limit for the first byte of the response body, in milliseconds; 0 is no limit
    #[arg(long, value_name = "MS", default_value_t = 600_000)]
    first_byte_timeout: u64,

    /// Time limit without any data, in milliseconds; 0 is no limit
    #[arg(long, value_name = "MS", default_value_t = 300_000)]
    idle_timeout: u64,

    /// Time limit without content, not counting keep-alives, in milliseconds; 0 is no limit
    #[arg(long, value_name = "MS", default_value_t = 0)]
    content_timeout: u64,

    /// Report and skip events larger than N bytes
    #[arg(long, value_name = "N", default_value_t = MAX_EVENT_BYTES)]
    max_event_bytes: usize,

    /// Trust the certificates in this PEM file instead of Mozilla's
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,

    /// Use this proxy; `direct` uses no proxy [default: ALL_PROXY, HTTPS_PROXY or HTTP_PROXY, except
    /// for the hosts in NO_PROXY]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Cancel after this many milliseconds
    #[arg(long, value_name = "MS")]
    cancel_after: Option<u64>,
}

/// Returns a message about a URL that lacks `http://` or `https://`.
pub(crate) fn not_a_url(url: &str) -> Option<String> {
    let start = url.to_ascii_lowercase();
    if start.starts_with("http://") || start.starts_with("https://") {
        return None;
    }
    let host = url.split(['/', ':']).next().unwrap_or_default();
    // A part before `@` and a query may hold secrets, so the message does not repeat them.
    if url.contains(['@', '?']) {
        return Some("the URL does not start with http:// or https://".into());
    }
    if url.contains("://") || host.is_empty() {
        return Some(format!("`{url}` does not start with http:// or https://"));
    }
    let is_local = host == "localhost" || host.parse::<Ipv4Addr>().is_ok();
    let scheme = if is_local { "http" } else { "https" };
    Some(format!(
        "`{url}` is not a URL; did you mean `{scheme}://{url}`?"
    ))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
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
        .map_err(|error| Failure::Usage(format!("cannot handle Ctrl-C: {error}")))?;
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
