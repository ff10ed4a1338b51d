//! Starting runs.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use nodes::connection::SecretText;
use serde_json::Value;

use super::Result;
use super::artifact::RunFileInput;
use super::request::{Asked as _, id, start_key};
use super::run::RunObject;
use super::user_error::{UserError, settle};
use crate::service::ServiceError;
use crate::service::notification::NewCallback;
use crate::service::start::{self, Start, StartOne, Started, Which};

/// What to run, and with what. Name the workflow by `workflow` or `workflowId`, or a version by `versionId`.
#[derive(InputObject)]
pub struct StartRunInput {
    /// The project's slug, for `workflow`.
    #[graphql(default = "default")]
    project: String,
    /// The workflow's name: runs what is deployed in the environment.
    workflow: Option<String>,
    /// The workflow's id: runs what is deployed in the environment.
    workflow_id: Option<ID>,
    /// A version, deployed or not.
    version_id: Option<ID>,
    /// The environment.
    #[graphql(default = "default")]
    environment: String,
    /// The key of the trigger node; may be absent when the definition has one manual trigger.
    trigger: Option<String>,
    /// The input; null when absent.
    input: Option<Json<Value>>,
    /// Up to 255 characters: the same key within 24 hours answers with the same run. The header `Idempotency-Key`
    /// stands for it when it is absent.
    idempotency_key: Option<String>,
    /// A business key to find the run by, up to 255 characters.
    key: Option<String>,
    /// An object of at most 32 texts to find the run by.
    labels: Option<Json<BTreeMap<String, String>>>,
    /// Who outside is told once the run has ended.
    callback: Option<CallbackInput>,
    /// Files that become members of the input, at most 20.
    files: Option<Vec<RunFileInput>>,
}

/// Who outside is told once a run has ended: by a message of Standard Webhooks, sent again until it is taken. Its type is
/// `run.succeeded`, `run.failed`, `run.canceled` or `run.timed_out`; its data name the run, whose output is asked for by
/// `run(id:)`.
#[derive(InputObject)]
pub struct CallbackInput {
    /// Where the message goes; it is never answered again. Send it as a variable, never in the document.
    url: String,
    /// What the message is signed with: `whsec_` and the base64 of 24 to 64 bytes. Send it as a variable.
    secret: String,
}

impl From<CallbackInput> for NewCallback {
    fn from(CallbackInput { url, secret }: CallbackInput) -> Self {
        Self { url, secret: SecretText::new(secret) }
    }
}

/// One of many runs to start.
#[derive(InputObject)]
pub struct StartOneInput {
    /// The input; null when absent.
    input: Option<Json<Value>>,
    /// Up to 255 characters: the same key within 24 hours answers with the same run.
    idempotency_key: Option<String>,
    /// A business key to find the run by, up to 255 characters.
    key: Option<String>,
    /// An object of at most 32 texts to find the run by.
    labels: Option<Json<BTreeMap<String, String>>>,
    /// Who outside is told once the run has ended.
    callback: Option<CallbackInput>,
    /// Files that become members of the input, at most 20.
    files: Option<Vec<RunFileInput>>,
}

impl TryFrom<StartOneInput> for StartOne {
    type Error = ServiceError;

    fn try_from(input: StartOneInput) -> std::result::Result<Self, ServiceError> {
        let files = input.files.unwrap_or_default().into_iter().map(TryInto::try_into);
        Ok(Self {
            input: input.input.map_or(Value::Null, |json| json.0),
            idempotency_key: input.idempotency_key,
            key: input.key,
            labels: input.labels.map(|json| json.0).unwrap_or_default(),
            callback: input.callback.map(Into::into),
            files: files.collect::<std::result::Result<_, _>>()?,
        })
    }
}

/// What to run, and with which inputs. Name the workflow by `workflow` or `workflowId`, or a version by `versionId`.
#[derive(InputObject)]
pub struct StartRunsInput {
    /// The project's slug, for `workflow`.
    #[graphql(default = "default")]
    project: String,
    /// The workflow's name: runs what is deployed in the environment.
    workflow: Option<String>,
    /// The workflow's id: runs what is deployed in the environment.
    workflow_id: Option<ID>,
    /// A version, deployed or not.
    version_id: Option<ID>,
    /// The environment.
    #[graphql(default = "default")]
    environment: String,
    /// The key of the trigger node; may be absent when the definition has one manual trigger.
    trigger: Option<String>,
    /// The runs, at most 250.
    runs: Vec<StartOneInput>,
}

