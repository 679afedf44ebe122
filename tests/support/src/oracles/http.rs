//! The transport's HTTP side: whatever a server sends, on a socket of loopback.
//!
//! The input is one byte that says what is asked for and how the connection ends, one that says in
//! which pieces the response is sent, and then the response: its bytes, or `!` and decisions that make
//! one around a stream of `twin`.
//!
//! - No panic, and every call ends within its limits.
//! - What `plain` understands, a whole response in one of three delimitations and nothing odd about it,
//!   gives what its body gives: deltas, events, bytes, or a message.
//! - Where it is cut, what came before the cut is delivered, one error tells of it, and the end is not
//!   `Complete`, unless the terminator was there.
//! - Whatever the bytes are, `Complete` and an error of the connection exclude each other.
//! - The threads that a call began end with it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::streams::read;
use crate::decoding::line;
use crate::framing::{Seen, run};
use crate::twin::{self, Dice};
use deltawire::client::{Client, Error, Kind, Options, Provider, Proxy};
use deltawire::frame::{Eof, sse};
use deltawire::{Decoder, End, Message};

/// Longer than any answer takes, on a machine that has other things to do too.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server is waited for that says no more.
const STALL: Duration = Duration::from_millis(15);

/// What the server does to the next connections.
#[derive(Clone, Default)]
struct Script {
    response: Vec<u8>,
    pieces: u8,
    how: How,
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum How {
    #[default]
    Close,
    Stall,
}

/// A server that is there as long as the process.
struct Server {
    url: String,
    script: Mutex<Script>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let mut listener = None;
    let server = SERVER.get_or_init(|| {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a socket of loopback");
        let url = format!("http://{}", socket.local_addr().expect("its address"));
        listener = Some(socket);
        Server {
            url,
            script: Mutex::default(),
        }
    });
    if let Some(listener) = listener {
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = server
                    .script
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                // A client that is gone has nothing to be told.
                let _ = serve(stream, &script);
            }
        });
    }
    server
}

fn serve(mut stream: TcpStream, script: &Script) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    // The request's body is the last object in it.
    while !request.ends_with(b"\"end\":1}") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            len => request.extend_from_slice(&buffer[..len]),
        }
    }
    let size = match script.pieces {
        0..=127 => script.response.len(),
        pieces => usize::from(pieces & 63) * 4 + 1,
    };
    for piece in script.response.chunks(size.max(1)) {
        stream.write_all(piece)?;
    }
    if script.how == How::Stall {
        // It says nothing more, and then is gone.
        let _ = stream.read(&mut buffer)?;
    }
    Ok(())
}

pub fn check(input: &[u8]) {
    let [what, pieces, rest @ ..] = input else {
        return;
    };
    let response = match rest {
        [b'!', rest @ ..] => generated(&mut Dice::new(rest)),
        bytes => bytes.to_vec(),
    };
    let how = match what >> 2 & 7 {
        7 => How::Stall,
        _ => How::Close,
    };
    let plain = plain(&response).filter(|_| how == How::Close);
    let server = server();
    // One at a time: the server has one script.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *server.script.lock().unwrap_or_else(PoisonError::into_inner) = Script {
        response,
        pieces: *pieces,
        how,
    };
    let mut options = Options::new(Provider::OpenAi);
    options.base_url.clone_from(&server.url);
    options.proxy = Proxy::Direct;
    options.retries = 0;
    let patience = if how == How::Stall { STALL } else { PATIENCE };
    options.timeout_connect = Some(PATIENCE);
    options.timeout_first_byte = Some(patience);
    options.timeout_idle = Some(patience);
    let client = Client::new(options).expect("options that are right");
    let started = Instant::now();
    match what & 3 {
        0 => deltas(&client, plain.as_ref()),
        1 => message(&client, plain.as_ref()),
        2 => chunks(&client, plain.as_ref()),
        _ => events(&client, plain.as_ref()),
    }
    let took = started.elapsed();
    assert!(took < 2 * PATIENCE, "it took {took:?}");
    drop(client);
    wait_for_threads();
}

