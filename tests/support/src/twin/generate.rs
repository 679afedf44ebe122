//! Streams, and what the decoders are told of them.

use deltawire::Dialect;
use deltawire::frame::{Eof, Framing};

use super::dice::Dice;
use super::json::{Json, reshape, vary, vary_plainly};
use super::providers::{PROVIDERS, Provider};
use super::{Case, Cut, events};

/// How an event is put on the wire.
#[derive(Debug, Clone)]
struct Dress {
    name: String,
    json: Option<Json>,
    text: Vec<u8>,
    /// Before the data line, behind it, and between the tokens.
    before: Vec<u8>,
    behind: Vec<u8>,
    after_colon: usize,
    trailing: usize,
    spaces: Vec<usize>,
    crlf: bool,
}

impl Dress {
    fn of(event: &(&str, &str)) -> Self {
        Dress {
            name: event.0.to_string(),
            json: Json::read(event.1.as_bytes()).filter(|json| !json.is_scalar()),
            text: event.1.as_bytes().to_vec(),
            before: Vec::new(),
            behind: Vec::new(),
            after_colon: 1,
            trailing: 0,
            spaces: Vec::new(),
            crlf: false,
        }
    }

    fn change(&mut self, dice: &mut Dice<'_>) {
        const LINES: &[&[u8]] = &[
            b"",
            b"id: 1\n",
            b"id:2\n",
            b": comment\n",
            b"retry: 5\n",
            b"event: x\n",
            b"event:x\n",
            b"event:  x\n",
            b"error: {}\n",
            b"data\n",
            b"data: \n",
            b"foo: bar\n",
            b"event: thread.message.delta\n",
            b"event:thread.message.delta\n",
        ];
        match dice.below(8) {
            0 => self.before = dice.of(LINES).to_vec(),
            1 => self.behind = dice.of(LINES).to_vec(),
            2 => self.after_colon = dice.below(4),
            3 => self.trailing = dice.below(4),
            4 => self.spaces = (0..dice.below(12)).map(|_| dice.below(4)).collect(),
            5 => self.crlf = !self.crlf,
            6 => self.name.clear(),
            _ => self.name = format!("{} ", self.name),
        }
    }

    fn wire(&self, is_lines: bool) -> Vec<u8> {
        let mut payload = Vec::new();
        match &self.json {
            Some(json) => {
                let mut spaces = self.spaces.iter().copied();
                json.write(&mut payload, &mut || spaces.next().unwrap_or(0));
            }
            None => payload.extend_from_slice(&self.text),
        }
        payload.extend(core::iter::repeat_n(b' ', self.trailing));
        let mut out = Vec::new();
        if !is_lines {
            if !self.name.is_empty() {
                out.extend_from_slice(format!("event: {}\n", self.name).as_bytes());
            }
            out.extend_from_slice(&self.before);
            out.extend_from_slice(b"data:");
            out.extend(core::iter::repeat_n(b' ', self.after_colon));
        }
        out.extend_from_slice(&payload);
        out.push(b'\n');
        if !is_lines {
            out.extend_from_slice(&self.behind);
            out.push(b'\n');
        }
        if self.crlf {
            let text = out.split(|byte| *byte == b'\n').collect::<Vec<_>>();
            out = text.join(&b"\r\n"[..]);
        }
        out
    }
}

