//! Who outside is told of runs, and what became of telling them.

use engine::id::{DeliveryId, NotificationId, ProjectId, RunId, WorkspaceId};
use engine::time::Timestamp;
use entity::word::{self, NotificationFormat};
use entity::{callback_cursor, feed, notification, notification_attempt, notification_delivery};
use runtime::Database;
use runtime::secret::Sealed;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, Select,
};
use serde_json::Value;

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope::{of_notification, of_project};
use super::{at, json, timestamp, unless_taken};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::notification::{Attempt, Delivery, DeliveryStatus, Format, MOST, Notification, shown};
use crate::service::page::Window;

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<notification::Entity> {
    notification::Entity::find()
        .filter(notification::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, notification::Column::ProjectId))
}

/// Those that people made: callbacks belong to their runs.
fn named(scope: &Scope) -> Select<notification::Entity> {
    in_scope(scope).filter(notification::Column::RunId.is_null())
}

fn read(model: notification::Model) -> Result<Notification, DbErr> {
    Ok(Notification {
        id: NotificationId(model.id),
        project: model.project_id.map(ProjectId),
        run: model.run_id.map(RunId),
        name: model.name,
        format: match model.format {
            NotificationFormat::Standard => Format::Standard,
            NotificationFormat::Slack => Format::Slack,
            NotificationFormat::Discord => Format::Discord,
        },
        events: json(&model.events)?,
        target: model.target,
        version: model.version,
        failing_since: model.failing_since.map(timestamp),
        disabled: model.disabled_at.map(timestamp).zip(model.disabled_reason),
        created_at: timestamp(model.created_at),
        updated_at: timestamp(model.updated_at),
    })
}

