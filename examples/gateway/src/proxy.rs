//! From a client's request to the provider's, and back.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use deltawire::frame::Framing;

use crate::AnyError;
use crate::log::Log;
use crate::passing::Passing;
use crate::watch::{Reader, Watch};

/// What a client gets: the provider's body, or a word of the gateway's own.
pub(crate) type Body = Either<Passing, Full<Bytes>>;

/// What is between two neighbours and is not passed on (RFC 9110 section 7.6.1), beside what
/// `Connection` names.
static HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("proxy-authenticate"),
];

pub(crate) struct Proxy {
    client: Client<HttpsConnector<HttpConnector>, Incoming>,
    upstream: Uri,
    reader: Reader,
    keeps_text: bool,
}

impl Proxy {
    pub(crate) fn new(upstream: Uri, reader: Reader, keeps_text: bool) -> Result<Proxy, AnyError> {
        if upstream.host().is_none() || upstream.scheme().is_none() {
            return Err(format!("{upstream}: no scheme and host").into());
        }
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Proxy {
            client: Client::builder(TokioExecutor::new()).build(https),
            upstream,
            reader,
            keeps_text,
        })
    }

    pub(crate) async fn forward(&self, request: Request<Incoming>) -> Response<Body> {
        // Not the query: some providers take the key in it.
        let mut log = Log::new(request.method(), request.uri().path());
        match self.ask(request).await {
            Ok(response) => self.pass(response, log),
            Err(error) => {
                log.refuse(&error);
                let body = Full::from(format!("the provider could not be asked: {error}\n"));
                let mut response = Response::new(Either::Right(body));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        }
    }

    async fn ask(&self, request: Request<Incoming>) -> Result<Response<Incoming>, String> {
        let (mut head, body) = request.into_parts();
        head.uri = self.uri_of(&head.uri).map_err(|error| error.to_string())?;
        head.version = Version::HTTP_11;
        drop_hop_by_hop(&mut head.headers);
        // The name of the upstream is put in its place.
        head.headers.remove(HOST);
        // What is compressed could only be passed on, not read.
        head.headers.remove(ACCEPT_ENCODING);
        let asked = self.client.request(Request::from_parts(head, body)).await;
        asked.map_err(|error| chain(&error))
    }

    fn pass(&self, response: Response<Incoming>, mut log: Log) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        log.status = Some(head.status);
        drop_hop_by_hop(&mut head.headers);
        let content_type = head.headers.get(CONTENT_TYPE);
        let framing = content_type
            .and_then(|value| value.to_str().ok())
            .filter(|_| !head.headers.contains_key(CONTENT_ENCODING))
            .and_then(Framing::of_content_type);
        let watch = match framing {
            Some(framing) => Watch::new(self.reader, framing, self.keeps_text),
            None => Watch::blind(),
        };
        Response::from_parts(head, Either::Left(Passing::new(body, watch, log)))
    }

    /// The upstream's scheme, host and prefix, and the client's path and query.
    fn uri_of(&self, asked: &Uri) -> Result<Uri, hyper::http::Error> {
        let path = asked.path_and_query().map_or("/", |path| path.as_str());
        let prefix = self.upstream.path().trim_end_matches('/');
        let mut parts = self.upstream.clone().into_parts();
        parts.path_and_query = Some(format!("{prefix}{path}").try_into()?);
        Ok(Uri::from_parts(parts)?)
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// An error and its causes: hyper's own words leave them out.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
