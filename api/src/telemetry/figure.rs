//! The figures of answering: requests, sockets, streams, and what this process is.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use runtime::figure::{Figure, Kind};

use crate::app::App;

pub(crate) const REQUESTS: &str = "flowforge_http_requests_total";
pub(crate) const REQUEST_SECONDS: &str = "flowforge_http_request_duration_seconds";
const WEBSOCKETS: &str = "flowforge_websockets";
const EVENT_STREAMS: &str = "flowforge_event_streams";
const SUBSCRIPTIONS: &str = "flowforge_subscriptions";
const SPANS_SENT: &str = "flowforge_spans_exported_total";
const SPANS_LOST: &str = "flowforge_spans_dropped_total";
/// Deliveries to webhooks that started nothing.
pub(crate) const REFUSALS: &str = "flowforge_webhook_refusals_total";
const BUILD: &str = "flowforge_build_info";

/// The figures of answering.
const FIGURES: &[Figure] = &[
    Figure { name: REQUESTS, kind: Kind::Counter, meaning: "Requests answered, by method, route and status" },
    Figure {
        name: REQUEST_SECONDS,
        kind: Kind::Histogram,
        meaning: "Time from a request to the head of its answer, by method and route",
    },
    Figure { name: WEBSOCKETS, kind: Kind::Gauge, meaning: "Open WebSockets" },
    Figure { name: EVENT_STREAMS, kind: Kind::Gauge, meaning: "Open streams of server-sent events" },
    Figure { name: SUBSCRIPTIONS, kind: Kind::Gauge, meaning: "GraphQL subscriptions under way, by transport" },
    Figure { name: SPANS_SENT, kind: Kind::Counter, meaning: "Spans that the collector took" },
    Figure { name: SPANS_LOST, kind: Kind::Counter, meaning: "Spans that were given up, by why" },
    Figure { name: REFUSALS, kind: Kind::Counter, meaning: "Deliveries to webhooks that started no run, by reason" },
    Figure { name: BUILD, kind: Kind::Gauge, meaning: "Always 1; the label tells the version" },
];

/// Upper bounds of durations, in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Upper bounds of the durations of runs and node runs, in seconds: they may wait for days.
const LONG_SECONDS: &[f64] =
    &[0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0, 86_400.0, 604_800.0];
/// Upper bounds of counts.
const COUNTS: &[f64] = &[1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0];
/// How often figures are tidied, so that they do not grow between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static COLLECTED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts to collect figures, once a process.
pub(crate) fn collect() {
    COLLECTED.get_or_init(|| {
        let recorder = builder()?.build_recorder();
        let handle = recorder.handle();
        // Somebody who embeds us may have a recorder of their own; then theirs has the figures.
        metrics::set_global_recorder(recorder).ok().map(|()| handle)
    });
    FIGURES.iter().for_each(Figure::describe);
    metrics::gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::counter!(REFUSALS, "reason" => "SIGNATURE_WRONG").increment(0);
    metrics::gauge!(WEBSOCKETS).increment(0.0);
    metrics::gauge!(EVENT_STREAMS).increment(0.0);
    spans_sent().increment(0);
    spans_lost(QUEUE_FULL).increment(0);
    spans_lost(EXPORT_FAILED).increment(0);
    for transport in ["websocket", "sse"] {
        metrics::gauge!(SUBSCRIPTIONS, "transport" => transport).increment(0.0);
    }
}

fn builder() -> Option<PrometheusBuilder> {
    let suffix = |text: &str| Matcher::Suffix(text.to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(suffix("_seconds"), SECONDS).ok()?;
    let builder = builder.set_buckets_for_metric(suffix("run_duration_seconds"), LONG_SECONDS).ok()?;
    builder.set_buckets_for_metric(suffix("_events"), COUNTS).ok()
}

/// Tidies figures until it is dropped.
pub(crate) async fn upkeep() {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        if let Some(Some(handle)) = COLLECTED.get() {
            handle.run_upkeep();
        }
    }
}

/// The figures as Prometheus reads them.
pub(crate) async fn shown(app: &Arc<App>) -> String {
    app.runtime.sample().await;
    COLLECTED.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// Spans that found no place in the queue.
pub(crate) const QUEUE_FULL: &str = "queue_full";
/// Spans that the collector did not take.
pub(crate) const EXPORT_FAILED: &str = "export_failed";

/// Counts spans that the collector took.
pub(crate) fn spans_sent() -> Counter {
    metrics::counter!(SPANS_SENT)
}

/// Counts spans that were given up for this reason.
pub(crate) fn spans_lost(reason: &'static str) -> Counter {
    metrics::counter!(SPANS_LOST, "reason" => reason)
}

/// Something that is open now; counted until it is dropped.
pub(crate) struct Open(Gauge);

impl Open {
    fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }

    /// A WebSocket.
    pub(crate) fn websocket() -> Self {
        Self::new(metrics::gauge!(WEBSOCKETS))
    }

    /// A stream of server-sent events.
    pub(crate) fn event_stream() -> Self {
        Self::new(metrics::gauge!(EVENT_STREAMS))
    }

    /// A subscription over `websocket` or `sse`.
    pub(crate) fn subscription(transport: &'static str) -> Self {
        Self::new(metrics::gauge!(SUBSCRIPTIONS, "transport" => transport))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
