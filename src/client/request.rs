//! What is asked of a provider that speaks OpenAI's API.

use serde::Serialize;

/// A request for a reply, in the words of OpenAI's API. What is `None` is left to the provider.
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
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self.input {
            Input::Messages(_) => "/chat/completions",
            Input::Prompt(_) => "/completions",
        }
    }

    /// The request's JSON, asking for a stream or for a whole response.
    #[must_use]
    pub fn to_json(&self, stream: bool) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(flatten)]
            request: &'a Request,
            stream: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            stream_options: Option<StreamOptions>,
        }
        #[derive(Serialize)]
        struct StreamOptions {
            include_usage: bool,
        }
        let body = Body {
            request: self,
            stream,
            // Refused where no stream is asked for.
            stream_options: (stream && self.include_usage).then_some(StreamOptions {
                include_usage: true,
            }),
        };
        // Strings, numbers and nothing that could fail: a number that is none becomes null.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_sent() {
        let mut request = Request::chat("m");
        request.push("user", "Hi");
        assert_eq!(
            request.to_json(false),
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
            request.to_json(true),
            r#"{"model":"m","prompt":"1,2,3,","temperature":0.0,"max_tokens":193,"stream":true,"stream_options":{"include_usage":true}}"#
        );
        assert!(!request.to_json(false).contains("stream_options"));
    }
}
