//! JSON text taken apart and written anew, every scalar as it was.

/// A value; scalars and keys are the text's own bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json<'j> {
    Scalar(&'j [u8]),
    Array(Vec<Json<'j>>),
    Object(Vec<(&'j [u8], Json<'j>)>),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The last member first.
    Reversed,
    /// White space wherever JSON allows it.
    Spaced,
    /// Members that no provider sends, in front and behind.
    Grown,
    /// The members in order of their names: equal for equal values.
    Sorted,
    /// White space wherever JSON allows it, but none that ends a line.
    Blank,
    /// Every character of a string that is none of an escape's as an escape.
    Escaped,
}

/// Members of values that are the model's own, to which nothing may be added.
const ARGUMENTS: [&[u8]; 3] = [b"\"args\"", b"\"arguments\"", b"\"input\""];

/// Names that mean something elsewhere mean nothing further inside.
const UNKNOWN: &[u8] = br#"{"type":"message_stop","error":{"message":"no"},"choices":[{"delta":{"content":"no"}}],"done":true,"text":"no","usage":{"output_tokens":7}}"#;

impl<'j> Json<'j> {
    /// Takes a text apart; `None` where it is not JSON in outline.
    pub fn read(text: &'j [u8]) -> Option<Json<'j>> {
        let mut rest = text;
        let value = value(&mut rest)?;
        skip_space(&mut rest);
        rest.is_empty().then_some(value)
    }

    pub fn is_object(&self) -> bool {
        matches!(self, Json::Object(_))
    }

    /// Whether an object has a key twice, so that the order of its members means something.
    pub fn has_twins(&self) -> bool {
        match self {
            Json::Scalar(_) => false,
            Json::Array(elements) => elements.iter().any(Json::has_twins),
            Json::Object(members) => members.iter().enumerate().any(|(at, (key, value))| {
                value.has_twins() || members[..at].iter().any(|(other, _)| other == key)
            }),
        }
    }

    pub fn write(&self, style: Style) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(style, &mut out);
        out
    }

    fn write_to(&self, style: Style, out: &mut Vec<u8>) {
        let space: &[u8] = match style {
            Style::Spaced | Style::Blank => b" \t",
            _ => b"",
        };
        match self {
            Json::Scalar(text) => scalar(text, style, out),
            Json::Array(elements) => {
                out.push(b'[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(space);
                    element.write_to(style, out);
                    out.extend_from_slice(space);
                }
                out.push(b']');
            }
            Json::Object(members) => {
                let mut members: Vec<&(&[u8], Json<'_>)> = members.iter().collect();
                match style {
                    Style::Reversed => members.reverse(),
                    Style::Sorted => members.sort(),
                    Style::Spaced | Style::Grown | Style::Blank | Style::Escaped => {}
                }
                let is_grown = style == Style::Grown && !members.is_empty();
                out.push(b'{');
                if is_grown {
                    out.extend_from_slice(b"\"x_first\":");
                    out.extend_from_slice(UNKNOWN);
                    out.push(b',');
                }
                for (at, (key, value)) in members.into_iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(space);
                    scalar(key, style, out);
                    out.extend_from_slice(space);
                    out.push(b':');
                    out.extend_from_slice(space);
                    let is_model = ARGUMENTS.contains(key);
                    match style {
                        Style::Grown if is_model => value.write_to(Style::Spaced, out),
                        style => value.write_to(style, out),
                    }
                    out.extend_from_slice(space);
                }
                if is_grown {
                    out.extend_from_slice(b",\"x_last\":");
                    out.extend_from_slice(UNKNOWN);
                }
                out.push(b'}');
            }
        }
    }
}

/// Writes a scalar or a key.
fn scalar(text: &[u8], style: Style, out: &mut Vec<u8>) {
    let inner = text
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""));
    let inner = inner.and_then(|inner| std::str::from_utf8(inner).ok());
    let Some(inner) = inner.filter(|_| style == Style::Escaped) else {
        out.extend_from_slice(text);
        return;
    };
    out.push(b'"');
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char == '\\' {
            out.push(b'\\');
            out.extend(
                chars
                    .next()
                    .map(|char| char.to_string())
                    .unwrap_or_default()
                    .bytes(),
            );
            // Digits of an escape stay what they are.
            if out.ends_with(b"\\u") {
                out.extend(chars.by_ref().take(4).collect::<String>().bytes());
            }
        } else if char < ' ' {
            // Which no string may have.
            out.push(char as u8);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                out.extend(format!("\\u{unit:04X}").bytes());
            }
        }
    }
    out.push(b'"');
}

fn skip_space(rest: &mut &[u8]) {
    while let [b' ' | b'\t' | b'\n' | b'\r', behind @ ..] = *rest {
        *rest = behind;
    }
}

/// Takes `len` bytes off the front.
fn take<'j>(rest: &mut &'j [u8], len: usize) -> Option<&'j [u8]> {
    let (front, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(front)
}

fn value<'j>(rest: &mut &'j [u8]) -> Option<Json<'j>> {
    skip_space(rest);
    match rest.first()? {
        b'{' => {
            let mut members = Vec::new();
            list(rest, b'}', |rest| {
                let key = string(rest)?;
                skip_space(rest);
                take(rest, 1).filter(|colon| *colon == b":")?;
                members.push((key, value(rest)?));
                Some(())
            })?;
            Some(Json::Object(members))
        }
        b'[' => {
            let mut elements = Vec::new();
            list(rest, b']', |rest| {
                elements.push(value(rest)?);
                Some(())
            })?;
            Some(Json::Array(elements))
        }
        b'"' => string(rest).map(Json::Scalar),
        _ => {
            let is_end = |byte: &u8| b",]} \t\n\r".contains(byte);
            let len = rest.iter().position(is_end).unwrap_or(rest.len());
            take(rest, len)
                .filter(|text| !text.is_empty())
                .map(Json::Scalar)
        }
    }
}

/// What stands between brackets, separated by commas.
fn list<'j>(
    rest: &mut &'j [u8],
    end: u8,
    mut item: impl FnMut(&mut &'j [u8]) -> Option<()>,
) -> Option<()> {
    take(rest, 1)?;
    skip_space(rest);
    if rest.first() == Some(&end) {
        take(rest, 1)?;
        return Some(());
    }
    loop {
        skip_space(rest);
        item(rest)?;
        skip_space(rest);
        match take(rest, 1)? {
            b"," => {}
            other => return (other == [end]).then_some(()),
        }
    }
}

/// A string with its quotes.
fn string<'j>(rest: &mut &'j [u8]) -> Option<&'j [u8]> {
    if rest.first() != Some(&b'"') {
        return None;
    }
    let mut len = 1;
    loop {
        match rest.get(len)? {
            b'"' => return take(rest, len + 1),
            b'\\' => len += 2,
            _ => len += 1,
        }
    }
}
