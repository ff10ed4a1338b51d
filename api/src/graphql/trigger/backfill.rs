//! Runs for ticks of the past.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::time::Timestamp;

use crate::graphql::Result;
use crate::graphql::request::{Asked as _, id, time};
use crate::graphql::user_error::{UserError, settle};
use crate::service::trigger::backfill::{self, Backfill, NewBackfill, Outcomes, Progress};

/// How far a backfill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Progress")]
pub enum BackfillStatus {
    /// It goes on.
    Running,
    /// It has looked at every time.
    Done,
    /// Somebody stopped it, or its trigger is not deployed any more.
    Canceled,
}

/// Times of the past that somebody wants runs for.
pub struct BackfillObject(pub(super) Backfill);

/// Times of the past that somebody wants runs for. A time that started a run before starts none again.
#[Object(name = "Backfill")]
impl BackfillObject {
    /// The id, `bkf_…`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The first time that counts.
    async fn from(&self) -> DateTime<Utc> {
        time(self.0.from)
    }

    /// The last time that counts.
    async fn until(&self) -> DateTime<Utc> {
        time(self.0.until)
    }

    /// How many times it looks at in a minute.
    async fn per_minute(&self) -> i32 {
        self.0.per_minute
    }

    /// How far it is.
    async fn status(&self) -> BackfillStatus {
        self.0.progress.into()
    }

    /// How many times its range has, as the rule was when it began.
    async fn ticks(&self) -> i32 {
        self.0.ticks
    }

    /// How many of them it has looked at.
    async fn looked_at(&self) -> i32 {
        self.0.looked_at
    }

    /// How many of those had started a run before.
    async fn had_runs(&self) -> i32 {
        self.0.had_runs
    }

    /// What became of the others.
    #[graphql(complexity = "5")]
    async fn outcomes(&self, ctx: &Context<'_>) -> Result<BackfillOutcomes> {
        Ok(backfill::outcomes(ctx.app()?, ctx.viewer()?, &self.0).await?.into())
    }

    /// Who asked for it: the id of an API key.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at.map(time)
    }
}

/// What became of the times that a backfill asked runs for.
#[derive(SimpleObject)]
pub struct BackfillOutcomes {
    /// They started a run.
    started: u64,
    /// They start none; their events say why.
    refused: u64,
    /// They wait for their turn.
    waiting: u64,
}

impl From<Outcomes> for BackfillOutcomes {
    fn from(Outcomes { started, refused, waiting }: Outcomes) -> Self {
        Self { started, refused, waiting }
    }
}

/// Which times of which schedule.
#[derive(InputObject)]
pub struct BackfillTriggerInput {
    /// The id of the schedule's binding, `trg_…`.
    trigger_id: ID,
    /// The first time that counts.
    from: DateTime<Utc>,
    /// The last time that counts; it is past. There are at most 10,000 times between the two.
    until: DateTime<Utc>,
    /// How many times it looks at in a minute, 1 to 600.
    #[graphql(default = 60)]
    per_minute: i32,
}

/// What came of asking for runs of the past.
#[derive(SimpleObject)]
pub struct BackfillTriggerPayload {
    /// The backfill.
    backfill: Option<BackfillObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Which backfill to stop.
#[derive(InputObject)]
pub struct CancelBackfillInput {
    /// The backfill.
    backfill_id: ID,
}

/// What came of stopping a backfill.
#[derive(SimpleObject)]
pub struct CancelBackfillPayload {
    /// The backfill.
    backfill: Option<BackfillObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Asking for runs of the past.
#[derive(Default)]
pub struct BackfillMutation;

#[Object]
impl BackfillMutation {
    /// Asks for runs for the times of a schedule in the past that started none: missed ones, refused ones, and those
    /// before it was deployed. They run the version that is deployed then. A trigger has one backfill at a time; asking
    /// for the same one again answers with it.
    async fn backfill_trigger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which times of which schedule.")] input: BackfillTriggerInput,
    ) -> Result<BackfillTriggerPayload> {
        let at = |time: DateTime<Utc>| Timestamp(time.timestamp_micros());
        let BackfillTriggerInput { trigger_id, from, until, per_minute } = input;
        let answer = match id(&trigger_id, "trigger") {
            Ok(binding) => {
                let new = NewBackfill { binding, from: at(from), until: at(until), per_minute };
                backfill::begin(ctx.app()?, ctx.viewer()?, new).await
            }
            Err(error) => Err(error),
        };
        let (backfill, user_errors) = settle(answer)?;
        Ok(BackfillTriggerPayload { backfill: backfill.map(BackfillObject), user_errors })
    }

    /// Stops a backfill; runs under way go on.
    async fn cancel_backfill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which backfill.")] input: CancelBackfillInput,
    ) -> Result<CancelBackfillPayload> {
        let answer = match id(&input.backfill_id, "backfill") {
            Ok(backfill) => backfill::cancel(ctx.app()?, ctx.viewer()?, backfill).await,
            Err(error) => Err(error),
        };
        let (backfill, user_errors) = settle(answer)?;
        Ok(CancelBackfillPayload { backfill: backfill.map(BackfillObject), user_errors })
    }
}
