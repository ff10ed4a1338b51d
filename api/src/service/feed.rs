//! What happened in a workspace, as readers of its feed see it.

use engine::id::WorkflowId;
use engine::time::Timestamp;
use serde_json::Value;

/// What the database itself tells of runs, whoever changes them.
pub const RUN_KINDS: &[&str] =
    &["run.created", "run.queued", "run.started", "run.waiting", "run.resumed", "run.paused", "run.finished"];

/// Something that happened in a workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// Counts from 1 in the workspace, without a gap.
    pub seq: i64,
    /// What happened, such as `run.finished`.
    pub kind: String,
    /// The id of what it happened to.
    pub entity: String,
    /// The workflow that this is part of.
    pub workflow: Option<WorkflowId>,
    /// Who did it, when somebody did.
    pub actor: Option<String>,
    /// What readers want to know at once.
    pub data: Value,
    /// When.
    pub at: Timestamp,
}
