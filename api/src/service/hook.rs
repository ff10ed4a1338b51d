//! Webhooks: a request from outside is believed or not, becomes a run once, and perhaps the run answers it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::definition::Definition;
use engine::id::{BindingId, ProjectId, RunId, VersionId, WorkflowId, WorkspaceId};
use engine::value::Digest;
use nodes::connection::Connection;
use nodes::webhook::{BodyMode, Proof, WebhookSettings};
use runtime::secret::Place;
use serde_json::{Value, json};

use super::plan::{self, Plan};
use super::{ServiceError, signature};
use crate::app::App;
use crate::store;

mod address;
mod answer;
mod delivery;
mod file;
mod note;
mod pace;
mod proof;
mod sample;

pub use self::address::{Address, Url, rotate, urls};
pub(crate) use self::address::{Drawn, Kept, draw, sealing_key};
pub use self::answer::Answer;
pub use self::file::HookBytes;
use self::file::Taken;
pub(crate) use self::note::Note;
use self::pace::Counted;
pub use self::pace::Pace;
pub use self::proof::{Headers, Refusal};
use self::proof::{Mark, Shown};
pub use self::sample::{Sample, sample};

/// What a webhook's runs are created by.
const CREATED_BY: &str = "webhook";
/// How long senders shall wait before they try a trigger again that somebody holds back.
const PAUSED_FOR: Duration = Duration::from_secs(60);

/// What an address leads to.
#[derive(Debug, Clone)]
pub struct Hook {
    pub(crate) binding: BindingId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) project: ProjectId,
    pub(crate) workflow: WorkflowId,
    pub(crate) environment: String,
    pub(crate) node: String,
    pub(crate) version: VersionId,
    pub(crate) hash: Digest,
    pub(crate) config: Value,
    pub(crate) is_paused: bool,
    pub(crate) is_secret: bool,
}

impl Hook {
    /// Whose it is.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
}

/// What is known of an address.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// It leads to a webhook that is deployed.
    Here(Hook),
    /// It led to one.
    Gone,
}

/// Why a request starts nothing.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// There never was anything at the address.
    #[error("there is no webhook at this address")]
    Absent,
    /// There was.
    #[error("the webhook at this address was removed; do not send here any more")]
    Gone,
    /// Somebody holds it back.
    #[error("the webhook is paused; send again later")]
    Paused {
        /// How long the sender shall wait.
        retry_after: Duration,
    },
    /// Not by this method.
    #[error("the webhook takes {}", allowed.join(", "))]
    Method {
        /// Those that it takes.
        allowed: Vec<String>,
    },
    /// The sender is not believed.
    #[error("the delivery is refused: {0}")]
    Refused(#[from] Refusal),
    /// Too many in a minute.
    #[error("the webhook takes {most} deliveries a minute")]
    TooMany {
        /// The bound.
        most: u32,
        /// Until there is room again.
        retry_after: Duration,
    },
    /// A file is larger than any may be.
    #[error("the file is over {most} bytes")]
    TooLarge {
        /// The bound.
        most: u64,
    },
    /// The body, or the id in it, cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The run was not started; that leaves its own event.
    #[error(transparent)]
    NotStarted(ServiceError),
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Upper case.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// The query, as sent.
    pub raw_query: String,
    /// Query parameters; the last one of a name counts.
    pub query: BTreeMap<String, String>,
    /// Headers as sent.
    pub headers: Headers,
    /// The body as sent.
    pub raw_body: bytes::Bytes,
    /// What is shown to the run of the path of a secret address.
    pub shown_path: String,
}

/// A body as JSON or text, or why it is neither.
pub type ReadBody = fn(BodyMode, &Headers, &[u8]) -> Result<Value, String>;

/// What a request carries.
pub enum Content {
    /// Bytes at hand, as [`Incoming::raw_body`], and how to read them.
    Bytes(ReadBody),
    /// A body that is still coming, for a webhook that takes files.
    Stream(HookBytes),
}

/// Whether a webhook keeps bodies as files.
pub fn takes_files(hook: &Hook) -> bool {
    // All else of the config is read once the body may come.
    hook.config.get("body").and_then(Value::as_str) == Some("file")
}

