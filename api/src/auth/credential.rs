//! Where a request carries its credential: a header for programs, a cookie for browsers.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN};

use super::bearer;
use crate::service::caller::Credential;

/// The cookie of a browser's session. The prefix makes browsers refuse it without `Secure`, with a domain, or for a
/// part of the site (RFC 6265bis, 4.1.3.2).
pub const COOKIE_NAME: &str = "__Host-flowforge";
/// The cookie of a sign-in at the provider that a browser began.
pub const LOGIN_COOKIE_NAME: &str = "__Host-flowforge-sign-in";
/// The workspace that somebody who is in several wants to be in, by its id or slug.
pub const WORKSPACE: HeaderName = HeaderName::from_static("x-flowforge-workspace");
/// What every browser of today says about where a request comes from (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The credential of a request. A cookie counts only when the request comes from a page of ours: browsers send cookies
/// along with whatever other sites make them ask.
pub fn token<'a>(headers: &'a HeaderMap, allowed_origins: &[String]) -> Option<&'a str> {
    match headers.get(AUTHORIZATION) {
        Some(value) => value.to_str().ok().and_then(bearer),
        None => session(headers, allowed_origins),
    }
}

/// The same with the workspace that the request names.
pub fn shown(headers: &HeaderMap, allowed_origins: &[String]) -> Option<Credential> {
    let workspace = headers.get(WORKSPACE).and_then(|name| name.to_str().ok()).map(str::to_owned);
    token(headers, allowed_origins).map(|token| Credential { token: token.to_owned(), workspace })
}

/// The session of a request that comes from a page of ours.
pub fn session<'a>(headers: &'a HeaderMap, allowed_origins: &[String]) -> Option<&'a str> {
    cookie(headers, COOKIE_NAME).filter(|_| is_own_page(headers, allowed_origins))
}

/// Whether a request says by itself who asks.
pub fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || cookie(headers, COOKIE_NAME).is_some()
}

/// The cookie of this name, whoever asks.
pub fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';'));
    let found = pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value)
}

/// Whether the page that asks is one of ours. Only a browser has cookies, and a browser names its origin.
pub fn is_own_page(headers: &HeaderMap, allowed_origins: &[String]) -> bool {
    if headers.contains_key(ORIGIN) {
        return origin_allowed(headers, allowed_origins);
    }
    headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "same-origin")
}

/// Whether the origin, when one is named, may ask. Programs that are no browsers need not name any.
pub fn origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").map(|(_, host)| host);
    (own.is_some() && own == host) || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_counts_only_from_a_page_of_ours() {
        let session = (COOKIE, "theme=dark; __Host-flowforge=abc; other=1");
        let host = (HOST, "127.0.0.1:8080");
        let from = |name: HeaderName, value: &'static str| headers(&[session.clone(), host.clone(), (name, value)]);
        for own in [
            from(ORIGIN, "http://127.0.0.1:8080"),
            from(ORIGIN, "https://app.test"),
            from(SEC_FETCH_SITE, "same-origin"),
        ] {
            assert_eq!(token(&own, &["https://app.test".to_owned()]), Some("abc"), "{own:?}");
        }
        for foreign in [
            from(ORIGIN, "http://evil.test"),
            from(ORIGIN, "null"),
            from(SEC_FETCH_SITE, "cross-site"),
            from(SEC_FETCH_SITE, "same-site"),
            from(SEC_FETCH_SITE, "none"),
            headers(&[session.clone(), host.clone()]),
            headers(&[session.clone(), host.clone(), (ORIGIN, "http://evil.test"), (SEC_FETCH_SITE, "same-origin")]),
        ] {
            assert_eq!(token(&foreign, &["https://app.test".to_owned()]), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_header_goes_before_a_cookie_also_when_it_is_wrong() {
        let both = |value: &'static str| {
            headers(&[(AUTHORIZATION, value), (COOKIE, "__Host-flowforge=abc"), (SEC_FETCH_SITE, "same-origin")])
        };
        assert_eq!(token(&both("Bearer xyz"), &[]), Some("xyz"));
        assert_eq!(token(&both("Basic xyz"), &[]), None);
        assert_eq!(token(&headers(&[(COOKIE, "flowforge=abc"), (SEC_FETCH_SITE, "same-origin")]), &[]), None);
    }
}
