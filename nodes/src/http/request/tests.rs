use std::io::Write as _;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request as Incoming};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::any;
use bytes::Bytes;
use engine::error::ErrorKind;
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::testing::{attempt, beside, execute, outgoing, serve};

/// A server that reads a request's head and then writes `answer` and hangs up.
async fn serve_raw(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    beside(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4_096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    address
}

async fn call(config: Value) -> Result<Value, ErrorInfo> {
    match execute(&Request, outgoing(&["127.0.0.1"]), &attempt(config, json!({}))).await? {
        NodeOutcome::Done { port, output } if port == "out" => Ok(output),
        other => panic!("{other:?}"),
    }
}

async fn fails(config: Value) -> ErrorInfo {
    call(config).await.unwrap_err()
}

/// The request as JSON.
async fn echo(request: Incoming) -> axum::Json<Value> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
    let headers: serde_json::Map<_, _> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    axum::Json(json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8(body.to_vec()).unwrap(),
    }))
}

#[tokio::test]
async fn a_request_is_sent_as_written_and_its_answer_is_the_output() {
    let address = serve(Router::new().fallback(echo)).await;
    let output = call(json!({
        "method": "PATCH",
        "url": format!("http://{address}/a b?x=1"),
        "headers": {"X-Count": 3, "x-none": null},
        "query": {"tag": ["ä", "b&c"], "n": 5, "none": null},
        "body": {"a": [1, null]},
    }))
    .await
    .unwrap();
    assert_eq!(output["status"], json!(200));
    assert_eq!(output["headers"]["content-type"], json!("application/json"));
    let seen = &output["body"];
    assert_eq!(seen["method"], json!("PATCH"));
    assert_eq!(seen["uri"], json!("/a%20b?x=1&n=5&tag=%C3%A4&tag=b%26c"));
    assert_eq!(seen["body"], json!("{\"a\":[1,null]}"));
    assert_eq!(seen["headers"]["content-type"], json!("application/json"));
    assert_eq!(seen["headers"]["x-count"], json!("3"));
    assert_eq!(seen["headers"]["idempotency-key"], json!("key-of-the-node-run"));
    assert!(seen["headers"]["user-agent"].as_str().unwrap().starts_with("FlowForge/"));
    assert_eq!(seen["headers"].get("x-none"), None);
    assert_eq!(seen["headers"]["accept-encoding"], json!("gzip"), "what comes packed is unpacked within the bound");
}

#[tokio::test]
async fn the_idempotency_key_travels_under_the_name_that_the_author_gives() {
    let address = serve(Router::new().fallback(echo)).await;
    let url = format!("http://{address}/");
    let seen = |config| async { call(config).await.unwrap()["body"]["headers"].clone() };
    assert_eq!(seen(json!({"url": url})).await.get("idempotency-key"), None);
    let named = seen(json!({"url": url, "method": "POST", "idempotency_header": "X-Request-Id"})).await;
    assert_eq!(named["x-request-id"], json!("key-of-the-node-run"));
    assert_eq!(named.get("idempotency-key"), None);
    let own = seen(json!({"url": url, "method": "POST", "headers": {"Idempotency-Key": "mine"}})).await;
    assert_eq!(own["idempotency-key"], json!("mine"));
    let twice = json!({"url": url, "method": "POST", "headers": {"X-Id": "mine"}, "idempotency_header": "x-id"});
    assert_eq!(fails(twice).await.code, "CONFIG_INVALID");
    let empty = json!({"url": url, "method": "POST", "idempotency_header": null});
    assert_eq!(fails(empty).await.code, "CONFIG_INVALID");
}

#[test]
fn the_effect_follows_from_the_method_and_the_idempotency_header() {
    use EffectClass::{Effectful, Idempotent};
    for (config, effect) in [
        (json!({}), Idempotent),
        (json!({"method": "GET"}), Idempotent),
        (json!({"method": "HEAD"}), Idempotent),
        (json!({"method": "OPTIONS"}), Idempotent),
        (json!({"method": "PUT"}), Idempotent),
        (json!({"method": "DELETE"}), Idempotent),
        (json!({"method": "POST"}), Effectful),
        (json!({"method": "PATCH"}), Effectful),
        (json!({"method": "{{ input.method }}"}), Effectful),
        (json!({"method": 3}), Effectful),
        (json!({"method": "POST", "idempotency_header": "Idempotency-Key"}), Idempotent),
        (json!({"method": "POST", "idempotency_header": null}), Effectful),
        (json!({"method": "{{ input.method }}", "idempotency_header": "{{ vars.header }}"}), Idempotent),
    ] {
        assert_eq!(Request.effect(&config), effect, "{config}");
    }
}

#[tokio::test]
async fn a_503_is_transient_and_keeps_what_the_service_asks_for() {
    let busy = || async { (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "7")], "come\r\nback later") };
    let address = serve(Router::new().fallback(any(busy))).await;
    let error = fails(json!({
        "method": "POST",
        "url": format!("http://{address}/?token=hush"),
        "headers": {"authorization": "hush"},
    }))
    .await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_STATUS", ErrorKind::Transient));
    assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(7)));
    assert_eq!(error.message, "the service answered 503 Service Unavailable: come  back later");
}

