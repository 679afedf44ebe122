//! Each delta comes with the byte that completes its event, and so with the read that brings it.
//!
//! Over the recorded streams, whatever their dialect, in the reads off the network that the recorder
//! kept. Where an event ends is found without the parsers, by the letter of each framing.

use deltawire::{Decoder, Delta, Dialect};
use deltawire_test_support::decoding::{decoder, line, pieces, recordings};

/// Feeds a piece and returns its deltas.
fn feed(decoder: &mut Decoder, piece: &[u8]) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut input = piece;
    loop {
        match decoder.next(&mut input) {
            Some(delta) => found.push((line(&delta), matches!(delta, Delta::Error(_)))),
            None => return found,
        }
    }
}

/// The ends of all lines in a body that are blank, and of all others: `true` for a blank one. A CR
/// ends a line at once, and a LF behind it is no line of its own.
fn line_ends(body: &[u8]) -> Vec<(usize, bool)> {
    let mut ends = Vec::new();
    let mut is_blank = true;
    let mut was_cr = false;
    for (at, byte) in body.iter().enumerate() {
        match byte {
            b'\n' if was_cr => {}
            b'\n' | b'\r' => {
                ends.push((at + 1, is_blank));
                is_blank = true;
            }
            _ => is_blank = false,
        }
        was_cr = *byte == b'\r';
    }
    ends
}

/// The ends of AWS frames, each of which begins with its length.
fn frame_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = body.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        at += usize::try_from(u32::from_be_bytes(*length)).expect("a small frame");
        ends.push(at);
    }
    ends
}

#[test]
fn every_delta_comes_with_the_byte_that_completes_its_event() {
    let Some(recordings) = recordings() else {
        return;
    };
    let mut deltas = 0;
    for recording in &recordings {
        let name = &recording.name;
        let body = &recording.body[..];
        let blank: Vec<usize>;
        let mut lines = Vec::new();
        match recording.dialect {
            Dialect::Bedrock => blank = frame_ends(body),
            Dialect::Ollama => blank = line_ends(body).into_iter().map(|(at, _)| at).collect(),
            _ => {
                lines = line_ends(body);
                let ends = lines.iter().filter(|(_, is_blank)| *is_blank);
                blank = ends.map(|(at, _)| *at).collect();
            }
        }
        let mut decoder = decoder(Some(recording.dialect));
        for (at, _) in body.iter().enumerate() {
            for (line, is_error) in feed(&mut decoder, &body[at..=at]) {
                // A field that reports an error does so at the end of its line.
                let is_due = blank.binary_search(&(at + 1)).is_ok()
                    || (is_error && lines.iter().any(|(end, _)| *end == at + 1));
                assert!(is_due, "{name}: at byte {at}: {line}");
                deltas += 1;
            }
        }
    }
    println!("{deltas} deltas of {} recordings", recordings.len());
    assert!(deltas > 20_000);
}

#[test]
fn every_delta_comes_with_the_read_that_brings_its_last_byte() {
    let Some(recordings) = recordings() else {
        return;
    };
    let (mut reads, mut deltas) = (0, 0);
    for recording in &recordings {
        let Some(sizes) = &recording.reads else {
            continue;
        };
        let body = &recording.body[..];
        // When each delta is due, as one who is fed byte by byte is told.
        let mut slow = decoder(Some(recording.dialect));
        let mut due = Vec::new();
        for (at, _) in body.iter().enumerate() {
            let news = feed(&mut slow, &body[at..=at]);
            due.extend(news.into_iter().map(|(line, _)| (at, line)));
        }
        let mut due = due.into_iter().peekable();
        let mut decoder = decoder(Some(recording.dialect));
        let mut end = 0;
        for piece in pieces(body, sizes.iter().copied()) {
            end += piece.len();
            let given: Vec<String> = feed(&mut decoder, piece)
                .into_iter()
                .map(|(line, _)| line)
                .collect();
            let expected: Vec<String> = std::iter::from_fn(|| due.next_if(|(at, _)| *at < end))
                .map(|(_, line)| line)
                .collect();
            assert_eq!(given, expected, "{} up to byte {end}", recording.name);
            reads += 1;
            deltas += given.len();
        }
        assert_eq!(due.next(), None, "{}", recording.name);
    }
    println!("{deltas} deltas in {reads} reads");
    assert!(reads > 4_000);
}

#[test]
fn no_size_of_pieces_changes_the_deltas_of_a_recording() {
    let Some(recordings) = recordings() else {
        return;
    };
    for recording in &recordings {
        let body = &recording.body[..];
        let mut told = decoder(Some(recording.dialect));
        let mut whole = feed(&mut told, body);
        whole.extend(rest(&mut told));
        for size in [1, 7, 64, 4096] {
            told.reset();
            let mut cut = Vec::new();
            for piece in body.chunks(size) {
                cut.extend(feed(&mut told, piece));
            }
            cut.extend(rest(&mut told));
            assert_eq!(cut, whole, "{} in pieces of {size}", recording.name);
        }
    }
}

/// What the end of the stream brings.
fn rest(decoder: &mut Decoder) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    loop {
        match decoder.finish() {
            Some(delta) => found.push((line(&delta), matches!(delta, Delta::Error(_)))),
            None => return found,
        }
    }
}
