//! An OpenAI-compatible server that answers from recordings, every connection in a thread of its own.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use deltawire::Dialect;
use serde_json::{Value, json};

use crate::cli::http::{Connection, Fault, Request};
use crate::cli::recording::Recording;
use crate::cli::screen::say;

/// How long to wait where no connection can be had, for want of files or of memory.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that is bound to its address and waits to run.
pub(crate) struct Server {
    listener: TcpListener,
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
        let listener = TcpListener::bind((host, port))?;
        Ok(Server {
            address: listener.local_addr()?,
            listener,
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

    /// Answers for as long as the process lives.
    pub(crate) fn run(&self) -> ! {
        loop {
            let replies = Arc::clone(&self.replies);
            let begun = self.listener.accept().and_then(|(socket, _)| {
                thread::Builder::new().spawn(move || {
                    // A client that hangs up is nobody's fault.
                    let _ = replies.converse(socket);
                })
            });
            if let Err(error) = begun {
                self.replies
                    .tell(&format!("could not accept a connection: {error}"));
                thread::sleep(PAUSE);
            }
        }
    }
}

impl Replies {
    /// Answers all requests of a connection, one behind the other.
    fn converse(&self, socket: TcpStream) -> io::Result<()> {
        let mut connection = Connection::new(socket)?;
        loop {
            match connection.next() {
                Ok(request) => {
                    if !self.answer(&mut connection, &request)? {
                        return Ok(());
                    }
                }
                Err(Fault::Gone) => return Ok(()),
                Err(Fault::Refused { status, message }) => {
                    self.tell(&format!("{status} {message}"));
                    let refusal = Refusal::new(status, None, message);
                    return connection.refuse(status, &refusal.to_json().to_string());
                }
            }
        }
    }

    /// Answers a request. False where its connection is not to be used again.
    fn answer(&self, connection: &mut Connection, request: &Request) -> io::Result<bool> {
        let received = Instant::now();
        let asked = format!("{} {}", request.method, request.target);
        let answer = self
            .question(request)
            .and_then(|question| Ok((self.choose(&question)?, question)));
        let (recording, question) = match answer {
            Ok(answer) => answer,
            Err(refusal) => {
                self.tell(&format!("{asked}: {} {}", refusal.status, refusal.message));
                let body = refusal.to_json().to_string();
                return connection.respond(request, refusal.status, &body);
            }
        };
        let how = if question.stream {
            "streamed"
        } else {
            "not streamed"
        };
        self.tell(&format!("{asked}: {} {how}", recording.name));
        if !question.stream {
            let (status, body, due) = recording.whole();
            thread::sleep(due.saturating_sub(received.elapsed()));
            return connection.respond(request, status, &body.to_string());
        }
        let mut pieces = connection.stream(request, "text/event-stream; charset=utf-8")?;
        for (bytes, due) in recording.events(question.include_usage) {
            thread::sleep(due.saturating_sub(received.elapsed()));
            pieces.send(&bytes)?;
        }
        pieces.end()
    }

    fn tell(&self, what: &str) {
        if self.options.verbose {
            say(what);
        }
    }

    fn question(&self, request: &Request) -> Result<Question, Refusal> {
        let path = request.target.split('?').next().unwrap_or_default();
        let dialect = match path.strip_prefix("/v1").unwrap_or(path) {
            "/chat/completions" => Dialect::OpenAiChat,
            "/completions" => Dialect::OpenAiCompletions,
            _ => {
                let message = format!("Unknown request URL: {} {path}", request.method);
                return Err(Refusal::new(404, Some("unknown_url"), message));
            }
        };
        if request.method != "POST" {
            let message = format!("{path} takes POST, not {}", request.method);
            return Err(Refusal::new(405, Some("method_not_supported"), message));
        }
        self.authorize(request)?;
        let json =
            simd_json::serde::from_slice::<Value>(&mut request.body.clone()).map_err(|error| {
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
        let given = request.authorization.as_deref();
        let given = given.and_then(|value| value.strip_prefix("Bearer "));
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
            let message = format!("No recording has the dialect {}", question.dialect);
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
