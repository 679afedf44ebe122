//! The result does not depend on how the stream is cut: items, bytes, offsets, errors and limits. One
//! long file, since all of it asks the same two parsers.

use deltawire::frame::{Carry, Eof, Fixed, ndjson, sse};
use deltawire_test_support::framing::{Seen, cut, cuttings, every, feed, run};
use deltawire_test_support::naive::{self, Setup};
use deltawire_test_support::random::{cases, cut_stream, stream};
use proptest::prelude::*;

fn outcome(stream: &[u8], setup: &Setup<'_>) -> naive::Outcome {
    let naive = naive::parse(stream, setup);
    assert_eq!(naive.seen.len(), naive.complete_at.len());
    naive
}

/// Runs the parser as `setup` says over the cut stream: what it saw and the last event ID.
fn parse(stream: &[u8], setup: &Setup<'_>) -> (Vec<Seen>, Vec<u8>) {
    fn go<C: Carry>(
        mut parser: sse::Parser<C>,
        stream: &[u8],
        setup: &Setup<'_>,
    ) -> (Vec<Seen>, Vec<u8>) {
        parser.set_max_event_bytes(setup.max_event_bytes);
        assert!(parser.set_last_event_id(setup.last_event_id));
        let seen = run(&mut parser, cut(stream, setup.cuts), setup.eof);
        assert_eq!(parser.offset(), stream.len() as u64);
        (seen, parser.last_event_id().to_vec())
    }
    match setup.memory {
        None => go(sse::Parser::new(), stream, setup),
        Some(len) => go(sse::Parser::in_memory(&mut vec![0; len]), stream, setup),
    }
}

fn agrees(stream: &[u8], setup: &Setup<'_>) {
    let naive = outcome(stream, setup);
    let (seen, last_event_id) = parse(stream, setup);
    let text = || {
        format!(
            "{} cut at {:?}, limit {}, memory {:?}",
            stream.escape_ascii(),
            setup.cuts,
            setup.max_event_bytes,
            setup.memory
        )
    };
    assert_eq!(seen, naive.seen, "{}", text());
    assert_eq!(last_event_id, naive.last_event_id, "{}", text());
}

