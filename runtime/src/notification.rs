//! Who outside is told of runs: finding what to tell in the numbered events of a workspace, and keeping what became of it.
//! A cursor moves in the transaction that writes the messages, so that each event is one message, whoever is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::id::{ConnectionId, DeliveryId, NotificationId, RunId, SecretId, WorkspaceId, WorkspaceKeyId};
use engine::time::Timestamp;
use entity::word::{DeliveryStatus, NotificationFormat};
use entity::{
    callback_cursor, feed, notification, notification_attempt, notification_delivery, outbox, run, workflow,
    workspace_event,
};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Clock;
use crate::database::{Database, from_column, to_column};
use crate::secret::{Sealed, Slot};

/// Notifications and events that one pass looks at.
const AT_ONCE: u64 = 500;
/// Events from which on looking at them again is worth a commit to avoid.
const LOOKED_AT_TWICE: usize = 50;
/// How long is kept what was sent.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What somebody outside may be told of.
pub const KINDS: [&str; 9] = [
    "run.created",
    "run.started",
    "run.waiting",
    "run.paused",
    "run.resumed",
    "run.succeeded",
    "run.failed",
    "run.canceled",
    "run.timed_out",
];

/// What a callback is told of.
pub const ENDS: [&str; 4] = ["run.succeeded", "run.failed", "run.canceled", "run.timed_out"];

/// What is encrypted of a notification.
#[derive(Clone, Serialize, Deserialize)]
pub struct Hidden {
    /// Where messages go.
    pub url: String,
    /// What they are signed with: base64 after `whsec_`.
    pub secret: String,
    /// What they are signed with besides, while receivers change over.
    pub previous: Option<String>,
}

/// Where the encryption of a notification's secrets belongs.
pub fn slot(of: NotificationId, version: i32) -> Slot<'static> {
    Slot { connection: ConnectionId(of.0), field: "notification", secret: SecretId(of.0), version }
}

/// What is encrypted of a row.
pub fn sealed(row: &notification::Model) -> Sealed {
    Sealed {
        workspace_key: WorkspaceKeyId(row.workspace_key_id),
        wrapped_key: row.wrapped_key.clone(),
        ciphertext: row.ciphertext.clone(),
    }
}

/// The word for what happened to a run; `None` for what nobody is told of.
fn named(kind: &str, status: &str) -> Option<&'static str> {
    let name = match (kind, status) {
        ("run.finished", "SUCCEEDED") => "run.succeeded",
        ("run.finished", "FAILED") => "run.failed",
        ("run.finished", "CANCELED") => "run.canceled",
        ("run.finished", "TIMED_OUT") => "run.timed_out",
        (kind, _) => kind,
    };
    KINDS.into_iter().find(|known| *known == name)
}

fn to_feed() -> RelationDef {
    notification::Entity::belongs_to(feed::Entity)
        .from(notification::Column::WorkspaceId)
        .to(feed::Column::WorkspaceId)
        .into()
}

/// Writes the messages that are due to be told, of all workspaces.
pub(crate) async fn gather(database: &Database, clock: &Clock) -> Result<(), DbErr> {
    let behind = notification::Entity::find()
        .join(JoinType::InnerJoin, to_feed())
        .filter(notification::Column::RunId.is_null())
        .filter(
            Expr::col((feed::Entity, feed::Column::Seq))
                .gt(Expr::col((notification::Entity, notification::Column::Cursor))),
        )
        .limit(AT_ONCE)
        .all(database.read())
        .await?;
    for one in behind {
        catch_up(database, clock, one).await?;
    }
    call_back(database, clock).await
}

async fn catch_up(database: &Database, clock: &Clock, of: notification::Model) -> Result<(), DbErr> {
    use notification::Column as C;
    let events = events_after(database, of.workspace_id, of.cursor).await?;
    let messages = messages(database, clock, &of, &events).await?;
    let Some(to) = moves_to(database, of.workspace_id, &events, !messages.is_empty()).await? else { return Ok(()) };
    let update = notification::Entity::update_many()
        .col_expr(C::Cursor, Expr::value(to))
        .filter(C::Id.eq(of.id))
        .filter(C::Cursor.eq(of.cursor));
    let write = database.begin_write().await?;
    if update.exec(&write).await?.rows_affected != 1 {
        return write.rollback().await;
    }
    write_all(&write, messages).await?;
    write.commit().await
}

