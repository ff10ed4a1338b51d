//! What a server talks to in a trace: a collector that takes its spans, and a service that notes whose call it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A span as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) span: Span,
    /// `service.instance.id` of the process that sent it.
    pub(crate) process: String,
}

impl Seen {
    pub(crate) fn trace(&self) -> String {
        hex::encode(&self.span.trace_id)
    }

    pub(crate) fn id(&self) -> String {
        hex::encode(&self.span.span_id)
    }

    pub(crate) fn parent(&self) -> String {
        hex::encode(&self.span.parent_span_id)
    }

    pub(crate) fn says(&self, name: &str) -> Option<String> {
        value(&self.span.attributes, name)
    }
}

fn value(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        any_value::Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}

#[derive(Default)]
struct Book {
    bodies: Mutex<Vec<Vec<u8>>>,
    seen: Mutex<Vec<Seen>>,
    headers: Mutex<Vec<HeaderMap>>,
}

/// Takes OTLP over HTTP as protobuf.
pub(crate) struct Collector {
    book: Arc<Book>,
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn open() -> Self {
        let book = Arc::<Book>::default();
        let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&book));
        let (url, serving) = serve(app).await;
        Self { book, url, serving }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.book.seen.lock().unwrap().clone()
    }

    /// Waits for a span.
    pub(crate) async fn find(&self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let began = Instant::now();
        loop {
            let seen = self.seen();
            if let Some(found) = seen.iter().find(|seen| wanted(seen)) {
                return found.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no such span among {seen:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether any byte that arrived belongs to this text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let bodies = self.book.bodies.lock().unwrap();
        bodies.iter().any(|body| body.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.book.headers.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(book): State<Arc<Book>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body.as_ref()).unwrap();
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.unwrap();
        assert_eq!(value(&resource.attributes, "service.name").as_deref(), Some("flowforge-test"));
        let process = value(&resource.attributes, "service.instance.id").unwrap();
        let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let seen = spans.map(|span| Seen { span, process: process.clone() });
        book.seen.lock().unwrap().extend(seen);
    }
    book.bodies.lock().unwrap().push(body.to_vec());
    book.headers.lock().unwrap().push(headers);
    StatusCode::OK
}

#[derive(Default)]
struct Calls {
    calls: Mutex<Vec<(String, HeaderMap)>>,
    holds: AtomicBool,
    release: Notify,
    arrived: Notify,
}

/// Answers `{}` to everything, and notes who called.
pub(crate) struct Service {
    calls: Arc<Calls>,
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl Service {
    pub(crate) async fn open() -> Self {
        let calls = Arc::<Calls>::default();
        let app = Router::new().route("/{name}", any(answer)).with_state(Arc::clone(&calls));
        let (url, serving) = serve(app).await;
        Self { calls, url, serving }
    }

    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// From now on calls are answered only once they are let go.
    pub(crate) fn hold(&self) {
        self.calls.holds.store(true, Ordering::SeqCst);
    }

    pub(crate) fn let_go(&self) {
        self.calls.holds.store(false, Ordering::SeqCst);
        self.calls.release.notify_waiters();
    }

    /// Waits for the next call.
    pub(crate) async fn called(&self) {
        tokio::time::timeout(Duration::from_secs(60), self.calls.arrived.notified()).await.unwrap();
    }

    /// A header of every call to `/name`, in the order they came.
    pub(crate) fn header(&self, name: &str, header: &str) -> Vec<Option<String>> {
        let calls = self.calls.calls.lock().unwrap();
        let of = calls.iter().filter(|(called, _)| called == name);
        of.map(|(_, headers)| headers.get(header).map(|value| value.to_str().unwrap().to_owned())).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(calls): State<Arc<Calls>>, Path(name): Path<String>, headers: HeaderMap) -> &'static str {
    calls.calls.lock().unwrap().push((name, headers));
    let released = calls.release.notified();
    calls.arrived.notify_one();
    if calls.holds.load(Ordering::SeqCst) {
        released.await;
    }
    "{}"
}

async fn serve(app: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, serving)
}
