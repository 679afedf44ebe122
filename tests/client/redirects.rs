//! Where a request follows, and what it leaves behind.

use deltawire::client::{Client, Kind};

use super::server::{Server, answer, chunked, header, reply};
use super::{KEY, client, options, read, refused};

fn redirect(status: &str, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

fn stream() -> Vec<u8> {
    chunked([reply(&["a"]).as_bytes()])
}

const ALL: [&str; 5] = [
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
];

#[test]
fn a_get_follows_every_redirect() {
    for status in ALL {
        let server = Server::new([answer(redirect(status, "/elsewhere?x=1")), answer(stream())]);
        let stream = client(&server).get("/here").stream().unwrap();
        assert_eq!(read(stream).text, "a", "{status}");
        let asked = server.requests();
        assert!(
            asked[1].starts_with("GET /elsewhere?x=1 HTTP/1.1\r\n"),
            "{status}"
        );
        assert!(header(&asked[1], "authorization").is_some(), "{status}");
    }
}

#[test]
fn a_post_follows_only_where_it_stays_a_post() {
    for status in ALL {
        let server = Server::new([answer(redirect(status, "/elsewhere")), answer(stream())]);
        let result = super::stream(&server);
        let asked = server.requests();
        if status.starts_with("307") || status.starts_with("308") {
            assert_eq!(read(result.unwrap()).text, "a", "{status}");
            assert!(
                asked[1].starts_with("POST /elsewhere HTTP/1.1\r\n"),
                "{status}"
            );
            let body = |request: &str| request.split("\r\n\r\n").nth(1).map(str::to_owned);
            assert_eq!(body(&asked[0]), body(&asked[1]), "{status}");
        } else {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), Kind::Redirect, "{status}");
            assert!(error.to_string().contains("/elsewhere"), "{error}");
            assert_eq!(error.status().unwrap().status.to_string(), status[..3]);
            assert_eq!(asked.len(), 1);
        }
    }
}

#[test]
fn a_post_is_not_repeated_to_another_origin() {
    let other = Server::bytes(stream());
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::bytes(redirect(status, &format!("{}/x", other.url)));
        let error = refused(&server);
        assert_eq!(error.kind(), Kind::Redirect);
        assert!(error.to_string().contains(&other.url), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[test]
fn no_credentials_follow_to_another_origin() {
    let other = Server::bytes(stream());
    let server = Server::bytes(redirect("302 Found", &format!("{}/x", other.url)));
    let mut options = options(&server.url);
    options.headers = vec![
        ("X-Api-Key".into(), "canary-header".into()),
        ("Cookie".into(), "canary-cookie".into()),
    ];
    let client = Client::new(options).unwrap();
    let call = client.get("/x").header("X-Token", "canary-token");
    assert_eq!(read(call.stream().unwrap()).text, "a");
    let first = &server.requests()[0];
    assert!(
        first.contains("canary-header") && first.contains("canary-token"),
        "{first}"
    );
    let second = &other.requests()[0];
    assert!(!second.contains("canary"), "{second}");
    assert!(!second.contains(KEY), "{second}");
    assert!(header(second, "accept").is_some(), "{second}");
}

#[test]
fn credentials_do_not_come_back_with_a_redirect_to_the_first_origin() {
    // Whoever is asked in between could else send them anywhere on the first one.
    let first = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let back = format!("http://{}/back", first.local_addr().unwrap());
    drop(first);
    let other = Server::bytes(redirect("302 Found", &back));
    let server = Server::bytes(redirect("302 Found", &format!("{}/x", other.url)));
    let error = client(&server).get("/x").stream().unwrap_err();
    assert_eq!(error.kind(), Kind::Connect, "{error:?}");
    assert!(!other.requests()[0].contains(KEY));
}

#[test]
fn a_loop_ends() {
    let server = Server::new((0..20).map(|_| answer(redirect("302 Found", "/again"))));
    let error = client(&server).get("/x").stream().unwrap_err();
    assert_eq!(error.kind(), Kind::Redirect);
    assert!(error.to_string().contains("more than 10 times"), "{error}");
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn a_redirect_without_a_place_is_told() {
    for location in ["", "http://[", "::"] {
        let server = Server::new([answer(redirect("302 Found", location)), answer(stream())]);
        let result = client(&server).get("/x").stream();
        // An empty reference is the same place again, by RFC 3986.
        if !location.is_empty() {
            assert_eq!(result.unwrap_err().kind(), Kind::Redirect, "{location:?}");
        }
    }
    let nowhere = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n";
    let error = client(&Server::bytes(nowhere))
        .get("/x")
        .stream()
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Redirect);
}

#[test]
fn other_3xx_are_refusals() {
    for status in ["300 Multiple Choices", "304 Not Modified", "305 Use Proxy"] {
        let error = refused(&Server::bytes(redirect(status, "/x")));
        assert_eq!(error.kind(), Kind::Status, "{status}");
    }
}
