//! Starts runs: many requests, one group commit. A caller is answered after it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::drive::batch::{NodeRunRow, Record};
use engine::drive::{CreatedRun, Input, LoadedRun};
use engine::graph::Graph;
use engine::id::{RunId, TriggerEventId, WorkerId};
use engine::run::codec::{self, NO_RECORD};
use engine::run::event::{Event, Kept, NodeIx, NodeRunRef, Recorded};
use engine::run::replay::replay;
use engine::run::step::step;
use engine::run::{Run, StepError};
use engine::time::Timestamp;
use engine::value::{Digest, ValueRef};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::clock::Clock;
use crate::crash;
use crate::driver::{Command, Owned};
use crate::event::EventBus;
use crate::executor::Place;
use crate::figure::{Figures, StartedBy};
use crate::journal::{Created, Fence, Journal, NewRun, StartKey};
use crate::quota::Quotas;
use crate::runtime::{Mode, StartError, StartRun, Started, TriggerKind};
use crate::trace::{Facts, Tracer};
use crate::value::Tenant;

/// Requests that may wait for the next commit; further callers wait for a place.
pub(crate) const QUEUE: usize = 4_096;
/// Most runs of one commit; keeps a statement's size within bounds.
const AT_ONCE: usize = 512;
/// How long an idempotency key is remembered.
const KEY_LIVES: Duration = Duration::from_secs(24 * 3_600);

/// Where the caller waits.
type Answer = oneshot::Sender<Result<Started, StartError>>;

/// A run to start, checked, its input kept.
pub(crate) struct Request {
    pub(crate) start: StartRun,
    pub(crate) tenant: Tenant,
    pub(crate) graph: Arc<Graph>,
    pub(crate) trigger: NodeIx,
    pub(crate) input: ValueRef,
    pub(crate) vars: Option<Kept>,
    pub(crate) beginning: Beginning,
    pub(crate) answer: Answer,
}

/// How a run begins that does not simply start.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    pub(crate) mode: Mode,
    /// The run that it tries again, and the node it begins at.
    pub(crate) retry_of: Option<(RunId, Option<String>)>,
    /// What the keys of its effects are made from; `None` for itself.
    pub(crate) origin: Option<Uuid>,
    /// The id that it was promised.
    pub(crate) run: Option<RunId>,
    /// What its journal begins with.
    pub(crate) facts: Vec<Event>,
    /// What was asked for, when that is more than the input.
    pub(crate) asked: Option<Digest>,
    /// What has to hold for it to be made.
    pub(crate) fence: Option<Fence>,
    /// The event that is delivered again, and how many runs before it started each other inside.
    pub(crate) redelivery_of: Option<(TriggerEventId, u32)>,
    /// How long its key is remembered, when not as usual.
    pub(crate) key_lives: Option<Duration>,
}

pub(crate) struct Intake {
    pub(crate) journal: Arc<dyn Journal>,
    /// This process, when it drives runs.
    pub(crate) owner: Option<WorkerId>,
    pub(crate) driver: Option<mpsc::UnboundedSender<Command>>,
    pub(crate) owned: Arc<Owned>,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
    pub(crate) figures: Arc<Figures>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) tracer: Tracer,
    pub(crate) most_runs: usize,
}

/// What is needed of a request once its run is committed.
struct Waiting {
    place: Place,
    /// The whole journal.
    begun: Vec<Recorded>,
    head_digest: Digest,
    event: TriggerEventId,
    by: StartedBy,
    answer: Answer,
}

impl Intake {
    /// While one commit is under way the next one gathers.
    pub(crate) async fn run(self, mut requests: mpsc::Receiver<Request>) {
        let mut batch = Vec::new();
        while requests.recv_many(&mut batch, AT_ONCE).await > 0 {
            let admitted = self.quotas.admit(std::mem::take(&mut batch)).await;
            if !admitted.is_empty() {
                self.commit(admitted).await;
            }
        }
    }

