//! The decoder's work for `benches/budgets.sh`, which counts its instructions.
//!
//!     deltas events COUNT CHUNK [off]          COUNT events of about 326 bytes, CHUNK 0: one event a piece
//!     deltas corpus DIALECT CHUNK [off] [misses]  every recording of a dialect, `all` for all but binary ones
//!
//! `off` decodes without templates. Prints what was decoded, and for `corpus` the share of events
//! that templates took; `misses` names the recordings where that is under half.
use std::hint::black_box;
use std::path::PathBuf;

use deltawire::{Decoder, Delta, Options};

/// All that is counted: every delta is read, its text's length included.
#[inline(never)]
fn measured<'a>(decoder: &mut Decoder, chunks: impl Iterator<Item = &'a [u8]>) -> (usize, usize) {
    let (mut deltas, mut bytes) = (0, 0);
    for chunk in chunks {
        let mut input = chunk;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(delta)) => {
                    deltas += 1;
                    if let Delta::Text { text, .. } = black_box(delta) {
                        bytes += text.len();
                    }
                }
                Ok(None) => break,
                Err(_) => {}
            }
        }
    }
    (deltas, bytes)
}

const WORDS: &[&str] = &[
    " the",
    " stream",
    "ing",
    ",",
    " parser",
    " of",
    "1",
    " caf\u{e9}",
    " ",
    "tokens",
];
const PADDING: &str = "Kd0zS3Gv9pQ1xJ7";

fn events(count: usize) -> Vec<String> {
    let head = r#"data: {"id":"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE","object":"chat.completion.chunk","created":1762183171,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":{"content":""#;
    let middle = r#""},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":""#;
    (0..count)
        .map(|n| {
            let padding = &PADDING[n * 7 % 10..];
            format!("{head}{}{middle}{padding}\"}}\n\n", WORDS[n % WORDS.len()])
        })
        .collect()
}

fn corpus(dialect: &str) -> Vec<(String, Vec<u8>)> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let is_text = name.ends_with(".sse") || name.ends_with(".ndjson");
            let of = name
                .find("-0")
                .or(name.find("-1"))
                .or(name.find("-2"))
                .or(name.find("-3"));
            is_text && (dialect == "all" || Some(dialect) == of.map(|end| &name[..end]))
        })
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read(&path).expect("a recording"))
        })
        .collect()
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [kind, what, chunk, rest @ ..] = args.as_slice() else {
        eprintln!("usage: see the head of benches/deltas.rs");
        return;
    };
    let chunk: usize = chunk.parse().expect("a number of bytes");
    let mut options = Options::default();
    options.templates = !rest.contains(&"off");
    if *kind == "events" {
        let events = events(what.parse().expect("a number of events"));
        let stream = events.concat();
        let mut decoder = Decoder::with_options(options);
        let (deltas, bytes) = match chunk {
            0 => measured(&mut decoder, events.iter().map(|event| event.as_bytes())),
            _ => measured(&mut decoder, stream.as_bytes().chunks(chunk)),
        };
        let size = stream.len() / events.len();
        println!("{deltas} deltas, {bytes} bytes of text, {size} bytes an event");
        return;
    }
    let (mut events, mut taken, mut size) = (0, 0, 0);
    let (mut long_events, mut long_taken) = (0, 0);
    for (name, body) in corpus(what) {
        let mut decoder = Decoder::with_options(options.clone());
        measured(&mut decoder, body.chunks(chunk));
        events += decoder.events();
        taken += decoder.templated();
        size += body.len();
        if decoder.events() >= 20 {
            long_events += decoder.events();
            long_taken += decoder.templated();
            if rest.contains(&"misses") && decoder.templated() * 2 < decoder.events() {
                println!(
                    "{name}: {} of {} events",
                    decoder.templated(),
                    decoder.events()
                );
            }
        }
    }
    let share = |taken: u64, events: u64| 100.0 * taken as f64 / events.max(1) as f64;
    println!(
        "{size} bytes, {events} events, {:.1}% by templates; {:.1}% in streams of 20 events or more",
        share(taken, events),
        share(long_taken, long_events),
    );
}