fn any_eof() -> impl Strategy<Value = Eof> {
    prop_oneof![Just(Eof::Discard), Just(Eof::Flush)]
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn any_cutting_gives_the_items_of_the_standard((stream, cuts) in cut_stream(), eof in any_eof()) {
        agrees(&stream, &Setup { cuts: &cuts, eof, ..Setup::default() });
    }

    #[test]
    fn every_piece_size_gives_the_items_of_the_standard(stream in stream(), size in 1usize..=64, eof in any_eof()) {
        agrees(&stream, &Setup { cuts: &every(stream.len(), size), eof, ..Setup::default() });
    }

    #[test]
    fn any_cutting_breaks_the_same_event_limit_at_the_same_offset(
        (stream, cuts) in cut_stream(), max_event_bytes in 0usize..=64, eof in any_eof(),
    ) {
        agrees(&stream, &Setup { max_event_bytes, eof, cuts: &cuts, ..Setup::default() });
    }

    #[test]
    fn any_cutting_fills_the_same_fixed_memory_at_the_same_offset(
        (stream, cuts) in cut_stream(), memory in 0usize..=80, eof in any_eof(),
    ) {
        agrees(&stream, &Setup { memory: Some(memory), eof, cuts: &cuts, ..Setup::default() });
    }

    #[test]
    fn any_cutting_meets_limit_and_memory_and_seed_alike(
        (stream, cuts) in cut_stream(), memory in 8usize..=80, max_event_bytes in 0usize..=64, eof in any_eof(),
    ) {
        let last_event_id = b"seed-7";
        agrees(&stream, &Setup { memory: Some(memory), max_event_bytes, eof, cuts: &cuts, last_event_id });
    }

    #[test]
    fn a_limit_only_takes_items_away_and_never_changes_one(
        (stream, cuts) in cut_stream(), max_event_bytes in 0usize..=64,
    ) {
        let free = parse(&stream, &Setup { cuts: &cuts, ..Setup::default() }).0;
        let limited = parse(&stream, &Setup { cuts: &cuts, max_event_bytes, ..Setup::default() }).0;
        // An ID line longer than the limit is lost with its event, so IDs are compared where none is.
        let value = |seen: &Seen| match seen.clone().without_raw() {
            Seen::Event { event, data, offset, .. } => Seen::Event { event, data, id: vec![], raw: vec![], offset },
            other => other,
        };
        let mut free = free.iter().map(value);
        for one in limited.iter().filter(|one| !one.is_error()).map(value) {
            prop_assert!(free.any(|other| other == one), "{one:?} is new or out of order");
        }
    }

    #[test]
    fn each_item_comes_with_the_byte_that_completes_it(stream in stream()) {
        let naive = outcome(&stream, &Setup { cuts: &every(stream.len(), 1), ..Setup::default() });
        let mut parser = sse::Parser::new();
        let mut seen = Vec::new();
        for (at, byte) in stream.chunks(1).enumerate() {
            seen.extend(feed(&mut parser, [byte]));
            let complete = naive.complete_at.iter().filter(|end| **end <= at + 1).count();
            prop_assert_eq!(seen.len(), complete, "after byte {} of {}", at, stream.escape_ascii());
        }
        prop_assert_eq!(seen, naive.seen);
    }

    #[test]
    fn every_raw_piece_stands_in_the_stream_at_its_offset((stream, cuts) in cut_stream()) {
        let (seen, _) = parse(&stream, &Setup { cuts: &cuts, ..Setup::default() });
        for one in seen {
            let (offset, is_block) = match &one {
                Seen::Comment { offset, .. } | Seen::Retry { offset, .. } | Seen::Field { offset, .. } => (*offset, false),
                Seen::Event { offset, .. } | Seen::Blank { offset, .. } => (*offset, true),
                error => panic!("{error:?} without a limit"),
            };
            let rest = &stream[offset as usize..];
            // A block is in one piece only where no comment, retry or unknown line stands in it.
            prop_assert!(is_block || rest.starts_with(one.raw()));
            prop_assert!(is_subsequence(one.raw(), rest));
        }
    }

    #[test]
    fn raw_joined_is_the_stream_where_blocks_are_pure_and_no_line_end_is_cut(
        (stream, cuts) in cut_stream(), eof in any_eof(),
    ) {
        let stream = pure(&stream);
        prop_assume!(pure(&stream) == stream);
        let cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(stream.len())).filter(|at| {
            !(stream[..*at].ends_with(b"\r") && stream[*at..].starts_with(b"\n"))
        }).collect();
        let (seen, _) = parse(&stream, &Setup { cuts: &cuts, eof, ..Setup::default() });
        let joined: Vec<u8> = seen.iter().flat_map(|one| one.raw().to_vec()).collect();
        let body = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&stream);
        if eof == Eof::Flush {
            prop_assert_eq!(joined.escape_ascii().to_string(), body.escape_ascii().to_string());
        } else {
            prop_assert!(body.starts_with(&joined));
        }
    }

    #[test]
    fn raw_joined_has_the_bytes_of_every_line_whatever_the_cutting((stream, cuts) in cut_stream()) {
        // Each line is in exactly one item, so only the order of lines and the LF behind a cut CR
        // can differ from the stream.
        let (seen, _) = parse(&stream, &Setup { cuts: &cuts, eof: Eof::Flush, ..Setup::default() });
        let joined: Vec<u8> = seen.iter().flat_map(|one| one.raw().to_vec()).collect();
        let body = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&stream);
        let sorted = |bytes: &[u8]| {
            let mut bytes: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\n').collect();
            bytes.sort_unstable();
            bytes
        };
        prop_assert_eq!(sorted(&joined), sorted(body));
        let lost = body.len() - joined.len();
        let cut_line_ends = cuts.iter().filter(|at| stream[..**at].ends_with(b"\r") && stream[**at..].starts_with(b"\n"));
        prop_assert!(lost <= cut_line_ends.count());
    }

    #[test]
    fn lines_of_json_are_the_same_in_any_cutting(
        (stream, cuts) in cut_stream(), max in 0usize..=64, memory in proptest::option::of(0usize..=64), eof in any_eof(),
    ) {
        let go = |cuts: &[usize]| {
            let mut bytes = vec![0; memory.unwrap_or(0)];
            match memory {
                None => {
                    let mut parser = ndjson::Parser::new();
                    parser.set_max_event_bytes(max);
                    run(&mut parser, cut(&stream, cuts), eof)
                }
                Some(_) => {
                    let mut parser = ndjson::Parser::in_memory(&mut bytes);
                    parser.set_max_event_bytes(max);
                    run(&mut parser, cut(&stream, cuts), eof)
                }
            }
        };
        let cut = go(&cuts);
        prop_assert_eq!(&cut, &go(&[]));
        let room = max.min(memory.map_or(usize::MAX, |len| len.saturating_sub(1)));
        let mut lines: Vec<&[u8]> = stream.split_inclusive(|b| *b == b'\n').collect();
        if eof == Eof::Discard && stream.last() != Some(&b'\n') {
            let fits = lines.last().is_none_or(|last| last.len() <= room);
            if fits {
                lines.pop();
            }
        }
        let mut offset = 0;
        let expected: Vec<Seen> = lines.iter().map(|raw| {
            let at = offset as u64;
            offset += raw.len();
            let text = raw.strip_suffix(b"\n").unwrap_or(raw);
            if text.len() > room {
                return Seen::TooLarge { offset: at, limit: max.min(memory.unwrap_or(usize::MAX)) };
            }
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let data = if at == 0 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text };
            if data.trim_ascii().is_empty() {
                Seen::Blank { event: vec![], raw: raw.to_vec(), offset: at }
            } else {
                Seen::Event { event: b"message".to_vec(), data: data.to_vec(), id: vec![], raw: raw.to_vec(), offset: at }
            }
        }).collect();
        prop_assert_eq!(cut, expected);
    }
}

