//! A server that answers each request with what it was told, and keeps the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;

pub(crate) struct Server {
    pub(crate) base_url: String,
    pub(crate) requests: Receiver<String>,
}

impl Server {
    /// Answers with a status and a body, in chunks of a few bytes.
    pub(crate) fn start(status: &'static str, body: Vec<u8>) -> Server {
        Self::serve(status, body, 37, true)
    }

    /// The same, but the end of the body never comes.
    pub(crate) fn start_and_wait(status: &'static str, body: Vec<u8>) -> Server {
        Self::serve(status, body, 37, false)
    }

    /// The same, in one chunk.
    pub(crate) fn start_at_once(status: &'static str, body: Vec<u8>) -> Server {
        let len = body.len();
        Self::serve(status, body, len, true)
    }

    fn serve(status: &'static str, body: Vec<u8>, size: usize, ends: bool) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            let mut open = Vec::new();
            for connection in listener.incoming() {
                let mut connection = connection.expect("a connection");
                let mut reader = BufReader::new(connection.try_clone().expect("a connection"));
                let (mut head, mut len) = (String::new(), 0);
                while !head.ends_with("\r\n\r\n") {
                    let start = head.len();
                    reader.read_line(&mut head).expect("a request");
                    let line = head[start..].to_ascii_lowercase();
                    if let Some(value) = line.strip_prefix("content-length:") {
                        len = value.trim().parse().expect("a length");
                    }
                }
                let mut request = vec![0; len];
                reader.read_exact(&mut request).expect("a body");
                head.push_str(&String::from_utf8(request).expect("JSON"));
                let _ = sender.send(head);
                let start = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\n\
                     Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                );
                let _ = connection.write_all(start.as_bytes());
                for piece in body.chunks(size) {
                    let len = format!("{:x}\r\n", piece.len());
                    let chunk = [len.as_bytes(), piece, b"\r\n"].concat();
                    let _ = connection.write_all(&chunk);
                }
                if ends {
                    let _ = connection.write_all(b"0\r\n\r\n");
                } else {
                    open.push(connection);
                }
            }
        });
        Server {
            base_url: format!("http://{address}/v1"),
            requests,
        }
    }
}
