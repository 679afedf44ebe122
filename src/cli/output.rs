//! JSON on standard output: no spaces, keys in the documented order, non-ASCII as it is.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write};

use deltawire::{Delta, Scope, Usage};

use crate::cli::outcome::Failure;

/// Standard output, flushed where a line must be seen.
pub(crate) struct Output(io::BufWriter<Box<dyn Write>>);

impl Output {
    pub(crate) fn new() -> Self {
        let is_captured = CAPTURED.with_borrow(Option::is_some);
        Output(io::BufWriter::new(if is_captured {
            Box::new(Capture)
        } else {
            Box::new(io::stdout().lock())
        }))
    }

    pub(crate) fn line(&mut self, object: Object) -> Result<(), Failure> {
        let line = object.end();
        self.0
            .write_all(line.as_bytes())
            .map_err(|_| Failure::OutputClosed)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush().map_err(|_| Failure::OutputClosed)
    }
}

/// What a command wrote: to standard output, and each message on standard error.
#[derive(Debug, Default)]
pub struct Captured {
    /// The bytes of standard output.
    pub stdout: Vec<u8>,
    /// The messages on standard error, in order and without their line ends.
    pub messages: Vec<String>,
}

thread_local! {
    /// Collects what this thread writes, during `capture`.
    static CAPTURED: RefCell<Option<Captured>> = const { RefCell::new(None) };
}

/// Runs `body` and returns what it wrote through `Output` and `eprintln!` on this thread.
pub(super) fn capture<R>(body: impl FnOnce() -> R) -> (R, Captured) {
    CAPTURED.set(Some(Captured::default()));
    let result = body();
    (result, CAPTURED.take().unwrap_or_default())
}

/// Prints a message on standard error, or captures it.
pub(super) fn print_error(message: String) {
    CAPTURED.with_borrow_mut(|captured| match captured {
        Some(captured) => captured.messages.push(message),
        None => std::eprintln!("{message}"),
    });
}

/// Writes to what is captured.
struct Capture;

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURED.with_borrow_mut(|captured| {
            if let Some(captured) = captured {
                captured.stdout.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A JSON object being written.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        // Holds most lines.
        let mut text = String::with_capacity(128);
        text.push('{');
        Object(text)
    }

    /// An object with its `type` first.
    pub(crate) fn of_type(name: &str) -> Self {
        Object::new().text("type", name)
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(&mut self.0, key);
        self.0.push(':');
    }

    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        quote(&mut self.0, value);
        self
    }

    /// A string that is left out where it is empty.
    pub(crate) fn some_text(self, key: &str, value: &str) -> Self {
        if value.is_empty() {
            self
        } else {
            self.text(key, value)
        }
    }

    /// Anything that shows as a JSON value of its own.
    pub(crate) fn value(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.key(key);
        // Writing to a string does not fail.
        let _ = write!(self.0, "{value}");
        self
    }

    pub(crate) fn object(mut self, key: &str, object: Object) -> Self {
        self.key(key);
        self.0.push_str(object.end().trim_end());
        self
    }

    /// The object's text and a line end.
    pub(crate) fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

/// Appends a string as JSON has it.
fn quote(to: &mut String, text: &str) {
    // What needs no escape is most, and goes over in one piece.
    if text
        .bytes()
        .all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\'))
    {
        to.push('"');
        to.push_str(text);
        to.push('"');
    } else {
        let _ = write!(to, "{}", serde_json::Value::from(text));
    }
}

/// A string as JSON has it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quote(&mut quoted, text);
    quoted
}

/// The counts that are known.
pub(crate) fn usage(mut object: Object, usage: &Usage) -> Object {
    for (name, count) in usage.counts() {
        if let Some(count) = count {
            object = object.value(name, count);
        }
    }
    object
}