#[tokio::test]
async fn statuses_are_sorted_into_those_worth_another_try_and_others() {
    let status = |Path(code): Path<u16>| async move { StatusCode::from_u16(code).unwrap() };
    let address = serve(Router::new().route("/{code}", any(status))).await;
    for (code, kind) in [
        (408, ErrorKind::Transient),
        (425, ErrorKind::Transient),
        (429, ErrorKind::Transient),
        (500, ErrorKind::Transient),
        (502, ErrorKind::Transient),
        (503, ErrorKind::Transient),
        (504, ErrorKind::Transient),
        (304, ErrorKind::Permanent),
        (400, ErrorKind::Permanent),
        (404, ErrorKind::Permanent),
        (501, ErrorKind::Permanent),
    ] {
        let error = fails(json!({"url": format!("http://{address}/{code}")})).await;
        assert_eq!((error.code.as_str(), error.kind, error.retry_after), ("HTTP_STATUS", kind, None), "{code}");
        assert!(error.message.contains(&code.to_string()), "{error}");
    }
}

#[tokio::test]
async fn the_author_says_which_statuses_are_no_error() {
    let missing = || async { (StatusCode::NOT_FOUND, "null") };
    let address = serve(Router::new().fallback(any(missing))).await;
    let url = format!("http://{address}/");
    for success in [json!([404]), json!([200, "4xx"])] {
        let output = call(json!({"url": url, "success": success})).await.unwrap();
        assert_eq!((&output["status"], &output["body"]), (&json!(404), &json!(null)));
    }
    assert_eq!(fails(json!({"url": url, "success": ["2xx", 405]})).await.code, "HTTP_STATUS");
}

#[tokio::test]
async fn an_error_shows_at_most_300_characters_of_an_endless_body() {
    let endless = || async {
        let body = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1_000])));
        (StatusCode::BAD_GATEWAY, Body::from_stream(body))
    };
    let address = serve(Router::new().fallback(any(endless))).await;
    let error = fails(json!({"url": format!("http://{address}/")})).await;
    assert_eq!(error.kind, ErrorKind::Transient);
    assert_eq!(error.message.matches('x').count(), 300);
}

