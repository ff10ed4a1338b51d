//! What W3C Trace Context carries from one service to the next.

use std::sync::Arc;

/// The flag that says that the trace is kept.
pub(super) const SAMPLED: u8 = 1;
/// The flags that are handed on; the second one says that the trace's id is random.
const KNOWN_FLAGS: u8 = 3;
/// Longest `tracestate` that is handed on, as the recommendation asks for at least.
const STATE_LIMIT: usize = 512;
/// Length of a `traceparent` of version 00.
const PARENT_LENGTH: usize = 55;

/// Names a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// Names a span of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// A span of some service, under which others put theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// The flags of version 00.
    pub flags: u8,
    /// What the services before us noted for themselves; handed on as it came.
    pub state: Option<Arc<str>>,
}

impl TraceId {
    /// Where the id lies between all ids, from 0 to 1, by its last seven bytes: those are the random ones.
    pub(super) fn share(self) -> f64 {
        let [.., a, b, c, d, e, f, g] = self.0;
        let low = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
        low as f64 / (1_u64 << 56) as f64
    }
}

impl TraceContext {
    /// Reads the two headers; `None` for a `traceparent` that is none. A `tracestate` that is too long or not text is left
    /// out.
    pub fn read(parent: &str, state: Option<&str>) -> Option<Self> {
        let parent = parent.trim();
        let rest = parent.get(PARENT_LENGTH..)?;
        let mut parts = parent.get(..PARENT_LENGTH)?.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = bytes(version)?;
        let (trace, span, [flags]) = (bytes(trace)?, bytes(span)?, bytes(flags)?);
        // Later versions may say more after the flags.
        let is_whole = if version == 0 { rest.is_empty() } else { rest.is_empty() || rest.starts_with('-') };
        if parts.next().is_some() || version == 0xff || !is_whole || trace == [0; 16] || span == [0; 8] {
            return None;
        }
        let state = state.map(str::trim).filter(|state| !state.is_empty() && state.len() <= STATE_LIMIT);
        let state = state.filter(|state| state.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
        let flags = flags & KNOWN_FLAGS;
        Some(Self { trace: TraceId(trace), span: SpanId(span), flags, state: state.map(Arc::from) })
    }

    /// The `traceparent` that names this span.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", hex::encode(self.trace.0), hex::encode(self.span.0), self.flags)
    }

    /// Whether spans of this trace are kept.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// Lower case only, as the recommendation has it.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; N];
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_context_is_written_as_it_was_read() {
        let context = TraceContext::read(PARENT, Some("rojo=00f067aa0ba902b7,congo=t61")).unwrap();
        assert!(context.is_sampled());
        assert_eq!(context.traceparent(), PARENT);
        assert_eq!(context.state.as_deref(), Some("rojo=00f067aa0ba902b7,congo=t61"));
        let unsampled = TraceContext::read(&PARENT.replace("-01", "-02"), None).unwrap();
        assert!(!unsampled.is_sampled());
        assert!(unsampled.traceparent().ends_with("-02"), "the other flag goes on too");
    }

    #[test]
    fn what_is_no_traceparent_is_left_out() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
            "00-4bf92f3577b34da6a3ce929d0e0e47-3600f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        ] {
            assert_eq!(TraceContext::read(wrong, None), None, "{wrong}");
        }
        assert!(TraceContext::read(&format!("{}-more", PARENT.replacen("00", "01", 1)), None).is_some());
        let state = |text: &str| TraceContext::read(PARENT, Some(text)).unwrap().state;
        assert_eq!((state(""), state(&"a".repeat(513)), state("ä=1")), (None, None, None));
    }
}
