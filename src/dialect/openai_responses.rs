//! `openai-responses`: OpenAI's Responses API.
//!
//! Format: `event: T` and `data: {"type":"T",…}`; some senders leave the `event` line out, so the type in
//! the payload counts. Ends with `response.completed`, `response.incomplete`, `response.failed` or
//! `response.cancelled`. Items are told apart by `output_index`, since some senders change the IDs from
//! event to event. A `.done` event repeats what its deltas brought; only what they did not bring is
//! new.

use super::{Dialect, Spec};
use crate::delta::Scope;
use crate::json::with_short;
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::error::ProviderError;
use crate::reply::finish::finish_reason;
use crate::reply::parts::PartKey;
use crate::reply::queue::Members;
use crate::reply::repeats::TextPart;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiResponses,
    name: "openai-responses",
    detect: |outline| outline.is_type(|name| name.starts_with("response.")),
    detect_body: Some(|outline| outline.object.is("response")),
    event,
    complete_body: Some(complete_body),
    ..Spec::DEFAULT
};

/// The kind of a part that is an item.
const ITEM: u8 = 0x40;

/// The members of an event.
#[derive(Default)]
struct Event<'d> {
    kind: Str<'d>,
    /// `output_index`.
    item: Option<i32>,
    /// `content_index` or `summary_index`.
    part: Option<i32>,
    text: Str<'d>,
    object: Option<Span>,
    inner_part: Option<Span>,
    logprobs: Member<'d>,
}

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut event = Event::default();
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "type" => member.text(&mut event.kind),
        "output_index" => member.index(&mut event.item),
        "content_index" | "summary_index" => member.index(&mut event.part),
        "delta" | "text" | "refusal" | "arguments" | "input" => member.text(&mut event.text),
        "item" | "response" => member.object(&mut event.object),
        "part" => member.object(&mut event.inner_part),
        "logprobs" => {
            event.logprobs = member;
            true
        }
        // They only refer, count or pad.
        "item_id" => match member.value {
            Value::String(_) | Value::Number(_) | Value::Null => walk.exempt(member),
            _ => false,
        },
        "sequence_number" | "obfuscation" => match member.value {
            Value::String(_) | Value::Number(_) | Value::Null => walk.varies(member),
            _ => false,
        },
        _ => false,
    });
    let is_known = with_short(event.kind, |kind| {
        let name = kind.strip_prefix("response.").unwrap_or(kind);
        if name == "error" && kind != "error" {
            return false;
        }
        dispatch(name, &event, root, members, walk)
    });
    if is_known {
        if !event.logprobs.value.is_null() {
            let scope = event_scope(&event, walk);
            walk.piece_detail(scope, &Path::ROOT.key("logprobs"), event.logprobs);
        }
        walk.end_object(members, Scope::Response, &Path::ROOT, root);
    }
    Ok(is_known)
}

/// Returns the scope of what belongs to the event's piece: its part, its item, or the response.
fn event_scope(event: &Event<'_>, walk: &mut Walk<'_, '_>) -> Scope {
    match event.item {
        Some(item) if event.part.is_none() || event.text.is_empty() => Scope::Part {
            choice: 0,
            part: item_part(item, walk),
        },
        Some(item) => {
            let part = with_short(event.kind, text_part).map(|kind| {
                let inner = event.part.unwrap_or_default();
                inner_part(item, inner, kind, walk)
            });
            let part = part.unwrap_or_else(|| item_part(item, walk));
            Scope::Part { choice: 0, part }
        }
        None => Scope::Response,
    }
}

/// Returns the kind of text that events of a type bring.
fn text_part(kind: &str) -> Option<TextPart> {
    let name = kind.strip_prefix("response.").unwrap_or(kind);
    let name = name.split('.').next().unwrap_or(name);
    Some(match name {
        "output_text" => TextPart::Text,
        "reasoning_text" => TextPart::Reasoning,
        "reasoning_summary_text" => TextPart::Summary,
        "refusal" => TextPart::Refusal,
        _ => return None,
    })
}