#[tokio::test]
async fn a_server_that_stays_silent_leaves_open_whether_it_acted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    beside(async move {
        let mut held = Vec::new();
        while let Ok(socket) = listener.accept().await {
            held.push(socket);
        }
    });
    let url = format!("http://{address}/?token=hush");
    let error = fails(json!({"method": "POST", "url": url, "timeout": "20ms"})).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_TIMEOUT", ErrorKind::Unknown));
    assert!(!error.message.contains("hush"), "{error}");

    let mut short = attempt(json!({"url": url, "timeout": "1h"}), json!({}));
    short.timeout = std::time::Duration::from_millis(20);
    let error = execute(&Request, outgoing(&["127.0.0.1"]), &short).await.unwrap_err();
    assert_eq!(error.code, "HTTP_TIMEOUT");
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_a_timeout_too() {
    let slow = || async {
        let start = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"1"))]);
        Body::from_stream(start.chain(futures::stream::pending()))
    };
    let address = serve(Router::new().fallback(any(slow))).await;
    let error = fails(json!({"url": format!("http://{address}/"), "timeout": "50ms"})).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_TIMEOUT", ErrorKind::Unknown));
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_sent() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fails(json!({"method": "POST", "url": format!("http://{address}/?token=hush")})).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECT", ErrorKind::Transient));
    assert!(error.message.contains(&address.to_string()) && !error.message.contains("hush"), "{error}");
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_open_whether_the_server_acted() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "nonsense\r\n\r\n"]
    {
        let address = serve_raw(answer).await;
        let error = fails(json!({"method": "POST", "url": format!("http://{address}/"), "body": [1]})).await;
        assert_eq!((error.code.as_str(), error.kind), ("HTTP_CONNECTION_LOST", ErrorKind::Unknown), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_over_16_mib_is_refused_whether_announced_or_not() {
    let chunks = || async {
        let chunk = Bytes::from(vec![b' '; 1024 * 1024]);
        Body::from_stream(futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
    };
    let endless = serve(Router::new().fallback(any(chunks))).await;
    let announced = serve_raw("HTTP/1.1 200 OK\r\ncontent-length: 16777217\r\n\r\n").await;
    for address in [endless, announced] {
        let error = fails(json!({"url": format!("http://{address}/")})).await;
        assert_eq!((error.code.as_str(), error.kind), ("HTTP_BODY_TOO_LARGE", ErrorKind::Permanent));
    }
}

/// So many zeros, as gzip writes them.
fn zipped_zeros(mebibytes: usize) -> Bytes {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..mebibytes {
        gzip.write_all(&vec![b'0'; 1 << 20]).unwrap();
    }
    gzip.finish().unwrap().into()
}

#[tokio::test]
async fn d07_a_mebibyte_that_unfolds_to_a_gibibyte_is_refused_before_it_is_unfolded() {
    let bomb = zipped_zeros(1_024);
    assert!(bomb.len() < 1_100_000, "{}", bomb.len());
    let small = zipped_zeros(1);
    let answer = |body: Bytes| any(move || async move { ([(header::CONTENT_ENCODING, "gzip")], body) });
    let router = Router::new().route("/bomb", answer(bomb)).route("/small", answer(small));
    let address = serve(router).await;
    let error = fails(json!({"url": format!("http://{address}/bomb")})).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_BODY_TOO_LARGE", ErrorKind::Permanent), "{error}");
    let output = call(json!({"url": format!("http://{address}/small"), "response": "text"})).await.unwrap();
    assert_eq!(output["body"].as_str().map(str::len), Some(1 << 20));
}

#[tokio::test]
async fn a_body_is_read_as_json_or_as_text() {
    let page = || async { "<p>" };
    let address = serve(Router::new().fallback(any(page))).await;
    let url = format!("http://{address}/");
    let error = fails(json!({"url": url})).await;
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_BODY_NOT_JSON", ErrorKind::Permanent));
    assert!(error.message.contains("text/plain"), "{error}");
    let output = call(json!({"url": url, "response": "text"})).await.unwrap();
    assert_eq!(output["body"], json!("<p>"));
    let output = call(json!({"url": url, "method": "HEAD"})).await.unwrap();
    assert_eq!((&output["headers"]["content-length"], &output["body"]), (&json!("3"), &json!(null)));
}

#[tokio::test]
async fn an_empty_answer_is_null_and_repeated_headers_are_joined() {
    let empty = || async {
        let headers = [("x-a", "1"), ("x-a", "2")];
        (StatusCode::NO_CONTENT, axum::response::AppendHeaders(headers)).into_response()
    };
    let address = serve(Router::new().fallback(any(empty))).await;
    let output = call(json!({"url": format!("http://{address}/")})).await.unwrap();
    assert_eq!((&output["body"], &output["headers"]["x-a"]), (&json!(null), &json!("1, 2")));
}

#[tokio::test]
async fn a_config_that_cannot_be_sent_opens_no_connection_and_repeats_no_secret() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    for (config, field) in [
        (json!({"url": url, "headers": {"x-token": "hush\r\nhost: evil"}}), "config.headers.x-token"),
        (json!({"url": url, "headers": {"x\r\ny": "hush"}}), "config.headers"),
        (json!({"url": url, "headers": {"Transfer-Encoding": "chunked"}}), "config.headers"),
        (json!({"url": url, "headers": {"Host": "metadata"}}), "config.headers"),
        (json!({"url": url, "headers": {"x": ["hush"]}}), "config.headers.x"),
        (json!({"url": url, "idempotency_header": "a b"}), "config.idempotency_header"),
        (json!({"url": url, "method": "get"}), "config.method"),
        (json!({"url": url, "method": "CONNECT"}), "config.method"),
        (json!({"url": url, "query": {"q": {"a": 1}}}), "config.query.q"),
        (json!({"url": url, "timeout": "soon"}), "config.timeout"),
        (json!({"url": url, "response": "xml"}), "config.response"),
        (json!({"url": url, "success": [99]}), "config.success[0]"),
        (json!({"url": url, "success": ["1xx"]}), "config.success[0]"),
        (json!({"url": "/hush"}), "config.url"),
        (json!({"url": null}), "config.url"),
        (json!({}), "config.url"),
        (json!("hush"), "config"),
    ] {
        let error = fails(config.clone()).await;
        assert_eq!((error.code.as_str(), error.kind), ("CONFIG_INVALID", ErrorKind::Permanent), "{config}");
        assert!(error.message.starts_with(field), "{config}: {error}");
        assert!(!error.message.contains("hush"), "{error}");
    }
    assert!(listener.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}

#[tokio::test]
async fn a_call_says_which_trace_it_is_a_part_of_unless_its_author_names_another() {
    let address = serve(Router::new().fallback(echo)).await;
    let trace = crate::Propagated {
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        tracestate: Some("vendor=1".to_owned()),
    };
    let sent = |headers: Value| {
        let mut attempt = attempt(json!({"url": format!("http://{address}/"), "headers": headers}), json!({}));
        attempt.trace = Some(trace.clone());
        async move {
            let outcome = execute(&Request, outgoing(&["127.0.0.1"]), &attempt).await.unwrap();
            let NodeOutcome::Done { output, .. } = outcome else { panic!("{outcome:?}") };
            let headers = &output["body"]["headers"];
            (headers["traceparent"].clone(), headers["tracestate"].clone())
        }
    };
    assert_eq!(sent(json!({})).await, (json!(trace.traceparent), json!("vendor=1")));
    assert_eq!(sent(json!({"Traceparent": "00-mine"})).await, (json!("00-mine"), Value::Null));
    assert_eq!(sent(json!({"tracestate": "mine=1"})).await, (json!(trace.traceparent), json!("mine=1")));
}
