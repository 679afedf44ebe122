//! Provider errors of every shape, in one vocabulary.
//!
//! The same table serves errors inside a stream and those that an HTTP status reports before it.

use core::fmt;

use super::details::Path;
use super::walk::{Member, Walk};
use crate::delta::{ErrorKind, Scope};
use crate::json::with_short;
use crate::json::{Span, Str};

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

/// An error that a provider reports, taken out of whatever shape it has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProviderError<'d> {
    pub(crate) message: Str<'d>,
    pub(crate) code: Str<'d>,
    /// The code, if it is a number.
    pub(crate) number: Option<u64>,
    /// The type, Google's status, or the name of an exception.
    pub(crate) name: Str<'d>,
}

/// Members of an error that wrap the error itself.
const WRAPPERS: &[&str] = &["error", "x_groq", "errors", "base_resp", "detail"];

impl<'d> ProviderError<'d> {
    /// Reads the error that `member` is: an object, one more object inside, flat members, a bare string,
    /// or a list of one of these. Members of the root for which `is_known` returns true belong to the
    /// rest of the event. The others that are not part of an error become details.
    pub(crate) fn read(
        walk: &mut Walk<'_, 'd>,
        member: Member<'d>,
        path: &Path<'_>,
        is_known: &dyn Fn(&str) -> bool,
    ) -> Self {
        if let Some(array) = member.as_array() {
            let mut first = None;
            walk.elements(array, |walk, n, element| {
                let path = path.index(n);
                if first.is_none() {
                    first = Some(ProviderError::read(walk, element, &path, &|_| false));
                } else {
                    walk.detail(Scope::Response, &path, element);
                }
            });
            return first.unwrap_or_default();
        }
        let Some(object) = member.as_object() else {
            return ProviderError {
                message: member.str(),
                number: member.value.u64(),
                ..ProviderError::default()
            };
        };
        let mut outer = ProviderError::default();
        let mut inner = ProviderError::default();
        let mut is_bare = false;
        walk.object(object, Scope::Response, path, |walk, key, member| {
            if WRAPPERS.contains(&key) && member.value.str().is_none() {
                let is_container = member.value.span().is_some();
                if is_container {
                    let found = ProviderError::read(walk, member, &path.key(key), &|_| false);
                    inner = found.or(inner);
                }
                return is_container || member.is_empty(walk.text()) || is_known(key);
            }
            match key {
                "message" | "detail" | "error_message" | "status_msg" | "error_msg" | "msg" => {
                    member.text(&mut outer.message)
                }
                "code" | "error_code" => {
                    outer.number = member.value.u64().or(outer.number);
                    member.value.u64().is_some() || member.text(&mut outer.code)
                }
                "http_status_code" | "status_code" | "statusCode" => {
                    outer.number = outer.number.or(member.value.u64());
                    member.value.u64().is_some() || member.value.is_null()
                }
                "type" | "error_type" | "status" => {
                    if member.str().is("error") {
                        return true;
                    }
                    member.text(&mut outer.name)
                }
                "error" => {
                    inner.message = member.str();
                    is_bare = true;
                    true
                }
                key => is_known(key),
            }
        });
        // A string beside a message is a name: "Unauthorized".
        if is_bare && !outer.message.is_empty() {
            if outer.name.is_empty() {
                outer.name = inner.message;
            }
            inner.message = Str::default();
        }
        inner.or(outer)
    }

    /// Returns an error that has only a message.
    pub(crate) fn from_message(message: &'d str) -> Self {
        ProviderError {
            message: Str::from_plain(message),
            ..ProviderError::default()
        }
    }

    /// Returns the error with another name.
    pub(crate) fn named(mut self, name: &'d str) -> Self {
        self.name = Str::from_plain(name);
        self
    }

    /// Returns the error with what it lacks taken from another one.
    fn or(self, other: ProviderError<'d>) -> Self {
        let first = |a: Str<'d>, b: Str<'d>| if a.is_empty() { b } else { a };
        ProviderError {
            message: first(self.message, other.message),
            code: first(self.code, other.code),
            number: self.number.or(other.number),
            name: first(self.name, other.name),
        }
    }

