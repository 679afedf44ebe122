//! `anthropic`: Anthropic Messages.
//!
//! Wire: `event: T` and `data: {"type":"T",…}`: `message_start`, then content blocks, each begun,
//! continued by deltas and stopped, `message_delta` with the stop reason and the cumulative usage,
//! `message_stop`. After an `error` the stream ends without one.

use super::Wire;
use super::error::Said;
use super::json::Value;
use super::note::{NO_TEXT, Note};
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;
use crate::template::Seed;

/// What a message is made of between its start and its end, as Anthropic writes it and all who pass
/// it on. Blocks are short, so learning would come late for most of them.
pub(super) const SEEDS: &[Seed] = &[
    Seed::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":#,"delta":{"type":"text_delta","text":"$"}~}"#,
            "\n\n"
        ),
        Some(piece(Kind::Text)),
    ),
    Seed::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":#,"delta":{"type":"thinking_delta","thinking":"$"}~}"#,
            "\n\n"
        ),
        Some(piece(Kind::Reasoning)),
    ),
    Seed::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":@,"delta":{"type":"input_json_delta","partial_json":"$"}~}"#,
            "\n\n"
        ),
        Some(Note::ToolCallArguments {
            choice: 0,
            index: 0,
            fragment: NO_TEXT,
            whole: false,
            is_server: false,
        }),
    ),
    Seed::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":@,"delta":{"type":"input_json_delta","partial_json":""}~}"#,
            "\n\n"
        ),
        None,
    ),
    Seed::new(
        concat!(
            "event: content_block_stop\n",
            r#"data: {"type":"content_block_stop","index":#~}"#,
            "\n\n"
        ),
        None,
    ),
    Seed::new(
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":#,"content_block":{"type":"text","text":""}~}"#,
            "\n\n"
        ),
        None,
    ),
    Seed::new(
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":#,"content_block":{"type":"thinking","thinking":"","signature":""}~}"#,
            "\n\n"
        ),
        None,
    ),
];

const fn piece(kind: Kind) -> Note {
    Note::Piece {
        kind,
        choice: 0,
        text: NO_TEXT,
    }
}

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let mut name = "";
        let mut index = 0;
        let mut index_key = None;
        let mut object = None;
        let mut counts = None;
        for (key, value) in root.members() {
            match key {
                "type" => name = value.text(),
                "index" => {
                    index = value.index().unwrap_or_default();
                    index_key = Some(key);
                }
                "message" | "content_block" | "delta" => object = Some(value),
                "usage" => counts = Some(value),
                _ => sink.ignored(key),
            }
        }
        match (name, object) {
            ("content_block_delta", Some(delta)) => self.delta(index, delta, wire, sink),
            ("content_block_start", Some(block)) => self.block(index, block, wire, sink),
            ("content_block_stop", _) => {}
            ("message_start", Some(message)) => {
                self.start(message, sink);
                let blocks = message.get("content").into_iter().flat_map(Value::elements);
                for (index, block) in (0..).zip(blocks) {
                    self.block(index, block, wire, sink);
                }
            }
            ("message_delta", Some(delta)) => {
                self.progress.choice(0, delta.text_of("stop_reason"), sink);
                self.progress.usage(usage::of(counts, sink), sink);
            }
            ("message_stop", _) => self.progress.done(sink),
            ("error", _) => Said::read(root).report(&wire.doc, sink),
            _ => return false,
        }
        // Blocks of text have no number in the model.
        if let Some(key) = index_key
            && !sink.uses_tools()
        {
            sink.ignored(key);
        }
        true
    }

    /// Reads a whole response.
    pub(crate) fn whole(&mut self, wire: &Wire<'_>, sink: &mut Sink) {
        let root = wire.doc.root;
        self.start(root, sink);
        let blocks = root.get("content").into_iter().flat_map(Value::elements);
        for (index, block) in (0..).zip(blocks) {
            self.block(index, block, wire, sink);
        }
        self.progress.choice(0, root.text_of("stop_reason"), sink);
    }

    fn start(&mut self, message: Value<'_>, sink: &mut Sink) {
        let (id, model, role) = (
            message.text_of("id"),
            message.text_of("model"),
            message.text_of("role"),
        );
        self.progress.start(id, model, role, sink);
        self.progress
            .usage(usage::of(message.get("usage"), sink), sink);
    }

    fn block(&mut self, index: i32, block: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let kind = block.text_of("type");
        match kind {
            "text" => sink.piece(Kind::Text, 0, block.text_of("text")),
            "thinking" => sink.piece(Kind::Reasoning, 0, block.text_of("thinking")),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                let call = Call {
                    index: Some(index),
                    id: block.text_of("id"),
                    name: block.text_of("name"),
                    is_server: kind != "tool_use",
                    ..Call::default()
                };
                let index = self.progress.tools.call(&call, sink);
                // An empty object only keeps the place of what the deltas bring.
                if block.get("input").is_some_and(|input| !input.is_empty()) {
                    let arguments = wire.doc.member_text(block, "input").unwrap_or_default();
                    self.progress.arguments(0, index, arguments, true, sink);
                }
            }
            kind => sink.other(kind, wire.doc.text),
        }
    }

    fn delta(&mut self, index: i32, delta: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let mut name = "";
        let mut text = "";
        for (key, value) in delta.members() {
            match key {
                "type" => name = value.text(),
                "text" | "thinking" | "partial_json" => text = value.text(),
                _ => sink.ignored(key),
            }
        }
        match name {
            "text_delta" => sink.piece(Kind::Text, 0, text),
            "thinking_delta" => sink.piece(Kind::Reasoning, 0, text),
            "input_json_delta" => {
                let call = Call {
                    index: Some(index),
                    ..Call::default()
                };
                let index = self.progress.tools.call(&call, sink);
                self.progress.arguments(0, index, text, false, sink);
            }
            // Signatures, citations, summaries of what was compacted.
            name => sink.other(name, wire.doc.text),
        }
    }
}
