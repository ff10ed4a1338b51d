//! What a workspace may use, and what it uses.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::Result;
use super::request::Asked as _;
use super::user_error::{UserError, settle};
use crate::service::quota;

/// What a workspace may use. Null is without bound. What a bound forbids fails with `QUOTA_EXCEEDED`, and makes no run.
#[derive(SimpleObject)]
#[graphql(name = "Quota")]
pub struct QuotaObject {
    /// Runs that may start within any 60 seconds.
    runs_per_minute: Option<u64>,
    /// Runs that may be under way at once; dead letters are not.
    active_runs: Option<u64>,
    /// Largest input of a run, in bytes of its JSON in canonical form.
    payload_bytes: Option<u64>,
}

impl From<runtime::Quota> for QuotaObject {
    fn from(quota: runtime::Quota) -> Self {
        let runtime::Quota { runs_per_minute, active_runs, payload_bytes } = quota;
        Self { runs_per_minute, active_runs, payload_bytes }
    }
}

/// What a workspace uses now.
#[derive(SimpleObject)]
#[graphql(name = "Usage")]
pub struct UsageObject {
    /// Runs that started within the last 60 seconds, test runs among them.
    runs_last_minute: u64,
    /// Runs under way; dead letters are not.
    active_runs: u64,
    /// Bytes of values that are kept beside the database.
    stored_bytes: u64,
}

impl From<runtime::Usage> for UsageObject {
    fn from(usage: runtime::Usage) -> Self {
        let runtime::Usage { runs_last_minute, active_runs, stored_bytes } = usage;
        Self { runs_last_minute, active_runs, stored_bytes }
    }
}

/// All bounds of the workspace, anew; what is absent has none.
#[derive(InputObject)]
pub struct SetQuotaInput {
    /// Runs that may start within any 60 seconds.
    runs_per_minute: Option<u32>,
    /// Runs that may be under way at once.
    active_runs: Option<u32>,
    /// Largest input of a run, in bytes of its JSON in canonical form.
    payload_bytes: Option<u32>,
}

/// What became of `setQuota`.
#[derive(SimpleObject)]
pub struct SetQuotaPayload {
    /// The bounds by now.
    quota: Option<QuotaObject>,
    /// What the asker can mend.
    user_errors: Vec<UserError>,
}

/// Changing what the workspace may use.
#[derive(Default)]
pub struct QuotaMutation;

#[Object]
impl QuotaMutation {
    /// Gives the workspace other bounds; runs under way go on. For admins.
    async fn set_quota(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All bounds.")] input: SetQuotaInput,
    ) -> Result<SetQuotaPayload> {
        let quota = runtime::Quota {
            runs_per_minute: input.runs_per_minute.map(u64::from),
            active_runs: input.active_runs.map(u64::from),
            payload_bytes: input.payload_bytes.map(u64::from),
        };
        let (quota, user_errors) = settle(quota::set(ctx.app()?, ctx.viewer()?, quota).await)?;
        Ok(SetQuotaPayload { quota: quota.map(QuotaObject::from), user_errors })
    }
}
