//! The handle that everything outside works with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use engine::drive::DriveConfig;
use engine::expression::ExpressionError;
use engine::graph::Graph;
use engine::id::{ProjectId, RunId, TriggerEventId, VersionId, WorkerId, WorkflowId, WorkspaceId};
use engine::run::codec::{self, CodecError};
use engine::run::event::{NodeIx, Recorded};
use engine::scope::Scope;
use engine::value::{Digest, ValueRef};
use entity::word;
use nodes::Registry;
use nodes::outgoing::Outgoing;
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::blob::BlobStore;
use crate::clock::Clock;
use crate::database::{Database, DatabaseKind};
use crate::definition::{DefinitionError, Definitions};
use crate::driver::{Command, DriverTask, Lease, Owned, Parts as DriverParts};
use crate::egress::Egress;
use crate::event::EventBus;
use crate::executor::Executor;
use crate::figure::Figures;
use crate::figure::sample::Sampler;
use crate::intake::{Beginning, Intake, Request};
use crate::journal::{Fence, Firing, Journal, JournalError, NewMessage, Posted, WorkerRow};
use crate::message::{self, Message, Says};
use crate::quota::{Quota, QuotaExceeded, Quotas, Usage};
use crate::refusal::{Asked, Carried};
use crate::role::leader::Leader;
use crate::role::scheduler::{Gate, Scheduler};
use crate::role::{heartbeat::Heartbeat, mail::Mail, relay::Relay, taker::Taker, tidy};
use crate::secret::{KeySource, Secrets};
use crate::trace::{TraceContext, Tracer};
use crate::value::{Tenant, ValueError, Values};

/// How long a stop waits for the last runs to be told of.
const TELL_WITHIN: Duration = Duration::from_secs(2);

/// How a process takes part.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// How long a heartbeat may stand still before others take the runs. PostgreSQL only.
    pub lease: Duration,
    /// Whether this process drives runs, or only starts and shows them.
    pub drive: bool,
    /// What people see of it.
    pub worker_name: String,
    /// Most calls to the outside at once.
    pub max_concurrent_effects: usize,
    /// Most runs in memory.
    pub max_runs: usize,
    /// How long a graceful stop waits for work under way.
    pub grace: Duration,
    /// How often runs are looked for without being told.
    pub look_every: Duration,
    /// Parsed values kept, in bytes of their JSON.
    pub value_cache: u64,
    /// When to commit.
    pub drive_config: DriveConfig,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            drive: true,
            worker_name: "flowforge".to_owned(),
            max_concurrent_effects: 256,
            max_runs: 10_000,
            grace: Duration::from_secs(10),
            look_every: Duration::from_millis(500),
            value_cache: 16 * 1024 * 1024,
            drive_config: DriveConfig::default(),
        }
    }
}

/// What a process works with.
pub struct Parts {
    /// Where everything is kept.
    pub database: Database,
    /// Where runs are kept.
    pub journal: Arc<dyn Journal>,
    /// Where large values are kept.
    pub blobs: BlobStore,
    /// Who is told of commits.
    pub bus: EventBus,
    /// The node types.
    pub registry: Registry,
    /// The way out.
    pub outgoing: Outgoing,
    /// What connections hide.
    pub secrets: Secrets,
    /// The time.
    pub clock: Clock,
    /// Who is told of runs as they end.
    pub tracer: Tracer,
}

impl Parts {
    /// The parts of a process that keeps its blobs in a folder and has no master key.
    ///
    /// # Errors
    /// When the bus cannot reach the database.
    pub async fn new(
        database: Database,
        artifacts: &Path,
        registry: Registry,
        outgoing: Outgoing,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let blobs = BlobStore::folder(artifacts, database.clone(), clock.clone())?;
        let bus = EventBus::of(&database).await?;
        let journal = crate::journal::open(&database);
        let secrets = Secrets::new(database.clone(), clock.clone(), KeySource::None);
        let tracer = Tracer::default();
        Ok(Self { database, journal, blobs, bus, registry, outgoing, secrets, clock, tracer })
    }
}