    /// Returns the error's meaning in the common vocabulary.
    pub(crate) fn kind(&self) -> ErrorKind {
        let code = with_short(self.code, |code| {
            lookup(code).or_else(|| kind_of_status(code.parse().ok()?))
        });
        let kind = code
            .or_else(|| with_short(self.name, lookup))
            .or_else(|| kind_of_status(self.number?))
            .unwrap_or(ErrorKind::Other);
        // Most servers have no code of their own for a prompt that is too long.
        if matches!(kind, ErrorKind::InvalidRequest | ErrorKind::Other)
            && CONTEXT
                .iter()
                .any(|words| self.message.raw().contains(words))
        {
            return ErrorKind::ContextLength;
        }
        kind
    }

    /// Queues the error, which `payload` reports.
    pub(crate) fn report(&self, walk: &mut Walk<'_, '_>) {
        let payload = walk.payload.text;
        let code = [self.code, self.name]
            .into_iter()
            .find(|code| !code.is_empty());
        let code: &dyn fmt::Display = match (&code, &self.number) {
            (Some(name), _) => name,
            (None, Some(number)) => number,
            (None, None) => &"",
        };
        // An error without a message is shown as it came.
        if self.message.is_empty() {
            walk.queue
                .error(self.kind(), code, &payload, payload.as_bytes());
        } else {
            let payload = payload.as_bytes();
            walk.queue.error(self.kind(), code, &self.message, payload);
        }
    }
}

/// Words by which messages say that a prompt is too long.
const CONTEXT: &[&str] = &[
    "context length",
    "context_length",
    "context window",
    "maximum context",
];

/// Returns the meaning of a code, type or name, whatever its case.
pub(crate) fn lookup(name: &str) -> Option<ErrorKind> {
    KINDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, kind)| *kind)
}

/// Queues an error that is plain text. Returns false if the text is JSON, truncated or not.
pub(crate) fn report_text(text: &str, queue: &mut super::queue::Queue) -> bool {
    let text = text.trim_ascii();
    if let [] | [b'{' | b'[' | b'"', ..] = text.as_bytes() {
        return false;
    }
    let is_context = CONTEXT.iter().any(|words| text.contains(words));
    let kind = if is_context {
        ErrorKind::ContextLength
    } else {
        ErrorKind::Other
    };
    queue.error(kind, &"", &text, text.as_bytes());
    true
}

/// Queues an error that is not the dialect's own: `{"error": …}`, or an object that is called an error.
/// Returns false if the payload is not one.
pub(crate) fn report(walk: &mut Walk<'_, '_>, root: Member<'_>, is_error: bool) -> bool {
    if !is_error && !is_error_object(walk, root) {
        return false;
    }
    // The root is read again for its lifetime.
    let Ok(root) = walk.root() else { return false };
    let error = ProviderError::read(walk, root, &Path::ROOT, &|_| false);
    error.report(walk);
    true
}

/// Returns true if the root, or its first element, reports an error.
fn is_error_object(walk: &Walk<'_, '_>, root: Member<'_>) -> bool {
    let mut object = root.as_object();
    if let Some(array) = root.as_array() {
        let mut reader = crate::json::Reader::at(walk.text(), array.start as usize);
        let mut first = true;
        let _ = reader.elements(|reader| {
            let element = Member::read(reader)?;
            if core::mem::take(&mut first) {
                object = element.as_object();
            }
            Ok(())
        });
    }
    let Some(object) = object else { return false };
    let error = walk.get(object, "error");
    let is_named = ["type", "object"]
        .iter()
        .any(|key| walk.get(object, key).str().is("error"));
    let base = walk.get(object, "base_resp").as_object();
    let is_failed = |base: Span| walk.get(base, "status_code").value.u64() != Some(0);
    is_named
        || error.value.str().is_some()
        || error.as_object().is_some()
        || base.is_some_and(is_failed)
        || walk.get(object, "errors").as_array().is_some()
        || walk.get(object, "error_code").value.u64().is_some()
}
