//! Trying a run again.

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use serde_json::Value;

use super::Result;
use super::request::{Asked as _, id};
use super::run::RunObject;
use super::user_error::{UserError, settle};
use crate::service::ServiceError;
use crate::service::retry::{self, Retry};

/// Which run to try again, and from where.
#[derive(InputObject)]
pub struct RetryRunInput {
    /// The run; it has ended.
    run_id: ID,
    /// The key of the first node that runs: it and all that comes after it. The start when absent.
    from_node: Option<String>,
    /// Another version of the workflow, such as one in which the cause is mended; the same version when absent.
    version_id: Option<ID>,
    /// What `fromNode` gets as its input instead of what leads to it; at the start, what the run gets. As it was when
    /// absent. Nodes that get another input make new idempotency keys.
    input: Option<Json<Value>>,
    /// Up to 255 characters: the same key within 24 hours answers with the same run.
    idempotency_key: Option<String>,
}

/// What came of trying again.
#[derive(SimpleObject)]
pub struct RetryRunPayload {
    /// The new run; it is durable.
    run: Option<RunObject>,
    /// Whether the idempotency key had started it before.
    replayed: bool,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Trying runs again.
#[derive(Default)]
pub struct RetryMutation;

#[Object]
impl RetryMutation {
    /// Starts a new run that takes over the results of nodes that succeeded, do the same in the version that runs now,
    /// and do not come after `fromNode`; everything else runs. NOT_REUSABLE when something before `fromNode` changed or did not
    /// succeed. Calls that are made again have the same idempotency keys as in the run before.
    async fn retry_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run, and from where.")] input: RetryRunInput,
    ) -> Result<RetryRunPayload> {
        let answer = match read(input) {
            Ok(request) => retry::retry(ctx.app()?, ctx.viewer()?, request).await,
            Err(error) => Err(error),
        };
        let (started, user_errors) = settle(answer)?;
        let (run, replayed) = started.map_or((None, false), |(run, replayed)| (Some(RunObject(run)), replayed));
        Ok(RetryRunPayload { run, replayed, user_errors })
    }
}

fn read(input: RetryRunInput) -> std::result::Result<Retry, ServiceError> {
    Ok(Retry {
        run: id(&input.run_id, "run")?,
        from: input.from_node,
        version: input.version_id.map(|text| id(&text, "version")).transpose()?,
        input: input.input.map(|json| json.0),
        idempotency_key: input.idempotency_key,
    })
}