/// Why a runtime does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The blob store cannot be used.
    #[error(transparent)]
    Blob(#[from] crate::blob::BlobError),
    /// The bus cannot be used.
    #[error(transparent)]
    Bus(#[from] crate::event::BusError),
    /// No thread for the heartbeat.
    #[error("the heartbeat's thread did not start: {0}")]
    Thread(#[from] std::io::Error),
}

/// What starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerKind {
    /// A person or a program.
    Manual,
    /// A call from outside.
    Webhook,
    /// The clock.
    Schedule,
    /// An event that a workflow published.
    Event,
    /// A run that failed.
    Error,
    /// A run that ended.
    Workflow,
}

impl From<TriggerKind> for word::TriggerKind {
    fn from(kind: TriggerKind) -> Self {
        match kind {
            TriggerKind::Manual => Self::Manual,
            TriggerKind::Webhook => Self::Webhook,
            TriggerKind::Schedule => Self::Schedule,
            TriggerKind::Event => Self::Event,
            TriggerKind::Error => Self::Error,
            TriggerKind::Workflow => Self::Workflow,
        }
    }
}

impl From<word::TriggerKind> for TriggerKind {
    fn from(word: word::TriggerKind) -> Self {
        match word {
            word::TriggerKind::Manual => Self::Manual,
            word::TriggerKind::Webhook => Self::Webhook,
            word::TriggerKind::Schedule => Self::Schedule,
            word::TriggerKind::Event => Self::Event,
            word::TriggerKind::Error => Self::Error,
            word::TriggerKind::Workflow => Self::Workflow,
        }
    }
}

impl From<word::BindingKind> for TriggerKind {
    fn from(word: word::BindingKind) -> Self {
        match word {
            word::BindingKind::Schedule => Self::Schedule,
            word::BindingKind::Webhook => Self::Webhook,
            word::BindingKind::Event => Self::Event,
            word::BindingKind::Error => Self::Error,
            word::BindingKind::Workflow => Self::Workflow,
        }
    }
}

/// Whether a run counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// A run of a version.
    #[default]
    Live,
    /// A try: it stays out of figures and alerts, and goes after seven days.
    Test,
}

/// A run to start.
#[derive(Debug, Clone)]
pub struct StartRun {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its project.
    pub project: ProjectId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its version; none for a test run.
    pub version: Option<VersionId>,
    /// Its definition.
    pub definition_hash: Digest,
    /// Its environment.
    pub environment: String,
    /// Key of the trigger node.
    pub trigger_node: String,
    /// What starts it.
    pub kind: TriggerKind,
    /// What the trigger gives.
    pub input: Value,
    /// The same key within 24 h is the same start.
    pub idempotency_key: Option<String>,
    /// Business key.
    pub key: Option<String>,
    /// What it is found by.
    pub labels: BTreeMap<String, String>,
    /// Higher is taken first.
    pub priority: i16,
    /// Who.
    pub created_by: String,
    /// The span that it is asked for in.
    pub trace: Option<TraceContext>,
}

/// A run that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whether it had been started before under the same idempotency key.
    pub replayed: bool,
    /// The stored event.
    pub event: TriggerEventId,
}

/// A start that can begin.
struct Checked {
    graph: Arc<Graph>,
    tenant: Tenant,
    trigger: NodeIx,
    input: ValueRef,
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The idempotency key was used within 24 h with another input.
    #[error("this idempotency key was used with another input; use a new key for a new start")]
    KeyReused,
    /// The definition has no such trigger.
    #[error("the version has no trigger node `{0}`")]
    TriggerMissing(String),
    /// The input does not fit the workflow's `input_schema`.
    #[error("the input does not fit the workflow's input schema: {0}")]
    InputInvalid(String),
    /// The input is too large or cannot be kept.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The definition cannot be run here.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The database failed. The run may or may not exist; the same idempotency key tells.
    #[error("the database did not answer: {0}")]
    Journal(Arc<JournalError>),
    /// The database cannot take this run's data. There is no run.
    #[error("the database refuses what the run was given: {0}")]
    Refused(String),
    /// A bound of the workspace forbids it. There is no run.
    #[error(transparent)]
    Quota(#[from] QuotaExceeded),
    /// The process is stopping.
    #[error("this process is stopping; start the run at another one, or again")]
    Stopping,
}

/// Why a message was not posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// There is no such run in the workspace.
    #[error("there is no such run")]
    NotFound,
    /// The run has ended.
    #[error("the run has already ended")]
    Ended,
    /// What it carries is too large or cannot be kept.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The database failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
    /// A record cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// What a person says about an UNCERTAIN node run.
#[derive(Debug, Clone, PartialEq)]
pub enum PersonSays {
    /// Do it again with the same key.
    Retry,
    /// It happened, with this result.
    Succeed(Value),
    /// It failed.
    Fail,
}

/// Whether a process can work.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether it can start and drive runs now.
    pub can_work: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Runs in memory.
    pub runs: usize,
}

