//! Messages that are due, and how their tries went.

use std::time::Duration;

use engine::id::{DeliveryId, NotificationId, WorkspaceId};
use engine::time::Timestamp;
use entity::word::DeliveryStatus;
use entity::{notification, notification_attempt, notification_delivery, outbox, run};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef,
};
use serde_json::json;
use uuid::Uuid;

use crate::database::{Database, from_column, to_column};

/// How long is kept what was sent.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A message that is due, and who gets it.
pub(crate) type Due = (notification_delivery::Model, notification::Model);

fn to_notification() -> RelationDef {
    notification_delivery::Entity::belongs_to(notification::Entity)
        .from(notification_delivery::Column::NotificationId)
        .to(notification::Column::Id)
        .into()
}

/// Who has messages that are due, whoever waits longest first.
pub(crate) async fn receivers_due(database: &Database, now: Timestamp, limit: u64) -> Result<Vec<Uuid>, DbErr> {
    use notification_delivery::Column as C;
    let found = notification_delivery::Entity::find()
        .select_only()
        .column(C::NotificationId)
        .filter(C::NextAt.lte(to_column(now)))
        .group_by(C::NotificationId)
        .order_by_asc(C::NextAt.min())
        .limit(limit);
    found.into_tuple().all(database.read()).await
}

/// Messages of one receiver that are due, the longest due first.
pub(crate) async fn due(database: &Database, of: Uuid, now: Timestamp, limit: u64) -> Result<Vec<Due>, DbErr> {
    use notification_delivery::Column as C;
    let found = notification_delivery::Entity::find()
        .join(JoinType::InnerJoin, to_notification())
        .select_also(notification::Entity)
        .filter(C::NotificationId.eq(of))
        .filter(C::NextAt.lte(to_column(now)))
        .order_by_asc(C::NextAt)
        .order_by_asc(C::Id)
        .limit(limit)
        .all(database.read())
        .await?;
    Ok(found.into_iter().filter_map(|(delivery, of)| Some((delivery, of?))).collect())
}

/// How a try went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    /// When it was sent.
    pub(crate) at: Timestamp,
    /// How long it took.
    pub(crate) took: std::time::Duration,
    /// What the receiver answered.
    pub(crate) status: Option<u16>,
    /// Why there was no answer.
    pub(crate) error: Option<String>,
}

/// What follows from a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It was taken.
    Taken,
    /// It is sent again then.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
    /// Nothing is sent there any more, for this reason.
    Disabled(&'static str),
}

/// Keeps how a try went; `false` when somebody else has tried meanwhile, and nothing was written.
pub(crate) async fn keep(
    database: &Database,
    due: &Due,
    tried: &Tried,
    next: &Next,
    now: Timestamp,
) -> Result<bool, DbErr> {
    use notification_delivery::Column as C;
    let (delivery, of) = due;
    let (status, next_at) = match next {
        Next::Taken => (DeliveryStatus::Delivered, None),
        Next::Again(at) => (DeliveryStatus::Pending, Some(to_column(*at))),
        Next::GivenUp | Next::Disabled(_) => (DeliveryStatus::Failed, None),
    };
    let at = to_column(now);
    let write = database.begin_write().await?;
    let update = notification_delivery::Entity::update_many()
        .col_expr(C::Attempts, Expr::value(delivery.attempts + 1))
        .col_expr(C::Tries, Expr::value(delivery.tries + 1))
        .col_expr(C::Status, Expr::value(status.as_str()))
        .col_expr(C::NextAt, Expr::value(next_at))
        .col_expr(C::FinishedAt, Expr::value(next_at.is_none().then_some(at)))
        .filter(C::Id.eq(delivery.id))
        .filter(C::Attempts.eq(delivery.attempts))
        .filter(C::NextAt.is_not_null());
    if update.exec(&write).await?.rows_affected != 1 {
        write.rollback().await?;
        return Ok(false);
    }
    let attempt = notification_attempt::ActiveModel {
        delivery_id: Set(delivery.id),
        number: Set(delivery.attempts + 1),
        at: Set(to_column(tried.at)),
        http_status: Set(tried.status.map(i32::from)),
        error: Set(tried.error.clone()),
        duration_ms: Set(i64::try_from(tried.took.as_millis()).unwrap_or(i64::MAX)),
    };
    notification_attempt::Entity::insert(attempt).exec_without_returning(&write).await?;
    use notification::Column as N;
    let own = notification::Entity::update_many().filter(N::Id.eq(of.id));
    match next {
        Next::Taken => own.col_expr(N::FailingSince, Expr::value(None::<sea_orm::prelude::DateTimeUtc>)),
        Next::Again(_) | Next::GivenUp => {
            own.col_expr(N::FailingSince, Expr::value(Some(to_column(tried.at)))).filter(N::FailingSince.is_null())
        }
        Next::Disabled(reason) => own
            .col_expr(N::DisabledAt, Expr::value(Some(at)))
            .col_expr(N::DisabledReason, Expr::value(Some(*reason)))
            .filter(N::DisabledAt.is_null()),
    }
    .exec(&write)
    .await?;
    if let Next::Disabled(reason) = next {
        disable(&write, of, reason, now).await?;
    }
    write.commit().await?;
    Ok(true)
}