/// The line of a delta.
pub(crate) fn delta(delta: &Delta<'_>) -> Object {
    let piece = |name, choice, part, text| {
        Object::of_type(name)
            .value("choice", choice)
            .value("part", part)
            .text("text", text)
    };
    match *delta {
        Delta::Start { id, model, role } => Object::of_type("start")
            .some_text("id", id)
            .some_text("model", model)
            .some_text("role", role),
        Delta::Text { choice, part, text } => piece("text", choice, part, text),
        Delta::Reasoning { choice, part, text } => piece("reasoning", choice, part, text),
        Delta::Refusal { choice, part, text } => piece("refusal", choice, part, text),
        Delta::ToolCallStart {
            choice,
            part,
            index,
            id,
            name,
        } => start("tool_call_start", choice, part, index, id, name),
        Delta::ServerToolCallStart {
            choice,
            part,
            index,
            id,
            name,
        } => start("server_tool_call_start", choice, part, index, id, name),
        Delta::ToolCallArguments {
            choice,
            part,
            index,
            fragment,
            whole,
        } => arguments("tool_call_arguments", choice, part, index, fragment, whole),
        Delta::ServerToolCallArguments {
            choice,
            part,
            index,
            fragment,
            whole,
        } => arguments(
            "server_tool_call_arguments",
            choice,
            part,
            index,
            fragment,
            whole,
        ),
        Delta::Finish {
            choice,
            reason,
            raw,
        } => Object::of_type("finish")
            .value("choice", choice)
            .text("reason", reason.as_str())
            .text("raw", raw),
        Delta::Usage(counts) => usage(Object::of_type("usage"), &counts),
        Delta::Error(error) => Object::of_type("error")
            .text("kind", error.kind.as_str())
            .some_text("code", error.code)
            .text("message", error.message)
            .value("transient", error.transient),
        Delta::Other { event, raw } => Object::of_type("other")
            .text("event", event)
            .text("raw", &String::from_utf8_lossy(raw)),
        Delta::Detail { scope, name, value } => {
            let line = self::scope(Object::of_type("detail"), scope).text("name", name);
            value_of(line, value)
        }
        Delta::Invalid { offset, error } => Object::of_type("invalid")
            .value("offset", offset)
            .text("error", &error.to_string()),
        Delta::Done => Object::of_type("done"),
    }
}

/// The last line: whether the stream is complete, and how many events could not be decoded.
pub(crate) fn end(is_complete: bool, invalid: u64) -> Object {
    Object::of_type("end")
        .value("complete", is_complete)
        .value("invalid", invalid)
}

/// The value of a detail: as it is, or as a string if other readers of JSON refuse it, such as `NaN` or
/// `1e400`.
pub(crate) fn value_of(line: Object, value: &str) -> Object {
    match serde_json::from_str::<serde_json::Value>(value) {
        Ok(_) => line.value("value", value),
        Err(_) => line.text("value", value),
    }
}

/// The scope of a detail.
pub(crate) fn scope(mut object: Object, scope: Scope) -> Object {
    object = object.text("scope", scope.as_str());
    if let Some(choice) = scope.choice() {
        object = object.value("choice", choice);
    }
    if let Some(part) = scope.part() {
        object = object.value("part", part);
    }
    if let Some(index) = scope.index() {
        object = object.value("index", index);
    }
    object
}

fn start(kind: &str, choice: u32, part: u32, index: i32, id: &str, name: &str) -> Object {
    Object::of_type(kind)
        .value("choice", choice)
        .value("part", part)
        .value("index", index)
        .some_text("id", id)
        .some_text("name", name)
}

fn arguments(
    kind: &str,
    choice: u32,
    part: u32,
    index: i32,
    fragment: &str,
    whole: bool,
) -> Object {
    let line = Object::of_type(kind)
        .value("choice", choice)
        .value("part", part)
        .value("index", index)
        .text("fragment", fragment);
    if whole {
        line.value("whole", true)
    } else {
        line
    }
}
