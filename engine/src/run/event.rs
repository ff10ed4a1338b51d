//! What a journal holds: facts that came from outside and the decisions that followed from them.
//!
//! A fact is what [`super::step::step`] is given; decisions are what it answers. Replaying a journal gives each fact to
//! `step` again and finds the same decisions after it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::EffectClass;
use crate::error::ErrorInfo;
use crate::run::status::RunStatus;
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::value::ValueRef;

/// A node's place in the definition's key order; stable, because a version never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeIx(pub u32);

/// One node's execution inside its run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeRunRef {
    /// Which node.
    pub node: NodeIx,
    /// Which item.
    pub scope: Scope,
}

impl NodeRunRef {
    /// The node run of a node that runs once, or the whole of a `for_each`.
    pub fn root(node: NodeIx) -> Self {
        Self { node, scope: Scope::ROOT }
    }

    /// One item of a `for_each`.
    pub fn item(node: NodeIx, index: u32) -> Self {
        Self { node, scope: Scope::item(index) }
    }
}

/// What a waiting node run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitFor {
    /// A signal, or only time.
    pub signal: Option<SignalName>,
    /// When it stops waiting.
    pub until: Option<Timestamp>,
    /// What leaves the node when time ends the wait: its input.
    pub passes: ValueRef,
}

/// The name a signal is known by inside a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SignalName {
    /// The signal's name.
    pub name: String,
    /// Tells waits of the same name apart; often empty.
    pub key: String,
}

/// Something that becomes due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// The run's own time is up.
    RunDeadline,
    /// Effects in flight had their time to settle in a run that is ending.
    SettleDeadline,
    /// A node run's time with all its attempts is up.
    NodeDeadline(NodeRunRef),
    /// Another attempt is due.
    RetryDue(NodeRunRef),
    /// A wait ends.
    WaitDue(NodeRunRef),
}

/// What a person says about an UNCERTAIN node run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// It did not happen, or twice is harmless: do it again with the same key.
    Retry,
    /// It happened, and this is its result.
    Succeed {
        /// What leaves by `out`.
        output: ValueRef,
    },
    /// Treat it as failed.
    Fail,
}

/// A value that no row of its run keeps: when it is small, the journal itself does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The value.
    pub value: ValueRef,
    /// Its bytes, unless it is a blob.
    pub bytes: Option<Bytes>,
}

impl From<ValueRef> for Kept {
    fn from(value: ValueRef) -> Self {
        let bytes = value.inline.clone();
        Self { value, bytes }
    }
}

impl Kept {
    /// The value with the bytes that were kept of it.
    pub fn value(&self) -> ValueRef {
        ValueRef { inline: self.value.inline.clone().or_else(|| self.bytes.clone()), ..self.value.clone() }
    }
}

/// What an attempt wrote for people to read: lines of a console, or what a node told of its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptLog {
    /// A list of `{level, message}`, in order; `level` is `debug`, `info`, `warn` or `error`.
    pub lines: Kept,
    /// How many there are.
    pub count: u32,
    /// How many more it wrote, which were not kept.
    pub dropped: u64,
}

/// Where a result comes from that a run begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReusedFrom {
    /// The node succeeded in this run.
    Run(Uuid),
    /// Somebody pinned it.
    Pin,
}

