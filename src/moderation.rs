//! Text held back until enough of it is whole to be checked.
//!
//! Partial text is hard to moderate: a check that is given three letters at a time sees nothing. A
//! [`Moderator`] stands between a decoder and whoever shows its text. It holds text back until a
//! sentence, a paragraph or a number of characters is whole, and hands that out as one delta, for the
//! caller to check before it is released. What the caller refuses was never shown, nor is anything
//! behind it.
//!
//! ```
//! use deltawire::moderation::{Moderator, Unit};
//! use deltawire::Delta;
//!
//! let mut moderator = Moderator::new(Unit::Sentence);
//! let mut released = String::new();
//! for text in ["All is w", "ell. Here is", " the password: 12", "34. Bye."] {
//!     let delta = Delta::Text { choice: 0, part: 0, text };
//!     moderator.push(&delta);
//!     while let Some(piece) = moderator.next() {
//!         let Delta::Text { text, .. } = piece else { continue };
//!         if text.contains("password") {
//!             moderator.stop();
//!         } else {
//!             released.push_str(text);
//!         }
//!     }
//! }
//! assert_eq!(released, "All is well. ");
//! assert!(moderator.is_stopped());
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::delta::{Delta, TextKind};
use crate::fallible::{self, OutOfMemory};

/// How much text is held back for one choice unless [`Options::max_held_bytes`] says otherwise: 4 KiB.
pub const MAX_HELD_BYTES: usize = 4096;

/// Texts that may be held at once. A stream that names more choices has the oldest text handed out
/// before it is whole.
const MAX_HELD: usize = 256;

/// What is checked as one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A sentence with the white space behind it, by Unicode Standard Annex 29. Since the next words can
    /// show that it was none ("approx. 3 km"), it is whole once they begin.
    Sentence,
    /// All to a blank line and with it.
    Paragraph,
    /// So many characters as a reader counts them, extended grapheme clusters of the same annex; 0
    /// counts as 1. The last one is whole when the next begins.
    Characters(usize),
}

/// What a [`Moderator`] is told before it begins.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// What is checked as one piece.
    pub unit: Unit,
    /// How much text is held back at most for one choice, in bytes. Where a unit is longer it is handed
    /// out in parts, cut at white space if there is some.
    pub max_held_bytes: usize,
}

impl Options {
    /// That unit, and [`MAX_HELD_BYTES`].
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        Options {
            unit,
            max_held_bytes: MAX_HELD_BYTES,
        }
    }
}

/// A text of which something is held back.
#[derive(Debug)]
struct Held {
    kind: TextKind,
    choice: u32,
    part: u32,
    text: String,
    /// What was handed out of it, in bytes.
    from: usize,
    /// Nothing more comes of it.
    is_whole: bool,
    /// It was looked through since it grew, and no piece of it is whole.
    is_searched: bool,
}

/// Holds text back, choice by choice, until a unit of it is whole.
///
/// Give it each delta ([`push`](Self::push)), take the pieces that this made whole
/// ([`next`](Self::next), until `None`), and at the end of the stream those that are left
/// ([`finish`](Self::finish)). All text comes out, in order, and nothing twice.
#[derive(Debug)]
pub struct Moderator {
    options: Options,
    /// In the order in which they began.
    held: Vec<Held>,
    is_stopped: bool,
}

impl Moderator {
    /// A moderator of that unit, which holds back up to [`MAX_HELD_BYTES`] for each choice.
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        Self::with_options(Options::new(unit))
    }

    /// A moderator with those options.
    #[must_use]
    pub fn with_options(options: Options) -> Self {
        Moderator {
            options,
            held: Vec::new(),
            is_stopped: false,
        }
    }

    /// Takes in a delta. True if it is a piece of text, reasoning or refusal, which comes out of
    /// [`next`](Self::next) in time. False for all others: they are the caller's to use as they are,
    /// behind the pieces that `next` gives now, since a delta that ends a text makes it whole.
    ///
    /// Once [stopped](Self::stop), text is dropped. Ends the process where there is no memory for the
    /// text, as a `String` that grows does; [`try_push`](Self::try_push) does not.
    pub fn push(&mut self, delta: &Delta<'_>) -> bool {
        let give_up = || fallible::give_up(size_of::<Held>());
        self.try_push(delta).unwrap_or_else(|OutOfMemory| give_up())
    }

    /// Appends a delta like [`push`](Self::push).
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]: nothing of the text is kept.
    pub fn try_push(&mut self, delta: &Delta<'_>) -> Result<bool, OutOfMemory> {
        let (kind, choice, part, text) = match *delta {
            Delta::Text { choice, part, text } => (TextKind::Text, choice, part, text),
            Delta::Reasoning { choice, part, text } => (TextKind::Reasoning, choice, part, text),
            Delta::Refusal { choice, part, text } => (TextKind::Refusal, choice, part, text),
            Delta::ToolCallStart { choice, .. }
            | Delta::ServerToolCallStart { choice, .. }
            | Delta::Finish { choice, .. } => {
                self.end(|held| held.choice == choice);
                return Ok(false);
            }
            Delta::Error(_) | Delta::Done => {
                self.finish();
                return Ok(false);
            }
            _ => return Ok(false),
        };
        if self.is_stopped {
            return Ok(true);
        }
        // Another kind of text in a choice ends the one before it.
        self.end(|held| held.choice == choice && (held.kind, held.part) != (kind, part));
        let is_this = |held: &Held| {
            held.choice == choice && (held.kind, held.part) == (kind, part) && !held.is_whole
        };
        if !self.held.iter().any(is_this) {
            let open = self.held.iter().filter(|held| !held.is_whole).count();
            if open >= MAX_HELD
                && let Some(oldest) = self.held.iter_mut().find(|held| !held.is_whole)
            {
                oldest.is_whole = true;
                oldest.is_searched = false;
            }
            let new = Held {
                kind,
                choice,
                part,
                text: String::new(),
                from: 0,
                is_whole: false,
                is_searched: false,
            };
            fallible::push(&mut self.held, new)?;
        }
        let mut held = self.held.iter_mut();
        let held = held.find(|held| is_this(held)).ok_or(OutOfMemory)?;
        held.append(text)?;
        Ok(true)
    }

    fn end(&mut self, is_meant: impl Fn(&Held) -> bool) {
        for held in self.held.iter_mut().filter(|held| is_meant(held)) {
            held.is_whole = true;
            held.is_searched = false;
        }
    }

    /// The next piece that is whole, as a delta of its kind and choice; `None` where more of the stream
    /// is needed.
    ///
    /// It is to be checked before it is shown. What it borrows lives until the next call.
    #[expect(clippy::should_implement_trait, reason = "what it gives is borrowed")]
    pub fn next(&mut self) -> Option<Delta<'_>> {
        let options = &self.options;
        // Where to, before anything is lent: what is empty goes.
        self.held.retain(|held| !held.is_empty() || !held.is_whole);
        let (at, len) = self
            .held
            .iter_mut()
            .enumerate()
            .find_map(|(at, held)| Some((at, held.piece(options)?)))?;
        let held = self.held.get_mut(at)?;
        let start = held.from;
        held.from += len;
        let text = held.text.get(start..held.from)?;
        Some(held.kind.delta(held.choice, held.part, text))
    }

    /// The stream is at its end: what is held is whole as it is, for [`next`](Self::next) to give.
    pub fn finish(&mut self) {
        self.end(|_| true);
    }

    /// The check said no: what is held is forgotten, and no text comes out any more.
    pub fn stop(&mut self) {
        self.held = Vec::new();
        self.is_stopped = true;
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// How much text is held back now, of all choices, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let each = self.held.iter().map(|held| held.rest().len());
        each.sum()
    }
}

