//! A server that does to its clients whatever a test writes out, byte for byte.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Longer than anything here takes: only a test that would hang meets it.
pub const FOREVER: Duration = Duration::from_secs(30);

/// What is done to one connection.
pub type Script = Box<dyn FnOnce(&mut Connection) + Send>;

/// A server on loopback. Each connection in turn gets the next script; when there are no more, nobody
/// listens. Dropping it opens its gate.
pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    gate: Arc<Gate>,
}

/// What scripts wait at that have nothing more to say.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap();
        let shut = |is_open: &mut bool| !*is_open;
        drop(self.opened.wait_timeout_while(is_open, FOREVER, shut));
    }
}

impl Server {
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let scripts: Vec<_> = scripts.into_iter().collect();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Gate::default());
        let (log, shut) = (Arc::clone(&requests), Arc::clone(&gate));
        thread::spawn(move || {
            for script in scripts {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let mut connection = Connection {
                    stream,
                    requests: Arc::clone(&log),
                    request: String::new(),
                    gate: Arc::clone(&shut),
                };
                thread::spawn(move || script(&mut connection));
            }
        });
        Server {
            url,
            requests,
            gate,
        }
    }

    /// One that answers one request with these bytes and closes.
    pub fn bytes(response: impl Into<Vec<u8>>) -> Self {
        Server::new([answer(response)])
    }

    /// One whose only connection does this, behind its request.
    /// A server that streams one reply, `before after`, with a malformed event in its middle.
    pub fn malformed() -> Self {
        let body = event("before ") + "data: {oops\n\n" + &reply(&["after"]);
        Self::bytes(chunked([body.as_bytes()]))
    }

    pub fn script(act: impl FnOnce(&mut Connection) + Send + 'static) -> Self {
        Server::new([script(act)])
    }

    /// The requests so far: head in lower case, and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Lets the scripts that wait go on.
    pub fn open_gate(&self) {
        self.gate.open();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.gate.open();
    }
}

/// An address that answers no connection, for as long as the second value lives: its backlog is full.
pub fn unanswering() -> (SocketAddr, impl Sized) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        waiting.push(stream);
    }
    (address, (socket, waiting))
}

/// A script that reads a request first.
pub fn script(act: impl FnOnce(&mut Connection) + Send + 'static) -> Script {
    Box::new(move |connection| {
        if connection.request().is_some() {
            act(connection);
        }
    })
}

/// A script that reads a request and answers with these bytes.
pub fn answer(response: impl Into<Vec<u8>>) -> Script {
    let response = response.into();
    script(move |connection| connection.send(&response))
}

/// A script that does not even read.
pub fn rude(act: impl FnOnce(&mut Connection) + Send + 'static) -> Script {
    Box::new(act)
}

pub struct Connection {
    pub stream: TcpStream,
    requests: Arc<Mutex<Vec<String>>>,
    request: String,
    gate: Arc<Gate>,
}

impl Connection {
    /// Reads a request with its body, of which Content-Length gives the length.
    pub fn request(&mut self) -> Option<String> {
        let request = read_request(&mut self.stream).ok()?;
        self.requests.lock().unwrap().push(request.clone());
        self.request.clone_from(&request);
        Some(request)
    }

    /// The request of this connection that was read last.
    pub fn last_request(&self) -> &str {
        &self.request
    }

    /// The number in its JSON.
    pub fn number(&self) -> &str {
        let number = self.request.rsplit("{\"number\":").next();
        number.unwrap_or_default().trim_end_matches('}')
    }

    /// Sends; the client may be gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says nothing until the test is over.
    pub fn stall(&self) {
        self.gate.wait();
    }

    /// Closes with a reset instead of an end: what was sent to it stays unread.
    pub fn reset(&mut self) {
        socket2::SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }

    /// Whether the client closes its end, sooner or later.
    pub fn is_closed_by_client(&mut self) -> bool {
        self.stream.set_read_timeout(Some(FOREVER)).unwrap();
        let mut rest = [0; 1024];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
            }
        }
    }

    /// Whether the client has closed its end by now.
    pub fn is_gone(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let read = self.stream.read(&mut [0; 64]);
        self.stream.set_nonblocking(false).unwrap();
        match read {
            Ok(len) => len == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    pub fn close(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

pub fn read_request(stream: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes);
    // Names and methods in lower case, values as they are.
    let head: String = head
        .split_inclusive("\r\n")
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
            None => line.to_owned(),
        })
        .collect();
    let len = header(&head, "content-length").map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; len];
    stream.read_exact(&mut body)?;
    Ok(head + &String::from_utf8_lossy(&body))
}

/// The value of a header of a request.
pub fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let head = request.split("\r\n\r\n").next()?;
    head.split("\r\n")
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The head of a response that is an event stream, without what delimits its body.
pub const SSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

/// An event stream in HTTP chunks as they are given.
pub fn chunked<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut response = format!("{SSE}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for bytes in chunks {
        response.extend(chunk(bytes));
    }
    response.extend(b"0\r\n\r\n");
    response
}

pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend(bytes);
    chunk.extend(b"\r\n");
    chunk
}

/// A response with a body of a known length.
pub fn sized(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut response = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend(body);
    response
}

/// A chunk of a chat completion, as an event.
pub fn event(text: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

pub const DONE: &str = "data: [DONE]\n\n";

/// An event stream whose events have these texts, with its terminator.
pub fn reply(texts: &[&str]) -> String {
    let events: String = texts.iter().map(|text| event(text)).collect();
    events + DONE
}
