//! What the framing tests share: items as owned values, cuttings, and a naive reference parser.

use deltawire::frame::{Carry, Eof, Error, Item, ndjson, sse};

/// An item or an error, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Event {
        event: Vec<u8>,
        data: Vec<u8>,
        id: Vec<u8>,
        raw: Vec<u8>,
        offset: u64,
    },
    Comment {
        text: Vec<u8>,
        raw: Vec<u8>,
        offset: u64,
    },
    Retry {
        millis: u64,
        raw: Vec<u8>,
        offset: u64,
    },
    Field {
        name: Vec<u8>,
        value: Vec<u8>,
        raw: Vec<u8>,
        offset: u64,
    },
    Blank {
        event: Vec<u8>,
        raw: Vec<u8>,
        offset: u64,
    },
    TooLarge {
        offset: u64,
        limit: usize,
    },
    OutOfMemory {
        offset: u64,
    },
}

impl Seen {
    pub fn raw(&self) -> &[u8] {
        match self {
            Seen::Event { raw, .. }
            | Seen::Comment { raw, .. }
            | Seen::Retry { raw, .. }
            | Seen::Field { raw, .. }
            | Seen::Blank { raw, .. } => raw,
            Seen::TooLarge { .. } | Seen::OutOfMemory { .. } => b"",
        }
    }

    /// The same without its bytes as they came.
    pub fn without_raw(mut self) -> Seen {
        match &mut self {
            Seen::Event { raw, .. }
            | Seen::Comment { raw, .. }
            | Seen::Retry { raw, .. }
            | Seen::Field { raw, .. }
            | Seen::Blank { raw, .. } => raw.clear(),
            Seen::TooLarge { .. } | Seen::OutOfMemory { .. } => {}
        }
        self
    }

    pub fn is_event(&self) -> bool {
        matches!(self, Seen::Event { .. })
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Seen::TooLarge { .. } | Seen::OutOfMemory { .. })
    }
}

impl From<Item<'_>> for Seen {
    fn from(item: Item<'_>) -> Seen {
        match item {
            Item::Event(x) => Seen::Event {
                event: x.event.to_vec(),
                data: x.data.to_vec(),
                id: x.id.to_vec(),
                raw: x.raw.to_vec(),
                offset: x.offset,
            },
            Item::Comment(x) => Seen::Comment {
                text: x.text.to_vec(),
                raw: x.raw.to_vec(),
                offset: x.offset,
            },
            Item::Retry(x) => Seen::Retry {
                millis: x.millis,
                raw: x.raw.to_vec(),
                offset: x.offset,
            },
            Item::Field(x) => Seen::Field {
                name: x.name.to_vec(),
                value: x.value.to_vec(),
                raw: x.raw.to_vec(),
                offset: x.offset,
            },
            Item::Blank(x) => Seen::Blank {
                event: x.event.to_vec(),
                raw: x.raw.to_vec(),
                offset: x.offset,
            },
            other => panic!("an item that the tests do not know: {other:?}"),
        }
    }
}

impl Seen {
    /// What a call gave, error or item.
    fn of(result: Result<Option<Item<'_>>, Error>) -> Option<Seen> {
        result.map_or_else(|e| Some(e.into()), |i| i.map(Seen::from))
    }
}

impl From<Error> for Seen {
    fn from(error: Error) -> Seen {
        match error {
            Error::EventTooLarge { offset, limit } => Seen::TooLarge { offset, limit },
            Error::OutOfMemory { offset } => Seen::OutOfMemory { offset },
            other => panic!("an error that the tests do not know: {other:?}"),
        }
    }
}

/// What every framing's parser can do, so that one law is stated once for all of them.
pub trait Framing {
    fn next_seen(&mut self, input: &mut &[u8]) -> Option<Seen>;
    fn finish_seen(&mut self, eof: Eof) -> Option<Seen>;
    fn consumed(&self) -> u64;
}

impl<C: Carry> Framing for sse::Parser<C> {
    fn next_seen(&mut self, input: &mut &[u8]) -> Option<Seen> {
        Seen::of(self.next(input))
    }

    fn finish_seen(&mut self, eof: Eof) -> Option<Seen> {
        Seen::of(self.finish(eof))
    }

    fn consumed(&self) -> u64 {
        self.offset()
    }
}

impl<C: Carry> Framing for ndjson::Parser<C> {
    fn next_seen(&mut self, input: &mut &[u8]) -> Option<Seen> {
        Seen::of(self.next(input))
    }

    fn finish_seen(&mut self, eof: Eof) -> Option<Seen> {
        Seen::of(self.finish(eof))
    }

    fn consumed(&self) -> u64 {
        self.offset()
    }
}

/// Feeds `chunks` and collects what comes.
pub fn feed<'c>(
    parser: &mut impl Framing,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    for chunk in chunks {
        let mut input = chunk;
        while let Some(one) = parser.next_seen(&mut input) {
            seen.push(one);
        }
        assert!(input.is_empty(), "`None` leaves nothing of the chunk");
    }
    seen
}

/// Feeds `chunks`, ends the stream and collects what comes.
pub fn run<'c>(
    parser: &mut impl Framing,
    chunks: impl IntoIterator<Item = &'c [u8]>,
    eof: Eof,
) -> Vec<Seen> {
    let mut seen = feed(parser, chunks);
    while let Some(one) = parser.finish_seen(eof) {
        seen.push(one);
        assert!(seen.len() < 1 << 20, "`finish` comes to an end");
    }
    seen
}

/// `stream` in pieces that begin at 0 and at each of `cuts`.
pub fn cut<'s>(stream: &'s [u8], cuts: &[usize]) -> Vec<&'s [u8]> {
    let mut pieces = Vec::with_capacity(cuts.len() + 1);
    let mut from = 0;
    for &at in cuts {
        pieces.push(&stream[from..at]);
        from = at;
    }
    pieces.push(&stream[from..]);
    pieces
}

/// Where the pieces of `size` bytes begin, the first apart.
pub fn every(len: usize, size: usize) -> Vec<usize> {
    (1..len).filter(|at| at % size == 0).collect()
}

/// The cuttings that each short stream is tried in: whole, in two at every position, and in pieces
/// of 1 to 64 bytes.
pub fn cuttings(len: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    all.extend((0..=len).map(|at| vec![at]));
    all.extend((1..=64.min(len)).map(|size| every(len, size)));
    all
}
