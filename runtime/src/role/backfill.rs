//! Asks for runs of ticks of the past, at the pace that somebody wished. Which ticks have been looked at is remembered in
//! the commit that stores their waiting starts.

use std::collections::HashMap;
use std::time::Duration;

use engine::id::{BackfillId, BindingId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::schedule::Schedule;
use engine::time::Timestamp;
use engine::value::ValueRef;
use entity::word::BackfillStatus;
use entity::{trigger_backfill as row, trigger_binding, trigger_event};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::scheduler::NotNow;
use crate::arrival::{self, Arrival};
use crate::database::{from_column, to_column};
use crate::runtime::{Runtime, TriggerKind};

/// Backfills that are looked at together.
const AT_ONCE: u64 = 64;
/// How long a backfill waits for the schedule to decide a tick first.
const LATER: Duration = Duration::from_secs(1);
/// In microseconds.
const MINUTE: i64 = 60_000_000;

/// Goes on with those that are due. How many ticks it looked at.
pub(crate) async fn pass(runtime: &Runtime) -> Result<u64, DbErr> {
    let due = row::Entity::find()
        .filter(row::Column::NextAt.lte(to_column(runtime.now())))
        .order_by_asc(row::Column::NextAt)
        .limit(AT_ONCE)
        .all(runtime.engine_database().read())
        .await?;
    let mut count = 0;
    for backfill in due {
        let id = BackfillId(backfill.id);
        match go_on(runtime, backfill).await {
            Ok(ticks) => count += ticks,
            Err(error) => tracing::warn!(error = %error, backfill.id = %id, "{id} cannot go on now; it is tried again"),
        }
    }
    Ok(count)
}

/// What became of the ticks of one step.
#[derive(Default)]
struct Step {
    ticks: Vec<Timestamp>,
    had_runs: i32,
    is_last: bool,
}

async fn go_on(runtime: &Runtime, backfill: row::Model) -> Result<u64, NotNow> {
    let binding =
        trigger_binding::Entity::find_by_id(backfill.binding_id).one(runtime.engine_database().read()).await?;
    let schedule =
        binding.as_ref().and_then(|binding| Schedule::read(&serde_json::from_str(&binding.config).ok()?).ok());
    let deployed = binding.filter(|binding| binding.version_id.is_some()).zip(schedule);
    let Some((binding, schedule)) = deployed else {
        end(runtime, &backfill, BackfillStatus::Canceled).await?;
        return Ok(0);
    };
    let tenant = runtime.definitions().tenant(WorkspaceId(backfill.workspace_id)).await?;
    let Some(tenant) = tenant else { return Ok(0) };
    let mut step = Step { is_last: true, ..Step::default() };
    let until = from_column(backfill.until_at);
    let mut next = schedule.next_after(from_column(backfill.done_until));
    while let Some(tick) = next.filter(|tick| *tick <= until) {
        // What the schedule itself has yet to decide is left to it.
        if step.ticks.len() >= at_once(backfill.per_minute)
            || (binding.next_at.is_some() && tick > from_column(binding.decided_at))
        {
            step.is_last = false;
            break;
        }
        step.ticks.push(tick);
        next = schedule.next_after(tick);
    }
    let mut payloads = Vec::with_capacity(step.ticks.len());
    for tick in &step.ticks {
        payloads.push((*tick, runtime.values().keep(&tenant, schedule.input(*tick)).await?));
    }
    let write = runtime.engine_database().begin_write().await?;
    if !advance(&write, runtime, &backfill, &step).await? {
        write.rollback().await?;
        return Ok(0);
    }
    step.had_runs = ask(&write, runtime, &backfill, &binding, &payloads).await?;
    if step.had_runs > 0 {
        row::Entity::update_many()
            .col_expr(row::Column::HadRuns, Expr::col(row::Column::HadRuns).add(step.had_runs))
            .filter(row::Column::Id.eq(backfill.id))
            .exec(&write)
            .await?;
    }
    write.commit().await?;
    Ok(step.ticks.len() as u64)
}

/// Ticks of one step: those of a second, at least one.
fn at_once(per_minute: i32) -> usize {
    usize::try_from(per_minute / 60).unwrap_or_default().max(1)
}

/// Remembers how far it is; `false` when somebody else has gone on or stopped it.
async fn advance(write: &impl ConnectionTrait, runtime: &Runtime, of: &row::Model, step: &Step) -> Result<bool, DbErr> {
    let now = runtime.now();
    let of_minute = i64::try_from(step.ticks.len()).unwrap_or(1) * MINUTE;
    let took =
        Duration::from_micros(of_minute.unsigned_abs() / u64::from(of.per_minute.unsigned_abs().clamp(1, 6_000)));
    let next = (!step.is_last).then(|| to_column(now.plus(if step.ticks.is_empty() { LATER } else { took })));
    let ticks = i32::try_from(step.ticks.len()).unwrap_or(i32::MAX);
    let mut change = row::Entity::update_many()
        .col_expr(row::Column::Revision, Expr::col(row::Column::Revision).add(1))
        .col_expr(row::Column::LookedAt, Expr::col(row::Column::LookedAt).add(ticks))
        .col_expr(row::Column::NextAt, Expr::value(next))
        .filter(row::Column::Id.eq(of.id))
        .filter(row::Column::Revision.eq(of.revision));
    if let Some(last) = step.ticks.last() {
        change = change.col_expr(row::Column::DoneUntil, Expr::value(to_column(*last)));
    }
    if step.is_last {
        change = change
            .col_expr(row::Column::Status, Expr::value(BackfillStatus::Done))
            .col_expr(row::Column::FinishedAt, Expr::value(to_column(now)));
    }
    Ok(change.exec(write).await?.rows_affected == 1)
}

/// Lets ticks without a run wait for one; how many had one, or were waiting already.
async fn ask(
    write: &impl ConnectionTrait,
    runtime: &Runtime,
    backfill: &row::Model,
    binding: &trigger_binding::Model,
    ticks: &[(Timestamp, ValueRef)],
) -> Result<i32, DbErr> {
    use trigger_event::Column as C;
    let known = trigger_event::Entity::find()
        .filter(C::BindingId.eq(binding.id))
        .filter(C::TickAt.is_in(ticks.iter().map(|(tick, _)| to_column(*tick))))
        .all(write)
        .await?;
    let known: HashMap<Timestamp, trigger_event::Model> =
        known.into_iter().filter_map(|event| Some((from_column(event.tick_at?), event))).collect();
    let mut had_runs = 0;
    let mut arrivals = Vec::new();
    for (tick, value) in ticks {
        let Some(event) = known.get(tick) else {
            arrivals.push(Arrival {
                id: TriggerEventId(runtime.clock().new_id()),
                workspace: WorkspaceId(binding.workspace_id),
                workflow: WorkflowId(binding.workflow_id),
                environment: binding.environment.clone(),
                node: binding.node_key.clone(),
                kind: TriggerKind::Schedule,
                version: binding.version_id.map(VersionId),
                reason: None,
                payload: value.clone(),
                keeps_payload: true,
                dedupe_key: None,
                binding: Some(BindingId(binding.id)),
                tick: Some(*tick),
                source: None,
                depth: 0,
                backfill: Some(backfill.id),
                at: runtime.now(),
            });
            continue;
        };
        if event.run_id.is_some() || event.reason.is_none() {
            had_runs += 1;
            continue;
        }
        trigger_event::Entity::update_many()
            .col_expr(C::Reason, Expr::value(Option::<String>::None))
            .col_expr(C::BackfillId, Expr::value(backfill.id))
            .col_expr(C::Payload, Expr::value(arrival::inline(value)))
            .col_expr(C::PayloadDigest, Expr::value(value.digest.0.to_vec()))
            .col_expr(C::PayloadLen, Expr::value(i64::try_from(value.len).unwrap_or(i64::MAX)))
            .filter(C::Id.eq(event.id))
            .exec(write)
            .await?;
        if value.is_blob() {
            arrival::refer(write, WorkspaceId(event.workspace_id), event.id, value.digest).await?;
        }
    }
    arrival::insert(write, &arrivals).await?;
    Ok(had_runs)
}

/// Ends one that cannot go on.
async fn end(runtime: &Runtime, of: &row::Model, status: BackfillStatus) -> Result<(), DbErr> {
    row::Entity::update_many()
        .col_expr(row::Column::Status, Expr::value(status))
        .col_expr(row::Column::NextAt, Expr::value(Option::<sea_orm::prelude::DateTimeUtc>::None))
        .col_expr(row::Column::FinishedAt, Expr::value(to_column(runtime.now())))
        .col_expr(row::Column::Revision, Expr::col(row::Column::Revision).add(1))
        .filter(row::Column::Id.eq(of.id))
        .filter(row::Column::Revision.eq(of.revision))
        .exec(runtime.engine_database().write())
        .await
        .map(drop)
}