/// Waits until the threads of a call are gone, which they are a moment after it.
///
/// LeakSanitizer may look for leaks behind each input. It knows threads by the system's numbers, and
/// takes one whose number another had before it for that other, which has ended: what only the live
/// one holds would be a leak.
fn wait_for_threads() {
    let began = Instant::now();
    while has_threads() {
        assert!(began.elapsed() < PATIENCE, "a thread outlives its call");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Whether there are threads of a call. The one that sends a request has a name, which is also that of
/// those that it begins. Without `/proc` nobody knows.
fn has_threads() -> bool {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return false;
    };
    // One that ends meanwhile has no name any more.
    let name = |path: std::path::PathBuf| std::fs::read(path.join("comm")).unwrap_or_default();
    threads
        .flatten()
        .any(|thread| name(thread.path()) == b"deltawire\n")
}

const BODY: &str = r#"{"stream":true,"end":1}"#;

fn deltas(client: &Client, plain: Option<&Plain>) {
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    let mut undecoded = 0;
    let mut end = End::Unrecognised;
    match client.post("/chat/completions", BODY).stream() {
        Err(error) => failures.push(error),
        Ok(mut stream) => {
            loop {
                match stream.next() {
                    Ok(Some(delta)) => lines.push(line(&delta)),
                    Ok(None) => break,
                    Err(error) if matches!(error.kind(), Kind::Decode | Kind::Limit) => {
                        undecoded += 1;
                    }
                    Err(error) => failures.push(error),
                }
                assert!(failures.len() <= 1, "it fails once: {failures:?}");
            }
            end = stream.end();
            assert_eq!(stream.next().ok(), Some(None), "behind the end is nothing");
        }
    }
    let done = r#"{"type":"done"}"#;
    let is_done = lines.iter().any(|line| line == done);
    if end == End::Complete {
        assert!(is_done || failures.is_empty(), "complete, but {failures:?}");
    }
    let Some(plain) = plain else { return };
    // Nothing that the body says may be missing.
    let mut expected = read(&mut Decoder::new(), [&plain.body[..]]);
    let behind = expected
        .lines
        .iter()
        .position(|line| line == done)
        .map(|at| at + 1);
    if let Some(behind) = behind.filter(|_| is_done) {
        // What follows the terminator is not waited for.
        lines.truncate(behind);
        expected.lines.truncate(behind);
    } else {
        assert_eq!(
            undecoded,
            expected.errors.len(),
            "events that cannot be decoded"
        );
    }
    assert_eq!(lines, expected.lines, "{plain:?}");
    if plain.is_whole {
        let is_none = expected.lines.is_empty();
        failures.retain(|error| !(is_none && error.kind() == Kind::ContentType));
        assert!(failures.is_empty(), "{failures:?}: {plain:?}");
        if !is_done {
            assert_eq!(end, expected.end, "{plain:?}");
        }
    } else if !is_done || behind.is_none() {
        cut(&failures, plain);
        assert_ne!(end, End::Complete, "cut, yet complete: {plain:?}");
    }
}

fn cut(failures: &[Error], plain: &Plain) {
    let kinds: Vec<Kind> = failures.iter().map(Error::kind).collect();
    assert_eq!(kinds, [Kind::Truncated], "{failures:?}: {plain:?}");
}

fn message(client: &Client, plain: Option<&Plain>) {
    let fetched = client.post("/chat/completions", BODY).fetch();
    let Some(plain) = plain else { return };
    if !plain.is_whole {
        cut(
            &[fetched.expect_err("a message of a body that is cut")],
            plain,
        );
        return;
    }
    match Message::from_response(&plain.body) {
        Ok(mut expected) => {
            let fetched = fetched.unwrap_or_else(|error| panic!("{error}: {plain:?}"));
            expected.timing.clone_from(&fetched.timing);
            assert_eq!(fetched, expected);
        }
        Err(_) => {
            let error = fetched.expect_err("a message of what is none");
            assert_eq!(error.kind(), Kind::Decode, "{error}: {plain:?}");
        }
    }
}

fn chunks(client: &Client, plain: Option<&Plain>) {
    let mut came = Vec::new();
    let mut failures = Vec::new();
    match client.post("/chat/completions", BODY).chunks() {
        Err(error) => failures.push(error),
        Ok(mut chunks) => loop {
            match chunks.next() {
                Ok(Some(chunk)) => came.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => failures.push(error),
            }
            assert!(failures.len() <= 1, "it fails once: {failures:?}");
        },
    }
    let Some(plain) = plain else { return };
    assert_eq!(came, plain.body, "{plain:?}");
    match plain.is_whole {
        true => assert!(failures.is_empty(), "{failures:?}: {plain:?}"),
        false => cut(&failures, plain),
    }
}

fn events(client: &Client, plain: Option<&Plain>) {
    let mut came = Vec::new();
    let mut failures = Vec::new();
    match client.post("/events", BODY).events() {
        Err(error) => failures.push(error),
        Ok(mut events) => loop {
            match events.next() {
                Ok(Some(event)) => came.push((event.event.to_vec(), event.data.to_vec())),
                Ok(None) => break,
                Err(error) => failures.push(error),
            }
            assert!(failures.len() <= 1, "it fails once: {failures:?}");
        },
    }
    let Some(plain) = plain.filter(|plain| plain.is_event_stream) else {
        return;
    };
    let seen = run(&mut sse::Parser::new(), [&plain.body[..]], Eof::Discard);
    let expected = seen.into_iter().filter_map(|seen| match seen {
        Seen::Event { event, data, .. } => Some((event, data)),
        _ => None,
    });
    assert_eq!(came, expected.collect::<Vec<_>>(), "{plain:?}");
    match plain.is_whole {
        true => assert!(failures.is_empty(), "{failures:?}: {plain:?}"),
        false => cut(&failures, plain),
    }
}

/// A response that is understood without doubt.
#[derive(Debug)]
struct Plain {
    is_event_stream: bool,
    body: Vec<u8>,
    is_whole: bool,
}

/// Reads a response with status 200 and three headers at most; `None` for anything that is not just so.
fn plain(response: &[u8]) -> Option<Plain> {
    let head = response.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, rest) = (&response[..head], &response[head + 4..]);
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    if lines.next()? != "HTTP/1.1 200 OK" {
        return None;
    }
    let (mut content_type, mut length, mut is_chunked) = (None, None, false);
    for line in lines {
        match line.split_once(": ")? {
            ("Content-Type", value @ ("text/event-stream" | "application/json")) => {
                content_type.replace(value).is_none().then_some(())?;
            }
            ("Content-Length", digits) if digits.len() < 7 && !digits.starts_with('+') => {
                length
                    .replace(digits.parse::<usize>().ok()?)
                    .is_none()
                    .then_some(())?;
            }
            ("Transfer-Encoding", "chunked") if !is_chunked => is_chunked = true,
            _ => return None,
        }
    }
    let (body, is_whole) = match (length, is_chunked) {
        (None, false) => (rest.to_vec(), true),
        (Some(length), false) => {
            // What is behind a body is nobody's.
            (rest.len() <= length).then_some(())?;
            (rest.to_vec(), rest.len() == length)
        }
        (None, true) => unchunked(rest)?,
        (Some(_), true) => return None,
    };
    Some(Plain {
        is_event_stream: content_type == Some("text/event-stream"),
        body,
        is_whole,
    })
}