/// The stream without the lines that stand inside a block without belonging to it.
fn pure(stream: &[u8]) -> Vec<u8> {
    let setup = Setup {
        eof: Eof::Flush,
        ..Setup::default()
    };
    let mut pure = Vec::new();
    if stream.starts_with(b"\xEF\xBB\xBF") {
        pure.extend_from_slice(b"\xEF\xBB\xBF");
    }
    for one in outcome(stream, &setup).seen {
        pure.extend_from_slice(one.raw());
    }
    pure
}

fn is_subsequence(needle: &[u8], haystack: &[u8]) -> bool {
    let mut haystack = haystack.iter();
    needle.iter().all(|b| haystack.any(|h| h == b))
}

/// Streams that make each turn of the limit, tried with every limit in every cutting.
const LIMIT_STREAMS: &[&[u8]] = &[
    b"data: 0123456789\n\ndata: ok\n\n",
    b"id: 7\ndata: 0123456789\n\ndata: ok\n\n",
    b"data: 0123456789\nid: 7\nretry: 5\n\ndata: ok\n\n",
    b"id: 1\r\nid: 2\r\ndata: 0123456789\r\nid: 3\r\nid: a\0b\r\n\r\ndata: ok\r\n\r\n",
    b"data: a\ndata: b\ndata: c\n\ndata: ok\n\n",
    b"data: a\r\n: comment\r\ndata: b\r\n\r\ndata: ok\r\n\r\n",
    b"event: long-name-of-an-event\ndata: x\n\nevent: e\ndata: y\n\n",
    b": a long comment by itself\n\ndata: ok\n\n",
    b"unknown: field of some length\nretry: 12\n\ndata: ok\n\n",
    b"retry: 1234567890\ndata: x\nretry: 3\n\nid: i\n\n",
    b"\xEF\xBB\xBFdata: x\n\ndata: 0123456789\n\n",
    b"\xEF\xBBdata: x\n\ndata: y\n\n",
    b"i\nid\nidx\nid: 1\ndata: 0123456789\nre\nretry\nretry: 6\nretryx: 7\nid: 2\n\ndata\n\n",
    b"data: 0123456789\r\rdata: x\r\r\rdata: 0123456789\n\r\n\r",
    b"data: 0123456789",
    b"data: 0\nid: 4",
];

