//! Payloads as simd-json tapes, and the few things a dialect needs beside them.
//!
//! simd-json rewrites what it parses and refuses some of what every other JSON reader takes: a lone
//! surrogate, an integer beyond 64 bits, a number beyond `f64`, `NaN`. So a payload is copied to
//! scratch memory first, and one that is refused gets a second try with those places mended.
//!
//! simd-json has memory of its own, and ends the process where there is none. So before it is given a
//! payload that is not small, what it will ask for is asked for here, and given back.

use alloc::vec::Vec;
use core::cell::RefCell;

use memchr::memchr2;
use simd_json::tape::{Node, Tape};
use simd_json::{Buffers, INPUT_PADDING, StaticNode, fill_tape_padded};

use crate::fallible::{self, OutOfMemory};

/// The reader's memory may grow to so many bytes for good; a payload that needs more gives it back.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;

/// The memory for a payload up to this size, a megabyte and a half at most, is not asked for first.
const SMALL_BYTES: usize = 64 * 1024;

std::thread_local! {
    /// One for all decoders of a thread: it holds nothing between two events, and most of their
    /// events never come to it.
    static READER: RefCell<Reader> = RefCell::new(Reader::new());
}

/// Parses `payload` and hands it to `f`, once, which must not parse another one.
pub(crate) fn read<R>(payload: &[u8], mut f: impl FnMut(Doc<'_>) -> R) -> Result<R, Unread> {
    READER.with_borrow_mut(|reader| {
        let result = reader.read(payload, &mut f);
        if reader.capacity() > MAX_KEPT_BYTES {
            *reader = Reader::new();
        }
        result
    })
}

/// What reading a payload needs; reused, so that reading allocates nothing once warm.
struct Reader {
    /// The payload, and behind it room that the parser may read but does not look at.
    scratch: Vec<u8>,
    /// The payload with U+FFFD in place of what is no UTF-8.
    lossy: Vec<u8>,
    buffers: Buffers,
    /// Empty between calls, its memory kept.
    tape: Tape<'static>,
}

/// A parsed payload.
#[derive(Clone, Copy)]
pub(crate) struct Doc<'d> {
    pub(crate) root: Value<'d>,
    /// The payload as it came, but for what is no UTF-8.
    pub(crate) text: &'d [u8],
    /// The address that the first byte of `text` has in the scratch memory.
    pub(crate) base: usize,
}

/// Why a payload was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is not JSON.
    NotJson {
        /// The byte of the payload at which the parser gave up.
        at: usize,
    },
    /// There is no memory for it.
    OutOfMemory,
}

impl Reader {
    fn new() -> Self {
        Reader {
            scratch: Vec::new(),
            lossy: Vec::new(),
            buffers: Buffers::new(0),
            tape: Tape(Vec::new()),
        }
    }

    /// How much memory it keeps, in bytes, so far as it grows faster than the payload.
    fn capacity(&self) -> usize {
        self.scratch.capacity() + self.tape.0.capacity() * size_of::<Node<'_>>()
    }

