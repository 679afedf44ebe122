//! HTML section 9.2.6 said once more, as plainly as can be and over the whole stream at once.
//!
//! The truth that the incremental parser is held against: no chunks, no carry, every line and every
//! value copied. It also knows what the parser adds to the standard (items for lines that dispatch
//! nothing, limits, raw bytes), so that two texts must be wrong alike before a test is.
use super::framing::Seen;
use deltawire::frame::Eof;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What the parser under test was told.
pub struct Setup<'a> {
    pub last_event_id: &'a [u8],
    pub max_event_bytes: usize,
    /// The size of a fixed carry.
    pub memory: Option<usize>,
    pub eof: Eof,
    /// Where the chunks begin. They matter in one way only: a LF that a chunk's end parts from its
    /// CR is in no item's raw bytes, unless its line belongs to a block that goes on.
    pub cuts: &'a [usize],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Setup {
            last_event_id: b"",
            max_event_bytes: usize::MAX,
            memory: None,
            eof: Eof::Discard,
            cuts: &[],
        }
    }
}

/// What came of the stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub seen: Vec<Seen>,
    /// For each of `seen`, how many bytes of the stream complete it.
    pub complete_at: Vec<usize>,
    pub last_event_id: Vec<u8>,
}

/// A line: where it begins, its bytes, and its line end, which only the last one may lack.
struct Line<'s> {
    at: usize,
    text: &'s [u8],
    end: &'s [u8],
}

fn lines(stream: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut at = if stream.starts_with(BOM) {
        BOM.len()
    } else {
        0
    };
    while at < stream.len() {
        let rest = &stream[at..];
        let text = rest.iter().take_while(|b| !b"\r\n".contains(b)).count();
        let end = match &rest[text..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        lines.push(Line {
            at,
            text: &rest[..text],
            end: &rest[text..text + end],
        });
        at += text + end;
    }
    lines
}

/// A line's name and value, one leading space removed.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|b| *b == b':') {
        None => (line, b""),
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
    }
}

fn millis(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| text.parse().ok())?
}

#[derive(Default)]
struct Block {
    at: Option<usize>,
    raw: Vec<u8>,
    /// The raw bytes up to the end of the last line's text.
    len: usize,
    event: Vec<u8>,
    data: Vec<Vec<u8>>,
    id: Option<Vec<u8>>,
}

struct State<'a> {
    setup: &'a Setup<'a>,
    last_event_id: Vec<u8>,
    block: Block,
    /// The rest of a block is skipped; the ID that it set so far.
    skipping: Option<Option<Vec<u8>>>,
    seen: Vec<Seen>,
    complete_at: Vec<usize>,
}

pub fn parse(stream: &[u8], setup: &Setup<'_>) -> Outcome {
    let mut state = State {
        setup,
        last_event_id: setup.last_event_id.to_vec(),
        block: Block::default(),
        skipping: None,
        seen: Vec::new(),
        complete_at: Vec::new(),
    };
    for line in lines(stream) {
        // What may yet become a byte order mark is no line before the stream ends.
        let is_open = line.end.is_empty();
        if is_open && BOM.starts_with(stream) && setup.eof == Eof::Discard {
            break;
        }
        state.limit(&line);
        if state.skipping.is_some() {
            if !is_open {
                state.skip(&line);
            }
        } else if !is_open || setup.eof == Eof::Flush {
            state.line(&line);
        }
    }
    if setup.eof == Eof::Flush && state.skipping.is_none() && state.block.at.is_some() {
        state.dispatch(stream.len(), b"", stream.len());
    }
    Outcome {
        seen: state.seen,
        complete_at: state.complete_at,
        last_event_id: state.last_event_id,
    }
}

