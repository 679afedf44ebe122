//! Two decoders side by side, one with templates and one without, and the streams they are held
//! against each other on. Shared by `tests/templates.rs` and the fuzz target of the same name.
//!
//! Everything random is drawn from a string of bytes ([`Dice`]), so a property test shrinks it and a
//! fuzzer steers it.
#![allow(dead_code, reason = "each user takes its part")]

use deltawire::frame::{Eof, Framing};
use deltawire::{Decoder, Dialect, Options};

/// How a stream is cut into chunks.
#[derive(Debug, Clone)]
pub(crate) enum Cut {
    Whole,
    /// One event a chunk.
    Events,
    Size(usize),
    /// Pieces of these sizes, over and over.
    Sizes(Vec<usize>),
}

/// What the two decoders are given: streams one after the other, a reset between them.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) framing: Option<Framing>,
    pub(crate) max_event_bytes: Option<usize>,
    pub(crate) eof: Eof,
    pub(crate) cut: Cut,
    pub(crate) streams: Vec<Vec<u8>>,
}

impl Case {
    pub(crate) fn of(stream: &[u8], cut: Cut) -> Self {
        Case {
            dialect: None,
            framing: None,
            max_event_bytes: None,
            eof: Eof::Flush,
            cut,
            streams: vec![stream.to_vec()],
        }
    }

    pub(crate) fn show(&self) -> String {
        let streams: Vec<String> = self
            .streams
            .iter()
            .map(|stream| stream.escape_ascii().to_string().replace("\\n", "\\n\n  "))
            .collect();
        format!(
            "dialect {:?}, framing {:?}, limit {:?}, {:?}, {:?}:\n  {}",
            self.dialect,
            self.framing,
            self.max_event_bytes,
            self.eof,
            self.cut,
            streams.join("\n --- reset ---\n  ")
        )
    }
}

/// How many events there were, and how many of them templates took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stats {
    pub(crate) events: u64,
    pub(crate) templated: u64,
}

/// The oracle. The decoders go in step: after every single call their deltas, errors, positions,
/// what is left of the chunk, and all that can be asked of them are the same.
pub(crate) fn compare(case: &Case) -> Result<Stats, String> {
    let mut options = Options::default();
    options.dialect = case.dialect;
    options.framing = case.framing;
    options.eof = case.eof;
    if let Some(max) = case.max_event_bytes {
        options.max_event_bytes = max;
    }
    let mut fast = Decoder::with_options(options.clone());
    options.templates = false;
    let mut plain = Decoder::with_options(options);
    let mut stats = Stats::default();
    for (at, stream) in case.streams.iter().enumerate() {
        if at > 0 {
            fast.reset();
            plain.reset();
        }
        run(&mut fast, &mut plain, stream, &case.cut)
            .map_err(|what| format!("stream {at}: {what}\n{}", case.show()))?;
        if plain.templated() != 0 {
            return Err("the decoder without templates has some".to_string());
        }
        stats.events += fast.events();
        stats.templated += fast.templated();
    }
    Ok(stats)
}

fn run(fast: &mut Decoder, plain: &mut Decoder, stream: &[u8], cut: &Cut) -> Result<(), String> {
    for chunk in chunks(stream, cut) {
        let (mut a, mut b) = (chunk, chunk);
        loop {
            let (x, y) = (fast.next(&mut a), plain.next(&mut b));
            if x != y {
                return Err(format!("with templates {x:?}, without {y:?}"));
            }
            let is_end = matches!(x, Ok(None));
            same(fast, plain)?;
            if a.len() != b.len() {
                return Err(format!("left of the chunk: {} and {}", a.len(), b.len()));
            }
            if is_end {
                break;
            }
        }
    }
    loop {
        let (x, y) = (fast.finish(), plain.finish());
        if x != y {
            return Err(format!("at the end: with templates {x:?}, without {y:?}"));
        }
        let is_end = matches!(x, Ok(None));
        same(fast, plain)?;
        if is_end {
            return Ok(());
        }
    }
}

fn same(fast: &Decoder, plain: &Decoder) -> Result<(), String> {
    let all = |d: &Decoder| (d.offset(), d.events(), d.comments(), d.end(), d.dialect());
    if all(fast) != all(plain) {
        return Err(format!(
            "offset, events, comments, end, dialect: with templates {:?}, without {:?}",
            all(fast),
            all(plain)
        ));
    }
    if fast.seen() != plain.seen() {
        return Err("what was seen beside the events".to_string());
    }
    Ok(())
}

fn chunks<'s>(stream: &'s [u8], cut: &Cut) -> Vec<&'s [u8]> {
    match cut {
        Cut::Whole => vec![stream],
        Cut::Events => events(stream),
        Cut::Size(size) => stream.chunks((*size).max(1)).collect(),
        Cut::Sizes(sizes) => {
            let mut rest = stream;
            let mut all = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() || sizes.iter().all(|size| *size == 0) {
                    break;
                }
                let (chunk, behind) = rest.split_at((*size).min(rest.len()));
                all.push(chunk);
                rest = behind;
            }
            all.push(rest);
            all
        }
    }
}

