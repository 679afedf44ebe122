//! The recorded streams, which lie beside the project: cut in every way, and cut short.
//!
//! What the streams say is checked against their known outcome by `check_corpus.py` beside them.

use deltawire::frame::{Item, sse};
use deltawire::{Delta, Dialect, End};
use deltawire_test_support::decoding::{Recording, decode, decoder, line, pieces, recordings};

#[test]
fn no_cutting_of_a_recording_changes_its_deltas() {
    let Some(recordings) = recordings() else {
        return;
    };
    let (mut cuttings, mut misnamed) = (0, 0);
    for recording in &recordings {
        let body = &recording.body[..];
        let told = decode(&mut decoder(Some(recording.dialect)), [body]);
        let mut recognising = decoder(None);
        let whole = decode(&mut recognising, [body]);
        if recognising.dialect() == Some(recording.dialect) {
            assert_eq!(whole.lines, told.lines, "{}: recognised", recording.name);
        } else {
            // Nothing in it says what it is, or it is none of what its path promised.
            misnamed += usize::from(recognising.dialect().is_some());
        }
        for size in [1, 7, 64, 4096] {
            recognising.reset();
            let cut = decode(&mut recognising, body.chunks(size));
            assert_eq!(cut, whole, "{} in pieces of {size}", recording.name);
            cuttings += 1;
        }
        if let Some(reads) = &recording.reads {
            recognising.reset();
            let cut = decode(&mut recognising, pieces(body, reads.iter().copied()));
            assert_eq!(cut, whole, "{} as it was read", recording.name);
            cuttings += 1;
        }
    }
    println!("{} recordings, {cuttings} cuttings", recordings.len());
    // One body of Anthropic's events behind the path of chat completions.
    assert!(misnamed <= 1, "{misnamed} taken for another dialect");
}

/// Each delta with the offset at which the decoder stood when it gave it, in the whole stream.
fn deltas_and_ends(recording: &Recording) -> Vec<(String, u64)> {
    let mut decoder = decoder(None);
    let mut found = Vec::new();
    let mut input = &recording.body[..];
    loop {
        match decoder.next(&mut input) {
            Some(delta) => {
                let line = line(&delta);
                found.push((line, decoder.offset()));
            }
            None => return found,
        }
    }
}

#[test]
fn every_delta_comes_with_the_read_that_completed_its_event() {
    let Some(recordings) = recordings() else {
        return;
    };
    let mut checked = 0;
    for recording in &recordings {
        let Some(reads) = &recording.reads else {
            continue;
        };
        let mut expected = deltas_and_ends(recording).into_iter().peekable();
        let mut decoder = decoder(None);
        let mut offset = 0;
        for piece in pieces(&recording.body, reads.iter().copied()) {
            let mut given = Vec::new();
            let mut input = piece;
            while let Some(delta) = decoder.next(&mut input) {
                given.push(line(&delta));
            }
            offset += piece.len() as u64;
            let due: Vec<String> =
                std::iter::from_fn(|| expected.next_if(|(_, end)| *end <= offset))
                    .map(|(line, _)| line)
                    .collect();
            assert_eq!(given, due, "{} up to byte {offset}", recording.name);
            checked += given.len();
        }
        assert_eq!(expected.next(), None, "{}", recording.name);
    }
    println!("{checked} deltas");
    assert!(checked > 5_000, "recordings with the sizes of their reads");
}

/// Where the events of a stream end.
fn boundaries(body: &[u8]) -> Vec<usize> {
    let mut parser = sse::Parser::new();
    let mut input = body;
    let mut ends = vec![0];
    while let Some(item) = parser.next(&mut input).expect("small events") {
        if let Item::Event(event) = item {
            let end = event.offset + event.raw.len() as u64;
            ends.push(usize::try_from(end).expect("a small file"));
        }
    }
    ends
}

#[test]
fn a_recording_cut_between_two_events_never_looks_whole() {
    let Some(recordings) = recordings() else {
        return;
    };
    let (mut cuts, mut without_terminator) = (0, 0);
    let is_openai =
        |it: &&Recording| matches!(it.dialect, Dialect::OpenAiChat | Dialect::OpenAiCompletions);
    for recording in recordings.iter().filter(is_openai) {
        let name = &recording.name;
        let ends = boundaries(&recording.body);
        let mut decoder = decoder(Some(recording.dialect));
        let mut looks_whole = None;
        for (&start, &end) in ends.iter().zip(&ends[1..]) {
            let mut input = &recording.body[start..end];
            let (mut done, mut news) = (false, false);
            loop {
                match decoder.next(&mut input) {
                    Some(Delta::Done) => done = true,
                    // Without a terminator the finish is the end, and counts may come behind it.
                    Some(Delta::Usage(_)) => {}
                    Some(_) => news = true,
                    None => break,
                }
            }
            assert!(
                looks_whole.is_none() || (!done && !news),
                "{name}: looked whole at byte {looks_whole:?}, but more came up to byte {end}"
            );
            if done {
                // What comes behind the terminator is not missed.
                assert_eq!(decoder.end(), End::Complete, "{name}");
                break;
            }
            if decoder.end() == End::Complete {
                looks_whole.get_or_insert(end);
            }
            cuts += 1;
        }
        without_terminator += usize::from(looks_whole.is_some());
    }
    println!("{cuts} cuts; {without_terminator} recordings without a terminator");
    assert!(without_terminator > 0, "some senders have none");
}
