//! `bedrock`: AWS Bedrock, `ConverseStream` and `InvokeModelWithResponseStream`.
//!
//! Format: AWS event-stream frames. Converse events are named by their frame and carry the bare
//! member. Invoke frames are all named `chunk` and carry the model's own JSON in base64; which model
//! it is shows in that JSON. Usage comes behind `messageStop`, so the stream is complete there but
//! its end is noted only at the end.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Dialect, Spec, anthropic, openai_chat};
use crate::delta::TextKind;
use crate::delta::{FinishReason, Usage};
use crate::frame::Framing;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::tool_calls::Call;
use crate::reply::{Payload, usage};
use crate::tape::{Doc, Value};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Bedrock,
    name: "bedrock",
    framing: Framing::EventStream,
    detect: |_| false,
    event,
    unwrap: Some(chunk),
    ..Spec::DEFAULT
};

/// The type of the frames that carry a model's own JSON.
const CHUNK: &str = "chunk";

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    // Who owns the message and what was counted has no version; no two frames are alike anyway.
    queue.unique();
    if payload.event == CHUNK {
        return invoke(progress, payload, queue);
    }
    converse(progress, payload.event, payload.doc.root, payload, queue)
}

fn converse(
    progress: &mut Progress,
    name: &str,
    root: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) -> bool {
    let index = root
        .get("contentBlockIndex")
        .and_then(Value::index)
        .unwrap_or_default();
    match name {
        "messageStart" => progress.start("", "", root.text_of("role"), queue),
        "contentBlockStart" => {
            let start = root.get("start").unwrap_or(root);
            match start.get("toolUse") {
                Some(tool) => tool_start(progress, index, tool, queue),
                None if start.is_empty() => {}
                None => queue.other(name, payload.doc.text),
            }
        }
        "contentBlockDelta" => {
            if let Some(delta) = root.get("delta") {
                self::delta(progress, index, delta, payload, queue);
            }
        }
        "contentBlockStop" => {}
        "messageStop" => {
            let raw = root.text_of("stopReason");
            let reason = match raw {
                // Some models say so although they call tools.
                "end_turn" => progress.stop_or_tool_calls(0),
                "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
                "malformed_model_output" | "malformed_tool_use" => FinishReason::Error,
                raw => crate::reply::finish::finish_reason(raw),
            };
            progress.finish(0, reason, raw, queue);
            progress.complete = true;
        }
        "metadata" => {
            let counts = usage::of(root.get("usage"), queue);
            progress.usage(counts, queue);
        }
        _ => return false,
    }
    true
}

fn tool_start(progress: &mut Progress, index: i32, tool: Value<'_>, queue: &mut Queue) {
    let call = Call {
        index: Some(index),
        id: tool.text_of("toolUseId"),
        name: tool.text_of("name"),
        is_server: tool.text_of("type") == "server_tool_use",
        ..Call::default()
    };
    progress.tools.call(&call, queue);
}

fn delta(
    progress: &mut Progress,
    index: i32,
    delta: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    for (key, value) in delta.members() {
        match key {
            "text" => queue.piece(TextKind::Text, 0, value.text()),
            "reasoningContent" => {
                queue.piece(TextKind::Reasoning, 0, value.text_of("text"));
                if value.get("text").is_none() {
                    queue.other(key, payload.doc.text);
                }
            }
            "toolUse" => {
                let call = Call {
                    index: Some(index),
                    ..Call::default()
                };
                let index = progress.tools.call(&call, queue);
                let fragment = value.text_of("input");
                progress.arguments(0, index, fragment, false, queue);
            }
            _ => queue.other(key, payload.doc.text),
        }
    }
}

/// The model's own JSON.
fn invoke(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let metrics = root.get("amazon-bedrock-invocationMetrics");
    let is_known = if root.get("type").is_some() {
        anthropic::event(progress, payload, queue)
    } else if root.get("choices").is_some() {
        let is_known = openai_chat::event(progress, payload, queue);
        // There is no `[DONE]` in a frame.
        progress.no_terminator = true;
        progress.complete = progress.is_complete();
        is_known
    } else {
        own(progress, payload, queue)
    };
    // The service's counts differ from the model's and only fill what the model does not give.
    let given = progress.usage;
    let metrics = usage::of(metrics, queue);
    let missing = Usage {
        input_tokens: metrics
            .input_tokens
            .filter(|_| given.input_tokens.is_none()),
        output_tokens: metrics
            .output_tokens
            .filter(|_| given.output_tokens.is_none()),
        ..Usage::default()
    };
    progress.usage(missing, queue);
    is_known
}

/// Nova, Titan, Llama, Mistral, Cohere and the old Claude, told apart by their members.
fn own(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let mut is_known = false;
    let mut choice = 0;
    let (mut text, mut raw) = ("", "");
    let mut is_finished = false;
    for (key, value) in root.members() {
        match key {
            "outputText" | "generation" | "completion" | "text" => text = value.text(),
            "completionReason" | "stop_reason" | "finish_reason" => raw = value.text(),
            "index" => {
                choice = value.choice().unwrap_or_default();
                continue;
            }
            "is_finished" => is_finished = !value.is_empty(),
            "outputs" | "generations" => {
                for (index, output) in (0..).zip(value.elements()) {
                    queue.piece(TextKind::Text, index, output.text_of("text"));
                    let reasons = [
                        output.text_of("stop_reason"),
                        output.text_of("finish_reason"),
                    ];
                    let raw = reasons.into_iter().find(|raw| !raw.is_empty());
                    own_end(progress, index, raw.unwrap_or_default(), queue);
                }
            }
            "messageStart" | "contentBlockStart" | "contentBlockDelta" | "contentBlockStop"
            | "messageStop" | "metadata" => {
                converse(progress, key, value, payload, queue);
            }
            _ => continue,
        }
        is_known = true;
    }
    queue.piece(TextKind::Text, choice, text);
    own_end(progress, choice, raw, queue);
    progress.complete |= is_finished;
    is_known
}

fn own_end(progress: &mut Progress, choice: u32, raw: &str, queue: &mut Queue) {
    if !raw.is_empty() {
        progress.choice(choice, raw, queue);
        progress.complete = true;
    }
}

/// Takes the model's own JSON out of an invoke frame's payload. Returns false where it has none.
fn chunk(event: &str, doc: &Doc<'_>, out: &mut Vec<u8>, queue: &mut Queue) -> bool {
    if event != CHUNK {
        return false;
    }
    out.clear();
    let bytes = doc.root.text_of("bytes").as_bytes();
    let room = base64::decoded_len_estimate(bytes.len());
    if out.try_reserve(room).is_err() {
        queue.set_out_of_memory();
        return false;
    }
    out.resize(room, 0);
    match BASE64.decode_slice(bytes, out) {
        Ok(len) if len > 0 => {
            out.truncate(len);
            true
        }
        _ => false,
    }
}
