//! The cases of `tests/vectors/*.md`, and the shared common ones, in every cutting and every carry.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deltawire::frame::{Carry, Eof, Item, sse};
use deltawire_test_support::framing::{cut, cuttings};
use serde_json::{Value, json};

/// What a stream says, in the words of the documents.
fn said<C: Carry>(
    mut parser: sse::Parser<C>,
    chunks: &[&[u8]],
    seed: &str,
    eof: Eof,
) -> Vec<Value> {
    fn value(item: &Item<'_>) -> Option<Value> {
        Some(match item {
            Item::Event(x) => json!({
                "event": x.event.to_string(),
                "data": x.data.to_string(),
                "id": x.id.to_string(),
            }),
            Item::Comment(x) => json!({ "comment": x.text.to_string() }),
            Item::Retry(x) => json!({ "retry": x.millis }),
            Item::Field(x) => json!({ "field": x.name.to_string(), "value": x.value.to_string() }),
            _ => return None,
        })
    }
    assert!(parser.set_last_event_id(seed.as_bytes()));
    let mut said = Vec::new();
    for chunk in chunks {
        let mut input = *chunk;
        while let Some(item) = parser.next(&mut input).unwrap() {
            said.extend(value(&item));
        }
        assert!(input.is_empty());
    }
    while let Some(item) = parser.finish(eof).unwrap() {
        said.extend(value(&item));
    }
    let id = parser.last_event_id();
    if !id.is_empty() {
        said.push(json!({ "last_event_id": id.to_string() }));
    }
    said
}

/// Holds every cutting with both carries, and the pieces given if any, against `expected`.
fn replay(
    name: &str,
    stream: &[u8],
    given: Option<Vec<&[u8]>>,
    seed: &str,
    eof: Eof,
    expected: impl Fn(&[Value]) -> bool,
) -> Result<(), String> {
    let mut all: Vec<Vec<&[u8]>> = given.into_iter().collect();
    all.extend(cuttings(stream.len()).iter().map(|cuts| cut(stream, cuts)));
    for chunks in all {
        let mut memory = vec![0; 3 * stream.len() + seed.len() + 4];
        let kept = said(sse::Parser::in_memory(&mut memory), &chunks, seed, eof);
        let grown = said(sse::Parser::new(), &chunks, seed, eof);
        for (carry, said) in [("Fixed", kept), ("Vec", grown)] {
            if !expected(&said) {
                let lens: Vec<usize> = chunks.iter().map(|c| c.len()).collect();
                let said: String = said.iter().map(|one| format!("  {one}\n")).collect();
                return Err(format!(
                    "{name}\n in pieces of {lens:?}, {carry}, {eof:?}, it says\n{said}"
                ));
            }
        }
    }
    Ok(())
}

fn report(cases: usize, failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} of {cases} cases fail\n\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{cases} cases pass");
}

/// A case of a document.
#[derive(Debug, Default)]
struct Case {
    name: String,
    stream: Vec<u8>,
    seed: String,
    discard: Option<Vec<Value>>,
    flush: Option<Vec<Value>>,
}

/// The cases of a document: headings of the second level and the fenced blocks below each.
fn cases(document: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("## ") {
            cases.push(Case {
                name: name.to_string(),
                ..Case::default()
            });
        }
        let Some(kind) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let case = cases.last_mut().expect("a block stands below a heading");
        let outcome = || {
            let values = block.iter().map(|line| serde_json::from_str(line));
            Some(values.collect::<Result<Vec<Value>, _>>().expect(kind))
        };
        match kind.split_once(' ').unwrap_or((kind, "")) {
            ("input", option) => {
                case.seed = option.strip_prefix("seed=").unwrap_or(option).to_string();
                case.stream = unescape(&block.concat());
            }
            ("outcome", "") => case.discard = outcome(),
            ("outcome", "flush") => case.flush = outcome(),
            _ => panic!("{}: no block is called {kind:?}", case.name),
        }
    }
    cases
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let len = match escape.as_bytes()[0] {
            b'x' => {
                bytes.push(u8::from_str_radix(&escape[1..3], 16).expect(escape));
                3
            }
            b'u' => {
                let (digits, _) = escape[2..].split_once('}').expect(escape);
                let code = u32::from_str_radix(digits, 16).expect(escape);
                let char = char::from_u32(code).expect(escape);
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                digits.len() + 3
            }
            one => {
                bytes.push(match one {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'0' => 0,
                    b'\\' => b'\\',
                    _ => panic!("no escape: \\{escape}"),
                });
                1
            }
        };
        rest = &escape[len..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn the_documents_hold_in_every_cutting() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let mut count = 0;
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for case in cases(&std::fs::read_to_string(&path).unwrap()) {
            count += 1;
            let name = format!("{file}: {}", case.name);
            let discard = case.discard.as_ref().expect(&name);
            let flush = case.flush.as_ref().unwrap_or(discard);
            for (eof, expected) in [(Eof::Discard, discard), (Eof::Flush, flush)] {
                let holds = |said: &[Value]| said == expected;
                let result = replay(&name, &case.stream, None, &case.seed, eof, holds);
                failures.extend(result.err());
            }
        }
    }
    assert!(count >= 150, "only {count} cases were read");
    report(count, &failures);
}

#[test]
fn the_shared_common_vectors_hold_in_every_cutting() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/vectors/common.jsonl"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        // Not `println`, which a passing test swallows.
        let text = "SKIPPED: ../shared/vectors/common.jsonl is not there\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    };
    let mut failures = Vec::new();
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let list = |key: &str| vector[key].as_array().unwrap().clone();
        let chunks: Vec<Vec<u8>> = list("chunks")
            .iter()
            .map(|chunk| STANDARD.decode(chunk.as_str().unwrap()).unwrap())
            .collect();
        let ignores_retry = vector["lenient"].as_array().is_some();
        let holds = |said: &[Value]| {
            let all = |key: &str| -> Vec<Value> {
                let values = said.iter().map(|one| one[key].clone());
                values.filter(|one| !one.is_null()).collect()
            };
            let events: Vec<&Value> = said.iter().filter(|one| !one["event"].is_null()).collect();
            let retry = all("retry").pop().unwrap_or(Value::Null);
            let last_event_id = all("last_event_id").pop().unwrap_or("".into());
            events == list("events").iter().collect::<Vec<_>>()
                && all("comment") == list("comments")
                && last_event_id == vector["last_event_id"]
                && (ignores_retry || retry == vector["retry"])
        };
        let name = vector["name"].as_str().unwrap();
        let given = Some(chunks.iter().map(|chunk| &chunk[..]).collect());
        let result = replay(name, &chunks.concat(), given, "", Eof::Discard, holds);
        failures.extend(result.err());
    }
    report(text.lines().count(), &failures);
}

#[test]
fn the_escapes_of_the_documents_are_read() {
    assert_eq!(
        unescape(r"a\r\n\t\0\\n\xFF\u{e9}é"),
        b"a\r\n\t\0\\n\xFF\xC3\xA9\xC3\xA9"
    );
}
