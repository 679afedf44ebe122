//! What reading along costs: processor time of a gateway's process, by the kernel's own account.
//!
//! The provider and the client are threads of the measuring process, each gateway a process of one
//! thread. All of a round's ways run one after the other, and the least of all rounds counts.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::AnyError;
use crate::watch::Reader;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many events a stream has
    #[arg(long, default_value_t = 100_000)]
    events: usize,

    /// How many rounds, of which the least counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

const READERS: [Reader; 3] = [Reader::None, Reader::Deltawire, Reader::EventsourceStream];

/// How the provider sends: what it is called, events a frame, the pause between frames, and which
/// part of the events, since pauses add up.
const WAYS: [(&str, usize, Duration, usize); 3] = [
    ("50 events a frame", 50, Duration::ZERO, 1),
    ("one event a frame", 1, Duration::ZERO, 1),
    (
        "one event a frame, each 200 µs",
        1,
        Duration::from_micros(200),
        10,
    ),
];

pub(crate) fn run(args: &Args) -> Result<(), AnyError> {
    let streams: Vec<Stream> = WAYS
        .iter()
        .map(|(_, together, pause, part)| Stream::new(args.events / part, *together, *pause))
        .collect();
    let sent = Arc::new(streams);
    let upstream = provider(Arc::clone(&sent))?;
    let mut gateways = Vec::new();
    for reader in READERS {
        gateways.push(Gateway::start(reader, upstream)?);
    }
    let mut least = [[f64::INFINITY; READERS.len()]; WAYS.len()];
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        for (way, stream) in sent.iter().enumerate() {
            for (gateway, least) in gateways.iter_mut().zip(&mut least[way]) {
                let nanoseconds = gateway.pass(way, stream)?;
                *least = least.min(nanoseconds / stream.events as f64);
            }
        }
    }
    println!(
        "| ns an event | proxy alone | with deltawire | with eventsource-stream + serde_json |"
    );
    println!("|---|---|---|---|");
    for ((name, ..), [alone, deltas, peer]) in WAYS.iter().zip(least) {
        println!(
            "| {name} | {alone:.0} | {deltas:.0} (+{:.0}) | {peer:.0} (+{:.0}) |",
            deltas - alone,
            peer - alone
        );
    }
    Ok(())
}

/// A reply, as it goes over the wire.
struct Stream {
    /// HTTP chunks, which are the frames that the gateway sees.
    frames: Vec<Vec<u8>>,
    pause: Duration,
    events: usize,
    text_len: usize,
}

impl Stream {
    fn new(events: usize, together: usize, pause: Duration) -> Stream {
        let (mut text_len, mut frames) = (0, Vec::new());
        let mut frame = String::new();
        for n in 0..events {
            let word = WORDS[n % WORDS.len()];
            text_len += word.len();
            let _ = write!(
                frame,
                "{HEAD}{word}{MIDDLE}{}{TAIL}",
                &PADDING[n * 7 % 10..]
            );
            if (n + 1) % together == 0 || n + 1 == events {
                frames.push(chunk(&frame));
                frame.clear();
            }
        }
        frames.push(chunk("data: [DONE]\n\n"));
        frames.push(b"0\r\n\r\n".to_vec());
        Stream {
            frames,
            pause,
            events,
            text_len,
        }
    }

    fn send(&self, mut to: TcpStream) -> std::io::Result<()> {
        to.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")?;
        to.write_all(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")?;
        if self.pause.is_zero() {
            // As fast as it is taken.
            return to.write_all(&self.frames.concat());
        }
        for frame in &self.frames {
            to.write_all(frame)?;
            thread::sleep(self.pause);
        }
        Ok(())
    }
}

/// An OpenAI chat chunk of about 326 bytes, as of late 2025: a new word and new padding in each.
const HEAD: &str = concat!(
    r#"data: {"id":"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE","object":"chat.completion.chunk","#,
    r#""created":1762183171,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","#,
    r#""system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":{"content":""#,
);
const MIDDLE: &str = r#""},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":""#;
const TAIL: &str = "\"}\n\n";
const PADDING: &str = "Kd0zS3Gv9p";
const WORDS: [&str; 10] = [
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

fn chunk(bytes: &str) -> Vec<u8> {
    format!("{:x}\r\n{bytes}\r\n", bytes.len()).into_bytes()
}

/// Answers a request for `/N` with the stream of that number.
fn provider(streams: Arc<Vec<Stream>>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let _ = connection.set_nodelay(true);
            let Ok(path) = read_request(&connection) else {
                continue;
            };
            let asked = path.trim_start_matches('/').parse().ok();
            if let Some(stream) = asked.and_then(|n: usize| streams.get(n)) {
                // A gateway that closes early shows on its own side.
                let _ = stream.send(connection);
            }
        }
    });
    Ok(address)
}

/// The path that is asked for; the head is read, and there is no body.
fn read_request(connection: &TcpStream) -> std::io::Result<String> {
    let mut lines = BufReader::new(connection).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first.split(' ').nth(1).unwrap_or_default().to_owned())
}

struct Gateway {
    process: Child,
    address: String,
    log: BufReader<ChildStderr>,
    reader: Reader,
}

impl Gateway {
    fn start(reader: Reader, upstream: SocketAddr) -> Result<Gateway, AnyError> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--listen", "127.0.0.1:0", "--reader", &reader.to_string()])
            .args(["--upstream", &format!("http://{upstream}")])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(process.stderr.take().ok_or("no standard error")?);
        let mut line = String::new();
        log.read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ");
        Ok(Gateway {
            address: address.ok_or("the gateway does not listen")?.to_owned(),
            process,
            log,
            reader,
        })
    }

    /// Has a stream passed, and gives the processor time that took, in nanoseconds.
    fn pass(&mut self, way: usize, stream: &Stream) -> Result<f64, AnyError> {
        let before = self.processor_time()?;
        let mut connection = TcpStream::connect(&self.address)?;
        write!(
            connection,
            "GET /{way} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"
        )?;
        let (mut memory, mut got) = ([0; 64 * 1024], 0);
        loop {
            match connection.read(&mut memory)? {
                0 => break,
                len => got += len,
            }
        }
        let mut line = String::new();
        self.log.read_line(&mut line)?;
        let spent = self.processor_time()? - before;
        let sent: usize = stream.frames.iter().map(Vec::len).sum();
        let text = format!(", {} bytes of text,", stream.text_len);
        let is_read = line.contains("complete") && line.contains(&text);
        if got < sent || (self.reader != Reader::None && !is_read) {
            return Err(format!("{}: {got} of {sent} bytes, {line}", self.reader).into());
        }
        Ok(spent as f64)
    }

    /// Of all threads of the process; the first number of the kernel's `schedstat` is nanoseconds.
    fn processor_time(&self) -> Result<u64, AnyError> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let account = fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanoseconds = account.split(' ').next().unwrap_or_default();
            sum += nanoseconds.parse::<u64>()?;
        }
        Ok(sum)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