impl State<'_> {
    fn memory(&self) -> usize {
        let memory = self.setup.memory.unwrap_or(usize::MAX);
        memory
            .saturating_sub(self.last_event_id.len())
            .saturating_sub(4)
    }

    fn room(&self) -> usize {
        self.setup.max_event_bytes.min(self.memory())
    }

    fn too_large(&self, offset: usize) -> Seen {
        Seen::TooLarge {
            offset: offset as u64,
            limit: self
                .setup
                .max_event_bytes
                .min(self.setup.memory.unwrap_or(usize::MAX)),
        }
    }

    fn push(&mut self, seen: Seen, complete_at: usize) {
        self.seen.push(seen);
        self.complete_at.push(complete_at);
    }

    /// A block's lines and the one that comes must fit, a blank line always does.
    fn limit(&mut self, line: &Line<'_>) {
        let size = self.block.raw.len() + line.text.len();
        if self.skipping.is_none() && !line.text.is_empty() && size > self.room() {
            let block = std::mem::take(&mut self.block);
            let error = self.too_large(block.at.unwrap_or(line.at));
            self.push(error, line.at);
            self.skipping = Some(block.id);
        }
    }

    fn skip(&mut self, line: &Line<'_>) {
        let pending = self.skipping.take().unwrap();
        if line.text.is_empty() {
            self.last_event_id = pending.unwrap_or(std::mem::take(&mut self.last_event_id));
            return;
        }
        let kept = pending.as_ref().map_or(0, Vec::len) + line.text.len();
        let fits = kept <= self.room();
        self.skipping = Some(match field(line.text) {
            (b"id", value) if fits && !value.contains(&0) => Some(value.to_vec()),
            (b"retry", value) if fits && millis(value).is_some() => {
                let retry = Seen::Retry {
                    millis: millis(value).unwrap(),
                    raw: line.text.to_vec(),
                    offset: line.at as u64,
                };
                self.push(retry, line.at + line.text.len() + 1);
                pending
            }
            _ => pending,
        });
    }

    fn line(&mut self, line: &Line<'_>) {
        let complete_at = line.at + line.text.len() + line.end.len().min(1);
        let end = self.end_in_raw(line);
        if line.text.is_empty() {
            return self.dispatch(line.at, end, complete_at);
        }
        let offset = line.at as u64;
        let raw = [line.text, end].concat();
        let (name, value) = field(line.text);
        let seen = match name {
            b"" => Seen::Comment {
                text: line.text[1..].to_vec(),
                raw,
                offset,
            },
            b"data" | b"event" | b"id" => return self.absorb(line, name, value),
            b"retry" if millis(value).is_some() => Seen::Retry {
                millis: millis(value).unwrap(),
                raw,
                offset,
            },
            _ => Seen::Field {
                name: name.to_vec(),
                value: value.to_vec(),
                raw,
                offset,
            },
        };
        self.push(seen, complete_at);
    }

    fn absorb(&mut self, line: &Line<'_>, name: &[u8], value: &[u8]) {
        let block = &mut self.block;
        block.at.get_or_insert(line.at);
        block.len = block.raw.len() + line.text.len();
        block.raw.extend_from_slice(line.text);
        block.raw.extend_from_slice(line.end);
        match name {
            b"data" => block.data.push(value.to_vec()),
            b"event" => block.event = value.to_vec(),
            _ if value.contains(&0) => {}
            _ => block.id = Some(value.to_vec()),
        }
    }

    /// "Dispatch the event", at the blank line at `at`.
    fn dispatch(&mut self, at: usize, end: &[u8], complete_at: usize) {
        let memory = self.memory();
        let block = std::mem::take(&mut self.block);
        let offset = block.at.unwrap_or(at) as u64;
        let raw = [&block.raw, end].concat();
        if let Some(id) = block.id {
            self.last_event_id = id;
        }
        let data = block.data.join(&b'\n');
        let seen = if block.data.is_empty() {
            Seen::Blank {
                event: block.event,
                raw,
                offset,
            }
        } else if block.data.len() > 1 && data.len() > memory.saturating_sub(block.len) {
            self.too_large(offset as usize)
        } else {
            Seen::Event {
                event: if block.event.is_empty() {
                    b"message".to_vec()
                } else {
                    block.event
                },
                data,
                id: self.last_event_id.clone(),
                raw,
                offset,
            }
        };
        self.push(seen, complete_at);
    }

    /// A line's end as the item's raw bytes have it.
    fn end_in_raw<'s>(&self, line: &Line<'s>) -> &'s [u8] {
        let lf = line.at + line.text.len() + 1;
        if line.end.len() == 2 && self.setup.cuts.contains(&lf) {
            &line.end[..1]
        } else {
            line.end
        }
    }
}
