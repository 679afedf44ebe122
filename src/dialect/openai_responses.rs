//! `openai-responses`: OpenAI's Responses API.
//!
//! Format: `event: T` and `data: {"type":"T",…}`, of which some send no `event` line; the type counts.
//! Ends with one of `response.completed`, `response.incomplete`, `response.failed`,
//! `response.cancelled`. Items are told apart by `output_index`, since some senders change the IDs from
//! event to event. A `.done` event repeats what its deltas brought; it is read only for what they did
//! not bring.

use super::members::type_of;
use super::{Dialect, Spec};
use crate::delta::FinishReason;
use crate::reply::Payload;
use crate::reply::error::ProviderError;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::repeats::TextPart;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiResponses,
    name: "openai-responses",
    detect: |payload| type_of(payload).is_some_and(|name| name.starts_with("response.")),
    detect_body: Some(|payload| payload.doc.root.text_of("object") == "response"),
    event,
    complete_body: Some(complete_body),
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let mut event = Event::default();
    for (key, value) in root.members() {
        match key {
            "type" => event.name = value.text(),
            "output_index" => event.item = value.index().unwrap_or_default(),
            "content_index" | "summary_index" => event.part = value.index().unwrap_or_default(),
            "delta" | "text" | "refusal" | "arguments" | "input" => event.text = value.text(),
            "item" | "response" => event.object = Some(value),
            "logprobs" => event.has_logprobs = !value.is_empty(),
            _ => queue.ignored(key),
        }
    }
    let name = event.name.strip_prefix("response.").unwrap_or(event.name);
    match name {
        "output_text.delta" => {
            piece(progress, TextPart::Text, &event, queue);
            if event.has_logprobs {
                queue.other("logprobs", payload.doc.text);
            }
        }
        "reasoning_text.delta" => piece(progress, TextPart::Reasoning, &event, queue),
        "reasoning_summary_text.delta" => piece(progress, TextPart::Summary, &event, queue),
        "refusal.delta" => piece(progress, TextPart::Refusal, &event, queue),
        "output_text.done" => rest(progress, TextPart::Text, &event, queue),
        "reasoning_text.done" => rest(progress, TextPart::Reasoning, &event, queue),
        "reasoning_summary_text.done" => rest(progress, TextPart::Summary, &event, queue),
        "refusal.done" => rest(progress, TextPart::Refusal, &event, queue),
        "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
            arguments(progress, event.item, event.text, queue);
        }
        "function_call_arguments.done" | "custom_tool_call_input.done" => {
            all_arguments(progress, event.item, event.text, queue);
        }
        "output_item.added" | "output_item.done" => {
            let is_done = name == "output_item.done";
            item(progress, event.item, event.object, is_done, payload, queue);
        }
        "created" | "queued" | "in_progress" => start(progress, event.object, queue),
        "completed" | "incomplete" | "failed" | "cancelled" => {
            end(progress, name, event.object, payload, queue);
        }
        // Frames around what other events say.
        "content_part.added"
        | "content_part.done"
        | "reasoning_summary_part.added"
        | "reasoning_summary_part.done"
        | "reasoning_part.added"
        | "reasoning_part.done" => {}
        "error" if event.name == "error" => {
            progress.repeats.has_error = true;
            ProviderError::read(root).report(&payload.doc, queue);
        }
        _ => return false,
    }
    true
}

/// Interprets a non-streaming response.
fn complete_body(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    start(progress, Some(root), queue);
    let status = root.text_of("status");
    end(
        progress,
        if status.is_empty() {
            "completed"
        } else {
            status
        },
        Some(root),
        payload,
        queue,
    );
    true
}

fn piece(progress: &mut Progress, kind: TextPart, event: &Event<'_>, queue: &mut Queue) {
    let part = (event.item, event.part, kind);
    progress.repeats.add(part, queue);
    queue.piece(kind.text_kind(), 0, event.text);
}

/// The whole text of a part, which is news only where no delta came.
fn rest(progress: &mut Progress, kind: TextPart, event: &Event<'_>, queue: &mut Queue) {
    if !progress.repeats.contains((event.item, event.part, kind)) {
        // The next time it was heard.
        queue.unique();
        piece(progress, kind, event, queue);
    }
}

fn arguments(progress: &mut Progress, item: i32, fragment: &str, queue: &mut Queue) {
    let index = progress.tools.call(
        &Call {
            index: Some(item),
            ..Call::default()
        },
        queue,
    );
    queue.unique();
    if let Some(sum) = progress.repeats.sum_of(item, queue) {
        sum.update(fragment.as_bytes());
    }
    queue.tool_call_arguments(0, index, fragment, false);
}

