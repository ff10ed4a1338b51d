//! Delivering once more what came to a trigger.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use crate::graphql::Result;
use crate::graphql::request::{Asked as _, id, start_key};
use crate::graphql::run::RunObject;
use crate::graphql::user_error::{UserError, settle};
use crate::service::trigger::redelivery::{self, Onto, Redeliver};

/// Which version gets what is delivered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Onto")]
pub enum RedeliverOnto {
    /// The version that it was for the first time.
    Same,
    /// What is deployed in the environment now.
    Deployed,
}

/// What to deliver again, and to which version.
#[derive(InputObject)]
pub struct RedeliverTriggerEventInput {
    /// What came, `evt_…`.
    event_id: ID,
    /// Which version gets it.
    #[graphql(default_with = "RedeliverOnto::Deployed")]
    onto: RedeliverOnto,
    /// Up to 255 characters: the same key within 24 hours answers with the same run. The header `Idempotency-Key`
    /// stands for it when it is absent.
    idempotency_key: Option<String>,
}

/// What came of delivering again.
#[derive(SimpleObject)]
pub struct RedeliverTriggerEventPayload {
    /// The run; it is durable.
    run: Option<RunObject>,
    /// Whether the idempotency key had started it before.
    replayed: bool,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Delivering again.
#[derive(Default)]
pub struct RedeliveryMutation;

#[Object]
impl RedeliveryMutation {
    /// Starts a run with what came to a trigger before, whatever became of it then. It leaves an event of its own, which
    /// names the one before.
    async fn redeliver_trigger_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and to which version.")] input: RedeliverTriggerEventInput,
    ) -> Result<RedeliverTriggerEventPayload> {
        let answer = match id(&input.event_id, "trigger event") {
            Ok(event) => {
                let idempotency_key = start_key(ctx, input.idempotency_key);
                let request = Redeliver { event, onto: input.onto.into(), idempotency_key };
                redelivery::redeliver(ctx.app()?, ctx.viewer()?, request).await
            }
            Err(error) => Err(error),
        };
        let (started, user_errors) = settle(answer)?;
        let (run, replayed) = started.map_or((None, false), |(run, replayed)| (Some(RunObject(run)), replayed));
        Ok(RedeliverTriggerEventPayload { run, replayed, user_errors })
    }
}