/// The notification of this id.
pub(crate) async fn find(
    database: &Database,
    scope: &Scope,
    id: NotificationId,
) -> Result<Option<Notification>, DbErr> {
    let found = in_scope(scope).filter(notification::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// What is encrypted of a notification.
pub(crate) async fn sealed(
    database: &Database,
    workspace: WorkspaceId,
    id: NotificationId,
) -> Result<Option<Sealed>, DbErr> {
    let whole = Scope::whole(workspace);
    let found = in_scope(&whole).filter(notification::Column::Id.eq(id.0)).one(database.read()).await?;
    Ok(found.map(|row| runtime::notification::sealed(&row)))
}

/// All of them, by name.
pub(crate) async fn list(database: &Database, scope: &Scope) -> Result<Vec<Notification>, DbErr> {
    let rows = named(scope).order_by_asc(notification::Column::Name).all(database.read()).await?;
    rows.into_iter().map(read).collect()
}

/// Keeps a new notification, which is told of what happens from now on.
pub(crate) async fn insert(
    database: &Database,
    context: &Context,
    of: &Notification,
    sealed: &Sealed,
    by: &str,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let write = change.connection();
    if named(&Scope::whole(context.workspace)).count(write).await? >= MOST {
        return Err(ServiceError::Conflict { message: format!("a workspace has at most {MOST} notifications") });
    }
    let head = head(write, context.workspace).await?;
    let row = row(context.workspace, of, sealed, head, by);
    let inserted = notification::Entity::insert(row).exec_without_returning(write).await;
    unless_taken(inserted, "name", "notification", &of.name)?;
    change.record(Done::new(Action::NotificationCreated, of.id).after(shown(of)));
    Ok(change.commit().await?)
}

/// Keeps the callback of a run that is about to start.
pub(crate) async fn insert_callback(
    database: &Database,
    workspace: WorkspaceId,
    of: &Notification,
    sealed: &Sealed,
    by: &str,
) -> Result<(), DbErr> {
    let write = database.begin_write().await?;
    // The run is not there yet, so that its end comes after whatever has happened until now.
    let head = head(&write, workspace).await?;
    let cursor = callback_cursor::ActiveModel { workspace_id: Set(workspace.0), cursor: Set(head) };
    callback_cursor::Entity::insert(cursor)
        .on_conflict(OnConflict::column(callback_cursor::Column::WorkspaceId).do_nothing().to_owned())
        .exec_without_returning(&write)
        .await?;
    let row = row(workspace, of, sealed, head, by);
    notification::Entity::insert(row).exec_without_returning(&write).await?;
    write.commit().await
}

/// Deletes the callback of a run that was not started.
pub(crate) async fn delete_callback(database: &Database, workspace: WorkspaceId, run: RunId) -> Result<(), DbErr> {
    let delete = notification::Entity::delete_many()
        .filter(notification::Column::WorkspaceId.eq(workspace.0))
        .filter(notification::Column::RunId.eq(run.0));
    delete.exec(database.write()).await.map(drop)
}

/// The callbacks of runs; whether the runs are seen is for the caller to have asked.
pub(crate) async fn of_runs(
    database: &Database,
    workspace: WorkspaceId,
    runs: &[RunId],
) -> Result<Vec<Notification>, DbErr> {
    let ids = runs.iter().map(|run| run.0);
    let of_runs = in_scope(&Scope::whole(workspace)).filter(notification::Column::RunId.is_in(ids));
    let rows = of_runs.all(database.read()).await?;
    rows.into_iter().map(read).collect()
}

/// The number of the workspace's last event.
async fn head(write: &DatabaseTransaction, workspace: WorkspaceId) -> Result<i64, DbErr> {
    Ok(feed::Entity::find_by_id(workspace.0).one(write).await?.map_or(0, |feed| feed.seq))
}

fn row(workspace: WorkspaceId, of: &Notification, sealed: &Sealed, cursor: i64, by: &str) -> notification::ActiveModel {
    notification::ActiveModel {
        id: Set(of.id.0),
        workspace_id: Set(workspace.0),
        project_id: Set(of.project.map(|project| project.0)),
        run_id: Set(of.run.map(|run| run.0)),
        name: Set(of.name.clone()),
        format: Set(match of.format {
            Format::Standard => NotificationFormat::Standard,
            Format::Slack => NotificationFormat::Slack,
            Format::Discord => NotificationFormat::Discord,
        }),
        events: Set(Value::from(of.events.clone()).to_string()),
        target: Set(of.target.clone()),
        version: Set(of.version),
        workspace_key_id: Set(sealed.workspace_key.0),
        wrapped_key: Set(sealed.wrapped_key.clone()),
        ciphertext: Set(sealed.ciphertext.clone()),
        previous_until: Set(None),
        cursor: Set(cursor),
        failing_since: Set(None),
        disabled_at: Set(None),
        disabled_reason: Set(None),
        created_by: Set(by.to_owned()),
        created_at: Set(at(of.created_at)),
        updated_at: Set(at(of.updated_at)),
    }
}

/// Changes a notification that is as it was seen, and what is encrypted of it, with the time until which the secret before
/// signs too.
pub(crate) async fn update(
    database: &Database,
    context: &Context,
    before: &Notification,
    after: &Notification,
    secrets: Option<(Sealed, Option<Timestamp>)>,
) -> Result<(), ServiceError> {
    use notification::Column as C;
    let mut change = Change::begin(database, context).await?;
    let (disabled_at, reason) = after.disabled.clone().unzip();
    let mut update = notification::Entity::update_many()
        .col_expr(C::Events, Expr::value(Value::from(after.events.clone()).to_string()))
        .col_expr(C::Target, Expr::value(after.target.as_str()))
        .col_expr(C::Version, Expr::value(after.version))
        .col_expr(C::FailingSince, Expr::value(after.failing_since.map(at)))
        .col_expr(C::DisabledAt, Expr::value(disabled_at.map(at)))
        .col_expr(C::DisabledReason, Expr::value(reason))
        .col_expr(C::UpdatedAt, Expr::value(at(after.updated_at)))
        .filter(C::Id.eq(after.id.0))
        .filter(C::WorkspaceId.eq(context.workspace.0))
        .filter(C::Version.eq(before.version))
        .filter(C::UpdatedAt.eq(at(before.updated_at)));
    if let Some((sealed, until)) = secrets {
        update = update
            .col_expr(C::WorkspaceKeyId, Expr::value(sealed.workspace_key.0))
            .col_expr(C::WrappedKey, Expr::value(sealed.wrapped_key))
            .col_expr(C::Ciphertext, Expr::value(sealed.ciphertext))
            .col_expr(C::PreviousUntil, Expr::value(until.map(at)));
    }
    if update.exec(change.connection()).await?.rows_affected != 1 {
        change.rollback().await?;
        let message = "the notification was changed by somebody else; look at it again".to_owned();
        return Err(ServiceError::Conflict { message });
    }
    let done = Done::new(Action::NotificationUpdated, after.id);
    change.record(done.before(shown(before)).after(shown(after)));
    Ok(change.commit().await?)
}

/// Deletes a notification with its messages.
pub(crate) async fn delete(database: &Database, context: &Context, of: &Notification) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    let write = change.connection();
    let messages = Query::select()
        .column(notification_delivery::Column::Id)
        .from(notification_delivery::Entity)
        .and_where(notification_delivery::Column::NotificationId.eq(of.id.0))
        .to_owned();
    notification_attempt::Entity::delete_many()
        .filter(notification_attempt::Column::DeliveryId.in_subquery(messages))
        .exec(write)
        .await?;
    notification_delivery::Entity::delete_many()
        .filter(notification_delivery::Column::WorkspaceId.eq(context.workspace.0))
        .filter(notification_delivery::Column::NotificationId.eq(of.id.0))
        .exec(write)
        .await?;
    notification::Entity::delete_many()
        .filter(notification::Column::WorkspaceId.eq(context.workspace.0))
        .filter(notification::Column::Id.eq(of.id.0))
        .exec(write)
        .await?;
    change.record(Done::new(Action::NotificationDeleted, of.id).before(shown(of)));
    change.commit().await
}

fn messages(workspace: WorkspaceId) -> Select<notification_delivery::Entity> {
    notification_delivery::Entity::find().filter(notification_delivery::Column::WorkspaceId.eq(workspace.0))
}

fn read_delivery(model: notification_delivery::Model) -> Result<Delivery, DbErr> {
    Ok(Delivery {
        id: DeliveryId(model.id),
        notification: NotificationId(model.notification_id),
        event: model.kind,
        entity: model.entity,
        body: json(&model.body)?,
        status: match model.status {
            word::DeliveryStatus::Pending => DeliveryStatus::Pending,
            word::DeliveryStatus::Delivered => DeliveryStatus::Delivered,
            word::DeliveryStatus::Failed => DeliveryStatus::Failed,
        },
        attempts: model.attempts,
        next_at: model.next_at.map(timestamp),
        created_at: timestamp(model.created_at),
        finished_at: model.finished_at.map(timestamp),
    })
}

/// The message of this id.
pub(crate) async fn delivery(database: &Database, scope: &Scope, id: DeliveryId) -> Result<Option<Delivery>, DbErr> {
    let seen = of_notification(scope, notification_delivery::Column::NotificationId);
    let found = messages(scope.workspace)
        .filter(seen)
        .filter(notification_delivery::Column::Id.eq(id.0))
        .one(database.read())
        .await?;
    found.map(read_delivery).transpose()
}

/// A page of the messages of a notification, the latest first.
pub(crate) async fn deliveries(
    database: &Database,
    workspace: WorkspaceId,
    of: NotificationId,
    status: Option<DeliveryStatus>,
    window: Window<DeliveryId>,
) -> Result<Listed<Delivery>, DbErr> {
    use notification_delivery::Column as C;
    let mut select = messages(workspace).filter(C::NotificationId.eq(of.0));
    if let Some(status) = status {
        select = select.filter(C::Status.eq(match status {
            DeliveryStatus::Pending => word::DeliveryStatus::Pending,
            DeliveryStatus::Delivered => word::DeliveryStatus::Delivered,
            DeliveryStatus::Failed => word::DeliveryStatus::Failed,
        }));
    }
    keyset::list(database, select, (&[C::Id][..], true), window, |id| vec![id.0.into()], read_delivery).await
}

/// The tries of a message that the workspace has, the first one first.
pub(crate) async fn attempts(database: &Database, of: DeliveryId) -> Result<Vec<Attempt>, DbErr> {
    let rows = notification_attempt::Entity::find()
        .filter(notification_attempt::Column::DeliveryId.eq(of.0))
        .order_by_asc(notification_attempt::Column::Number)
        .all(database.read())
        .await?;
    let read = |row: notification_attempt::Model| Attempt {
        number: row.number,
        at: timestamp(row.at),
        status: row.http_status,
        error: row.error,
        duration_ms: row.duration_ms,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Lets messages be sent again from now on: one of them, or all that were given up since a time. How many.
pub(crate) async fn again(
    database: &Database,
    workspace: WorkspaceId,
    of: NotificationId,
    one: Option<DeliveryId>,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<u64, DbErr> {
    use notification_delivery::Column as C;
    let mut update = notification_delivery::Entity::update_many()
        .col_expr(C::Status, Expr::value(word::DeliveryStatus::Pending.as_str()))
        .col_expr(C::Tries, Expr::value(0))
        .col_expr(C::NextAt, Expr::value(Some(at(now))))
        .col_expr(C::FinishedAt, Expr::value(None::<sea_orm::prelude::DateTimeUtc>))
        .filter(C::WorkspaceId.eq(workspace.0))
        .filter(C::NotificationId.eq(of.0));
    if let Some(id) = one {
        update = update.filter(C::Id.eq(id.0));
    }
    if let Some(since) = since {
        update = update.filter(C::CreatedAt.gte(at(since))).filter(C::Status.eq(word::DeliveryStatus::Failed));
    }
    Ok(update.exec(database.write()).await?.rows_affected)
}
