//! One log line for each run that has ended, and what counts it; beside the driver, which has no time to write lines.

use std::sync::Arc;

use engine::id::{RunId, WorkflowId, WorkspaceId};
use engine::run::row::Tally;
use engine::run::status::RunStatus;
use engine::time::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Figures;
use crate::database::Database;
use crate::runtime::Mode;
use crate::trace::{RunTrace, TraceId};

/// A run that has ended, as its last commit says.
#[derive(Debug)]
pub(crate) struct RunEnd {
    pub(crate) run: RunId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) workflow: WorkflowId,
    pub(crate) mode: Mode,
    pub(crate) status: RunStatus,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) tally: Tally,
    /// The code of its error.
    pub(crate) error: Option<String>,
    pub(crate) trace: Option<Arc<RunTrace>>,
}

/// Tells of ends until the driver is gone and all was told.
pub(crate) async fn tell(mut ends: UnboundedReceiver<RunEnd>, figures: Arc<Figures>, database: Database) {
    while let Some(end) = ends.recv().await {
        let took = end.finished_at.since(end.started_at);
        if end.mode == Mode::Live {
            figures.ended(end.status, took);
        }
        if let Some(trace) = end.trace.as_ref().filter(|trace| trace.is_told()) {
            trace.ended(&end, retried(trace, &database).await);
        }
        let duration_ms = took.as_secs_f64() * 1_000.0;
        let (run, status) = (end.run, end.status.as_str());
        tracing::info!(
            run.id = %run,
            workspace.id = %end.workspace,
            workflow.id = %end.workflow,
            run.mode = match end.mode { Mode::Live => "LIVE", Mode::Test => "TEST" },
            run.status = status,
            run.node_runs = end.tally.node_runs,
            run.attempts = end.tally.attempts,
            duration_ms,
            "{run} ended as {status} after {duration_ms:.1} ms"
        );
    }
}

/// The trace of the run that this one tried again, as long as its row is there.
async fn retried(trace: &RunTrace, database: &Database) -> Option<TraceId> {
    let run = trace.retry_of()?;
    crate::store::run::trace(database, run).await.unwrap_or_else(|error| {
        tracing::debug!(run.id = %run, error = %error, "the trace of {run} could not be read; no span links to it");
        None
    })
}
