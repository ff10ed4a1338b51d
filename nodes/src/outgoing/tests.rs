use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode as Status;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::any;
use engine::error::{ErrorInfo, ErrorKind};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::connect::Lookup;
use super::*;
use crate::testing::{beside, outgoing, serve};

/// A port where nobody is to knock.
struct Forbidden(TcpListener);

impl Forbidden {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn saw_nobody(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Names as a test wants them.
struct Names<F>(F);

impl<F> Lookup for Names<F>
where
    F: Fn(&str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync + 'static,
{
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.0(&name)
    }
}

fn resolving(allowed: &[&str], addresses: &[&str]) -> Outgoing {
    let allow_hosts = allowed.iter().map(|entry| entry.parse().unwrap()).collect();
    let found: Vec<_> = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
    let names = Names(move |_: &str| {
        let found = found.clone();
        async move { Ok(found) }.boxed()
    });
    Outgoing::with_lookup(OutgoingPolicy { allow_hosts, ..OutgoingPolicy::default() }, names).unwrap()
}

fn request(method: Method, url: &str) -> OutgoingRequest {
    OutgoingRequest {
        method,
        url: url.parse().unwrap(),
        headers: HeaderMap::new(),
        body: None,
        portable_header: None,
        deadline: Instant::now() + Duration::from_secs(10),
    }
}

async fn fails(outgoing: &Outgoing, request: OutgoingRequest) -> ErrorInfo {
    outgoing.send(request).await.unwrap_err().into()
}

/// Says what arrived: method, the headers that redirects are about, and the body.
async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let seen = (parts.method.to_string(), header("authorization"), header("x-api-key"), header("accept"), header("k"));
    let body = axum::body::to_bytes(body, 1_000).await.unwrap();
    format!("{seen:?} {}", String::from_utf8(body.to_vec()).unwrap()).into_response()
}

async fn text(response: OutgoingResponse) -> String {
    String::from_utf8(response.body(10_000).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_client_is_built_without_a_process_wide_tls_provider_and_can_be_refused_by_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    beside(async move { while listener.accept().await.is_ok() {} });
    let error = fails(&outgoing(&["127.0.0.1"]), request(Method::POST, &format!("https://{address}/"))).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECT", ErrorKind::Transient));
}

#[tokio::test]
async fn no_odd_spelling_of_a_local_address_reaches_a_listener() {
    let closed = outgoing(&[]);
    let listener = Forbidden::new();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0",
        "localhost",
        "good@127.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
    ] {
        let error = fails(&closed, request(Method::GET, &format!("http://{host}:{}/x?y=z", listener.port()))).await;
        assert_eq!((error.code.as_str(), error.kind), ("HTTP_HOST_DENIED", ErrorKind::Permanent), "{host}");
        assert!(error.message.contains("FLOWFORGE__HTTP__ALLOW_HOSTS"), "{error}");
        assert!(!error.message.contains("y=z"), "{error}");
    }
    assert!(listener.saw_nobody());
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_denied_before_connecting() {
    let error = fails(&resolving(&[], &["127.0.0.1"]), request(Method::GET, "http://rebound.test/")).await;
    assert_eq!(error.code, "HTTP_HOST_DENIED");
    assert!(error.message.contains("rebound.test are denied: it resolves to 127.0.0.1, a loopback address"), "{error}");
}

#[tokio::test]
async fn d03_a_name_that_is_public_first_and_private_later_is_asked_for_once_and_checked_each_time() {
    let listener = Forbidden::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let names = Names(move |_: &str| {
        // The first answer is an address that nobody has (RFC 5737), the others are this machine.
        let address = if counted.fetch_add(1, Ordering::SeqCst) == 0 { "192.0.2.1" } else { "127.0.0.1" };
        let found = vec![SocketAddr::new(address.parse().unwrap(), 0)];
        async move { Ok(found) }.boxed()
    });
    // Documentation addresses are not called either, unless somebody allows them.
    let allow_hosts = vec!["192.0.2.0/24".parse().unwrap()];
    let policy = OutgoingPolicy { allow_hosts, ..OutgoingPolicy::default() };
    let outgoing = Outgoing::with_lookup(policy, names).unwrap();
    let url = "http://rebound.test/".to_owned();
    let mut first = request(Method::GET, &url);
    first.deadline = Instant::now() + Duration::from_millis(300);
    let error = fails(&outgoing, first).await;
    assert_ne!(error.code, "HTTP_HOST_DENIED", "the address was allowed: {error}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a call asks once, so that what was checked is what is called");
    let error = fails(&outgoing, request(Method::GET, &url)).await;
    assert_eq!(error.code, "HTTP_HOST_DENIED", "{error}");
    assert!(listener.saw_nobody());
}

#[tokio::test]
async fn one_private_address_among_others_is_enough_to_be_denied() {
    let listener = Forbidden::new();
    let allowed = format!("127.0.0.1:{}", listener.port());
    let mixed = resolving(&[&allowed], &["127.0.0.1", "10.0.0.5"]);
    let error = fails(&mixed, request(Method::GET, &format!("http://rebound.test:{}/", listener.port()))).await;
    assert_eq!(error.code, "HTTP_HOST_DENIED");
    assert!(listener.saw_nobody());
}

#[tokio::test]
async fn a_name_on_the_allow_list_is_called_at_the_address_that_was_checked() {
    let address = serve(Router::new().fallback(echo)).await;
    let open = resolving(&["intranet"], &["127.0.0.1"]);
    let response = open.send(request(Method::GET, &format!("http://intranet:{}/", address.port()))).await.unwrap();
    assert!(text(response).await.starts_with("(\"GET\""));
}

#[tokio::test]
async fn a_name_that_is_not_found_or_not_found_in_time_means_that_nothing_was_sent() {
    let policy = || OutgoingPolicy::default();
    let unknown = Names(|_: &str| async { Err(io::Error::other("no such name")) }.boxed());
    let unknown = Outgoing::with_lookup(policy(), unknown).unwrap();
    let error = fails(&unknown, request(Method::POST, "http://nowhere.test/")).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECT", ErrorKind::Transient));
    assert!(error.message.contains("no such name"), "{error}");

    let silent = Names(|_: &str| futures::future::pending().boxed());
    let silent = Outgoing::with_lookup(policy(), silent).unwrap();
    let mut late = request(Method::POST, "http://nowhere.test/");
    late.deadline = Instant::now() + Duration::from_millis(5);
    let error = fails(&silent, late).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECT", ErrorKind::Transient));
}

#[tokio::test]
async fn a_redirect_to_a_denied_host_is_not_followed() {
    let listener = Forbidden::new();
    let target = format!("http://127.0.0.1:{}/", listener.port());
    let address = serve(Router::new().fallback(any(move || async move { Redirect::temporary(&target) }))).await;
    let open = outgoing(&[&address.to_string()]);
    let error = fails(&open, request(Method::GET, &format!("http://{address}/"))).await;
    assert_eq!(error.code, "HTTP_HOST_DENIED");
    assert!(listener.saw_nobody());
}

#[tokio::test]
async fn a_workspaces_list_holds_for_redirects_too() {
    let listener = Forbidden::new();
    let target = format!("http://127.0.0.1:{}/", listener.port());
    let address = serve(Router::new().fallback(any(move || async move { Redirect::temporary(&target) }))).await;
    let listed = |entry: &str| outgoing(&["127.0.0.1"]).within(Arc::from([entry.parse().unwrap()]));
    let error = fails(&listed(&address.to_string()), request(Method::GET, &format!("http://{address}/"))).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_HOST_DENIED", ErrorKind::Permanent));
    assert!(error.message.contains("the workspace's list"), "{error}");
    let error = fails(&listed("api.example.com"), request(Method::GET, &format!("http://{address}/"))).await;
    assert_eq!(error.code, "HTTP_HOST_DENIED");
    assert!(listener.saw_nobody());
}

#[tokio::test]
async fn a_header_of_a_mebibyte_is_refused() {
    let header = axum::http::HeaderValue::from_str(&"x".repeat(1 << 20)).unwrap();
    let address = serve(Router::new().fallback(any(move || async move { [("x-large", header)] }))).await;
    let error = fails(&outgoing(&["127.0.0.1"]), request(Method::GET, &format!("http://{address}/"))).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECTION_LOST", ErrorKind::Unknown));
}

#[tokio::test]
async fn redirects_to_other_schemes_are_not_followed() {
    for target in ["file:///etc/passwd", "gopher://127.0.0.1/"] {
        let address = serve(Router::new().fallback(any(move || async move { Redirect::temporary(target) }))).await;
        let error = fails(&outgoing(&["127.0.0.1"]), request(Method::GET, &format!("http://{address}/"))).await;
        assert_eq!((error.code.as_str(), error.kind), ("HTTP_SCHEME_DENIED", ErrorKind::Permanent));
    }
}

#[tokio::test]
async fn a_chain_of_redirects_ends_after_five() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let again = move || {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        async move { Redirect::temporary(&format!("/{call}")) }
    };
    let address = serve(Router::new().fallback(any(again))).await;
    let error = fails(&outgoing(&["127.0.0.1"]), request(Method::GET, &format!("http://{address}/"))).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_REDIRECT_DENIED", ErrorKind::Permanent));
    assert_eq!(calls.load(Ordering::SeqCst), 6);
}

/// A server whose `/<status>` redirects to `target` with that status.
async fn redirecting(target: String) -> SocketAddr {
    let redirect = |axum::extract::Path(status): axum::extract::Path<u16>| async move {
        (Status::from_u16(status).unwrap(), [("location", target)])
    };
    serve(Router::new().route("/{status}", any(redirect)).route("/echo/here", any(echo))).await
}

fn loaded(method: Method, url: &str) -> OutgoingRequest {
    let mut request = request(method, url);
    for (name, value) in [("authorization", "Bearer s"), ("x-api-key", "s"), ("accept", "text/plain"), ("k", "key")] {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    request.portable_header = Some(HeaderName::from_static("k"));
    request.body = Some(Bytes::from_static(b"body").into());
    request
}

#[tokio::test]
async fn credentials_stay_at_their_origin() {
    let open = outgoing(&["127.0.0.1"]);
    let other = serve(Router::new().fallback(echo)).await;
    let first = redirecting(format!("http://{other}/")).await;
    let seen = text(open.send(loaded(Method::POST, &format!("http://{first}/307"))).await.unwrap()).await;
    assert_eq!(seen, r#"("POST", None, None, Some("text/plain"), Some("key")) body"#);

    let same = redirecting("/echo/here".to_owned()).await;
    let seen = text(open.send(loaded(Method::PUT, &format!("http://{same}/308"))).await.unwrap()).await;
    assert_eq!(seen, r#"("PUT", Some("Bearer s"), Some("s"), Some("text/plain"), Some("key")) body"#);
}

#[tokio::test]
async fn a_post_becomes_a_get_without_body_where_browsers_do_so() {
    let open = outgoing(&["127.0.0.1"]);
    let address = redirecting("/echo/here".to_owned()).await;
    for (status, method, expected) in
        [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (302, "PUT", "PUT"), (307, "POST", "POST")]
    {
        let sent = loaded(method.parse().unwrap(), &format!("http://{address}/{status}"));
        let response = open.send(sent).await.unwrap();
        assert_eq!(response.acted, expected == "GET", "{status} {method}");
        let seen = text(response).await;
        assert!(seen.starts_with(&format!("({expected:?}")), "{status} {method}: {seen}");
        assert_eq!(seen.ends_with("body"), expected != "GET", "{seen}");
    }
}

#[tokio::test]
async fn a_post_that_was_taken_is_not_as_if_nothing_was_sent_when_its_redirect_leads_nowhere() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let open = outgoing(&["127.0.0.1"]);
    let address = redirecting(format!("http://{nobody}/")).await;
    let error = fails(&open, loaded(Method::POST, &format!("http://{address}/303"))).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECT", ErrorKind::Unknown));
    let error = fails(&open, loaded(Method::POST, &format!("http://{address}/307"))).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECT", ErrorKind::Transient));
}