#[test]
fn every_limit_holds_in_every_cutting() {
    for stream in LIMIT_STREAMS {
        for cuts in cuttings(stream.len()) {
            for max_event_bytes in 0..=40 {
                for eof in [Eof::Discard, Eof::Flush] {
                    let setup = Setup {
                        max_event_bytes,
                        eof,
                        cuts: &cuts,
                        ..Setup::default()
                    };
                    agrees(stream, &setup);
                }
            }
        }
    }
}

#[test]
fn every_size_of_fixed_memory_holds_in_every_cutting() {
    for stream in LIMIT_STREAMS {
        for cuts in cuttings(stream.len()) {
            for memory in 0..=64 {
                let setup = Setup {
                    memory: Some(memory),
                    eof: Eof::Flush,
                    cuts: &cuts,
                    ..Setup::default()
                };
                agrees(stream, &setup);
            }
        }
    }
}

#[test]
fn a_line_end_is_found_wherever_it_stands_in_a_short_piece() {
    // Bytes that are a line end but for one bit, and those next to them.
    for fill in [b'x', b'\t', 0x0B, 0x0C, 0x0E, 0x8A, 0x8D, 0xFF] {
        for (at, end) in (1..=136).flat_map(|at| ["\n", "\r", "\r\n"].map(|end| (at, end))) {
            let line = [&b"data: x"[..], &vec![fill; at], end.as_bytes()].concat();
            let stream = [&line, &b"data: y\n\n"[..]].concat();
            for cuts in [&[7][..], &[7, line.len()]] {
                agrees(
                    &stream,
                    &Setup {
                        cuts,
                        ..Setup::default()
                    },
                );
            }
        }
    }
}

/// What a parser with this limit makes of `stream`, the same in every cutting.
fn limited(stream: &[u8], max_event_bytes: usize) -> (Vec<Seen>, Vec<u8>) {
    let mut all = cuttings(stream.len()).into_iter().map(|cuts| {
        let setup = Setup {
            max_event_bytes,
            cuts: &cuts,
            ..Setup::default()
        };
        let (seen, id) = parse(stream, &setup);
        (seen.into_iter().map(Seen::without_raw).collect(), id)
    });
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first));
    first
}

fn event(data: &str, id: &str, offset: u64) -> Seen {
    Seen::Event {
        event: b"message".to_vec(),
        data: data.into(),
        id: id.into(),
        raw: vec![],
        offset,
    }
}

#[test]
fn an_event_of_exactly_the_limit_passes_and_one_byte_more_fails() {
    let stream = b"data: 1234\n\ndata: x\n\n";
    let ok = event("x", "", 12);
    assert_eq!(limited(stream, 10).0, [event("1234", "", 0), ok.clone()]);
    let error = Seen::TooLarge {
        offset: 0,
        limit: 9,
    };
    assert_eq!(limited(stream, 9).0, [error, ok]);
}

#[test]
fn the_line_ends_between_an_events_lines_count_and_the_last_does_not() {
    for stream in [&b"data: 1\ndata: 2\n\n"[..], b"data: 1\rdata: 2\r\r"] {
        assert_eq!(limited(stream, 15).0, [event("1\n2", "", 0)]);
        assert!(limited(stream, 14).0[0].is_error());
    }
    let stream = b"data: 1\r\ndata: 2\r\n\r\n";
    assert_eq!(limited(stream, 16).0, [event("1\n2", "", 0)]);
    assert!(limited(stream, 15).0[0].is_error());
}