/// A process's part in driving runs. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    worker: WorkerId,
    database: Database,
    journal: Arc<dyn Journal>,
    values: Values,
    bus: EventBus,
    registry: Registry,
    egress: Arc<Egress>,
    secrets: Secrets,
    clock: Clock,
    definitions: Definitions,
    owned: Arc<Owned>,
    sampler: Sampler,
    lease: Arc<Lease>,
    lease_for: Option<Duration>,
    intake: mpsc::Sender<Request>,
    quotas: Arc<Quotas>,
    driver: Option<mpsc::UnboundedSender<Command>>,
    tracker: TaskTracker,
    /// What leads, and hands that on when it stops.
    leading: TaskTracker,
    tracer: Tracer,
    /// Set once every end of a run was told of.
    told: CancellationToken,
    stop_taking: CancellationToken,
    stop_beating: CancellationToken,
    grace: Duration,
}

impl Runtime {
    /// Registers the process and starts its loops.
    ///
    /// # Errors
    /// When the database or the system refuses.
    pub async fn open(config: RuntimeConfig, parts: Parts) -> Result<Self, OpenError> {
        let Parts { database, journal, blobs, bus, registry, outgoing, secrets, clock, tracer } = parts;
        let worker = WorkerId(clock.new_id());
        // On SQLite the folder's lock keeps every other process away.
        let shared = database.kind() == DatabaseKind::Postgres;
        let lease_for = shared.then_some(config.lease);
        journal.register(&WorkerRow::new(worker, &config.worker_name, config.lease), clock.now()).await?;
        let lease = Arc::new(Lease::new(lease_for));
        let values = Values::new(blobs.clone(), config.value_cache);
        let definitions = Definitions::new(database.clone(), registry.clone());
        let owned = Arc::new(Owned::default());
        owned.journal_answers.store(true, Ordering::Relaxed);
        let tracker = TaskTracker::new();
        let figures = Arc::new(Figures::new(&registry));
        let sampler = Sampler::new(database.clone(), bus.clone(), clock.clone());
        let (stop_taking, stop_beating) = (CancellationToken::new(), CancellationToken::new());
        let told = CancellationToken::new();
        if shared {
            let (every, stop) = (config.lease / 5, stop_beating.clone());
            Heartbeat { database: database.clone(), worker, lease: lease.clone(), clock: clock.clone(), every, stop }
                .start()?;
        }
        tracker.spawn(stop_taking.clone().run_until_cancelled_owned(tidy::hourly(
            database.clone(),
            blobs,
            clock.clone(),
        )));
        let egress = Arc::new(Egress::new(outgoing, database.clone(), clock.clone()));
        let quotas = Arc::new(Quotas::new(database.clone(), clock.clone()));
        let driver = config.drive.then(|| {
            let executor = Arc::new(Executor {
                registry: registry.clone(),
                egress: egress.clone(),
                values: values.clone(),
                secrets: secrets.clone(),
                quotas: quotas.clone(),
                clock: clock.clone(),
            });
            let (ends, ended) = mpsc::unbounded_channel();
            let (telling, told) = (crate::figure::ending::tell(ended, figures.clone(), database.clone()), told.clone());
            tracker.spawn(async move {
                telling.await;
                told.cancel();
            });
            let (task, driver) = DriverTask::new(DriverParts {
                owner: worker,
                journal: journal.clone(),
                executor,
                bus: bus.clone(),
                clock: clock.clone(),
                lease: lease.clone(),
                owned: owned.clone(),
                tracker: tracker.clone(),
                figures: figures.clone(),
                ends,
                most_calls: config.max_concurrent_effects,
                config: config.drive_config.clone(),
            });
            tracker.spawn(task.run());
            let taker = Taker {
                database: database.clone(),
                journal: journal.clone(),
                owner: worker,
                owned: owned.clone(),
                driver: driver.clone(),
                definitions: definitions.clone(),
                bus: bus.clone(),
                clock: clock.clone(),
                figures: figures.clone(),
                tracer: tracer.clone(),
                lease: lease_for,
                most_runs: config.max_runs,
                every: config.look_every,
                stop: stop_taking.clone(),
            };
            tracker.spawn(taker.run());
            let mail = Mail {
                journal: journal.clone(),
                owner: worker,
                owned: owned.clone(),
                driver: driver.clone(),
                bus: bus.clone(),
                stop: stop_taking.clone(),
            };
            tracker.spawn(mail.run());
            let relay = Relay { database: database.clone(), bus: bus.clone(), clock: clock.clone() };
            tracker.spawn(stop_taking.clone().run_until_cancelled_owned(relay.run()));
            driver
        });
        let (intake, requests) = mpsc::channel(crate::intake::QUEUE);
        let task = Intake {
            journal: journal.clone(),
            owner: driver.as_ref().map(|_| worker),
            driver: driver.clone(),
            owned: owned.clone(),
            bus: bus.clone(),
            clock: clock.clone(),
            figures,
            quotas: quotas.clone(),
            tracer: tracer.clone(),
            most_runs: config.max_runs,
        };
        tracker.spawn(task.run(requests));
        Ok(Self(Arc::new(Inner {
            worker,
            database,
            journal,
            values,
            bus,
            registry,
            egress,
            secrets,
            clock,
            definitions,
            owned,
            sampler,
            lease,
            lease_for,
            intake,
            quotas,
            driver,
            tracker,
            leading: TaskTracker::new(),
            tracer,
            told,
            stop_taking,
            stop_beating,
            grace: config.grace,
        })))
    }

