//! What a workspace may use, and what it uses.

use std::time::Duration;

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
    /// The longest that code of one node may run, in milliseconds. The server's own limit holds beside it.
    code_time_ms: Option<u64>,
    /// The most memory that code of one node may use, in bytes. The server's own limit holds beside it.
    code_memory_bytes: Option<u64>,
}

impl From<runtime::Quota> for QuotaObject {
    fn from(quota: runtime::Quota) -> Self {
        let runtime::Quota { runs_per_minute, active_runs, payload_bytes, code_time, code_memory_bytes } = quota;
        let code_time_ms = code_time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Self { runs_per_minute, active_runs, payload_bytes, code_time_ms, code_memory_bytes }
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
    /// The longest that code of one node may run, in milliseconds; at least 10.
    code_time_ms: Option<u32>,
    /// The most memory that code of one node may use, in bytes; at least 4 MiB, without which no code runs.
    code_memory_bytes: Option<u32>,
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
            code_time: input.code_time_ms.map(|time| Duration::from_millis(time.into())),
            code_memory_bytes: input.code_memory_bytes.map(u64::from),
        };
        let (quota, user_errors) = settle(quota::set(ctx.app()?, ctx.viewer()?, quota).await)?;
        Ok(SetQuotaPayload { quota: quota.map(QuotaObject::from), user_errors })
    }
}
