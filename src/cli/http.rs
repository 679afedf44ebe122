//! HTTP/1.1 from the server's side: requests read off a connection, answers written to it.
//!
//! A connection is read by the thread that answers it, so one that is kept open without a request, or
//! whose client does not read, holds up no other. In the pool of threads that `tiny_http` has, connections
//! that come together wait for those that are kept open; hence this one. Heads are read by `httparse`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, SystemTime};

use httparse::Status;
use ureq::http::StatusCode;

/// The largest head of a request that is read, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The largest body of a request that is read, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
const MAX_HEADERS: usize = 128;
/// Read at once.
const READ_BYTES: usize = 16 * 1024;
/// How long a client is listened to that is still sending what was refused.
const LINGER: Duration = Duration::from_secs(1);

/// One client's connection.
pub(crate) struct Connection {
    socket: TcpStream,
    /// What was read of the socket and not used yet.
    unread: Vec<u8>,
}

/// A request, its body read.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The header's value.
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
    /// HTTP/1.0 knows no chunks.
    is_1_0: bool,
    /// The client asks for no more on this connection.
    is_last: bool,
}

/// Why there is no request.
pub(crate) enum Fault {
    /// The client is gone, or its connection failed.
    Gone,
    /// What came cannot be read, and where it ends is not known: to be answered, and closed.
    Refused { status: u16, message: String },
}

/// What a head says of the body behind it.
enum Length {
    Bytes(usize),
    Chunked,
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Fault::Gone
    }
}

fn refused<T>(status: u16, message: impl Into<String>) -> Result<T, Fault> {
    let message = message.into();
    Err(Fault::Refused { status, message })
}

impl Connection {
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        // Each event goes out as it is due.
        socket.set_nodelay(true)?;
        let unread = Vec::new();
        Ok(Connection { socket, unread })
    }

    /// Waits for the next request.
    pub(crate) fn next(&mut self) -> Result<Request, Fault> {
        let (mut request, length, is_expected) = loop {
            if let Some((len, head)) = head(&self.unread)? {
                self.unread.drain(..len);
                break head;
            }
            if self.unread.len() > MAX_HEAD_BYTES {
                return refused(
                    431,
                    format!("The request head is larger than {MAX_HEAD_BYTES} bytes"),
                );
            }
            self.read_more()?;
        };
        if is_expected && !matches!(length, Length::Bytes(0)) {
            self.socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = match length {
            Length::Bytes(len) => self.take(len)?,
            Length::Chunked => self.take_chunks()?,
        };
        Ok(request)
    }

    fn read_more(&mut self) -> Result<(), Fault> {
        let len = self.unread.len();
        self.unread.resize(len + READ_BYTES, 0);
        let read = loop {
            match self.socket.read(&mut self.unread[len..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.unread.truncate(len + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(Fault::Gone),
            _ => Ok(()),
        }
    }

    fn take(&mut self, len: usize) -> Result<Vec<u8>, Fault> {
        if len > MAX_BODY_BYTES {
            return refused(
                413,
                format!("The body is larger than {MAX_BODY_BYTES} bytes"),
            );
        }
        while self.unread.len() < len {
            self.read_more()?;
        }
        Ok(self.unread.drain(..len).collect())
    }

    fn take_chunks(&mut self) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        loop {
            let (len, size) = loop {
                match httparse::parse_chunk_size(&self.unread) {
                    Ok(Status::Complete(size)) => break size,
                    Ok(Status::Partial) if self.unread.len() < MAX_HEAD_BYTES => {
                        self.read_more()?;
                    }
                    _ => return refused(400, "A chunk of the body has no size"),
                }
            };
            self.unread.drain(..len);
            if size == 0 {
                break;
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > MAX_BODY_BYTES - body.len() {
                return refused(
                    413,
                    format!("The body is larger than {MAX_BODY_BYTES} bytes"),
                );
            }
            body.extend(self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return refused(400, "A chunk of the body is longer than its size");
            }
        }
        // What headers follow, up to an empty line, is of no use here.
        loop {
            let end = self.unread.windows(2).position(|pair| pair == b"\r\n");
            match end {
                Some(end) => {
                    self.unread.drain(..end + 2);
                    if end == 0 {
                        return Ok(body);
                    }
                }
                None if self.unread.len() < MAX_HEAD_BYTES => {
                    self.read_more()?;
                }
                None => return refused(431, "The trailer of the body does not end"),
            }
        }
    }

    /// Sends an answer that is there as a whole. False where the connection is not to be used again.
    pub(crate) fn respond(
        &mut self,
        request: &Request,
        status: u16,
        json: &str,
    ) -> io::Result<bool> {
        let mut answer = begin(status, "application/json", request.is_last);
        if status == 405 {
            answer.push_str("Allow: POST\r\n");
        }
        answer.push_str(&format!("Content-Length: {}\r\n\r\n", json.len()));
        if request.method != "HEAD" {
            answer.push_str(json);
        }
        self.socket.write_all(answer.as_bytes())?;
        Ok(!request.is_last)
    }

    /// Answers what is no request, and closes.
    pub(crate) fn refuse(mut self, status: u16, json: &str) -> io::Result<()> {
        let head = begin(status, "application/json", true);
        let answer = format!("{head}Content-Length: {}\r\n\r\n{json}", json.len());
        self.socket.write_all(answer.as_bytes())?;
        // A connection that is closed with bytes unread is reset, and the answer lost with it.
        self.socket.shutdown(Shutdown::Write)?;
        self.socket.set_read_timeout(Some(LINGER))?;
        let rest = MAX_BODY_BYTES as u64;
        io::copy(&mut (&self.socket).take(rest), &mut io::sink())?;
        Ok(())
    }

    /// Begins an answer that comes in pieces.
    pub(crate) fn stream(
        &mut self,
        request: &Request,
        content_type: &str,
    ) -> io::Result<Pieces<'_>> {
        let is_chunked = !request.is_1_0;
        let mut head = begin(200, content_type, request.is_last);
        head.push_str("Cache-Control: no-cache\r\n");
        head.push_str(if is_chunked {
            "Transfer-Encoding: chunked\r\n\r\n"
        } else {
            // The connection's end is the body's.
            "\r\n"
        });
        self.socket.write_all(head.as_bytes())?;
        Ok(Pieces {
            socket: &mut self.socket,
            is_chunked,
            is_last: request.is_last,
        })
    }
}

/// The body of an answer, piece by piece.
pub(crate) struct Pieces<'a> {
    socket: &'a mut TcpStream,
    is_chunked: bool,
    is_last: bool,
}

impl Pieces<'_> {
    /// Sends a piece at once, as one chunk.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_chunked {
            return self.socket.write_all(bytes);
        }
        // A chunk of no bytes would be the end.
        if bytes.is_empty() {
            return Ok(());
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.socket.write_all(&chunk)
    }

    /// Ends the body. False where the connection is not to be used again.
    pub(crate) fn end(self) -> io::Result<bool> {
        if self.is_chunked {
            self.socket.write_all(b"0\r\n\r\n")?;
        }
        Ok(!self.is_last)
    }
}