    /// Starts a run; returns once it is durable.
    ///
    /// # Errors
    /// When it was not started, or it is not known whether it was.
    pub async fn start(&self, request: StartRun) -> Result<Started, StartError> {
        let asked = Asked::of(&request);
        let mut request = request;
        let Checked { graph, tenant, trigger, input } = match self.checked(&mut request).await {
            Ok(checked) => checked,
            Err(error) => {
                self.note_refusal(&asked, Carried::Value(&request.input), &error).await;
                return Err(error);
            }
        };
        let started = self.begin(request, tenant, graph, trigger, input.clone(), Beginning::default()).await;
        if let Err(error) = &started {
            self.note_refusal(&asked, Carried::Kept(input), error).await;
        }
        started
    }

    /// The same for a delivery: its key is remembered for a time of its own, and what counts as the same again is what
    /// the caller says, whatever the input holds besides.
    ///
    /// # Errors
    /// When it was not started, or it is not known whether it was.
    pub async fn start_delivery(
        &self,
        request: StartRun,
        key_lives: Duration,
        asked: Digest,
    ) -> Result<Started, StartError> {
        let whose = Asked::of(&request);
        let mut request = request;
        let Checked { graph, tenant, trigger, input } = match self.checked(&mut request).await {
            Ok(checked) => checked,
            Err(error) => {
                self.note_refusal(&whose, Carried::Value(&request.input), &error).await;
                return Err(error);
            }
        };
        let beginning = Beginning { key_lives: Some(key_lives), asked: Some(asked), ..Beginning::default() };
        let started = self.begin(request, tenant, graph, trigger, input.clone(), beginning).await;
        if let Err(error) = &started {
            self.note_refusal(&whose, Carried::Kept(input), error).await;
        }
        started
    }

    /// Starts the run of a tick and decides the tick with it.
    pub(crate) async fn start_firing(&self, request: StartRun, firing: Firing) -> Result<Started, StartError> {
        self.start_as(request, Beginning { fence: Some(Fence::Tick(firing)), ..Beginning::default() }).await
    }