    /// Parses `payload` and hands it to `f`.
    fn read<R>(&mut self, payload: &[u8], f: &mut impl FnMut(Doc<'_>) -> R) -> Result<R, Unread> {
        match self.attempt(payload, false, f) {
            Err(Unread::NotJson { .. }) => self.again(payload, f),
            result => result,
        }
    }

    /// Parses a payload that was refused, mended.
    #[cold]
    fn again<R>(&mut self, payload: &[u8], f: &mut impl FnMut(Doc<'_>) -> R) -> Result<R, Unread> {
        if core::str::from_utf8(payload).is_ok() {
            return self.attempt(payload, true, f);
        }
        let mut lossy = core::mem::take(&mut self.lossy);
        lossy.clear();
        let copied = payload.utf8_chunks().try_for_each(|piece| {
            let end: &[u8] = match piece.invalid() {
                [] => &[],
                _ => "\u{FFFD}".as_bytes(),
            };
            fallible::extend(&mut lossy, piece.valid().as_bytes())?;
            fallible::extend(&mut lossy, end)
        });
        let result = match copied {
            Ok(()) => self.attempt(&lossy, true, f),
            Err(OutOfMemory) => Err(Unread::OutOfMemory),
        };
        self.lossy = lossy;
        result
    }

    /// Parses `text`, mended or as it is, and hands it to `f` unless it is refused.
    #[inline]
    fn attempt<R>(
        &mut self,
        text: &[u8],
        mended: bool,
        f: &mut impl FnMut(Doc<'_>) -> R,
    ) -> Result<R, Unread> {
        if let Some(more) = (text.len() + INPUT_PADDING).checked_sub(self.scratch.len()) {
            if self.scratch.try_reserve(more).is_err() {
                return Err(Unread::OutOfMemory);
            }
            self.scratch.resize(text.len() + INPUT_PADDING, 0);
        }
        if text.len() > SMALL_BYTES && !self.has_room(text) {
            return Err(Unread::OutOfMemory);
        }
        let payload = &mut self.scratch[..text.len()];
        payload.copy_from_slice(text);
        if mended {
            mend(payload);
        }
        let base = self.scratch.as_ptr() as usize;
        let mut tape = core::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = fill_tape_padded(&mut self.scratch, text.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => Ok(f(Doc {
                root: Value(&tape.0),
                text,
                base,
            })),
            Err(error) => Err(Unread::NotJson {
                at: error.index().min(text.len()),
            }),
        };
        self.tape = tape.reset();
        result
    }

    /// Whether there is memory for what simd-json keeps of a payload: its strings, a place for each
    /// brace, bracket, colon, comma, string and scalar, and a node for each of these.
    #[cold]
    fn has_room(&mut self, text: &[u8]) -> bool {
        let is_part = |byte: &&u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"');
        // Behind each of them but a quote a scalar may begin; of a string's two quotes one counts.
        let places = 2 * text.iter().filter(is_part).count() + 2;
        let places = places.min(text.len());
        let (mut strings, mut indexes) = (Vec::<u8>::new(), Vec::<u32>::new());
        // The indexes grow by doubling, with both the old and the new ones in memory.
        strings
            .try_reserve_exact(text.len() + INPUT_PADDING)
            .is_ok()
            && indexes.try_reserve_exact(places.saturating_mul(3)).is_ok()
            && self.tape.0.try_reserve(places).is_ok()
    }
}

/// A value of a parsed payload: its node, and with it all that is behind it in what it is part of.
/// What it is not reads as empty: a number has no members, a list no text. The default is not even
/// null.
#[derive(Clone, Copy, Default)]
pub(crate) struct Value<'d>(&'d [Node<'d>]);

impl<'d> Value<'d> {
    #[inline]
    fn node(self) -> Option<&'d Node<'d>> {
        self.0.first()
    }

    /// The string.
    #[inline]
    pub(crate) fn str(self) -> Option<&'d str> {
        match self.node() {
            Some(Node::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The string, or an empty one.
    #[inline]
    pub(crate) fn text(self) -> &'d str {
        self.str().unwrap_or_default()
    }

    /// Whether it is true or false.
    pub(crate) fn bool(self) -> Option<bool> {
        match self.node() {
            Some(Node::Static(StaticNode::Bool(value))) => Some(*value),
            _ => None,
        }
    }

    /// The number, where it is whole and not negative; 3.0 is 3.
    pub(crate) fn u64(self) -> Option<u64> {
        match self.node()? {
            Node::Static(StaticNode::U64(n)) => Some(*n),
            Node::Static(StaticNode::I64(n)) => u64::try_from(*n).ok(),
            Node::Static(StaticNode::F64(n)) if (0.0..9e15).contains(n) && n.fract() == 0.0 => {
                Some(*n as u64)
            }
            _ => None,
        }
    }

    /// The number, as the index of a choice.
    pub(crate) fn choice(self) -> Option<u32> {
        u32::try_from(self.u64()?).ok()
    }

    /// The number, as the index of a tool call, which some begin at -1.
    pub(crate) fn index(self) -> Option<i32> {
        match self.node()? {
            Node::Static(StaticNode::I64(n)) => i32::try_from(*n).ok(),
            _ => i32::try_from(self.u64()?).ok(),
        }
    }

    pub(crate) fn is_object(self) -> bool {
        matches!(self.node(), Some(Node::Object { .. }))
    }

    pub(crate) fn is_array(self) -> bool {
        matches!(self.node(), Some(Node::Array { .. }))
    }

    /// Whether it says nothing: null, false, "", or an array or object of nothing else.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        match self.node() {
            None | Some(Node::Static(StaticNode::Null | StaticNode::Bool(false))) => true,
            Some(Node::String(text)) => text.is_empty(),
            Some(Node::Object { .. } | Node::Array { .. }) => self.is_hollow(),
            Some(Node::Static(_)) => false,
        }
    }

    #[cold]
    fn is_hollow(self) -> bool {
        self.members().all(|(_, value)| value.is_empty()) && self.elements().all(Value::is_empty)
    }

    /// The members of an object, in wire order, a key that comes twice among them.
    #[inline]
    pub(crate) fn members(self) -> Members<'d> {
        Members(match self.0 {
            [Node::Object { count, .. }, rest @ ..] => rest.get(..*count).unwrap_or_default(),
            _ => &[],
        })
    }

    /// The elements of an array.
    #[inline]
    pub(crate) fn elements(self) -> Elements<'d> {
        Elements(match self.0 {
            [Node::Array { count, .. }, rest @ ..] => rest.get(..*count).unwrap_or_default(),
            _ => &[],
        })
    }

    /// The member of that name; of several the last, as JSON readers have it.
    pub(crate) fn get(self, key: &str) -> Option<Value<'d>> {
        self.members()
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
            .last()
    }