/// Interprets an event of this name. `members` are the unknown members of its root.
fn dispatch<'d>(
    name: &str,
    event: &Event<'d>,
    root: Span,
    members: Members,
    walk: &mut Walk<'_, 'd>,
) -> bool {
    let item = event.item.unwrap_or_default();
    let inner = event.part.unwrap_or_default();
    match name {
        "output_text.delta"
        | "reasoning_text.delta"
        | "reasoning_summary_text.delta"
        | "refusal.delta" => {
            let kind = text_part(name).unwrap_or(TextPart::Text);
            piece(item, inner, kind, event.text, walk);
        }
        "output_text.done"
        | "reasoning_text.done"
        | "reasoning_summary_text.done"
        | "refusal.done" => {
            let kind = text_part(name).unwrap_or(TextPart::Text);
            rest(item, inner, kind, event.text, walk);
        }
        "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
            arguments(item, event.text, walk);
        }
        "function_call_arguments.done" | "custom_tool_call_input.done" => {
            all_arguments(item, event.text, walk);
        }
        "output_item.added" | "output_item.done" => {
            if let Some(object) = event.object {
                self::item(item, object, name == "output_item.done", walk);
            }
        }
        "created" | "queued" | "in_progress" => {
            if let Some(response) = event.object {
                self::response(response, None, walk);
            }
        }
        "completed" | "incomplete" | "failed" | "cancelled" => {
            if event.object.is_none() {
                // The event is the response, whose reading reports the members of the root.
                walk.queue.forget_members(members);
            }
            self::response(event.object.unwrap_or(root), Some(name), walk);
        }
        // Objects around the text that other events bring.
        "content_part.added"
        | "content_part.done"
        | "reasoning_summary_part.added"
        | "reasoning_summary_part.done"
        | "reasoning_part.added"
        | "reasoning_part.done" => {
            if let Some(object) = event.inner_part {
                let default = if name.starts_with("content") {
                    TextPart::Text
                } else {
                    TextPart::Summary
                };
                let kind = part_kind(object, default, walk);
                let part = inner_part(item, inner, kind, walk);
                part_details(object, part, walk);
            }
        }
        "error" => {
            // The error's own reading reports the members of the root.
            walk.queue.forget_members(members);
            walk.progress.repeats.has_error = true;
            let Ok(root) = walk.root() else { return false };
            let is_known = |key: &str| matches!(key, "sequence_number" | "item_id");
            ProviderError::read(walk, root, &Path::ROOT, &is_known).report(walk);
        }
        _ => return false,
    }
    true
}

/// Interprets a non-streaming response.
fn complete_body(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    response(root, Some("completed"), walk);
    Ok(true)
}

/// Returns the part that an item is.
fn item_part(item: i32, walk: &mut Walk<'_, '_>) -> u32 {
    walk.part(0, ITEM, item, 0)
}

/// Returns the part of an item's text. The first one is the part that the item is.
fn inner_part(item: i32, inner: i32, kind: TextPart, walk: &mut Walk<'_, '_>) -> u32 {
    let key = PartKey {
        kind: kind as u8,
        index: item,
        inner,
    };
    if let Some(part) = walk.progress.parts.find(0, key) {
        return part;
    }
    let has_inner = walk.progress.parts.any_of(0, item, ITEM);
    let number = item_part(item, walk);
    if has_inner {
        return walk.part(0, kind as u8, item, inner);
    }
    let known = walk.progress.parts.alias(0, key, number);
    walk.queue.check(known);
    number
}

/// Queues a piece of text.
fn piece<'d>(item: i32, inner: i32, kind: TextPart, text: Str<'d>, walk: &mut Walk<'_, 'd>) {
    if text.is_empty() {
        return;
    }
    let part = inner_part(item, inner, kind, walk);
    walk.progress.repeats.add((item, inner, kind), walk.queue);
    walk.queue.piece(kind.text_kind(), 0, part, text);
}

/// Queues the complete text of a part if no delta brought it.
fn rest<'d>(item: i32, inner: i32, kind: TextPart, text: Str<'d>, walk: &mut Walk<'_, 'd>) {
    if !walk.progress.repeats.contains((item, inner, kind)) {
        // The next such event repeats the text.
        walk.queue.unique();
        piece(item, inner, kind, text, walk);
    }
}

fn call_at<'d>(item: i32, walk: &mut Walk<'_, 'd>) -> Call<'d> {
    Call {
        part: Some(item_part(item, walk)),
        index: Some(item),
        ..Call::default()
    }
}

