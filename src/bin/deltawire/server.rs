//! An OpenAI-compatible server that answers from recordings.
//!
//! tiny_http reads the requests and keeps the connections. It would send a streamed body in blocks
//! of its own size, so a stream's head and chunks are written here, each flushed as it is due.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use deltawire::Dialect;
use serde_json::{Value, json};
use tiny_http::{HTTPVersion, Header, Method, Request, Response};

use crate::recording::Recording;

/// The largest request that is read, in bytes.
const MAX_REQUEST_BYTES: u64 = 16 * 1024 * 1024;

/// A server that is bound to its address and waits to run.
pub(crate) struct Server {
    http: tiny_http::Server,
    address: SocketAddr,
    replies: Arc<Replies>,
}

/// All that the threads share.
struct Replies {
    recordings: Vec<Recording>,
    /// How often each has answered: of several that fit, the one that did so least is next.
    answered: Mutex<Vec<usize>>,
    options: Options,
}

/// How a server behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// The key that requests must carry; none lets everybody in.
    pub(crate) key: Option<String>,
    /// Tell on standard error what is asked and which recording answers.
    pub(crate) verbose: bool,
}

/// A request's answer that is no reply.
struct Refusal {
    status: u16,
    code: Option<&'static str>,
    message: String,
}

/// What is needed of a request.
struct Question {
    dialect: Dialect,
    model: String,
    /// The prompt, or the last message.
    prompt: String,
    stream: bool,
    include_usage: bool,
}

impl Server {
    pub(crate) fn bind(
        host: &str,
        port: u16,
        recordings: Vec<Recording>,
        options: Options,
    ) -> io::Result<Server> {
        let listener = without_delay(TcpListener::bind((host, port))?)?;
        let address = listener.local_addr()?;
        let http = tiny_http::Server::from_listener(listener, None).map_err(io::Error::other)?;
        Ok(Server {
            http,
            address,
            replies: Arc::new(Replies {
                answered: Mutex::new(vec![0; recordings.len()]),
                recordings,
                options,
            }),
        })
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers for as long as the process lives, every request in a thread of its own.
    pub(crate) fn run(&self) -> io::Result<()> {
        loop {
            let request = self.http.recv()?;
            let replies = Arc::clone(&self.replies);
            thread::spawn(move || {
                // A client that hangs up is nobody's fault.
                let _ = replies.answer(request);
            });
        }
    }
}

/// Has small pieces sent at once. The standard library can say so of a connection alone, which
/// tiny_http keeps to itself; connections inherit it from the socket that they came in on.
#[cfg(unix)]
fn without_delay(listener: TcpListener) -> io::Result<TcpListener> {
    use std::net::TcpStream;
    use std::os::fd::OwnedFd;

    let socket = TcpStream::from(OwnedFd::from(listener));
    socket.set_nodelay(true)?;
    Ok(OwnedFd::from(socket).into())
}

#[cfg(not(unix))]
fn without_delay(listener: TcpListener) -> io::Result<TcpListener> {
    Ok(listener)
}

impl Replies {
    fn answer(&self, mut request: Request) -> io::Result<()> {
        let received = Instant::now();
        let asked = format!("{} {}", request.method(), request.url());
        let answer = self
            .question(&mut request)
            .and_then(|question| Ok((self.choose(&question)?, question)));
        let (recording, question) = match answer {
            Ok(answer) => answer,
            Err(refusal) => {
                self.tell(&format!("{asked}: {} {}", refusal.status, refusal.message));
                let body = refusal.to_json();
                return request.respond(json_response(refusal.status, &body));
            }
        };
        let how = if question.stream { "streamed" } else { "whole" };
        self.tell(&format!("{asked}: {} {how}", recording.name));
        if question.stream {
            return stream(request, recording, question.include_usage, received);
        }
        let (status, body, due) = recording.whole();
        thread::sleep(due.saturating_sub(received.elapsed()));
        request.respond(json_response(status, &body))
    }

    fn tell(&self, what: &str) {
        if self.options.verbose {
            // Standard error may be gone; the server need not go with it.
            let _ = writeln!(io::stderr(), "deltawire: {what}");
        }
    }

