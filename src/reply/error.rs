//! Errors of every shape, in one vocabulary.
//!
//! The same table serves errors inside a stream and those that an HTTP status reports before it.

use core::fmt;

use super::queue::Queue;
use crate::delta::ErrorKind;
use crate::fallible::{self, OutOfMemory};
use crate::tape::{Doc, Value};

/// Codes, types and statuses of the providers, in lower case, and what they mean.
///
/// Sources: OpenAI "Error codes" and the SDK's `ErrorObject`; Anthropic "Errors"; Google
/// `google.rpc.Code`; AWS Bedrock `ConverseStream` exceptions; text-generation-inference
/// `ErrorResponse`; and recorded streams.
const KINDS: &[(&str, ErrorKind)] = &[
    ("invalid_api_key", ErrorKind::Authentication),
    ("authentication_error", ErrorKind::Authentication),
    ("invalid_authentication", ErrorKind::Authentication),
    ("unauthenticated", ErrorKind::Authentication),
    ("unauthorized", ErrorKind::Authentication),
    ("expiredtokenexception", ErrorKind::Authentication),
    ("unrecognizedclientexception", ErrorKind::Authentication),
    ("permission_error", ErrorKind::Permission),
    ("permission_denied", ErrorKind::Permission),
    ("forbidden", ErrorKind::Permission),
    ("billing_error", ErrorKind::Permission),
    ("insufficient_quota", ErrorKind::Permission),
    ("billing_hard_limit_reached", ErrorKind::Permission),
    ("account_deactivated", ErrorKind::Permission),
    (
        "unsupported_country_region_territory",
        ErrorKind::Permission,
    ),
    ("accessdeniedexception", ErrorKind::Permission),
    ("model_not_found", ErrorKind::NotFound),
    ("not_found_error", ErrorKind::NotFound),
    ("not_found", ErrorKind::NotFound),
    ("resourcenotfoundexception", ErrorKind::NotFound),
    ("rate_limit_exceeded", ErrorKind::RateLimit),
    ("rate_limit_error", ErrorKind::RateLimit),
    ("rate_limit", ErrorKind::RateLimit),
    ("requests", ErrorKind::RateLimit),
    ("tokens", ErrorKind::RateLimit),
    ("too_many_requests", ErrorKind::RateLimit),
    ("resource_exhausted", ErrorKind::RateLimit),
    ("throttlingexception", ErrorKind::RateLimit),
    ("overloaded_error", ErrorKind::Overloaded),
    ("overloaded", ErrorKind::Overloaded),
    ("engine_overloaded", ErrorKind::Overloaded),
    ("service_unavailable", ErrorKind::Overloaded),
    ("service_unavailable_error", ErrorKind::Overloaded),
    ("unavailable", ErrorKind::Overloaded),
    ("unavailable_error", ErrorKind::Overloaded),
    ("serviceunavailableexception", ErrorKind::Overloaded),
    ("modelnotreadyexception", ErrorKind::Overloaded),
    ("context_length_exceeded", ErrorKind::ContextLength),
    ("string_above_max_length", ErrorKind::ContextLength),
    ("exceed_context_size_error", ErrorKind::ContextLength),
    ("request_too_large", ErrorKind::ContextLength),
    ("invalid_request_error", ErrorKind::InvalidRequest),
    ("invalid_request", ErrorKind::InvalidRequest),
    ("invalid_argument", ErrorKind::InvalidRequest),
    ("failed_precondition", ErrorKind::InvalidRequest),
    ("out_of_range", ErrorKind::InvalidRequest),
    ("bad_request", ErrorKind::InvalidRequest),
    ("badrequesterror", ErrorKind::InvalidRequest),
    ("tool_use_failed", ErrorKind::InvalidRequest),
    ("validation", ErrorKind::InvalidRequest),
    ("validationexception", ErrorKind::InvalidRequest),
    ("unprocessable_entity", ErrorKind::InvalidRequest),
    ("content_filter", ErrorKind::ContentFilter),
    ("content_policy_violation", ErrorKind::ContentFilter),
    ("responsibleaipolicyviolation", ErrorKind::ContentFilter),
    ("timeout", ErrorKind::Timeout),
    ("timeout_error", ErrorKind::Timeout),
    ("deadline_exceeded", ErrorKind::Timeout),
    ("modeltimeoutexception", ErrorKind::Timeout),
    ("server_error", ErrorKind::Server),
    ("internal_error", ErrorKind::Server),
    ("internal_server_error", ErrorKind::Server),
    ("internalservererror", ErrorKind::Server),
    ("internal", ErrorKind::Server),
    ("api_error", ErrorKind::Server),
    ("unknown", ErrorKind::Server),
    ("aborted", ErrorKind::Server),
    ("data_loss", ErrorKind::Server),
    ("generation", ErrorKind::Server),
    ("incomplete_generation", ErrorKind::Server),
    ("internalserverexception", ErrorKind::Server),
    ("internalfailure", ErrorKind::Server),
    ("modelstreamerrorexception", ErrorKind::Server),
    ("modelerrorexception", ErrorKind::Server),
];

