//! The Rust snippets of the documents and of the API's documentation read past a malformed event.
//!
//! `cargo test --doc` runs the snippets. This test holds them to what makes running them say something: a
//! snippet that reads a reply has a malformed event in its stream, and asserts what came of the stream
//! afterwards. Documents show the event. The API's documentation may hide it.

use std::fs;
use std::path::Path;

use super::markdown::{Block, ROOT, blocks, walk};

/// The malformed event.
const MALFORMED: &str = "data: {oops";

/// How snippets read deltas.
const READS: [&str; 6] = [
    "decoder.next(",
    "decoder.feed(",
    "stream.next()",
    "chunks.next()",
    ".read_to_end(",
    "dw::deltas(",
];

/// Snippets without a malformed event: a line of each, and why.
const EXEMPT: [(&str, &str); 2] = [
    (
        "// `decoder` is still lent to `first`",
        "does not compile, and shows that",
    ),
    (
        "// reads OPENAI_API_KEY",
        "asks a provider, with a key; tests/client/failures.rs reads such a stream",
    ),
];

/// The server of the tests that sends a malformed event.
const SERVER: &str = "Server::malformed()";

/// The snippets in the comments of a source.
fn snippets_of(path: &Path) -> Vec<Block> {
    let text = fs::read_to_string(path).expect("a source");
    let name = path.strip_prefix(ROOT).unwrap_or(path).display();
    let mut snippets: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        // Where a feature is needed, the fence is an attribute, and another one is there without it.
        let attribute = line.split_once("doc = \"```");
        let line = match attribute {
            Some((before, _)) if before.contains("not(feature") => continue,
            Some((_, after)) => format!("```{}", after.trim_end_matches("\")]")),
            None => match line.strip_prefix("///").or(line.strip_prefix("//!")) {
                Some(line) => line.strip_prefix(' ').unwrap_or(line).to_owned(),
                None => continue,
            },
        };
        if let Some(language) = line.strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                snippets.push(Block {
                    at: format!("{name}:{number}"),
                    language: format!("rust,{language}"),
                    text: String::new(),
                });
            }
        } else if is_open && let Some(snippet) = snippets.last_mut() {
            // Hidden lines are run as well.
            let line = line.strip_prefix("# ").unwrap_or(&line);
            snippet.text.push_str(line);
            snippet.text.push('\n');
        }
    }
    assert!(!is_open, "{name}: a fence is left open");
    snippets.retain(|snippet| !snippet.language.contains("text"));
    snippets
}

fn snippets() -> Vec<Block> {
    let mut snippets = blocks();
    snippets.retain(|block| block.language.starts_with("rust"));
    walk(&Path::new(ROOT).join("src"), &mut |path| {
        if path.extension().is_some_and(|extension| extension == "rs") {
            snippets.extend(snippets_of(path));
        }
    });
    snippets
}

/// Says what is wrong with a snippet.
fn fault(snippet: &Block) -> Option<&'static str> {
    let text = &snippet.text;
    if snippet.language.contains("ignore") {
        return None;
    }
    let ends = [
        "parser.next(&mut input)?",
        "parser.next(&mut input).unwrap()",
    ];
    if text.contains("while let") && ends.iter().any(|end| text.contains(end)) {
        return Some("ends at an event that is too large");
    }
    if !READS.iter().any(|read| text.contains(read)) {
        return None;
    }
    if EXEMPT.iter().any(|(line, _)| text.contains(line)) {
        return None;
    }
    if snippet.language.contains("no_run") {
        return Some("reads a stream and is not run");
    }
    let malformed = text.find(MALFORMED).or_else(|| text.find(SERVER));
    let Some(malformed) = malformed else {
        return Some("reads a stream without a malformed event");
    };
    let last = text.rfind("assert");
    match last {
        Some(last) if last > malformed => None,
        _ => Some("asserts nothing after the malformed event"),
    }
}

#[test]
fn snippets_read_past_a_malformed_event() {
    let snippets = snippets();
    let faults: Vec<String> = snippets
        .iter()
        .filter_map(|snippet| Some(format!("{}: {}", snippet.at, fault(snippet)?)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let with_one = snippets
        .iter()
        .filter(|snippet| snippet.text.contains(MALFORMED) || snippet.text.contains(SERVER));
    let count = with_one.count();
    println!(
        "{} snippets, {count} with a malformed event",
        snippets.len()
    );
    assert!(count >= 10, "{count}");
    for (line, _) in EXEMPT {
        let mut texts = snippets.iter().map(|snippet| &snippet.text);
        assert!(
            texts.any(|text| text.contains(line)),
            "no snippet has {line}"
        );
    }
}

/// `cargo test --doc` finds snippets only in documents that the crate includes.
#[test]
fn documents_with_snippets_are_run() {
    let lib = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).expect("the crate");
    for block in blocks() {
        let is_run = block.language.starts_with("rust") && !block.language.contains("ignore");
        let (document, _) = block.at.rsplit_once(':').expect("a line");
        let included = format!("include_str!(\"../{document}\")");
        assert!(
            !is_run || lib.contains(&included),
            "{} is not run",
            block.at
        );
    }
}

#[test]
fn faults_are_found() {
    let fault = |language: &str, text: &str| {
        fault(&Block {
            at: String::new(),
            language: language.to_owned(),
            text: text.to_owned(),
        })
    };
    let read = "while let Some(delta) = decoder.next(&mut input) {}";
    let body = "let mut input = &b\"data: {oops\\n\\n\"[..];";
    assert!(fault("rust", read).is_some());
    assert!(fault("rust", &format!("{body}{read}")).is_some());
    assert!(fault("rust", &format!("{body}{read} assert_eq!(text, \"Hi\");")).is_none());
    assert!(fault("rust,no_run", &format!("{body}{read} assert!(true);")).is_some());
    assert!(fault("rust,ignore", read).is_none());
    assert!(fault("rust", "while let Some(item) = parser.next(&mut input)? {}").is_some());
    assert!(fault("rust", "let request = Request::chat(\"m\");").is_none());
}
