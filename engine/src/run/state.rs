//! The state of one node run: an enum with one transition function.

use crate::catalog::EffectClass;
use crate::error::ErrorInfo;
use crate::run::event::WaitFor;
use crate::run::status::NodeRunStatus;
use crate::time::Timestamp;
use crate::value::ValueRef;

/// What a node run is doing, with what that state needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeRunState {
    /// Waits for what comes before it.
    Pending,
    /// An attempt is under way.
    Running {
        /// What a repeat may do.
        class: EffectClass,
        /// Its driver stopped in good order before the attempt began: it may begin elsewhere without any doubt.
        unbegun: bool,
    },
    /// A `for_each` finds out its items.
    Listing,
    /// The items of a `for_each` are under way.
    Expanded,
    /// The outputs of a `for_each` are put together.
    Collecting,
    /// Waits for time or a signal.
    Waiting {
        /// For what.
        wait: WaitFor,
    },
    /// Another attempt is due.
    Retrying {
        /// When.
        due: Timestamp,
    },
    /// Nobody knows whether its effect happened.
    Uncertain,
    /// Has its output.
    Succeeded {
        /// The port it left by.
        port: String,
        /// The result.
        output: ValueRef,
    },
    /// Has no further attempt.
    Failed,
    /// No path led here.
    Skipped,
    /// Stopped before its end.
    Canceled,
    /// Its time was up.
    TimedOut,
}

/// What can happen to a node run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeRunChange {
    /// An attempt begins.
    Start {
        /// What a repeat may do.
        class: EffectClass,
    },
    /// The attempt was handed back before it began.
    HandBack,
    /// Its items are asked for.
    List,
    /// Its items are known.
    Expand,
    /// All its items are settled.
    Collect,
    /// It waits.
    Wait {
        /// For what.
        wait: WaitFor,
    },
    /// Another attempt will follow.
    Retry {
        /// When.
        due: Timestamp,
    },
    /// Nobody knows how the attempt ended.
    Doubt,
    /// It has its output.
    Succeed {
        /// The port it leaves by.
        port: String,
        /// The result.
        output: ValueRef,
    },
    /// No attempt will follow.
    Fail,
    /// No path leads here.
    Skip,
    /// It is stopped.
    Cancel,
    /// Its time is up.
    TimeOut,
}

/// A change that the state does not allow: a defect of the rules, or a journal that other rules wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a node run that is {state:?} cannot take {change:?}")]
pub struct IllegalTransition {
    /// The state it is in.
    pub state: Box<NodeRunState>,
    /// What was to happen.
    pub change: Box<NodeRunChange>,
}

impl NodeRunState {
    /// The only place where a node run changes state.
    ///
    /// # Errors
    /// When the state does not allow the change.
    pub fn next(self, change: NodeRunChange) -> Result<Self, IllegalTransition> {
        use NodeRunChange as C;
        use NodeRunState as S;
        match (self, change) {
            (S::Pending | S::Retrying { .. } | S::Uncertain | S::Running { .. }, C::Start { class }) => {
                Ok(S::Running { class, unbegun: false })
            }
            (S::Running { class, .. }, C::HandBack) => Ok(S::Running { class, unbegun: true }),
            (S::Pending, C::List) => Ok(S::Listing),
            (S::Listing, C::Expand) => Ok(S::Expanded),
            (S::Expanded, C::Collect) => Ok(S::Collecting),
            (S::Running { .. }, C::Wait { wait }) => Ok(S::Waiting { wait }),
            (S::Running { .. }, C::Retry { due }) => Ok(S::Retrying { due }),
            (S::Running { .. }, C::Doubt) => Ok(S::Uncertain),
            (
                S::Pending | S::Running { .. } | S::Waiting { .. } | S::Uncertain | S::Collecting,
                C::Succeed { port, output },
            ) => Ok(S::Succeeded { port, output }),
            (S::Running { .. } | S::Uncertain | S::Listing | S::Expanded | S::Collecting, C::Fail) => Ok(S::Failed),
            (S::Pending, C::Skip) => Ok(S::Skipped),
            (state, C::Cancel) if state.can_be_stopped() => Ok(S::Canceled),
            (state, C::TimeOut) if state.can_be_stopped() => Ok(S::TimedOut),
            (state, change) => Err(IllegalTransition { state: Box::new(state), change: Box::new(change) }),
        }
    }

    /// Whether nothing can follow.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Pending
            | Self::Running { .. }
            | Self::Listing
            | Self::Expanded
            | Self::Collecting
            | Self::Waiting { .. }
            | Self::Retrying { .. }
            | Self::Uncertain => false,
            Self::Succeeded { .. } | Self::Failed | Self::Skipped | Self::Canceled | Self::TimedOut => true,
        }
    }

    /// Whether an effect is under way or about to be.
    pub fn is_active(&self) -> bool {
        match self {
            Self::Running { .. } | Self::Listing | Self::Collecting => true,
            Self::Pending
            | Self::Expanded
            | Self::Waiting { .. }
            | Self::Retrying { .. }
            | Self::Uncertain
            | Self::Succeeded { .. }
            | Self::Failed
            | Self::Skipped
            | Self::Canceled
            | Self::TimedOut => false,
        }
    }

    fn can_be_stopped(&self) -> bool {
        match self {
            Self::Running { .. }
            | Self::Listing
            | Self::Expanded
            | Self::Collecting
            | Self::Waiting { .. }
            | Self::Retrying { .. } => true,
            Self::Pending
            | Self::Uncertain
            | Self::Succeeded { .. }
            | Self::Failed
            | Self::Skipped
            | Self::Canceled
            | Self::TimedOut => false,
        }
    }

    /// The word that people see.
    pub fn status(&self) -> NodeRunStatus {
        match self {
            Self::Pending => NodeRunStatus::Pending,
            Self::Running { .. } | Self::Listing | Self::Expanded | Self::Collecting => NodeRunStatus::Running,
            Self::Waiting { .. } => NodeRunStatus::Waiting,
            Self::Retrying { .. } => NodeRunStatus::Retrying,
            Self::Uncertain => NodeRunStatus::Uncertain,
            Self::Succeeded { .. } => NodeRunStatus::Succeeded,
            Self::Failed => NodeRunStatus::Failed,
            Self::Skipped => NodeRunStatus::Skipped,
            Self::Canceled => NodeRunStatus::Canceled,
            Self::TimedOut => NodeRunStatus::TimedOut,
        }
    }
}

/// A node run with the counters that outlive its states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRun {
    /// What it is doing.
    pub state: NodeRunState,
    /// The last attempt, from 1; 0 before the first.
    pub attempt: u32,
    /// Failed attempts that the retry policy counts.
    pub failures: u32,
    /// Part of the idempotency key.
    pub generation: u32,
    /// The last error.
    pub error: Option<ErrorInfo>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it settled.
    pub finished_at: Option<Timestamp>,
}

impl Default for NodeRun {
    fn default() -> Self {
        Self {
            state: NodeRunState::Pending,
            attempt: 0,
            failures: 0,
            generation: 0,
            error: None,
            started_at: None,
            finished_at: None,
        }
    }
}
