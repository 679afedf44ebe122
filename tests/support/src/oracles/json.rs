//! The decoder against a plain reading of the same events with serde_json.
//!
//! The input is what `twin::arbitrary` takes. Streams of five dialects are compared, delta by delta,
//! where serde_json reads every event; the decoder is told the dialect, and reads the stream as a whole
//! and in the pieces that the case says. See `plain.rs` for what is read, `heard.rs` for what is compared.

use super::heard::Heard;
use super::plain;
use crate::twin;
use deltawire::{Decoder, Options};

pub fn check(input: &[u8]) {
    compare(input);
}

/// How many streams were compared.
pub fn compare(input: &[u8]) -> usize {
    let case = twin::arbitrary(input);
    let mut compared = 0;
    for body in &case.streams {
        let dialect = case.dialect.or_else(|| recognised(body));
        let Some(dialect) = dialect.filter(|it| plain::DIALECTS.contains(it)) else {
            continue;
        };
        let framing = case.framing.unwrap_or(dialect.framing());
        let Some(expected) = plain::read(body, dialect, framing, case.eof) else {
            continue;
        };
        let mut options = Options::default();
        options.dialect = Some(dialect);
        options.framing = Some(framing);
        options.eof = case.eof;
        for templates in [true, false] {
            options.templates = templates;
            let heard = heard(Decoder::with_options(options.clone()), body);
            assert_eq!(heard, expected, "{dialect}: {}", body.escape_ascii());
        }
        compared += 1;
    }
    compared
}

fn recognised(body: &[u8]) -> Option<deltawire::Dialect> {
    let mut decoder = Decoder::new();
    let mut input = body;
    while decoder.dialect().is_none() && decoder.next(&mut input).is_some() {}
    decoder.dialect()
}

fn heard(mut decoder: Decoder, body: &[u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    let mut input = body;
    while let Some(delta) = decoder.next(&mut input) {
        heard.extend(Heard::of(&delta));
    }
    while let Some(delta) = decoder.finish() {
        heard.extend(Heard::of(&delta));
    }
    heard
}