    /// The string that is the member of that name, or an empty one.
    pub(crate) fn text_of(self, key: &str) -> &'d str {
        self.get(key).map(Value::text).unwrap_or_default()
    }
}

/// See [`Value::members`].
pub(crate) struct Members<'d>(&'d [Node<'d>]);

impl<'d> Iterator for Members<'d> {
    type Item = (&'d str, Value<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let [Node::String(key), node, rest @ ..] = self.0 else {
            return None;
        };
        let value = Value(self.0.get(1..)?);
        self.0 = behind(node, rest)?;
        Some((key, value))
    }
}

/// See [`Value::elements`].
pub(crate) struct Elements<'d>(&'d [Node<'d>]);

impl<'d> Iterator for Elements<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let value = Value(self.0);
        let (node, rest) = self.0.split_first()?;
        self.0 = behind(node, rest)?;
        Some(value)
    }
}

/// What is behind the value that begins with `node`.
#[inline]
fn behind<'d>(node: &Node<'d>, rest: &'d [Node<'d>]) -> Option<&'d [Node<'d>]> {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => rest.get(*count..),
        _ => Some(rest),
    }
}

impl<'d> Doc<'d> {
    /// Where in the payload a key or a string without escapes stands, if it is one of its own.
    pub(crate) fn position(&self, text: &str) -> Option<usize> {
        let at = (text.as_ptr() as usize).checked_sub(self.base)?;
        (at + text.len() <= self.text.len()).then_some(at)
    }

    /// The payload's own text of an object's member.
    pub(crate) fn member_text(&self, object: Value<'d>, name: &str) -> Option<&'d str> {
        let (key, _) = object.members().filter(|(key, _)| *key == name).last()?;
        self.value_text(key)
    }

    /// The payload's own text of the value that follows `key`, a key of one of its objects.
    pub(crate) fn value_text(&self, key: &str) -> Option<&'d str> {
        let pos = string_end(self.text, self.position(key)?)?;
        let pos = skip_space(self.text, pos);
        let pos = skip_space(
            self.text,
            pos + usize::from(self.text.get(pos) == Some(&b':')),
        );
        let end = value_end(self.text, pos)?;
        core::str::from_utf8(self.text.get(pos..end)?).ok()
    }
}

/// Where the string ends in whose inside `pos` lies: behind its closing quote.
pub(crate) fn string_end(text: &[u8], mut pos: usize) -> Option<usize> {
    loop {
        pos += memchr2(b'"', b'\\', text.get(pos..)?)?;
        match text.get(pos)? {
            b'"' => return Some(pos + 1),
            _ => pos += 2,
        }
    }
}

