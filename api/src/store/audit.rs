//! Who changed what. Rows are added in the transaction of the change and never touched again.

use engine::id::{AuditId, WorkspaceId};
use entity::word::ActorKind;
use entity::{audit, audit_head};
use runtime::Database;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Select};
use serde_json::Value;

use super::keyset::{self, Listed};
use super::{at, json, parsed, timestamp};
use crate::service::audit::{Actor, Context, Done, Entry, EntryFilter};
use crate::service::page::Window;

/// Adds rows with the next numbers. Numbers are given under the lock of the workspace's head, which is held from here
/// to the end of the transaction: no gap, and the order of numbers is the order of commits.
pub(super) async fn insert(write: &impl ConnectionTrait, context: &Context, done: &[Done]) -> Result<(), DbErr> {
    let count = i64::try_from(done.len()).unwrap_or(i64::MAX);
    let first = reserve(write, context, count).await? - count + 1;
    let rows = done.iter().zip(first..).map(|(done, seq)| audit::ActiveModel {
        id: Set(context.new_id().0),
        workspace_id: Set(context.workspace.0),
        seq: Set(seq),
        actor_kind: Set(match context.actor {
            Actor::ApiKey(_) => ActorKind::ApiKey,
            Actor::User(_) => ActorKind::User,
            Actor::ServiceAccount(_) => ActorKind::ServiceAccount,
            Actor::Command => ActorKind::Command,
        }),
        actor_id: Set(context.actor.id()),
        action: Set(done.action.as_str().to_owned()),
        entity: Set(done.entity.clone()),
        before: Set(done.before.as_ref().map(Value::to_string)),
        after: Set(done.after.as_ref().map(Value::to_string)),
        request_id: Set(context.request.clone()),
        at: Set(at(context.at)),
    });
    audit::Entity::insert_many(rows).exec_without_returning(write).await.map(drop)
}

/// Moves the head on; the last number of those that are ours now.
async fn reserve(write: &impl ConnectionTrait, context: &Context, count: i64) -> Result<i64, DbErr> {
    use audit_head::Column as C;
    let moved =
        OnConflict::column(C::WorkspaceId).value(C::Seq, Expr::col((audit_head::Entity, C::Seq)).add(count)).to_owned();
    let row = audit_head::ActiveModel { workspace_id: Set(context.workspace.0), seq: Set(count) };
    let head = audit_head::Entity::insert(row).on_conflict(moved).exec_with_returning(write).await?;
    Ok(head.seq)
}

/// The only way into the table: there is no query without a workspace.
fn in_workspace(workspace: WorkspaceId) -> Select<audit::Entity> {
    audit::Entity::find().filter(audit::Column::WorkspaceId.eq(workspace.0))
}

/// The row of this id.
pub(crate) async fn find(database: &Database, workspace: WorkspaceId, id: AuditId) -> Result<Option<Entry>, DbErr> {
    let found = in_workspace(workspace).filter(audit::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// A page of rows, the latest first.
pub(crate) async fn list(
    database: &Database,
    workspace: WorkspaceId,
    filter: &EntryFilter,
    window: Window<i64>,
) -> Result<Listed<Entry>, DbErr> {
    use audit::Column as C;
    let mut select = in_workspace(workspace);
    if let Some(entity) = &filter.entity {
        select = select.filter(C::Entity.eq(entity));
    }
    if let Some(actor) = &filter.actor {
        select = select.filter(C::ActorId.eq(actor));
    }
    if !filter.actions.is_empty() {
        select = select.filter(C::Action.is_in(&filter.actions));
    }
    if let Some(since) = filter.since {
        select = select.filter(C::At.gte(at(since)));
    }
    if let Some(until) = filter.until {
        select = select.filter(C::At.lt(at(until)));
    }
    keyset::list(database, select, (&[C::Seq], true), window, |seq| vec![seq.into()], read).await
}

fn read(model: audit::Model) -> Result<Entry, DbErr> {
    let id = || model.actor_id.as_deref().ok_or_else(|| DbErr::Type("an audit row names no actor".to_owned()));
    let actor = match model.actor_kind {
        ActorKind::ApiKey => Actor::ApiKey(parsed(id()?)?),
        ActorKind::User => Actor::User(parsed(id()?)?),
        ActorKind::ServiceAccount => Actor::ServiceAccount(parsed(id()?)?),
        ActorKind::Command => Actor::Command,
    };
    Ok(Entry {
        id: AuditId(model.id),
        seq: model.seq,
        actor,
        action: model.action,
        entity: model.entity,
        before: model.before.as_deref().map(json).transpose()?,
        after: model.after.as_deref().map(json).transpose()?,
        request: model.request_id,
        at: timestamp(model.at),
    })
}