/// A stream of a provider's events that repeats itself with variations.
fn stream(provider: &Provider, is_lines: bool, dice: &mut Dice<'_>, most: usize) -> Vec<u8> {
    let base = |dice: &mut Dice<'_>| Dress::of(&provider.events[dice.below(provider.events.len())]);
    let mut out = Vec::new();
    let mut current = base(dice);
    let mut other = base(dice);
    out.extend(current.wire(is_lines));
    for _ in 0..most {
        if dice.is_used_up() {
            break;
        }
        match dice.below(24) {
            0..=4 => {}
            5..=11 => {
                if let Some(json) = &mut current.json {
                    vary(json, dice);
                }
            }
            // Only this once.
            12 | 13 => {
                let mut once = current.clone();
                if let Some(json) = &mut once.json {
                    vary(json, dice);
                }
                out.extend(once.wire(is_lines));
                continue;
            }
            14 | 15 => {
                if let Some(json) = &mut current.json {
                    reshape(json, dice);
                }
            }
            16 => current.change(dice),
            17 | 18 => current = base(dice),
            19 | 20 => core::mem::swap(&mut current, &mut other),
            21 => {
                other = current.clone();
                if let Some(json) = &mut other.json {
                    vary(json, dice);
                }
            }
            22 => {
                let mut once = current.clone();
                once.change(dice);
                out.extend(once.wire(is_lines));
                continue;
            }
            _ => {
                let odd: &[&[u8]] = &[
                    b"\n",
                    b"data: [DONE]\n\n",
                    b"data:\n\n",
                    b"data: \n\n",
                    b": ping\n\n",
                    b"id: 9\n\n",
                    b"data: {\n\n",
                    b"\xEF\xBB\xBF",
                    b"\r",
                    b"\r\n",
                    b"retry: 1\n\n",
                    b"data\n\n",
                    b"{\"error\":\"e\"}\n",
                    b"data: {\"error\":{\"message\":\"m\"}}\n\n",
                ];
                out.extend_from_slice(dice.of(odd));
                continue;
            }
        }
        out.extend(current.wire(is_lines));
        // The same again, and again with another text.
        for _ in 0..dice.below(4) {
            if dice.one_in(2)
                && let Some(json) = &mut current.json
            {
                vary_plainly(json, dice);
            }
            out.extend(current.wire(is_lines));
        }
    }
    out
}

fn cut(dice: &mut Dice<'_>) -> Cut {
    match dice.below(8) {
        0..=2 => Cut::Whole,
        3 => Cut::Events,
        4 => Cut::Size(1 + dice.below(9)),
        5 => Cut::Size(16 + dice.below(240)),
        _ => Cut::Sizes((0..1 + dice.below(6)).map(|_| dice.below(700)).collect()),
    }
}

fn options(case: &mut Case, dice: &mut Dice<'_>) {
    if dice.one_in(4) {
        case.eof = Eof::Discard;
    }
    if dice.one_in(4) {
        let stream = &case.streams[0];
        let events = events(stream);
        if let Some(event) = events.get(dice.below(events.len())) {
            let less = dice.below(8);
            case.max_event_bytes = Some(event.len().saturating_sub(less));
        }
    }
}

/// Whose streams are generated, in the order of the first decision.
pub fn dialects() -> impl Iterator<Item = Dialect> {
    PROVIDERS.iter().map(|provider| provider.dialect)
}

/// Streams as a provider sends them, and as none should.
pub fn generated(dice: &mut Dice<'_>) -> Case {
    let provider = &PROVIDERS[dice.below(PROVIDERS.len())];
    let is_lines = (provider.dialect == Dialect::Ollama) != dice.one_in(32);
    let mut case = Case::of(b"", cut(dice));
    let is_told = provider.dialect == Dialect::Bedrock || dice.one_in(4);
    case.dialect = is_told.then_some(provider.dialect);
    if is_told {
        case.framing = Some(if is_lines {
            Framing::Ndjson
        } else {
            Framing::Sse
        });
    }
    case.streams[0] = stream(provider, is_lines, dice, 60);
    if dice.one_in(4) {
        case.streams.push(stream(provider, is_lines, dice, 20));
    }
    options(&mut case, dice);
    case
}

