//! Framing never allocates, and a `Vec` carry does so only until it is warm.

use deltawire::frame::{Carry, Eof, Item, ndjson, sse};
use deltawire_test_support::allocator::count;
use deltawire_test_support::framing::{cut, every};

/// A stream with everything that framing knows, several times over.
fn everything() -> Vec<u8> {
    let block = concat!(
        ": a comment\n\n",
        "data: one line\n\n",
        "event: named\r\nid: 7\r\ndata: two\r\n: between\r\ndata: lines\r\n\r\n",
        "id: a-longer-event-id\rretry: 3000\rdata\rdata\r\r",
        "unknown: field\nid\n\n",
        "event: no data\n\n",
    );
    let mut stream = b"\xEF\xBB\xBF".to_vec();
    stream.extend(block.repeat(50).as_bytes());
    stream.extend(b"id: \xFF\0\ndata: \xE2\x82 unfinished");
    stream
}

/// Reads every item, and its text without a copy.
fn drain<C: Carry>(parser: &mut sse::Parser<C>, chunks: &[&[u8]]) -> usize {
    let mut read = 0;
    for chunk in chunks {
        let mut input = *chunk;
        while let Some(item) = parser.next(&mut input).unwrap() {
            read += item.raw().len();
            if let Item::Event(event) = item {
                read += event.data.as_str().map_or(0, str::len);
            }
        }
    }
    while let Some(item) = parser.finish(Eof::Flush).unwrap() {
        read += item.raw().len();
    }
    parser.reconnect();
    read
}

#[test]
fn the_counter_counts() {
    assert_eq!(count(|| drop(Box::new(1))).0, 2);
    assert_eq!(count(|| ()).0, 0);
}

#[test]
fn framing_in_fixed_memory_never_allocates() {
    let stream = everything();
    for size in [1, 2, 7, 64, 1000, stream.len()] {
        let chunks = cut(&stream, &every(stream.len(), size));
        let (calls, read) = count(|| {
            let mut memory = [0; 256];
            drain(&mut sse::Parser::in_memory(&mut memory), &chunks)
        });
        assert_eq!(calls, 0, "in pieces of {size} bytes");
        assert!(read > stream.len() / 2);
    }
}

#[test]
fn framing_with_a_vec_never_allocates_once_warm() {
    let stream = everything();
    for size in [1, 2, 7, 64, 1000, stream.len()] {
        let chunks = cut(&stream, &every(stream.len(), size));
        let mut parser = sse::Parser::new();
        drain(&mut parser, &chunks);
        let calls = count(|| (0..100).map(|_| drain(&mut parser, &chunks)).sum::<usize>()).0;
        assert_eq!(calls, 0, "in pieces of {size} bytes");
    }
}

#[test]
fn whole_events_do_not_allocate_even_when_cold() {
    let chunk = b"data: one\n\nevent: e\ndata: two\n\n: ping\n\nretry: 5\n\n";
    let calls = count(|| drain(&mut sse::Parser::new(), &[chunk])).0;
    assert_eq!(calls, 0);
}

#[test]
fn an_event_over_the_limit_does_not_allocate() {
    let stream = [&b"id: 1\ndata: "[..], &[b'x'; 5000], b"\nid: 2\n\n"].concat();
    for size in [1, 64, stream.len()] {
        let chunks = cut(&stream, &every(stream.len(), size));
        let mut memory = [0; 64];
        let (calls, errors) = count(|| {
            let mut parser = sse::Parser::in_memory(&mut memory);
            let mut errors = 0;
            for chunk in &chunks {
                let mut input = *chunk;
                while let Some(item) = parser.next(&mut input).transpose() {
                    errors += usize::from(item.is_err());
                }
            }
            errors
        });
        assert_eq!((calls, errors), (0, 1), "in pieces of {size} bytes");
    }
}

#[test]
fn lines_of_json_in_fixed_memory_never_allocate() {
    let stream = b"{\"a\":1}\r\n\n{\"a\":\"a longer line\"}\n{}".repeat(50);
    for size in [1, 7, 64, stream.len()] {
        let chunks = cut(&stream, &every(stream.len(), size));
        let calls = count(|| {
            let mut memory = [0; 64];
            let mut parser = ndjson::Parser::in_memory(&mut memory);
            for chunk in &chunks {
                let mut input = *chunk;
                while parser.next(&mut input).unwrap().is_some() {}
            }
            while parser.finish(Eof::Flush).unwrap().is_some() {}
        });
        assert_eq!(calls.0, 0, "in pieces of {size} bytes");
    }
}