    /// Starts the run of an event that waits for its turn, while it still does.
    pub(crate) async fn start_waiting(&self, request: StartRun, event: TriggerEventId) -> Result<Started, StartError> {
        self.start_as(request, Beginning { fence: Some(Fence::Waiting(event)), ..Beginning::default() }).await
    }

    pub(crate) async fn start_as(&self, mut request: StartRun, beginning: Beginning) -> Result<Started, StartError> {
        let Checked { graph, tenant, trigger, input } = self.checked(&mut request).await?;
        self.begin(request, tenant, graph, trigger, input, beginning).await
    }

    /// A start whose trigger is there and whose input fits and is kept.
    async fn checked(&self, request: &mut StartRun) -> Result<Checked, StartError> {
        let inner = &self.0;
        let (graph, tenant) = inner.definitions.get(request.workspace, request.definition_hash).await?;
        let trigger = crate::again::trigger(&graph, &request.trigger_node)?;
        graph.check_input(&request.input).map_err(StartError::InputInvalid)?;
        let told = |error: ExpressionError| format!("the workflow's settings{} fail: {}", error.path, error.message);
        let found = graph.found_by(&request.input).map_err(|error| StartError::InputInvalid(told(error)))?;
        request.key = request.key.take().or(found.key);
        // What the caller says goes before what the definition gives.
        for (name, value) in found.labels {
            request.labels.entry(name).or_insert(value);
        }
        let input = inner.values.keep(&tenant, request.input.clone()).await?;
        Ok(Checked { graph, tenant, trigger, input })
    }

    /// Fires schedules and tells triggers what happens inside from now on, unless this process drives nothing. Several
    /// processes may: one leads, and each start is decided once whoever does it.
    pub fn watch_clock(&self, gate: Gate) {
        let inner = &self.0;
        if inner.driver.is_some() {
            let leader = Leader::new(inner.database.clone(), "schedules", inner.worker, inner.lease_for);
            let scheduler = Scheduler { runtime: self.clone(), gate };
            inner.leading.spawn(scheduler.run(leader, inner.stop_taking.clone()));
        }
    }

