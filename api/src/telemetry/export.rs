//! Sends spans to a collector: gathered, in the background, and given up rather than waited for.

use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::time::Timestamp;
use metrics::Counter;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind as Kind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use runtime::clock::Clock;
use runtime::trace::{Attribute, Span, SpanKind, Tracer};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::figure;
use crate::config::telemetry::TelemetryConfig;

/// Spans that may wait; with more the collector is too slow, and they are given up.
const QUEUE: usize = 8_192;
/// Most spans of one export.
const AT_ONCE: usize = 512;
/// How long a span waits for others.
const GATHER_FOR: Duration = Duration::from_secs(1);
/// How long the collector may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Pauses before an export is tried again; after the last one its spans are given up.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// How long a stop waits for what is left to be sent.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No client for the collector.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// The exporter does not take its settings.
    #[error(transparent)]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// The task that sends.
pub(crate) struct Export {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Who is told of spans as the settings say, and the task behind; nobody and none by default.
///
/// # Errors
/// When the settings cannot be used.
pub(crate) fn start(config: &TelemetryConfig, clock: &Clock) -> Result<(Tracer, Option<Export>), ExportError> {
    let Some(endpoint) = &config.traces else { return Ok((Tracer::default(), None)) };
    // The collector is where the settings say: no proxy of the environment, no redirect to elsewhere.
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_WITHIN)
        .build()?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint.expose())
        .with_headers(config.headers.expose().clone())
        .with_timeout(ANSWER_WITHIN)
        .build()?;
    let attributes = [
        KeyValue::new("service.name", config.service_name.clone()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", clock.new_id().to_string()),
    ];
    exporter.set_resource(&Resource::builder_empty().with_attributes(attributes).build());
    let (sender, spans) = channel(QUEUE);
    let tracer = Tracer::new(sender, config.sample_ratio, figure::spans_lost(figure::QUEUE_FULL));
    let stop = CancellationToken::new();
    let sending = Sending {
        spans,
        exporter,
        scope: InstrumentationScope::builder("flowforge").with_version(env!("CARGO_PKG_VERSION")).build(),
        stop: stop.clone(),
        sent: figure::spans_sent(),
        lost: figure::spans_lost(figure::EXPORT_FAILED),
        is_failing: false,
    };
    let task = TaskTracker::new().spawn(sending.run());
    Ok((tracer, Some(Export { stop, task })))
}

impl Export {
    /// Sends what is left, for a while.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that sends spans broke down");
        }
    }
}

struct Sending {
    spans: Receiver<Span>,
    exporter: SpanExporter,
    scope: InstrumentationScope,
    stop: CancellationToken,
    sent: Counter,
    lost: Counter,
    is_failing: bool,
}

impl Sending {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while self.gather(&mut batch).await {
            let spans = self.written(&mut batch);
            self.send(spans).await;
        }
        let by = Instant::now() + STOP_WITHIN;
        loop {
            while batch.len() < AT_ONCE {
                let Ok(span) = self.spans.try_recv() else { break };
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            let spans = self.written(&mut batch);
            let count = spans.len() as u64;
            match timeout(by.saturating_duration_since(Instant::now()), self.exporter.export(spans)).await {
                Ok(Ok(())) => self.sent.increment(count),
                _ => self.lost.increment(count),
            }
        }
    }

    /// Fills a batch until it is full or has waited long enough; `false` when it is time to stop.
    async fn gather(&mut self, batch: &mut Vec<Span>) -> bool {
        let mut by = None;
        while batch.len() < AT_ONCE {
            let room = AT_ONCE - batch.len();
            tokio::select! {
                count = self.spans.recv_many(batch, room) => if count == 0 {
                    return false;
                },
                () = until(by) => return true,
                () = self.stop.cancelled() => return false,
            }
            by = by.or_else(|| Some(Instant::now() + GATHER_FOR));
        }
        true
    }

    /// Sends spans, and again after pauses. Meanwhile the next ones wait in the queue.
    async fn send(&mut self, spans: Vec<SpanData>) {
        let count = spans.len() as u64;
        let mut pauses = AGAIN_AFTER.into_iter();
        loop {
            let error = match timeout(ANSWER_WITHIN, self.exporter.export(spans.clone())).await {
                Ok(Ok(())) => {
                    self.sent.increment(count);
                    if std::mem::take(&mut self.is_failing) {
                        tracing::info!("the collector takes spans again");
                    }
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {ANSWER_WITHIN:?}"),
            };
            let Some(pause) = pauses.next().filter(|_| !self.stop.is_cancelled()) else {
                self.lost.increment(count);
                if !std::mem::replace(&mut self.is_failing, true) {
                    tracing::warn!(
                        error,
                        spans = count,
                        "the collector takes no spans; they are given up until it does"
                    );
                }
                return;
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    fn written(&self, batch: &mut Vec<Span>) -> Vec<SpanData> {
        batch.drain(..).map(|span| written(span, &self.scope)).collect()
    }
}

/// Done at this time; never without one.
async fn until(by: Option<Instant>) {
    match by {
        Some(by) => sleep_until(by).await,
        None => std::future::pending().await,
    }
}

/// A span as the exporter takes it.
fn written(span: Span, scope: &InstrumentationScope) -> SpanData {
    let trace = TraceId::from_bytes(span.trace.0);
    let state = span.state.as_deref().and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
    let mut links = SpanLinks::default();
    if let Some((trace, id)) = span.link {
        let (trace, id) = (TraceId::from_bytes(trace.0), SpanId::from_bytes(id.0));
        let context = SpanContext::new(trace, id, TraceFlags::default(), false, TraceState::NONE);
        links.links.push(Link::new(context, vec![KeyValue::new("flowforge.link", "retry_of")], 0));
    }
    let attribute = |(name, value): (&'static str, Attribute)| {
        KeyValue::new(
            name,
            match value {
                Attribute::Text(text) => Value::from(text),
                Attribute::Number(number) => Value::I64(number),
            },
        )
    };
    SpanData {
        span_context: SpanContext::new(trace, SpanId::from_bytes(span.id.0), TraceFlags::SAMPLED, false, state),
        parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.0)),
        parent_span_is_remote: span.kind == SpanKind::Server && span.parent.is_some(),
        span_kind: match span.kind {
            SpanKind::Server => Kind::Server,
            SpanKind::Client => Kind::Client,
            SpanKind::Internal => Kind::Internal,
        },
        name: span.name,
        start_time: time(span.began),
        end_time: time(span.ended),
        attributes: span.attributes.into_iter().map(attribute).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        // Its text would be for people, and could hold what they sent; the code says enough.
        status: if span.failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: scope.clone(),
    }
}

fn time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0))
}
