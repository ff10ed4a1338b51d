//! Finding what to tell. A cursor moves in the transaction that writes the messages, so that each event is one message,
//! whoever is killed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::id::RunId;
use entity::word::{DeliveryStatus, NotificationFormat};
use entity::{callback_cursor, feed, notification, notification_delivery, run, workflow, workspace_event};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef, UpdateMany,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::named;
use crate::clock::Clock;
use crate::database::{Database, to_column};

/// Cursors and events that are read at once.
const AT_ONCE: u64 = 500;
/// Events without a message from which on a cursor moves all the same: a restart looks at fewer than this again.
const LOOKED_AHEAD: i64 = 50;

/// Finds what is to be told. How far it looked without finding anything is remembered here, because moving a cursor in
/// the database is a commit.
#[derive(Debug, Default)]
pub(crate) struct Gatherer {
    /// By the id of a notification, or of a workspace for its callbacks.
    looked: HashMap<Uuid, i64>,
}

fn to_feed() -> RelationDef {
    notification::Entity::belongs_to(feed::Entity)
        .from(notification::Column::WorkspaceId)
        .to(feed::Column::WorkspaceId)
        .into()
}

impl Gatherer {
    /// Writes the messages that are to be sent, of all workspaces.
    pub(crate) async fn gather(&mut self, database: &Database, clock: &Clock) -> Result<(), DbErr> {
        use notification::Column as C;
        let mut after = Uuid::nil();
        loop {
            let behind = notification::Entity::find()
                .join(JoinType::InnerJoin, to_feed())
                .select_also(feed::Entity)
                .filter(C::RunId.is_null())
                .filter(is_behind(notification::Entity, C::Cursor))
                .filter(C::Id.gt(after))
                .order_by_asc(C::Id)
                .limit(AT_ONCE)
                .all(database.read())
                .await?;
            let is_last = (behind.len() as u64) < AT_ONCE;
            for (of, feed) in behind {
                after = of.id;
                if let Some(feed) = feed {
                    self.catch_up(database, clock, of, feed.seq).await?;
                }
            }
            if is_last {
                return self.call_back(database, clock).await;
            }
        }
    }

    async fn catch_up(
        &mut self,
        database: &Database,
        clock: &Clock,
        of: notification::Model,
        head: i64,
    ) -> Result<(), DbErr> {
        use notification::Column as C;
        let Some(events) = self.news(database, of.workspace_id, of.id, of.cursor, head).await? else { return Ok(()) };
        let messages = messages(database, clock, &of, &events).await?;
        // What is older than what is kept cannot be told any more.
        let to = events.last().map_or(head, |event| event.seq);
        let update = notification::Entity::update_many()
            .col_expr(C::Cursor, Expr::value(to))
            .filter(C::Id.eq(of.id))
            .filter(C::Cursor.eq(of.cursor));
        self.keep(database, of.id, (of.cursor, to), update, messages).await
    }

    /// Writes the messages of runs that have ended and were started with a callback.
    async fn call_back(&mut self, database: &Database, clock: &Clock) -> Result<(), DbErr> {
        use callback_cursor::Column as C;
        let to_feed =
            callback_cursor::Entity::belongs_to(feed::Entity).from(C::WorkspaceId).to(feed::Column::WorkspaceId);
        let to_feed: RelationDef = to_feed.into();
        let mut after = Uuid::nil();
        loop {
            let behind = callback_cursor::Entity::find()
                .join(JoinType::InnerJoin, to_feed.clone())
                .select_also(feed::Entity)
                .filter(is_behind(callback_cursor::Entity, C::Cursor))
                .filter(C::WorkspaceId.gt(after))
                .order_by_asc(C::WorkspaceId)
                .limit(AT_ONCE)
                .all(database.read())
                .await?;
            let is_last = (behind.len() as u64) < AT_ONCE;
            for (of, feed) in behind {
                after = of.workspace_id;
                if let Some(feed) = feed {
                    self.call_back_in(database, clock, of, feed.seq).await?;
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn call_back_in(
        &mut self,
        database: &Database,
        clock: &Clock,
        of: callback_cursor::Model,
        head: i64,
    ) -> Result<(), DbErr> {
        use callback_cursor::Column as C;
        let workspace = of.workspace_id;
        let Some(events) = self.news(database, workspace, workspace, of.cursor, head).await? else { return Ok(()) };
        let ended = |event: &workspace_event::Model| (event.kind == "run.finished").then(|| run_of(event)).flatten();
        let ends: BTreeMap<Uuid, &workspace_event::Model> =
            events.iter().filter_map(|event| Some((ended(event)?, event))).collect();
        let callbacks = notification::Entity::find()
            .filter(notification::Column::WorkspaceId.eq(workspace))
            .filter(notification::Column::RunId.is_in(ends.keys().copied()))
            .all(database.read())
            .await?;
        let mut due = Vec::new();
        for callback in callbacks {
            if let Some(event) = callback.run_id.and_then(|run| ends.get(&run)) {
                due.extend(messages(database, clock, &callback, std::slice::from_ref(*event)).await?);
            }
        }
        let to = events.last().map_or(head, |event| event.seq);
        let update = callback_cursor::Entity::update_many()
            .col_expr(C::Cursor, Expr::value(to))
            .filter(C::WorkspaceId.eq(workspace))
            .filter(C::Cursor.eq(of.cursor));
        self.keep(database, workspace, (of.cursor, to), update, due).await
    }

    /// Events that nobody has looked at for this reader; `None` when there are none.
    async fn news(
        &self,
        database: &Database,
        workspace: Uuid,
        reader: Uuid,
        cursor: i64,
        head: i64,
    ) -> Result<Option<Vec<workspace_event::Model>>, DbErr> {
        use workspace_event::Column as C;
        let after = self.looked.get(&reader).map_or(cursor, |looked| Ord::max(cursor, *looked));
        if after >= head {
            return Ok(None);
        }
        let events = workspace_event::Entity::find()
            .filter(C::WorkspaceId.eq(workspace))
            .filter(C::Seq.gt(after))
            .order_by_asc(C::Seq)
            .limit(AT_ONCE);
        events.all(database.read()).await.map(Some)
    }

    /// Writes messages and moves the cursor with them, unless somebody else has.
    async fn keep<E: sea_orm::EntityTrait>(
        &mut self,
        database: &Database,
        reader: Uuid,
        (cursor, to): (i64, i64),
        update: UpdateMany<E>,
        messages: Vec<notification_delivery::ActiveModel>,
    ) -> Result<(), DbErr> {
        if messages.is_empty() && to - cursor < LOOKED_AHEAD {
            self.looked.insert(reader, to);
            return Ok(());
        }
        let write = database.begin_write().await?;
        if update.exec(&write).await?.rows_affected != 1 {
            return write.rollback().await;
        }
        write_all(&write, messages).await?;
        write.commit().await?;
        self.looked.remove(&reader);
        Ok(())
    }
}

/// Whether the workspace has events after a cursor.
fn is_behind<E: sea_orm::EntityTrait>(of: E, cursor: E::Column) -> sea_orm::sea_query::SimpleExpr {
    Expr::col((feed::Entity, feed::Column::Seq)).gt(Expr::col((of, cursor)))
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
