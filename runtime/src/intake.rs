//! Starts runs: many requests, one group commit. A caller is answered after it.

use std::sync::Arc;
use std::time::Duration;

use engine::drive::{CreatedRun, Input};
use engine::graph::Graph;
use engine::id::{RunId, TriggerEventId, WorkerId};
use engine::run::codec::{self, NO_RECORD};
use engine::run::event::{Event, NodeIx, Recorded};
use engine::value::ValueRef;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::crash;
use crate::driver::{Command, Owned};
use crate::event::EventBus;
use crate::executor::Place;
use crate::journal::{Created, Journal, NewRun, StartKey};
use crate::runtime::{StartError, StartRun, Started};
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
    pub(crate) answer: Answer,
}

pub(crate) struct Intake {
    pub(crate) journal: Arc<dyn Journal>,
    /// This process, when it drives runs.
    pub(crate) owner: Option<WorkerId>,
    pub(crate) driver: Option<mpsc::UnboundedSender<Command>>,
    pub(crate) owned: Arc<Owned>,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
    pub(crate) most_runs: usize,
}

/// What is needed of a request once its run is committed.
struct Waiting {
    place: Place,
    created: Recorded,
    head_digest: engine::value::Digest,
    event: TriggerEventId,
    answer: Answer,
}

impl Intake {
    /// While one commit is under way the next one gathers.
    pub(crate) async fn run(self, mut requests: mpsc::Receiver<Request>) {
        let mut batch = Vec::new();
        while requests.recv_many(&mut batch, AT_ONCE).await > 0 {
            self.commit(std::mem::take(&mut batch)).await;
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
        metrics::counter!("flowforge_intakes_total").increment(1);
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
        let Request { start, tenant, graph, trigger, input, answer } = request;
        let run = RunId(self.clock.new_id());
        let event = TriggerEventId(self.clock.new_id());
        let at = self.clock.now();
        let created =
            Recorded { seq: 1, at, event: Event::RunCreated { trigger, input: input.clone(), origin: run.0 } };
        let record =
            match codec::encode(run, std::slice::from_ref(&created), NO_RECORD).map(|mut records| records.pop()) {
                Ok(Some(record)) => record,
                // One event always fits one record.
                _ => return Err((answer, StartError::Stopping)),
            };
        let waiting = Waiting {
            place: Place { run, tenant, graph: graph.clone() },
            created,
            head_digest: record.digest,
            event,
            answer,
        };
        let row = NewRun {
            run,
            event,
            workspace: start.workspace,
            project: start.project,
            workflow: start.workflow,
            version: start.version,
            definition_hash: start.definition_hash,
            environment: start.environment,
            trigger_node: start.trigger_node,
            kind: start.kind,
            input,
            start_key: start.idempotency_key.map(|key| StartKey { key, expires_at: at.plus(KEY_LIVES) }),
            key: start.key,
            labels: start.labels,
            priority: start.priority,
            deadline_at: graph.timeout.map(|timeout| at.plus(timeout)),
            created_by: start.created_by,
            at,
            record,
            is_owned: owner.is_some(),
        };
        Ok((row, waiting))
    }

    fn answer(&self, one: Waiting, created: Created, owner: Option<WorkerId>) {
        let answer = match created {
            Created::New => {
                let (run, event) = (one.place.run, one.event);
                self.begin(one.place, one.created, one.head_digest, owner);
                Ok(Started { run, replayed: false, event })
            }
            Created::Exists { run, event, same_input: true } => Ok(Started { run, replayed: true, event }),
            Created::Exists { same_input: false, .. } => Err(StartError::KeyReused),
            Created::Refused(error) => Err(StartError::Refused(error.to_string())),
        };
        // A caller that went away finds its run by its key.
        drop(one.answer.send(answer));
    }

    fn begin(&self, place: Place, created: Recorded, head_digest: engine::value::Digest, owner: Option<WorkerId>) {
        let Some(driver) = self.driver.as_ref().filter(|_| owner.is_some()) else {
            self.bus.notify_ready();
            return;
        };
        let input = Input::Created(Box::new(CreatedRun {
            id: place.run,
            graph: place.graph.clone(),
            epoch: 1,
            at: created.at,
            created: created.event,
            head_digest,
        }));
        // A driver that is gone was drained; the run is found by its owner's standing heartbeat.
        drop(driver.send(Command::Take { place, input }));
    }
}
