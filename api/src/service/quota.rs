//! What a workspace may use, and what it uses.

use nodes::code::{LEAST_MEMORY as CODE_LEAST_MEMORY, LEAST_TIME as CODE_LEAST_TIME};
use runtime::{Quota, QuotaExceeded, Usage};
use serde_json::{Value, json};

use super::ServiceError;
use super::audit::{Action, Context, Done};
use super::text::instant;
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// The bounds of the viewer's workspace.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn get(app: &App, viewer: &Viewer) -> Result<Quota, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(app.runtime.quota(viewer.workspace).await?)
}

/// What the viewer's workspace uses now.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn usage(app: &App, viewer: &Viewer) -> Result<Usage, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(app.runtime.usage(viewer.workspace).await?)
}

/// Gives the viewer's workspace other bounds. Runs under way go on.
///
/// # Errors
/// When they may not, or the database cannot be written.
pub async fn set(app: &App, viewer: &Viewer, quota: Quota) -> Result<Quota, ServiceError> {
    viewer.require(Permission::QuotaManage)?;
    if quota.code_time.is_some_and(|time| time < CODE_LEAST_TIME) {
        return Err(ServiceError::invalid("codeTimeMs", "code needs 10 ms; without a bound, leave it out"));
    }
    if quota.code_memory_bytes.is_some_and(|bytes| bytes < CODE_LEAST_MEMORY) {
        let message = format!("code needs {CODE_LEAST_MEMORY} bytes; without a bound, leave it out");
        return Err(ServiceError::invalid("codeMemoryBytes", message));
    }
    let before = get(app, viewer).await?;
    let done = Done::new(Action::QuotaUpdated, viewer.workspace).before(shown(&before)).after(shown(&quota));
    let (context, by) = (Context::of(app, viewer), viewer.actor());
    store::quota::put(app.runtime.database(), &context, &quota, &by, done).await?;
    app.runtime.quota_changed(viewer.workspace);
    Ok(quota)
}

fn shown(quota: &Quota) -> Value {
    json!({
        "runsPerMinute": quota.runs_per_minute,
        "activeRuns": quota.active_runs,
        "payloadBytes": quota.payload_bytes,
        "codeTimeMs": quota.code_time.map(|time| time.as_millis() as u64),
        "codeMemoryBytes": quota.code_memory_bytes,
    })
}

/// What programs are told of a bound that is reached.
pub fn details(exceeded: &QuotaExceeded) -> Value {
    json!({
        "quota": exceeded.bound.as_str(),
        "limit": exceeded.limit,
        "used": exceeded.used,
        "resetAt": exceeded.reset_at.map(instant),
    })
}
