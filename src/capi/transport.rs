//! The transport as the C ABI uses it, and what stands in its place where it is not built in: the
//! functions are there either way.

use super::status::dw_status;

#[cfg(feature = "client")]
pub(super) use built_in::{Cancel, Client, Error, Stream, client, event_error, stream};
#[cfg(not(feature = "client"))]
pub(super) use left_out::{Cancel, Client, Error, Stream, client, event_error, stream};

/// What a client is told, as C says it: numbers not looked at yet.
#[cfg_attr(not(feature = "client"), expect(dead_code, reason = "nobody asks"))]
pub(super) struct Settings {
    pub(super) provider: u32,
    pub(super) base_url: String,
    pub(super) key: String,
    pub(super) api_version: String,
    pub(super) proxy: String,
    pub(super) ca_file: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout_connect_ms: u64,
    pub(super) timeout_first_byte_ms: u64,
    pub(super) timeout_idle_ms: u64,
    pub(super) timeout_content_ms: u64,
    pub(super) retries: u32,
    pub(super) max_response_bytes: usize,
    pub(super) decoder: crate::Options,
}

/// What is asked.
#[cfg_attr(not(feature = "client"), expect(dead_code, reason = "nobody asks"))]
pub(super) enum Asked {
    Chat {
        model: String,
        turns: Vec<(String, String)>,
        max_tokens: Option<u32>,
        n: Option<u32>,
        temperature: Option<f64>,
        include_usage: bool,
    },
    Post {
        path: String,
        json: String,
    },
}

/// Why there was no response, or not all of it.
pub(super) struct Refusal {
    pub(super) status: dw_status,
    pub(super) http_status: u32,
    pub(super) error_kind: u32,
    pub(super) transient: bool,
    pub(super) retry_after_ms: u64,
    pub(super) message: String,
    pub(super) code: String,
    pub(super) said: String,
    pub(super) request_id: String,
    pub(super) body: String,
}

#[cfg(feature = "client")]
mod built_in {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{Asked, Refusal, Settings};
    use crate::capi::names;
    use crate::capi::status::dw_status;
    use crate::client::{Call, Input, Key, Kind, Options, Provider, Proxy, Request};
    pub(in crate::capi) use crate::client::{Cancel, Client, Error};
    use crate::{Delta, Message};

    /// In place of a number of attempts.
    const NONE: u32 = u32::MAX;

    fn kind_status(kind: Kind) -> dw_status {
        match kind {
            Kind::Request => dw_status::DW_ERR_REQUEST,
            Kind::Connect => dw_status::DW_ERR_CONNECT,
            Kind::Tls => dw_status::DW_ERR_TLS,
            Kind::Timeout(_) => dw_status::DW_ERR_TIMEOUT,
            Kind::Status => dw_status::DW_ERR_STATUS,
            Kind::ContentType => dw_status::DW_ERR_CONTENT_TYPE,
            Kind::Encoding => dw_status::DW_ERR_ENCODING,
            Kind::Redirect => dw_status::DW_ERR_REDIRECT,
            Kind::Protocol => dw_status::DW_ERR_PROTOCOL,
            Kind::Closed => dw_status::DW_ERR_CLOSED,
            Kind::Reset => dw_status::DW_ERR_RESET,
            Kind::Truncated => dw_status::DW_ERR_TRUNCATED,
            Kind::Limit => dw_status::DW_ERR_LIMIT,
            Kind::Cancelled => dw_status::DW_ERR_CANCELLED,
            Kind::Decode => dw_status::DW_ERR_NOT_A_RESPONSE,
        }
    }

    impl Settings {
        fn options(self) -> Option<Options> {
            let provider = usize::try_from(self.provider).ok()?;
            let mut options = Options::new(*Provider::ALL.get(provider)?);
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            let time = |ms, default| match ms {
                0 => default,
                u64::MAX => None,
                ms => Some(Duration::from_millis(ms)),
            };
            options.base_url = self.base_url;
            options.key = some(self.key).map(Key::from);
            options.api_version = some(self.api_version);
            options.proxy = match self.proxy.as_str() {
                "" => Proxy::Environment,
                "direct" => Proxy::Direct,
                _ => Proxy::Url(Key::from(self.proxy)),
            };
            options.ca_file = some(self.ca_file).map(PathBuf::from);
            let headers = self.headers.into_iter();
            options.headers = headers
                .map(|(name, value)| (name, Key::from(value)))
                .collect();
            options.timeout_connect = time(self.timeout_connect_ms, options.timeout_connect);
            options.timeout_first_byte =
                time(self.timeout_first_byte_ms, options.timeout_first_byte);
            options.timeout_idle = time(self.timeout_idle_ms, options.timeout_idle);
            options.timeout_content = time(self.timeout_content_ms, options.timeout_content);
            options.retries = match self.retries {
                0 => options.retries,
                NONE => 0,
                retries => retries,
            };
            if self.max_response_bytes > 0 {
                options.max_response_bytes = self.max_response_bytes;
            }
            options.decoder = self.decoder;
            Some(options)
        }
    }

    pub(in crate::capi) fn client(settings: Settings) -> Result<Client, (dw_status, String)> {
        let Some(options) = settings.options() else {
            return Err((dw_status::DW_ERR_ARGUMENT, "no such provider".into()));
        };
        Client::new(options).map_err(|error| (kind_status(error.kind()), error.to_string()))
    }

    /// One request and its response, which is not asked for before it is wanted.
    pub(in crate::capi) struct Stream {
        client: Client,
        cancel: Cancel,
        state: State,
    }