    async fn commit(&self, requests: Vec<Request>) {
        let mut rows = Vec::with_capacity(requests.len());
        let mut waiting = Vec::with_capacity(requests.len());
        // A process that is full, or going, leaves the run to whoever is free.
        let is_free =
            self.owned.len() < self.most_runs && self.driver.as_ref().is_some_and(|driver| !driver.is_closed());
        let owner = self.owner.filter(|_| is_free);
        for request in requests {
            match self.row(request, owner) {
                Ok((row, one)) => {
                    rows.push(row);
                    waiting.push(one);
                }
                Err((answer, error)) => drop(answer.send(Err(error))),
            }
        }
        crash::point("before_intake");
        let answers = self.journal.create(owner, &rows).await;
        crash::point("after_intake");
        self.figures.intakes.increment(1);
        match answers {
            Ok(answers) => waiting.into_iter().zip(answers).for_each(|(one, created)| self.answer(one, created, owner)),
            Err(error) => {
                tracing::warn!(error = %error, runs = rows.len(), "it is not known whether these runs were started");
                let error = Arc::new(error);
                waiting.into_iter().for_each(|one| drop(one.answer.send(Err(StartError::Journal(error.clone())))));
            }
        }
    }

    fn row(&self, request: Request, owner: Option<WorkerId>) -> Result<(NewRun, Waiting), (Answer, StartError)> {
        let Request { start, tenant, graph, trigger, input, vars, beginning, answer } = request;
        let run = beginning.run.unwrap_or_else(|| RunId(self.clock.new_id()));
        let event = match &beginning.fence {
            Some(Fence::Waiting(event)) => *event,
            Some(Fence::Tick(_)) | None => TriggerEventId(self.clock.new_id()),
        };
        let at = self.clock.now();
        let begun = begun(run, trigger, &input, vars, &beginning, at);
        let (node_runs, records) = match (node_runs(&graph, run, &begun), codec::encode(run, &begun, NO_RECORD)) {
            (Ok(node_runs), Ok(records)) => (node_runs, records),
            (Err(error), _) => return Err((answer, StartError::Refused(error.to_string()))),
            (_, Err(error)) => return Err((answer, StartError::Refused(error.to_string()))),
        };
        let blobs = blobs(&begun);
        let mut records = records.into_iter();
        // A journal begins with at least its RunCreated.
        let Some(record) = records.next() else { return Err((answer, StartError::Stopping)) };
        let more: Vec<Record> = records.collect();
        let facts = || Facts {
            run,
            workspace: start.workspace,
            workflow: start.workflow,
            version: start.version,
            mode: beginning.mode,
            retry_of: beginning.retry_of.as_ref().map(|(run, _)| *run),
        };
        let trace = self.tracer.run(facts, start.trace.clone());
        let waiting = Waiting {
            place: Place { run, workflow: start.workflow, tenant, graph: graph.clone(), mode: beginning.mode, trace },
            begun,
            head_digest: more.last().unwrap_or(&record).digest,
            event,
            by: match start.kind {
                _ if beginning.retry_of.is_some() => StartedBy::Retry,
                TriggerKind::Manual => StartedBy::Manual,
                TriggerKind::Webhook => StartedBy::Webhook,
                TriggerKind::Schedule => StartedBy::Schedule,
                TriggerKind::Event => StartedBy::Event,
                TriggerKind::Error => StartedBy::Error,
                TriggerKind::Workflow => StartedBy::Workflow,
            },
            answer,
        };
        let expires_at = at.plus(beginning.key_lives.unwrap_or(KEY_LIVES));
        let (retry_of, retried_from) = beginning.retry_of.map_or((None, None), |(run, node)| (Some(run), node));
        let row = NewRun {
            run,
            event,
            workspace: start.workspace,
            project: start.project,
            workflow: start.workflow,
            version: start.version,
            mode: beginning.mode,
            origin: beginning.origin,
            retry_of,
            retried_from,
            definition_hash: start.definition_hash,
            environment: start.environment,
            trigger_node: start.trigger_node,
            kind: start.kind,
            input,
            start_key: start.idempotency_key.map(|key| StartKey { key, asked: beginning.asked, expires_at }),
            key: start.key,
            labels: start.labels,
            priority: start.priority,
            deadline_at: graph.timeout.map(|timeout| at.plus(timeout)),
            created_by: start.created_by,
            trace: start.trace,
            at,
            record,
            more,
            node_runs,
            blobs,
            is_owned: owner.is_some(),
            fence: beginning.fence,
            redelivery_of: beginning.redelivery_of.map(|(event, _)| event),
            depth: beginning.redelivery_of.map_or(0, |(_, depth)| depth),
        };
        Ok((row, waiting))
    }

