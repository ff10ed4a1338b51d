//! What of a run's data people do not get to see: what its `input_schema` marks as sensitive, wherever the run takes it.

use std::sync::Arc;

use engine::error::ErrorInfo;
use engine::run::event::{Event, Recorded};
use engine::sensitive::{Sensitive, Traces};
use engine::value::ValueRef;
use serde_json::Value;

use super::run::Run;
use super::{ServiceError, plan};
use crate::app::App;
use crate::auth::{Permission, Viewer};

/// What is hidden of one run's data.
#[derive(Debug)]
pub struct Veil {
    sensitive: Arc<Sensitive>,
    traces: Traces,
}

/// A value of a run, as a viewer may see it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// It.
    pub value: &'a ValueRef,
    /// What is hidden of its run's data.
    pub veil: Option<&'a Veil>,
    /// Whether it is the run's input, which the schema speaks of.
    pub is_input: bool,
}

/// What is hidden of a run's data; `None` when its workflow marks nothing.
///
/// # Errors
/// When the viewer may not read, or the run's input or definition cannot be read.
pub async fn of(app: &App, viewer: &Viewer, run: &Run) -> Result<Option<Veil>, ServiceError> {
    viewer.require(Permission::Read)?;
    let plan = plan::get(app, viewer.workspace, &run.hash).await?;
    let Some(sensitive) = plan.sensitive.clone() else { return Ok(None) };
    let input = app.runtime.value(viewer.workspace, &run.input).await?;
    let traces = sensitive.found_in(&input);
    Ok(Some(Veil { sensitive, traces }))
}

impl Veil {
    /// What is hidden of something that has no run: the marked places, nothing else.
    pub(super) fn of_event(sensitive: Sensitive) -> Self {
        Self { sensitive: Arc::new(sensitive), traces: Traces::default() }
    }

    /// Hides what must not be seen; whether there was something.
    pub(super) fn hide(&self, is_input: bool, value: &mut Value) -> bool {
        let hidden = is_input && self.sensitive.hide(value);
        self.traces.hide(value) | hidden
    }

    /// An error without it. Messages tell data that expressions made them of.
    pub fn error(&self, mut error: ErrorInfo) -> ErrorInfo {
        if let Some(clean) = self.traces.cleaned(&error.message) {
            error.message = clean;
        }
        error
    }

    /// An event without it.
    pub(super) fn event(&self, mut recorded: Recorded) -> Recorded {
        match &mut recorded.event {
            Event::AttemptFailed { error, .. }
            | Event::EvaluationFailed { error, .. }
            | Event::NodeFailed { error, .. }
            | Event::NodeUncertain { error, .. }
            | Event::RunEnding { error, .. }
            | Event::RunFinished { error: Some(error), .. } => *error = self.error(error.clone()),
            Event::CancelRequested { reason, .. } => {
                if let Some(clean) = self.traces.cleaned(reason) {
                    *reason = clean;
                }
            }
            _ => {}
        }
        recorded
    }
}