/// A stream's events, blank lines included; its lines where it is one of lines.
pub(crate) fn events(stream: &[u8]) -> Vec<&[u8]> {
    let is_lines = stream.starts_with(b"{");
    let mut all = Vec::new();
    let mut from = 0;
    for at in 0..stream.len() {
        let before = &stream[from..=at];
        let is_end = if is_lines {
            before.ends_with(b"\n")
        } else {
            before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")
        };
        if is_end {
            all.push(before);
            from = at + 1;
        }
    }
    if from < stream.len() {
        all.push(&stream[from..]);
    }
    all
}

/// Makes a failing case small: takes out streams, events and bytes while it still fails.
pub(crate) fn shrink(mut case: Case) -> Case {
    let fails = |case: &Case| compare(case).is_err();
    for at in (0..case.streams.len()).rev() {
        let mut smaller = case.clone();
        smaller.streams.remove(at);
        if fails(&smaller) {
            case = smaller;
        }
    }
    for cut in [Cut::Whole, Cut::Events] {
        let smaller = Case {
            cut,
            ..case.clone()
        };
        if fails(&smaller) {
            case = smaller;
            break;
        }
    }
    for at in 0..case.streams.len() {
        let mut n = 0;
        while n < events(&case.streams[at]).len() {
            let mut rest = events(&case.streams[at]);
            rest.remove(n);
            let mut smaller = case.clone();
            smaller.streams[at] = rest.concat();
            if fails(&smaller) {
                case = smaller;
            } else {
                n += 1;
            }
        }
        for size in [64, 16, 4, 1] {
            let mut from = 0;
            while from + size <= case.streams[at].len() {
                let mut smaller = case.clone();
                smaller.streams[at].drain(from..from + size);
                if fails(&smaller) {
                    case = smaller;
                } else {
                    from += 1;
                }
            }
        }
    }
    case
}

/// Decisions out of a string of bytes. Once it is used up, all of them are the first choice.
#[derive(Debug, Clone)]
pub(crate) struct Dice<'b> {
    bytes: &'b [u8],
}

impl<'b> Dice<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Dice { bytes }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.bytes.is_empty()
    }

    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        usize::from(*first)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let mut value = self.byte();
        if n > 256 {
            value = value << 8 | self.byte();
        }
        value % n.max(1)
    }

    /// True in one of `n` cases.
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 1
    }

    fn of<'a>(&mut self, list: &[&'a [u8]]) -> &'a [u8] {
        list[self.below(list.len())]
    }
}

/// JSON as it stands: members may come twice, scalars are their own text, valid or not.
#[derive(Debug, Clone, PartialEq)]
enum Json {
    Scalar(Vec<u8>),
    Object(Vec<(Vec<u8>, Json)>),
    Array(Vec<Json>),
}

impl Json {
    /// Reads what is JSON but for its scalars; keys keep their quotes.
    fn read(text: &[u8]) -> Option<Json> {
        let mut rest = text;
        let value = Self::value(&mut rest)?;
        rest.trim_ascii().is_empty().then_some(value)
    }

    fn value(rest: &mut &[u8]) -> Option<Json> {
        *rest = rest.trim_ascii_start();
        let list = |close: u8, rest: &mut &[u8]| {
            *rest = rest.trim_ascii_start();
            match rest.first()? {
                byte if *byte == close => *rest = &rest[1..],
                b',' => *rest = &rest[1..],
                _ => return Some(false),
            }
            Some(true)
        };
        match rest.first()? {
            b'{' => {
                *rest = &rest[1..];
                let mut members = Vec::new();
                loop {
                    *rest = rest.trim_ascii_start();
                    if rest.first()? == &b'}' {
                        *rest = &rest[1..];
                        return Some(Json::Object(members));
                    }
                    let Json::Scalar(key) = Self::value(rest)? else {
                        return None;
                    };
                    *rest = rest.trim_ascii_start().strip_prefix(b":")?;
                    members.push((key, Self::value(rest)?));
                    *rest = rest.trim_ascii_start();
                    if rest.first()? != &b'}' && !list(b',', rest)? {
                        return None;
                    }
                }
            }
            b'[' => {
                *rest = &rest[1..];
                let mut elements = Vec::new();
                loop {
                    *rest = rest.trim_ascii_start();
                    if rest.first()? == &b']' {
                        *rest = &rest[1..];
                        return Some(Json::Array(elements));
                    }
                    elements.push(Self::value(rest)?);
                    *rest = rest.trim_ascii_start();
                    if rest.first()? != &b']' && !list(b',', rest)? {
                        return None;
                    }
                }
            }
            b'"' => {
                let mut at = 1;
                while *rest.get(at)? != b'"' {
                    at += if rest[at] == b'\\' { 2 } else { 1 };
                }
                let (text, behind) = rest.split_at_checked(at + 1)?;
                *rest = behind;
                Some(Json::Scalar(text.to_vec()))
            }
            _ => {
                let is_end = |byte: &u8| b",:]} \t\r\n".contains(byte);
                let len = rest.iter().position(is_end).unwrap_or(rest.len());
                let (text, behind) = rest.split_at(len);
                *rest = behind;
                (len > 0).then(|| Json::Scalar(text.to_vec()))
            }
        }
    }