#[test]
fn id_and_retry_of_an_oversized_event_still_count() {
    let stream = b"id: 7\ndata: 0123456789abcdef\nretry: 5\n\ndata: x\n\n";
    let expected = [
        Seen::TooLarge {
            offset: 0,
            limit: 12,
        },
        Seen::Retry {
            millis: 5,
            raw: vec![],
            offset: 29,
        },
        event("x", "7", 39),
    ];
    let (seen, id) = limited(stream, 12);
    assert_eq!(seen, expected);
    assert_eq!(id, b"7");
    let stream = b"data: 0123456789abcdef\nid: 8\nid: a\0b\n\ndata: x\n\n";
    assert_eq!(limited(stream, 12).0[1], event("x", "8", 38));
}

#[test]
fn the_id_of_an_oversized_event_counts_at_its_blank_line_only() {
    let (seen, id) = limited(b"id: 1\n\ndata: 0123456789abcdef\nid: 2\n", 12);
    assert_eq!(seen.len(), 2);
    assert_eq!(id, b"1");
}

#[test]
fn an_oversized_event_gives_one_error_and_the_next_event_comes_whole() {
    let mut stream = b"data: ".to_vec();
    stream.extend([b'x'; 200]);
    stream.extend(b"\ndata: y\nevent: z\n\nevent: e\ndata: next\n\n");
    let (seen, _) = limited(&stream, 32);
    assert_eq!(seen.len(), 2);
    assert!(seen[0].is_error());
    assert!(
        matches!(&seen[1], Seen::Event { event, data, .. } if event == b"e" && data == b"next")
    );
}

#[test]
fn a_comment_inside_a_block_does_not_add_to_the_blocks_size() {
    let stream = b"data: 1\r\n: 345\r\n: 345\r\ndata: 2\r\n\r\n";
    let (seen, _) = limited(stream, 16);
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2], event("1\n2", "", 0));
}

#[test]
fn several_data_lines_need_room_for_their_join_too_in_fixed_memory() {
    let stream = b"data: 1\ndata: 2\n\ndata: x\n\n";
    // 15 bytes of lines, 3 of joined data, 4 spared for line ends.
    for (memory, passes) in [(22, true), (21, false)] {
        for cuts in cuttings(stream.len()) {
            let setup = Setup {
                memory: Some(memory),
                cuts: &cuts,
                ..Setup::default()
            };
            let seen = parse(stream, &setup).0;
            assert_eq!(seen[0].is_event(), passes);
            assert_eq!(seen[1].clone().without_raw(), event("x", "", 17));
        }
    }
}

#[test]
fn is_mid_event_says_whether_lines_or_a_part_of_one_wait() {
    let mut parser = sse::Parser::new();
    let steps: &[(&[u8], bool)] = &[
        (b"", false),
        (b"\xEF", true),
        (b"\xBB", true),
        (b"\xBF", false),
        (b"d", true),
        (b"ata: x\n", true),
        (b"\n", false),
        (b": comment", true),
        (b"\n", false),
        (b"id: 1\r", true),
        (b"\n", true),
        (b": in the block\n", true),
        (b"\r", false),
        (b"\n", false),
        (b"data: a\n\ndata: b", true),
    ];
    for (chunk, is_mid) in steps {
        feed(&mut parser, [*chunk]);
        assert_eq!(
            parser.is_mid_event(),
            *is_mid,
            "after {}",
            chunk.escape_ascii()
        );
    }
}

#[test]
fn is_mid_event_holds_while_an_oversized_event_is_skipped() {
    let mut parser = sse::Parser::new();
    parser.set_max_event_bytes(8);
    assert!(feed(&mut parser, [&b"data: 0123456789\n"[..]])[0].is_error());
    assert!(parser.is_mid_event());
    feed(&mut parser, [&b"\n"[..]]);
    assert!(!parser.is_mid_event());
}