/// Writes the messages of runs that have ended and were started with a callback.
async fn call_back(database: &Database, clock: &Clock) -> Result<(), DbErr> {
    use callback_cursor::Column as C;
    let to_feed = callback_cursor::Entity::belongs_to(feed::Entity).from(C::WorkspaceId).to(feed::Column::WorkspaceId);
    let behind = callback_cursor::Entity::find()
        .join(JoinType::InnerJoin, to_feed.into())
        .filter(Expr::col((feed::Entity, feed::Column::Seq)).gt(Expr::col((callback_cursor::Entity, C::Cursor))))
        .limit(AT_ONCE)
        .all(database.read())
        .await?;
    for one in behind {
        call_back_in(database, clock, one).await?;
    }
    Ok(())
}

async fn call_back_in(database: &Database, clock: &Clock, of: callback_cursor::Model) -> Result<(), DbErr> {
    use callback_cursor::Column as C;
    let events = events_after(database, of.workspace_id, of.cursor).await?;
    let ended = |event: &workspace_event::Model| (event.kind == "run.finished").then(|| run_of(event)).flatten();
    let ends: BTreeMap<Uuid, &workspace_event::Model> =
        events.iter().filter_map(|event| Some((ended(event)?, event))).collect();
    let callbacks = notification::Entity::find()
        .filter(notification::Column::WorkspaceId.eq(of.workspace_id))
        .filter(notification::Column::RunId.is_in(ends.keys().copied()))
        .all(database.read())
        .await?;
    let mut due = Vec::new();
    for callback in callbacks {
        if let Some(event) = callback.run_id.and_then(|run| ends.get(&run)) {
            due.extend(messages(database, clock, &callback, std::slice::from_ref(*event)).await?);
        }
    }
    let Some(to) = moves_to(database, of.workspace_id, &events, !due.is_empty()).await? else { return Ok(()) };
    let update = callback_cursor::Entity::update_many()
        .col_expr(C::Cursor, Expr::value(to))
        .filter(C::WorkspaceId.eq(of.workspace_id))
        .filter(C::Cursor.eq(of.cursor));
    let write = database.begin_write().await?;
    if update.exec(&write).await?.rows_affected != 1 {
        return write.rollback().await;
    }
    write_all(&write, due).await?;
    write.commit().await
}

async fn events_after(database: &Database, workspace: Uuid, after: i64) -> Result<Vec<workspace_event::Model>, DbErr> {
    use workspace_event::Column as C;
    let events = workspace_event::Entity::find()
        .filter(C::WorkspaceId.eq(workspace))
        .filter(C::Seq.gt(after))
        .order_by_asc(C::Seq)
        .limit(AT_ONCE);
    events.all(database.read()).await
}

/// Where a cursor moves: past what was looked at, when there is something to write with it or it was much. Moving is a
/// commit, and looking at a few events twice is none.
async fn moves_to(
    database: &Database,
    workspace: Uuid,
    events: &[workspace_event::Model],
    writes: bool,
) -> Result<Option<i64>, DbErr> {
    match events.last() {
        Some(last) => Ok((writes || events.len() >= LOOKED_AT_TWICE).then_some(last.seq)),
        // What is older than what is kept cannot be told any more.
        None => Ok(feed::Entity::find_by_id(workspace).one(database.read()).await?.map(|feed| feed.seq)),
    }
}

async fn write_all(
    write: &DatabaseTransaction,
    messages: Vec<notification_delivery::ActiveModel>,
) -> Result<(), DbErr> {
    for group in messages.chunks(100) {
        notification_delivery::Entity::insert_many(group.to_vec()).exec_without_returning(write).await?;
    }
    Ok(())
}

/// The run that an event is about.
fn run_of(event: &workspace_event::Model) -> Option<Uuid> {
    event.entity.parse::<RunId>().ok().map(|run| run.0)
}