    /// Writes it; `space` says how many spaces come before each token.
    fn write(&self, out: &mut Vec<u8>, space: &mut impl FnMut() -> usize) {
        let mut put = |out: &mut Vec<u8>, token: &[u8]| {
            out.extend(core::iter::repeat_n(b' ', space()));
            out.extend_from_slice(token);
        };
        match self {
            Json::Scalar(text) => put(out, text),
            Json::Object(members) => {
                put(out, b"{");
                for (n, (key, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    out.extend(core::iter::repeat_n(b' ', space()));
                    out.extend_from_slice(key);
                    out.push(b':');
                    value.write(out, space);
                }
                out.extend(core::iter::repeat_n(b' ', space()));
                out.push(b'}');
            }
            Json::Array(elements) => {
                put(out, b"[");
                for (n, value) in elements.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    value.write(out, space);
                }
                out.extend(core::iter::repeat_n(b' ', space()));
                out.push(b']');
            }
        }
    }

    fn count(&self, wanted: &impl Fn(&Json) -> bool) -> usize {
        let inner: usize = match self {
            Json::Scalar(_) => 0,
            Json::Object(members) => members.iter().map(|(_, v)| v.count(wanted)).sum(),
            Json::Array(elements) => elements.iter().map(|v| v.count(wanted)).sum(),
        };
        inner + usize::from(wanted(self))
    }

    /// The `n`th of those that are wanted.
    fn nth(&mut self, n: &mut usize, wanted: &impl Fn(&Json) -> bool) -> Option<&mut Json> {
        if wanted(self) {
            if *n == 0 {
                return Some(self);
            }
            *n -= 1;
        }
        match self {
            Json::Scalar(_) => None,
            Json::Object(members) => members.iter_mut().find_map(|(_, v)| v.nth(n, wanted)),
            Json::Array(elements) => elements.iter_mut().find_map(|v| v.nth(n, wanted)),
        }
    }

    fn any(&mut self, dice: &mut Dice<'_>, wanted: impl Fn(&Json) -> bool) -> Option<&mut Json> {
        let count = self.count(&wanted);
        let mut n = dice.below(count);
        self.nth(&mut n, &wanted)
    }

    fn is_string(&self) -> bool {
        matches!(self, Json::Scalar(text) if text.starts_with(b"\""))
    }

    fn is_scalar(&self) -> bool {
        matches!(self, Json::Scalar(_))
    }
}

const STRINGS: &[&[u8]] = &[
    b"a",
    b"",
    b"Hello",
    b" ",
    b"  two  ",
    b"\\n",
    b"\\\"",
    b"\\\\",
    b"\\/\\b\\f\\r\\t",
    b"\\u00e9",
    b"\\ud83d\\ude00",
    b"\\ud83d",
    b"\\ude00",
    b"\\u0000",
    b"\xC3\xA9",
    b"\xF0\x9F\x98\x80",
    b"\xFF",
    b"\xC3",
    b"\x01",
    b"\x1F",
    b"\t",
    b"\x7F",
    b"12345678",
    b"1234567",
    b"123456789",
    b"\\",
    b"\\x",
    b"\\u12",
    b"\\uZZZZ",
    b"stop",
    b"length",
    b"tool_calls",
    b"end_turn",
    b"assistant",
    b"user",
    b"id-2",
    b"model-2",
    b"{}",
    b"{\\\"a\\\":1}",
    b"completed",
    b"failed",
    b"STOP",
    b"MAX_TOKENS",
    b"get_time",
    b"text_delta",
    b"thinking_delta",
    b"input_json_delta",
    b"error",
    b"data: x",
    b"l\\u0065ngth",
    b"[DONE]",
    b"a longer text of which nobody thinks, just for its length",
];

const NUMBERS: &[&[u8]] = &[
    b"0",
    b"1",
    b"2",
    b"7",
    b"10",
    b"-1",
    b"-0",
    b"1.5",
    b"1e5",
    b"1E+5",
    b"0.0",
    b"3.0",
    b"00",
    b"01",
    b"-",
    b"1.",
    b".5",
    b"1e",
    b"+1",
    b"9999999999999999999",
    b"18446744073709551615",
    b"18446744073709551616",
    b"99999999999999999999",
    b"123456789012345678901234567890",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"0.00000000000000000000000000000000000001",
    b"1234567890.12345678901234567890",
    b"NaN",
    b"Infinity",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"0e9999",
    b"1e-99999999999",
    b"123456789012345678901234567890.5e10",
];

const OTHERS: &[&[u8]] = &[
    b"null",
    b"true",
    b"false",
    b"{}",
    b"[]",
    b"{\"a\":\"\"}",
    b"{\"a\":1}",
    b"[1,\"x\"]",
    b"\"\"",
    b"{\"usage\":{\"prompt_tokens\":3}}",
    b"{\"content\":\"deep\"}",
    b"{\"error\":\"e\"}",
    b"[\"\"]",
    b"nul",
    b"tru",
];

