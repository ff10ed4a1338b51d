//! The feed of a workspace, read forward.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use engine::id::{EnvironmentId, ProjectId, VariableId, WorkflowId};
use engine::time::Timestamp;
use tokio::time::Instant;

use super::{Followed, PAGE, Source, wait};
use crate::app::App;
use crate::auth::cursor::CursorKey;
use crate::auth::{Scope, Viewer};
use crate::service::ServiceError;
use crate::service::audit::Action;
use crate::service::feed::{Happening, RUN_KINDS};
use crate::store;

const KIND: &str = "workspace-events";

/// Which events; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedFilter {
    /// One of these kinds, such as `run.finished`, or `run.*`; any when empty.
    pub kinds: Vec<String>,
    /// Part of this workflow.
    pub workflow: Option<WorkflowId>,
    /// About the thing of this id.
    pub entity: Option<String>,
}

impl FeedFilter {
    /// A kind that nothing ever has is a mistake of the asker.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let told = Action::ALL.iter().filter(|action| action.is_told()).map(|action| action.as_str());
        let known: Vec<&str> = told.chain(RUN_KINDS.iter().copied()).collect();
        match self.kinds.iter().find(|wanted| !known.iter().any(|kind| fits(wanted, kind))) {
            None => Ok(()),
            Some(wanted) => {
                let message = format!("there are no events of the kind `{wanted}`; there are {}", known.join(", "));
                Err(ServiceError::invalid("kinds", message))
            }
        }
    }

    fn takes(&self, happening: &Happening) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| fits(wanted, &happening.kind)))
            && self.workflow.is_none_or(|workflow| happening.workflow == Some(workflow))
            && self.entity.as_ref().is_none_or(|entity| happening.entity == *entity)
    }
}

fn fits(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => start.ends_with('.') && kind.starts_with(start),
        None => wanted == kind,
    }
}

/// Something that was read, and whether the follower sees what it happened to.
#[derive(Debug)]
struct Pending {
    happening: Happening,
    is_seen: bool,
}

/// Says of each whether it is seen. Of what is gone nobody can tell whose it was, so that only those are told who see
/// all projects.
async fn seen(app: &App, scope: &Scope, found: Vec<Happening>) -> Result<VecDeque<Pending>, ServiceError> {
    let is_whole = scope.projects.is_none();
    let mut pending: VecDeque<Pending> =
        found.into_iter().map(|happening| Pending { happening, is_seen: is_whole }).collect();
    if is_whole {
        return Ok(pending);
    }
    let ids: BTreeSet<WorkflowId> = pending.iter().filter_map(|one| one.happening.workflow).collect();
    let ids: Vec<WorkflowId> = ids.into_iter().collect();
    let workflows = store::workflow::by_ids(app.runtime.database(), scope, &ids).await?;
    let workflows: BTreeSet<WorkflowId> = workflows.into_iter().map(|workflow| workflow.id).collect();
    for one in &mut pending {
        one.is_seen = match one.happening.workflow {
            Some(workflow) => workflows.contains(&workflow),
            None => sees(app, scope, &one.happening.entity).await?,
        };
    }
    Ok(pending)
}

/// Whether something that is of no workflow is seen: the workspace itself, and what a project has.
async fn sees(app: &App, scope: &Scope, entity: &str) -> Result<bool, ServiceError> {
    let database = app.runtime.database();
    if let Ok(project) = entity.parse::<ProjectId>() {
        return Ok(scope.has(project));
    }
    if let Ok(environment) = entity.parse::<EnvironmentId>() {
        return Ok(store::environment::find(database, scope, environment).await?.is_some());
    }
    if let Ok(variable) = entity.parse::<VariableId>() {
        return Ok(store::variable::find(database, scope, variable).await?.is_some());
    }
    Ok(entity == scope.workspace.to_string())
}

/// A workspace's events after a number.
pub(super) struct FeedSource {
    app: Arc<App>,
    scope: Scope,
    cursors: CursorKey,
    filter: FeedFilter,
    /// The last event that was looked at, whether it was wanted or not.
    seq: i64,
    /// What the number was when this began.
    last: i64,
    pending: VecDeque<Pending>,
    wakes: runtime::event::Wakes,
}

impl FeedSource {
    /// Goes on after a cursor; from now on without one.
    pub(super) async fn new(
        app: &Arc<App>,
        viewer: &Viewer,
        filter: FeedFilter,
        after: Option<&str>,
    ) -> Result<Self, ServiceError> {
        filter.check()?;
        // It listens before it looks, so that nothing falls between.
        let wakes = app.runtime.bus().subscribe_feed(viewer.workspace);
        let last = store::feed::last(app.runtime.database(), viewer.workspace).await?;
        let seq = match after {
            None => last,
            Some(text) => {
                let place = viewer.cursors.place(KIND, text).and_then(|place| place.parse().ok());
                place.filter(|seq| (0..=last).contains(seq)).ok_or_else(|| {
                    ServiceError::invalid("after", "`after` is not a cursor of this workspace's events")
                })?
            }
        };
        let (app, scope, cursors) = (Arc::clone(app), viewer.scope(), viewer.cursors);
        Ok(Self { app, scope, cursors, filter, seq, last, pending: VecDeque::new(), wakes })
    }

    fn cursor_at(&self, seq: i64) -> String {
        self.cursors.cursor(KIND, &seq.to_string())
    }
}

impl Source for FeedSource {
    fn pop(&mut self) -> Option<(Timestamp, Followed)> {
        while let Some(Pending { happening, is_seen }) = self.pending.pop_front() {
            self.seq = happening.seq;
            if is_seen && self.filter.takes(&happening) {
                return Some((happening.at, Followed::Happening(Box::new(happening))));
            }
        }
        None
    }

    async fn read(&mut self) -> Result<bool, ServiceError> {
        let found =
            store::feed::after(self.app.runtime.database(), self.scope.workspace, self.seq, u64::from(PAGE)).await?;
        let oldest = found.first().map_or(self.last, |first| first.seq - 1);
        if oldest > self.seq {
            return Err(ServiceError::CursorExpired { oldest: self.cursor_at(oldest) });
        }
        self.pending = seen(&self.app, &self.scope, found).await?;
        Ok(!self.pending.is_empty())
    }

    async fn caught_up(&mut self) -> Result<(), ServiceError> {
        Ok(())
    }

    fn is_over(&self) -> bool {
        false
    }

    async fn wait(&mut self, until: Instant) -> bool {
        wait(&mut self.wakes, until).await
    }

    fn seq(&self) -> u64 {
        u64::try_from(self.seq).unwrap_or_default()
    }

    fn cursor(&self) -> String {
        self.cursor_at(self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_word_or_the_start_of_words() {
        assert!(fits("run.finished", "run.finished") && fits("run.*", "run.finished"));
        assert!(!fits("run.*", "runs.x") && !fits("*", "run.finished") && !fits("run", "run.finished"));
        let of = |kind: &str| FeedFilter { kinds: vec![kind.to_owned()], ..FeedFilter::default() };
        assert!(of("deployment.changed").check().is_ok() && of("version.*").check().is_ok());
        for wrong in ["run.finnished", "*", "", "api_key.created"] {
            assert!(of(wrong).check().is_err(), "{wrong}");
        }
    }
}