/// What an HTTP status means, or a number that a provider uses like one.
pub(crate) fn kind_of_status(status: u64) -> Option<ErrorKind> {
    Some(match status {
        401 => ErrorKind::Authentication,
        402 | 403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::ContextLength,
        429 => ErrorKind::RateLimit,
        503 | 529 => ErrorKind::Overloaded,
        499 => ErrorKind::Other,
        400..=498 => ErrorKind::InvalidRequest,
        500..=599 => ErrorKind::Server,
        _ => return None,
    })
}

/// What an error says of itself, taken out of whatever shape it has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProviderError<'d> {
    pub(crate) message: &'d str,
    pub(crate) code: &'d str,
    /// `code` where it is a number.
    pub(crate) number: Option<u64>,
    /// `type`, or Google's `status`, or the name of an exception.
    pub(crate) name: &'d str,
}

impl<'d> ProviderError<'d> {
    /// Reads the error that `value` is, or that it has under `error`: an object, one more object
    /// inside, flat members, a bare string, or a list of one of these.
    pub(crate) fn read(value: Value<'d>) -> ProviderError<'d> {
        let mut said = ProviderError {
            message: value.text(),
            ..ProviderError::default()
        };
        let mut inner = ProviderError::default();
        let mut is_bare = false;
        if let Some(first) = value.elements().next() {
            return ProviderError::read(first);
        }
        for (key, value) in value.members() {
            match key {
                "message" | "detail" | "error_message" => {
                    said.message = value.str().unwrap_or(said.message);
                }
                "code" => {
                    said.code = value.str().unwrap_or(said.code);
                    said.number = value.u64().or(said.number);
                }
                "http_status_code" | "status_code" | "statusCode" => {
                    said.number = said.number.or(value.u64());
                }
                "type" | "error_type" | "status" => {
                    said.name = value
                        .str()
                        .filter(|name| *name != "error")
                        .unwrap_or(said.name);
                }
                "error" => {
                    inner = ProviderError::read(value);
                    is_bare = value.str().is_some();
                }
                "x_groq" => {
                    if let Some(error) = value.get("error") {
                        inner = ProviderError::read(error);
                    }
                }
                _ => {}
            }
        }
        // A string beside a message is no message but a name: "Unauthorized".
        if is_bare && !said.message.is_empty() {
            if said.name.is_empty() {
                said.name = inner.message;
            }
            inner.message = "";
        }
        // What stands further inside is closer to the cause.
        let first = |inner: &'d str, outer| if inner.is_empty() { outer } else { inner };
        ProviderError {
            message: first(inner.message, said.message),
            code: first(inner.code, said.code),
            number: inner.number.or(said.number),
            name: first(inner.name, said.name),
        }
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        let lookup = |name: &str| {
            KINDS
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, kind)| *kind)
        };
        let by_code = lookup(self.code)
            .or_else(|| kind_of_status(self.code.parse().ok()?))
            .or_else(|| lookup(self.name));
        let kind = by_code
            .or_else(|| kind_of_status(self.number?))
            .unwrap_or(ErrorKind::Other);
        // Most servers have no code of their own for a prompt that is too long.
        if matches!(kind, ErrorKind::InvalidRequest | ErrorKind::Other)
            && [
                "context length",
                "context_length",
                "context window",
                "maximum context",
            ]
            .iter()
            .any(|words| self.message.contains(words))
        {
            return ErrorKind::ContextLength;
        }
        kind
    }

    /// Notes the error, which the payload `doc` reports.
    pub(crate) fn report(&self, doc: &Doc<'_>, queue: &mut Queue) {
        self.report_as(doc.text, queue);
    }

    /// Notes the error, which `payload` reports.
    pub(crate) fn report_as(&self, payload: &[u8], queue: &mut Queue) {
        let kind = self.kind();
        let named = [self.code, self.name]
            .into_iter()
            .find(|code| !code.is_empty());
        let code: &dyn fmt::Display = match (&named, &self.number) {
            (Some(name), _) => name,
            (None, Some(number)) => number,
            (None, None) => &"",
        };
        // Without words of its own the error is shown as it came.
        let message = match core::str::from_utf8(payload) {
            Ok(text) if self.message.is_empty() => text,
            _ => self.message,
        };
        queue.error(kind, kind.is_transient(), code, message, payload);
    }
}

/// Notes an error that is plain text. Returns false where it is JSON, cut or broken.
pub(crate) fn report_text(text: &[u8], queue: &mut Queue) -> bool {
    let text = text.trim_ascii();
    if let [] | [b'{' | b'[' | b'"', ..] = text {
        return false;
    }
    match fallible::lossy(text) {
        Ok(message) => ProviderError {
            message: &message,
            ..ProviderError::default()
        }
        .report_as(text, queue),
        Err(OutOfMemory) => queue.set_out_of_memory(),
    }
    true
}

/// Notes an error that is not the dialect's own: `{"error": …}`, or anything named an error.
pub(crate) fn report(doc: &Doc<'_>, is_error: bool, queue: &mut Queue) -> bool {
    let first = doc.root.elements().next().unwrap_or(doc.root);
    let error = first.get("error");
    let is_named = ["type", "object"]
        .iter()
        .any(|key| first.text_of(key) == "error");
    if !is_error
        && !is_named
        && !error.is_some_and(|error| error.str().is_some() || error.is_object())
    {
        return false;
    }
    ProviderError::read(doc.root).report(doc, queue);
    true
}
