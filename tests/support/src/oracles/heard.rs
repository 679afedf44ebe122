//! What a stream says, in words that a plain reading of its JSON can use as well as the decoder's.

use deltawire::{Delta, Message, ToolCall, Usage};
use serde_json::Value;
use std::collections::BTreeMap;

/// A delta. What has no place in the model, and who answers, are left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Text(u32, String),
    Reasoning(u32, String),
    Refusal(u32, String),
    /// Choice, index, ID, name.
    Call(u32, i32, String, String),
    Arguments(u32, i32, String),
    /// All of the arguments, as JSON.
    AllArguments(u32, i32, Value),
    ServerCall(u32, i32, String, String),
    ServerArguments(u32, i32, String),
    AllServerArguments(u32, i32, Value),
    /// Choice, the provider's word, and what it means.
    Finish(u32, String, &'static str),
    Usage(Usage),
    Error,
    Done,
}

impl Heard {
    pub fn of(delta: &Delta<'_>) -> Option<Heard> {
        let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::String(text.into()));
        Some(match *delta {
            Delta::Text { choice, text, .. } => Heard::Text(choice, text.into()),
            Delta::Reasoning { choice, text, .. } => Heard::Reasoning(choice, text.into()),
            Delta::Refusal { choice, text, .. } => Heard::Refusal(choice, text.into()),
            Delta::ToolCallStart {
                choice,
                index,
                id,
                name,
                ..
            } => Heard::Call(choice, index, id.into(), name.into()),
            Delta::ServerToolCallStart {
                choice,
                index,
                id,
                name,
                ..
            } => Heard::ServerCall(choice, index, id.into(), name.into()),
            Delta::ToolCallArguments {
                choice,
                index,
                fragment,
                whole: false,
                ..
            } => Heard::Arguments(choice, index, fragment.into()),
            Delta::ToolCallArguments {
                choice,
                index,
                fragment,
                whole: true,
                ..
            } => Heard::AllArguments(choice, index, json(fragment)),
            Delta::ServerToolCallArguments {
                choice,
                index,
                fragment,
                whole: false,
                ..
            } => Heard::ServerArguments(choice, index, fragment.into()),
            Delta::ServerToolCallArguments {
                choice,
                index,
                fragment,
                whole: true,
                ..
            } => Heard::AllServerArguments(choice, index, json(fragment)),
            Delta::Finish {
                choice,
                reason,
                raw,
            } => Heard::Finish(choice, raw.into(), reason.as_str()),
            Delta::Usage(usage) => Heard::Usage(usage),
            Delta::Error(_) => Heard::Error,
            Delta::Done => Heard::Done,
            _ => return None,
        })
    }
}

/// A call of a tool: choice, index, ID, name, and the text or the value of its arguments.
#[derive(Debug, Default, PartialEq)]
struct Call {
    choice: u32,
    index: i32,
    id: String,
    name: String,
    text: String,
    value: Option<Value>,
}

/// A reply put together, plainly.
#[derive(Debug, Default, PartialEq)]
pub struct Reply {
    /// Text, reasoning, refusal and the last finish reason of each choice.
    choices: BTreeMap<u32, [String; 4]>,
    calls: Vec<Call>,
    server_calls: Vec<Call>,
    usage: Usage,
    is_error: bool,
}

impl Reply {
    pub fn of_heard(heard: &[Heard]) -> Reply {
        let mut reply = Reply::default();
        for one in heard {
            reply.hear(one);
        }
        for call in reply.calls.iter_mut().chain(&mut reply.server_calls) {
            call.settle();
        }
        reply
    }

