//! Following a run: stored events after a cursor, then live ones.

use async_graphql::{Context, Enum, ID, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use engine::id::RunId;
use engine::run::event::{AttemptLog, Event, NodeIx, NodeRunRef, Recorded, ReusedFrom, Timer};
use futures::Stream;

use super::Result;
use super::envelope::{EventEnvelope, after, enveloped};
use super::node_run::NodeRunError;
use super::request::{Asked as _, id, time};
use super::run::RunStatusName;
use crate::service::follow;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What happened. More kinds may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum RunEventKind { $($(#[$doc])* $name,)* }

        impl From<&Event> for RunEventKind {
            fn from(event: &Event) -> Self {
                match event { $(Event::$name { .. } => Self::$name,)* }
            }
        }
    };
}

kinds! {
    /// The run exists.
    RunCreated,
    /// A node does not run, because its result is known: from the run that this one tries again, or from a pin.
    Reused,
    /// A node gets an input that somebody gave it.
    InputEdited,
    /// Nodes make idempotency keys of their own, because they do something else than in the run that this one tries again.
    KeysRenewed,
    /// A node goes on with the idempotency key of the run that this one tries again.
    KeyInherited,
    /// Nodes that are outside the part that is tested.
    LeftOut,
    /// Another driver has taken the run over.
    RunRecovered,
    /// The driver handed the run back in good order.
    RunReleased,
    /// An attempt gave a result.
    AttemptSucceeded,
    /// An attempt gave an error.
    AttemptFailed,
    /// An attempt asks to wait.
    AttemptWaits,
    /// The items of a `for_each` are known.
    ItemsListed,
    /// The outputs of a `for_each` are put together.
    ItemsCollected,
    /// Something other than an attempt could not be evaluated.
    EvaluationFailed,
    /// The run's output is known.
    OutputEvaluated,
    /// Something became due.
    TimerFired,
    /// A signal came.
    SignalReceived,
    /// Somebody asked the run to stop.
    CancelRequested,
    /// A person said how an uncertain node run ended.
    UncertainResolved,
    /// The run left QUEUED.
    RunStarted,
    /// An attempt began.
    NodeStarted,
    /// A node run has its result.
    NodeSucceeded,
    /// Another attempt will follow.
    NodeRetrying,
    /// No attempt will follow.
    NodeFailed,
    /// No path leads to the node any more.
    NodeSkipped,
    /// Stopped before its end.
    NodeCanceled,
    /// Its time with all attempts is up.
    NodeTimedOut,
    /// Nobody knows whether its effect happened.
    NodeUncertain,
    /// The run will end once effects in flight have settled.
    RunEnding,
    /// The run has ended.
    RunFinished,
}

/// One thing that happened in a run. Fields that do not belong to its kind are null.
#[derive(Debug, SimpleObject)]
pub struct RunEvent {
    /// What happened.
    kind: RunEventKind,
    /// The node's key.
    node: Option<String>,
    /// Which item: indexes joined by `/`; empty for a node that runs once.
    scope: Option<String>,
    /// Which attempt.
    attempt: Option<u32>,
    /// The port it leaves by.
    port: Option<String>,
    /// How the run ends or ended.
    status: Option<RunStatusName>,
    /// For people, when there is something to say.
    message: Option<String>,
    /// What went wrong.
    error: Option<NodeRunError>,
    /// When the next attempt, or the end of a wait, is due.
    due_at: Option<DateTime<Utc>>,
    /// The name of a signal.
    signal: Option<String>,
    /// How many lines the attempt wrote that were kept; its `log` has them. Absent without any.
    lines: Option<u32>,
}

/// Following a run.
#[derive(Default)]
pub struct RunSubscription;

#[Subscription]
impl RunSubscription {
    /// A run's events: the stored ones after the cursor, then CaughtUp once, then live ones until the run has ended.
    async fn run_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run.")] run_id: ID,
        #[graphql(desc = "The cursor of the last delivery received; from the beginning when absent.")] after: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = async_graphql::Result<EventEnvelope>> + use<>> {
        let run = id(&run_id, "run")?;
        let after = self::after(ctx, after);
        let events = follow::run_events(ctx.app()?, ctx.viewer()?, run, after.as_deref()).await?;
        Ok(enveloped(ctx, events))
    }
}

fn lines(log: Option<&AttemptLog>) -> Option<u32> {
    log.map(|log| log.count)
}

/// Node keys in a row; no more than people read.
fn listed(nodes: &[NodeIx], keys: &[String]) -> String {
    const MOST: usize = 20;
    let named: Vec<&str> =
        nodes.iter().take(MOST).filter_map(|ix| keys.get(ix.0 as usize)).map(String::as_str).collect();
    let more = nodes.len().saturating_sub(MOST);
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}

pub(super) fn shown(recorded: &Recorded, keys: &[String]) -> RunEvent {
    let kind = RunEventKind::from(&recorded.event);
    let mut shown = RunEvent {
        kind,
        node: None,
        scope: None,
        attempt: None,
        port: None,
        status: None,
        message: None,
        error: None,
        due_at: None,
        signal: None,
        lines: None,
    };
    let key = |ix: engine::run::event::NodeIx| keys.get(ix.0 as usize).cloned();
    let place = |shown: &mut RunEvent, at: &NodeRunRef| {
        shown.node = key(at.node);
        shown.scope = Some(at.scope.to_string());
    };
    match &recorded.event {
        Event::RunCreated { trigger, .. } => shown.node = key(*trigger),
        Event::Reused { at, from, port, .. } => {
            place(&mut shown, at);
            shown.port = Some(port.clone());
            shown.message = Some(match from {
                ReusedFrom::Pin => "pinned".to_owned(),
                ReusedFrom::Run(run) => format!("from {}", RunId(*run)),
            });
        }
        Event::KeyInherited { at, generation } => {
            place(&mut shown, at);
            shown.message = Some(format!("generation {generation}"));
        }
        Event::InputEdited { node, .. } => shown.node = key(*node),
        Event::KeysRenewed { nodes } => shown.message = Some(listed(nodes, keys)),
        Event::LeftOut { nodes, result } => {
            shown.node = key(*result);
            shown.message = Some(listed(nodes, keys));
        }
        Event::RunRecovered { adoptions } => shown.message = Some(format!("taken over, {adoptions} in a row")),
        Event::RunReleased { .. } | Event::RunStarted | Event::OutputEvaluated { .. } => {}
        Event::AttemptSucceeded { at, attempt, port, log, .. } => {
            place(&mut shown, at);
            shown.lines = lines(log.as_deref());
            (shown.attempt, shown.port) = (Some(*attempt), Some(port.clone()));
        }
        Event::AttemptFailed { at, attempt, error, log } => {
            place(&mut shown, at);
            shown.lines = lines(log.as_deref());
            (shown.attempt, shown.error) = (Some(*attempt), Some(error.clone().into()));
        }
        Event::AttemptWaits { at, attempt, wait, log } => {
            place(&mut shown, at);
            shown.lines = lines(log.as_deref());
            shown.attempt = Some(*attempt);
            shown.signal = wait.signal.as_ref().map(|signal| signal.name.clone());
            shown.due_at = wait.until.map(time);
        }
        Event::ItemsListed { node, count, .. } => {
            shown.node = key(*node);
            shown.message = Some(format!("{count} items"));
        }
        Event::ItemsCollected { node, .. } | Event::NodeSkipped { node } => shown.node = key(*node),
        Event::EvaluationFailed { node, error } => {
            shown.node = node.and_then(key);
            shown.error = Some(error.clone().into());
        }
        Event::TimerFired { timer } => match timer {
            Timer::RunDeadline => shown.message = Some("the run's time is up".to_owned()),
            Timer::SettleDeadline => shown.message = Some("effects in flight had their time".to_owned()),
            Timer::NodeDeadline(at) | Timer::RetryDue(at) | Timer::WaitDue(at) => place(&mut shown, at),
        },
        Event::SignalReceived { signal, .. } => shown.signal = Some(signal.name.clone()),
        Event::CancelRequested { reason, .. } => {
            shown.message = Some(reason.clone()).filter(|reason| !reason.is_empty());
        }
        Event::UncertainResolved { at, .. } | Event::NodeCanceled { at } | Event::NodeTimedOut { at } => {
            place(&mut shown, at);
        }
        Event::NodeStarted { at, attempt, .. } => {
            place(&mut shown, at);
            shown.attempt = Some(*attempt);
        }
        Event::NodeSucceeded { at, port, .. } => {
            place(&mut shown, at);
            shown.port = Some(port.clone());
        }
        Event::NodeRetrying { at, next_attempt, due } => {
            place(&mut shown, at);
            (shown.attempt, shown.due_at) = (Some(*next_attempt), Some(time(*due)));
        }
        Event::NodeFailed { at, error } | Event::NodeUncertain { at, error } => {
            place(&mut shown, at);
            shown.error = Some(error.clone().into());
        }
        Event::RunEnding { verdict, error } => {
            (shown.status, shown.error) = (Some((*verdict).into()), Some(error.clone().into()));
            shown.node = error.node.clone();
        }
        Event::RunFinished { status, error, .. } => {
            shown.status = Some((*status).into());
            shown.node = error.as_ref().and_then(|error| error.node.clone());
            shown.error = error.clone().map(Into::into);
        }
    }
    shown
}