/// What an address leads to, before anything of the body is read.
///
/// # Errors
/// When there is nothing, or nothing any more.
pub async fn find(app: &App, address: &Address) -> Result<Hook, HookError> {
    match store::hook::find(app.runtime.database(), address, app.runtime.now()).await.map_err(ServiceError::from)? {
        None => Err(HookError::Absent),
        Some(Found::Gone) => Err(HookError::Gone),
        Some(Found::Here(hook)) => {
            if let Some(notes) = crate::telemetry::request::current() {
                notes.caller(hook.workspace, CREATED_BY.to_owned());
            }
            Ok(hook)
        }
    }
}

/// Takes a request. It returns after the commit, or once the run has answered. Whatever is refused leaves an event.
///
/// # Errors
/// Why there is no run, or with [`ServiceError::Unavailable`] that nobody knows.
pub async fn receive(app: &Arc<App>, hook: &Hook, incoming: Incoming, content: Content) -> Result<Answer, HookError> {
    let settings = WebhookSettings::read(&hook.config).map_err(|_| unusable(hook))?;
    let taken = take(app, hook, &settings, &incoming, content).await;
    let (plan, started) = match taken {
        Ok(taken) => taken,
        Err(error) => {
            note::refused(app, hook, &incoming, &error).await;
            return Err(error);
        }
    };
    Ok(answer::to(app, hook.workspace, &settings, &plan.definition, started).await)
}

async fn take(
    app: &Arc<App>,
    hook: &Hook,
    settings: &WebhookSettings,
    incoming: &Incoming,
    content: Content,
) -> Result<(Arc<Plan>, (RunId, bool)), HookError> {
    // Knowing a readable address shows nothing.
    if settings.proof == Proof::Url && !hook.is_secret {
        return Err(HookError::Gone);
    }
    if !settings.methods.is_empty() && !settings.methods.contains(&incoming.method) {
        return Err(HookError::Method { allowed: settings.methods.clone() });
    }
    signature::require(app, hook.workspace, hook.version, &hook.hash).await?;
    let plan = plan::get(app, hook.workspace, &hook.hash).await?;
    let connection = connection(app, hook, settings, &plan.definition).await?;
    let now = app.runtime.now();
    let shown = Shown { headers: &incoming.headers, body: &incoming.raw_body, now };
    let mark = proof::check(settings, connection.as_ref(), shown)?;
    if hook.is_paused {
        return Err(HookError::Paused { retry_after: PAUSED_FOR });
    }
    let (run, taken) = match content {
        Content::Bytes(read) => {
            let body = read(settings.body, &incoming.headers, &incoming.raw_body).map_err(HookError::Unreadable)?;
            (None, Taken { body, ..Taken::default() })
        }
        Content::Stream(bytes) => {
            // A sender that sends too often is told before it sends all of it.
            pace(app, hook, settings)?;
            let run = RunId(app.runtime.clock().new_id());
            (Some(run), file::keep(app, hook, run, &incoming.headers, bytes).await?)
        }
    };
    let Taken { body, files, same } = taken;
    let delivery = Delivery { run, body, same: &same, mark: mark.as_ref(), connection: connection.as_ref() };
    let started = begin(app, hook, settings, incoming, delivery).await;
    if !started.as_ref().is_ok_and(|(_, replayed)| !replayed) {
        file::discard(app, hook, &files).await;
    }
    Ok((plan, started?))
}

/// A request whose body is read.
struct Delivery<'a> {
    run: Option<RunId>,
    body: Value,
    same: &'a [u8],
    mark: Option<&'a Mark>,
    connection: Option<&'a Connection>,
}

/// Starts its run, or finds the one that it started before.
async fn begin(
    app: &Arc<App>,
    hook: &Hook,
    settings: &WebhookSettings,
    incoming: &Incoming,
    Delivery { run, body, same, mark, connection }: Delivery<'_>,
) -> Result<(RunId, bool), HookError> {
    let input = input(incoming, connection, body);
    let delivery = delivery::id(settings, &incoming.headers, &input).map_err(HookError::Unreadable)?;
    if let Some(mark) = mark {
        refuse_replay(app, hook, mark, delivery.as_deref()).await?;
    }
    if run.is_none() {
        pace(app, hook, settings)?;
    }
    let key = delivery::key(hook.binding, delivery.as_deref(), mark);
    let request = start(hook, input, key);
    let asked = delivery::asked(settings, incoming, same);
    let started = app.runtime.start_delivery(request, settings.window, asked, run).await;
    let started = started.map_err(|error| HookError::NotStarted(error.into()))?;
    if let Some(mark) = mark.filter(|mark| mark.signed_time || delivery.is_some()) {
        remember(app, hook, settings, mark, delivery.as_deref()).await;
    }
    Ok((started.run, started.replayed))
}

