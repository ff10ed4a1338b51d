//! What is known of a request while it is answered. The middleware begins it; whoever finds out more notes it here, and
//! the request's log line tells it all.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine::id::WorkspaceId;
use runtime::trace::TraceContext;

use crate::auth::Viewer;

/// Longest operation name that is logged; a client may choose any.
const NAME_LIMIT: usize = 100;

tokio::task_local! {
    static CURRENT: Arc<RequestNotes>;
}

/// What is known of a request.
#[derive(Debug)]
pub(crate) struct RequestNotes {
    /// Its id.
    pub(crate) id: String,
    /// When it came.
    pub(crate) began: Instant,
    /// The span that whatever it starts is a part of.
    pub(crate) trace: Option<TraceContext>,
    noted: Mutex<Noted>,
}

/// What was found out on the way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    /// Where it comes from.
    pub(crate) address: Option<IpAddr>,
    /// Whose data it is about.
    pub(crate) workspace: Option<WorkspaceId>,
    /// Who asks.
    pub(crate) actor: Option<String>,
    /// `query`, `mutation` or `subscription`.
    pub(crate) kind: Option<&'static str>,
    /// What the client calls its operation.
    pub(crate) operation: Option<String>,
}

impl RequestNotes {
    /// A request that has just come.
    pub(crate) fn new(id: String) -> Arc<Self> {
        Self::traced(id, None)
    }

    /// The same within a trace.
    pub(crate) fn traced(id: String, trace: Option<TraceContext>) -> Arc<Self> {
        Arc::new(Self { id, began: Instant::now(), trace, noted: Mutex::default() })
    }

    /// What is known so far.
    pub(crate) fn noted(&self) -> Noted {
        self.lock().clone()
    }

    /// Where it comes from.
    pub(crate) fn came_from(&self, address: IpAddr) {
        self.lock().address = Some(address);
    }

    /// The address that it comes from, as far as it is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.lock().address
    }

    /// Who asks, and in which workspace.
    pub(crate) fn viewer(&self, viewer: &Viewer) {
        self.caller(viewer.workspace, viewer.actor());
    }

    /// The same for those without a key of ours.
    pub(crate) fn caller(&self, workspace: WorkspaceId, actor: String) {
        let mut noted = self.lock();
        noted.workspace = Some(workspace);
        noted.actor = Some(actor);
    }

    /// What is asked for.
    pub(crate) fn operation(&self, kind: &'static str, name: Option<&str>) {
        let mut noted = self.lock();
        noted.kind = Some(kind);
        noted.operation = name.map(|name| name.chars().take(NAME_LIMIT).collect());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        // Plain values that no panic can leave half written.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since it came.
    pub(crate) fn milliseconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1_000.0
    }
}

/// Does `work` as a part of this request.
pub(crate) async fn within<F: Future>(request: Arc<RequestNotes>, work: F) -> F::Output {
    CURRENT.scope(request, work).await
}

/// The request that this task works on; `None` outside of any, such as in commands.
pub(crate) fn current() -> Option<Arc<RequestNotes>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The span that what this task starts is a part of.
pub(crate) fn trace() -> Option<TraceContext> {
    current().and_then(|notes| notes.trace.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn notes_belong_to_the_request_of_the_task() {
        assert!(current().is_none());
        let (one, two) = (RequestNotes::new("one".to_owned()), RequestNotes::new("two".to_owned()));
        let note = |name: &'static str| async move {
            tokio::task::yield_now().await;
            current().unwrap().operation("query", Some(name));
        };
        tokio::join!(within(one.clone(), note("a")), within(two.clone(), note("b")));
        assert_eq!(one.noted().operation.as_deref(), Some("a"));
        assert_eq!(two.noted().operation.as_deref(), Some("b"));
        two.operation("mutation", Some(&"x".repeat(5_000)));
        assert_eq!(two.noted().operation.map(|name| name.len()), Some(NAME_LIMIT));
    }
}
