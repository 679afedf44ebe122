//! The JSON reader against serde_json, simd-json and Python's `json.loads`.
//!
//! `READER_DOCUMENTS` says how many random documents are read, 1,000 unless told otherwise; as many
//! damaged ones are read too. A million take 2 minutes:
//!
//!     READER_DOCUMENTS=1000000 cargo test --release --all-features --test decoder reader::
//!
//! The differences between the readers, which the comparisons allow for:
//!
//! | | reader | Python | serde_json | simd-json |
//! |---|---|---|---|---|
//! | `NaN`, `Infinity`, `-Infinity` | read | read | error | error |
//! | number beyond `f64` | read | read | error | error |
//! | integer beyond 64 bits | read | read | read as `f64` | error |
//! | escape of half a surrogate pair | U+FFFD | kept | error | error |
//! | nesting | 128 levels | about 1,000 | 127 levels | unlimited |

use std::fmt::Write as _;
use std::process::Command;

use deltawire::frame::{Eof, Item, Parser};
use deltawire_test_support::decoding;
use deltawire_test_support::oracles::reader::{self as oracle, Rejected, Tree};
use simd_json::StaticNode;
use simd_json::tape::Node;

fn documents() -> u64 {
    let told = std::env::var("READER_DOCUMENTS").ok();
    told.map_or(1000, |count| count.parse().expect("a number"))
}

/// A generator of random numbers with a seed: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len())]
    }
}

const SPACES: [&str; 10] = [
    "",
    "",
    "",
    "",
    "",
    "",
    " ",
    "\n",
    "\t \r\n",
    "                     ",
];

const PIECES: [&str; 22] = [
    "",
    "a",
    "content",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/\\b\\f\\r\\t",
    "\\u00e9",
    "\\u0000",
    "\\ud83d\\uDE00",
    "é",
    "日本",
    "💩",
    "\u{7f}",
    " {}[]:,",
    "fourteen bytes",
    "fifteen bytes..",
    "sixteen bytes...",
    "seventeen bytes..",
    "a text that is longer than two blocks",
    "\\uD83D",
    "\\udc00",
];

const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "-1",
    "-0",
    "12",
    "1700000000",
    "1234567890123456",
    "12345678901234567",
    "18446744073709551615",
    "-9223372036854775808",
    "0.5",
    "3.0",
    "-1.25e-3",
    "1E5",
    "2e+2",
    "0e0",
    "18446744073709551616",
    "1e400",
    "NaN",
    "-Infinity",
];

/// Writes a random value. Half of the documents are ones that every reader accepts.
fn write(random: &mut Random, plain: bool, depth: usize, out: &mut String) {
    out.push_str(random.pick(&SPACES));
    match random.below(if depth < 6 { 12 } else { 7 }) {
        0 => out.push_str(random.pick(&["null", "true", "false"])),
        1 | 2 => {
            let known = NUMBERS.len() - if plain { 4 } else { 0 };
            out.push_str(random.pick(&NUMBERS[..known]));
        }
        3..7 => write_string(random, plain, out),
        7..10 => {
            out.push('{');
            for n in 0..random.below(6) {
                out.push_str(if n == 0 { "" } else { "," });
                out.push_str(random.pick(&SPACES));
                write_string(random, plain, out);
                out.push_str(random.pick(&SPACES));
                out.push(':');
                write(random, plain, depth + 1, out);
            }
            out.push_str(random.pick(&SPACES));
            out.push('}');
        }
        _ => {
            out.push('[');
            for n in 0..random.below(6) {
                out.push_str(if n == 0 { "" } else { "," });
                write(random, plain, depth + 1, out);
            }
            out.push_str(random.pick(&SPACES));
            out.push(']');
        }
    }
    out.push_str(random.pick(&SPACES));
}

fn write_string(random: &mut Random, plain: bool, out: &mut String) {
    out.push('"');
    for _ in 0..[0, 1, 1, 1, 2, 2, 3, 8][random.below(8)] {
        let known = PIECES.len() - if plain { 2 } else { 0 };
        out.push_str(random.pick(&PIECES[..known]));
    }
    out.push('"');
}

