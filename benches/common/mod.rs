//! The streams that the benches share: made ones, and the recordings where they are at hand.
#![allow(
    dead_code,
    reason = "every bench is a program of its own and uses a part of this"
)]

pub(crate) mod peers;

use std::path::PathBuf;

use deltawire::{Decoder, Delta};

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
const PADDING: &str = "Kd0zS3Gv9p";

/// OpenAI chat chunks of about 326 bytes, as of late 2025: a new word and new padding in each.
pub(crate) fn events(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| event(WORDS[n % WORDS.len()], n))
        .collect()
}

/// A random number generator (SplitMix64): seeded, so that every run reads the same bytes.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// OpenAI chat chunks of about 326 bytes with text of random length: 1 to 20 bytes, short ones more
/// often. The lengths have no period, so a branch predictor cannot learn them. One text in ten is
/// not ASCII, and the padding has a random length too.
pub(crate) fn random_events(count: usize) -> Vec<String> {
    const LETTERS: &[u8; 26] = b"etaoinshrdlcumwfgypbvkjxqz";
    let mut random = Random(14);
    let mut text = String::new();
    (0..count)
        .map(|_| {
            text.clear();
            let mut len = 1;
            while len < 20 && random.below(4) != 0 {
                len += 1;
            }
            if len > 2 && random.below(10) == 0 {
                text.push('\u{e9}');
            } else if random.below(2) == 0 {
                text.push(' ');
            }
            while text.len() < len {
                let letter = random.below(26).min(random.below(26));
                text.push(char::from(LETTERS[letter as usize]));
            }
            event(&text, random.below(10) as usize)
        })
        .collect()
}

/// The same with text as code and Markdown have it: quotes, line ends and tabs, all escaped.
pub(crate) fn escaped_events(count: usize) -> Vec<String> {
    const PIECES: &[&str] = &[
        r"\n\n",
        r#" \"quoted\""#,
        r"\tlet x",
        r" = \'",
        r"C:\\dir\\",
        r"\n```\n",
    ];
    (0..count)
        .map(|n| event(&PIECES[n % PIECES.len()].replace("\\'", "'"), n))
        .collect()
}

/// The same in an order of members that never comes back, so that no template ever hits.
pub(crate) fn events_of_many_shapes(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            let word = WORDS[n % WORDS.len()];
            format!(
                concat!(
                    r#"data: {{"id":"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE","#,
                    r#""object":"chat.completion.chunk","created":1762183171,"#,
                    r#""model":"gpt-4o-mini-2024-07-18","member_{}":null,"#,
                    r#""choices":[{{"index":0,"delta":{{"content":"{}"}},"logprobs":null,"#,
                    r#""finish_reason":null}}],"usage":null,"obfuscation":"Kd0z"}}"#,
                    "\n\n"
                ),
                1_000_000 + n,
                word
            )
        })
        .collect()
}

/// What there can be many of in one response.
pub(crate) const MANY: [&str; 5] = ["choices", "calls", "same-index", "members", "items"];

/// A response with `count` of a kind.
pub(crate) fn many(kind: &str, count: usize) -> String {
    let join = |item: fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    match kind {
        "choices" => {
            let choices = join(|n| {
                format!(
                    r#"{{"index":{n},"delta":{{"content":"a","role":"r{n}"}},"finish_reason":"stop"}}"#
                )
            });
            format!("data: {{\"choices\":[{choices}]}}\n\n")
        }
        "calls" | "same-index" => {
            let calls = join(match kind {
                "calls" => |n| format!(r#"{{"index":{n},"id":"c{n}","function":{{"name":"f"}}}}"#),
                _ => |n| format!(r#"{{"index":0,"id":"c{n}","function":{{"name":"f"}}}}"#),
            });
            format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{calls}]}}}}]}}\n\n")
        }
        "members" => {
            let members = join(|n| format!(r#""k{n}":[1]"#));
            format!("data: {{\"choices\":[],{members}}}\n\n")
        }
        "items" => (0..count)
            .map(|n| {
                let kind = r#""type":"response.output_text.delta""#;
                format!("data: {{{kind},\"output_index\":{n},\"delta\":\"a\"}}\n\n")
            })
            .collect(),
        _ => panic!("no such kind: {kind}"),
    }
}