async fn messages(
    database: &Database,
    clock: &Clock,
    of: &notification::Model,
    events: &[workspace_event::Model],
) -> Result<Vec<notification_delivery::ActiveModel>, DbErr> {
    let wanted: BTreeSet<String> = serde_json::from_str(&of.events).map_err(|error| DbErr::Json(error.to_string()))?;
    let ids: BTreeSet<Uuid> = events.iter().filter_map(|event| event.workflow_id).collect();
    let workflows = workflow::Entity::find().filter(workflow::Column::Id.is_in(ids)).all(database.read()).await?;
    let workflows: BTreeMap<Uuid, workflow::Model> = workflows.into_iter().map(|found| (found.id, found)).collect();
    let mut messages = Vec::new();
    for event in events {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        let status = data["status"].as_str().unwrap_or_default();
        let Some(kind) = named(&event.kind, status).filter(|kind| wanted.contains(*kind)) else { continue };
        let Some(about) = event.workflow_id.and_then(|id| workflows.get(&id)) else { continue };
        if data["mode"] != "LIVE" || of.project_id.is_some_and(|project| project != about.project_id) {
            continue;
        }
        let body = body(database, of.format, kind, event, &data, about).await?;
        messages.push(message(clock, of, kind, event, &body));
    }
    Ok(messages)
}

/// What is sent.
async fn body(
    database: &Database,
    format: NotificationFormat,
    kind: &str,
    event: &workspace_event::Model,
    data: &Value,
    about: &workflow::Model,
) -> Result<Value, DbErr> {
    let at = event.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let found = match run_of(event) {
        Some(id) => run::Entity::find_by_id(id).one(database.read()).await?,
        None => None,
    };
    let error: Option<Value> =
        found.as_ref().and_then(|run| run.error.as_deref()).and_then(|error| serde_json::from_str(error).ok());
    let environment = data["environment"].as_str().unwrap_or_default();
    if format == NotificationFormat::Standard {
        let error =
            error.map(|error| json!({"code": error["code"], "message": error["message"], "node": error["node"]}));
        return Ok(json!({
            "type": kind,
            "timestamp": at,
            "data": {
                "runId": event.entity,
                "key": found.as_ref().and_then(|run| run.key.clone()),
                "workflow": about.name,
                "workflowId": engine::id::WorkflowId(about.id).to_string(),
                "environment": environment,
                "status": data["status"],
                "error": error,
            },
        }));
    }
    let why = error.and_then(|error| error["message"].as_str().map(|message| format!(": {message}")));
    let what = kind.strip_prefix("run.").unwrap_or(kind).replace('_', " ");
    let text = format!("`{}` in `{environment}`: run {what}{} ({})", about.name, why.unwrap_or_default(), event.entity);
    let text: String = text.chars().take(1_900).collect();
    Ok(match format {
        NotificationFormat::Discord => json!({ "content": text, "allowed_mentions": { "parse": [] } }),
        NotificationFormat::Slack | NotificationFormat::Standard => json!({ "text": text }),
    })
}

fn message(
    clock: &Clock,
    of: &notification::Model,
    kind: &str,
    event: &workspace_event::Model,
    body: &Value,
) -> notification_delivery::ActiveModel {
    let now = to_column(clock.now());
    let is_sent = of.disabled_at.is_none();
    notification_delivery::ActiveModel {
        id: Set(clock.new_id()),
        workspace_id: Set(of.workspace_id),
        notification_id: Set(of.id),
        seq: Set(event.seq),
        kind: Set(kind.to_owned()),
        entity: Set(event.entity.clone()),
        body: Set(body.to_string()),
        status: Set(if is_sent { DeliveryStatus::Pending } else { DeliveryStatus::Failed }),
        attempts: Set(0),
        tries: Set(0),
        next_at: Set(is_sent.then_some(now)),
        created_at: Set(now),
        finished_at: Set((!is_sent).then_some(now)),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_named_by_how_it_ended() {
        assert_eq!(named("run.finished", "FAILED"), Some("run.failed"));
        assert_eq!(named("run.waiting", "WAITING"), Some("run.waiting"));
        assert_eq!(named("run.queued", "QUEUED"), None);
        assert_eq!(named("draft.updated", ""), None);
    }
}