#[test]
fn reset_forgets_everything() {
    let mut parser = sse::Parser::new();
    feed(&mut parser, [&b"id: 1\ndata: x\n\nid: 2\ndata: y"[..]]);
    parser.reset();
    assert_eq!(parser.offset(), 0);
    assert!(!parser.is_mid_event());
    assert_eq!(parser.last_event_id(), "");
    let seen = feed(&mut parser, [&b"\xEF\xBB\xBFdata: z\n\n"[..]]);
    assert_eq!(seen[0].clone().without_raw(), event("z", "", 3));
}

#[test]
fn reconnect_keeps_the_last_event_id_and_drops_the_unfinished_event() {
    let mut parser = sse::Parser::new();
    feed(&mut parser, [&b"id: 1\ndata: x\n\nid: 2\ndata: y\r"[..]]);
    parser.reconnect();
    assert_eq!(parser.offset(), 0);
    assert!(!parser.is_mid_event());
    assert_eq!(parser.last_event_id(), "1");
    // Neither does the CR before swallow a LF of the new stream.
    let seen = feed(&mut parser, [&b"\n"[..], b"data: z\n\n"]);
    assert!(matches!(seen[0], Seen::Blank { .. }));
    assert_eq!(seen[1].clone().without_raw(), event("z", "1", 1));
}

#[test]
fn reconnect_ends_the_skipping_of_an_oversized_event() {
    let mut parser = sse::Parser::new();
    parser.set_max_event_bytes(8);
    feed(&mut parser, [&b"id: 1\n\ndata: 0123456789\nid: 2\n"[..]]);
    parser.reconnect();
    let seen = feed(&mut parser, [&b"data: z\n\n"[..]]);
    assert_eq!(seen[0].clone().without_raw(), event("z", "1", 0));
}

#[test]
fn a_stream_may_begin_with_a_byte_order_mark_after_every_reconnect() {
    let mut parser = sse::Parser::new();
    for _ in 0..3 {
        let seen = run(&mut parser, [&b"\xEF\xBB\xBFdata: z\n\n"[..]], Eof::Discard);
        assert_eq!(seen[0].clone().without_raw(), event("z", "", 3));
        parser.reconnect();
    }
}

#[test]
fn set_last_event_id_refuses_what_no_stream_sets_a_place_inside_an_event_and_what_has_no_room() {
    let mut parser = sse::Parser::new();
    for foreign in [&b"a\0b"[..], b"a\r", b"\nb", b"a\r\nX-Injected: 1"] {
        assert!(!parser.set_last_event_id(foreign));
    }
    assert!(parser.set_last_event_id(b"41"));
    feed(&mut parser, [&b"data: x\n"[..]]);
    assert!(!parser.set_last_event_id(b"42"));
    let seen = feed(&mut parser, [&b"\n"[..]]);
    assert_eq!(seen[0].clone().without_raw(), event("x", "41", 0));
    assert!(parser.set_last_event_id(b""));
    assert_eq!(parser.last_event_id(), "");

    let mut memory = [0; 4];
    let mut parser = sse::Parser::in_memory(&mut memory);
    assert!(parser.set_last_event_id(b"1234"));
    assert!(!parser.set_last_event_id(b"12345"));
    assert_eq!(parser.last_event_id(), "1234");
}

#[test]
fn finish_with_discard_delivers_nothing_and_keeps_the_last_event_id() {
    let mut parser = sse::Parser::with_carry(Vec::new());
    let seen = run(
        &mut parser,
        [&b"id: 1\ndata: x\n\nid: 2\ndata: y\n"[..]],
        Eof::Discard,
    );
    assert_eq!(seen.len(), 1);
    assert_eq!(parser.last_event_id(), "1");
    assert!(!parser.is_mid_event());
}

#[test]
fn finish_with_flush_delivers_the_line_and_then_the_event() {
    let stream = b"id: 2\ndata: y\n: c";
    for cuts in cuttings(stream.len()) {
        let mut parser = sse::Parser::new();
        let seen = run(&mut parser, cut(stream, &cuts), Eof::Flush);
        assert_eq!(seen.len(), 2);
        assert!(matches!(&seen[0], Seen::Comment { text, .. } if text == b" c"));
        assert_eq!(seen[1].clone().without_raw(), event("y", "2", 0));
        assert_eq!(parser.last_event_id(), "2");
        assert_eq!(parser.finish_seen_again(), None);
    }
}