fn event(text: &str, n: usize) -> String {
    let head = concat!(
        r#"data: {"id":"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE","object":"chat.completion.chunk","#,
        r#""created":1762183171,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","#,
        r#""system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":{"content":""#,
    );
    let middle = r#""},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":""#;
    let padding = &PADDING[n * 7 % 10..];
    format!("{head}{text}{middle}{padding}\"}}\n\n")
}

/// One event whose text has `len` bytes.
pub(crate) fn large_event(len: usize) -> Vec<u8> {
    event(&"x".repeat(len), 0).into_bytes()
}

/// The pieces that a stream comes in: of `chunk` bytes, or with 0 one event each.
pub(crate) fn pieces<'a>(stream: &'a [u8], events: &[String], chunk: usize) -> Vec<&'a [u8]> {
    if chunk > 0 {
        return stream.chunks(chunk).collect();
    }
    let mut rest = stream;
    let cut = |event: &String| rest.split_off(..event.len()).unwrap_or_default();
    events.iter().map(cut).collect()
}

/// The names of the project's own short streams in benches/streams.
pub(crate) const OWN_STREAMS: [&str; 3] = ["openai-chat", "openai-responses", "anthropic"];

/// Returns a stream's events: one of [`OWN_STREAMS`], a recording by the start of its name, or
/// `made`, which has random text lengths. `None` if there is no such stream or no corpus.
pub(crate) fn stream(name: &str) -> Option<Vec<String>> {
    if name == "made" {
        return Some(random_events(10));
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let own = root.join(format!("benches/streams/{name}.sse"));
    let text = if let Ok(text) = std::fs::read_to_string(own) {
        text
    } else {
        let recording = corpus("all")
            .into_iter()
            .find(|of| of.name.starts_with(name))?;
        String::from_utf8(recording.body).expect("a recording that is UTF-8")
    };
    let mut events = Vec::new();
    let mut event = String::new();
    for line in text.split_inclusive('\n') {
        event.push_str(line);
        if line.trim_end().is_empty() {
            events.push(std::mem::take(&mut event));
        }
    }
    if !event.is_empty() {
        events.push(event);
    }
    Some(events)
}

/// Runs `work` on a new thread, where no thread-local value exists yet.
pub(crate) fn on_new_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(work).join().expect("no panic"))
}

/// A recorded response.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) dialect: String,
    pub(crate) body: Vec<u8>,
}

/// The recordings of a dialect, `all` for all that are text; none where there is no corpus.
pub(crate) fn corpus(dialect: &str) -> Vec<Recording> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus"));
    let Ok(entries) = std::fs::read_dir(&dir) else {
        return Vec::new();
    };
    let mut recordings: Vec<Recording> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_string_lossy().into_owned();
            // DIALECT-NNN-PROVIDER-slug: the dialect's own name may have hyphens, but no digits.
            let end = name.find(|c: char| c.is_ascii_digit())?.checked_sub(1)?;
            let of = name.get(..end)?.to_owned();
            let is_text = name.ends_with(".sse") || name.ends_with(".ndjson");
            (is_text && (dialect == "all" || dialect == of)).then(|| Recording {
                name,
                dialect: of,
                body: std::fs::read(&path).expect("a recording"),
            })
        })
        .collect();
    recordings.sort_by(|a, b| a.name.cmp(&b.name));
    recordings
}

/// Hands out every delta of some pieces. What cannot be decoded is passed over.
#[inline]
pub(crate) fn decode<'a>(
    decoder: &mut Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    mut delta: impl FnMut(Delta<'_>),
) {
    for piece in pieces {
        let mut input = piece;
        while let Some(next) = decoder.next(&mut input) {
            delta(next);
        }
    }
}
