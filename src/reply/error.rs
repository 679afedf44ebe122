//! Provider errors of every shape, in one vocabulary.
//!
//! The same table serves errors inside a stream and those that an HTTP status reports before it.

use core::fmt;

use super::details::Path;
use super::vocabulary::{
    BAIDU, BASE_RESP, CONTEXT, CONTEXT_PAIRS, ERROR_PREFIX, ERRORS, IFLYTEK, MESSAGES, NOT_CONTEXT,
    ZAI,
};
use super::walk::{Member, Walk};
use crate::delta::{ErrorKind, Scope};
use crate::json::with_short;
use crate::json::{Span, Str, Value};

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
    /// Whose numbers they are.
    numbers: Numbers,
    /// The type, Google's status, or the name of an exception.
    pub(crate) name: Str<'d>,
    /// A more precise name: OpenRouter's `metadata.error_type`, Azure's `innererror.code`.
    precise: Str<'d>,
    /// Google's `details[].reason`, which counts if nothing else tells the kind.
    reason: Str<'d>,
}

/// Whose numbers an error's code belongs to. The numbers of the providers overlap, so the shape of the
/// error decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Numbers {
    /// An HTTP status, or a string of digits of Z.ai or iFlytek.
    #[default]
    Status,
    /// MiniMax: `base_resp`.
    BaseResp,
    /// Baidu: `error_code`.
    ErrorCode,
}

/// Members of an error that wrap the error itself.
const WRAPPERS: &[&str] = &[
    "error",
    "x_groq",
    "errors",
    "base_resp",
    "detail",
    "ErrorMsg",
];

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
                    let mut found = ProviderError::read(walk, member, &path.key(key), &|_| false);
                    if key == "base_resp" {
                        found.numbers = Numbers::BaseResp;
                    }
                    inner = found.or(inner);
                }
                return is_container || member.is_empty(walk.text()) || is_known(key);
            }
            match key {
                "message" | "detail" | "error_message" | "errorMessage" | "status_msg"
                | "error_msg" | "msg" | "Msg" => member.text(&mut outer.message),
                "code" | "Code" => {
                    outer.number = member.value.u64().or(outer.number);
                    member.value.u64().is_some() || member.text(&mut outer.code)
                }
                "error_code" => {
                    if let Some(number) = member.value.u64() {
                        (outer.number, outer.numbers) = (Some(number), Numbers::ErrorCode);
                        return true;
                    }
                    member.text(&mut outer.code)
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
                "metadata" | "innererror" | "details" => outer.look_into(walk, key, member, path),
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

    /// Reads a member beside the message that may tell the kind more precisely. Returns false if all of it
    /// is a detail.
    fn look_into(
        &mut self,
        walk: &mut Walk<'_, 'd>,
        key: &str,
        member: Member<'d>,
        path: &Path<'_>,
    ) -> bool {
        let path = path.key(key);
        match member.value {
            Value::Object(object) => {
                let name = match key {
                    "metadata" => "error_type",
                    _ => "code",
                };
                if walk.get(object, name).str().is_empty() {
                    return false;
                }
                walk.object(object, Scope::Response, &path, |_, key, member| {
                    key == name && member.text(&mut self.precise)
                });
                true
            }
            Value::Array(array) => {
                walk.elements(array, |walk, _, element| {
                    if let Some(object) = element.as_object()
                        && self.reason.is_empty()
                    {
                        self.reason = walk.get(object, "reason").str();
                    }
                });
                false
            }
            _ => false,
        }
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
        let (number, numbers) = match self.number {
            Some(_) => (self.number, self.numbers),
            None => (other.number, other.numbers),
        };
        ProviderError {
            message: first(self.message, other.message),
            code: first(self.code, other.code),
            number,
            numbers,
            name: first(self.name, other.name),
            precise: first(self.precise, other.precise),
            reason: first(self.reason, other.reason),
        }
    }

    /// Returns the error's meaning in the common vocabulary.
    pub(crate) fn kind(&self) -> ErrorKind {
        let kind = with_short(self.precise, lookup)
            .filter(|kind| *kind != ErrorKind::Other)
            .or_else(|| with_short(self.code, kind_of_code))
            .or_else(|| with_short(self.name, lookup))
            .or_else(|| self.numbers.kind(self.number?))
            .or_else(|| with_short(self.reason, lookup))
            .unwrap_or(ErrorKind::Other);
        kind_of_message(kind, self.message.raw())
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

impl Numbers {
    fn kind(self, number: u64) -> Option<ErrorKind> {
        let table = match self {
            Numbers::Status => return kind_of_status(number),
            Numbers::BaseResp => BASE_RESP,
            Numbers::ErrorCode => BAIDU,
        };
        in_table(table, number)
    }
}

fn in_table(table: &[(u32, ErrorKind)], number: u64) -> Option<ErrorKind> {
    let mut rows = table.iter();
    rows.find(|(known, _)| u64::from(*known) == number)
        .map(|(_, kind)| *kind)
}

/// Returns the meaning of a code that is a string: a word, an HTTP status, or the number of a provider.
fn kind_of_code(code: &str) -> Option<ErrorKind> {
    lookup(code).or_else(|| {
        let number = code.parse().ok()?;
        match code.len() {
            4 => in_table(ZAI, number),
            5 => in_table(IFLYTEK, number),
            _ => kind_of_status(number),
        }
    })
}

/// Returns the meaning of a code, type or name, whatever its case.
pub(crate) fn lookup(name: &str) -> Option<ErrorKind> {
    let name = name.as_bytes();
    let begins = |prefix: &[u8]| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let word = ERRORS.find(|known| known.eq_ignore_ascii_case(name));
    word.or_else(|| ERROR_PREFIX.find(begins))
}

/// Most servers have no code of their own for a prompt that is too long, and some have none for other
/// things. Returns what the message says, or else `kind`.
fn kind_of_message(kind: ErrorKind, message: &str) -> ErrorKind {
    let has = |words: &str| contains(message, words.as_bytes());
    let is_context = || {
        let pair = |(a, b): &(&str, &str)| has(a) && has(b);
        !NOT_CONTEXT.iter().any(|words| has(words))
            && (CONTEXT.iter().any(|words| has(words)) || CONTEXT_PAIRS.iter().any(pair))
    };
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Server | ErrorKind::Other if is_context() => {
            ErrorKind::ContextLength
        }
        ErrorKind::InvalidRequest
        | ErrorKind::Server
        | ErrorKind::Permission
        | ErrorKind::Other => {
            let told = MESSAGES.find(|words| contains(message, words));
            told.unwrap_or(kind)
        }
        kind => kind,
    }
}

/// Returns true if the words occur at the beginning of a message, whatever their case.
fn contains(message: &str, words: &[u8]) -> bool {
    /// A message says early what it is about.
    const MAX_BYTES: usize = 2048;
    let message = message.as_bytes();
    let message = message.get(..MAX_BYTES).unwrap_or(message);
    let mut windows = message.windows(words.len());
    windows.any(|window| window.eq_ignore_ascii_case(words))
}

/// Queues an error that is plain text. Returns false if the text is JSON, truncated or not.
pub(crate) fn report_text(text: &str, queue: &mut super::queue::Queue) -> bool {
    let text = text.trim_ascii();
    if let [] | [b'{' | b'[' | b'"', ..] = text.as_bytes() {
        return false;
    }
    let kind = kind_of_message(ErrorKind::Other, text);
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
        let mut reader = walk.payload.reader(array);
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
        || walk.get(object, "ErrorMsg").as_object().is_some()
}