/// One entry of a run's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    // Facts.
    /// The run exists.
    RunCreated {
        /// The trigger that started it.
        trigger: NodeIx,
        /// What it was given.
        input: ValueRef,
        /// What the idempotency keys of its effects are made from: itself, or the run it was retried from.
        origin: Uuid,
        /// How many facts of preparation follow before it begins: what it takes over from another run, what is left
        /// out. They are committed together with this one.
        prepared: u32,
        /// What `vars` is for it, when its expressions read that.
        vars: Option<Kept>,
    },
    /// Preparation: a node does not run, because its result is known.
    Reused {
        /// Which node run.
        at: NodeRunRef,
        /// Where the result comes from.
        from: ReusedFrom,
        /// The port it leaves by.
        port: String,
        /// The result.
        output: ValueRef,
    },
    /// Preparation: a node gets this as its input, whatever leads to it, and starts as soon as the run begins.
    InputEdited {
        /// The node.
        node: NodeIx,
        /// Its input.
        input: Kept,
    },
    /// Preparation: these nodes do something else than in the run that this one was retried from, so that their
    /// idempotency keys are made from this run.
    KeysRenewed {
        /// The nodes.
        nodes: Vec<NodeIx>,
    },
    /// Preparation: a node run goes on with the idempotency key that it last had in the run that this one was retried
    /// from.
    KeyInherited {
        /// Which node run.
        at: NodeRunRef,
        /// That key's generation.
        generation: u32,
    },
    /// Preparation: only a part of the definition runs.
    LeftOut {
        /// What does not.
        nodes: Vec<NodeIx>,
        /// The node whose output is the run's.
        result: NodeIx,
    },
    /// Another driver has taken the run over; attempts in flight have no result.
    RunRecovered {
        /// How often in a row this happened without progress.
        adoptions: u32,
    },
    /// The driver hands the run back in good order; these attempts are recorded as started but never began.
    RunReleased {
        /// Which.
        unbegun: Vec<NodeRunRef>,
    },
    /// An attempt gave a result.
    AttemptSucceeded {
        /// Which node run.
        at: NodeRunRef,
        /// Which attempt, from 1.
        attempt: u32,
        /// The port it leaves by.
        port: String,
        /// The result.
        output: ValueRef,
        /// What it wrote.
        log: Option<Box<AttemptLog>>,
    },
    /// An attempt gave an error.
    AttemptFailed {
        /// Which node run.
        at: NodeRunRef,
        /// Which attempt, from 1.
        attempt: u32,
        /// What went wrong.
        error: ErrorInfo,
        /// What it wrote before.
        log: Option<Box<AttemptLog>>,
    },
    /// An attempt asks to wait.
    AttemptWaits {
        /// Which node run.
        at: NodeRunRef,
        /// Which attempt, from 1.
        attempt: u32,
        /// For what.
        wait: WaitFor,
        /// What it wrote.
        log: Option<Box<AttemptLog>>,
    },
    /// The items of a `for_each` are known.
    ItemsListed {
        /// The node.
        node: NodeIx,
        /// How many.
        count: u32,
        /// The list.
        items: ValueRef,
    },
    /// The outputs of a `for_each` are put together.
    ItemsCollected {
        /// The node.
        node: NodeIx,
        /// The list of outputs.
        output: ValueRef,
    },
    /// A pure part of a node or of the run, other than an attempt, failed: its item list, its collected output, the
    /// run's output.
    EvaluationFailed {
        /// The node, or `None` for the run's output.
        node: Option<NodeIx>,
        /// What went wrong.
        error: ErrorInfo,
    },
    /// The run's output is known.
    OutputEvaluated {
        /// It.
        output: ValueRef,
    },
    /// Something became due.
    TimerFired {
        /// What.
        timer: Timer,
    },
    /// A signal came.
    SignalReceived {
        /// Which.
        signal: SignalName,
        /// What it carries.
        payload: ValueRef,
        /// The payload's bytes when they are small: until a node takes the signal, no row holds them.
        kept: Option<Bytes>,
    },
    /// Somebody asks the run to stop.
    CancelRequested {
        /// Who or what.
        by: String,
        /// Why, for people.
        reason: String,
        /// Do not wait for effects in flight.
        force: bool,
    },
    /// A person says how an UNCERTAIN node run ended.
    UncertainResolved {
        /// Which node run.
        at: NodeRunRef,
        /// How.
        resolution: Resolution,
        /// Who.
        by: String,
    },

    // Decisions.
    /// The run leaves QUEUED.
    RunStarted,
    /// An attempt begins; for the root of a `for_each`, its items are being listed (attempt 0).
    NodeStarted {
        /// Which node run.
        at: NodeRunRef,
        /// Which attempt, from 1.
        attempt: u32,
        /// Part of the idempotency key; rises only after a definite answer of a type that wants a fresh key.
        generation: u32,
        /// What a repeat may do.
        class: EffectClass,
    },
    /// A node run has its result by another way than an attempt: a trigger, an ended wait, a person.
    NodeSucceeded {
        /// Which node run.
        at: NodeRunRef,
        /// The port it leaves by.
        port: String,
        /// The result.
        output: ValueRef,
    },
    /// Another attempt will follow.
    NodeRetrying {
        /// Which node run.
        at: NodeRunRef,
        /// Its number.
        next_attempt: u32,
        /// When.
        due: Timestamp,
    },
    /// No attempt will follow.
    NodeFailed {
        /// Which node run.
        at: NodeRunRef,
        /// The last error.
        error: ErrorInfo,
    },
    /// No path leads here any more.
    NodeSkipped {
        /// The node.
        node: NodeIx,
    },
    /// Stopped because the run or its `for_each` ends.
    NodeCanceled {
        /// Which node run.
        at: NodeRunRef,
    },
    /// Its time with all attempts is up.
    NodeTimedOut {
        /// Which node run.
        at: NodeRunRef,
    },
    /// Nobody knows whether its effect happened.
    NodeUncertain {
        /// Which node run.
        at: NodeRunRef,
        /// What is known.
        error: ErrorInfo,
    },
    /// The run will end with this verdict once effects in flight have settled; nothing new starts.
    RunEnding {
        /// FAILED, CANCELED or TIMED_OUT.
        verdict: RunStatus,
        /// Why.
        error: ErrorInfo,
    },
    /// The run has ended.
    RunFinished {
        /// How.
        status: RunStatus,
        /// Its result, when it succeeded.
        output: Option<ValueRef>,
        /// Why it did not.
        error: Option<ErrorInfo>,
    },
}

