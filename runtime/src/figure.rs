//! What a process counts: names and meanings in one table, and the handles through which counting costs nothing but an
//! addition. TEST runs are left out by whoever counts.

use std::collections::HashMap;
use std::time::Duration;

use engine::drive::batch::NodeRunRow;
use engine::run::status::{NodeRunStatus, RunStatus};
use engine::time::Timestamp;
use metrics::{Counter, Gauge, Histogram};
use nodes::Registry;

pub(crate) mod ending;
pub(crate) mod file;
pub mod sample;

/// What kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at the start of the process.
    Counter,
    /// Is what it is now.
    Gauge,
    /// How often values fell below each of several bounds.
    Histogram,
}

/// A figure and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it says.
    pub meaning: &'static str,
}

impl Figure {
    /// Tells whoever collects figures what this one means.
    pub fn describe(&self) {
        match self.kind {
            Kind::Counter => metrics::describe_counter!(self.name, self.meaning),
            Kind::Gauge => metrics::describe_gauge!(self.name, self.meaning),
            Kind::Histogram => metrics::describe_histogram!(self.name, self.meaning),
        }
    }
}

macro_rules! figures {
    ($($id:ident = $kind:ident $name:literal: $meaning:literal;)*) => {
        $(pub(crate) const $id: &str = $name;)*

        /// The figures of driving runs.
        pub const FIGURES: &[Figure] = &[$(Figure { name: $name, kind: Kind::$kind, meaning: $meaning },)*];
    };
}

figures! {
    STARTED = Counter "flowforge_runs_started_total": "Runs committed, by what started them";
    FINISHED = Counter "flowforge_runs_finished_total": "Runs ended, by status";
    RUN_SECONDS = Histogram "flowforge_run_duration_seconds": "Time from a run's start to its end, by status";
    NODE_RUNS = Counter "flowforge_node_runs_total": "Node runs settled, by node type and status";
    NODE_RUN_SECONDS = Histogram "flowforge_node_run_duration_seconds":
        "Time from the first attempt of a node run to its end, waits and retries included, by node type";
    ATTEMPTS = Counter "flowforge_node_attempts_total": "Attempts of node runs begun";
    IN_MEMORY = Gauge "flowforge_runs_in_memory": "Runs that this process drives now";
    ADOPTED = Counter "flowforge_runs_adopted_total": "Runs taken over from lost processes";
    PARKED = Counter "flowforge_runs_parked_total": "Runs put aside as dead letters";
    QUOTA_REFUSALS = Counter "flowforge_quota_refusals_total": "Starts that a quota forbade, by its name";
    INTAKES = Counter "flowforge_intakes_total": "Commits that started runs";
    FLUSHES = Counter "flowforge_flushes_total": "Commits of the journal";
    EVENTS = Counter "flowforge_events_total": "Events written to the journal";
    FLUSH_EVENTS = Histogram "flowforge_flush_events": "Events of one commit of the journal";
    FLUSH_SECONDS = Histogram "flowforge_flush_seconds": "Time that one commit of the journal took";
    FILES_CAME = Counter "flowforge_artifacts_received_total": "Files that came, by how that ended";
    FILE_BYTES_CAME = Counter "flowforge_artifact_received_bytes_total": "Bytes of files that came, also of those that are not kept";
    FILE_BYTES_READ = Counter "flowforge_artifact_read_bytes_total": "Bytes of files that were read, by downloads and by nodes";
    SWEPT = Counter "flowforge_artifact_store_swept_total": "Objects that a sweep deleted from the artifact store";
    FILES = Gauge "flowforge_artifacts": "Files that are kept, in the whole database";
    STORED = Gauge "flowforge_artifact_store_bytes": "Bytes of files and large values in the artifact store, in the whole database";
    LIVE = Gauge "flowforge_runs": "Runs that have not ended, in the whole database, by status";
    INBOX = Gauge "flowforge_inbox_messages": "Messages that their runs have not read, in the whole database";
    INBOX_LAG = Gauge "flowforge_inbox_lag_seconds": "Age of the oldest of them; 0 when there is none";
    OUTBOX = Gauge "flowforge_outbox_rows": "Workspace events without a number yet, in the whole database";
    OUTBOX_LAG = Gauge "flowforge_outbox_lag_seconds": "Age of the oldest of them; 0 when there is none";
    CONNECTIONS = Gauge "flowforge_database_connections": "Open connections, by pool and whether they are idle or in use";
    MOST_CONNECTIONS = Gauge "flowforge_database_connections_max": "Most connections that a pool opens";
    WATCHED = Gauge "flowforge_watched": "Runs and feeds whose commits somebody here waits for";
}