    enum State {
        Waiting(Payload),
        /// Boxed, as it is large, and moved.
        Open(Box<crate::client::Stream>),
        /// Nothing came, or all was given at once.
        Over,
    }

    enum Payload {
        Request(Request),
        Post { path: String, json: String },
    }

    impl Payload {
        fn call<'c>(&'c self, client: &'c Client) -> Call<'c> {
            match self {
                Payload::Request(request) => client.ask(request),
                Payload::Post { path, json } => client.post(path, json),
            }
        }
    }

    pub(in crate::capi) fn stream(client: &Client, asked: Asked) -> (Stream, Cancel) {
        let cancel = Cancel::new();
        let payload = match asked {
            Asked::Post { path, json } => Payload::Post { path, json },
            Asked::Chat {
                model,
                turns,
                max_tokens,
                n,
                temperature,
                include_usage,
            } => {
                let mut request = Request::chat(model);
                debug_assert!(matches!(request.input, Input::Messages(_)));
                for (role, content) in turns {
                    request.push(role, content);
                }
                request.max_tokens = max_tokens;
                request.n = n;
                request.temperature = temperature;
                request.include_usage = include_usage;
                Payload::Request(request)
            }
        };
        let stream = Stream {
            client: client.clone(),
            cancel: cancel.clone(),
            state: State::Waiting(payload),
        };
        (stream, cancel)
    }

    impl Stream {
        pub(in crate::capi) fn next(&mut self) -> Result<Option<Delta<'_>>, Error> {
            if let State::Waiting(payload) = &self.state {
                let stream = payload.call(&self.client).cancel(&self.cancel).stream();
                self.state = State::Over;
                self.state = State::Open(Box::new(stream?));
            }
            match &mut self.state {
                State::Open(stream) => match stream.next()? {
                    Some(Delta::Invalid { error, .. }) => Err(Error::decoding("", error)),
                    delta => Ok(delta),
                },
                State::Waiting(_) | State::Over => Ok(None),
            }
        }

        /// Whether `next` returns without waiting.
        pub(in crate::capi) fn is_ready(&mut self) -> bool {
            match &mut self.state {
                State::Open(stream) => stream.is_ready(),
                State::Waiting(_) => false,
                State::Over => true,
            }
        }

        /// The whole response; `None` where something was asked already.
        pub(in crate::capi) fn fetch(&mut self) -> Option<Result<Message, Error>> {
            let State::Waiting(payload) = &self.state else {
                return None;
            };
            let message = payload.call(&self.client).cancel(&self.cancel).fetch();
            self.state = State::Over;
            Some(message)
        }

        pub(in crate::capi) fn end(&self) -> u32 {
            names::end_number(match &self.state {
                State::Open(stream) => Some(stream.end()),
                State::Waiting(_) | State::Over => None,
            })
        }
    }

    /// Of an error that concerns one event, what it is.
    pub(in crate::capi) fn event_error(error: &Error) -> Option<&crate::Error> {
        error.decode().filter(|_| !error.is_final())
    }

    impl Refusal {
        pub(in crate::capi) fn of(error: &Error) -> Self {
            let status = error.status();
            let retry_after = status.and_then(|status| status.retry_after);
            let text = |text: Option<&String>| text.cloned().unwrap_or_default();
            Refusal {
                status: match error.decode() {
                    Some(decode) => dw_status::of(decode),
                    None => kind_status(error.kind()),
                },
                http_status: status.map_or(0, |status| status.status.into()),
                error_kind: status.map_or(0, |status| names::error_kind_number(status.kind)),
                transient: error.is_transient(),
                retry_after_ms: retry_after.map_or(0, |time| {
                    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
                }),
                message: error.to_string(),
                code: text(status.map(|status| &status.code)),
                said: text(status.map(|status| &status.message)),
                request_id: text(status.and_then(|status| status.request_id.as_ref())),
                body: text(status.map(|status| &status.body)),
            }
        }
    }
}

#[cfg(not(feature = "client"))]
mod left_out {
    use super::{Asked, Refusal, Settings};
    use crate::capi::status::dw_status;
    use crate::{Delta, Message};

    /// There is none.
    pub(in crate::capi) enum Client {}

    /// There is none.
    pub(in crate::capi) enum Cancel {}

    /// There is none.
    pub(in crate::capi) enum Stream {}

    /// There is none.
    pub(in crate::capi) enum Error {}

    pub(in crate::capi) fn client(_: Settings) -> Result<Client, (dw_status, String)> {
        let what = "the library is built without the transport";
        Err((dw_status::DW_ERR_UNSUPPORTED, what.into()))
    }

    pub(in crate::capi) fn stream(client: &Client, _: Asked) -> (Stream, Cancel) {
        match *client {}
    }

    pub(in crate::capi) fn event_error(error: &Error) -> Option<&crate::Error> {
        match *error {}
    }

    impl Cancel {
        pub(in crate::capi) fn cancel(&self) {
            match *self {}
        }
    }

    impl Stream {
        pub(in crate::capi) fn next(&mut self) -> Result<Option<Delta<'_>>, Error> {
            match *self {}
        }

        pub(in crate::capi) fn is_ready(&mut self) -> bool {
            match *self {}
        }

        pub(in crate::capi) fn fetch(&mut self) -> Option<Result<Message, Error>> {
            match *self {}
        }

        pub(in crate::capi) fn end(&self) -> u32 {
            match *self {}
        }
    }

    impl Refusal {
        pub(in crate::capi) fn of(error: &Error) -> Self {
            match *error {}
        }
    }
}