    fn hear(&mut self, one: &Heard) {
        match one {
            Heard::Text(choice, piece) => self.texts(*choice)[0].push_str(piece),
            Heard::Reasoning(choice, piece) => self.texts(*choice)[1].push_str(piece),
            Heard::Refusal(choice, piece) => self.texts(*choice)[2].push_str(piece),
            Heard::Finish(choice, word, _) => self.texts(*choice)[3].clone_from(word),
            Heard::Call(choice, index, id, name) | Heard::ServerCall(choice, index, id, name) => {
                self.texts(*choice);
                let calls = match one {
                    Heard::Call(..) => &mut self.calls,
                    _ => &mut self.server_calls,
                };
                let is_known = |call: &&mut Call| {
                    call.choice == *choice
                        && call.index == *index
                        && (call.id.is_empty() || id.is_empty() || call.id == *id)
                };
                match calls.iter_mut().rev().find(is_known) {
                    Some(call) => {
                        for (slot, said) in [(&mut call.id, id), (&mut call.name, name)] {
                            if slot.is_empty() {
                                slot.clone_from(said);
                            }
                        }
                    }
                    None => calls.push(Call {
                        choice: *choice,
                        index: *index,
                        id: id.clone(),
                        name: name.clone(),
                        ..Call::default()
                    }),
                }
            }
            Heard::Arguments(choice, index, text) => {
                if let Some(call) = last(&mut self.calls, *choice, *index) {
                    call.text.push_str(text);
                }
            }
            Heard::ServerArguments(choice, index, text) => {
                if let Some(call) = last(&mut self.server_calls, *choice, *index) {
                    call.text.push_str(text);
                }
            }
            Heard::AllArguments(choice, index, value) => {
                if let Some(call) = last(&mut self.calls, *choice, *index) {
                    call.text = value.to_string();
                }
            }
            Heard::AllServerArguments(choice, index, value) => {
                if let Some(call) = last(&mut self.server_calls, *choice, *index) {
                    call.text = value.to_string();
                }
            }
            Heard::Usage(usage) => self.usage.merge(usage),
            Heard::Error => self.is_error = true,
            Heard::Done => {}
        }
    }

    fn texts(&mut self, choice: u32) -> &mut [String; 4] {
        self.choices.entry(choice).or_default()
    }

    /// Whether an index was used twice, so that it takes more to tell its calls apart.
    pub fn has_index_twice(&self) -> bool {
        [&self.calls, &self.server_calls].into_iter().any(|calls| {
            calls.iter().enumerate().any(|(at, call)| {
                let same = |it: &Call| (it.choice, it.index) == (call.choice, call.index);
                calls[..at].iter().any(same)
            })
        })
    }

    /// Without arguments that are no JSON: how these look is the wire's.
    pub fn but_for_malformed(mut self) -> Reply {
        for call in self.calls.iter_mut().chain(&mut self.server_calls) {
            call.text.clear();
        }
        self
    }

    pub fn of_message(message: &Message) -> Reply {
        let mut reply = Reply {
            usage: message.usage,
            is_error: message.error.is_some(),
            ..Reply::default()
        };
        for choice in &message.choices {
            let word = choice.finish.as_ref().map_or("", |finish| &finish.raw);
            let texts = [&choice.text, &choice.reasoning, &choice.refusal, word];
            reply.choices.insert(choice.index, texts.map(str::to_owned));
        }
        let owned = |(choice, call): (u32, &ToolCall)| {
            let mut call = Call {
                choice,
                index: call.index,
                id: call.id.clone(),
                name: call.name.clone(),
                text: call.arguments.clone(),
                value: None,
            };
            call.settle();
            call
        };
        reply.calls = message.tool_calls().into_iter().map(owned).collect();
        reply.server_calls = message.server_tool_calls().into_iter().map(owned).collect();
        reply
    }
}

fn last(calls: &mut [Call], choice: u32, index: i32) -> Option<&mut Call> {
    let mut calls = calls.iter_mut().rev();
    calls.find(|call| call.choice == choice && call.index == index)
}

impl Call {
    /// Takes JSON for what it says, however it is written.
    fn settle(&mut self) {
        self.value = serde_json::from_str(&self.text).ok();
        if self.value.is_some() {
            self.text.clear();
        }
    }
}