/// The first lines of an answer.
fn begin(status: u16, content_type: &str, is_last: bool) -> String {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    let date = httpdate::fmt_http_date(SystemTime::now());
    let close = if is_last { "Connection: close\r\n" } else { "" };
    format!("HTTP/1.1 {status} {reason}\r\nDate: {date}\r\nContent-Type: {content_type}\r\n{close}")
}

/// A request without its body, how long that is, and whether the client waits to be told to send it.
type Head = (Request, Length, bool);

/// Reads a head, where it is whole, and tells its own length in bytes.
fn head(bytes: &[u8]) -> Result<Option<(usize, Head)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let len = match parsed.parse(bytes) {
        Ok(Status::Complete(len)) => len,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return refused(431, format!("More than {MAX_HEADERS} headers"));
        }
        Err(httparse::Error::Version) => {
            return refused(505, "Only HTTP/1.0 and HTTP/1.1 are supported");
        }
        Err(error) => return refused(400, format!("Not an HTTP request: {error}")),
    };
    let is_1_0 = parsed.version == Some(0);
    let mut request = Request {
        method: parsed.method.unwrap_or_default().into(),
        target: parsed.path.unwrap_or_default().into(),
        authorization: None,
        body: Vec::new(),
        is_1_0,
        is_last: is_1_0,
    };
    let mut length = None;
    let mut is_chunked = false;
    let mut is_expected = false;
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        let has = |word: &str| {
            let mut words = value.split(',');
            words.any(|each| each.trim().eq_ignore_ascii_case(word))
        };
        match &*header.name.to_ascii_lowercase() {
            "authorization" => request.authorization = Some(value.into_owned()),
            "connection" => request.is_last |= has("close"),
            "expect" => is_expected = !is_1_0 && has("100-continue"),
            "content-length" => {
                let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
                let said = value.parse::<usize>().ok().filter(|_| is_number);
                if said.is_none() || length.is_some_and(|length| Some(length) != said) {
                    return refused(400, "Content-Length is not a single number");
                }
                length = said;
            }
            "transfer-encoding" => {
                if !value.trim().eq_ignore_ascii_case("chunked") {
                    return refused(501, "The only supported transfer coding is chunked");
                }
                is_chunked = true;
            }
            _ => {}
        }
    }
    let length = match (is_chunked, length) {
        // Who says both may mean to smuggle a request past somebody.
        (true, Some(_)) => {
            return refused(400, "Content-Length and Transfer-Encoding are both set");
        }
        (true, None) => Length::Chunked,
        (false, length) => Length::Bytes(length.unwrap_or(0)),
    };
    Ok(Some((len, (request, length, is_expected))))
}
