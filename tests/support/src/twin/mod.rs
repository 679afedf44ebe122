//! Two decoders side by side, one with templates and one without, and the streams they are held
//! against each other on. Shared by `tests/decoder/templates.rs` and the fuzz target of the same name.
//!
//! Everything random is drawn from a string of bytes ([`Dice`]), so a property test shrinks it and a
//! fuzzer steers it.

mod dice;
mod generate;
mod json;
mod providers;

pub use dice::Dice;
pub use generate::{arbitrary, changed, dialects, generated, mutated};

use deltawire::frame::{Eof, Framing};
use deltawire::{Decoder, Dialect, Options};

/// How a stream is cut into chunks.
#[derive(Debug, Clone)]
pub enum Cut {
    Whole,
    /// One event a chunk.
    Events,
    Size(usize),
    /// Pieces of these sizes, over and over.
    Sizes(Vec<usize>),
}

/// What the two decoders are given: streams one after the other, a reset between them.
#[derive(Debug, Clone)]
pub struct Case {
    pub dialect: Option<Dialect>,
    pub framing: Option<Framing>,
    pub max_event_bytes: Option<usize>,
    pub eof: Eof,
    pub cut: Cut,
    pub streams: Vec<Vec<u8>>,
}

impl Case {
    pub fn of(stream: &[u8], cut: Cut) -> Self {
        Case {
            dialect: None,
            framing: None,
            max_event_bytes: None,
            eof: Eof::Flush,
            cut,
            streams: vec![stream.to_vec()],
        }
    }

    pub fn show(&self) -> String {
        let streams: Vec<String> = self
            .streams
            .iter()
            .map(|stream| stream.escape_ascii().to_string().replace("\\n", "\\n\n  "))
            .collect();
        format!(
            "dialect {:?}, framing {:?}, limit {:?}, {:?}, {:?}:\n  {}",
            self.dialect,
            self.framing,
            self.max_event_bytes,
            self.eof,
            self.cut,
            streams.join("\n --- reset ---\n  ")
        )
    }
}

/// How many events there were, and how many of them templates took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stats {
    pub events: u64,
    pub templated: u64,
}

/// The oracle. The decoders go in step: after every single call their deltas, errors, positions,
/// what is left of the chunk, and all that can be asked of them are the same.
pub fn compare(case: &Case) -> Result<Stats, String> {
    let mut options = Options::default();
    options.dialect = case.dialect;
    options.framing = case.framing;
    options.eof = case.eof;
    if let Some(max) = case.max_event_bytes {
        options.max_event_bytes = max;
    }
    let mut fast = Decoder::with_options(options.clone());
    options.templates = false;
    let mut plain = Decoder::with_options(options);
    let mut stats = Stats::default();
    for (at, stream) in case.streams.iter().enumerate() {
        if at > 0 {
            fast.reset();
            plain.reset();
        }
        run(&mut fast, &mut plain, stream, &case.cut)
            .map_err(|what| format!("stream {at}: {what}\n{}", case.show()))?;
        if plain.templated() != 0 {
            return Err("the decoder without templates has some".to_string());
        }
        stats.events += fast.events();
        stats.templated += fast.templated();
    }
    Ok(stats)
}

fn run(fast: &mut Decoder, plain: &mut Decoder, stream: &[u8], cut: &Cut) -> Result<(), String> {
    for chunk in chunks(stream, cut) {
        let (mut a, mut b) = (chunk, chunk);
        loop {
            let (x, y) = (fast.next(&mut a), plain.next(&mut b));
            if x != y {
                return Err(format!("with templates {x:?}, without {y:?}"));
            }
            let is_end = x.is_none();
            same(fast, plain)?;
            if a.len() != b.len() {
                return Err(format!("left of the chunk: {} and {}", a.len(), b.len()));
            }
            if is_end {
                break;
            }
        }
    }
    loop {
        let (x, y) = (fast.finish(), plain.finish());
        if x != y {
            return Err(format!("at the end: with templates {x:?}, without {y:?}"));
        }
        let is_end = x.is_none();
        same(fast, plain)?;
        if is_end {
            return Ok(());
        }
    }
}

fn same(fast: &Decoder, plain: &Decoder) -> Result<(), String> {
    let all = |d: &Decoder| (d.offset(), d.events(), d.comments(), d.end(), d.dialect());
    if all(fast) != all(plain) {
        return Err(format!(
            "offset, events, comments, end, dialect: with templates {:?}, without {:?}",
            all(fast),
            all(plain)
        ));
    }
    if fast.unrecognised_body() != plain.unrecognised_body() {
        return Err("what was seen beside the events".to_string());
    }
    Ok(())
}

fn chunks<'s>(stream: &'s [u8], cut: &Cut) -> Vec<&'s [u8]> {
    match cut {
        Cut::Whole => vec![stream],
        Cut::Events => events(stream),
        Cut::Size(size) => stream.chunks((*size).max(1)).collect(),
        Cut::Sizes(sizes) => {
            let mut rest = stream;
            let mut all = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() || sizes.iter().all(|size| *size == 0) {
                    break;
                }
                let (chunk, behind) = rest.split_at((*size).min(rest.len()));
                all.push(chunk);
                rest = behind;
            }
            all.push(rest);
            all
        }
    }
}

/// A stream's events, blank lines included; its lines where it is one of lines.
pub fn events(stream: &[u8]) -> Vec<&[u8]> {
    let is_lines = stream.starts_with(b"{");
    let mut all = Vec::new();
    let mut from = 0;
    for at in 0..stream.len() {
        let before = &stream[from..=at];
        let is_end = if is_lines {
            before.ends_with(b"\n")
        } else {
            before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")
        };
        if is_end {
            all.push(before);
            from = at + 1;
        }
    }
    if from < stream.len() {
        all.push(&stream[from..]);
    }
    all
}

/// Makes a failing case small: takes out streams, events and bytes while it still fails.
pub fn shrink(mut case: Case) -> Case {
    let fails = |case: &Case| compare(case).is_err();
    for at in (0..case.streams.len()).rev() {
        let mut smaller = case.clone();
        smaller.streams.remove(at);
        if fails(&smaller) {
            case = smaller;
        }
    }
    for cut in [Cut::Whole, Cut::Events] {
        let smaller = Case {
            cut,
            ..case.clone()
        };
        if fails(&smaller) {
            case = smaller;
            break;
        }
    }
    for at in 0..case.streams.len() {
        let mut n = 0;
        while n < events(&case.streams[at]).len() {
            let mut rest = events(&case.streams[at]);
            rest.remove(n);
            let mut smaller = case.clone();
            smaller.streams[at] = rest.concat();
            if fails(&smaller) {
                case = smaller;
            } else {
                n += 1;
            }
        }
        for size in [64, 16, 4, 1] {
            let mut from = 0;
            while from + size <= case.streams[at].len() {
                let mut smaller = case.clone();
                smaller.streams[at].drain(from..from + size);
                if fails(&smaller) {
                    case = smaller;
                } else {
                    from += 1;
                }
            }
        }
    }
    case
}
