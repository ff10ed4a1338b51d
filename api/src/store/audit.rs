//! Who changed what. Rows are added in the transaction of the change and never touched again.

use entity::word::ActorKind;
use entity::{audit, audit_head};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait as _};
use serde_json::Value;

use super::at;
use crate::service::audit::{Actor, Context, Done};

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