fn pace(app: &App, hook: &Hook, settings: &WebhookSettings) -> Result<(), HookError> {
    let Some(most) = settings.most_per_minute else { return Ok(()) };
    let room = app.pace.take(hook.binding, Counted::Taken, most, app.runtime.now());
    room.map_err(|retry_after| HookError::TooMany { most, retry_after })
}

/// A config that was published and cannot be read: the node type has changed under it.
fn unusable(hook: &Hook) -> HookError {
    let message = format!("the config of the webhook `{}` cannot be read; publish the workflow again", hook.node);
    ServiceError::Conflict { message }.into()
}

/// The connection that says what the sender has to show, its secrets in the open.
async fn connection(
    app: &App,
    hook: &Hook,
    settings: &WebhookSettings,
    definition: &Definition,
) -> Result<Option<Connection>, ServiceError> {
    let fits = settings.proof.connections();
    if fits.is_empty() {
        return Ok(None);
    }
    let name = definition.nodes.get(&hook.node).and_then(|node| node.connection.as_deref()).unwrap_or_default();
    let (workspace, project, environment) = (hook.workspace, hook.project, hook.environment.clone());
    let place = Place { workspace, project, environment };
    match app.runtime.secrets().open_at(place, name, fits).await {
        Ok(connection) => Ok(Some(connection)),
        Err(error) => {
            tracing::error!(error = %error, trigger.id = %hook.binding, "deliveries to {} cannot be checked", hook.binding);
            let message = "deliveries cannot be checked now: the connection of the webhook cannot be opened".to_owned();
            Err(ServiceError::Unavailable { message })
        }
    }
}

/// What the run is given. Credentials are for us, not for journals.
fn input(incoming: &Incoming, connection: Option<&Connection>, body: Value) -> Value {
    let own = connection.and_then(|connection| connection.plain("name")).map(str::to_ascii_lowercase);
    json!({
        "method": incoming.method,
        "path": incoming.shown_path,
        "query": incoming.query,
        "headers": delivery::texts(&incoming.headers, own.as_deref()),
        "body": body,
    })
}

fn start(hook: &Hook, input: Value, key: Option<String>) -> runtime::StartRun {
    runtime::StartRun {
        workspace: hook.workspace,
        project: hook.project,
        workflow: hook.workflow,
        version: Some(hook.version),
        definition_hash: hook.hash,
        environment: hook.environment.clone(),
        trigger_node: hook.node.clone(),
        kind: runtime::TriggerKind::Webhook,
        input,
        idempotency_key: key,
        key: None,
        labels: BTreeMap::new(),
        priority: 0,
        created_by: CREATED_BY.to_owned(),
        trace: crate::telemetry::request::trace(),
    }
}

/// Refuses a delivery whose signature was right before. Where the time is signed, no two deliveries have the same;
/// otherwise the same one may come again under the id that it had, which is not signed.
async fn refuse_replay(app: &App, hook: &Hook, mark: &Mark, delivery: Option<&str>) -> Result<(), HookError> {
    let seen = store::hook::seen(app.runtime.database(), hook.binding, &mark.digest, app.runtime.now()).await;
    match seen.map_err(ServiceError::from)? {
        Some(before) if mark.signed_time || before.as_deref() != delivery => Err(Refusal::Replayed.into()),
        _ => Ok(()),
    }
}

/// Remembers a delivery that was taken. The run is there already: should this fail, the same delivery is answered with
/// that run rather than refused.
async fn remember(app: &App, hook: &Hook, settings: &WebhookSettings, mark: &Mark, delivery: Option<&str>) {
    // A time may be as far ahead of ours as behind it.
    let lives = if mark.signed_time { settings.tolerance * 2 } else { settings.window };
    let until = app.runtime.now().plus(lives);
    let kept = store::hook::remember(app.runtime.database(), hook.binding, &mark.digest, delivery, until).await;
    if let Err(error) = kept {
        tracing::warn!(error = %error, trigger.id = %hook.binding, "a delivery to {} could not be remembered", hook.binding);
    }
}