    fn answer(&self, one: Waiting, created: Created, owner: Option<WorkerId>) {
        let answer = match created {
            Created::New => {
                let (run, event) = (one.place.run, one.event);
                if one.place.mode == Mode::Live {
                    self.figures.started(one.by);
                }
                self.begin(one.place, one.begun, one.head_digest, owner);
                Ok(Started { run, replayed: false, event })
            }
            Created::Exists { run, event, same_input: true } => Ok(Started { run, replayed: true, event }),
            Created::Exists { same_input: false, .. } => Err(StartError::KeyReused),
            Created::Refused(error) => Err(StartError::Refused(error.to_string())),
        };
        // A caller that went away finds its run by its key.
        drop(one.answer.send(answer));
    }

    fn begin(&self, place: Place, begun: Vec<Recorded>, head_digest: Digest, owner: Option<WorkerId>) {
        let Some(driver) = self.driver.as_ref().filter(|_| owner.is_some()) else {
            self.bus.notify_ready();
            return;
        };
        let Some(input) = input(&place, begun, head_digest) else {
            // Whoever looks for this process's orphans rebuilds it from the database, and parks it if that fails again.
            tracing::error!(run.id = %place.run, "{} was committed and its journal does not replay", place.run);
            return;
        };
        // A driver that is gone was drained; the run is found by its owner's standing heartbeat.
        drop(driver.send(Command::Take { place, input }));
    }
}

/// The journal that a run is created with.
fn begun(
    run: RunId,
    trigger: NodeIx,
    input: &ValueRef,
    vars: Option<Kept>,
    beginning: &Beginning,
    at: Timestamp,
) -> Vec<Recorded> {
    let created = Event::RunCreated {
        trigger,
        input: input.clone(),
        origin: beginning.origin.unwrap_or(run.0),
        prepared: u32::try_from(beginning.facts.len()).unwrap_or(u32::MAX),
        vars,
    };
    let events = std::iter::once(created).chain(beginning.facts.iter().cloned());
    events.zip(1..).map(|(event, seq)| Recorded { seq, at, event }).collect()
}

/// The rows of what it begins with: they keep the bytes that the journal only names.
fn node_runs(graph: &Graph, run: RunId, begun: &[Recorded]) -> Result<Vec<NodeRunRow>, StepError> {
    let settled = begun.iter().flat_map(|recorded| match &recorded.event {
        Event::Reused { at, .. } => vec![at.clone()],
        Event::LeftOut { nodes, .. } => nodes.iter().copied().map(NodeRunRef::root).collect(),
        _ => Vec::new(),
    });
    let settled: Vec<NodeRunRef> = settled.collect();
    if settled.is_empty() {
        return Ok(Vec::new());
    }
    let mut state = Run::new(run);
    for recorded in begun {
        step(graph, &mut state, recorded.at, recorded.event.clone())?;
    }
    Ok(settled.iter().filter_map(|at| state.node_run_row(graph, at)).collect())
}

/// The blobs that it refers to, each once.
fn blobs(begun: &[Recorded]) -> Vec<Digest> {
    let mut found = BTreeSet::new();
    for recorded in begun {
        recorded.event.values(|value| {
            if value.is_blob() {
                found.insert(value.digest);
            }
        });
    }
    found.into_iter().collect()
}

/// What the driver is told of a run that was just committed; `None` for a journal that the rules cannot take.
fn input(place: &Place, mut begun: Vec<Recorded>, head_digest: Digest) -> Option<Input> {
    let (id, graph) = (place.run, place.graph.clone());
    if begun.len() > 1 {
        let head = begun.len() as u64;
        let replayed = replay(&graph, id, begun).ok()?;
        return Some(Input::Loaded(Box::new(LoadedRun {
            graph,
            epoch: 1,
            replayed,
            head,
            head_digest,
            adoptions: 0,
            cancel: None,
        })));
    }
    let created = begun.pop()?;
    Some(Input::Created(Box::new(CreatedRun {
        id,
        graph,
        epoch: 1,
        at: created.at,
        created: created.event,
        head_digest,
    })))
}