/// The bytes of a body in chunks, and whether the last one is there: the one of no bytes, of which RFC
/// 9112, 8 says that a body without it is incomplete. The empty line behind it may be missing.
fn unchunked(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let size = std::str::from_utf8(&rest[..digits]).ok()?;
        rest = &rest[digits..];
        match rest {
            // Cut in the size, or behind it.
            [] | b"\r" if digits <= 4 => return Some((body, false)),
            [b'\r', b'\n', ..] if (1..=4).contains(&digits) => rest = &rest[2..],
            _ => return None,
        }
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return matches!(rest, b"" | b"\r" | b"\r\n").then_some((body, true));
        }
        let (data, behind) = rest.split_at(size.min(rest.len()));
        body.extend_from_slice(data);
        rest = match behind {
            [b'\r', b'\n', behind @ ..] => behind,
            [] | b"\r" => return Some((body, false)),
            _ => return None,
        };
    }
}

/// A response around a stream: three delimitations, some of them wrong, and a cut.
fn generated(dice: &mut Dice<'_>) -> Vec<u8> {
    let (delimitation, wrong, cut) = (dice.below(4), dice.below(6), dice.below(4));
    let (size, at) = (1 + dice.below(200), dice.below(4096));
    let body = match dice.below(5) {
        0 => super::whole::body(dice),
        _ => twin::generated(dice).streams.concat(),
    };
    let mut response = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n".to_vec();
    match delimitation {
        0 => {
            response.extend_from_slice(b"\r\n");
            response.extend_from_slice(&body);
        }
        1 => {
            let len = match wrong {
                1 => body.len() + 1,
                2 => body.len() / 2,
                _ => body.len(),
            };
            response.extend(format!("Content-Length: {len}\r\n\r\n").bytes());
            response.extend_from_slice(&body);
        }
        _ => {
            response.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in body.chunks(size) {
                response.extend(format!("{:x}\r\n", chunk.len()).bytes());
                response.extend_from_slice(chunk);
                response.extend_from_slice(if wrong == 3 { b"\n" } else { b"\r\n" });
            }
            if wrong != 4 {
                response.extend_from_slice(b"0\r\n\r\n");
            }
        }
    }
    if cut == 1 {
        response.truncate(at % (response.len() + 1));
    }
    response
}