fn skip_space(text: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(pos) {
        pos += 1;
    }
    pos
}

/// Where the value ends that begins at `pos`, in text that is known to be JSON.
pub(crate) fn value_end(text: &[u8], mut pos: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match text.get(pos) {
            Some(b'"') => {
                pos = string_end(text, pos + 1)?;
                if depth == 0 {
                    return Some(pos);
                }
                continue;
            }
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') if depth <= 1 => return Some(pos + depth),
            Some(b'}' | b']') => depth -= 1,
            Some(b',' | b' ' | b'\t' | b'\n' | b'\r') if depth == 0 => return Some(pos),
            Some(_) => {}
            None => return (depth == 0).then_some(pos),
        }
        pos += 1;
    }
}

/// Rewrites what simd-json refuses though JSON readers take it, each in the place it has: an escape
/// of half a surrogate pair becomes that of U+FFFD, a number out of range `null` or `""`.
fn mend(text: &mut [u8]) {
    let mut pos = 0;
    while let Some(&byte) = text.get(pos) {
        pos = match byte {
            b'"' => mend_string(text, pos + 1),
            b'-' | b'0'..=b'9' | b'N' | b'I' => mend_number(text, pos),
            _ => pos + 1,
        };
    }
}

fn mend_string(text: &mut [u8], mut pos: usize) -> usize {
    loop {
        match text.get(pos) {
            None => return pos,
            Some(b'"') => return pos + 1,
            Some(b'\\') => {}
            Some(_) => {
                pos += 1;
                continue;
            }
        }
        match unit(text, pos) {
            Some(0xD800..=0xDBFF) if matches!(unit(text, pos + 6), Some(0xDC00..=0xDFFF)) => {
                pos += 12;
            }
            Some(0xD800..=0xDFFF) => {
                if let Some(escape) = text.get_mut(pos..pos + 6) {
                    escape.copy_from_slice(b"\\uFFFD");
                }
                pos += 6;
            }
            Some(_) => pos += 6,
            None => pos += 2,
        }
    }
}

/// The UTF-16 code unit that an escape at `pos` stands for.
fn unit(text: &[u8], pos: usize) -> Option<u16> {
    let digits = text.get(pos..pos + 6)?.strip_prefix(b"\\u")?;
    let digits = core::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

fn mend_number(text: &mut [u8], pos: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    let rest = text.get_mut(pos..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| !is_part(byte))
        .unwrap_or(rest.len());
    let number = rest.get_mut(..len).unwrap_or_default();
    let known = core::str::from_utf8(number).unwrap_or_default();
    let is_integer = known
        .strip_prefix('-')
        .unwrap_or(known)
        .bytes()
        .all(|b| b.is_ascii_digit());
    let in_range = match known {
        "NaN" | "Infinity" | "-Infinity" => false,
        _ if is_integer => known.parse::<u64>().is_ok() || known.parse::<i64>().is_ok(),
        // What is no number at all is left for the parser to refuse.
        _ => !known.parse::<f64>().is_ok_and(f64::is_infinite),
    };
    if !in_range && is_plausible(known) {
        number.fill(b' ');
        // `NaN` has no room for `null`; an empty string says as little, and 0 would say too much.
        let put: &[u8] = if len >= 4 { b"null" } else { b"\"\"" };
        if let Some(place) = number.get_mut(..put.len()) {
            place.copy_from_slice(put);
        }
    }
    pos + len.max(1)
}

/// Whether JSON readers take the number: no leading zero, digits around the point.
fn is_plausible(number: &str) -> bool {
    if matches!(number, "NaN" | "Infinity" | "-Infinity") {
        return true;
    }
    let digits = number.strip_prefix('-').unwrap_or(number).as_bytes();
    match digits {
        [b'0', next, ..] => !next.is_ascii_digit(),
        [b'1'..=b'9', ..] => {
            !number.ends_with('.') && !number.contains(".e") && !number.contains(".E")
        }
        _ => false,
    }
}
