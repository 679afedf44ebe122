//! What is asked, and how each provider wants it put.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::options::{Options, Provider};

/// What Anthropic is told where a request sets no limit on tokens, since it demands one.
const ANTHROPIC_MAX_TOKENS: u32 = 4096;

/// A request for a reply, in the words of OpenAI's API; other providers are asked in their own. What is
/// `None` is left to the provider.
///
/// ```
/// use deltawire::client::Request;
///
/// let mut request = Request::chat("gpt-4o-mini");
/// request.push("user", "What's 1+1? Answer in one word.");
/// request.temperature = Some(0.0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Request {
    /// The model that shall answer.
    pub model: String,
    /// What it shall answer to; decides between chat and legacy completions.
    #[serde(flatten)]
    pub input: Input,
    /// How much chance there is in the reply: 0 for none, up to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// How many choices shall be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// The most tokens that a choice may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Asks a stream for its token counts, which come in one more chunk at its end. A whole
    /// response has them anyway.
    #[serde(skip)]
    pub include_usage: bool,
}

/// What a model is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Input {
    /// A conversation, for chat completions.
    Messages(Vec<Turn>),
    /// A text to go on with, for legacy completions.
    Prompt(String),
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Turn {
    /// Whose it is: `system`, `user`, `assistant`.
    pub role: String,
    /// What was said.
    pub content: String,
}

impl Request {
    fn new(model: impl Into<String>, input: Input) -> Self {
        Request {
            model: model.into(),
            input,
            temperature: None,
            n: None,
            max_tokens: None,
            include_usage: false,
        }
    }

    /// A chat completion without a message as yet.
    #[must_use]
    pub fn chat(model: impl Into<String>) -> Self {
        Self::new(model, Input::Messages(Vec::new()))
    }

    /// A legacy completion of `prompt`.
    #[must_use]
    pub fn completion(model: impl Into<String>, prompt: impl Into<String>) -> Self {
        Self::new(model, Input::Prompt(prompt.into()))
    }

    /// Adds a message to a conversation. A legacy completion has none: its prompt goes on with
    /// `content`.
    pub fn push(&mut self, role: impl Into<String>, content: impl Into<String>) {
        match &mut self.input {
            Input::Messages(turns) => turns.push(Turn {
                role: role.into(),
                content: content.into(),
            }),
            Input::Prompt(prompt) => prompt.push_str(&content.into()),
        }
    }

    /// Where it goes, below the base URL.
    pub(super) fn path(&self, options: &Options, stream: bool) -> String {
        let model = segment(&self.model);
        let completions = match self.input {
            Input::Messages(_) => "chat/completions",
            Input::Prompt(_) => "completions",
        };
        match (options.provider, &options.api_version) {
            (Provider::OpenAi, _) => format!("/{completions}"),
            (Provider::Azure, None) => format!("/openai/v1/{completions}"),
            (Provider::Azure, Some(version)) => {
                let version = segment(version);
                format!("/openai/deployments/{model}/{completions}?api-version={version}")
            }
            (Provider::Anthropic, _) => "/v1/messages".into(),
            (Provider::Gemini, _) if stream => {
                format!("/models/{model}:streamGenerateContent?alt=sse")
            }
            (Provider::Gemini, _) => format!("/models/{model}:generateContent"),
            (Provider::Ollama, _) => match self.input {
                Input::Messages(_) => "/api/chat".into(),
                Input::Prompt(_) => "/api/generate".into(),
            },
        }
    }

    /// The request's JSON, asking for a stream or for a whole response; or what of it the provider
    /// has no word for.
    pub(super) fn to_json(&self, provider: Provider, stream: bool) -> Result<String, String> {
        let has_choices = matches!(
            provider,
            Provider::OpenAi | Provider::Azure | Provider::Gemini
        );
        if !has_choices && self.n.is_some_and(|n| n != 1) {
            return Err(format!("{provider} supports one choice only"));
        }
        let body = match provider {
            Provider::OpenAi | Provider::Azure => self.openai(stream),
            Provider::Anthropic => self.anthropic(stream),
            Provider::Gemini => self.gemini(),
            Provider::Ollama => self.ollama(stream),
        };
        Ok(body.to_string())
    }

