//! The attempts of node runs, as a run's journal tells them.

use std::collections::HashMap;
use std::sync::Arc;

use engine::error::ErrorInfo;
use engine::id::{NodeRunId, RunId};
use engine::run::event::{AttemptLog, Event, NodeRunRef, Recorded};
use engine::time::Timestamp;
use serde::Deserialize as _;

use super::run::Run;
use super::veil::{self, Veil};
use super::{ServiceError, plan};
use crate::app::App;
use crate::auth::{Permission, Viewer};

/// One try of a node run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    /// When it began; after a process was lost, when it first began.
    pub started_at: Timestamp,
    /// When it gave a result or an error, asked to wait, or was given up.
    pub finished_at: Option<Timestamp>,
    /// What went wrong.
    pub error: Option<ErrorInfo>,
    /// What it wrote for people to read.
    pub log: Option<AttemptLog>,
}

/// A line that an attempt wrote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For whoever looks for a fault.
    Debug,
    /// What is going on.
    Info,
    /// Something to look at.
    Warn,
    /// Something went wrong.
    Error,
}

/// The lines of an attempt, as the viewer may see them: what the run's data hides is hidden in them, too.
///
/// # Errors
/// When they may not, or the lines cannot be read.
pub async fn lines(
    app: &App,
    viewer: &Viewer,
    log: &AttemptLog,
    veil: Option<&Veil>,
) -> Result<Vec<LogLine>, ServiceError> {
    viewer.require(Permission::Read)?;
    let mut lines = app.runtime.value(viewer.workspace, &log.lines.value()).await?;
    if let Some(veil) = veil {
        veil.hide(false, Arc::make_mut(&mut lines));
    }
    Ok(Vec::deserialize(lines.as_ref()).unwrap_or_default())
}

/// The attempts of all node runs of a run, in order. Having the run is the proof that the viewer may see them.
///
/// # Errors
/// When they may not, or the journal cannot be read.
pub async fn of_run(app: &App, viewer: &Viewer, run: &Run) -> Result<HashMap<NodeRunId, Vec<Attempt>>, ServiceError> {
    viewer.require(Permission::Read)?;
    let keys = plan::get(app, viewer.workspace, &run.hash).await?.keys.clone();
    let mut events = app.runtime.events(run.id, 0, u32::MAX).await?;
    if let Some(veil) = veil::of(app, viewer, run).await? {
        events = events.into_iter().map(|event| veil.event(event)).collect();
    }
    Ok(told(run.id, &keys, &events))
}

fn told(run: RunId, keys: &[String], events: &[Recorded]) -> HashMap<NodeRunId, Vec<Attempt>> {
    let mut found: HashMap<&NodeRunRef, Vec<Attempt>> = HashMap::new();
    for recorded in events {
        match &recorded.event {
            // The whole of a `for_each` has no attempts of its own.
            Event::NodeStarted { at, attempt, .. } if *attempt > 0 => {
                let attempts = found.entry(at).or_default();
                if attempts.last().is_none_or(|last| last.number != *attempt) {
                    let started_at = recorded.at;
                    attempts.push(Attempt { number: *attempt, started_at, finished_at: None, error: None, log: None });
                }
            }
            Event::AttemptSucceeded { at, .. }
            | Event::AttemptWaits { at, .. }
            | Event::NodeCanceled { at }
            | Event::NodeTimedOut { at } => end(&mut found, at, recorded.at, None),
            Event::AttemptFailed { at, error, .. } | Event::NodeUncertain { at, error } => {
                end(&mut found, at, recorded.at, Some(error));
            }
            _ => {}
        }
        if let Event::AttemptSucceeded { at, attempt, log: Some(log), .. }
        | Event::AttemptFailed { at, attempt, log: Some(log), .. }
        | Event::AttemptWaits { at, attempt, log: Some(log), .. } = &recorded.event
        {
            let one = found.get_mut(at).and_then(|all| all.iter_mut().rfind(|one| one.number == *attempt));
            if let Some(one) = one {
                one.log = Some(AttemptLog::clone(log));
            }
        }
    }
    let named = found.into_iter().filter_map(|(at, attempts)| {
        let node = keys.get(at.node.0 as usize)?.clone();
        Some((NodeRunId { run, node, scope: at.scope.clone() }, attempts))
    });
    named.collect()
}

/// The last attempt ends, unless it has ended before: an UNCERTAIN one ended with its own error, and a wait outlives its
/// attempt.
fn end<'a>(
    found: &mut HashMap<&'a NodeRunRef, Vec<Attempt>>,
    at: &'a NodeRunRef,
    when: Timestamp,
    error: Option<&ErrorInfo>,
) {
    let last = found.get_mut(at).and_then(|attempts| attempts.last_mut());
    if let Some(last) = last.filter(|last| last.finished_at.is_none()) {
        last.finished_at = Some(when);
        last.error = error.cloned();
    }
}