/// Gives up what waits, and tells the workspace.
async fn disable(
    write: &DatabaseTransaction,
    of: &notification::Model,
    reason: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    use notification_delivery::Column as C;
    notification_delivery::Entity::update_many()
        .col_expr(C::Status, Expr::value(DeliveryStatus::Failed.as_str()))
        .col_expr(C::NextAt, Expr::value(None::<sea_orm::prelude::DateTimeUtc>))
        .col_expr(C::FinishedAt, Expr::value(Some(to_column(now))))
        .filter(C::NotificationId.eq(of.id))
        .filter(C::NextAt.is_not_null())
        .exec(write)
        .await?;
    let told = outbox::ActiveModel {
        id: NotSet,
        workspace_id: Set(of.workspace_id),
        kind: Set("notification.disabled".to_owned()),
        entity: Set(NotificationId(of.id).to_string()),
        workflow_id: Set(None),
        actor: Set(None),
        data: Set(json!({ "name": of.name, "reason": reason }).to_string()),
        at: Set(Some(to_column(now))),
    };
    outbox::Entity::insert(told).exec_without_returning(write).await.map(drop)
}

/// Deletes what was sent or given up 30 days ago, and callbacks of that age whose runs are over. How many messages.
pub(crate) async fn forget(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    use notification_delivery::Column as C;
    let long_ago = to_column(now.minus(KEPT_FOR));
    let old = Query::select()
        .column(C::Id)
        .from(notification_delivery::Entity)
        .and_where(C::FinishedAt.lt(long_ago))
        .to_owned();
    let write = database.begin_write().await?;
    let tries = notification_attempt::Entity::delete_many();
    tries.filter(notification_attempt::Column::DeliveryId.in_subquery(old)).exec(&write).await?;
    let messages = notification_delivery::Entity::delete_many().filter(C::FinishedAt.lt(long_ago)).exec(&write).await?;
    let under_way = Query::select()
        .column(run::Column::Id)
        .from(run::Entity)
        .and_where(run::Column::FinishedAt.is_null())
        .to_owned();
    let told = Query::select().column(C::NotificationId).from(notification_delivery::Entity).to_owned();
    notification::Entity::delete_many()
        .filter(notification::Column::RunId.is_not_null())
        .filter(notification::Column::CreatedAt.lt(long_ago))
        .filter(notification::Column::RunId.not_in_subquery(under_way))
        .filter(notification::Column::Id.not_in_subquery(told))
        .exec(&write)
        .await?;
    write.commit().await?;
    Ok(messages.rows_affected)
}

/// The workspace and the ids of a message, as they are shown.
pub(crate) fn ids(due: &Due) -> (WorkspaceId, NotificationId, DeliveryId) {
    (WorkspaceId(due.0.workspace_id), NotificationId(due.1.id), DeliveryId(due.0.id))
}

/// Since when nobody takes what is sent there.
pub(crate) fn failing_since(due: &Due) -> Option<Timestamp> {
    due.1.failing_since.map(from_column)
}
