//! What a client is told before it begins, and what each provider is used to.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::decoder::{self, describe_body};

/// Whose conventions a request follows: where it goes, what carries the key, how it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Provider {
    /// OpenAI, or any server that speaks its API below a base URL of its own.
    #[default]
    OpenAi,
    /// OpenAI's models on Azure. The base URL is the resource's endpoint,
    /// `https://NAME.openai.azure.com`.
    Azure,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Ollama's own API, as it runs on this machine.
    Ollama,
}

impl Provider {
    /// All of them.
    pub const ALL: &'static [Provider] = &[
        Provider::OpenAi,
        Provider::Azure,
        Provider::Anthropic,
        Provider::Gemini,
        Provider::Ollama,
    ];

    /// The provider's name, as the command takes it: `openai`, `azure`, `anthropic`, `gemini`,
    /// `ollama`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::OpenAi => "openai",
            Provider::Azure => "azure",
            Provider::Anthropic => "anthropic",
            Provider::Gemini => "gemini",
            Provider::Ollama => "ollama",
        }
    }

    /// What precedes every path where nothing else is said; empty where there is no such place.
    #[must_use]
    pub fn base_url(self) -> &'static str {
        match self {
            Provider::OpenAi => "https://api.openai.com/v1",
            Provider::Azure => "",
            Provider::Anthropic => "https://api.anthropic.com",
            Provider::Gemini => "https://generativelanguage.googleapis.com/v1beta",
            Provider::Ollama => "http://127.0.0.1:11434",
        }
    }

    /// The environment variables that hold a base URL, the first that is set counts.
    #[must_use]
    pub fn base_url_variables(self) -> &'static [&'static str] {
        match self {
            Provider::OpenAi => &["OPENAI_BASE_URL"],
            Provider::Azure => &["AZURE_OPENAI_ENDPOINT"],
            Provider::Anthropic => &["ANTHROPIC_BASE_URL"],
            Provider::Gemini => &["GOOGLE_GEMINI_BASE_URL"],
            Provider::Ollama => &["OLLAMA_HOST"],
        }
    }

    /// The environment variables that hold a key, the first that is set counts.
    #[must_use]
    pub fn key_variables(self) -> &'static [&'static str] {
        match self {
            Provider::OpenAi => &["OPENAI_API_KEY"],
            Provider::Azure => &["AZURE_OPENAI_API_KEY"],
            Provider::Anthropic => &["ANTHROPIC_API_KEY"],
            Provider::Gemini => &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
            Provider::Ollama => &["OLLAMA_API_KEY"],
        }
    }

    /// The headers that carry the key and whatever else the provider demands.
    pub(super) fn headers(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if let Some(key) = key {
            headers.push(match self {
                Provider::OpenAi | Provider::Ollama => ("authorization", format!("Bearer {key}")),
                Provider::Azure => ("api-key", key.into()),
                Provider::Anthropic => ("x-api-key", key.into()),
                Provider::Gemini => ("x-goog-api-key", key.into()),
            });
        }
        if self == Provider::Anthropic {
            headers.push(("anthropic-version", "2023-06-01".into()));
        }
        headers
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A secret that does not show itself: it is sent, and neither printed nor put into an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Key {
    fn from(key: T) -> Self {
        Key(key.into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The secrets of a request, to be taken out of what its server said: some repeat a key.
#[derive(Debug, Clone)]
pub(super) struct Secrets(Arc<[Key]>);

impl Secrets {
    /// Shorter ones are words like any other, and no keys.
    const MIN_BYTES: usize = 8;

    pub(super) fn new<'k>(keys: impl Iterator<Item = &'k Key>) -> Self {
        let keys = keys.filter(|key| key.reveal().len() >= Self::MIN_BYTES);
        Secrets(keys.cloned().collect())
    }

    /// The text without them, and without the beginning of one at its end, where it may have been cut.
    pub(super) fn redact(&self, text: &str) -> String {
        const HIDDEN: &str = "(hidden)";
        let mut text = text.to_owned();
        for secret in self.0.iter().map(Key::reveal) {
            text = text.replace(secret, HIDDEN);
            let cut = (Self::MIN_BYTES..secret.len()).rev().find(|len| {
                let start = secret.get(..*len);
                start.is_some_and(|start| text.ends_with(start))
            });
            if let Some(cut) = cut {
                text.truncate(text.len() - cut);
                text.push_str(HIDDEN);
            }
        }
        text
    }

    /// What a body that is no stream is, in a few words of its own.
    pub(super) fn describe(&self, body: &[u8]) -> String {
        let start = &body[..body.len().min(MAX_DESCRIBED_BYTES)];
        describe_body(self.redact(&String::from_utf8_lossy(start)).as_bytes())
    }
}

/// More of a body is not looked at to say what it is.
const MAX_DESCRIBED_BYTES: usize = 4096;

/// By way of which proxy servers are reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// What `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY` name, but for the hosts of `NO_PROXY` and for
    /// this machine itself.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one, whatever the host: `http://`, `socks4://`, `socks5://`, with `user:password@` where
    /// it asks for them.
    Url(Key),
}

/// What a client is told before it begins.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Whose conventions requests follow.
    pub provider: Provider,
    /// What precedes every path, with or without a slash at its end; empty for the provider's own.
    pub base_url: String,
    /// Sent where the provider wants it.
    pub key: Option<Key>,
    /// Azure's `api-version`. With one, requests go to the deployment that is named like the model;
    /// without, to the API below `/openai/v1`, which has no versions.
    pub api_version: Option<String>,
    /// Headers besides; one that the client has too takes its place. Their values are treated like
    /// keys.
    pub headers: Vec<(String, Key)>,
    /// How long to wait for a connection, looking up its name and TLS included: 10 s unless set;
    /// `None` for as long as the system does.
    pub timeout_connect: Option<Duration>,
    /// How long to wait from the request to the first byte of the response's body: 600 s unless
    /// set, since some models think for minutes before they say a word; `None` for ever.
    pub timeout_first_byte: Option<Duration>,
    /// How long to wait for the next bytes of a body, whatever they are: 300 s unless set; `None`
    /// for ever.
    pub timeout_idle: Option<Duration>,
    /// How long to wait for content, which comments and pings are not: `None`, for ever, unless
    /// set. What the reader itself needs between two reads does not count, here as in the others.
    pub timeout_content: Option<Duration>,
    /// How many attempts are made besides the first: 2 unless set. A request is sent again only where
    /// no connection came about, or the server refused with 408, 409, 429 or 5xx. They are some 0.5 s, 1 s, 2 s, ... up to 8 s apart, or what `Retry-After` says.
    pub retries: u32,
    /// The longest `Retry-After` that is waited out: 60 s unless set. Asked for more, the refusal is
    /// given at once.
    pub max_retry_after: Duration,
    /// The proxy.
    pub proxy: Proxy,
    /// A file of certificates in PEM that are trusted in place of Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// The largest whole response that is accepted, in bytes after decompression; 16 MiB unless set.
    pub max_response_bytes: usize,
    /// How streams are decoded; the limit on an event is here.
    pub decoder: decoder::Options,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("provider", &self.provider)
            .field("base_url", &super::url::shown(self.base_url()))
            .field("key", &self.key)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new(Provider::default())
    }
}

