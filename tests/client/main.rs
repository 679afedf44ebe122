//! The transport, against servers that are written out here byte for byte.

mod cancel;
mod events;
mod failures;
mod http;
mod load;
mod redirects;
mod replies;
mod retries;
mod time;
mod tls;

use deltawire::client::{Client, Error, Kind, Options, Provider, Request, Stream};
use deltawire::{Delta, End, Message};

use deltawire_test_support::server::{self, FOREVER, Server};

const KEY: &str = "canary-key-5b1f";

/// Options for a server here: no other attempts, and no waits that a test would notice.
fn options(url: &str) -> Options {
    let mut options = Options::new(Provider::OpenAi);
    options.base_url = format!("{url}/v1");
    options.key = Some(KEY.into());
    options.retries = 0;
    options.timeout_connect = Some(FOREVER);
    options.timeout_first_byte = Some(FOREVER);
    options.timeout_idle = Some(FOREVER);
    options
}

fn client(server: &Server) -> Client {
    Client::new(options(&server.url)).unwrap()
}

fn request() -> Request {
    let mut request = Request::chat("tiny");
    request.push("user", "Hi");
    request
}

fn stream(server: &Server) -> Result<Stream, Error> {
    client(server).stream(&request())
}

/// The outcome of a stream: its text, how it ended, the events that could not be decoded, and its error.
struct Outcome {
    text: String,
    end: End,
    invalid: Vec<deltawire::Error>,
    error: Option<Error>,
}

impl Outcome {
    fn kind(&self) -> Option<Kind> {
        self.error.as_ref().map(Error::kind)
    }
}

/// Reads a stream to its end, past every error.
fn read(mut stream: Stream) -> Outcome {
    let mut outcome = Outcome {
        text: String::new(),
        end: End::Unrecognised,
        invalid: Vec::new(),
        error: None,
    };
    loop {
        match stream.next() {
            Ok(Some(Delta::Text { text, .. })) => outcome.text.push_str(text),
            Ok(Some(Delta::Invalid { error, .. })) => outcome.invalid.push(error),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                assert!(outcome.error.is_none(), "a second error: {error}");
                outcome.error = Some(error);
            }
        }
    }
    outcome.end = stream.end();
    outcome
}

/// What a server's only response is read as.
fn outcome(server: &Server) -> Outcome {
    outcome_of(options(&server.url))
}

fn outcome_of(options: Options) -> Outcome {
    match Client::new(options).unwrap().stream(&request()) {
        Ok(stream) => read(stream),
        Err(error) => Outcome {
            text: String::new(),
            end: End::Unrecognised,
            invalid: Vec::new(),
            error: Some(error),
        },
    }
}

/// The error in place of a response.
fn refused(server: &Server) -> Error {
    match stream(server) {
        Ok(stream) => panic!("no refusal but {stream:?}"),
        Err(error) => error,
    }
}

fn whole_message(mut stream: Stream) -> Message {
    let mut message = Message::new();
    stream.read_to_end(&mut message).unwrap();
    message
}

/// Handles may move between threads, and what is shared may be used by several at once.
#[test]
fn what_moves_and_what_is_shared() {
    fn moves<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Client>();
    is_shared::<Options>();
    is_shared::<Error>();
    is_shared::<deltawire::client::Cancel>();
    is_shared::<deltawire::client::Event>();
    moves::<Stream>();
    moves::<deltawire::client::Events>();
    moves::<deltawire::client::Chunks>();
    moves::<deltawire::client::EventSource>();
}