/// A stream made of recorded events that are changed, taken out, put elsewhere, or taken from
/// another stream of the same dialect.
pub fn mutated(recorded: &[u8], donor: &[u8], dice: &mut Dice<'_>) -> Case {
    let mut all: Vec<Vec<u8>> = events(recorded).into_iter().map(<[u8]>::to_vec).collect();
    let donors = events(donor);
    let start = dice.below(all.len());
    all.drain(..start.min(all.len().saturating_sub(40)));
    all.truncate(60);
    while !dice.is_used_up() && !all.is_empty() {
        let at = dice.below(all.len());
        let other = dice.below(all.len());
        match dice.below(14) {
            0 => {
                let byte = dice.below(all[at].len());
                if let Some(byte) = all[at].get_mut(byte) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            1 => {
                all.remove(at);
            }
            2 | 3 => {
                let again = all[at].clone();
                all.insert(other, again);
            }
            4 => all.swap(at, other),
            5 => {
                if let Some(event) = donors.get(dice.below(donors.len())) {
                    all.insert(at, event.to_vec());
                }
            }
            6 => {
                let from = dice.below(all[at].len());
                let to = (from + dice.below(4)).min(all[at].len());
                all[at].drain(from..to);
            }
            7 => {
                let from = dice.below(all[at].len() + 1);
                let what: &[&[u8]] = &[
                    b" ", b"  ", b"\n", b"\r\n", b"\r", b"\xFF", b"\x01", b"\"", b"\\", b"0",
                ];
                let what = dice.of(what);
                all[at].splice(from..from, what.iter().copied());
            }
            8 => {
                let text = all[at].split(|byte| *byte == b'\n').collect::<Vec<_>>();
                all[at] = text.join(&b"\r\n"[..]);
            }
            _ => {
                let event = &mut all[at];
                let Some(start) = event.iter().position(|byte| *byte == b'{') else {
                    continue;
                };
                let len = event[start..].iter().position(|byte| *byte == b'\n');
                let end = start + len.unwrap_or(event.len() - start);
                let Some(mut json) = Json::read(&event[start..end]) else {
                    continue;
                };
                if dice.one_in(3) {
                    reshape(&mut json, dice);
                } else {
                    vary(&mut json, dice);
                }
                let mut payload = Vec::new();
                json.write(&mut payload, &mut || 0);
                event.splice(start..end, payload);
                // Events repeat: so does what became of one.
                for _ in 0..dice.below(3) {
                    let again = all[at].clone();
                    all.insert(at, again);
                }
            }
        }
        if all.len() > 120 {
            break;
        }
    }
    let mut case = Case::of(&all.concat(), cut(dice));
    options(&mut case, dice);
    case
}

/// Whatever a fuzzer comes up with. `!` and then decisions for [`generated`]; else two characters,
/// how to cut and what the decoder is told, and the stream.
pub fn arbitrary(input: &[u8]) -> Case {
    let (how, what, stream) = match input {
        [b'!', rest @ ..] => return generated(&mut Dice::new(rest)),
        [how, what, stream @ ..] => (usize::from(*how), usize::from(*what), stream),
        _ => return Case::of(input, Cut::Whole),
    };
    let cut = match how % 8 {
        0 => Cut::Whole,
        1 => Cut::Events,
        2 => Cut::Size(1),
        3 => Cut::Size(7),
        4 => Cut::Size(64),
        5 => Cut::Sizes(vec![3, 100, 0, 41]),
        6 => Cut::Size(1024),
        _ => Cut::Sizes(vec![1000, 1]),
    };
    let mut case = Case::of(stream, cut);
    if how & 8 != 0 {
        case.eof = Eof::Discard;
    }
    if how & 64 != 0 {
        let events = events(stream);
        let first = events.first().map_or(0, |event| event.len());
        case.max_event_bytes = Some(first.saturating_sub(how >> 4 & 3));
    }
    let dialects = Dialect::ALL;
    case.dialect = dialects.get((what % 16).wrapping_sub(1)).copied();
    if case.dialect.is_some() {
        case.framing = match what / 16 % 4 {
            0 => None,
            1 => Some(Framing::Ndjson),
            _ => Some(Framing::Sse),
        };
    }
    case
}

/// JSON that says something else: other scalars, members added, doubled, dropped and renamed.
pub fn changed(text: &[u8], dice: &mut Dice<'_>) -> Vec<u8> {
    let Some(mut json) = Json::read(text) else {
        return text.to_vec();
    };
    for _ in 0..12 {
        if dice.is_used_up() {
            break;
        }
        match dice.one_in(3) {
            true => reshape(&mut json, dice),
            false => vary(&mut json, dice),
        }
    }
    let mut out = Vec::new();
    json.write(&mut out, &mut || 0);
    out
}