fn arguments<'d>(item: i32, fragment: Str<'d>, walk: &mut Walk<'_, 'd>) {
    let call = call_at(item, walk);
    let call = walk.progress.call(&call, walk.queue);
    // The checksum depends on the text.
    walk.queue.unique();
    if let Some(sum) = walk.progress.repeats.sum_of(item, walk.queue) {
        update(sum, fragment);
    }
    walk.queue.arguments(call, fragment, false);
}

/// Adds a string to a checksum.
fn update(sum: &mut crc32fast::Hasher, text: Str<'_>) {
    match text.plain() {
        Some(plain) => sum.update(plain.as_bytes()),
        None => text.chars().for_each(|char| {
            sum.update(char.encode_utf8(&mut [0; 4]).as_bytes());
        }),
    }
}

/// Queues all arguments of a call if they are not what the deltas brought: for some clients those are
/// ciphertext.
fn all_arguments<'d>(item: i32, arguments: Str<'d>, walk: &mut Walk<'_, 'd>) {
    if arguments.is_empty() {
        return;
    }
    walk.queue.unique();
    let mut sum = crc32fast::Hasher::new();
    update(&mut sum, arguments);
    let Some(known) = walk.progress.repeats.sum_of(item, walk.queue) else {
        return;
    };
    let known = core::mem::replace(known, sum.clone());
    if known.finalize() != sum.finalize() {
        let call = call_at(item, walk);
        let call = walk.progress.call(&call, walk.queue);
        walk.queue.arguments(call, arguments, true);
    }
}

/// Reads an item of the output at its start or its end.
fn item(index: i32, object: Span, is_done: bool, walk: &mut Walk<'_, '_>) {
    let part = item_part(index, walk);
    let scope = Scope::Part { choice: 0, part };
    let kind = walk.get(object, "type").str();
    if kind.is("function_call") || kind.is("custom_tool_call") {
        function_call(index, object, is_done, walk);
        return;
    }
    let is_text = kind.is("message") || kind.is("reasoning");
    let is_reasoning = kind.is("reasoning");
    walk.object(object, scope, &Path::ROOT, |walk, key, member| {
        match (key, member.as_array()) {
            ("type", _) if is_text => true,
            ("content", Some(array)) if is_text => {
                let kind = if is_reasoning {
                    TextPart::Reasoning
                } else {
                    TextPart::Text
                };
                parts(index, array, key, kind, is_done, walk);
                true
            }
            ("summary", Some(array)) if is_text => {
                parts(index, array, key, TextPart::Summary, is_done, walk);
                true
            }
            // It must be sent back.
            ("encrypted_content", _) if member.value.str().is_some_and(Str::is_empty) => true,
            _ => false,
        }
    });
}

/// Reads an item that is a call of one of the caller's tools.
fn function_call(index: i32, object: Span, is_done: bool, walk: &mut Walk<'_, '_>) {
    let mut call = call_at(index, walk);
    let mut arguments = Str::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "type" => true,
        "call_id" => member.text(&mut call.id),
        "name" => member.text(&mut call.name),
        "arguments" | "input" => member.text(&mut arguments),
        _ => false,
    });
    let call = walk.progress.call(&call, walk.queue);
    if is_done {
        all_arguments(index, arguments, walk);
    }
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}

/// Reads the parts of an item. If the item is done, text is queued of each kind of which no delta brought
/// any. The parts' positions are not compared, since some senders count them differently in deltas.
fn parts(
    item: i32,
    array: Span,
    list: &str,
    default: TextPart,
    is_done: bool,
    walk: &mut Walk<'_, '_>,
) {
    let known_before = walk.progress.repeats.parts().len();
    walk.elements(array, |walk, n, element| {
        let Some(object) = element.as_object() else {
            let scope = Scope::Part {
                choice: 0,
                part: item_part(item, walk),
            };
            walk.detail(scope, &Path::ROOT.key(list).index(n), element);
            return;
        };
        let inner = n as i32;
        let kind = part_kind(object, default, walk);
        let name = if kind == TextPart::Refusal {
            "refusal"
        } else {
            "text"
        };
        let text = walk.get(object, name).str();
        let known = walk.progress.repeats.parts();
        let known = known.get(..known_before).unwrap_or_default();
        let is_brought = known
            .iter()
            .any(|(of, _, of_kind)| (*of, *of_kind) == (item, kind));
        if is_done && !is_brought && !text.is_empty() {
            walk.queue.unique();
            piece(item, inner, kind, text, walk);
        }
        let part = inner_part(item, inner, kind, walk);
        part_details(object, part, walk);
    });
}

