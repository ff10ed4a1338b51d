//! The pages of the canvas, out of the program itself. Every address that is none of the API's is one of theirs.

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::error::no_such_path;

/// A file of the pages.
struct File {
    /// Its path, without a slash before it.
    path: &'static str,
    plain: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page that every address of the canvas begins as.
const INDEX: &str = "index.html";
/// Names below here hold a hash of their content.
const HASHED: &str = "assets/";
/// Stands in the page where the nonce of its styles belongs.
const NONCE: &str = "__CSP_NONCE__";
/// Random bytes of a nonce (CSP level 3 wants 16).
const NONCE_LEN: usize = 16;

/// Whether the program was built with pages.
pub(crate) fn are_here() -> bool {
    !FILES.is_empty()
}

/// A file, or the page for an address that a browser wants to see; else nothing is there.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_read = method == Method::GET || method == Method::HEAD;
    if !is_read {
        return no_such_path(uri).await.into_response();
    }
    if let Some(file) = find(FILES, path) {
        return if file.path == INDEX { page(file) } else { asset(file, &headers) };
    }
    let wants_page =
        headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    match find(FILES, INDEX) {
        Some(index) if wants_page && !path.starts_with(HASHED) => page(index),
        None if wants_page && path.is_empty() => not_built(),
        _ => no_such_path(uri).await.into_response(),
    }
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a File> {
    files.iter().find(|file| file.path == path)
}

/// The page. It is small, is never kept, and has a nonce of its own for the styles that its editor makes.
fn page(file: &File) -> Response {
    let mut bytes = [0_u8; NONCE_LEN];
    if getrandom::fill(&mut bytes).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let nonce = hex::encode(bytes);
    let text = String::from_utf8_lossy(file.plain).replace(NONCE, &nonce);
    let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (
        [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (CONTENT_SECURITY_POLICY, policy),
        ],
        text,
    )
        .into_response();
    guard(response.headers_mut());
    response
}

/// Nothing from elsewhere, nothing inline but styles with the nonce, nobody around it.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn asset(file: &File, headers: &HeaderMap) -> Response {
    let (encoding, bytes) = encoded(file, headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()));
    let kept = if file.path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Body::from(bytes).into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(file.path)));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    guard(answer);
    response
}

/// Says of every answer that it is what it declares to be, so that no browser makes a page of data.
pub(crate) async fn as_declared(mut response: Response) -> Response {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn guard(headers: &mut HeaderMap) {
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

/// The smallest form that the client takes.
fn encoded(file: &File, accepted: Option<&str>) -> (Option<&'static str>, &'static [u8]) {
    let takes = |name: &str| {
        accepted.into_iter().flat_map(|value| value.split(',')).any(|one| {
            let mut parts = one.split(';').map(str::trim);
            let is_it = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name));
            is_it && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    match (file.br, file.gz) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn not_built() -> Response {
    let text = "This FlowForge was built without its pages: scripts/build-web makes them, then build it again.\n\
                The API is here all the same: /graphql, /hooks, /health.\n";
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: File = File { path: "assets/a.js", plain: b"plain", br: Some(b"br"), gz: Some(b"gz") };

    #[test]
    fn a_client_gets_the_smallest_form_that_it_takes() {
        for (accepted, wanted) in [
            (Some("gzip, deflate, br, zstd"), (Some("br"), b"br".as_slice())),
            (Some("gzip;q=1.0, br;q=0"), (Some("gzip"), b"gz".as_slice())),
            (Some("identity"), (None, b"plain".as_slice())),
            (Some("brotli"), (None, b"plain".as_slice())),
            (None, (None, b"plain".as_slice())),
        ] {
            assert_eq!(encoded(&FILE, accepted), wanted, "{accepted:?}");
        }
        let rare = File { br: None, gz: None, ..FILE };
        assert_eq!(encoded(&rare, Some("br")), (None, b"plain".as_slice()));
    }

    #[test]
    fn every_file_of_the_pages_has_a_media_type() {
        for file in FILES {
            assert_ne!(media_type(file.path), "application/octet-stream", "{}", file.path);
        }
    }

    #[test]
    fn the_policy_allows_nothing_from_elsewhere_and_nothing_unsafe() {
        let policy = policy("abc");
        assert!(policy.starts_with("default-src 'none';") && policy.contains("'nonce-abc'"), "{policy}");
        for word in ["unsafe", "http:", "https:", "*"] {
            assert!(!policy.contains(word), "{word} in {policy}");
        }
    }

    #[tokio::test]
    async fn a_page_is_served_for_its_addresses_and_an_api_path_stays_one() {
        let ask = async |path: &str, accept: &str| {
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            let response = serve(Method::GET, path.parse().unwrap(), headers).await;
            (response.status(), response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned())
        };
        let (status, media) = ask("/workflows/default/orders", "application/json").await;
        assert_eq!((status, media.as_str()), (StatusCode::NOT_FOUND, "application/problem+json"));
        let (status, media) = ask("/workflows/default/orders", "text/html,*/*").await;
        if are_here() {
            assert_eq!((status, media.as_str()), (StatusCode::OK, "text/html; charset=utf-8"));
        } else {
            assert_eq!((status, media.as_str()), (StatusCode::NOT_FOUND, "application/problem+json"));
        }
    }
}
