//! Ticks of the past that somebody wants runs for.

use engine::id::{BackfillId, BindingId, WorkflowId, WorkspaceId};
use entity::word::BackfillStatus;
use entity::{trigger_backfill, trigger_binding, trigger_event};
use runtime::Database;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, Select,
};
use serde_json::json;

use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::page::Window;
use crate::service::trigger::backfill::{Backfill, NewBackfill, Outcomes, Progress};
use crate::store::change::Change;
use crate::store::keyset::{self, Listed};
use crate::store::scope::{of_binding, of_workflow};
use crate::store::{at, timestamp};

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<trigger_backfill::Entity> {
    trigger_backfill::Entity::find()
        .filter(trigger_backfill::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_binding(scope, trigger_backfill::Column::BindingId))
}

fn read(model: trigger_backfill::Model) -> Result<Backfill, DbErr> {
    Ok(Backfill {
        id: BackfillId(model.id),
        binding: BindingId(model.binding_id),
        from: timestamp(model.from_at),
        until: timestamp(model.until_at),
        per_minute: model.per_minute,
        progress: match model.status {
            BackfillStatus::Running => Progress::Running,
            BackfillStatus::Done => Progress::Done,
            BackfillStatus::Canceled => Progress::Canceled,
        },
        ticks: model.ticks,
        looked_at: model.looked_at,
        had_runs: model.had_runs,
        created_by: model.created_by,
        created_at: timestamp(model.created_at),
        finished_at: model.finished_at.map(timestamp),
    })
}

/// Begins one, or finds the one of the same ticks that is under way.
pub(crate) async fn begin(
    database: &Database,
    context: &Context,
    new: &NewBackfill,
    ticks: i32,
) -> Result<Backfill, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let write = change.connection();
    // The binding's row lets one begin at a time.
    let binding = trigger_binding::Entity::find()
        .filter(trigger_binding::Column::WorkspaceId.eq(context.workspace.0))
        .filter(of_workflow(&context.scope(), trigger_binding::Column::WorkflowId))
        .filter(trigger_binding::Column::Id.eq(new.binding.0))
        .lock_exclusive()
        .one(write)
        .await?
        .ok_or(ServiceError::NotFound { what: "trigger" })?;
    let running = in_scope(&context.scope())
        .filter(trigger_backfill::Column::BindingId.eq(new.binding.0))
        .filter(trigger_backfill::Column::Status.eq(BackfillStatus::Running))
        .one(write)
        .await?;
    if let Some(running) = running {
        change.rollback().await?;
        let running = read(running)?;
        if (running.from, running.until, running.per_minute) == (new.from, new.until, new.per_minute) {
            return Ok(running);
        }
        let message = format!("{} of this trigger is under way; wait for its end or cancel it", running.id);
        return Err(ServiceError::Conflict { message });
    }
    let id = BackfillId(context.new_id().0);
    let before = engine::time::Timestamp(new.from.0.saturating_sub(1));
    let row = trigger_backfill::ActiveModel {
        id: Set(id.0),
        workspace_id: Set(context.workspace.0),
        binding_id: Set(new.binding.0),
        from_at: Set(at(new.from)),
        until_at: Set(at(new.until)),
        done_until: Set(at(before)),
        per_minute: Set(new.per_minute),
        ticks: Set(ticks),
        looked_at: Set(0),
        had_runs: Set(0),
        status: Set(BackfillStatus::Running),
        next_at: Set(Some(at(context.at))),
        created_by: Set(context.actor.id().unwrap_or_default()),
        created_at: Set(at(context.at)),
        finished_at: Set(None),
        revision: Set(0),
    };
    let row = row.insert(write).await?;
    let done = Done::new(Action::BackfillBegun, id).of(WorkflowId(binding.workflow_id));
    let shown = json!({"environment": binding.environment, "node": binding.node_key, "from": row.from_at,
        "until": row.until_at, "ticks": ticks, "perMinute": new.per_minute});
    change.record(done.after(shown));
    change.commit().await?;
    Ok(read(row)?)
}

/// Stops one, and what waits for its turn by it; one that has ended stays as it is.
pub(crate) async fn cancel(database: &Database, context: &Context, id: BackfillId) -> Result<Backfill, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let write = change.connection();
    let found = in_scope(&context.scope()).filter(trigger_backfill::Column::Id.eq(id.0));
    let found = found.lock_exclusive().one(write).await?.ok_or(ServiceError::NotFound { what: "backfill" })?;
    if found.status != BackfillStatus::Running {
        change.rollback().await?;
        return Ok(read(found)?);
    }
    let binding = trigger_binding::Entity::find_by_id(found.binding_id).one(write).await?;
    let (revision, looked_at, ticks) = (found.revision, found.looked_at, found.ticks);
    let mut row = trigger_backfill::ActiveModel::from(found);
    row.status = Set(BackfillStatus::Canceled);
    row.next_at = Set(None);
    row.finished_at = Set(Some(at(context.at)));
    row.revision = Set(revision + 1);
    let row = row.update(write).await?;
    trigger_event::Entity::update_many()
        .col_expr(trigger_event::Column::Reason, Expr::value("CANCELED: the backfill was canceled"))
        .filter(trigger_event::Column::BackfillId.eq(id.0))
        .filter(trigger_event::Column::RunId.is_null())
        .filter(trigger_event::Column::Reason.is_null())
        .exec(write)
        .await?;
    let mut done = Done::new(Action::BackfillCanceled, id).after(json!({"lookedAt": looked_at, "ticks": ticks}));
    if let Some(binding) = binding {
        done = done.of(WorkflowId(binding.workflow_id));
    }
    change.record(done);
    change.commit().await?;
    Ok(read(row)?)
}

/// A page of a trigger's, the latest first.
pub(crate) async fn list(
    database: &Database,
    scope: &Scope,
    of: BindingId,
    window: Window<BackfillId>,
) -> Result<Listed<Backfill>, DbErr> {
    let select = in_scope(scope).filter(trigger_backfill::Column::BindingId.eq(of.0));
    let order = (&[trigger_backfill::Column::Id][..], true);
    keyset::list(database, select, order, window, |id| vec![id.0.into()], read).await
}

/// What became of the ticks that it asked runs for.
pub(crate) async fn outcomes(database: &Database, workspace: WorkspaceId, of: BackfillId) -> Result<Outcomes, DbErr> {
    use trigger_event::Column as C;
    let asked = || trigger_event::Entity::find().filter(C::WorkspaceId.eq(workspace.0)).filter(C::BackfillId.eq(of.0));
    let read = database.read();
    Ok(Outcomes {
        started: asked().filter(C::RunId.is_not_null()).count(read).await?,
        refused: asked().filter(C::Reason.is_not_null()).count(read).await?,
        waiting: asked().filter(C::RunId.is_null()).filter(C::Reason.is_null()).count(read).await?,
    })
}