/// How a run came to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartedBy {
    Manual,
    Webhook,
    Schedule,
    Event,
    Error,
    Workflow,
    Retry,
}

impl StartedBy {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Manual, "manual"),
        (Self::Webhook, "webhook"),
        (Self::Schedule, "schedule"),
        (Self::Event, "event"),
        (Self::Error, "error"),
        (Self::Workflow, "workflow"),
        (Self::Retry, "retry"),
    ];
}

/// The ends that are counted by status.
const RUN_ENDS: [RunStatus; 4] = [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Canceled, RunStatus::TimedOut];
const NODE_RUN_ENDS: [NodeRunStatus; 5] = [
    NodeRunStatus::Succeeded,
    NodeRunStatus::Failed,
    NodeRunStatus::Skipped,
    NodeRunStatus::Canceled,
    NodeRunStatus::TimedOut,
];

/// Handles to the figures, made once: every series is there from the start, at 0, and none is made later.
pub(crate) struct Figures {
    started: [(StartedBy, Counter); 7],
    ended: [(RunStatus, Counter, Histogram); 4],
    node_types: HashMap<String, OfNodeType>,
    pub(crate) attempts: Counter,
    pub(crate) in_memory: Gauge,
    pub(crate) adopted: Counter,
    pub(crate) parked: Counter,
    pub(crate) intakes: Counter,
    flushes: Counter,
    events: Counter,
    flush_events: Histogram,
    flush_seconds: Histogram,
}

struct OfNodeType {
    ended: [(NodeRunStatus, Counter); 5],
    seconds: Histogram,
}

impl OfNodeType {
    fn new(r#type: &str) -> Self {
        let ended = NODE_RUN_ENDS.map(|status| {
            (status, metrics::counter!(NODE_RUNS, "type" => r#type.to_owned(), "status" => status.as_str()))
        });
        Self { ended, seconds: metrics::histogram!(NODE_RUN_SECONDS, "type" => r#type.to_owned()) }
    }
}

impl Figures {
    /// The figures of a process with these node types; no other type gets a series.
    pub(crate) fn new(registry: &Registry) -> Self {
        FIGURES.iter().for_each(Figure::describe);
        file::begin();
        let types = registry.descriptors().map(|descriptor| descriptor.r#type.to_string());
        Self {
            started: StartedBy::ALL.map(|(by, word)| (by, metrics::counter!(STARTED, "trigger" => word))),
            ended: RUN_ENDS.map(|status| {
                let word = status.as_str();
                let counter = metrics::counter!(FINISHED, "status" => word);
                (status, counter, metrics::histogram!(RUN_SECONDS, "status" => word))
            }),
            node_types: types.map(|r#type| (r#type.clone(), OfNodeType::new(&r#type))).collect(),
            attempts: metrics::counter!(ATTEMPTS),
            in_memory: metrics::gauge!(IN_MEMORY),
            adopted: metrics::counter!(ADOPTED),
            parked: metrics::counter!(PARKED),
            intakes: metrics::counter!(INTAKES),
            flushes: metrics::counter!(FLUSHES),
            events: metrics::counter!(EVENTS),
            flush_events: metrics::histogram!(FLUSH_EVENTS),
            flush_seconds: metrics::histogram!(FLUSH_SECONDS),
        }
    }

    pub(crate) fn started(&self, by: StartedBy) {
        if let Some((_, counter)) = self.started.iter().find(|(each, _)| *each == by) {
            counter.increment(1);
        }
    }

    pub(crate) fn ended(&self, status: RunStatus, took: Duration) {
        if let Some((_, counter, seconds)) = self.ended.iter().find(|(each, ..)| *each == status) {
            counter.increment(1);
            seconds.record(took.as_secs_f64());
        }
    }

    pub(crate) fn flushed(&self, events: u64, took: Duration) {
        self.flushes.increment(1);
        self.events.increment(events);
        self.flush_events.record(events as f64);
        self.flush_seconds.record(took.as_secs_f64());
    }

    /// Counts the node runs of a commit that settled after `since`: a row is written again when something late comes to
    /// a node run that has settled long ago.
    pub(crate) fn settled(&self, rows: &[NodeRunRow], since: Timestamp) {
        for row in rows {
            let Some(finished_at) = row.finished_at.filter(|at| *at > since && row.reused_from.is_none()) else {
                continue;
            };
            let Some(of_type) = self.node_types.get(&row.node_type) else { continue };
            let Some((_, counter)) = of_type.ended.iter().find(|(status, _)| *status == row.status) else { continue };
            counter.increment(1);
            if let Some(started_at) = row.started_at {
                of_type.seconds.record(finished_at.since(started_at).as_secs_f64());
            }
        }
    }
}
