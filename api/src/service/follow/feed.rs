//! The feed of a workspace, read forward.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::id::{WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use tokio::time::Instant;

use super::{Followed, PAGE, Source, wait};
use crate::app::App;
use crate::auth::Viewer;
use crate::auth::cursor::CursorKey;
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

/// A workspace's events after a number.
pub(super) struct FeedSource {
    app: Arc<App>,
    workspace: WorkspaceId,
    cursors: CursorKey,
    filter: FeedFilter,
    /// The last event that was looked at, whether it was wanted or not.
    seq: i64,
    /// What the number was when this began.
    last: i64,
    pending: VecDeque<Happening>,
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
        let (app, workspace, cursors) = (Arc::clone(app), viewer.workspace, viewer.cursors);
        Ok(Self { app, workspace, cursors, filter, seq, last, pending: VecDeque::new(), wakes })
    }

    fn cursor_at(&self, seq: i64) -> String {
        self.cursors.cursor(KIND, &seq.to_string())
    }
}

impl Source for FeedSource {
    fn pop(&mut self) -> Option<(Timestamp, Followed)> {
        while let Some(happening) = self.pending.pop_front() {
            self.seq = happening.seq;
            if self.filter.takes(&happening) {
                return Some((happening.at, Followed::Happening(Box::new(happening))));
            }
        }
        None
    }

    async fn read(&mut self) -> Result<bool, ServiceError> {
        let found = store::feed::after(self.app.runtime.database(), self.workspace, self.seq, u64::from(PAGE)).await?;
        let oldest = found.first().map_or(self.last, |first| first.seq - 1);
        if oldest > self.seq {
            return Err(ServiceError::CursorExpired { oldest: self.cursor_at(oldest) });
        }
        self.pending.extend(found);
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