impl Options {
    /// The defaults, for a provider, without a key.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Options {
            provider,
            base_url: String::new(),
            key: None,
            api_version: None,
            headers: Vec::new(),
            timeout_connect: Some(Duration::from_secs(10)),
            timeout_first_byte: Some(Duration::from_secs(600)),
            timeout_idle: Some(Duration::from_secs(300)),
            timeout_content: None,
            retries: 2,
            max_retry_after: Duration::from_secs(60),
            proxy: Proxy::default(),
            ca_file: None,
            max_response_bytes: crate::frame::MAX_EVENT_BYTES,
            decoder: decoder::Options::default(),
        }
    }

    /// The defaults, with the base URL and the key from the environment: see
    /// [`Provider::base_url_variables`] and [`Provider::key_variables`]; of Azure also the version, from
    /// `OPENAI_API_VERSION`.
    #[must_use]
    pub fn from_env(provider: Provider) -> Self {
        let set = |name: &&str| env::var(name).ok().filter(|value| !value.is_empty());
        let first = |names: &[&str]| names.iter().find_map(set);
        let mut options = Self::new(provider);
        options.key = first(provider.key_variables()).map(Key::from);
        if let Some(base_url) = first(provider.base_url_variables()) {
            options.base_url = base_url;
        }
        // Ollama takes an address without a scheme too.
        if provider == Provider::Ollama
            && !options.base_url.is_empty()
            && !options.base_url.contains("://")
        {
            options.base_url.insert_str(0, "http://");
        }
        if provider == Provider::Azure {
            options.api_version = first(&["OPENAI_API_VERSION"]);
        }
        options
    }

    /// What precedes every path, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        let base_url = match self.base_url.as_str() {
            "" => self.provider.base_url(),
            base_url => base_url,
        };
        base_url.trim_end_matches('/')
    }
}
