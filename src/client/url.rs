//! Of URLs: whose they are, where a redirect leads, what of them may be shown.

use std::net::IpAddr;

use iri_string::types::{UriAbsoluteStr, UriReferenceStr, UriStr};
use ureq::http::Uri;

/// What of a URL may stand in a message: not a password in it, and not the values of its query, of
/// which some are keys.
pub(super) fn shown(url: &str) -> String {
    let Ok(uri) = UriReferenceStr::new(url) else {
        // What is no URL may be anything: its shape tells no secret from the rest.
        return url.split(['?', '#', '@']).next().unwrap_or_default().into();
    };
    let mut shown = String::new();
    if let Some(scheme) = uri.scheme_str() {
        shown += scheme;
        shown.push(':');
    }
    if let Some(authority) = uri.authority_components() {
        shown += "//";
        shown += authority.host();
        if let Some(port) = authority.port() {
            shown.push(':');
            shown += port;
        }
    }
    shown += uri.path_str();
    if uri.query_str().is_some() {
        shown += "?...";
    }
    shown
}

/// Where a redirect from `base` to `location` leads (RFC 3986, section 5.2), without its fragment;
/// `None` where `location` is no place.
pub(super) fn join(base: &str, location: &str) -> Option<String> {
    let base = UriStr::new(base).ok()?;
    let base: &UriAbsoluteStr = base.to_absolute();
    let location = UriReferenceStr::new(location).ok()?;
    let target = location.resolve_against(base).to_string();
    let end = target.find('#').unwrap_or(target.len());
    Some(target[..end].into())
}

/// Whether two URLs have one origin: the same scheme, host and port.
pub(super) fn is_same_origin(a: &str, b: &str) -> bool {
    match (origin(a), origin(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = match (uri.port_u16(), scheme.as_str()) {
        (Some(port), _) => port,
        (None, "http") => 80,
        (None, "https") => 443,
        _ => return None,
    };
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

/// Whether a URL is this machine's own.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let cases = [
            ("https://a.example/v1/chat", "https://a.example/v1/chat"),
            (
                "https://me:secret@a.example:8443/v1",
                "https://a.example:8443/v1",
            ),
            (
                "https://a.example/x?key=secret&alt=sse",
                "https://a.example/x?...",
            ),
            ("http://[::1]:80/x#secret", "http://[::1]:80/x"),
            ("not a url ?key=secret", "not a url "),
        ];
        for (url, expected) in cases {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn a_redirect_leads_where_rfc_3986_says() {
        let base = "http://a.example/b/c/d?q";
        let cases = [
            ("http://c.example/x", "http://c.example/x"),
            ("//c.example/x", "http://c.example/x"),
            ("/x?y=1", "http://a.example/x?y=1"),
            ("x", "http://a.example/b/c/x"),
            ("../x#f", "http://a.example/b/x"),
            ("?z", "http://a.example/b/c/d?z"),
        ];
        for (location, expected) in cases {
            assert_eq!(join(base, location).as_deref(), Some(expected));
        }
        assert_eq!(join(base, "not a place"), None);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(is_same_origin(
            "http://A.example/x",
            "http://a.example:80/y"
        ));
        assert!(is_same_origin("https://a.example", "https://a.example:443"));
        assert!(!is_same_origin("http://a.example", "https://a.example"));
        assert!(!is_same_origin("http://a.example", "http://b.example"));
        assert!(!is_same_origin("http://a.example", "http://a.example:81"));
        assert!(!is_same_origin("nonsense", "nonsense"));
    }
}