    fn openai(&self, stream: bool) -> Value {
        // Strings, numbers and nothing that could fail: a number that is none becomes null.
        let mut body = json!(self);
        body["stream"] = stream.into();
        // Refused where no stream is asked for.
        if stream && self.include_usage {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }

    fn anthropic(&self, stream: bool) -> Value {
        let (system, turns) = self.conversation();
        let mut body = json!({
            "model": self.model,
            "max_tokens": self.max_tokens.unwrap_or(ANTHROPIC_MAX_TOKENS),
            "messages": turns,
            "stream": stream,
        });
        if !system.is_empty() {
            body["system"] = system.into();
        }
        if let Some(temperature) = self.temperature {
            body["temperature"] = temperature.into();
        }
        body
    }

    fn gemini(&self) -> Value {
        let (system, turns) = self.conversation();
        let parts = |text: &str| json!({"parts": [{"text": text}]});
        let contents = turns.iter().map(|turn| {
            let mut content = parts(&turn.content);
            let is_model = turn.role == "assistant";
            content["role"] = if is_model { "model" } else { "user" }.into();
            content
        });
        let mut body = json!({"contents": contents.collect::<Vec<_>>()});
        if !system.is_empty() {
            body["systemInstruction"] = parts(&system);
        }
        let mut config = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            config.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("temperature", self.temperature.map(Value::from));
        set("candidateCount", self.n.map(Value::from));
        set("maxOutputTokens", self.max_tokens.map(Value::from));
        if !config.is_empty() {
            body["generationConfig"] = config.into();
        }
        body
    }

    fn ollama(&self, stream: bool) -> Value {
        let mut body = json!({"model": self.model});
        match &self.input {
            Input::Messages(turns) => body["messages"] = json!(turns),
            Input::Prompt(prompt) => body["prompt"] = prompt.as_str().into(),
        }
        body["stream"] = stream.into();
        let mut options = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            options.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("temperature", self.temperature.map(Value::from));
        set("num_predict", self.max_tokens.map(Value::from));
        if !options.is_empty() {
            body["options"] = options.into();
        }
        body
    }

    /// What the system is told, and the turns besides, for providers that keep them apart. A prompt is
    /// a turn of the user.
    fn conversation(&self) -> (String, Vec<Turn>) {
        let turns = match &self.input {
            Input::Messages(turns) => turns.clone(),
            Input::Prompt(prompt) => vec![Turn {
                role: "user".into(),
                content: prompt.clone(),
            }],
        };
        let is_system = |turn: &Turn| matches!(turn.role.as_str(), "system" | "developer");
        let (system, turns): (Vec<_>, Vec<_>) = turns.into_iter().partition(is_system);
        let system: Vec<_> = system.into_iter().map(|turn| turn.content).collect();
        (system.join("\n\n"), turns)
    }
}

/// What stands for itself in a segment of a path and in a query (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// A name as one segment of a path, or one value of a query.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(request: &Request, provider: Provider, stream: bool) -> String {
        request.to_json(provider, stream).unwrap()
    }

    fn conversation() -> Request {
        let mut request = Request::chat("m");
        request.push("system", "Be brief.");
        request.push("user", "Hi");
        request.push("assistant", "Yes?");
        request.temperature = Some(0.5);
        request.max_tokens = Some(7);
        request
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let mut request = Request::chat("m");
        request.push("user", "Hi");
        assert_eq!(
            sent(&request, Provider::OpenAi, false),
            r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":false}"#
        );
    }

    #[test]
    fn usage_is_asked_of_streams_alone() {
        let mut request = Request::completion("m", "1,2,3,");
        request.max_tokens = Some(193);
        request.temperature = Some(0.0);
        request.include_usage = true;
        assert_eq!(
            sent(&request, Provider::OpenAi, true),
            r#"{"model":"m","prompt":"1,2,3,","temperature":0.0,"max_tokens":193,"stream":true,"stream_options":{"include_usage":true}}"#
        );
        assert!(!sent(&request, Provider::OpenAi, false).contains("stream_options"));
    }

    #[test]
    fn anthropic_is_told_the_system_apart_and_a_limit() {
        assert_eq!(
            sent(&conversation(), Provider::Anthropic, true),
            r#"{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes?"}],"stream":true,"system":"Be brief.","temperature":0.5}"#
        );
        let bare = sent(&Request::completion("m", "p"), Provider::Anthropic, false);
        assert_eq!(
            bare,
            r#"{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"p"}],"stream":false}"#
        );
    }

    #[test]
    fn gemini_has_contents_and_a_path_for_streams() {
        let request = conversation();
        assert_eq!(
            sent(&request, Provider::Gemini, true),
            r#"{"contents":[{"parts":[{"text":"Hi"}],"role":"user"},{"parts":[{"text":"Yes?"}],"role":"model"}],"systemInstruction":{"parts":[{"text":"Be brief."}]},"generationConfig":{"temperature":0.5,"maxOutputTokens":7}}"#
        );
        let options = Options::new(Provider::Gemini);
        assert_eq!(
            request.path(&options, true),
            "/models/m:streamGenerateContent?alt=sse"
        );
        assert_eq!(request.path(&options, false), "/models/m:generateContent");
    }

    #[test]
    fn ollama_has_its_own_options() {
        assert_eq!(
            sent(&Request::completion("m", "p"), Provider::Ollama, true),
            r#"{"model":"m","prompt":"p","stream":true}"#
        );
        assert!(
            sent(&conversation(), Provider::Ollama, false)
                .ends_with(r#""stream":false,"options":{"temperature":0.5,"num_predict":7}}"#)
        );
    }

    #[test]
    fn azure_names_the_deployment_where_it_has_a_version() {
        let request = Request::chat("my model");
        let mut options = Options::new(Provider::Azure);
        assert_eq!(request.path(&options, true), "/openai/v1/chat/completions");
        options.api_version = Some("2024-10-21".into());
        assert_eq!(
            request.path(&options, true),
            "/openai/deployments/my%20model/chat/completions?api-version=2024-10-21"
        );
    }

    #[test]
    fn choices_are_not_asked_of_who_makes_one() {
        let mut request = Request::chat("m");
        request.n = Some(2);
        assert!(request.to_json(Provider::OpenAi, true).is_ok());
        for provider in [Provider::Anthropic, Provider::Ollama] {
            let error = request.to_json(provider, true).unwrap_err();
            assert!(error.contains("one choice only"), "{error}");
        }
    }
}