impl Held {
    fn rest(&self) -> &str {
        self.text.get(self.from..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.from == self.text.len()
    }

    fn append(&mut self, text: &str) -> Result<(), OutOfMemory> {
        // What was handed out is dropped where that moves less than it frees.
        if self.from > self.text.len() / 2 {
            self.text.drain(..self.from);
            self.from = 0;
        }
        self.is_searched = false;
        fallible::push_str(&mut self.text, text)
    }

    /// How long the piece is that the rest begins with, in bytes, if one is whole.
    fn piece(&mut self, options: &Options) -> Option<usize> {
        let rest = self.rest();
        if rest.is_empty() || self.is_searched {
            return None;
        }
        // No more is looked at than may be held.
        let max = floor_char_boundary(rest, options.max_held_bytes.max(4));
        let window = &rest[..max];
        let found = match options.unit {
            Unit::Sentence => sentence(window, self.is_whole && max == rest.len()),
            Unit::Paragraph => paragraph(window),
            Unit::Characters(count) => characters(window, count.max(1)),
        };
        let found = found.or_else(|| {
            if max < rest.len() {
                Some(part(window))
            } else {
                self.is_whole.then_some(max)
            }
        });
        self.is_searched = found.is_none();
        found
    }
}

/// The last place up to `at` where no character is cut.
fn floor_char_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let places = (0..=at).rev();
    let mut places = places.filter(|place| text.is_char_boundary(*place));
    places.next().unwrap_or_default()
}

/// The length of the first sentence, once nothing that comes can make it longer; `is_all`: nothing comes.
fn sentence(text: &str, is_all: bool) -> Option<usize> {
    let (end, _) = text.split_sentence_bound_indices().nth(1)?;
    let (sentence, behind) = text.split_at_checked(end)?;
    // Rule SB8: behind a full stop, a word that begins with a small letter goes on with the sentence,
    // whatever digits and signs are before it.
    let is_closing =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | ']' | '}' | '’' | '”' | '»');
    let is_open = sentence
        .trim_end_matches(is_closing)
        .ends_with(['.', '\u{2024}', '\u{fe52}', '\u{ff0e}']);
    let is_settled = |c: char| c.is_alphabetic() || matches!(c, '.' | '!' | '?' | '\n' | '\r');
    (is_all || !is_open || behind.contains(is_settled)).then_some(end)
}

/// The length of the first paragraph with its blank line.
fn paragraph(text: &str) -> Option<usize> {
    let mut end = 0;
    let mut is_begun = false;
    for line in text.split_inclusive('\n') {
        end += line.len();
        let is_blank = line.trim_ascii().is_empty();
        if is_blank && is_begun && line.ends_with('\n') {
            return Some(end);
        }
        is_begun |= !is_blank;
    }
    None
}

/// The length of so many characters, once the next one has begun.
fn characters(text: &str, count: usize) -> Option<usize> {
    if text.len() <= count {
        return None;
    }
    text.grapheme_indices(true).nth(count).map(|(end, _)| end)
}

/// Where a unit that is too long is cut: behind white space, else between characters.
fn part(text: &str) -> usize {
    let space = text.rfind(char::is_whitespace);
    let behind = space.map(|at| text[at..].chars().next().map_or(at, |c| at + c.len_utf8()));
    // The last character may go on behind what is looked at.
    let last = || text.grapheme_indices(true).next_back().map(|(at, _)| at);
    behind
        .or_else(last)
        .filter(|at| *at > 0)
        .unwrap_or(text.len())
}
