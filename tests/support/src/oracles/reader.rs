//! The JSON reader against serde_json, value by value.
//!
//! The input is a text; bytes that are not UTF-8 are replaced. The text is read in three ways that must
//! agree: skipped, walked by the method for each kind, and walked by reading spans again. Then
//! serde_json must accept what the reader accepts and read the same, apart from these differences:
//!
//! - The reader accepts `NaN`, `Infinity`, `-Infinity` and numbers that are too large for an `f64`.
//! - It reads an escape of half a surrogate pair as U+FFFD.
//! - It accepts 128 levels of nesting, serde_json 127.
//!
//! A text with one of the first two is compared with these places mended. The offset of an error is
//! checked by what it means: the text up to it can be completed, and with the next character it cannot.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use self::json::{Kind, MAX_DEPTH, Malformed, Problem, Reader, Short, Str, Value};

// The reader is private to the library, so it is compiled again here.
#[allow(
    dead_code,
    unused_imports,
    reason = "the library's module, of which a part is run"
)]
#[path = "../../../../src/json/mod.rs"]
mod json;

/// A value with its members in order. A number is its text.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

pub fn check(input: &[u8]) {
    compare(&String::from_utf8_lossy(input));
}

/// Why the reader rejected a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The offset of the error.
    pub at: u32,
    /// Whether the text is nested too deep.
    pub is_too_deep: bool,
}

/// Reads a text into a tree.
pub fn parse(text: &str) -> Result<Tree, Rejected> {
    read(text).map_err(|malformed| Rejected {
        at: malformed.at,
        is_too_deep: malformed.problem == Problem::TooDeep,
    })
}

/// Checks everything that holds for any text. Returns whether it was read.
pub fn compare(text: &str) -> bool {
    let read = read(text);
    if let Err(malformed) = read {
        check_offset(text, malformed);
    }
    let theirs = serde_json::from_str::<Theirs>(text);
    match (read, theirs) {
        (Ok(ours), Ok(Theirs(theirs))) => {
            assert!(is_same(&ours, &theirs), "{text}: {ours:?} and {theirs:?}");
            true
        }
        (Ok(ours), Err(error)) => {
            let (mended, is_mended) = mend(text);
            let depth = depth(&ours);
            assert!(depth <= MAX_DEPTH as usize, "{text}: {depth} levels");
            assert!(is_mended || depth >= 128, "{text}: {error}");
            if is_mended && depth < 128 {
                let read = serde_json::from_str::<Theirs>(&mended);
                assert!(read.is_ok(), "{text}: {:?}", read.err());
            }
            true
        }
        (Err(malformed), Ok(_)) => panic!("{text}: serde_json accepts it, not so {malformed:?}"),
        (Err(_), Err(_)) => false,
    }
}

/// Reads a text in every way.
fn read(text: &str) -> Result<Tree, Malformed> {
    let mut skipping = Reader::new(text);
    let skipped = skipping.skip().and_then(|span| {
        skipping.end()?;
        Ok(span)
    });
    let mut walking = Reader::new(text);
    let walked = walk(&mut walking).and_then(|tree| {
        walking.end()?;
        Ok(tree)
    });
    match (skipped, &walked) {
        (Ok(span), Ok(tree)) => {
            assert_eq!(span.of(text), text.trim_matches([' ', '\t', '\n', '\r']));
            let mut reader = Reader::at(text, span.start as usize);
            assert_eq!(reread(&mut reader), *tree, "{text}");
            assert_eq!(reader.offset(), span.end as usize);
        }
        (skipped, walked) => assert_eq!(skipped.err(), walked.clone().err(), "{text}"),
    }
    walked
}

/// Reads a value by the method for its kind.
fn walk(reader: &mut Reader<'_>) -> Result<Tree, Malformed> {
    let kind = reader.peek();
    Ok(match kind {
        Kind::Object => {
            let mut members = Vec::new();
            reader.members(|reader, key| {
                let raw = key.span().of(reader.text());
                let name = unescaped(Reader::at(reader.text(), key.span().start as usize - 1));
                if name.len() <= 128 || !raw.contains('\\') {
                    assert_eq!(name, key.name());
                } else {
                    assert_eq!(raw, key.name());
                }
                members.push((name, walk(reader)?));
                Ok(())
            })?;
            Tree::Object(members)
        }
        Kind::Array => {
            let mut elements = Vec::new();
            reader.elements(|reader| {
                elements.push(walk(reader)?);
                Ok(())
            })?;
            Tree::Array(elements)
        }
        Kind::String => Tree::String(text_of(reader.string()?)),
        _ => scalar(reader.value()?),
    })
}

/// Reads a value with [`Reader::value`], and an array or object by its span. The text is valid.
fn reread(reader: &mut Reader<'_>) -> Tree {
    let text = reader.text();
    match reader.value().expect("a valid text") {
        Value::Object(span) => {
            let mut members = Vec::new();
            let mut inner = Reader::at(text, span.start as usize);
            let read = inner.members(|reader, key| {
                let name = unescaped(Reader::at(text, key.span().start as usize - 1));
                members.push((name, reread(reader)));
                Ok(())
            });
            assert_eq!((read, inner.offset()), (Ok(()), span.end as usize));
            Tree::Object(members)
        }
        Value::Array(span) => {
            let mut elements = Vec::new();
            let mut inner = Reader::at(text, span.start as usize);
            let read = inner.elements(|reader| {
                elements.push(reread(reader));
                Ok(())
            });
            assert_eq!((read, inner.offset()), (Ok(()), span.end as usize));
            Tree::Array(elements)
        }
        value => scalar(value),
    }
}

