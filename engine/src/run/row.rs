//! What the tables show of a run: rows derived from its state.

use super::Run;
use super::event::NodeRunRef;
use super::state::NodeRunState as State;
use super::status::RunStatus;
use crate::drive::batch::{Claim, NodeRunRow, RunRow};
use crate::graph::Graph;

/// How much a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Node runs with at least one attempt; each item of a `for_each` is one.
    pub node_runs: u64,
    /// Their attempts.
    pub attempts: u64,
}

impl Run {
    /// How much it has done so far.
    pub fn tally(&self) -> Tally {
        let items = self.nodes.iter().filter_map(|node| node.items.as_ref()).flat_map(|items| &items.runs);
        let runs = self.nodes.iter().map(|node| &node.run).chain(items);
        runs.filter(|run| run.attempt > 0).fold(Tally::default(), |tally, run| Tally {
            node_runs: tally.node_runs + 1,
            attempts: tally.attempts + u64::from(run.attempt),
        })
    }

    /// The word that people see.
    pub fn status(&self) -> RunStatus {
        match self.finished {
            Some(status) => status,
            None if self.started_at.is_none() => RunStatus::Queued,
            None if self.is_active() => RunStatus::Running,
            None => RunStatus::Waiting,
        }
    }

    /// The run's row; who may take it next is the driver's to say.
    pub fn row(&self, claim: Claim, progress: bool) -> RunRow {
        RunRow {
            status: self.status(),
            claim,
            wake_at: self.wake_at(),
            output: self.output.clone().filter(|_| self.is_finished()),
            error: self.error.clone().or_else(|| self.ending.as_ref().map(|(_, error)| error.clone())),
            started_at: self.started_at,
            finished_at: self.finished_at,
            progress,
        }
    }

    /// A node run's row; `None` for a place outside the definition or an item that has not begun.
    pub fn node_run_row(&self, graph: &Graph, at: &NodeRunRef) -> Option<NodeRunRow> {
        let node = graph.node(at.node)?;
        let run = self.node_run(at)?;
        let items = self.nodes.get(at.node.0 as usize)?.items.as_ref().filter(|_| at.scope.is_root());
        let (port, output) = match &run.state {
            State::Succeeded { port, output } => (Some(port.clone()), Some(output.clone())),
            // Not shown to people; the row keeps the bytes for whoever takes the run over.
            State::Waiting { wait } => (None, Some(wait.passes.clone())),
            State::Expanded | State::Collecting => (None, items.map(|items| items.list.clone())),
            State::Failed | State::TimedOut if node.handles_error() => (Some(crate::catalog::ERROR.to_owned()), None),
            _ => (None, None),
        };
        let (signal, due_at) = match &run.state {
            State::Waiting { wait } => (wait.signal.clone(), wait.until),
            State::Retrying { due } => (None, Some(*due)),
            _ => (None, None),
        };
        Some(NodeRunRow {
            node: node.key.clone(),
            scope: at.scope.clone(),
            node_type: node.r#type.to_string(),
            status: run.state.status(),
            attempt: run.attempt,
            class: node.class,
            port,
            output,
            error: run.error.clone(),
            signal,
            due_at,
            items: items.map(|items| items.count),
            items_settled: items.map_or(0, |items| items.settled),
            reused_from: self.reused_from(at.node).filter(|_| at.scope.is_root()),
            started_at: run.started_at,
            finished_at: run.finished_at,
        })
    }
}
