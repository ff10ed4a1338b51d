//! Traces of requests, runs, node runs and attempts.
//!
//! The ids of spans are made from what names the thing itself, so that every process names the same span by the same id:
//! a run that was taken over goes on in its trace, and a parent can be named before anybody has told of it.

use std::fmt;
use std::sync::Arc;

use engine::scope::Scope;
use metrics::Counter;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Sender;
use uuid::Uuid;

pub mod context;
mod run;
pub mod span;

pub use context::{SpanId, TraceContext, TraceId};
pub(crate) use run::{AttemptSpan, Facts, RunTrace, trace_of};
pub use span::{Attribute, Span, SpanKind};

use context::SAMPLED;

/// Where spans go, and which of them. Cheap to clone; the default tells nobody anything and costs nothing.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Sending>>);

struct Sending {
    spans: Sender<Span>,
    sample_ratio: f64,
    lost: Counter,
}

impl Tracer {
    /// Sends to `spans` and never waits: what finds it full counts in `lost`. Of traces that nobody began before us, a
    /// share of `sample_ratio` is sent.
    pub fn new(spans: Sender<Span>, sample_ratio: f64, lost: Counter) -> Self {
        Self(Some(Arc::new(Sending { spans, sample_ratio, lost })))
    }

    /// Whether spans are sent anywhere.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of a request, which has come with `parent` or begins a trace; `id` is unique. `None` without a receiver.
    pub fn request(&self, parent: Option<&TraceContext>, id: Uuid) -> Option<TraceContext> {
        let sending = self.0.as_ref()?;
        let span = SpanId(digest(&["request"], id));
        Some(match parent {
            Some(parent) => TraceContext { span, ..parent.clone() },
            None => {
                let trace = TraceId(digest(&["trace"], id));
                TraceContext { trace, span, flags: sending.flags(trace), state: None }
            }
        })
    }

    /// Sends a span, or counts it as lost.
    pub fn send(&self, span: Span) {
        if let Some(sending) = &self.0
            && sending.spans.try_send(span).is_err()
        {
            sending.lost.increment(1);
        }
    }

    /// The flags of a trace that begins here.
    fn root_flags(&self, trace: TraceId) -> u8 {
        self.0.as_ref().map_or(0, |sending| sending.flags(trace))
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "Tracer(on)" } else { "Tracer(off)" })
    }
}

impl Sending {
    fn flags(&self, trace: TraceId) -> u8 {
        if trace.share() < self.sample_ratio { SAMPLED } else { 0 }
    }
}

/// The trace of a run that nobody's request began.
fn trace_of_run(run: Uuid) -> TraceId {
    TraceId(digest(&["trace"], run))
}

fn span_of_run(run: Uuid) -> SpanId {
    SpanId(digest(&["run"], run))
}

fn span_of_node_run(run: Uuid, node: &str, scope: &Scope) -> SpanId {
    SpanId(digest(&["node_run", node, &scope.to_string()], run))
}

fn span_of_attempt(run: Uuid, node: &str, scope: &Scope, attempt: u32) -> SpanId {
    SpanId(digest(&["attempt", node, &scope.to_string(), &attempt.to_string()], run))
}

/// The first bytes of a digest over words and an id. That all of them are zero, which means no id, does not happen.
fn digest<const N: usize>(words: &[&str], id: Uuid) -> [u8; N] {
    let mut hash = Sha256::new();
    hash.update(id.as_bytes());
    for word in words {
        hash.update(word.as_bytes());
        // No word contains it, so that words cannot run into each other.
        hash.update([0]);
    }
    let whole = hash.finalize();
    let mut first = [0; N];
    first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_apart_by_all_that_names_them() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let item = Scope::item(1);
        let ids = [
            span_of_run(one),
            span_of_run(two),
            span_of_node_run(one, "a", &Scope::ROOT),
            span_of_node_run(one, "b", &Scope::ROOT),
            span_of_node_run(one, "a", &item),
            span_of_attempt(one, "a", &item, 1),
            span_of_attempt(one, "a", &item, 2),
            span_of_attempt(two, "a", &item, 1),
        ];
        let different: std::collections::BTreeSet<_> = ids.iter().map(|id| id.0).collect();
        assert_eq!(different.len(), ids.len());
        assert_eq!(span_of_attempt(one, "a", &item, 1), ids[5], "the same in every process");
    }

    #[test]
    fn the_ratio_decides_only_for_traces_that_begin_here() {
        let (sender, _spans) = tokio::sync::mpsc::channel(1);
        let of = |ratio| Tracer::new(sender.clone(), ratio, Counter::noop());
        let sampled = |tracer: &Tracer, parent: Option<&TraceContext>| {
            (0..2_000).filter(|id| tracer.request(parent, Uuid::from_u128(*id)).unwrap().is_sampled()).count()
        };
        assert_eq!((sampled(&of(0.0), None), sampled(&of(1.0), None)), (0, 2_000));
        let some = sampled(&of(0.25), None);
        assert!((400..600).contains(&some), "{some}");
        let parent = |flags| TraceContext { trace: TraceId([1; 16]), span: SpanId([1; 8]), flags, state: None };
        assert_eq!((sampled(&of(0.0), Some(&parent(1))), sampled(&of(1.0), Some(&parent(0)))), (2_000, 0));
        assert!(Tracer::default().request(Some(&parent(1)), Uuid::nil()).is_none());
    }

    #[test]
    fn what_finds_no_place_is_lost_and_nobody_waits() {
        let (sender, spans) = tokio::sync::mpsc::channel(1);
        let tracer = Tracer::new(sender, 1.0, Counter::noop());
        let context = tracer.request(None, Uuid::from_u128(7)).unwrap();
        for _ in 0..3 {
            tracer.send(Span::new(&context, None, SpanKind::Server, "one"));
        }
        assert_eq!(spans.len(), 1);
    }
}
