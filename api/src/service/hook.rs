//! Webhooks: a request from outside becomes a run, and perhaps the run answers it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::definition::Definition;
use engine::id::{RunId, WorkflowId, WorkspaceId};
use engine::run::event::{Event, NodeIx};
use engine::run::status::RunStatus;
use engine::value::ValueRef;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::follow::Tail;
use super::workflow::{WEBHOOK, trigger_nodes};
use super::{ServiceError, plan, signature, text};
use crate::app::App;
use crate::store;

/// How long a sender waits for the run's own answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Where webhooks run until bindings say otherwise.
const ENVIRONMENT: &str = "default";
/// The node type that answers.
const RESPOND: &str = "http.respond@";
/// What a webhook's runs are created by.
const CREATED_BY: &str = "webhook";

/// Which hook a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The workspace's slug.
    pub workspace: String,
    /// The project's slug.
    pub project: String,
    /// The workflow's name.
    pub workflow: String,
    /// The key of the trigger node.
    pub node: String,
}

/// What came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Upper case.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// Query parameters; the last one of a name counts.
    pub query: BTreeMap<String, String>,
    /// Headers in lower case, without credentials.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON, or as text.
    pub body: Value,
    /// What the sender knows this delivery by.
    pub delivery: Option<String>,
}

/// What the sender is told.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// The run is durable.
    Accepted {
        /// Which.
        run: RunId,
        /// Whether the delivery had started it before.
        replayed: bool,
    },
    /// The run answered.
    Response {
        /// Which.
        run: RunId,
        /// HTTP status.
        status: u16,
        /// Headers by name.
        headers: BTreeMap<String, String>,
        /// The body.
        body: Value,
        /// Whether the delivery had started it before.
        replayed: bool,
    },
    /// The run ended without an answer and not well.
    Failed {
        /// Which.
        run: RunId,
        /// How it ended.
        status: RunStatus,
        /// Whether the delivery had started it before.
        replayed: bool,
    },
}