/// All arguments of a call. They win where they are not what the deltas brought: for some
/// clients those are ciphertext.
fn all_arguments(progress: &mut Progress, item: i32, arguments: &str, queue: &mut Queue) {
    if arguments.is_empty() {
        return;
    }
    queue.unique();
    let mut sum = crc32fast::Hasher::new();
    sum.update(arguments.as_bytes());
    let Some(known) = progress.repeats.sum_of(item, queue) else {
        return;
    };
    let known = core::mem::replace(known, sum.clone());
    if known.finalize() != sum.finalize() {
        let call = Call {
            index: Some(item),
            ..Call::default()
        };
        let index = progress.tools.call(&call, queue);
        queue.tool_call_arguments(0, index, arguments, true);
    }
}

fn start(progress: &mut Progress, response: Option<Value<'_>>, queue: &mut Queue) {
    let Some(response) = response else { return };
    let (id, model) = (response.text_of("id"), response.text_of("model"));
    progress.start(id, model, "assistant", queue);
}

/// An item of the output, begun or done.
fn item(
    progress: &mut Progress,
    index: i32,
    item: Option<Value<'_>>,
    is_done: bool,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let Some(item) = item else { return };
    match item.text_of("type") {
        kind @ ("function_call" | "custom_tool_call") => {
            let call = Call {
                index: Some(index),
                id: item.text_of("call_id"),
                name: item.text_of("name"),
                ..Call::default()
            };
            progress.tools.call(&call, queue);
            let key = if kind == "function_call" {
                "arguments"
            } else {
                "input"
            };
            if is_done {
                all_arguments(progress, index, item.text_of(key), queue);
            }
        }
        "message" | "reasoning" if is_done => {
            parts(progress, index, item, "content", TextPart::Text, queue);
            parts(progress, index, item, "summary", TextPart::Summary, queue);
            if item
                .get("encrypted_content")
                .is_some_and(|content| !content.is_empty())
            {
                queue.other("reasoning", payload.doc.text);
            }
        }
        "message" | "reasoning" => {}
        // The provider's own tools, and what is newer than this.
        kind => queue.other(kind, payload.doc.text),
    }
}

/// The parts of an item that is done, of each kind of which nothing was heard. Their numbers are
/// no guide: some senders count them otherwise in the deltas.
fn parts(
    progress: &mut Progress,
    item: i32,
    of: Value<'_>,
    key: &str,
    kind: TextPart,
    queue: &mut Queue,
) {
    let known_before = progress.repeats.parts().len();
    let parts = of.get(key).into_iter().flat_map(Value::elements);
    for (part, value) in (0..).zip(parts) {
        let (kind, text) = match value.text_of("type") {
            "refusal" => (TextPart::Refusal, value.text_of("refusal")),
            "reasoning_text" => (TextPart::Reasoning, value.text_of("text")),
            _ => (kind, value.text_of("text")),
        };
        let mut before = progress.repeats.parts()[..known_before].iter();
        if !before.any(|(known, _, known_kind)| (*known, *known_kind) == (item, kind)) {
            queue.unique();
            piece(
                progress,
                kind,
                &Event {
                    item,
                    part,
                    text,
                    ..Event::default()
                },
                queue,
            );
        }
    }
}

fn end(
    progress: &mut Progress,
    name: &str,
    response: Option<Value<'_>>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    start(progress, response, queue);
    if response.is_none() {
        // Members of the event that were said to be ignored are not.
        queue.unique();
    }
    let response = response.unwrap_or(payload.doc.root);
    // The output is repeated here; it is news only where no item came before.
    if progress.repeats.is_empty() {
        let items = response.get("output").into_iter().flat_map(Value::elements);
        for (index, item) in (0..).zip(items) {
            self::item(progress, index, Some(item), true, payload, queue);
        }
    }
    let status = Some(response.text_of("status")).filter(|status| !status.is_empty());
    let why = response
        .get("incomplete_details")
        .map_or("", |why| why.text_of("reason"));
    let raw = if why.is_empty() {
        status.unwrap_or(name)
    } else {
        why
    };
    let reason = match raw {
        "completed" => progress.stop_or_tool_calls(0),
        "max_output_tokens" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        "failed" => FinishReason::Error,
        _ => FinishReason::Other,
    };
    progress.finish(0, reason, raw, queue);
    progress.usage(usage::of(response.get("usage"), queue), queue);
    if let Some(error) = response.get("error").filter(|error| !error.is_empty())
        && !core::mem::replace(&mut progress.repeats.has_error, true)
    {
        ProviderError::read(error).report(&payload.doc, queue);
    }
    progress.done(queue);
}

/// What the members of an event say.
#[derive(Default)]
struct Event<'d> {
    name: &'d str,
    /// `output_index`.
    item: i32,
    /// `content_index` or `summary_index`.
    part: i32,
    text: &'d str,
    object: Option<Value<'d>>,
    has_logprobs: bool,
}