/// `finish` once more, for a parser that came to its end.
trait FinishAgain {
    fn finish_seen_again(&mut self) -> Option<Seen>;
}

impl FinishAgain for sse::Parser<Vec<u8>> {
    fn finish_seen_again(&mut self) -> Option<Seen> {
        self.finish(Eof::Flush).unwrap().map(Seen::from)
    }
}

#[test]
fn finish_with_flush_never_delivers_an_oversized_event() {
    let stream = b"data: ok\n\ndata: 0123456789";
    for cuts in cuttings(stream.len()) {
        let setup = Setup {
            max_event_bytes: 12,
            eof: Eof::Flush,
            cuts: &cuts,
            ..Setup::default()
        };
        let seen = parse(stream, &setup).0;
        assert_eq!(seen.len(), 2);
        assert!(seen[0].is_event() && seen[1].is_error());
    }
}

#[test]
fn a_carry_that_holds_something_is_emptied_first() {
    let mut parser = sse::Parser::with_carry(b"data: old".to_vec());
    let seen = feed(&mut parser, [&b"\n\n"[..]]);
    assert!(seen.iter().all(|one| matches!(one, Seen::Blank { .. })));
    let mut memory = *b"data: old";
    let mut parser = sse::Parser::with_carry(Fixed::new(&mut memory));
    assert!(!parser.is_mid_event());
    assert!(!feed(&mut parser, [&b"\n\n"[..]]).iter().any(Seen::is_event));
}

/// A carry whose allocation fails once.
struct FailsOnce {
    bytes: Vec<u8>,
    pushes_left: usize,
}

impl Carry for FailsOnce {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn limit(&self) -> usize {
        usize::MAX
    }

    fn push(&mut self, bytes: &[u8]) -> bool {
        self.pushes_left = self.pushes_left.wrapping_sub(1);
        self.pushes_left != 0 && Carry::push(&mut self.bytes, bytes)
    }

    fn push_within(&mut self, range: std::ops::Range<usize>) -> bool {
        self.pushes_left = self.pushes_left.wrapping_sub(1);
        self.pushes_left != 0 && self.bytes.push_within(range)
    }

    fn copy_down(&mut self, range: std::ops::Range<usize>, dest: usize) {
        self.bytes.copy_down(range, dest);
    }

    fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }
}

#[test]
fn a_failed_allocation_costs_one_event_and_no_other_is_changed() {
    for stream in LIMIT_STREAMS {
        for cuts in cuttings(stream.len()) {
            let setup = Setup {
                cuts: &cuts,
                ..Setup::default()
            };
            let free: Vec<Seen> = parse(stream, &setup).0;
            for pushes_left in 1.. {
                let mut parser = sse::Parser::with_carry(FailsOnce {
                    bytes: Vec::new(),
                    pushes_left,
                });
                let seen = run(&mut parser, cut(stream, &cuts), Eof::Discard);
                let errors = seen.iter().filter(|one| one.is_error()).count();
                if errors == 0 {
                    assert_eq!(seen, free);
                    break;
                }
                assert_eq!(errors, 1);
                // The retry lines of a skipped event come without their line end.
                let value = |one: &Seen| match one.clone().without_raw() {
                    Seen::Event {
                        event,
                        data,
                        offset,
                        ..
                    } => Seen::Event {
                        event,
                        data,
                        id: vec![],
                        raw: vec![],
                        offset,
                    },
                    other => other,
                };
                let mut rest = free.iter().map(value);
                for one in seen.iter().filter(|one| !one.is_error()).map(value) {
                    assert!(
                        rest.any(|other| other == one),
                        "{one:?} is new: {} cut at {cuts:?}, push {pushes_left} failed",
                        stream.escape_ascii(),
                    );
                }
            }
        }
    }
}
