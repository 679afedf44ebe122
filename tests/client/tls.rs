//! TLS, whole and broken.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use deltawire::End;
use deltawire::client::{Client, Kind, Options};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::server::{SSE, chunked, event, read_request, reply};
use super::{options, outcome_of, read, request};

/// Who signs what the servers here show.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "a test's own authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

struct TlsServer {
    options: Options,
    ca_file: PathBuf,
    /// Bytes of requests, decrypted.
    seen: Arc<Mutex<usize>>,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca_file);
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// A server with a certificate for `name`, which a client that trusts its authority asks.
fn serve(name: &str, is_expired: bool, act: impl Fn(&mut Tls) + Send + 'static) -> TlsServer {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if is_expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let certificate = params.signed_by(&key, &authority).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream.unwrap());
            if let Ok(request) = read_request(&mut tls) {
                *count.lock().unwrap() += request.len();
                act(&mut tls);
            }
        }
    });
    // One file a server: tests run side by side.
    let ca_file = std::env::temp_dir().join(format!("deltawire-{}-{port}.pem", std::process::id()));
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let mut options = options(&format!("https://localhost:{port}"));
    options.ca_file = Some(ca_file.clone());
    TlsServer {
        options,
        ca_file,
        seen,
    }
}

fn answering(tls: &mut Tls) {
    tls.write_all(&chunked([reply(&["a"]).as_bytes()])).unwrap();
    tls.conn.send_close_notify();
    let _ = tls.flush();
}

/// What a client makes of a server that it must not talk to.
fn assert_refused(server: &TlsServer, options: Options, words: &[&str]) {
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Tls, "{error:?}");
    let text = error.to_string();
    assert!(words.iter().any(|word| text.contains(word)), "{text}");
    assert_eq!(*server.seen.lock().unwrap(), 0, "the request was sent");
}

#[test]
fn a_trusted_certificate_is_talked_to() {
    let server = serve("localhost", false, answering);
    let client = Client::new(server.options.clone()).unwrap();
    let outcome = read(client.stream(&request()).unwrap());
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.text, "a");
    assert_eq!(outcome.end, End::Complete);
    assert!(*server.seen.lock().unwrap() > 0);
}

#[test]
fn an_untrusted_certificate_is_not() {
    let server = serve("localhost", false, answering);
    let mut options = server.options.clone();
    options.ca_file = None;
    assert_refused(&server, options, &["UnknownIssuer"]);
}

#[test]
fn an_expired_certificate_is_not() {
    let server = serve("localhost", true, answering);
    assert_refused(&server, server.options.clone(), &["expired", "Expired"]);
}

#[test]
fn a_certificate_of_another_name_is_not() {
    let server = serve("elsewhere.example", false, answering);
    assert_refused(
        &server,
        server.options.clone(),
        &["not valid for name", "NotValidForName"],
    );
}

#[test]
fn a_server_without_tls_is_not() {
    let server = super::server::Server::new([super::server::rude(|connection| {
        let _ = connection.stream.read(&mut [0; 16]);
        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    })]);
    let options = options(&server.url.replace("http:", "https:"));
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Tls, "{error:?}");
}

#[test]
fn a_handshake_that_is_cut_is_a_fault_of_tls() {
    for is_reset in [false, true] {
        let server = super::server::Server::new([super::server::rude(move |connection| {
            let _ = connection.stream.read(&mut [0; 16]);
            if is_reset {
                connection.reset();
            }
        })]);
        let options = options(&server.url.replace("http:", "https:"));
        let error = Client::new(options)
            .unwrap()
            .stream(&request())
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Tls, "{error:?}");
    }
}

#[test]
fn a_body_that_ends_without_close_notify_is_truncated() {
    let server = serve("localhost", false, |tls| {
        // Its end is that of its connection, so only TLS tells whether it is whole.
        let body = format!("{SSE}\r\n{}", event("a"));
        tls.write_all(body.as_bytes()).unwrap();
        tls.flush().unwrap();
    });
    let outcome = outcome_of(server.options.clone());
    assert_eq!(outcome.kind(), Some(Kind::Truncated), "{:?}", outcome.error);
    assert_eq!(outcome.text, "a");
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn a_body_that_ends_with_close_notify_is_whole() {
    let server = serve("localhost", false, |tls| {
        let body = format!("{SSE}\r\n{}", reply(&["a"]));
        tls.write_all(body.as_bytes()).unwrap();
        tls.conn.send_close_notify();
        tls.flush().unwrap();
    });
    let outcome = outcome_of(server.options.clone());
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn a_read_that_blocks_in_tls_is_cancelled() {
    let (reach, reached) = mpsc::channel();
    let server = serve("localhost", false, move |tls| {
        let body = format!("{SSE}\r\n{}", event("a"));
        tls.write_all(body.as_bytes()).unwrap();
        tls.flush().unwrap();
        reach.send(()).unwrap();
        let _ = tls.read(&mut [0; 16]);
    });
    let client = Client::new(server.options.clone()).unwrap();
    let stream = client.stream(&request()).unwrap();
    let cancel = stream.cancel();
    thread::spawn(move || {
        reached.recv().unwrap();
        cancel.cancel();
    });
    let outcome = read(stream);
    assert_eq!(outcome.kind(), Some(Kind::Cancelled));
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn a_file_without_certificates_is_refused() {
    let file = std::env::temp_dir().join(format!("deltawire-{}-none.pem", std::process::id()));
    for content in [
        None,
        Some("no certificates"),
        Some("-----BEGIN CERTIFICATE-----\n!\n"),
    ] {
        match content {
            Some(content) => std::fs::write(&file, content).unwrap(),
            None => drop(std::fs::remove_file(&file)),
        }
        let mut options = options("https://localhost");
        options.ca_file = Some(file.clone());
        let error = Client::new(options).unwrap_err();
        assert_eq!(error.kind(), Kind::Request, "{content:?}");
        assert!(error.to_string().contains("none.pem"), "{error}");
    }
    let _ = std::fs::remove_file(&file);
}
