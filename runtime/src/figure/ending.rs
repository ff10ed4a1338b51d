//! One log line for each run that has ended, and what counts it; beside the driver, which has no time to write lines.

use std::sync::Arc;

use engine::id::{RunId, WorkflowId, WorkspaceId};
use engine::run::row::Tally;
use engine::run::status::RunStatus;
use engine::time::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Figures;
use crate::runtime::Mode;

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
}

/// Tells of ends until the driver is gone and all was told.
pub(crate) async fn tell(mut ends: UnboundedReceiver<RunEnd>, figures: Arc<Figures>) {
    while let Some(end) = ends.recv().await {
        let took = end.finished_at.since(end.started_at);
        if end.mode == Mode::Live {
            figures.ended(end.status, took);
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