const DAMAGE: [&str; 41] = [
    "{", "}", "[", "]", "\"", ",", ":", "\\", "\\u", "\\ud800", "\\x", "0", "1", "00", "-", "+",
    ".", "e", "E", "null", "nul", "tru", "fals", "NaN", "Inf", "Infinity", " ", "\n", "\t", "\0",
    "\u{1f}", "\u{b}", "\u{7f}", "\u{a0}", "é", "💩", "\u{FEFF}", "'", "/", "\"\"", ",\"a\":1",
];

/// Damages a text in one to three places.
fn damage(random: &mut Random, text: &mut String) {
    for _ in 0..1 + random.below(3) / 2 + random.below(4) / 3 {
        let boundary = |text: &str, mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(text, random.below(text.len() + 1));
        let len = [0, 0, 1, 1, 1, 2, 6][random.below(7)];
        let end = boundary(text, text.len().min(start + len)).max(start);
        match random.below(8) {
            0 => text.truncate(start),
            1 => text.replace_range(start..end, ""),
            2 => {
                let again = text[start..end].to_owned();
                text.insert_str(start, &again);
            }
            _ => text.replace_range(start..end, random.pick(&DAMAGE)),
        }
    }
}

/// Returns a text with the given one far from its end, where the reader takes other paths.
fn padded(text: &str) -> String {
    format!("{{\"name\":{text},\"padding\":\"a text that is longer than two blocks\"}}")
}

/// Reads a text with simd-json, without its members' order or duplicates being lost.
fn simd(text: &str) -> Option<Tree> {
    let mut bytes = text.as_bytes().to_vec();
    let tape = simd_json::to_tape(&mut bytes).ok()?;
    Some(tree(&mut tape.0.iter()))
}

fn tree<'n>(nodes: &mut impl Iterator<Item = &'n Node<'n>>) -> Tree {
    match nodes.next().expect("a node") {
        Node::String(text) => Tree::String((*text).to_owned()),
        Node::Static(StaticNode::Null) => Tree::Null,
        Node::Static(StaticNode::Bool(value)) => Tree::Bool(*value),
        Node::Static(StaticNode::I64(number)) => Tree::Number(number.to_string()),
        Node::Static(StaticNode::U64(number)) => Tree::Number(number.to_string()),
        Node::Static(StaticNode::F64(number)) => Tree::Number(number.to_string()),
        Node::Array { len, .. } => Tree::Array((0..*len).map(|_| tree(nodes)).collect()),
        Node::Object { len, .. } => {
            let member = |_| match tree(nodes) {
                Tree::String(name) => (name, tree(nodes)),
                other => panic!("{other:?} is not a name"),
            };
            Tree::Object((0..*len).map(member).collect())
        }
    }
}

/// Compares with simd-json, which must accept the text if it has nothing that only some readers accept.
fn compare_with_simd(text: &str, plain: bool) {
    match (oracle::parse(text), simd(text)) {
        (Ok(ours), Some(theirs)) => {
            assert!(
                oracle::is_same(&ours, &theirs),
                "{text}: {ours:?} and {theirs:?}"
            );
        }
        (Ok(_), None) => assert!(!plain, "{text}: simd-json rejects it"),
        (Err(malformed), Some(_)) => panic!("{text}: simd-json accepts it, not so {malformed:?}"),
        (Err(_), None) => {}
    }
}

#[test]
fn random_documents_read_as_other_readers_read_them() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut text, mut bytes) = (String::new(), 0);
    for n in 0..documents() {
        let plain = n % 2 == 0;
        text.clear();
        write(&mut random, plain, 0, &mut text);
        assert!(oracle::compare(&text), "{text}");
        compare_with_simd(&text, plain);
        bytes += text.len();
    }
    println!("{} documents, {bytes} bytes", documents());
}

#[test]
fn damaged_documents_are_rejected_as_other_readers_reject_them() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let (mut text, mut accepted) = (String::new(), 0);
    for _ in 0..documents() {
        text.clear();
        write(&mut random, true, 0, &mut text);
        damage(&mut random, &mut text);
        accepted += u64::from(oracle::compare(&text));
        compare_with_simd(&text, false);
        oracle::compare(&padded(&text));
    }
    println!("{} documents, {accepted} of them valid", documents());
    let share = accepted as f64 / documents() as f64;
    assert!((0.1..0.6).contains(&share), "{accepted} are still valid");
}