const KEYS: &[&[u8]] = &[
    b"content",
    b"text",
    b"reasoning",
    b"reasoning_content",
    b"delta",
    b"index",
    b"id",
    b"model",
    b"role",
    b"usage",
    b"error",
    b"message",
    b"finish_reason",
    b"type",
    b"name",
    b"arguments",
    b"tool_calls",
    b"function",
    b"logprobs",
    b"obfuscation",
    b"x",
    b"",
    b"refusal",
    b"prompt_tokens",
    b"completion_tokens",
    b"total_tokens",
    b"cached_tokens",
    b"prompt_tokens_details",
    b"completion_tokens_details",
    b"reasoning_tokens",
    b"x_groq",
    b"time_info",
    b"object",
    b"choices",
    b"output_index",
    b"content_index",
    b"item",
    b"response",
    b"thinking",
    b"partial_json",
    b"stop_reason",
    b"done",
    b"done_reason",
    b"eval_count",
    b"special",
    b"token",
    b"details",
    b"generated_text",
    b"c\\u006fntent",
    b"created",
    b"\xFF",
    b"groundingMetadata",
    b"thought",
    b"thoughtSignature",
    b"tokens",
    b"input",
    b"status",
    b"completion",
    b"function_call",
    b"reasoning_details",
    b"data",
    b"signature",
    b"event",
    b"input_tokens",
    b"output_tokens",
];

fn string(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut text = dice.of(STRINGS).to_vec();
    if dice.one_in(6) {
        text.extend_from_slice(dice.of(STRINGS));
    }
    [&b"\""[..], &text[..], b"\""].concat()
}

fn key(dice: &mut Dice<'_>) -> Vec<u8> {
    [&b"\""[..], dice.of(KEYS), b"\""].concat()
}

fn value(dice: &mut Dice<'_>) -> Json {
    match dice.below(3) {
        0 => Json::Scalar(string(dice)),
        1 => Json::Scalar(dice.of(NUMBERS).to_vec()),
        _ => {
            let text = dice.of(OTHERS);
            Json::read(text).unwrap_or(Json::Scalar(text.to_vec()))
        }
    }
}

/// Another scalar of the same type in one place, mostly one that does no harm.
fn vary(json: &mut Json, dice: &mut Dice<'_>) {
    let is_plain = !dice.one_in(4);
    let Some(place) = json.any(dice, Json::is_scalar) else {
        return;
    };
    let is_string = place.is_string();
    if let Json::Scalar(text) = place {
        *text = match (text.first(), is_plain) {
            (Some(b'"'), true) if is_string => {
                let plain: &[&[u8]] = &[
                    b"\"b\"",
                    b"\"\"",
                    b"\"c d\"",
                    b"\"stop\"",
                    b"\"more text\"",
                    b"\"e\\n\"",
                ];
                dice.of(plain).to_vec()
            }
            (Some(b'"'), false) => string(dice),
            (Some(b'-' | b'0'..=b'9'), true) => dice.below(300).to_string().into_bytes(),
            (Some(b'-' | b'0'..=b'9'), false) => dice.of(NUMBERS).to_vec(),
            _ => return,
        };
    }
}

/// Another piece of text where there was one already.
fn vary_plainly(json: &mut Json, dice: &mut Dice<'_>) {
    let is_text = |json: &Json| {
        matches!(json, Json::Scalar(text) if text.starts_with(b"\"H")
        || text.starts_with(b"\"t_") || text == b"\"x\"" || text == b"\"ab\"")
    };
    if let Some(Json::Scalar(text)) = json.any(dice, is_text) {
        *text = format!("\"t_{}\"", "x".repeat(dice.below(20))).into_bytes();
    }
}

/// Another shape.
fn reshape(json: &mut Json, dice: &mut Dice<'_>) {
    match dice.below(8) {
        // A member more, one twice, one less, one under another name, two in another order.
        what @ 0..=4 => {
            let is_object = |json: &Json| matches!(json, Json::Object(_));
            let Some(Json::Object(members)) = json.any(dice, is_object) else {
                return;
            };
            let at = dice.below(members.len());
            match what {
                0 => members.insert(at.min(members.len()), (key(dice), value(dice))),
                1 if at < members.len() => {
                    let mut again = members[at].clone();
                    if dice.one_in(2) {
                        again.1 = value(dice);
                    }
                    let to = dice.below(members.len() + 1);
                    members.insert(to, again);
                }
                2 if at < members.len() => {
                    members.remove(at);
                }
                3 if at < members.len() => members[at].0 = key(dice),
                4 if at < members.len() => {
                    let other = dice.below(members.len());
                    members.swap(at, other);
                }
                _ => {}
            }
        }
        5 => {
            if let Some(place) = json.any(dice, |_| true) {
                *place = value(dice);
            }
        }
        6 => {
            // An object around it, or an element once more.
            if let Some(Json::Array(elements)) = json.any(dice, |j| matches!(j, Json::Array(_)))
                && let Some(first) = elements.first().cloned()
            {
                elements.push(first);
            }
        }
        _ => {
            if let Some(place) = json.any(dice, |_| true) {
                *place = Json::Object(vec![(key(dice), place.clone())]);
            }
        }
    }
}