    /// Decides once what is due now: ticks, what happened inside, and starts that wait. How much there was of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fire_due(&self, gate: Gate) -> Result<u64, DbErr> {
        Scheduler { runtime: self.clone(), gate }.look().await
    }

    /// What the workspace may use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quota(&self, workspace: WorkspaceId) -> Result<Quota, DbErr> {
        crate::store::quota::find(&self.0.database, workspace).await
    }

    /// What the workspace uses.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(&self, workspace: WorkspaceId) -> Result<Usage, DbErr> {
        self.0.quotas.usage(workspace).await
    }

    /// To be called after a change of the workspace's quota; other processes hear of it within a second.
    pub fn quota_changed(&self, workspace: WorkspaceId) {
        self.0.quotas.forget(workspace);
    }

    /// Hands a checked start to the intake.
    pub(crate) async fn begin(
        &self,
        start: StartRun,
        tenant: Tenant,
        graph: Arc<Graph>,
        trigger: NodeIx,
        input: ValueRef,
        beginning: Beginning,
    ) -> Result<Started, StartError> {
        let vars = match graph.reads_vars() {
            true => Some(self.vars(&tenant, start.project, &start.environment).await?.into()),
            false => None,
        };
        let (answer, answered) = oneshot::channel();
        let request = Request { start, tenant, graph, trigger, input, vars, beginning, answer };
        self.0.intake.send(request).await.map_err(|_| StartError::Stopping)?;
        answered.await.unwrap_or(Err(StartError::Stopping))
    }

    /// What `vars` is for a run that starts now.
    pub(crate) async fn vars(
        &self,
        tenant: &Tenant,
        project: ProjectId,
        environment: &str,
    ) -> Result<ValueRef, ValueError> {
        let vars = crate::store::variable::all(&self.0.database, tenant.id, project, environment).await?;
        self.0.values.keep(tenant, vars).await
    }

    pub(crate) fn definitions(&self) -> &Definitions {
        &self.0.definitions
    }

    pub(crate) fn values(&self) -> &Values {
        &self.0.values
    }

    pub(crate) fn journal(&self) -> &dyn Journal {
        self.0.journal.as_ref()
    }

    /// A wish to stop, to be posted within a transaction.
    pub fn cancel_message(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        reason: &str,
        force: bool,
        by: &str,
    ) -> NewMessage {
        let message = Message::Cancel { reason: reason.to_owned(), force, by: by.to_owned() };
        self.message(workspace, run, &message, by)
    }

    /// A signal, to be posted within a transaction; what it carries is durable when this returns.
    ///
    /// # Errors
    /// When what it carries cannot be kept.
    pub async fn signal_message(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        name: &str,
        key: &str,
        payload: &Value,
        by: &str,
    ) -> Result<NewMessage, PostError> {
        let payload = self.carried(workspace, payload).await?;
        let message = Message::Signal { name: name.to_owned(), key: key.to_owned(), payload };
        Ok(self.message(workspace, run, &message, by))
    }

    /// What a person says about an UNCERTAIN node run, to be posted within a transaction; its result is durable when
    /// this returns.
    ///
    /// # Errors
    /// When its result cannot be kept.
    pub async fn resolve_message(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        node: &str,
        scope: &Scope,
        says: PersonSays,
        by: &str,
    ) -> Result<NewMessage, PostError> {
        let says = match says {
            PersonSays::Retry => Says::Retry,
            PersonSays::Succeed(output) => Says::Succeed { output: self.carried(workspace, &output).await? },
            PersonSays::Fail => Says::Fail,
        };
        let message = Message::Resolve { node: node.to_owned(), scope: scope.to_string(), says, by: by.to_owned() };
        Ok(self.message(workspace, run, &message, by))
    }

    /// Posts a message within a transaction of the caller, who tells the bus after its commit.
    ///
    /// # Errors
    /// When the run is not there or has ended, or the database failed.
    pub async fn post_within(&self, write: &DatabaseTransaction, message: &NewMessage) -> Result<(), PostError> {
        match crate::journal::post_on(write, message).await? {
            Posted::Stored => Ok(()),
            Posted::NotFound => Err(PostError::NotFound),
            Posted::Ended => Err(PostError::Ended),
        }
    }

    /// Lets a dead letter of the workspace go on, within a transaction of the caller, who tells the bus after its commit;
    /// `false` when the run is none. With `forgive` it is taken like any other; without, what it did to its processes is
    /// remembered, and a wish to stop it is heeded before anything is begun again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume_within(
        &self,
        write: &DatabaseTransaction,
        workspace: WorkspaceId,
        run: RunId,
        forgive: bool,
    ) -> Result<bool, PostError> {
        Ok(crate::journal::resume_on(write, workspace, run, forgive).await?)
    }

    async fn carried(&self, workspace: WorkspaceId, value: &Value) -> Result<message::Carried, PostError> {
        let tenant = self.0.definitions.tenant(workspace).await?.ok_or(PostError::NotFound)?;
        Ok(message::Carried::from(&self.0.values.keep(&tenant, value.clone()).await?))
    }

    fn message(&self, workspace: WorkspaceId, run: RunId, message: &Message, by: &str) -> NewMessage {
        NewMessage {
            workspace,
            run,
            id: engine::id::InboxId(self.0.clock.new_id()),
            kind: message.kind().to_owned(),
            // A message is plain data and always serializes.
            body: serde_json::to_string(message).unwrap_or_default(),
            created_by: by.to_owned(),
            at: self.0.clock.now(),
        }
    }

    /// A run's events after a seq, oldest first, at most `limit` and at least one record's worth when there are any.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Recorded>, ReadError> {
        let records = crate::store::journal::after(&self.0.database, run, after, limit).await?;
        let mut events = Vec::new();
        for record in records {
            events.extend(codec::decode(&record)?.into_iter().filter(|recorded| recorded.seq > after));
        }
        events.truncate(limit as usize);
        Ok(events)
    }

    /// A value's content, parsed.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn value(&self, workspace: WorkspaceId, value: &ValueRef) -> Result<Arc<Value>, ValueError> {
        self.0.values.get(workspace, value).await
    }

    /// A value's canonical JSON.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn value_bytes(&self, workspace: WorkspaceId, value: &ValueRef) -> Result<Bytes, ValueError> {
        self.0.values.bytes(workspace, value).await
    }

    /// The content of a value that a run's journal names. Journals hold no bytes; the run's rows do.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn value_of_run(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        value: &ValueRef,
    ) -> Result<Arc<Value>, ValueError> {
        let mut found = value.clone();
        if found.inline.is_none() && !found.is_blob() {
            let bytes = crate::store::value::inline(&self.0.database, run, value.digest).await?;
            found.inline = bytes.map(Bytes::from);
        }
        self.value(workspace, &found).await
    }

    /// Who is told of commits.
    pub fn bus(&self) -> &EventBus {
        &self.0.bus
    }

    /// The node types.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The workspace's way out: what the installation's policy allows, and of that what the workspace's own list names.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub async fn outgoing_of(&self, workspace: WorkspaceId) -> Result<Outgoing, DbErr> {
        self.0.egress.of(workspace).await
    }

    /// The hosts that the workspace's own list names; `None` when it has no list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allowed_hosts(&self, workspace: WorkspaceId) -> Result<Option<Vec<String>>, DbErr> {
        crate::store::egress::find(&self.0.database, workspace).await
    }

    /// To be called after a change of the workspace's list; other processes hear of it within a second.
    pub fn allowed_hosts_changed(&self, workspace: WorkspaceId) {
        self.0.egress.forget(workspace);
    }

    /// What connections hide.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Where everything is kept.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The clock, which also draws ids.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Now.
    pub fn now(&self) -> engine::time::Timestamp {
        self.0.clock.now()
    }

    /// Whether this process can work.
    pub fn health(&self) -> Health {
        let mut reasons = Vec::new();
        if !self.0.lease.holds() {
            reasons.push("the database has taken no heartbeat of this process in time".to_owned());
        }
        if !self.0.owned.journal_answers.load(Ordering::Relaxed) {
            reasons.push("the last write to the database got no answer".to_owned());
        }
        if self.0.stop_taking.is_cancelled() {
            reasons.push("the process is stopping".to_owned());
        }
        Health { can_work: reasons.is_empty(), reasons, runs: self.0.owned.len() }
    }

    /// Brings the figures up to date that are read rather than counted, unless that was done a moment ago.
    pub async fn sample(&self) {
        self.0.sampler.sample().await;
    }

    /// Who is told of spans.
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }

    /// Stops in good order: takes nothing new, waits for work under way, hands every run back. What does not end within
    /// the grace is left to whoever takes the runs over.
    pub async fn stop(&self) {
        self.0.stop_taking.cancel();
        if let Some(driver) = &self.0.driver
            && !drain(driver, false, self.0.grace).await
        {
            tracing::warn!("work under way did not end within {:?}; it is given up", self.0.grace);
            drain(driver, true, Duration::from_secs(2)).await;
        }
        if self.0.driver.is_some() && tokio::time::timeout(TELL_WITHIN, self.0.told.cancelled()).await.is_err() {
            tracing::warn!("not every run that has ended was told of within {TELL_WITHIN:?}");
        }
        self.0.leading.close();
        // It says itself when it could not hand on.
        let _ = tokio::time::timeout(TELL_WITHIN, self.0.leading.wait()).await;
        if tokio::time::timeout(TELL_WITHIN, self.0.secrets.settle()).await.is_err() {
            tracing::warn!("a connection's token was being refreshed for longer than {TELL_WITHIN:?}; it is given up");
        }
        if let Err(error) = self.0.journal.stopped(self.0.worker).await {
            tracing::warn!(error = %error, "the process could not say that it stopped; its lease tells the others");
        }
        self.0.stop_beating.cancel();
        self.0.tracker.close();
    }
}

async fn drain(driver: &mpsc::UnboundedSender<Command>, force: bool, within: Duration) -> bool {
    let (done, drained) = oneshot::channel();
    if driver.send(Command::Drain { force, done }).is_err() {
        return true;
    }
    tokio::time::timeout(within, drained).await.is_ok()
}