#[test]
fn a_document_cut_anywhere_is_truncated_there() {
    let mut random = Random(0xA076_1D64_78BD_642F);
    let mut text = String::new();
    for _ in 0..documents().div_ceil(20) {
        text.clear();
        write(&mut random, false, 0, &mut text);
        let end = text.trim_end().len();
        let is_number = text
            .trim_end()
            .ends_with(|last: char| last.is_ascii_digit());
        for len in (0..end).filter(|len| text.is_char_boundary(*len)) {
            let at = len as u32;
            let truncated = Rejected {
                at,
                is_too_deep: false,
            };
            let read = oracle::parse(&text[..len]);
            assert!(
                read == Err(truncated) || read.is_ok() && is_number,
                "{text}"
            );
        }
    }
}

#[test]
fn every_payload_of_the_recordings_is_read() {
    let Some(recordings) = decoding::recordings() else {
        return;
    };
    let (mut payloads, mut others) = (0, 0);
    for recording in &recordings {
        let mut parser = Parser::new(recording.dialect.framing());
        let mut input = &recording.body[..];
        let mut read = |data: &[u8]| {
            let Ok(text) = std::str::from_utf8(data) else {
                return;
            };
            if oracle::compare(text) {
                compare_with_simd(text, !text.contains("NaN"));
                payloads += 1;
            } else {
                others += 1;
            }
        };
        while !input.is_empty() {
            if let Ok(Some(Item::Event(event))) = parser.next(&mut input) {
                read(event.data.as_bytes());
            }
        }
        while let Ok(Some(item)) = parser.finish(Eof::Flush) {
            if let Item::Event(event) = item {
                read(event.data.as_bytes());
            }
        }
    }
    println!("{payloads} payloads are JSON, {others} are not");
    assert!(
        payloads > 50 * others && payloads > 5000,
        "{payloads} and {others}"
    );
}

/// Writes a value in the notation of `reader_python.py`.
fn notation(tree: &Tree, out: &mut String) {
    let text = |text: &str, out: &mut String| {
        out.push('"');
        for byte in text.bytes() {
            write!(out, "{byte:02x}").expect("a String");
        }
        out.push('"');
    };
    match tree {
        Tree::Null => out.push('n'),
        Tree::Bool(value) => out.push(if *value { 't' } else { 'f' }),
        Tree::Number(number) => {
            out.push('#');
            out.push_str(number);
        }
        Tree::String(string) => text(string, out),
        Tree::Array(elements) => {
            out.push('[');
            for (n, element) in elements.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                notation(element, out);
            }
            out.push(']');
        }
        Tree::Object(members) => {
            out.push('{');
            for (n, (name, value)) in members.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                text(name, out);
                out.push(':');
                notation(value, out);
            }
            out.push('}');
        }
    }
}

/// Compares the lines that `reader_python.py` prints. Returns how many texts Python accepts.
fn compare_with_python(lines: &str) -> usize {
    let mut accepted = 0;
    for line in lines.lines() {
        let (text, expected) = line.split_once('\t').expect("a tab");
        let text: String = serde_json::from_str(text).expect("a text");
        let mut read = String::new();
        match oracle::parse(&text) {
            Ok(tree) => notation(&tree, &mut read),
            Err(malformed) if malformed.is_too_deep => read.push_str("deep"),
            Err(_) => read.push('-'),
        }
        assert_eq!(read, expected, "{text}");
        oracle::compare(&text);
        oracle::compare(&padded(&text));
        accepted += usize::from(expected != "-");
    }
    accepted
}

#[test]
fn python_reads_the_same() {
    let table = include_str!("../data/reader.tsv");
    let accepted = compare_with_python(table);
    println!("{} texts, {accepted} of them valid", table.lines().count());
    assert!(accepted > 200 && table.lines().count() > 400);
}

#[test]
fn python_reads_the_same_of_random_texts() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reader_python.py");
    let mut left = documents();
    let mut accepted = 0;
    while left > 0 {
        let count = left.min(50_000);
        let arguments = [script, "random", &left.to_string(), &count.to_string()];
        let Ok(output) = Command::new("python3").args(arguments).output() else {
            println!("SKIPPED: no python3");
            return;
        };
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let lines = String::from_utf8(output.stdout).expect("ASCII");
        assert_eq!(lines.lines().count() as u64, count);
        accepted += compare_with_python(&lines);
        left -= count;
    }
    println!("{} texts, {accepted} of them valid", documents());
}
