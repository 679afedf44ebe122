//! `openai-responses`: OpenAI's Responses API.
//!
//! Wire: `event: T` and `data: {"type":"T",…}`, of which some send no `event` line; the type counts.
//! Ends with one of `response.completed`, `response.incomplete`, `response.failed`,
//! `response.cancelled`. Items are told apart by `output_index`, since some senders change the IDs from
//! event to event. A `.done` event repeats what its deltas brought; it is read only for what they did
//! not bring.

use alloc::vec::Vec;

use super::Wire;
use super::error::Said;
use super::json::Value;
use super::progress::{MAX_KNOWN, Progress};
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;
use crate::delta::FinishReason;
use crate::memory;

/// What is known of the response so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
    /// The parts whose text was handed out: item, part, and what kind of text.
    heard: Vec<(i32, i32, Part)>,
    /// The calls whose arguments were handed out, and what they were, as a checksum.
    arguments: Vec<(i32, crc32fast::Hasher)>,
    has_error: bool,
}

impl State {
    pub(crate) fn reset(&mut self) {
        self.progress.reset();
        self.heard.clear();
        self.arguments.clear();
        self.has_error = false;
    }

    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let mut event = Event::default();
        for (key, value) in root.members() {
            match key {
                "type" => event.name = value.text(),
                "output_index" => event.item = value.index().unwrap_or_default(),
                "content_index" | "summary_index" => event.part = value.index().unwrap_or_default(),
                "delta" | "text" | "refusal" | "arguments" | "input" => event.text = value.text(),
                "item" | "response" => event.object = Some(value),
                "logprobs" => event.has_logprobs = !value.is_empty(),
                _ => sink.ignored(key),
            }
        }
        let name = event.name.strip_prefix("response.").unwrap_or(event.name);
        match name {
            "output_text.delta" => {
                self.piece(Part::Text, &event, sink);
                if event.has_logprobs {
                    sink.other("logprobs", wire.doc.text);
                }
            }
            "reasoning_text.delta" => self.piece(Part::Reasoning, &event, sink),
            "reasoning_summary_text.delta" => self.piece(Part::Summary, &event, sink),
            "refusal.delta" => self.piece(Part::Refusal, &event, sink),
            "output_text.done" => self.rest(Part::Text, &event, sink),
            "reasoning_text.done" => self.rest(Part::Reasoning, &event, sink),
            "reasoning_summary_text.done" => self.rest(Part::Summary, &event, sink),
            "refusal.done" => self.rest(Part::Refusal, &event, sink),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
                self.arguments(event.item, event.text, sink);
            }
            "function_call_arguments.done" | "custom_tool_call_input.done" => {
                self.all_arguments(event.item, event.text, sink);
            }
            "output_item.added" | "output_item.done" => {
                let is_done = name == "output_item.done";
                self.item(event.item, event.object, is_done, wire, sink);
            }
            "created" | "queued" | "in_progress" => self.start(event.object, sink),
            "completed" | "incomplete" | "failed" | "cancelled" => {
                self.end(name, event.object, wire, sink);
            }
            // Frames around what other events say.
            "content_part.added"
            | "content_part.done"
            | "reasoning_summary_part.added"
            | "reasoning_summary_part.done"
            | "reasoning_part.added"
            | "reasoning_part.done" => {}
            "error" if event.name == "error" => {
                self.has_error = true;
                Said::read(root).report(&wire.doc, sink);
            }
            _ => return false,
        }
        true
    }

    /// Reads a whole response.
    pub(crate) fn whole(&mut self, wire: &Wire<'_>, sink: &mut Sink) {
        let root = wire.doc.root;
        self.start(Some(root), sink);
        let status = root.text_of("status");
        self.end(
            if status.is_empty() {
                "completed"
            } else {
                status
            },
            Some(root),
            wire,
            sink,
        );
    }

    fn piece(&mut self, kind: Part, event: &Event<'_>, sink: &mut Sink) {
        let part = (event.item, event.part, kind);
        if !self.heard.contains(&part) {
            make_place(&mut self.heard);
            if !memory::push(&mut self.heard, part) {
                sink.set_short();
            }
        }
        sink.piece(kind.kind(), 0, event.text);
    }

    /// The whole text of a part, which is news only where no delta came.
    fn rest(&mut self, kind: Part, event: &Event<'_>, sink: &mut Sink) {
        if !self.heard.contains(&(event.item, event.part, kind)) {
            // The next time it was heard.
            sink.unique();
            self.piece(kind, event, sink);
        }
    }

    fn arguments(&mut self, item: i32, fragment: &str, sink: &mut Sink) {
        let index = self.progress.tools.call(
            &Call {
                index: Some(item),
                ..Call::default()
            },
            sink,
        );
        sink.unique();
        if let Some(sum) = self.sum_of(item, sink) {
            sum.update(fragment.as_bytes());
        }
        sink.tool_call_arguments(0, index, fragment, false);
    }

    /// The checksum of a call's arguments; `None` where there is no memory for one.
    fn sum_of(&mut self, item: i32, sink: &mut Sink) -> Option<&mut crc32fast::Hasher> {
        let at = self.arguments.iter().position(|(known, _)| *known == item);
        if at.is_none() {
            make_place(&mut self.arguments);
            if !memory::push(&mut self.arguments, (item, crc32fast::Hasher::new())) {
                sink.set_short();
                return None;
            }
        }
        let at = at.unwrap_or(self.arguments.len() - 1);
        self.arguments.get_mut(at).map(|(_, sum)| sum)
    }

    /// All arguments of a call. They win where they are not what the deltas brought: for some
    /// clients those are ciphertext.
    fn all_arguments(&mut self, item: i32, arguments: &str, sink: &mut Sink) {
        if arguments.is_empty() {
            return;
        }
        sink.unique();
        let mut sum = crc32fast::Hasher::new();
        sum.update(arguments.as_bytes());
        let Some(known) = self.sum_of(item, sink) else {
            return;
        };
        let known = core::mem::replace(known, sum.clone());
        if known.finalize() != sum.finalize() {
            let call = Call {
                index: Some(item),
                ..Call::default()
            };
            let index = self.progress.tools.call(&call, sink);
            sink.tool_call_arguments(0, index, arguments, true);
        }
    }

    fn start(&mut self, response: Option<Value<'_>>, sink: &mut Sink) {
        let Some(response) = response else { return };
        let (id, model) = (response.text_of("id"), response.text_of("model"));
        self.progress.start(id, model, "assistant", sink);
    }

    /// An item of the output, begun or done.
    fn item(
        &mut self,
        index: i32,
        item: Option<Value<'_>>,
        is_done: bool,
        wire: &Wire<'_>,
        sink: &mut Sink,
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
                self.progress.tools.call(&call, sink);
                let key = if kind == "function_call" {
                    "arguments"
                } else {
                    "input"
                };
                if is_done {
                    self.all_arguments(index, item.text_of(key), sink);
                }
            }
            "message" | "reasoning" if is_done => {
                self.parts(index, item, "content", Part::Text, sink);
                self.parts(index, item, "summary", Part::Summary, sink);
                if item
                    .get("encrypted_content")
                    .is_some_and(|content| !content.is_empty())
                {
                    sink.other("reasoning", wire.doc.text);
                }
            }
            "message" | "reasoning" => {}
            // The provider's own tools, and what is newer than this.
            kind => sink.other(kind, wire.doc.text),
        }
    }

    /// The parts of an item that is done, of each kind of which nothing was heard. Their numbers are
    /// no guide: some senders count them otherwise in the deltas.
    fn parts(&mut self, item: i32, of: Value<'_>, key: &str, kind: Part, sink: &mut Sink) {
        let heard_before = self.heard.len();
        let parts = of.get(key).into_iter().flat_map(Value::elements);
        for (part, value) in (0..).zip(parts) {
            let (kind, text) = match value.text_of("type") {
                "refusal" => (Part::Refusal, value.text_of("refusal")),
                "reasoning_text" => (Part::Reasoning, value.text_of("text")),
                _ => (kind, value.text_of("text")),
            };
            let mut before = self.heard[..heard_before].iter();
            if !before.any(|(known, _, heard)| (*known, *heard) == (item, kind)) {
                sink.unique();
                self.piece(
                    kind,
                    &Event {
                        item,
                        part,
                        text,
                        ..Event::default()
                    },
                    sink,
                );
            }
        }
    }

    fn end(&mut self, name: &str, response: Option<Value<'_>>, wire: &Wire<'_>, sink: &mut Sink) {
        self.start(response, sink);
        if response.is_none() {
            // Members of the event that were said to be ignored are not.
            sink.unique();
        }
        let response = response.unwrap_or(wire.doc.root);
        // The output is repeated here; it is news only where no item came before.
        if self.heard.is_empty() && self.arguments.is_empty() {
            let items = response.get("output").into_iter().flat_map(Value::elements);
            for (index, item) in (0..).zip(items) {
                self.item(index, Some(item), true, wire, sink);
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
            "completed" => self.progress.stop_or_tool_calls(0),
            "max_output_tokens" => FinishReason::Length,
            "content_filter" => FinishReason::ContentFilter,
            "failed" => FinishReason::Error,
            _ => FinishReason::Other,
        };
        self.progress.finish(0, reason, raw, sink);
        self.progress
            .usage(usage::of(response.get("usage"), sink), sink);
        if let Some(error) = response.get("error").filter(|error| !error.is_empty())
            && !core::mem::replace(&mut self.has_error, true)
        {
            Said::read(error).report(&wire.doc, sink);
        }
        self.progress.done(sink);
    }
}

/// What a part of an item is; a reasoning item may have both a text and a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    Reasoning,
    Summary,
    Refusal,
}

impl Part {
    fn kind(self) -> Kind {
        match self {
            Part::Text => Kind::Text,
            Part::Reasoning | Part::Summary => Kind::Reasoning,
            Part::Refusal => Kind::Refusal,
        }
    }
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

/// Forgets the oldest of very many.
fn make_place<T>(list: &mut Vec<T>) {
    if list.len() == MAX_KNOWN {
        list.remove(0);
    }
}
