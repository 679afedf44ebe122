//! JSON that is made and changed: its values, and the strings, numbers and keys that are traps.

use super::dice::Dice;

/// JSON as it stands: members may come twice, scalars are their own text, valid or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Scalar(Vec<u8>),
    Object(Vec<(Vec<u8>, Json)>),
    Array(Vec<Json>),
}

impl Json {
    /// Reads what is JSON but for its scalars; keys keep their quotes.
    pub(super) fn read(text: &[u8]) -> Option<Json> {
        let mut rest = text;
        let value = Self::value(&mut rest)?;
        rest.trim_ascii().is_empty().then_some(value)
    }

    pub(super) fn value(rest: &mut &[u8]) -> Option<Json> {
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
    pub(super) fn write(&self, out: &mut Vec<u8>, space: &mut impl FnMut() -> usize) {
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

    pub(super) fn any(
        &mut self,
        dice: &mut Dice<'_>,
        wanted: impl Fn(&Json) -> bool,
    ) -> Option<&mut Json> {
        let count = self.count(&wanted);
        let mut n = dice.below(count);
        self.nth(&mut n, &wanted)
    }

    fn is_string(&self) -> bool {
        matches!(self, Json::Scalar(text) if text.starts_with(b"\""))
    }

    pub(super) fn is_scalar(&self) -> bool {
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

pub(super) fn string(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut text = dice.of(STRINGS).to_vec();
    if dice.one_in(6) {
        text.extend_from_slice(dice.of(STRINGS));
    }
    [&b"\""[..], &text[..], b"\""].concat()
}

pub(super) fn key(dice: &mut Dice<'_>) -> Vec<u8> {
    [&b"\""[..], dice.of(KEYS), b"\""].concat()
}

pub(super) fn value(dice: &mut Dice<'_>) -> Json {
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
pub(super) fn vary(json: &mut Json, dice: &mut Dice<'_>) {
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
pub(super) fn vary_plainly(json: &mut Json, dice: &mut Dice<'_>) {
    let is_text = |json: &Json| {
        matches!(json, Json::Scalar(text) if text.starts_with(b"\"H")
        || text.starts_with(b"\"t_") || text == b"\"x\"" || text == b"\"ab\"")
    };
    if let Some(Json::Scalar(text)) = json.any(dice, is_text) {
        *text = format!("\"t_{}\"", "x".repeat(dice.below(20))).into_bytes();
    }
}

/// Another shape.
pub(super) fn reshape(json: &mut Json, dice: &mut Dice<'_>) {
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