impl Event {
    /// Whether this is part of what is known before a run begins.
    pub fn is_preparation(&self) -> bool {
        matches!(
            self,
            Self::Reused { .. }
                | Self::InputEdited { .. }
                | Self::KeysRenewed { .. }
                | Self::KeyInherited { .. }
                | Self::LeftOut { .. }
        )
    }

    /// Whether this came from outside; everything else follows from the definition and the facts before it.
    pub fn is_fact(&self) -> bool {
        match self {
            Self::RunCreated { .. }
            | Self::Reused { .. }
            | Self::InputEdited { .. }
            | Self::KeysRenewed { .. }
            | Self::KeyInherited { .. }
            | Self::LeftOut { .. }
            | Self::RunRecovered { .. }
            | Self::RunReleased { .. }
            | Self::AttemptSucceeded { .. }
            | Self::AttemptFailed { .. }
            | Self::AttemptWaits { .. }
            | Self::ItemsListed { .. }
            | Self::ItemsCollected { .. }
            | Self::EvaluationFailed { .. }
            | Self::OutputEvaluated { .. }
            | Self::TimerFired { .. }
            | Self::SignalReceived { .. }
            | Self::CancelRequested { .. }
            | Self::UncertainResolved { .. } => true,
            Self::RunStarted
            | Self::NodeStarted { .. }
            | Self::NodeSucceeded { .. }
            | Self::NodeRetrying { .. }
            | Self::NodeFailed { .. }
            | Self::NodeSkipped { .. }
            | Self::NodeCanceled { .. }
            | Self::NodeTimedOut { .. }
            | Self::NodeUncertain { .. }
            | Self::RunEnding { .. }
            | Self::RunFinished { .. } => false,
        }
    }
}

macro_rules! with_values {
    ($event:expr, $see:expr, $boxed:ident) => {
        match $event {
            Event::RunCreated { input, vars, .. } => {
                $see(input);
                if let Some(Kept { value, .. }) = vars {
                    $see(value);
                }
            }
            Event::AttemptSucceeded { output: value, log, .. }
            | Event::AttemptWaits { wait: WaitFor { passes: value, .. }, log, .. } => {
                $see(value);
                if let Some(log) = log {
                    let AttemptLog { lines: Kept { value, .. }, .. } = log.$boxed();
                    $see(value);
                }
            }
            Event::AttemptFailed { log: Some(log), .. } => {
                let AttemptLog { lines: Kept { value, .. }, .. } = log.$boxed();
                $see(value);
            }
            Event::Reused { output: value, .. }
            | Event::InputEdited { input: Kept { value, .. }, .. }
            | Event::ItemsListed { items: value, .. }
            | Event::ItemsCollected { output: value, .. }
            | Event::OutputEvaluated { output: value }
            | Event::SignalReceived { payload: value, .. }
            | Event::NodeSucceeded { output: value, .. }
            | Event::UncertainResolved { resolution: Resolution::Succeed { output: value }, .. }
            | Event::RunFinished { output: Some(value), .. } => $see(value),
            Event::KeysRenewed { .. }
            | Event::KeyInherited { .. }
            | Event::LeftOut { .. }
            | Event::RunRecovered { .. }
            | Event::RunReleased { .. }
            | Event::AttemptFailed { log: None, .. }
            | Event::EvaluationFailed { .. }
            | Event::TimerFired { .. }
            | Event::CancelRequested { .. }
            | Event::UncertainResolved { .. }
            | Event::RunStarted
            | Event::NodeStarted { .. }
            | Event::NodeRetrying { .. }
            | Event::NodeFailed { .. }
            | Event::NodeSkipped { .. }
            | Event::NodeCanceled { .. }
            | Event::NodeTimedOut { .. }
            | Event::NodeUncertain { .. }
            | Event::RunEnding { .. }
            | Event::RunFinished { output: None, .. } => {}
        }
    };
}

impl Event {
    /// Calls `see` with every value that the event refers to.
    pub fn values(&self, mut see: impl FnMut(&ValueRef)) {
        with_values!(self, see, as_ref);
    }

    /// The same, to put bytes to references.
    pub fn values_mut(&mut self, mut see: impl FnMut(&mut ValueRef)) {
        with_values!(self, see, as_mut);
    }
}

/// An event in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Counts from 1 without a gap.
    pub seq: u64,
    /// When; never earlier than the event before.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}
