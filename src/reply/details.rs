//! Details: which values were reported already, and what they are called.
//!
//! A value without a field of its own is reported as a detail, unless the same value was the last one
//! that was reported for the same place. So a member that every chunk repeats is reported once. The
//! table remembers hashes of the last [`MAX_PLACES`] places. A place that the table forgot is reported
//! again: values may repeat, but they are never dropped.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::delta::Scope;
use crate::fallible::{self, OutOfMemory, TryWriter};

/// The most places whose latest value is remembered: one bit each in a `u64`.
const MAX_PLACES: usize = u64::BITS as usize;
/// Names with more bytes than this are not built: the object around them is reported as a whole.
pub(crate) const MAX_NAME_BYTES: usize = 256;

/// The path of an object below its scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Scope,
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// The object that is the scope itself.
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        step: Step::Scope,
    };

    /// The path of a member.
    #[inline]
    pub(crate) fn key(&'p self, key: &'p str) -> Path<'p> {
        Path {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    /// Returns true for a member that tells the type of an object.
    pub(crate) fn tells_type(&self) -> bool {
        matches!(
            self.step,
            Step::Key("type" | "event_type" | "object" | "kind")
        )
    }

    /// The path of an element.
    #[inline]
    pub(crate) fn index(&'p self, index: usize) -> Path<'p> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// Appends the name: keys joined by dots, positions in brackets.
    pub(crate) fn write(&self, out: &mut String, start: usize) -> Result<(), OutOfMemory> {
        if let Some(parent) = self.parent {
            parent.write(out, start)?;
        }
        match self.step {
            Step::Scope => Ok(()),
            Step::Index(index) => write!(TryWriter(out), "[{index}]").map_err(|_| OutOfMemory),
            Step::Key(key) => {
                if out.len() > start {
                    fallible::push_str(out, ".")?;
                }
                if key.contains(['.', '[']) {
                    write_quoted(key, out)
                } else {
                    fallible::push_str(out, key)
                }
            }
        }
    }

    /// Returns a hash of the path within a scope.
    pub(crate) fn place(&self, scope: Scope) -> u64 {
        let mut hash = match self.parent {
            Some(parent) => parent.place(scope),
            None => {
                let kind = match scope {
                    Scope::Response => 1,
                    Scope::Choice { .. } => 2,
                    Scope::Part { .. } => 3,
                    Scope::ToolCall { .. } => 4,
                };
                let numbers = u64::from(scope.choice().unwrap_or_default()) << 32
                    | u64::from(scope.part().unwrap_or_default());
                let index = scope.index().unwrap_or_default() as u64;
                mix(mix(kind, numbers), index)
            }
        };
        match self.step {
            Step::Scope => {}
            Step::Key(key) => hash = hash_bytes(hash, key.as_bytes()),
            Step::Index(index) => hash = mix(hash, index as u64 + 1),
        }
        hash
    }
}

/// Appends a key in quotes. A backslash stands before quotes and backslashes.
fn write_quoted(key: &str, out: &mut String) -> Result<(), OutOfMemory> {
    fallible::push_str(out, "\"")?;
    for piece in key.split_inclusive(['"', '\\']) {
        let plain = piece.trim_end_matches(['"', '\\']);
        fallible::push_str(out, plain)?;
        if plain.len() < piece.len() {
            fallible::push_str(out, "\\")?;
            fallible::push_str(out, piece.get(plain.len()..).unwrap_or_default())?;
        }
    }
    fallible::push_str(out, "\"")
}

/// Marks the place of an object whose unknown members are hashed together.
const OBJECT: u64 = 0x6F62_6A65_6374;

/// In place of the hash of an object's members: a member changed.
const VARYING_OBJECT: u64 = 0;

/// The latest value of each place, as hashes.
#[derive(Default)]
pub(crate) struct Details {
    places: Vec<(u64, u64)>,
    /// The next entry to be replaced once the table is full.
    next: u8,
    /// A place was forgotten.
    is_full: bool,
    /// A bit for each entry whose value is a hole of a template.
    varying: u64,
    /// A bit for each entry that the current event has a value for.
    touched: u64,
    /// The current event has two values for an entry.
    has_twins: bool,
    /// Changes with every entry whose value is not a hole.
    version: u32,
    pub(crate) report: DetailLevel,
}

/// How a value compares with the latest one of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Latest {
    /// The place has no value yet.
    New,
    Changed,
    Same {
        /// The value is a hole of a template.
        is_varying: bool,
    },
}

/// Which details a decoder reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DetailLevel {
    /// All values that have no field of their own.
    #[default]
    All,
    /// No details. Values without a field are discarded.
    Off,
}