/// Returns the kind of a part of an item.
fn part_kind(object: Span, default: TextPart, walk: &Walk<'_, '_>) -> TextPart {
    let kind = walk.get(object, "type").str();
    if kind.is("refusal") {
        TextPart::Refusal
    } else if kind.is("reasoning_text") {
        TextPart::Reasoning
    } else if kind.is("summary_text") {
        TextPart::Summary
    } else {
        default
    }
}

/// Reports what a part has besides the text that deltas bring.
fn part_details(object: Span, part: u32, walk: &mut Walk<'_, '_>) {
    let scope = Scope::Part { choice: 0, part };
    let kind = walk.get(object, "type").str();
    let is_known = with_short(kind, |kind| {
        matches!(
            kind,
            "output_text" | "summary_text" | "reasoning_text" | "refusal" | "text"
        )
    });
    walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
        "type" => is_known,
        "text" | "refusal" => is_known && (member.value.str().is_some() || member.value.is_null()),
        "annotations" | "logprobs" => member.is_empty(walk.text()),
        _ => false,
    });
}

/// Reads the response object. `end` is the event's name if it ends the response.
fn response(object: Span, end: Option<&str>, walk: &mut Walk<'_, '_>) {
    let (mut id, mut model, mut status) = (Str::default(), Str::default(), Str::default());
    let mut output = None;
    let (mut usage, mut error) = (Member::default(), Member::default());
    let mut why = Str::default();
    let is_end = end.is_some();
    let members = walk.queue.begin_object();
    walk.members(object, |walk, key, member| match key {
        "id" => member.text(&mut id),
        "model" => member.text(&mut model),
        "object" => member.value.str().is_some(),
        // The event is read as the response if it has no such object.
        "type" | "sequence_number" => true,
        "status" if is_end => member.text(&mut status),
        "output" => member.array(&mut output),
        "usage" => {
            usage = member;
            member.as_object().is_some() || member.value.is_null()
        }
        "error" => {
            error = member;
            true
        }
        "incomplete_details" => {
            if let Some(object) = member.as_object() {
                why = walk.get(object, "reason").str();
            }
            member.value.is_null()
        }
        _ => false,
    });
    walk.progress.start_assistant(id, model, walk.queue);
    if let Some(output) = output.filter(|_| is_end) {
        response_output(output, walk);
    }
    if let Some(name) = end {
        let raw = if why.is_empty() { status } else { why };
        let reason = with_short(raw, |raw| {
            finish_reason(if raw.is_empty() { name } else { raw })
        });
        if raw.is_empty() {
            walk.progress.finish_named(0, reason, name, walk.queue);
        } else {
            walk.progress.finish(0, reason, raw, walk.queue);
        }
    }
    usage::report(walk, usage, &Path::ROOT.key("usage"));
    if !error.is_empty(walk.text()) {
        let path = Path::ROOT.key("error");
        let error = ProviderError::read(walk, error, &path, &|_| false);
        // An `error` event may have reported it before.
        if !core::mem::replace(&mut walk.progress.repeats.has_error, true) {
            error.report(walk);
        }
    }
    walk.end_object(members, Scope::Response, &Path::ROOT, object);
    if is_end {
        walk.progress.done(walk.queue);
    }
}

/// Reads the output of a response that ends. Its text and calls are new only if no event brought any.
fn response_output(output: Span, walk: &mut Walk<'_, '_>) {
    // It depends on all that came before.
    walk.queue.unique();
    let is_new = walk.progress.repeats.is_empty() && !walk.progress.tools.any(0);
    walk.elements(output, |walk, n, element| match element.as_object() {
        Some(object) => item(n as i32, object, is_new, walk),
        None => {
            let path = Path::ROOT.key("output");
            walk.detail(Scope::Response, &path.index(n), element);
        }
    });
}
