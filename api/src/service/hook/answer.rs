//! What a sender is told of the run that it started.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::definition::Definition;
use engine::id::{RunId, WorkspaceId};
use engine::run::event::{Event, NodeIx};
use engine::run::status::RunStatus;
use engine::value::ValueRef;
use nodes::webhook::{AnswerMode, WebhookSettings};
use serde_json::Value;
use tokio::time::Instant;

use crate::app::App;
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::follow::Tail;

/// The node type that answers.
const RESPOND: &str = "http.respond@";

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
    /// The run ended well, and this is what it gave.
    Output {
        /// Which.
        run: RunId,
        /// Its output.
        output: Value,
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

/// The answer to whoever started a run: at once, or what comes of it within the time that the webhook allows.
pub(super) async fn to(
    app: &Arc<App>,
    workspace: WorkspaceId,
    settings: &WebhookSettings,
    definition: &Definition,
    (run, replayed): (RunId, bool),
) -> Answer {
    let accepted = Answer::Accepted { run, replayed };
    let responders = responders(definition);
    let wants_output = settings.answer == AnswerMode::RunEnd;
    let waits = match settings.answer {
        AnswerMode::AtOnce => false,
        AnswerMode::RunEnd => true,
        AnswerMode::Auto | AnswerMode::Respond => !responders.is_empty(),
    };
    if !waits {
        return accepted;
    }
    let wanted = if wants_output { Wanted::Output } else { Wanted::Response(&responders) };
    let within = settings.answer_within;
    match tokio::time::timeout(within, watch(app, workspace, run, replayed, wanted, within)).await {
        Err(_) | Ok(Ok(None)) => accepted,
        Ok(Ok(Some(answer))) => answer,
        // The run is committed: whatever goes wrong with watching it, the sender must not send again.
        Ok(Err(error)) => {
            tracing::error!(error.cause = ?error, run.id = %run, "a webhook's run could not be watched");
            accepted
        }
    }
}

#[derive(Clone, Copy)]
enum Wanted<'a> {
    Response(&'a [NodeIx]),
    Output,
}

/// The run's own answer; `None` when it ended well without one.
async fn watch(
    app: &Arc<App>,
    workspace: WorkspaceId,
    run: RunId,
    replayed: bool,
    wanted: Wanted<'_>,
    within: Duration,
) -> Result<Option<Answer>, ServiceError> {
    let tail = Tail::new(Arc::clone(app), Scope::whole(workspace), run, 0);
    let responders = match wanted {
        Wanted::Response(responders) => responders,
        Wanted::Output => &[],
    };
    Ok(match first_answer(tail, responders, within).await? {
        Said::Responded(value) => {
            let value = app.runtime.value_of_run(workspace, run, &value).await?;
            Some(response(run, replayed, &value))
        }
        Said::Ended(RunStatus::Succeeded, output) => match (wanted, output) {
            (Wanted::Response(_), _) => None,
            (Wanted::Output, None) => Some(Answer::Output { run, output: Value::Null, replayed }),
            (Wanted::Output, Some(output)) => {
                let output = app.runtime.value_of_run(workspace, run, &output).await?;
                Some(Answer::Output { run, output: Value::clone(&output), replayed })
            }
        },
        Said::Ended(status, _) => Some(Answer::Failed { run, status, replayed }),
    })
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
    Ended(RunStatus, Option<ValueRef>),
}

async fn first_answer(mut tail: Tail, responders: &[NodeIx], within: Duration) -> Result<Said, ServiceError> {
    loop {
        while let Some(recorded) = tail.pop() {
            match recorded.event {
                Event::AttemptSucceeded { at, output, .. } | Event::NodeSucceeded { at, output, .. }
                    if responders.contains(&at.node) =>
                {
                    return Ok(Said::Responded(output));
                }
                Event::RunFinished { status, output, .. } => return Ok(Said::Ended(status, output)),
                _ => {}
            }
        }
        if !tail.read().await? {
            tail.wait(Instant::now() + within).await;
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
    use serde_json::json;

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