impl Details {
    pub(crate) fn reset(&mut self) {
        self.places.clear();
        self.next = 0;
        self.is_full = false;
        self.varying = 0;
        self.version = self.version.wrapping_add(1);
    }

    /// Returns false if no details are reported.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.report == DetailLevel::All
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// Begins an event.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.touched = 0;
        self.has_twins = false;
    }

    /// Returns true if the event has two values for one place. The second is not the only one that
    /// changes the latest value then.
    pub(crate) fn has_twins(&self) -> bool {
        self.has_twins
    }

    #[inline]
    fn touch(&mut self, at: usize) {
        self.has_twins |= self.touched >> at & 1 == 1;
        self.touched |= 1 << at;
    }

    /// Records the latest value of a place.
    pub(crate) fn record(&mut self, place: u64, value: u64) -> Result<Latest, OutOfMemory> {
        let mut places = self.places.iter_mut();
        if let Some(at) = places.position(|(known, _)| *known == place) {
            self.touch(at);
            let is_varying = self.varying >> at & 1 == 1;
            let Some((_, known)) = self.places.get_mut(at) else {
                return Ok(Latest::New);
            };
            if *known == value {
                return Ok(Latest::Same { is_varying });
            }
            *known = value;
            if !is_varying {
                self.version = self.version.wrapping_add(1);
            }
            return Ok(Latest::Changed);
        }
        self.version = self.version.wrapping_add(1);
        if self.places.len() < MAX_PLACES {
            if self.places.len() == self.places.capacity() {
                let more = self.places.try_reserve_exact(8);
                more.map_err(|_| OutOfMemory)?;
            }
            self.touch(self.places.len());
            self.places.push((place, value));
        } else {
            self.is_full = true;
            self.varying &= !(1 << self.next);
            self.touch(usize::from(self.next));
            if let Some(entry) = self.places.get_mut(usize::from(self.next)) {
                *entry = (place, value);
            }
            self.next = (self.next + 1) % MAX_PLACES as u8;
        }
        Ok(Latest::New)
    }

    /// Records the unknown members of an object, all together. Returns true if they are the same as the
    /// last time. If a member of the object ever changed, each is looked up on its own.
    pub(crate) fn repeats_object(&mut self, place: u64, digest: u64) -> Result<bool, OutOfMemory> {
        let place = place ^ OBJECT;
        let mut places = self.places.iter();
        if let Some(at) = places.position(|(known, _)| *known == place) {
            self.touch(at);
            let Some((_, known)) = self.places.get_mut(at) else {
                return Ok(false);
            };
            let is_same = *known == digest && digest != VARYING_OBJECT;
            if *known != VARYING_OBJECT {
                *known = digest;
            }
            return Ok(is_same);
        }
        let version = self.version;
        self.record(place, digest)?;
        if !self.is_full {
            // No template depends on the new entry.
            self.version = version;
        }
        Ok(false)
    }

    /// Records that a member of an object changed.
    pub(crate) fn vary_object(&mut self, place: u64) {
        let place = place ^ OBJECT;
        if let Some((_, known)) = self.places.iter_mut().find(|(known, _)| *known == place) {
            *known = VARYING_OBJECT;
        }
    }

    /// Declares that templates have a hole for the value of this place, so that a new value makes no other
    /// template invalid.
    pub(crate) fn vary(&mut self, place: u64) {
        let mut places = self.places.iter();
        let Some(at) = places.position(|(known, _)| *known == place) else {
            return;
        };
        if self.varying >> at & 1 == 0 {
            self.varying |= 1 << at;
            // Other templates may have the value among their bytes.
            self.version = self.version.wrapping_add(1);
        }
    }

    /// Returns true if no value was ever reported for the place.
    pub(crate) fn is_new(&self, place: u64) -> bool {
        !self.is_full && !self.places.iter().any(|(known, _)| *known == place)
    }
}

/// Combines two numbers into a hash.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    const A: u64 = 0x9E37_79B9_7F4A_7C15;
    const B: u64 = 0xD1B5_4A32_D192_ED03;
    let product = u128::from(a ^ A) * u128::from(b.rotate_left(32) ^ B);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hashes bytes, 16 at a time.
pub(crate) fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = mix(seed, bytes.len() as u64);
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk::<16>() {
        let block = u128::from_le_bytes(*block);
        hash = mix(hash ^ block as u64, (block >> 64) as u64);
        rest = after;
    }
    if !rest.is_empty() {
        let mut block = [0; 16];
        for (to, from) in block.iter_mut().zip(rest) {
            *to = *from;
        }
        let block = u128::from_le_bytes(block);
        hash = mix(hash ^ block as u64, (block >> 64) as u64 ^ 1);
    }
    hash
}
