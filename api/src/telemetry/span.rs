//! The span of a request.

use axum::http::HeaderMap;
use engine::time::Timestamp;
use runtime::clock::Clock;
use runtime::trace::{Span, SpanId, SpanKind, TraceContext, Tracer};

use super::request::Noted;
use crate::app::App;

/// Routes that machines ask all the time; they begin no trace of their own.
const UNTRACED: &[&str] = &["/health", "/ready", "/metrics"];

/// Who asks, as W3C Trace Context says it; `None` when nobody says so, or several do.
pub(super) fn asked(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        return None;
    }
    let states: Vec<&str> = headers.get_all("tracestate").iter().filter_map(|state| state.to_str().ok()).collect();
    TraceContext::read(parent, Some(states.join(",").as_str()))
}

/// A request under way.
pub(super) struct ServerSpan {
    tracer: Tracer,
    clock: Clock,
    context: TraceContext,
    parent: Option<SpanId>,
    began: Timestamp,
}

impl ServerSpan {
    /// Begins now; `None` when nobody is told, or the route is one that only machines ask.
    pub(super) fn begin(app: &App, asked: Option<&TraceContext>, route: Option<&str>) -> Option<Self> {
        let (tracer, clock) = (app.runtime.tracer(), app.runtime.clock());
        if !tracer.is_on() || (asked.is_none() && route.is_some_and(|route| UNTRACED.contains(&route))) {
            return None;
        }
        let context = tracer.request(asked, clock.new_id())?;
        let parent = asked.map(|asked| asked.span);
        Some(Self { tracer: tracer.clone(), clock: clock.clone(), context, parent, began: clock.now() })
    }

    /// The span under which others put theirs.
    pub(super) fn context(&self) -> &TraceContext {
        &self.context
    }

    /// Tells of it; it is over.
    pub(super) fn end(self, method: &'static str, route: &str, status: u16, id: &str, noted: &Noted) {
        if !self.context.is_sampled() {
            return;
        }
        let mut span = Span::new(&self.context, self.parent, SpanKind::Server, format!("{method} {route}"))
            .over(self.began, self.clock.now())
            // What OpenTelemetry has instead of a word that somebody made up.
            .with("http.request.method", if method == "other" { "_OTHER" } else { method })
            .with("http.route", route.to_owned())
            .with("http.response.status_code", u64::from(status))
            .with("flowforge.request.id", id.to_owned());
        if let Some(workspace) = noted.workspace {
            span = span.with("flowforge.workspace.id", workspace.to_string());
        }
        if let Some(kind) = noted.kind {
            span = span.with("graphql.operation.type", kind);
        }
        if let Some(operation) = &noted.operation {
            span = span.with("graphql.operation.name", operation.clone());
        }
        self.tracer.send(if status >= 500 { span.failed(status.to_string()) } else { span });
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn two_callers_are_none_and_what_services_noted_is_joined() {
        let parent = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let mut headers = HeaderMap::new();
        assert_eq!(asked(&headers), None);
        headers.append("traceparent", parent.clone());
        assert_eq!(asked(&headers).unwrap().state, None);
        headers.append("tracestate", HeaderValue::from_static("a=1"));
        headers.append("tracestate", HeaderValue::from_static("b=2"));
        assert_eq!(asked(&headers).unwrap().state.as_deref(), Some("a=1,b=2"));
        headers.append("traceparent", parent);
        assert_eq!(asked(&headers), None);
    }
}