/// Takes a request. It returns after the commit, or once the run has answered.
///
/// # Errors
/// `NotFound` when nothing deployed has that hook; `IdempotencyMismatch` when the delivery was another request before.
pub async fn receive(app: &Arc<App>, route: &Route, incoming: Incoming) -> Result<Answer, ServiceError> {
    let absent = || ServiceError::NotFound { what: "webhook" };
    if let Some(delivery) = &incoming.delivery {
        text::key("Idempotency-Key", delivery)?;
    }
    let found = store::deployment::runnable_by_route(app.runtime.database(), route, ENVIRONMENT).await?;
    let (workspace, runnable) = found.ok_or_else(absent)?;
    if let Some(notes) = crate::telemetry::request::current() {
        notes.caller(workspace, CREATED_BY.to_owned());
    }
    signature::require(app, workspace, runnable.version, &runnable.hash).await?;
    let plan = plan::get(app, workspace, &runnable.hash).await?;
    let is_hook =
        trigger_nodes(app, &plan.definition).any(|(node, r#type)| node == route.node && r#type.name == WEBHOOK);
    if !is_hook {
        return Err(absent());
    }
    let input = json!({
        "method": incoming.method,
        "path": incoming.path,
        "query": incoming.query,
        "headers": incoming.headers,
        "body": incoming.body,
    });
    let delivery = incoming.delivery.map(|key| (key, input.clone()));
    let request = runtime::StartRun {
        workspace,
        project: runnable.project,
        workflow: runnable.workflow,
        version: Some(runnable.version),
        definition_hash: runnable.hash,
        environment: ENVIRONMENT.to_owned(),
        trigger_node: route.node.clone(),
        kind: runtime::TriggerKind::Webhook,
        input,
        idempotency_key: delivery.as_ref().map(|(key, _)| key.clone()),
        key: None,
        labels: BTreeMap::new(),
        priority: 0,
        created_by: CREATED_BY.to_owned(),
        trace: crate::telemetry::request::trace(),
    };
    let (run, replayed) = match (app.runtime.start(request).await, delivery) {
        (Ok(started), _) => (started.run, started.replayed),
        (Err(runtime::StartError::KeyReused), Some((key, input))) => {
            (redelivered(app, workspace, runnable.workflow, &key, &input).await?, true)
        }
        (Err(error), _) => return Err(error.into()),
    };
    let accepted = Answer::Accepted { run, replayed };
    let responders = responders(&plan.definition);
    if responders.is_empty() {
        return Ok(accepted);
    }
    let watching = watch(app, workspace, run, replayed, &responders);
    match tokio::time::timeout(ANSWER_WITHIN, watching).await {
        Err(_) | Ok(Ok(None)) => Ok(accepted),
        Ok(Ok(Some(answer))) => Ok(answer),
        // The run is committed: whatever goes wrong with watching it, the sender must not send again.
        Ok(Err(error)) => {
            tracing::error!(error.cause = ?error, run.id = %run, "a webhook's run could not be watched");
            Ok(accepted)
        }
    }
}

/// The run's own answer; `None` when it ended well without one.
async fn watch(
    app: &Arc<App>,
    workspace: WorkspaceId,
    run: RunId,
    replayed: bool,
    responders: &[NodeIx],
) -> Result<Option<Answer>, ServiceError> {
    let tail = Tail::new(Arc::clone(app), workspace, run, 0);
    Ok(match first_answer(tail, responders).await? {
        Said::Responded(value) => {
            let value = app.runtime.value_of_run(workspace, run, &value).await?;
            Some(response(run, replayed, &value))
        }
        Said::Ended(RunStatus::Succeeded) => None,
        Said::Ended(status) => Some(Answer::Failed { run, status, replayed }),
    })
}

/// The run of a delivery that comes again. Senders repeat what they sent with other dates, trace ids and agents, so
/// headers do not count.
async fn redelivered(
    app: &App,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    key: &str,
    input: &Value,
) -> Result<RunId, ServiceError> {
    let found = store::run::find_by_start_key(app.runtime.database(), workspace, workflow, key).await?;
    let run = found.ok_or(ServiceError::IdempotencyMismatch)?;
    let before = app.runtime.value(workspace, &run.input).await?;
    let is_same = ["method", "path", "query", "body"].iter().all(|part| before.get(part) == input.get(part));
    if is_same { Ok(run.id) } else { Err(ServiceError::IdempotencyMismatch) }
}

/// The nodes whose output is the answer.
fn responders(definition: &Definition) -> Vec<NodeIx> {
    let nodes = definition.nodes.values().enumerate();
    nodes
        .filter(|(_, node)| node.r#type.starts_with(RESPOND))
        .filter_map(|(index, _)| u32::try_from(index).ok().map(NodeIx))
        .collect()
}

enum Said {
    Responded(ValueRef),
    Ended(RunStatus),
}

async fn first_answer(mut tail: Tail, responders: &[NodeIx]) -> Result<Said, ServiceError> {
    loop {
        while let Some(recorded) = tail.pop() {
            match recorded.event {
                Event::AttemptSucceeded { at, output, .. } | Event::NodeSucceeded { at, output, .. }
                    if responders.contains(&at.node) =>
                {
                    return Ok(Said::Responded(output));
                }
                Event::RunFinished { status, .. } => return Ok(Said::Ended(status)),
                _ => {}
            }
        }
        if !tail.read().await? {
            tail.wait(Instant::now() + ANSWER_WITHIN).await;
        }
    }
}

/// What `http.respond` put out: `{status, headers, body}`.
fn response(run: RunId, replayed: bool, value: &Value) -> Answer {
    let status = value.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let headers = value.get("headers").and_then(Value::as_object).map(|headers| {
        headers.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    });
    Answer::Response {
        run,
        status: status.unwrap_or(200),
        headers: headers.unwrap_or_default(),
        body: value.get("body").cloned().unwrap_or(Value::Null),
        replayed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_http_respond_is_the_answer() {
        let run = RunId(uuid::Uuid::from_u128(1));
        let answer = response(run, true, &json!({"status": 201, "headers": {"x-a": "b", "x-n": 1}, "body": [1]}));
        let headers = BTreeMap::from([("x-a".to_owned(), "b".to_owned())]);
        assert_eq!(answer, Answer::Response { run, status: 201, headers, body: json!([1]), replayed: true });
        let plain = Answer::Response { run, status: 200, headers: BTreeMap::new(), body: Value::Null, replayed: false };
        assert_eq!(response(run, false, &json!("text")), plain);
    }
}