/// A provider, and events of its in the order in which they may come.
struct Provider {
    dialect: Dialect,
    /// Event name, empty for none, and payload.
    events: &'static [(&'static str, &'static str)],
}

const PROVIDERS: &[Provider] = &[
    Provider {
        dialect: Dialect::OpenAiChat,
        events: &[
            (
                "",
                r#"{"id":"c","object":"chat.completion.chunk","created":17,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"obfuscation":"ab"}"#,
            ),
            (
                "",
                r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"completion_tokens_details":{"reasoning_tokens":2}}}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"reasoning_content":"th","reasoning":"th","content":""}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":""}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"x"}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"t","function":{"arguments":"y"}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"text":"old"},{"index":1,"delta":{"content":"two"}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"p"},{"type":"thinking","thinking":"q"}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"message":{"content":"whole"},"delta":{"content":"w"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":1},"cached_tokens":1}}"#,
            ),
            (
                "",
                r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"reasoning":"r","reasoning_details":[{"type":"t","text":"r","format":"u","index":0}]}}]}"#,
            ),
            ("", "[DONE]"),
        ],
    },
    Provider {
        dialect: Dialect::OpenAiCompletions,
        events: &[
            (
                "",
                r#"{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":null}]}"#,
            ),
            (
                "",
                r#"{"id":"c","choices":[{"text":"","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
            ),
            ("", "[DONE]"),
        ],
    },
    Provider {
        dialect: Dialect::OpenAiResponses,
        events: &[
            (
                "response.created",
                r#"{"type":"response.created","sequence_number":0,"response":{"id":"r","model":"m"}}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","sequence_number":4,"item_id":"i","output_index":0,"content_index":0,"delta":"ab","logprobs":[],"obfuscation":"xx"}"#,
            ),
            (
                "response.output_text.done",
                r#"{"type":"response.output_text.done","sequence_number":5,"output_index":0,"content_index":0,"text":"ab"}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"t","name":"f","arguments":""}}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","sequence_number":7,"output_index":1,"delta":"{}"}"#,
            ),
            (
                "response.function_call_arguments.done",
                r#"{"type":"response.function_call_arguments.done","output_index":1,"arguments":"{}"}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"message","content":[{"type":"output_text","text":"late"}]}}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"t","name":"f","arguments":"{}"}}"#,
            ),
            (
                "response.reasoning_summary_text.delta",
                r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"why"}"#,
            ),
            (
                "response.content_part.done",
                r#"{"type":"response.content_part.done","sequence_number":9,"part":{"text":"ab"}}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","status":"completed","usage":{"input_tokens":1}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Anthropic,
        events: &[
            (
                "message_start",
                r#"{"type":"message_start","message":{"id":"m","model":"c","role":"assistant","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}   }"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"},"p":"abc"}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"g","input":{}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_stop",
                r#"{"type":"content_block_stop","index":0}"#,
            ),
            ("ping", r#"{"type":"ping"}"#),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}"#,
            ),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
    },
    Provider {
        dialect: Dialect::Gemini,
        events: &[
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":4}]},"modelVersion":"g","responseId":"r"}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"th","thought":true}],"role":"model"}}],"usageMetadata":{"promptTokenCount":4,"thoughtsTokenCount":9}}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP"}]}"#,
            ),
            (
                "",
                r#"{"response":{"candidates":[{"content":{"parts":[{"text":"in"}]},"finishReason":"STOP","groundingMetadata":{"a":""}}]},"traceId":"t"}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::GeminiInteractions,
        events: &[
            (
                "content.delta",
                r#"{"event_type":"content.delta","index":0,"delta":{"type":"text","text":"Hi"}}"#,
            ),
            (
                "content.delta",
                r#"{"event_type":"content.delta","index":1,"delta":{"type":"function_call","id":"t","name":"f","arguments":"x"}}"#,
            ),
            (
                "interaction.complete",
                r#"{"event_type":"interaction.complete","interaction":{"id":"i","status":"completed","usage":{"total_tokens":5}}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Ollama,
        events: &[
            (
                "",
                r#"{"model":"l","created_at":"2024","message":{"role":"assistant","content":"Hi"},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"l","created_at":"2024","response":"Hi","thinking":"","done":false}"#,
            ),
            (
                "",
                r#"{"model":"l","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":9,"total_duration":55}"#,
            ),
            (
                "",
                r#"{"model":"l","response":"","done":true,"done_reason":"","eval_count":9}"#,
            ),
            (
                "",
                r#"{"model":"l","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Tgi,
        events: &[
            (
                "",
                r#"{"index":1,"token":{"id":5,"text":"Hi","logprob":-0.5,"special":false},"generated_text":null,"details":null}"#,
            ),
            (
                "",
                r#"{"index":9,"token":{"id":2,"text":"x","logprob":-1.5,"special":false},"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":20,"seed":null}}"#,
            ),
            (
                "",
                r#"{"index":9,"token":{"id":2,"text":"","special":true},"details":{"finish_reason":"","generated_tokens":20}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Cohere,
        events: &[
            (
                "message-start",
                r#"{"type":"message-start","id":"i","delta":{"message":{"role":"assistant"}}}"#,
            ),
            (
                "content-delta",
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}"#,
            ),
            (
                "tool-call-start",
                r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t","type":"function","function":{"name":"f","arguments":""}}}}}"#,
            ),
            (
                "tool-call-delta",
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
            ),
            (
                "tool-call-delta",
                r#"{"type":"tool-call-delta","delta":{"message":{"tool_calls":{"function":{"name":"f","arguments":"{}"}}}}}"#,
            ),
            (
                "message-end",
                r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1},"tokens":{"input_tokens":2,"output_tokens":3}}}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::OpenAiAssistants,
        events: &[
            (
                "thread.run.created",
                r#"{"id":"r","object":"thread.run","model":"m"}"#,
            ),
            (
                "thread.message.delta",
                r#"{"id":"x","object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"Hi"}}]}}"#,
            ),
            (
                "thread.run.step.delta",
                r#"{"delta":{"step_details":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"x"}}]}}}"#,
            ),
            (
                "thread.run.step.delta",
                r#"{"delta":{"step_details":{"tool_calls":[{"function":{"name":"f","arguments":"x"}}]}}}"#,
            ),
            ("done", "[DONE]"),
        ],
    },
    Provider {
        dialect: Dialect::Replicate,
        events: &[
            ("output", "Hi"),
            ("output", ""),
            ("output", " "),
            ("output", "   "),
            ("output", "{\"a\":1}"),
            ("done", "{}"),
        ],
    },
    Provider {
        dialect: Dialect::AnthropicComplete,
        events: &[
            (
                "completion",
                r#"{"type":"completion","id":"i","completion":"Hi","stop_reason":null,"model":"c","log_id":"i"}"#,
            ),
            (
                "completion",
                r#"{"type":"completion","id":"i","completion":"","stop_reason":"stop_sequence","model":"c"}"#,
            ),
            ("ping", r#"{"type":"ping"}"#),
        ],
    },
    Provider {
        dialect: Dialect::Watsonx,
        events: &[
            (
                "message",
                r#"{"model_id":"w","created_at":"2024","results":[{"generated_text":"Hi","generated_token_count":1,"input_token_count":0,"stop_reason":"not_finished"}]}"#,
            ),
            (
                "message",
                r#"{"model_id":"w","results":[{"generated_text":"","generated_token_count":9,"stop_reason":"eos_token"}]}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::LlamaCpp,
        events: &[
            (
                "",
                r#"{"index":0,"content":"Hi","tokens":[1],"stop":false,"id_slot":-1,"tokens_predicted":3,"tokens_evaluated":9}"#,
            ),
            (
                "",
                r#"{"index":0,"content":"x","stop":true,"model":"l","stop_type":"eos","tokens_predicted":3,"tokens_evaluated":9}"#,
            ),
            (
                "",
                r#"{"index":0,"content":"x","stop":true,"stop_type":"","stopped_limit":false,"tokens_predicted":3}"#,
            ),
        ],
    },
    // Frames of another framing, as lines.
    Provider {
        dialect: Dialect::Bedrock,
        events: &[
            ("chunk", r#"{"bytes":"eyAidGV4dCI6ImEifQ=="}"#),
            (
                "chunk",
                r#"{"choices":[{"index":0,"delta":{"content":"Hi"}}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":6}}"#,
            ),
            (
                "chunk",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#,
            ),
            ("messageStop", r#"{"stopReason":"end_turn"}"#),
        ],
    },
];

/// How an event is put on the wire.
#[derive(Debug, Clone)]
struct Dress {
    name: String,
    json: Option<Json>,
    text: Vec<u8>,
    /// Before the data line, behind it, and between the tokens.
    before: Vec<u8>,
    behind: Vec<u8>,
    after_colon: usize,
    trailing: usize,
    spaces: Vec<usize>,
    crlf: bool,
}

impl Dress {
    fn of(event: &(&str, &str)) -> Self {
        Dress {
            name: event.0.to_string(),
            json: Json::read(event.1.as_bytes()).filter(|json| !json.is_scalar()),
            text: event.1.as_bytes().to_vec(),
            before: Vec::new(),
            behind: Vec::new(),
            after_colon: 1,
            trailing: 0,
            spaces: Vec::new(),
            crlf: false,
        }
    }

    fn change(&mut self, dice: &mut Dice<'_>) {
        const LINES: &[&[u8]] = &[
            b"",
            b"id: 1\n",
            b"id:2\n",
            b": comment\n",
            b"retry: 5\n",
            b"event: x\n",
            b"event:x\n",
            b"event:  x\n",
            b"error: {}\n",
            b"data\n",
            b"data: \n",
            b"foo: bar\n",
            b"event: thread.message.delta\n",
            b"event:thread.message.delta\n",
        ];
        match dice.below(8) {
            0 => self.before = dice.of(LINES).to_vec(),
            1 => self.behind = dice.of(LINES).to_vec(),
            2 => self.after_colon = dice.below(4),
            3 => self.trailing = dice.below(4),
            4 => self.spaces = (0..dice.below(12)).map(|_| dice.below(4)).collect(),
            5 => self.crlf = !self.crlf,
            6 => self.name.clear(),
            _ => self.name = format!("{} ", self.name),
        }
    }

    fn wire(&self, is_lines: bool) -> Vec<u8> {
        let mut payload = Vec::new();
        match &self.json {
            Some(json) => {
                let mut spaces = self.spaces.iter().copied();
                json.write(&mut payload, &mut || spaces.next().unwrap_or(0));
            }
            None => payload.extend_from_slice(&self.text),
        }
        payload.extend(core::iter::repeat_n(b' ', self.trailing));
        let mut out = Vec::new();
        if !is_lines {
            if !self.name.is_empty() {
                out.extend_from_slice(format!("event: {}\n", self.name).as_bytes());
            }
            out.extend_from_slice(&self.before);
            out.extend_from_slice(b"data:");
            out.extend(core::iter::repeat_n(b' ', self.after_colon));
        }
        out.extend_from_slice(&payload);
        out.push(b'\n');
        if !is_lines {
            out.extend_from_slice(&self.behind);
            out.push(b'\n');
        }
        if self.crlf {
            let text = out.split(|byte| *byte == b'\n').collect::<Vec<_>>();
            out = text.join(&b"\r\n"[..]);
        }
        out
    }
}

/// A stream of a provider's events that repeats itself with variations.
fn stream(provider: &Provider, is_lines: bool, dice: &mut Dice<'_>, most: usize) -> Vec<u8> {
    let base = |dice: &mut Dice<'_>| Dress::of(&provider.events[dice.below(provider.events.len())]);
    let mut out = Vec::new();
    let mut current = base(dice);
    let mut other = base(dice);
    out.extend(current.wire(is_lines));
    for _ in 0..most {
        if dice.is_used_up() {
            break;
        }
        match dice.below(24) {
            0..=4 => {}
            5..=11 => {
                if let Some(json) = &mut current.json {
                    vary(json, dice);
                }
            }
            // Only this once.
            12 | 13 => {
                let mut once = current.clone();
                if let Some(json) = &mut once.json {
                    vary(json, dice);
                }
                out.extend(once.wire(is_lines));
                continue;
            }
            14 | 15 => {
                if let Some(json) = &mut current.json {
                    reshape(json, dice);
                }
            }
            16 => current.change(dice),
            17 | 18 => current = base(dice),
            19 | 20 => core::mem::swap(&mut current, &mut other),
            21 => {
                other = current.clone();
                if let Some(json) = &mut other.json {
                    vary(json, dice);
                }
            }
            22 => {
                let mut once = current.clone();
                once.change(dice);
                out.extend(once.wire(is_lines));
                continue;
            }
            _ => {
                let odd: &[&[u8]] = &[
                    b"\n",
                    b"data: [DONE]\n\n",
                    b"data:\n\n",
                    b"data: \n\n",
                    b": ping\n\n",
                    b"id: 9\n\n",
                    b"data: {\n\n",
                    b"\xEF\xBB\xBF",
                    b"\r",
                    b"\r\n",
                    b"retry: 1\n\n",
                    b"data\n\n",
                    b"{\"error\":\"e\"}\n",
                    b"data: {\"error\":{\"message\":\"m\"}}\n\n",
                ];
                out.extend_from_slice(dice.of(odd));
                continue;
            }
        }
        out.extend(current.wire(is_lines));
        // The same again, and again with another text.
        for _ in 0..dice.below(4) {
            if dice.one_in(2)
                && let Some(json) = &mut current.json
            {
                vary_plainly(json, dice);
            }
            out.extend(current.wire(is_lines));
        }
    }
    out
}

fn cut(dice: &mut Dice<'_>) -> Cut {
    match dice.below(8) {
        0..=2 => Cut::Whole,
        3 => Cut::Events,
        4 => Cut::Size(1 + dice.below(9)),
        5 => Cut::Size(16 + dice.below(240)),
        _ => Cut::Sizes((0..1 + dice.below(6)).map(|_| dice.below(700)).collect()),
    }
}

fn options(case: &mut Case, dice: &mut Dice<'_>) {
    if dice.one_in(4) {
        case.eof = Eof::Discard;
    }
    if dice.one_in(4) {
        let stream = &case.streams[0];
        let events = events(stream);
        if let Some(event) = events.get(dice.below(events.len())) {
            let less = dice.below(8);
            case.max_event_bytes = Some(event.len().saturating_sub(less));
        }
    }
}

/// Whose streams are generated, in the order of the first decision.
pub(crate) fn dialects() -> impl Iterator<Item = Dialect> {
    PROVIDERS.iter().map(|provider| provider.dialect)
}

/// Streams as a provider sends them, and as none should.
pub(crate) fn generated(dice: &mut Dice<'_>) -> Case {
    let provider = &PROVIDERS[dice.below(PROVIDERS.len())];
    let is_lines = (provider.dialect == Dialect::Ollama) != dice.one_in(32);
    let mut case = Case::of(b"", cut(dice));
    let is_told = provider.dialect == Dialect::Bedrock || dice.one_in(4);
    case.dialect = is_told.then_some(provider.dialect);
    if is_told {
        case.framing = Some(if is_lines {
            Framing::Ndjson
        } else {
            Framing::Sse
        });
    }
    case.streams[0] = stream(provider, is_lines, dice, 60);
    if dice.one_in(4) {
        case.streams.push(stream(provider, is_lines, dice, 20));
    }
    options(&mut case, dice);
    case
}

/// A stream made of recorded events that are changed, taken out, put elsewhere, or taken from
/// another stream of the same dialect.
pub(crate) fn mutated(recorded: &[u8], donor: &[u8], dice: &mut Dice<'_>) -> Case {
    let mut all: Vec<Vec<u8>> = events(recorded).into_iter().map(<[u8]>::to_vec).collect();
    let donors = events(donor);
    let start = dice.below(all.len());
    all.drain(..start.min(all.len().saturating_sub(40)));
    all.truncate(60);
    while !dice.is_used_up() && !all.is_empty() {
        let at = dice.below(all.len());
        let other = dice.below(all.len());
        match dice.below(14) {
            0 => {
                let byte = dice.below(all[at].len());
                if let Some(byte) = all[at].get_mut(byte) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            1 => {
                all.remove(at);
            }
            2 | 3 => {
                let again = all[at].clone();
                all.insert(other, again);
            }
            4 => all.swap(at, other),
            5 => {
                if let Some(event) = donors.get(dice.below(donors.len())) {
                    all.insert(at, event.to_vec());
                }
            }
            6 => {
                let from = dice.below(all[at].len());
                let to = (from + dice.below(4)).min(all[at].len());
                all[at].drain(from..to);
            }
            7 => {
                let from = dice.below(all[at].len() + 1);
                let what: &[&[u8]] = &[
                    b" ", b"  ", b"\n", b"\r\n", b"\r", b"\xFF", b"\x01", b"\"", b"\\", b"0",
                ];
                let what = dice.of(what);
                all[at].splice(from..from, what.iter().copied());
            }
            8 => {
                let text = all[at].split(|byte| *byte == b'\n').collect::<Vec<_>>();
                all[at] = text.join(&b"\r\n"[..]);
            }
            _ => {
                let event = &mut all[at];
                let Some(start) = event.iter().position(|byte| *byte == b'{') else {
                    continue;
                };
                let len = event[start..].iter().position(|byte| *byte == b'\n');
                let end = start + len.unwrap_or(event.len() - start);
                let Some(mut json) = Json::read(&event[start..end]) else {
                    continue;
                };
                if dice.one_in(3) {
                    reshape(&mut json, dice);
                } else {
                    vary(&mut json, dice);
                }
                let mut payload = Vec::new();
                json.write(&mut payload, &mut || 0);
                event.splice(start..end, payload);
                // Events repeat: so does what became of one.
                for _ in 0..dice.below(3) {
                    let again = all[at].clone();
                    all.insert(at, again);
                }
            }
        }
        if all.len() > 120 {
            break;
        }
    }
    let mut case = Case::of(&all.concat(), cut(dice));
    options(&mut case, dice);
    case
}

/// Whatever a fuzzer comes up with. `!` and then decisions for [`generated`]; else two characters,
/// how to cut and what the decoder is told, and the stream.
pub(crate) fn arbitrary(input: &[u8]) -> Case {
    let (how, what, stream) = match input {
        [b'!', rest @ ..] => return generated(&mut Dice::new(rest)),
        [how, what, stream @ ..] => (usize::from(*how), usize::from(*what), stream),
        _ => return Case::of(input, Cut::Whole),
    };
    let cut = match how % 8 {
        0 => Cut::Whole,
        1 => Cut::Events,
        2 => Cut::Size(1),
        3 => Cut::Size(7),
        4 => Cut::Size(64),
        5 => Cut::Sizes(vec![3, 100, 0, 41]),
        6 => Cut::Size(1024),
        _ => Cut::Sizes(vec![1000, 1]),
    };
    let mut case = Case::of(stream, cut);
    if how & 8 != 0 {
        case.eof = Eof::Discard;
    }
    if how & 64 != 0 {
        let events = events(stream);
        let first = events.first().map_or(0, |event| event.len());
        case.max_event_bytes = Some(first.saturating_sub(how >> 4 & 3));
    }
    let dialects = Dialect::ALL;
    case.dialect = dialects.get((what % 16).wrapping_sub(1)).copied();
    if case.dialect.is_some() {
        case.framing = match what / 16 % 4 {
            0 => None,
            1 => Some(Framing::Ndjson),
            _ => Some(Framing::Sse),
        };
    }
    case
}

/// JSON that says something else: other scalars, members added, doubled, dropped and renamed.
pub(crate) fn changed(text: &[u8], dice: &mut Dice<'_>) -> Vec<u8> {
    let Some(mut json) = Json::read(text) else {
        return text.to_vec();
    };
    for _ in 0..12 {
        if dice.is_used_up() {
            break;
        }
        match dice.one_in(3) {
            true => reshape(&mut json, dice),
            false => vary(&mut json, dice),
        }
    }
    let mut out = Vec::new();
    json.write(&mut out, &mut || 0);
    out
}