    fn question(&self, request: &mut Request) -> Result<Question, Refusal> {
        let path = request.url().split('?').next().unwrap_or_default();
        let dialect = match path.strip_prefix("/v1").unwrap_or(path) {
            "/chat/completions" => Dialect::OpenAiChat,
            "/completions" => Dialect::OpenAiCompletions,
            _ => {
                let message = format!("Unknown request URL: {} {path}", request.method());
                return Err(Refusal::new(404, Some("unknown_url"), message));
            }
        };
        if *request.method() != Method::Post {
            let message = format!("{path} takes POST, not {}", request.method());
            return Err(Refusal::new(405, Some("method_not_supported"), message));
        }
        self.authorize(request)?;
        // Of a request that offers to change the protocol, what is read is the connection, whose end does
        // not come.
        let length = request.body_length().unwrap_or(usize::MAX) as u64;
        let mut body = Vec::new();
        let read = request
            .as_reader()
            .take(length.min(MAX_REQUEST_BYTES))
            .read_to_end(&mut body);
        let json = match read {
            Ok(_) => serde_json::from_slice::<Value>(&body).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let json = json.map_err(|error| {
            Refusal::new(400, None, format!("The body is not valid JSON: {error}"))
        })?;
        if !json.is_object() {
            let message = "The body is not a JSON object".into();
            return Err(Refusal::new(400, None, message));
        }
        let stream = json["stream"].as_bool().unwrap_or_default();
        if !stream && !json["stream_options"].is_null() {
            let message = "stream_options is only allowed when stream is true".into();
            return Err(Refusal::new(400, None, message));
        }
        let prompt = match json["messages"].as_array() {
            Some(messages) => messages.last().map(|message| &message["content"]),
            None => Some(&json["prompt"]),
        };
        Ok(Question {
            dialect,
            model: json["model"].as_str().unwrap_or_default().into(),
            prompt: prompt.and_then(Value::as_str).unwrap_or_default().into(),
            stream,
            include_usage: json["stream_options"]["include_usage"]
                .as_bool()
                .unwrap_or_default(),
        })
    }

    fn authorize(&self, request: &Request) -> Result<(), Refusal> {
        let Some(key) = &self.options.key else {
            return Ok(());
        };
        let given = request
            .headers()
            .iter()
            .find(|header| header.field.equiv("Authorization"))
            .and_then(|header| header.value.as_str().strip_prefix("Bearer "));
        match given {
            Some(given) if given == key => Ok(()),
            Some(_) => Err(Refusal::new(
                401,
                Some("invalid_api_key"),
                "Incorrect API key provided".into(),
            )),
            None => Err(Refusal::new(
                401,
                None,
                "You didn't provide an API key: send it as Authorization: Bearer KEY".into(),
            )),
        }
    }

    /// The recording that answers: one that the request's prompt, else its model names, else any
    /// of the dialect; of several, in turn.
    fn choose(&self, question: &Question) -> Result<&Recording, Refusal> {
        let fitting = |fits: &dyn Fn(&Recording) -> bool| -> Vec<usize> {
            let all = self.recordings.iter().enumerate();
            all.filter(|(_, recording)| recording.dialect == question.dialect && fits(recording))
                .map(|(at, _)| at)
                .collect()
        };
        let pools = [
            fitting(&|recording| recording.prompt.as_ref() == Some(&question.prompt)),
            fitting(&|recording| recording.name == question.model),
            fitting(&|recording| recording.model() == question.model),
            fitting(&|_| true),
        ];
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = pools
            .iter()
            .find(|pool| !pool.is_empty())
            .and_then(|pool| pool.iter().copied().min_by_key(|at| answered[*at]));
        let Some(chosen) = chosen else {
            let message = format!("None of the recordings is of {}", question.dialect);
            return Err(Refusal::new(404, Some("model_not_found"), message));
        };
        answered[chosen] += 1;
        Ok(&self.recordings[chosen])
    }
}

impl Refusal {
    fn new(status: u16, code: Option<&'static str>, message: String) -> Self {
        Refusal {
            status,
            code,
            message,
        }
    }

    fn to_json(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": "invalid_request_error",
            "param": null,
            "code": self.code,
        }})
    }
}

fn json_response(status: u16, body: &Value) -> Response<io::Cursor<Vec<u8>>> {
    let response = Response::from_data(body.to_string()).with_status_code(status);
    match Header::from_bytes("Content-Type", "application/json") {
        Ok(header) => response.with_header(header),
        Err(()) => response,
    }
}

/// Sends a recording event by event, each one HTTP chunk.
fn stream(
    request: Request,
    recording: &Recording,
    include_usage: bool,
    received: Instant,
) -> io::Result<()> {
    // HTTP/1.0 knows no chunks: the connection's end is the body's.
    let is_chunked = *request.http_version() >= HTTPVersion(1, 1);
    let framing = if is_chunked {
        "Transfer-Encoding: chunked"
    } else {
        "Connection: close"
    };
    let mut writer = request.into_writer();
    write!(
        writer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\
         Cache-Control: no-cache\r\n{framing}\r\n\r\n"
    )?;
    for (bytes, due) in recording.events(include_usage) {
        let wait = due.saturating_sub(received.elapsed());
        if !wait.is_zero() {
            writer.flush()?;
            thread::sleep(wait);
        }
        if is_chunked {
            write!(writer, "{:x}\r\n", bytes.len())?;
            writer.write_all(&bytes)?;
            writer.write_all(b"\r\n")?;
        } else {
            writer.write_all(&bytes)?;
        }
        writer.flush()?;
    }
    if is_chunked {
        writer.write_all(b"0\r\n\r\n")?;
    }
    writer.flush()
}
