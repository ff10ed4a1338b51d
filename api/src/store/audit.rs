//! Who changed what. Rows are added in the transaction of the change and never touched again.

use engine::audit::{Row, START};
use engine::id::{AuditId, WorkspaceId};
use engine::value::Digest;
use entity::word::{ActorKind, AuditResult};
use entity::{audit, audit_head};
use runtime::Database;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use serde_json::Value;

use super::change::Change;
use super::keyset::{self, Listed};
use super::{at, digest, json, parsed, timestamp};
use crate::service::audit::{Actor, Context, Done, Entry, EntryFilter, Outcome};
use crate::service::page::Window;

/// Adds rows with the next numbers and hashes. Both are given under the lock of the workspace's head, which is held from
/// here to the end of the transaction: no gap, and the order of numbers is the order of commits.
pub(super) async fn insert(write: &impl ConnectionTrait, context: &Context, done: &[Done]) -> Result<(), DbErr> {
    let count = i64::try_from(done.len()).unwrap_or(i64::MAX);
    let (end, mut hash) = reserve(write, context, count).await?;
    let mut rows = Vec::with_capacity(done.len());
    for (done, seq) in done.iter().zip(end - count + 1..) {
        let mut row = model(context, done, seq);
        hash = link(&row).hash(&hash);
        row.hash = Some(hash.0.to_vec());
        rows.push(row.into_active_model());
    }
    audit::Entity::insert_many(rows).exec_without_returning(write).await?;
    audit_head::Entity::update_many()
        .col_expr(audit_head::Column::Hash, Expr::value(hash.0.to_vec()))
        .filter(audit_head::Column::WorkspaceId.eq(context.workspace.0))
        .exec(write)
        .await
        .map(drop)
}

fn model(context: &Context, done: &Done, seq: i64) -> audit::Model {
    let (result, times) = match done.outcome {
        Outcome::Done => (AuditResult::Done, 1),
        Outcome::Denied { times } => (AuditResult::Denied, i32::try_from(times).unwrap_or(i32::MAX)),
    };
    audit::Model {
        id: context.new_id().0,
        workspace_id: context.workspace.0,
        seq,
        actor_kind: match context.actor {
            Actor::ApiKey(_) => ActorKind::ApiKey,
            Actor::User(_) => ActorKind::User,
            Actor::ServiceAccount(_) => ActorKind::ServiceAccount,
            Actor::Command => ActorKind::Command,
        },
        actor_id: context.actor.id(),
        action: done.action.as_str().to_owned(),
        entity: done.entity.clone(),
        before: done.before.as_ref().map(Value::to_string),
        after: done.after.as_ref().map(Value::to_string),
        request_id: context.request.clone(),
        at: at(context.at),
        result,
        times,
        address: context.address.clone(),
        hash: None,
    }
}

/// What a row's hash vouches for.
pub(crate) fn link(row: &audit::Model) -> Row<'_> {
    Row {
        id: row.id.into_bytes(),
        workspace: WorkspaceId(row.workspace_id),
        seq: row.seq,
        at: timestamp(row.at),
        times: row.times,
        actor: (row.actor_kind.as_str(), row.actor_id.as_deref()),
        action: (&row.action, row.result.as_str()),
        entity: &row.entity,
        change: (row.before.as_deref(), row.after.as_deref()),
        request: (row.request_id.as_deref(), row.address.as_deref()),
    }
}

/// Moves the head on: the last number of those that are ours now, and the hash of the row before the first of them.
async fn reserve(write: &impl ConnectionTrait, context: &Context, count: i64) -> Result<(i64, Digest), DbErr> {
    use audit_head::Column as C;
    let moved =
        OnConflict::column(C::WorkspaceId).value(C::Seq, Expr::col((audit_head::Entity, C::Seq)).add(count)).to_owned();
    let row = audit_head::ActiveModel { workspace_id: Set(context.workspace.0), seq: Set(count), hash: Set(None) };
    let head = audit_head::Entity::insert(row).on_conflict(moved).exec_with_returning(write).await?;
    let hash = head.hash.as_deref().map(digest).transpose()?;
    Ok((head.seq, hash.unwrap_or(START)))
}

/// Adds what was denied; nothing else is in the transaction.
pub(crate) async fn deny(database: &Database, context: &Context, denied: Done) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    change.record(denied);
    change.commit().await
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
    let select = wanted(workspace, filter);
    keyset::list(database, select, (&[C::Seq], true), window, |seq| vec![seq.into()], read).await
}

fn wanted(workspace: WorkspaceId, filter: &EntryFilter) -> Select<audit::Entity> {
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
    if let Some(denied) = filter.denied {
        select = select.filter(C::Result.eq(if denied { AuditResult::Denied } else { AuditResult::Done }));
    }
    if let Some(since) = filter.since {
        select = select.filter(C::At.gte(at(since)));
    }
    if let Some(until) = filter.until {
        select = select.filter(C::At.lt(at(until)));
    }
    select
}

/// The next rows after a number, the oldest first.
pub(crate) async fn after(
    database: &Database,
    workspace: WorkspaceId,
    filter: &EntryFilter,
    seq: i64,
    limit: u64,
) -> Result<Vec<Entry>, DbErr> {
    use audit::Column as C;
    let select = wanted(workspace, filter).filter(C::Seq.gt(seq)).order_by_asc(C::Seq).limit(limit);
    select.all(database.read()).await?.into_iter().map(read).collect()
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
        outcome: match model.result {
            AuditResult::Done => Outcome::Done,
            AuditResult::Denied => Outcome::Denied { times: u32::try_from(model.times).unwrap_or_default() },
        },
        address: model.address,
        hash: model.hash.as_deref().map(digest).transpose()?,
    })
}