/// What came of starting.
#[derive(SimpleObject)]
pub struct StartRunPayload {
    /// The run; it is durable.
    run: Option<RunObject>,
    /// Whether the idempotency key had started it before.
    replayed: bool,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl StartRunPayload {
    fn settle(answer: std::result::Result<Started, ServiceError>) -> Result<Self> {
        let (started, user_errors) = settle(answer)?;
        let (run, replayed) = started.map_or((None, false), |(run, replayed)| (Some(RunObject(run)), replayed));
        Ok(Self { run, replayed, user_errors })
    }
}

/// What came of starting many.
#[derive(SimpleObject)]
pub struct StartRunsPayload {
    /// What came of each, in the order asked; empty when `userErrors` say that none could be started. One that cannot
    /// be started stops no other.
    results: Vec<StartRunResult>,
    /// What to mend in what all of them share.
    user_errors: Vec<UserError>,
}

/// What came of starting one of many.
#[derive(SimpleObject)]
pub struct StartRunResult {
    /// The run; it is durable.
    run: Option<RunObject>,
    /// Whether the idempotency key had started it before.
    replayed: bool,
    /// What to mend in this one.
    user_errors: Vec<UserError>,
}

/// Starting runs.
#[derive(Default)]
pub struct StartMutation;

#[Object]
impl StartMutation {
    /// Starts a run; the answer comes after the commit.
    async fn start_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to run, and with what.")] input: StartRunInput,
    ) -> Result<StartRunPayload> {
        let which = match which(input.project, input.workflow, input.workflow_id, input.version_id) {
            Ok(which) => which,
            Err(error) => return StartRunPayload::settle(Err(error)),
        };
        let start = Start { which, environment: input.environment, trigger: input.trigger };
        let one = StartOneInput {
            input: input.input,
            idempotency_key: start_key(ctx, input.idempotency_key),
            key: input.key,
            labels: input.labels,
            callback: input.callback,
            files: input.files,
        };
        let answer = match one.try_into() {
            Ok(one) => start::start(ctx.app()?, ctx.viewer()?, &start, one).await,
            Err(error) => Err(error),
        };
        StartRunPayload::settle(answer)
    }

    /// Starts up to 250 runs of one version; the answer comes after the commit. They share its cost. After a lost
    /// answer, the same idempotency keys tell what was started.
    async fn start_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to run, and with which inputs.")] input: StartRunsInput,
    ) -> Result<StartRunsPayload> {
        let which = which(input.project, input.workflow, input.workflow_id, input.version_id);
        let runs: std::result::Result<Vec<StartOne>, _> = input.runs.into_iter().map(TryInto::try_into).collect();
        let answer = match which.and_then(|which| Ok((which, runs?))) {
            Ok((which, runs)) => {
                let start = Start { which, environment: input.environment, trigger: input.trigger };
                start::start_all(ctx.app()?, ctx.viewer()?, &start, runs).await
            }
            Err(error) => Err(error),
        };
        let (started, user_errors) = settle(answer)?;
        let results = started.unwrap_or_default().into_iter().enumerate().map(|(index, one)| {
            let StartRunPayload { run, replayed, mut user_errors } = StartRunPayload::settle(one)?;
            for error in &mut user_errors {
                if error.field.first().is_some_and(|first| first == "input") {
                    error.field.splice(1..1, ["runs".to_owned(), index.to_string()]);
                }
            }
            Ok(StartRunResult { run, replayed, user_errors })
        });
        Ok(StartRunsPayload { results: results.collect::<Result<_>>()?, user_errors })
    }
}

fn which(
    project: String,
    workflow: Option<String>,
    workflow_id: Option<ID>,
    version_id: Option<ID>,
) -> std::result::Result<Which, ServiceError> {
    match (workflow, workflow_id, version_id) {
        (Some(name), None, None) => Ok(Which::Named { project, name }),
        (None, Some(text), None) => Ok(Which::Workflow(id(&text, "workflow")?)),
        (None, None, Some(text)) => Ok(Which::Version(id(&text, "version")?)),
        _ => Err(ServiceError::invalid("workflow", "name one of `workflow`, `workflowId` and `versionId`")),
    }
}