fn scalar(value: Value<'_>) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(value),
        Value::Number(number) => {
            assert_eq!(number.u64(), integer(number.text()), "{}", number.text());
            Tree::Number(number.text().to_owned())
        }
        Value::String(string) => Tree::String(text_of(string)),
        Value::Object(_) | Value::Array(_) => unreachable!("an array or object is not a scalar"),
    }
}

/// Returns the value of a string after comparing all the ways to get it.
fn text_of(string: Str<'_>) -> String {
    let text: String = string.chars().collect();
    let mut out = String::from("x");
    string.unescape_into(&mut out).expect("memory");
    assert_eq!(out[1..], text);
    assert!(string.is(&text));
    assert_eq!(string.has_escapes(), string.raw().contains('\\'));
    assert_eq!(string.plain(), (!string.has_escapes()).then_some(&*text));
    assert_eq!(string.is_empty(), text.is_empty());
    let mut buffer = Short::new();
    let short = string.short(&mut buffer);
    assert!(short == text || text.len() > 64 && short == string.raw());
    text
}

fn unescaped(mut reader: Reader<'_>) -> String {
    text_of(reader.string().expect("a valid name"))
}

/// Returns the number as an integer, by way of `f64` if it is not written as one.
fn integer(text: &str) -> Option<u64> {
    if let Ok(integer) = text.parse() {
        return Some(integer);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    ((0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0)
        .then_some(value as u64)
}

/// Checks that no JSON text begins as the text does up to and with the byte at the offset, and that one
/// may begin as the text does before it.
fn check_offset(text: &str, malformed: Malformed) {
    let at = malformed.at as usize;
    let before = text.get(..at).expect("an offset between two characters");
    match read_up_to(before) {
        Ok(()) => {}
        Err(earlier) => {
            let truncated = Malformed {
                at: malformed.at,
                problem: Problem::Syntax,
            };
            assert_eq!(earlier, truncated, "{text}");
        }
    }
    if let Some(next) = text[at..].chars().next() {
        let with = &text[..at + next.len_utf8()];
        assert_eq!(read_up_to(with), Err(malformed), "{text}");
    }
}

fn read_up_to(text: &str) -> Result<(), Malformed> {
    let mut reader = Reader::new(text);
    reader.skip()?;
    reader.end()
}

fn depth(tree: &Tree) -> usize {
    match tree {
        Tree::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Tree::Object(members) => 1 + members.iter().map(|it| depth(&it.1)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Returns a valid text with what serde_json refuses replaced, and whether there was any of it.
fn mend(text: &str) -> (String, bool) {
    let mut mended = text.to_owned();
    let mut places = Vec::new();
    let mut rest = text;
    while let Some(byte) = rest.bytes().next() {
        let at = text.len() - rest.len();
        let len = match byte {
            b'"' => {
                let string = Reader::at(text, at).string().expect("a valid string");
                halves(string, &mut places);
                string.raw().len() + 2
            }
            b'-' | b'0'..=b'9' | b'N' | b'I' => {
                let Ok(Value::Number(number)) = Reader::at(text, at).value() else {
                    panic!("{text}: a number at {at}");
                };
                let value = number.text().parse::<f64>();
                if !value.is_ok_and(f64::is_finite) {
                    places.push((at, format!("{:1$}", 0, number.text().len())));
                }
                number.text().len()
            }
            _ => 1,
        };
        rest = &rest[len..];
    }
    for (at, replacement) in &places {
        mended.replace_range(*at..at + replacement.len(), replacement);
    }
    (mended, !places.is_empty())
}

/// Notes each escape of half a surrogate pair.
fn halves(string: Str<'_>, places: &mut Vec<(usize, String)>) {
    let raw = string.raw().as_bytes();
    let unit = |at: usize| {
        let digits = raw.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while at < raw.len() {
        at += match (raw[at], unit(at)) {
            (b'\\', Some(0xD800..=0xDBFF)) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            (b'\\', Some(0xD800..=0xDFFF)) => {
                places.push((string.start() + at, "\\ufffd".to_owned()));
                6
            }
            (b'\\', _) => 2,
            _ => 1,
        };
    }
}

/// Returns whether two values are the same. The second one's numbers have been through serde_json, which
/// may round the last bit of an `f64` differently.
pub fn is_same(ours: &Tree, theirs: &Tree) -> bool {
    match (ours, theirs) {
        (Tree::Number(ours), Tree::Number(theirs)) => {
            let (x, y): (f64, f64) = (ours.parse().unwrap(), theirs.parse().unwrap());
            ours == theirs || (x - y).abs() <= x.abs() * 4.0 * f64::EPSILON
        }
        (Tree::Array(ours), Tree::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| is_same(a, b))
        }
        (Tree::Object(ours), Tree::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|((a, x), (b, y))| a == b && is_same(x, y))
        }
        _ => ours == theirs,
    }
}

/// A tree as serde_json reads it.
struct Theirs(Tree);

impl<'de> Deserialize<'de> for Theirs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Theirs)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut elements = Vec::new();
        while let Some(Theirs(element)) = access.next_element()? {
            elements.push(element);
        }
        Ok(Tree::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some((name, Theirs(value))) = access.next_entry()? {
            members.push((name, value));
        }
        Ok(Tree::Object(members))
    }
}
